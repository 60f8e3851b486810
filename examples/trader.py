"""A small trader: signs in with a throwaway wallet, taps cells, follows each bet to its end.

    .venv/bin/python examples/trader.py [--url http://127.0.0.1:8080] [--bets 40] [--seed 7]

It stands on the typed client in `client/` and shows

* sign-in with a wallet (EIP-4361) that lets a session key tap for it, within caps,
* paper money from the faucet (demo mode),
* bets of version 1 over HTTP, paid the rate of the moment, and of version 2 over the WebSocket,
  where the signature binds the least rate and the quote,
* the private stream: one event per bet when it is won, lost or void,
* what to do when the venue says no: wait as long as it says, or tap elsewhere.

It ends with 0 if every bet came to an end and the balance is what it worked out itself, else 1.
"""

import argparse
import random
import sys
from collections.abc import Iterable
from dataclasses import dataclass

import trio

from client import (
    Grid,
    KeyCaps,
    NotPlaced,
    Odds,
    Placed,
    QuotedCell,
    Refused,
    Session,
    SessionKey,
    Stream,
    Unreachable,
    Venue,
    VenueError,
    Wallet,
)
from client.events import BetResolved, Snapshot

MICROS = 1_000_000
PAUSE_S = 0.55  # between taps: the venue takes 120 bets a minute of one wallet
COLUMNS_AHEAD = 8  # tap into the first 8 columns offered, so that all ends in under two minutes
START_WITHIN_S = 20
QUOTE_WITHIN_S = 90  # a venue that has just started watches its feed before it quotes
LAST_BET_WITHIN_S = 200  # a bet that can't be judged is given back 60 s after its column
ELSEWHERE = {"cell_unavailable", "cell_taken", "exposure_limit", "quote_expired"}


class GaveUp(Exception):
    """There is no point in going on."""


@dataclass(frozen=True)
class End:
    """How a bet ended."""

    status: str
    payout_micros: int
    resolved_at_ms: int


@dataclass
class Bet:
    """One tap, from the finger to its end."""

    number: int
    odds: Odds | None
    placed: Placed
    took_ms: int
    end: End | None = None

    @property
    def credited_micros(self) -> int:
        return 0 if self.end is None else self.end.payout_micros


class Trader:
    """Taps `count` cells and follows them."""

    def __init__(
        self, session: Session, stream: Stream, grid: Grid, *, count: int, seed: int | None
    ) -> None:
        self._session = session
        self._stream = stream
        self._grid = grid
        self._count = count
        self._choice = random.Random(seed)
        self._bets: dict[str, Bet] = {}  # by bet id
        self._ends: dict[str, End] = {}  # likewise; an end may overtake its confirmation
        self._tapped: set[str] = set()
        self._news = trio.Event()  # replaced each time it is set

    async def run(self) -> bool:
        """Trade; True if all ended and the sums agree."""
        given = await self._session.faucet()
        print(f"the faucet gave {usd(given.amount_micros)}\n")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._follow)
            with trio.move_on_after(LAST_BET_WITHIN_S + self._count * 2 * PAUSE_S):
                for number in range(1, self._count + 1):
                    await self._tap(number)
                    await trio.sleep(PAUSE_S)
                while len(self._ended()) < self._count:
                    await self._news.wait()
            nursery.cancel_scope.cancel()
        assert self._stream.account is not None
        return await self._close_the_books(
            self._stream.account.balance_micros + given.amount_micros
        )

    # Tapping

    async def _tap(self, number: int) -> None:
        """Tap until a bet is confirmed, elsewhere if a cell can't be had."""
        over_socket = number % 2 == 1
        while True:
            cell, quote_n = await self._choose(near=number % 4 < 2)
            odds = Odds(least_bps=cell.reward_bps, quote_n=quote_n) if over_socket else None
            began_s = trio.current_time()
            try:
                placed = await self._session.place_bet(
                    cell.cell_id,
                    stake_micros=self._choice.choice(self._grid.presets_micros[:2]),
                    odds=odds,
                    over=self._stream if over_socket else None,
                )
            except (Refused, NotPlaced, Unreachable) as no:
                await consider(no)
                continue
            took_ms = round((trio.current_time() - began_s) * 1000)
            self._bets[placed.bet_id] = Bet(number, odds, placed, took_ms)
            self._match(placed.bet_id)
            return

    async def _choose(self, *, near: bool) -> tuple[QuotedCell, int]:
        """A likely cell of the newest quote, or one that pays well; and the number of the quote."""
        while True:
            with trio.move_on_after(QUOTE_WITHIN_S) as limit:
                quote = await self._stream.wait_quote()
            if limit.cancelled_caught:
                raise GaveUp(f"no quote within {QUOTE_WITHIN_S} s: is the price feed up?")
            cells = self._free(quote.cells)
            if cells:
                break
            await self._stream.wait_news()
        likely, daring = cells[: max(4, len(cells) // 8)], cells[len(cells) // 2 :]
        cell = self._choice.choice(likely if near else daring)
        self._tapped.add(cell.cell_id)
        return cell, quote.n

    def _free(self, cells: Iterable[QuotedCell]) -> list[QuotedCell]:
        """Cells of the first columns that we have not tapped, the likely ones first."""
        by_column = sorted(cells, key=lambda cell: cell.column_start_s)
        if not by_column:
            return []
        end_s = by_column[0].column_start_s + COLUMNS_AHEAD * self._grid.column_s
        free = (
            cell
            for cell in by_column
            if cell.column_start_s < end_s and cell.cell_id not in self._tapped
        )
        return sorted(free, key=lambda cell: cell.reward_bps)

    # Following

    async def _follow(self) -> None:
        """Read the private stream: each event comes once, in order."""
        async for event in self._stream:
            if isinstance(event, BetResolved):
                self._end(event.bet_id, event.status, event.payout_micros, event.resolved_at_ms)
            elif isinstance(event, Snapshot):
                await self._look_up_those_not_in(event)
        raise GaveUp("the session has ended")

    async def _look_up_those_not_in(self, snapshot: Snapshot) -> None:
        """Events were missed: what is not open any more has ended somehow."""
        still_open = {bet.bet_id for bet in snapshot.open_bets}
        for bet_id in set(self._bets) - still_open - set(self._ends):
            bet = await self._session.bet(bet_id)
            if bet.resolved_at_ms is not None:
                self._end(bet_id, bet.status, bet.payout_micros or 0, bet.resolved_at_ms)

    def _end(self, bet_id: str, status: str, payout_micros: int, resolved_at_ms: int) -> None:
        self._ends[bet_id] = End(status, payout_micros, resolved_at_ms)
        self._match(bet_id)

    def _match(self, bet_id: str) -> None:
        bet = self._bets.get(bet_id)
        if bet is None or bet_id not in self._ends or bet.end is not None:
            return
        bet.end = self._ends[bet_id]
        print(line(bet))
        self._news.set()
        self._news = trio.Event()

    # Afterwards

    async def _close_the_books(self, given_micros: int) -> bool:
        account = await self._session.account()
        bets = list(self._bets.values())
        staked_micros = sum(bet.placed.stake_micros for bet in bets)
        credited_micros = sum(bet.credited_micros for bet in bets)
        expected_micros = given_micros - staked_micros + credited_micros
        print(table(bets))
        print(f"balance by our own books  {usd(expected_micros):>12}")
        print(f"balance at the venue      {usd(account.balance_micros):>12}")
        found = {
            "not every bet came to an end": len(self._ended()) < self._count,
            "a bet was not paid by its rate": not all(pays_as_quoted(bet) for bet in self._ended()),
            "the balances differ": account.balance_micros != expected_micros,
            "the venue says that bets are open": account.open_bets != 0,
        }
        for fault in (what for what, is_so in found.items() if is_so):
            print(f"NOT FINE: {fault}")
        return not any(found.values())

    def _ended(self) -> list[Bet]:
        return [bet for bet in self._bets.values() if bet.end is not None]


async def consider(no: VenueError) -> None:
    """Wait, or go on at once with another cell; anything else is our own mistake."""
    if isinstance(no, Refused) and no.retry_can_succeed:
        await trio.sleep(no.retry_after_s or 1)
    elif isinstance(no, Unreachable):
        await trio.sleep(1)
    elif isinstance(no, Refused) and no.code not in ELSEWHERE:
        raise GaveUp(str(no))


def pays_as_quoted(bet: Bet) -> bool:
    """Was the bet accepted at its rate or better, and paid by it?"""
    stake_micros, reward_bps = bet.placed.stake_micros, bet.placed.reward_bps
    due = {"won": stake_micros * reward_bps // 10_000, "void": stake_micros, "lost": 0}
    is_paid = bet.end is not None and bet.credited_micros == due[bet.end.status]
    return is_paid and (bet.odds is None or reward_bps >= bet.odds.least_bps)


# --- what it prints -----------------------------------------------------------------------------


def usd(micros: int) -> str:
    return f"{micros / MICROS:,.2f} USD"


def line(bet: Bet) -> str:
    assert bet.end is not None
    placed, way = bet.placed, "http" if bet.odds is None else "ws  "
    waited_s = (bet.end.resolved_at_ms - placed.placed_at_ms) / 1000
    return (
        f"bet {bet.number:>3}  {way}  {placed.cell_id}  "
        f"{usd(placed.stake_micros):>9} at {placed.reward_bps / 10_000:6.2f}x  "
        f"tap -> confirmed {bet.took_ms:>4} ms -> {bet.end.status:<4} "
        f"{usd(bet.credited_micros):>11} after {waited_s:4.1f} s"
    )


def table(bets: list[Bet]) -> str:
    rows = [f"\n{'':8}{'bets':>5}{'staked':>15}{'credited':>15}"]
    for status in ("won", "lost", "void"):
        rows.append(_row(status, [b for b in bets if b.end is not None and b.end.status == status]))
    return "\n".join([*rows, _row("all", bets)]) + "\n"


def _row(name: str, bets: list[Bet]) -> str:
    staked_micros = sum(bet.placed.stake_micros for bet in bets)
    credited_micros = sum(bet.credited_micros for bet in bets)
    return f"{name:8}{len(bets):>5}{usd(staked_micros):>15}{usd(credited_micros):>15}"


# --- beginning ----------------------------------------------------------------------------------


async def wait_venue(venue: Venue) -> Grid:
    """The grid: stakes and geometry. A venue that was started together with us is not listening
    yet."""
    with trio.move_on_after(START_WITHIN_S):
        while True:
            try:
                return await venue.grid()
            except Unreachable:
                await trio.sleep(0.5)
    raise GaveUp(f"there is no venue at {venue.place.authority}")


async def key_caps(venue: Venue, grid: Grid, count: int) -> KeyCaps:
    """What the wallet lets the session key stake: what we are about to, and no more."""
    stake_max_micros = max(grid.presets_micros[:2])
    return KeyCaps(
        bet_max_micros=stake_max_micros,
        day_max_micros=stake_max_micros * count,
        until_s=await venue.now_ms() // 1000 + 3600,
    )


async def trade(url: str, count: int, seed: int | None) -> bool:
    """From sign-in to closed books; True if they are the venue's, too."""
    async with Venue(url) as venue:
        grid = await wait_venue(venue)
        wallet = Wallet.new()
        session = await venue.sign_in(
            wallet, session_key=SessionKey.new(), caps=await key_caps(venue, grid, count)
        )
        print(f"signed in as {wallet.address}")
        async with Stream(venue, session) as stream:
            return await Trader(session, stream, grid, count=count, seed=seed).run()


def main() -> int:
    """Parse the command line and trade."""
    parser = argparse.ArgumentParser(description="A small trader for a tapgrid venue.")
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="where the venue is")
    parser.add_argument("--bets", type=int, default=40, help="how many cells to tap")
    parser.add_argument("--seed", type=int, help="tap the same way again, as far as prices allow")
    arguments = parser.parse_args()
    try:
        return 0 if trio.run(trade, arguments.url, arguments.bets, arguments.seed) else 1
    except* (VenueError, GaveUp) as group:
        for error in group.exceptions:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
