"""A SessionManager as the Gateway sees it, on a real store, with the test or a ledger behind it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TypeAlias

import attrs
import trio

from actors import session_manager
from db.memory_store import MemoryStore
from db.wallet_signatures import keccak_256, personal_sign, recover_wallet, wallet_of
from domain.refusals import Code, Refusal
from domain.sign_in import SignInSettings
from domain.wallet import checksummed
from protocols.account_commands import KeysRevoked, RevokeKeys
from protocols.money import AccountOpened, MoneyCommand, MoneyOutcome, OpenAccount
from protocols.ports import KeyValueStore
from protocols.sign_in import (
    Authenticate,
    IssueNonce,
    Login,
    NonceIssued,
    SessionEnded,
    SignedIn,
    SignInCommand,
    SignInOutcome,
)
from supervisor import (
    Ask,
    Life,
    Mailbox,
    Refused,
    SeededChance,
    StatusUnknown,
    Topic,
    TrioClock,
    WhenFull,
    ask,
)

EPOCH_MS = 1_770_100_000_000
SETTINGS = SignInSettings(
    domain="127.0.0.1:8080",
    uri="http://127.0.0.1:8080",
    chain_id=31337,
    sign_ins_per_minute=5,
)
ADDRESS = "192.0.2.7"
KEY = b"\x01" * 32
OTHER_KEY = b"\x02" * 32
DAY_S = 86_400

Answer: TypeAlias = SignInOutcome | Refused | StatusUnknown
Accounts: TypeAlias = Callable[[MoneyCommand], MoneyOutcome | None]
"""What the ledger answers; None: nothing, ever."""


def known_account(command: MoneyCommand) -> MoneyOutcome:
    match command:
        case OpenAccount(wallet=wallet):
            return AccountOpened(user_id=7, wallet=wallet, balance_micros=42, created=False)
        case RevokeKeys():
            return KeysRevoked(count=0)
    raise AssertionError(command)


@attrs.define(kw_only=True)
class Desk:
    """A running SessionManager as the Gateway sees it, and the other end of its money mailbox."""

    commands: Mailbox[Ask[SignInCommand, SignInOutcome]]
    money: Mailbox[Ask[MoneyCommand, MoneyOutcome]]
    store: KeyValueStore
    life: Life
    ended: trio.Event
    ends: Topic[SessionEnded] = attrs.field(factory=lambda: Topic("session_ends"))
    ordered: list[MoneyCommand] = attrs.field(factory=list)
    """What was asked of the ledger."""

    @property
    def opened(self) -> list[MoneyCommand]:
        """The accounts among it."""
        return [command for command in self.ordered if isinstance(command, OpenAccount)]

    async def ask(self, command: SignInCommand, *, within_s: float = 10) -> Answer:
        return await ask(self.commands, command, within_s=within_s)

    async def nonce(self, address: str = ADDRESS) -> str:
        issued = await self.ask(IssueNonce(address=address))
        assert isinstance(issued, NonceIssued), issued
        return issued.nonce

    async def login(self, text: str, key: bytes = KEY, address: str = ADDRESS) -> Answer:
        return await self.ask(signed(text, key, address))

    async def signed_in(
        self, address: str = ADDRESS, *, key: bytes = KEY, resources: Sequence[str] = ()
    ) -> SignedIn:
        text = sign_in_text(await self.nonce(address), key=key, resources=resources)
        outcome = await self.login(text, key=key, address=address)
        assert isinstance(outcome, SignedIn), outcome
        return outcome

    async def whose(self, token: str) -> Answer:
        return await self.ask(Authenticate(token=token))


@asynccontextmanager
async def desk(
    *,
    store: KeyValueStore | None = None,
    accounts: Accounts | None = known_account,
    recover: session_manager.RecoverWallet = recover_wallet,
    settings: SignInSettings = SETTINGS,
    money_waiting_max: int = 1_000,
) -> AsyncIterator[Desk]:
    """A SessionManager on a real store; `accounts` answers for the ledger, None never answers."""
    clock = TrioClock(EPOCH_MS)
    made = Desk(
        commands=Mailbox("sign_in", 1_000, WhenFull.REFUSE),
        money=Mailbox("money", money_waiting_max, WhenFull.REFUSE),
        store=MemoryStore(clock) if store is None else store,
        life=Life("venue/session_manager"),
        ended=trio.Event(),
    )
    needs = session_manager.SessionManagerPorts(
        commands=made.commands,
        ends=made.ends,
        store=made.store,
        money=made.money,
        recover_wallet=recover,
        keccak=keccak_256,
        clock=clock,
        chance=SeededChance(1),
        settings=settings,
    )
    serve = partial(session_manager.run, made.life, ports=needs)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_run_to_its_end, serve, made.ended)
        if accounts is not None:
            nursery.start_soon(_answer_for_the_ledger, made, accounts)
        yield made
        nursery.cancel_scope.cancel()


async def _run_to_its_end(serve: Callable[[], object], ended: trio.Event) -> None:
    await serve()  # type: ignore[misc]
    ended.set()


async def _answer_for_the_ledger(made: Desk, accounts: Accounts) -> None:
    async with made.money.reader(Life("venue/batcher")) as reader:
        async for asked in reader:
            made.ordered.append(asked.question)
            outcome = accounts(asked.question)
            if outcome is not None:
                asked.answer(outcome)


def sign_in_text(
    nonce: str,
    *,
    key: bytes = KEY,
    at_ms: int | None = None,
    resources: Sequence[str] = (),
) -> str:
    """A message as a wallet shows it, dated now."""
    now_ms = TrioClock(EPOCH_MS).now_ms() if at_ms is None else at_ms
    issued = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return (
        "127.0.0.1:8080 wants you to sign in with your Ethereum account:\n"
        f"{checksummed(wallet_of(key), keccak_256)}\n\nTap away.\n\n"
        "URI: http://127.0.0.1:8080\nVersion: 1\nChain ID: 31337\n"
        f"Nonce: {nonce}\nIssued At: {issued}"
        + "".join(f"\n- {resource}" for resource in resources).replace("\n", "\nResources:\n", 1)
    )


def signed(text: str, key: bytes = KEY, address: str = ADDRESS) -> Login:
    signature = "0x" + personal_sign(text, key).hex()
    return Login(message=text, signature=signature, address=address)


def refused_with(code: Code, outcome: Answer, field: str | None = None) -> Refusal:
    assert isinstance(outcome, Refusal), outcome
    assert outcome.code is code
    assert outcome.details.get("field") == field
    return outcome
