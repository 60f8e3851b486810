"""Tap a running venue hard, and say how it took it: one JSON line.

    .venv/bin/python -m bench.load_taps --token TOKEN --rate 2000 --seconds 60 --connections 256
    .venv/bin/python -m bench.load_taps --token TOKEN --transport ws --connections 64 --in-flight 8

With `--rate` the loop is open: each bet has the moment at which it is meant to be sent, and its
latency counts from there, however late it was sent: a venue that falls behind can't hide it by
being asked less. Without, the loop is closed: each connection sends its next bet when it has the
answer to the last, for 30 s at the most.

All bets are signed before the first is sent, each dated by the moment that it is meant for. At the
end every wallet's bets are read back: what was acknowledged must be there, once; what was refused
must not; and what is left of the money must add up. Exit code 1 if it does not.

The venue must be told to expect it, or it will answer `rate_limited` and `exposure_limit`:

    .venv/bin/tapgrid serve --demo --set limits.bets_per_minute=1000000 \\
        --set limits.bets_burst=1000000 --set limits.sign_ins_per_minute=100000 \\
        --set limits.requests_per_minute=10000000 --set limits.requests_burst=1000000 \\
        --set limits.connections_per_address=10000 \\
        --set house.payout_per_user_micros=1000000000000 \\
        --set house.payout_per_cell_micros=1000000000000 \\
        --set house.payout_per_column_micros=10000000000000
"""

import argparse
import json
import math
import sys
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from itertools import cycle

import attrs
import trio

from bench.load_wire import (
    CLOSE,
    PING,
    PONG,
    Body,
    decode_body,
    exchange,
    frame,
    http_request,
    receive,
    shake_hands,
    socket_request,
    take_frames,
)
from client import (
    Bet,
    Grid,
    KeyCaps,
    Operator,
    Session,
    SessionKey,
    SignedBet,
    Unreachable,
    Venue,
    VenueError,
    Wallet,
    sign_bet,
)
from client.chance import SYSTEM, new_nonce
from client.http import Place, connect
from client.signing import Signer
from domain.grid import Cell

USD = 1_000_000
FUNDS_MICROS = 100_000 * USD
CLOSED_S_MAX = 30  # a signature may be 30 s old and 5 s ahead: all are dated 4 s after the start
CLOSED_AHEAD_S = 4
FIRST_COLUMN, LAST_COLUMN = 2, 10  # of those that may be tapped: not the next to close or to come
START_IN_S = 1.0
SIGN_S_MAX = 0.0005  # to sign and encode one bet: 80 us as measured; the start waits so long
ANSWERS_WITHIN_S = 30.0
AT_ONCE = 16  # deposits, sign-ins and looks


@attrs.define
class Tap:
    """One bet: when it is meant to be sent, what goes over the wire, and what came of it."""

    due_s: float
    """In seconds after the start; 0 for all in a closed loop."""
    bet: SignedBet
    wire: bytes = attrs.field(repr=False)
    latency_ms: float | None = None
    was_sent: bool = False
    code: str | None = None
    """`confirmed`, or the code of a refusal; None: no answer."""
    bet_id: str | None = None

    def answered(self, ok: bool, body: "Body", latency_s: float) -> None:
        self.latency_ms = latency_s * 1000
        self.code = "confirmed" if ok else body.error
        self.bet_id = body.bet_id


@attrs.frozen
class Trader:
    """A wallet, who signs its bets, and the cells it has tapped."""

    wallet: Wallet
    signer: Signer
    session: Session | None
    tapped: set[str] = attrs.field(factory=set)


# --- the bets -----------------------------------------------------------------------------------


async def make_traders(
    venue: Venue, operator: Operator, *, count: int, with_keys: bool
) -> list[Trader]:
    """Wallets with money, and with session keys if those are to sign."""
    traders: list[Trader] = []
    limiter = trio.Semaphore(AT_ONCE)

    async def make() -> None:
        async with limiter:
            wallet, key = Wallet.new(), SessionKey.new()
            await operator.deposit(wallet.address, FUNDS_MICROS, reference=f"load:{uuid.uuid4()}")
            if not with_keys:
                traders.append(Trader(wallet, wallet, None))
                return
            until_s = await venue.now_ms() // 1000 + 86_400
            caps = KeyCaps(
                bet_max_micros=FUNDS_MICROS, day_max_micros=FUNDS_MICROS, until_s=until_s
            )
            session = await venue.sign_in(wallet, session_key=key, caps=caps)
            traders.append(Trader(wallet, key, session))

    async with trio.open_nursery() as nursery:
        for _ in range(count):
            nursery.start_soon(make)
    return traders


def make_taps(
    traders: list[Trader],
    grid: Grid,
    *,
    count: int,
    rate: float | None,
    seconds: float,
    starts_ms: int,
    encode: Callable[[SignedBet], bytes],
) -> list[Tap]:
    """So many signed bets, each on a cell that can be tapped when it is due."""
    rows = steady_rows(grid)
    taps = []
    for number, trader in zip(range(count), cycle(traders), strict=False):
        due_s = number / rate if rate is not None else 0.0
        at_s = starts_ms / 1000 + due_s
        lasts_s = 0 if rate is not None else seconds
        bet = sign_bet(
            trader.signer,
            wallet=trader.wallet.address.lower(),
            cell_id=free_cell(trader, grid, rows, at_s=at_s, lasts_s=lasts_s),
            stake_micros=grid.presets_micros[0],
            nonce=new_nonce(SYSTEM),
            timestamp_s=int(at_s) + (0 if rate is not None else CLOSED_AHEAD_S),
            chain_id=grid.chain_id,
        )
        taps.append(Tap(due_s, bet, encode(bet)))
    return taps


def steady_rows(grid: Grid) -> list[int]:
    """Low edges of the rows that the quote offers in every column that we tap."""
    assert grid.quote is not None
    offered: dict[int, set[int]] = {}
    for cell in grid.quote.cells:
        lo_cents = int(cell.cell_id.split("_")[1])
        offered.setdefault(cell.column_start_s, set()).add(lo_cents)
    columns = [offered[start_s] for start_s in sorted(offered)]
    everywhere = sorted(set.intersection(*columns[FIRST_COLUMN : LAST_COLUMN + 1]))
    return everywhere[1:-1]  # the outermost may not be offered any more by then


def free_cell(trader: Trader, grid: Grid, rows: list[int], *, at_s: float, lasts_s: float) -> str:
    """A cell that this wallet has not tapped, and may from then on for so long."""
    now_s = int(at_s) - int(at_s) % grid.column_s
    first_s = now_s + (grid.lockout_columns + 1) * grid.column_s
    late = FIRST_COLUMN + math.ceil(lasts_s / grid.column_s)
    for column in range(late, max(LAST_COLUMN, late) + 1):
        for lo_cents in rows:
            start_s, hi_cents = first_s + column * grid.column_s, lo_cents + grid.row_cents
            cell_id = Cell(column_start_s=start_s, lo_cents=lo_cents, hi_cents=hi_cents).id
            if cell_id not in trader.tapped:
                trader.tapped.add(cell_id)
                return cell_id
    raise SystemExit("each wallet has tapped every cell: take more --wallets")


# --- the run --------------------------------------------------------------------------------------


@attrs.define
class Run:
    """One connection's view of the run; the taps are shared by all."""

    place: Place
    taps: Iterator[Tap]
    starts_s: float
    ends_s: float
    is_open: bool
    in_flight: int
    _stream: trio.abc.Stream | None = None

    async def wait_due(self, tap: Tap) -> None:
        await trio.sleep_until(self.starts_s + tap.due_s)

    def may_send(self) -> bool:
        """In a closed loop no bet is begun after the end; an open one sends all that it owes."""
        return self.is_open or trio.current_time() < self.ends_s

    def begin(self, tap: Tap) -> float:
        """It is sent now; from when its latency counts."""
        tap.was_sent = True
        return self.starts_s + tap.due_s if self.is_open else trio.current_time()

    async def stream(self) -> trio.abc.Stream:
        if self._stream is None:
            _, self._stream = await connect(self.place, None)
        return self._stream

    async def lose(self) -> None:
        if self._stream is not None:
            await trio.aclose_forcefully(self._stream)
            self._stream = None


async def tap_over_http(run: "Run") -> None:
    """One connection. A lost one takes its bet's answer with it, and is made anew."""
    for tap in run.taps:
        await run.wait_due(tap)
        if not run.may_send():
            return
        began_s = run.begin(tap)
        try:
            status, body = await exchange(await run.stream(), tap.wire)
            tap.answered(status == 202, body, trio.current_time() - began_s)
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError, Unreachable):
            await run.lose()


async def tap_over_socket(run: "Run") -> None:
    """One socket; it is not made anew."""
    flying: dict[str, tuple[Tap, float]] = {}
    slots = trio.Semaphore(run.in_flight)
    try:
        stream = await run.stream()
        await shake_hands(stream, run.place)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(read_replies, stream, flying, slots))
            for tap in run.taps:
                await run.wait_due(tap)
                await slots.acquire()
                if not run.may_send():
                    break
                flying[tap.bet.nonce] = tap, run.begin(tap)
                await stream.send_all(tap.wire)
            with trio.move_on_after(ANSWERS_WITHIN_S):
                while flying:
                    await slots.acquire()  # one more answer
            nursery.cancel_scope.cancel()
    except* (OSError, trio.BrokenResourceError, trio.ClosedResourceError, Unreachable):
        pass  # what was in flight has no answer


async def read_replies(
    stream: trio.abc.Stream, flying: dict[str, tuple[Tap, float]], slots: trio.Semaphore
) -> None:
    received = bytearray()
    while True:
        received += await receive(stream)
        now_s = trio.current_time()
        for opcode, payload in take_frames(received):
            if opcode == PING:
                await stream.send_all(frame(PONG, payload))
            elif opcode == CLOSE:
                raise trio.BrokenResourceError
            elif (body := decode_body(payload)).type == "reply" and body.id in flying:
                tap, began_s = flying.pop(str(body.id))
                tap.answered(body.ok, body, now_s - began_s)
                slots.release()


async def tap_all(
    options: argparse.Namespace, place: Place, taps: list[Tap], starts_s: float
) -> float:
    """Send them all; how long it took."""
    shared, speak = iter(taps), tap_over_http if options.transport == "http" else tap_over_socket
    async with trio.open_nursery() as nursery:
        for _ in range(options.connections):
            run = Run(
                place=place,
                taps=shared,
                starts_s=starts_s,
                ends_s=starts_s + options.seconds,
                is_open=options.rate is not None,
                in_flight=options.in_flight,
            )
            nursery.start_soon(one_connection, speak, run)
    return trio.current_time() - starts_s


async def one_connection(speak: Callable[[Run], Awaitable[None]], run: Run) -> None:
    try:
        await speak(run)
    finally:
        await run.lose()


# --- afterwards -----------------------------------------------------------------------------------


@attrs.define
class Books:
    """What the venue's books say of our bets, and what is wrong with that."""

    checked: int = 0
    unanswered_found: int = 0
    faults: Counter[str] = attrs.field(factory=Counter)

    def check(self, tap: Tap, found: Bet | None) -> None:
        """One bet that was sent."""
        self.checked += 1
        held = found is not None and found.status != "insufficient_funds"
        if tap.code == "confirmed" and (found is None or found.bet_id != tap.bet_id):
            self.faults["acknowledged and lost"] += 1
        elif tap.code is None or tap.code == "status_unknown":
            self.unanswered_found += held
        elif tap.code != "confirmed" and held:
            self.faults["refused and charged"] += 1


async def look_up_all(venue: Venue, traders: list[Trader], taps: list[Tap]) -> Books:
    """Read every wallet's bets and money back."""
    books, limiter = Books(), trio.Semaphore(AT_ONCE)
    sent: dict[str, list[Tap]] = {trader.wallet.address.lower(): [] for trader in traders}
    for tap in taps:
        sent[tap.bet.wallet].append(tap)

    async def look(trader: Trader) -> None:
        async with limiter:
            session = trader.session or await venue.sign_in(trader.wallet)
            found, balance_micros = await bets_and_balance(session)
            for tap in sent[session.wallet]:
                books.check(tap, found.get(tap.bet.nonce))
            held = [bet for bet in found.values() if bet.status != "insufficient_funds"]
            spent = sum(bet.stake_micros - (bet.payout_micros or 0) for bet in held)
            if balance_micros != FUNDS_MICROS - spent:
                books.faults["balance does not add up"] += 1

    async with trio.open_nursery() as nursery:
        for trader in traders:
            nursery.start_soon(look, trader)
    return books


async def bets_and_balance(session: Session) -> tuple[dict[str, Bet], int]:
    """As of one moment: nothing may have happened between the two."""
    while True:
        before = await session.account()
        found = [bet async for bet in session.all_bets()]
        if (await session.account()).seq == before.seq:
            by_nonce = {bet.nonce: bet for bet in found}
            assert len(by_nonce) == len(found), "a nonce has two bets"
            return by_nonce, before.balance_micros


def figures(options: argparse.Namespace, taps: list[Tap], took_s: float) -> dict[str, object]:
    """What the run is reported as."""
    answered = sorted(tap.latency_ms for tap in taps if tap.latency_ms is not None)
    confirmed = sum(tap.code == "confirmed" for tap in taps)
    codes = Counter(tap.code or "no answer" for tap in taps)
    return {
        "transport": options.transport,
        "loop": "closed" if options.rate is None else "open",
        "asked_per_s": options.rate,
        "connections": options.connections,
        "in_flight": options.in_flight if options.transport == "ws" else 1,
        "wallets": options.wallets,
        "signer": options.signer,
        "seconds": round(took_s, 3),
        "sent": len(taps),
        "codes": dict(codes.most_common()),
        "confirmed_per_s": round(confirmed / took_s, 1) if took_s else 0.0,
        **{f"p{n}_ms": percentile(answered, n) for n in (50, 95, 99)},
        "max_ms": round(answered[-1], 1) if answered else None,
    }


def percentile(ordered: list[float], n: int) -> float | None:
    """The least latency that `n` in a hundred answers did not take longer than."""
    if not ordered:
        return None
    return round(ordered[max(0, -(-len(ordered) * n // 100) - 1)], 1)


async def load(options: argparse.Namespace) -> int:
    async with Venue(options.url) as venue, Operator(options.url, options.token) as operator:
        await venue.wait_quote()
        traders = await make_traders(
            venue, operator, count=options.wallets, with_keys=options.signer == "key"
        )
        encode = partial(http_request, place=venue.place)
        is_open = options.rate is not None
        count = round(options.rate * options.seconds) if is_open else options.bets
        signing_s = START_IN_S + count * SIGN_S_MAX
        starts_s = trio.current_time() + signing_s
        taps = make_taps(
            traders,
            await venue.grid(),
            count=count,
            rate=options.rate,
            seconds=options.seconds,
            starts_ms=await venue.now_ms() + round(signing_s * 1000),
            encode=encode if options.transport == "http" else socket_request,
        )
        took_s = await tap_all(options, venue.place, taps, starts_s)
        taps = [tap for tap in taps if tap.was_sent]
        report = figures(options, taps, took_s)
        faults: Counter[str] = Counter()
        if not options.no_check:
            books = await look_up_all(venue, traders, taps)
            faults = books.faults
            report |= {
                "checked": books.checked,
                "unanswered_but_there": books.unanswered_found,
                "faults": dict(faults),
            }
    print(json.dumps(report))
    return 1 if faults or not taps else 0


def parser() -> argparse.ArgumentParser:
    """Of the command line."""
    parse = argparse.ArgumentParser(
        prog="python -m bench.load_taps",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parse.add_argument
    add("--url", default="http://127.0.0.1:8080", help="where the venue is")
    add("--token", required=True, help="an operator's token: the wallets are given money by it")
    add("--transport", choices=("http", "ws"), default="http")
    add("--connections", type=int, default=64, help="connections, or sockets")
    add("--in-flight", type=int, default=8, help="bets on their way on each socket")
    add("--rate", type=float, help="bets a second, in an open loop; without it the loop is closed")
    add("--seconds", type=float, default=10.0, help="how long")
    add("--bets", type=int, default=20_000, help="closed loop: how many are signed beforehand")
    add("--wallets", type=int, default=200)
    add("--signer", choices=("wallet", "key"), default="wallet")
    add("--no-check", action="store_true", help="don't read the bets back")
    return parse


def main() -> int:
    """Parse the command line and tap."""
    options = parser().parse_args()
    if options.rate is None and options.seconds > CLOSED_S_MAX:
        parser().error(f"a closed loop lasts {CLOSED_S_MAX} s at the most: signatures age")
    try:
        return trio.run(load, options)
    except* VenueError as group:
        for error in group.exceptions:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
