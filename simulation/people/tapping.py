"""What traders do on the grid: taps, and every way of tapping that a venue has to stand."""

from contextlib import suppress
from typing import Any

import trio

from domain.signed_text import BetText
from simulation.people.board import ROW_OFFSETS, Seen
from simulation.people.books import Ticket
from simulation.people.trader import Trader
from simulation.people.wallets import CHAIN_ID, bet_request, new_nonce
from simulation.scenario import Action
from simulation.wire import Lost, Socket

STALE_S = 6.0
"""After so long without a quote whoever wants to tap asks for the grid."""
ASK_EVERY_S = 2.0
BROKE_TAPS = 6
WAITS = 0.7


async def knows_grid(trader: Trader) -> bool:
    """Has anybody seen the grid, and a price? If nothing was heard of them for long he asks."""
    board, now_s = trader.board, trio.current_time()
    is_fresh = board.is_known and board.quotes and now_s - board.quotes[-1].at_s < STALE_S
    if not is_fresh and now_s - board.asked_s > ASK_EVERY_S:
        board.asked_s = now_s
        with suppress(Lost):
            answer = await trader.ask("GET", "/api/grid")
            if not answer.code:
                board.grid(answer.body)
    return board.is_known


def chosen_cell(trader: Trader, action: Action) -> str:
    """The cell of that action, or one beside it that he has not tapped yet."""
    board, cell = trader.board, ""
    for offset in ROW_OFFSETS:
        row = action.row + offset
        cell = board.cell_id(now_ms=trader.venue_ms, column=action.column, row=row)
        if cell not in trader.tickets.cells:
            break
    return cell


def stake_micros(trader: Trader, action: Action) -> int:
    """The preset of that action."""
    presets = trader.board.presets_micros
    return presets[action.amount % len(presets)]


def signed(trader: Trader, action: Action, *, cell: str, quote: Seen | None = None) -> Ticket:
    """A new bet as the action says, kept in his books."""
    odds: dict[str, Any] = {}
    if quote is not None and (rate := trader.board.rate_bps(quote, cell)):
        odds = {"least_bps": rate * 9 // 10 if action.row % 2 else rate, "quote_n": quote.n}
    ticket = trader.ticket(cell, stake_micros(trader, action), trader.signer(action.way), **odds)
    trader.tickets.add(ticket)
    return ticket


def newest(trader: Trader, action: Action) -> Seen | None:
    """The quote that he binds, if he binds one."""
    quotes = trader.board.quotes
    return quotes[-1] if "rate" in action.way and quotes else None


async def tap(trader: Trader, action: Action) -> str:
    """One tap. Who has just been told to wait mostly does."""
    if trio.current_time() < trader.told_to_wait_until_s and trader.draws.happens(WAITS):
        trader.happened("waits")
        return "waits"
    cell = chosen_cell(trader, action)
    ticket = signed(trader, action, cell=cell, quote=newest(trader, action))
    return await trader.send(ticket, action.way)


async def double_tap(trader: Trader, action: Action) -> None:
    """The same cell twice, with two nonces: one bet at most."""
    cell = chosen_cell(trader, action)
    both = [signed(trader, action, cell=cell) for _ in range(2)]
    async with trio.open_nursery() as nursery:
        for ticket in both:
            nursery.start_soon(trader.send, ticket, action.way)
    if all(ticket.is_acknowledged for ticket in both):
        trader.world.violated("one_cell_taken_twice", (trader.who, cell))


async def retry(trader: Trader, action: Action) -> None:
    """The same request two to four times, at once or a little later, here and there."""
    ticket = signed(trader, action, cell=chosen_cell(trader, action), quote=newest(trader, action))
    times = action.amount % 3 + 2
    pause_s = (0.0, 0.0, 0.05, 0.4, 2.0)[action.amount % 5]
    async with trio.open_nursery() as nursery:
        for number in range(times):
            way = action.way if number % 2 == 0 else "http"
            nursery.start_soon(trader.send, ticket, way)
            await trio.sleep(pause_s)


async def replay(trader: Trader, action: Action) -> None:
    """An old request, as somebody would who has seen it."""
    tickets = list(trader.tickets.by_nonce.values())
    if tickets:
        old = tickets[-1 - action.amount % min(len(tickets), 40)]
        code = await trader.send(old, action.way)
        trader.happened("replayed", code)


async def stale(trader: Trader, action: Action) -> None:
    """By a quote of some time ago, or at a rate that nobody pays."""
    quotes = trader.board.quotes
    if not quotes:
        return
    cell = chosen_cell(trader, action)
    quote = quotes[action.amount % len(quotes)]
    rate = trader.board.rate_bps(quote, cell) or 20_000
    ticket = trader.ticket(
        cell,
        stake_micros(trader, action),
        trader.signer(action.way),
        least_bps=rate * 3 if action.amount % 4 == 3 else rate,
        quote_n=quote.n,
    )
    trader.tickets.add(ticket)
    await trader.send(ticket, action.way)


async def leave(trader: Trader, action: Action) -> None:
    """Hang up in mid-request; he asks again later, like anybody whose answer was lost."""
    ticket = signed(trader, action, cell=chosen_cell(trader, action))
    with trio.move_on_after(action.amount / 1000) as hanging_up:
        await trader.send(ticket, action.way)
    if hanging_up.cancelled_caught:
        trader.happened("left", ticket.nonce[:8])
        if "ws" in action.way:
            trader.drop_socket()
        await trio.sleep(trader.draws.uniform(0.1, 4.0))
        if trader.draws.happens(0.6):
            await trader.send(ticket, "http")


async def go_broke(trader: Trader, action: Action) -> None:
    """Tap with all he has, one bet after the other, until there is no more."""
    presets = trader.board.presets_micros
    for number in range(BROKE_TAPS):
        affordable = [at for at, micros in enumerate(presets) if micros <= money(trader)]
        amount = affordable[-1] if affordable and number < BROKE_TAPS - 1 else len(presets) - 1
        at = Action(
            at_s=action.at_s,
            who=action.who,
            kind=action.kind,
            column=(action.column + number) % 8,
            row=action.row,
            amount=amount,
            way=action.way,
        )
        if await tap(trader, at) == "insufficient_funds":
            trader.happened("broke")
            return


def money(trader: Trader) -> int:
    """What he has, as far as he was told."""
    return trader.stream.balance_micros


# --- what is no request ---------------------------------------------------------------------------


async def bad_input(trader: Trader, action: Action) -> None:
    """Something that the venue must say no to, whatever else is going on."""
    kinds = (
        *(_garbage, _forged, _odd_stake, _far_away, _other_chain, _long_ago),
        *(_crooked_cell, _altered_stake, _of_another, _babble, _unknown_op, _nowhere),
        *(_of_another, _of_another),
    )
    what = kinds[action.amount % len(kinds)]
    try:
        taken = await what(trader, action)
    except Lost:
        return
    trader.happened("bad", what.__name__)
    if taken:
        trader.world.violated("a_bad_request_was_taken", (trader.who, what.__name__, taken))


async def _post(trader: Trader, fields: object) -> object:
    answer = await trader.ask("POST", "/api/bets", fields)
    return None if answer.code else answer.body


def _fields(trader: Trader, action: Action, **changed: Any) -> dict[str, Any]:
    """A signed bet; what is changed is changed before it is signed."""
    text = {
        "cell_id": chosen_cell(trader, action),
        "stake_micros": trader.board.presets_micros[0],
        "nonce": new_nonce(trader.draws),
        "timestamp_s": trader.venue_ms // 1000,
        "chain_id": CHAIN_ID,
        **changed,
    }
    return bet_request(trader.signer(action.way), trader.wallet.address, BetText(**text))


async def _garbage(trader: Trader, _action: Action) -> object:
    return await _post(trader, b'{"wallet": ')


async def _forged(trader: Trader, action: Action) -> object:
    fields = _fields(trader, action)
    digit = "0" if fields["signature"][9] != "0" else "1"
    fields["signature"] = fields["signature"][:9] + digit + fields["signature"][10:]
    return await _post(trader, fields)


async def _odd_stake(trader: Trader, action: Action) -> object:
    return await _post(trader, _fields(trader, action, stake_micros=3_333_333))


async def _far_away(trader: Trader, action: Action) -> object:
    row = (3, -4000)[action.amount % 2]
    cell = trader.board.cell_id(now_ms=trader.venue_ms, column=4_000, row=row)
    return await _post(trader, _fields(trader, action, cell_id=cell))


async def _other_chain(trader: Trader, action: Action) -> object:
    return await _post(trader, _fields(trader, action, chain_id=1))


async def _long_ago(trader: Trader, action: Action) -> object:
    return await _post(trader, _fields(trader, action, timestamp_s=trader.venue_ms // 1000 - 9_000))


async def _crooked_cell(trader: Trader, action: Action) -> object:
    start, low, high = chosen_cell(trader, action).split("_")
    cell = f"{start}_{int(low) + 1}_{int(high) + 1}"
    return await _post(trader, _fields(trader, action, cell_id=cell))


async def _altered_stake(trader: Trader, action: Action) -> object:
    fields = _fields(trader, action)
    return await _post(trader, {**fields, "amount": str(trader.board.presets_micros[-1])})


async def _of_another(trader: Trader, action: Action) -> object:
    """His signature under another's wallet: a stranger's, and one that has money here."""
    wallets = trader.board.wallets
    neighbour = wallets[(trader.who + 1) % len(wallets)]
    if neighbour == trader.wallet.address or action.amount % 5 == 0:
        neighbour = "0x" + trader.draws.token_bytes(20).hex()
    return await _post(trader, {**_fields(trader, action), "wallet": neighbour})


async def _babble(trader: Trader, _action: Action) -> object:
    return await _one_frame(trader, "this is no JSON")


async def _unknown_op(trader: Trader, _action: Action) -> object:
    return await _one_frame(trader, '{"op": "abscond", "id": 7}')


async def _one_frame(trader: Trader, text: str) -> object:
    """On a socket of its own."""
    socket = Socket(trader.world.network, who=trader.who, address=trader.address)
    try:
        await socket.open()
        await socket.send(text)
        answer = await socket.receive()
    finally:
        socket.hang_up()
    return answer if answer.get("ok") is not False and answer["type"] == "reply" else None


async def _nowhere(trader: Trader, _action: Action) -> object:
    answer = await trader.ask("POST", "/api/no/such/thing", {})
    return None if answer.status == 404 else answer.body
