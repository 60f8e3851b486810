"""A browser wallet of the tests: announces itself as EIP-6963 says, and really signs.

The page speaks to it as to any wallet (EIP-1193); what it is asked is answered in Python, where the
key is, by eth-account, which shares nothing with the venue.
"""

from pathlib import Path
from typing import Any

import attrs
from eth_account import Account
from eth_account.messages import encode_defunct
from playwright.sync_api import BrowserContext

ANNOUNCE = Path(__file__).with_name("announce_wallet.js")
USER_REJECTED = 4001
UNSUPPORTED = 4200


@attrs.define
class WalletStub:
    """One account. `rejects`: its owner presses Cancel."""

    key: bytes = attrs.field(factory=lambda: bytes(Account.create().key))
    rejects: bool = False
    asked: list[tuple[str, list[Any]]] = attrs.field(factory=list)
    """Every call, with its parameters."""

    @property
    def address(self) -> str:
        """With the capitals of EIP-55."""
        return str(Account.from_key(self.key).address)

    @property
    def signed(self) -> list[str]:
        """The texts that it was asked to sign, as its owner was shown them."""
        return [
            bytes.fromhex(parameters[0].removeprefix("0x")).decode()
            for method, parameters in self.asked
            if method == "personal_sign"
        ]

    def install(self, context: BrowserContext) -> None:
        """Into every page that is opened in this context from now on."""
        context.expose_function("testWalletRequest", lambda *call: self.answer(*call))
        context.add_init_script(path=ANNOUNCE)

    def answer(self, method: str, parameters: list[Any]) -> dict[str, Any]:
        """`{"result": ...}`, or `{"error": {"code", "message"}}` as EIP-1193 has it."""
        self.asked.append((method, parameters))
        match method:
            case _ if self.rejects and method in ("eth_requestAccounts", "personal_sign"):
                return _error(USER_REJECTED, "User rejected the request.")
            case "eth_requestAccounts" | "eth_accounts":
                return {"result": [self.address.lower()]}
            case "eth_chainId":
                return {"result": "0x1"}
            case "personal_sign":
                return self._sign(*parameters)
        return _error(UNSUPPORTED, f"{method} is not supported")

    def _sign(self, message: str, address: str) -> dict[str, Any]:
        if address.lower() != self.address.lower():
            return _error(4100, "not an account of this wallet")
        signed = Account.sign_message(encode_defunct(hexstr=message), self.key)
        return {"result": "0x" + signed.signature.hex().removeprefix("0x")}


def _error(code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}
