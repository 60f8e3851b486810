"""What the Gateway reads of the ledger, through its worker: never on the event loop's time."""

from collections.abc import Sequence
from typing import Final

import attrs

from actors.gateway.ports import GatewayPorts
from actors.gateway.ulid import made_at_ms
from domain.refusals import Code, Refusal
from domain.self_limits import in_force
from domain.units import BetId, EpochMs
from protocols.accounts import Account, Bet, LedgerRow
from protocols.client_answers import (
    BetJson,
    BetsJson,
    ProofJson,
    StatementJson,
    archived_refusal,
    bet_json,
    bets_json,
    proof_json,
    statement_json,
    weeks_json,
)
from protocols.client_frames import SnapshotJson, snapshot_json
from protocols.client_queries import BetsQuery, StatementQuery
from protocols.client_refusals import unjudged_details
from protocols.money import BetStatus
from protocols.ports import LedgerReader

LAST_RESULTS: Final = 20
ENDED: Final = (BetStatus.WON, BetStatus.LOST, BetStatus.VOID)
SNAPSHOT_OPEN_BETS: Final = 1_000
"""All there are: one on each of 480 cells on offer, and those whose window has not been judged."""
SNAPSHOT_TRIES: Final = 5
PLACED_WITHIN_MS: Final = 60_000
"""From when a bet's id is made until the bet is in the ledger, at the very most: answers are waited
for some seconds, and a flush that began before has ended half a minute later."""


async def read_account(ports: GatewayPorts, wallet: str) -> Account | None:
    """The account as of the last commit, with the limits that hold now."""
    found = await ports.ledger_worker.run(lambda: ports.ledger.account(wallet))
    return _as_of_now(found, ports.clock.now_ms())


def _as_of_now(account: Account | None, now_ms: EpochMs) -> Account | None:
    """The ledger keeps a maximum that was waited for as it was asked for, until the next change."""
    if account is None:
        return None
    return attrs.evolve(account, limits=in_force(account.limits, now_ms))


async def read_snapshot(ports: GatewayPorts, wallet: str) -> SnapshotJson:
    """Where a trader stands as of `seq`: balance, open bets and last results.

    Each part is a read of its own, and an event may come between two. Then all is read again; of a
    trader to whom something happens at each try the lists may hold what the next events tell.
    """

    now_ms = ports.clock.now_ms()

    def read() -> SnapshotJson:
        ledger = ports.ledger
        account = ledger.account(wallet)
        for _ in range(SNAPSHOT_TRIES):
            before = account
            open_bets = ledger.bets(
                wallet, statuses=(BetStatus.CONFIRMED,), limit=SNAPSHOT_OPEN_BETS
            )
            ended = ledger.bets(wallet, statuses=ENDED, limit=LAST_RESULTS)
            account = ledger.account(wallet)
            if account == before:
                break
        return snapshot_json(wallet, _as_of_now(before, now_ms), open_bets, ended)

    return await ports.ledger_worker.run(read)


# --- history, as far as it is not in the archive ------------------------------------------------


async def read_bets(ports: GatewayPorts, wallet: str, asked: BetsQuery) -> BetsJson | Refusal:
    """A page of the wallet's bets, newest first.

    A range that the trader named is answered whole or with `archived`. Without one he gets what is
    here, and is told which weeks the page lacks.
    """

    def read() -> BetsJson | Refusal:
        bets = ports.ledger.bets(
            wallet,
            statuses=asked.statuses,
            from_ms=asked.from_ms,
            to_ms=asked.to_ms,
            before=asked.before,
            limit=asked.limit,
        )
        archived = _lacking(ports.ledger, asked, bets)
        if archived and asked.has_range:
            return archived_refusal(archived)
        return bets_json(bets, asked.limit, archived)

    return await ports.ledger_worker.run(read)


def _lacking(ledger: LedgerReader, asked: BetsQuery, bets: Sequence[Bet]) -> Sequence[str]:
    """The files that may have more bets of this page's stretch of time, or of the range."""
    if set(asked.statuses) == {BetStatus.CONFIRMED}:
        return ()  # what is open is never in the archive
    if asked.has_range:
        return ledger.archived(from_ms=asked.from_ms, to_ms=asked.to_ms)
    is_full = len(bets) == asked.limit
    return ledger.archived(
        from_ms=bets[-1].placed_at_ms if is_full else None,
        to_ms=asked.before[0] + 1 if asked.before is not None else None,
    )


async def read_statement(ports: GatewayPorts, wallet: str, asked: StatementQuery) -> StatementJson:
    """A page of the wallet's ledger rows, newest first, and which weeks it lacks."""
    rows, archived = await read_rows(ports, wallet, asked)
    return statement_json(rows, asked.limit, archived)


async def read_rows(
    ports: GatewayPorts, wallet: str, asked: StatementQuery
) -> tuple[Sequence[tuple[int, LedgerRow]], Sequence[str]]:
    """The same as the ledger has it."""

    def read() -> tuple[Sequence[tuple[int, LedgerRow]], Sequence[str]]:
        rows, until_ms = _rows_and_end(ports.ledger, wallet, asked)
        is_full = len(rows) == asked.limit
        archived = ports.ledger.archived(
            from_ms=rows[-1][1].created_at_ms if is_full else None, to_ms=until_ms
        )
        return rows, archived

    return await ports.ledger_worker.run(read)


def _rows_and_end(
    ledger: LedgerReader, wallet: str, asked: StatementQuery
) -> tuple[Sequence[tuple[int, LedgerRow]], EpochMs | None]:
    """The page, and when the last row of the page before it was written; None if not known."""
    if asked.before is None:
        return ledger.statement(wallet, limit=asked.limit), None
    # The cursor's own row is read again, for its time.
    rows = ledger.statement(wallet, before=asked.before + 1, limit=asked.limit + 1)
    if rows and rows[0][0] == asked.before:
        return rows[1:], rows[0][1].created_at_ms
    return rows[: asked.limit], None


async def read_bet(ports: GatewayPorts, wallet: str, bet_id: BetId) -> BetJson | Refusal:
    """One of the wallet's own bets. Another's is not found, like one that never was."""

    def read() -> BetJson | Refusal:
        found = ports.ledger.bet(bet_id)
        if found is None:
            return _not_here(ports.ledger, bet_id)
        return bet_json(found) if found.wallet == wallet else Refusal(Code.NOT_FOUND)

    return await ports.ledger_worker.run(read)


async def read_bet_by_nonce(ports: GatewayPorts, wallet: str, nonce: str) -> BetJson | Refusal:
    """The wallet's bet that used up a nonce.

    A nonce has no time: of one that is not found, all weeks are named that could not be searched.
    Those who lost an answer ask within minutes, and their bet is not in one of them.
    """

    def read() -> BetJson | Refusal:
        found = ports.ledger.bet_by_nonce(wallet, nonce)
        if found is not None:
            return bet_json(found)
        weeks = weeks_json(ports.ledger.archived())
        return Refusal(Code.NOT_FOUND, details={"archived": weeks} if weeks else {})

    return await ports.ledger_worker.run(read)


async def read_proof(ports: GatewayPorts, bet_id: BetId) -> ProofJson | Refusal:
    """Why a bet ended as it did."""

    def read() -> ProofJson | Refusal:
        settled = ports.ledger.settled_bet(bet_id)
        if settled is not None:
            return proof_json(settled)
        bet = ports.ledger.bet(bet_id)
        if bet is None:
            return _not_here(ports.ledger, bet_id)
        return Refusal(
            Code.NOT_FOUND,
            "This bet has no verdict yet: there is nothing to prove.",
            {"bet": unjudged_details(bet)},
        )

    return await ports.ledger_worker.run(read)


def _not_here(ledger: LedgerReader, bet_id: BetId) -> Refusal:
    """`archived` if the bet, going by its id, was placed in a week that can't be read."""
    made_ms = made_at_ms(bet_id)
    archived = ledger.archived(from_ms=made_ms, to_ms=made_ms + PLACED_WITHIN_MS)
    if not archived:
        return Refusal(Code.NOT_FOUND)
    return archived_refusal(archived, "If there is such a bet, it is in the archive.")
