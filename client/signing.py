"""What is signed, and the requests made of it. The texts themselves are those of `domain`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import attrs

from client.answers import Json, NonceIssued
from domain.signed_text import BetText, WithdrawalText
from domain.units import Bps, EpochMs, EpochS, Micros


class Signer(Protocol):
    """A `Wallet`, or a `SessionKey` that the wallet has authorised."""

    @property
    def key_id(self) -> str | None:
        """The session key's id; None for the wallet itself."""
        ...

    def sign(self, text: str) -> str:
        """The signature as a request has it."""
        ...


@attrs.frozen(kw_only=True)
class Odds:
    """What version 2 of a bet binds: no less than this rate, by this quote."""

    least_bps: Bps
    quote_n: int


@attrs.frozen(kw_only=True)
class SignedBet:
    """A bet ready to be sent, as often as it takes: the venue carries it out once."""

    wallet: str
    text: BetText
    key_id: str | None
    signature: str = attrs.field(repr=False)

    @property
    def nonce(self) -> str:
        """What the bet can be found by."""
        return self.text.nonce

    def fields(self) -> dict[str, Any]:
        """The body of `POST /api/bets`, and of `bet` over the WebSocket."""
        text = self.text
        fields: dict[str, Any] = {
            "wallet": self.wallet,
            "cell_id": text.cell_id,
            "amount": str(text.stake_micros),
            "nonce": text.nonce,
            "timestamp": text.timestamp_s,
            "chain_id": text.chain_id,
            "version": str(text.version),
            "signature": self.signature,
        }
        if text.quote_n is not None:
            fields |= {"rate": text.least_bps, "quote": text.quote_n}
        return fields if self.key_id is None else fields | {"key_id": self.key_id}


def sign_bet(
    signer: Signer,
    *,
    wallet: str,
    cell_id: str,
    stake_micros: Micros,
    nonce: str,
    timestamp_s: EpochS,
    chain_id: int,
    odds: Odds | None = None,
) -> SignedBet:
    """A bet of version 1, paid the rate of the moment, or with `odds` of version 2.

    `timestamp_s` is in the venue's time; the signature holds for 30 s.
    """
    text = BetText(
        cell_id=cell_id,
        stake_micros=stake_micros,
        nonce=nonce,
        timestamp_s=timestamp_s,
        chain_id=chain_id,
        least_bps=odds.least_bps if odds is not None else None,
        quote_n=odds.quote_n if odds is not None else None,
    )
    signature = signer.sign(text.render())
    return SignedBet(wallet=wallet, text=text, key_id=signer.key_id, signature=signature)


class Owner(Protocol):
    """Whose wallet it is: signs in its own name."""

    @property
    def address(self) -> str:
        """As requests name it."""
        ...

    def sign(self, text: str) -> str:
        """As a wallet's `personal_sign`."""
        ...


def sign_withdrawal(wallet: Owner, text: WithdrawalText) -> Json:
    """The body of `POST /api/withdrawals`: only a wallet's own signature takes money out."""
    return {
        "wallet": wallet.address,
        "amount": str(text.amount_micros),
        "destination": text.destination,
        "nonce": text.nonce,
        "timestamp": text.timestamp_s,
        "chain_id": text.chain_id,
        "version": "1",
        "signature": wallet.sign(text.render()),
    }


def sign_in_message(
    issued: NonceIssued,
    *,
    address: str,
    statement: str = "Sign in to tap.",
    resources: Sequence[str] = (),
) -> str:
    """The EIP-4361 message with what the venue asks for. `address` has its EIP-55 capitals."""
    return "\n".join(
        [
            f"{issued.domain} wants you to sign in with your Ethereum account:",
            address,
            "",
            statement,
            "",
            f"URI: {issued.uri}",
            "Version: 1",
            f"Chain ID: {issued.chain_id}",
            f"Nonce: {issued.nonce}",
            f"Issued At: {rfc3339(issued.issued_at_ms)}",
            *(["Resources:", *(f"- {resource}" for resource in resources)] if resources else []),
        ]
    )


def rfc3339(at_ms: EpochMs) -> str:
    """A moment as sign-in messages spell it."""
    date = datetime.fromtimestamp(at_ms // 1000, UTC).replace(microsecond=at_ms % 1000 * 1000)
    return date.isoformat(timespec="milliseconds").replace("+00:00", "Z")
