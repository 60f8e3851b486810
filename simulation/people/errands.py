"""What traders do besides tapping: money in and out, limits, sessions, and looking things up."""

from typing import Any, Final, TypeGuard

import trio

from client.signing import sign_withdrawal
from domain.signed_text import WithdrawalText
from simulation.people.books import Ticket
from simulation.people.bounds import Cashing
from simulation.people.tapping import chosen_cell, money, stake_micros
from simulation.people.trader import Trader
from simulation.people.wallets import CHAIN_ID, USD, new_nonce
from simulation.scenario import Action
from simulation.wire import HttpAnswer, Lost

ELSEWHERE: Final = 0.5
SHORTER_AFTER_S: Final = 2.0
LESS: Final = ("shorter", "loss", "raise")


async def reconnect(trader: Trader, _action: Action) -> None:
    """Go away without a word; he comes back by himself and catches up."""
    trader.drop_socket()
    trader.hang_up()


async def faucet(trader: Trader, _action: Action) -> None:
    """Paper money."""
    trader.gifts_asked += 1
    answer = await trader.ask_own("POST", "/api/faucet")
    code = "lost" if answer is None else answer.code
    trader.happened(f"faucet.{code or 'given'}")
    if not code:
        trader.gifts_given += 1
    elif code not in ("lost", "status_unknown"):
        trader.gifts_asked -= 1


async def withdraw(trader: Trader, action: Action) -> None:
    """Take some of it out, or all, or more than there is."""
    amount_micros = max(1, money(trader) * action.amount // 100)
    text = WithdrawalText(
        amount_micros=amount_micros,
        destination=_destination(trader),
        nonce=new_nonce(trader.outgoing),
        timestamp_s=trader.venue_ms // 1000,
        chain_id=CHAIN_ID,
    )
    body = sign_withdrawal(trader.wallet, text)
    cashing = Cashing(amount_micros=amount_micros, destination=text.destination)
    trader.withdrawals[text.nonce] = cashing
    for send in range(3):
        sent_s = trio.current_time()
        try:
            answer = await trader.ask("POST", "/api/withdrawals", body)
        except Lost:
            await trio.sleep(0.5)
            continue
        if answer.code == "status_unknown":
            continue
        trader.happened(f"withdrawal.{answer.code or 'taken'}", amount_micros)
        if not answer.code:
            cashing.is_taken = True
            if send == 0:
                trader.bounds.withdrawal_taken(answer.body, sent_s=sent_s)
        elif send == 0 and answer.code != "replay_detected":
            cashing.is_refused = True
        break


def _destination(trader: Trader) -> str:
    """His own wallet, or another that he names."""
    elsewhere = "0x" + trader.outgoing.token_bytes(20).hex()
    return elsewhere if trader.outgoing.happens(ELSEWHERE) else trader.wallet.address


async def set_limits(trader: Trader, action: Action) -> None:
    """A limit of his own."""
    if action.way in LESS:
        await _think_better(trader, action.way)
        return
    body: dict[str, Any]
    match action.amount % 8:
        case 0 | 1 | 6 | 7:
            body = {"stake_max_micros": (5, 10)[action.amount % 2] * USD}
        case 2:
            body = {"loss_day_max_micros": 300 * USD}
        case 3:
            body = {"stake_max_micros": None, "loss_day_max_micros": 900 * USD}
        case 4:
            body = {"paused_until_ms": trader.venue_ms + 15_000}
        case _:
            body = {}
    answer = await _limit(trader, body)
    if not body and well(answer):
        trader.world.violated("a_bad_request_was_taken", (trader.who, "no limits", answer.body))


async def _limit(trader: Trader, body: dict[str, Any]) -> HttpAnswer | None:
    answer: HttpAnswer | None = await trader.ask_own("POST", "/api/account/limits", body)
    code = "lost" if answer is None else answer.code
    trader.happened(f"limits.{code or 'set'}", *body)
    if not code:
        trader.bounds.told_limits(body, trio.current_time())
    return answer


async def _think_better(trader: Trader, way: str) -> None:
    """Set a limit, and ask for less of it soon after: what was set holds all the same."""
    match way:
        case "shorter":
            await _limit(trader, {"paused_until_ms": trader.venue_ms + 12_000})
            await trio.sleep(SHORTER_AFTER_S)
            await _limit(trader, {"paused_until_ms": trader.venue_ms + 300})
        case "loss":
            await _limit(trader, {"loss_day_max_micros": 40 * USD})
            await trio.sleep(SHORTER_AFTER_S)
            await _limit(trader, {"loss_day_max_micros": 10_000 * USD})
        case _:
            await _limit(trader, {"stake_max_micros": None, "loss_day_max_micros": None})


async def revoke(trader: Trader, action: Action) -> None:
    """End the session and its key. What the key signs after that is refused."""
    its_token = token = await trader.sign_in()
    key, session_id = trader.key, trader.session_id
    if key is None:
        return
    if action.amount % 3 == 0:
        path = "/api/auth/logout"
    else:
        path = f"/api/auth/sessions/{session_id}/revoke"
    if action.amount % 3 == 2:  # from another device: he signs in a second time, first
        trader.forget_session(token)
        token = await trader.sign_in()
        if trader.key is key:
            return
    try:
        answer = await trader.ask("POST", path, None, token=token)
    except Lost:
        trader.forget_session(token)
        return
    trader.happened(f"revoke.{answer.code or 'done'}", action.amount % 3)
    if not answer.code:
        trader.ended_tokens.append(its_token)
    if action.amount % 3 != 2 or answer.code == "unauthorized":
        trader.forget_session(token)
    if not answer.code:
        ticket = trader.ticket(chosen_cell(trader, action), stake_micros(trader, action), key)
        trader.tickets.add(ticket)
        if await trader.send(ticket, "http") == "":
            trader.world.violated("a_revoked_key_bets", (trader.who, ticket.fields))


# --- looking --------------------------------------------------------------------------------------


async def look(trader: Trader, action: Action) -> None:
    """Read something, and hold it against what he knows."""
    looks = (_account, _bet, _another, _proof, _proof, _bets, _statement, _nonce, _public)
    await looks[action.amount % len(looks)](trader, action)
    trader.happened("looked")


async def _account(trader: Trader, _action: Action) -> None:
    answer = await trader.ask_own("GET", "/api/account")
    if not well(answer) or answer.body["seq"] != trader.stream.seq:
        return
    if answer.body["balance_micros"] != money(trader):
        trader.world.violated("a_balance_without_an_event", (trader.who, answer.body))


def _some(trader: Trader, action: Action) -> Ticket | None:
    """One of his bets that is placed."""
    placed = [each for each in trader.tickets.by_nonce.values() if each.bet_id is not None]
    return placed[-1 - action.amount % len(placed)] if placed else None


async def _bet(trader: Trader, action: Action) -> None:
    ticket = _some(trader, action)
    if ticket is not None:
        answer = await trader.ask_own("GET", f"/api/bets/{ticket.bet_id}")
        if well(answer):
            trader.tickets.found(ticket, answer.body)
        elif answer is not None and answer.code == "not_found":
            trader.tickets.not_found(ticket, "asked by its id")


async def _another(trader: Trader, action: Action) -> None:
    """Another's bet is not found, like one that never was."""
    ticket = _some(trader, action)
    if ticket is not None and ticket.bet_id is not None:
        answer = await trader.ask_own("GET", f"/api/bets/{ticket.bet_id[:-1]}0")
        # Ids of one millisecond follow one another: it may be another one of his own.
        if well(answer) and answer.body["nonce"] not in trader.tickets.by_nonce:
            trader.world.violated("a_bet_of_nobody", (trader.who, answer.body))


async def _proof(trader: Trader, action: Action) -> None:
    ends = list(trader.stream.ends.items())
    if not ends:
        return
    bet_id, end = ends[-1 - action.amount % len(ends)]
    try:
        answer = await trader.ask("GET", f"/api/bets/{bet_id}/proof")
    except Lost:
        return
    if not answer.code:
        told = answer.body
        if told["faults"] or not (told["outcome"] == told["status"] == end.status):
            trader.world.violated("a_proof_does_not_hold", (trader.who, end, told))
        if trader.board.rule not in ("", told["rule"]):
            trader.world.violated("judged_by_another_rule", (trader.who, trader.board.rule, told))
    elif answer.code == "not_found":
        trader.world.violated("a_proof_is_missing", (trader.who, bet_id, end))


async def _bets(trader: Trader, action: Action) -> None:
    status = ("", "?status=won,lost", "?status=confirmed&limit=20")[action.amount % 3]
    await trader.ask_own("GET", f"/api/bets{status}")


async def _statement(trader: Trader, _action: Action) -> None:
    await trader.ask_own("GET", "/api/ledger")


async def _nonce(trader: Trader, action: Action) -> None:
    tickets = list(trader.tickets.by_nonce.values())
    if tickets:
        ticket = tickets[-1 - action.amount % len(tickets)]
        answer = await trader.ask_own("GET", f"/api/bets/by-nonce/{ticket.nonce}")
        if well(answer):
            trader.tickets.found(ticket, answer.body)


async def _public(trader: Trader, action: Action) -> None:
    paths = (
        *("/api/prices/latest", "/api/prices/history?limit=50", "/healthz", "/readyz"),
        *("/version", "/api/prices/history?interval=tick&limit=50"),
    )
    try:
        await trader.ask("GET", paths[action.amount % len(paths)])
    except Lost:
        return


def well(answer: HttpAnswer | None) -> TypeGuard[HttpAnswer]:
    """Was it answered, and not refused?"""
    return answer is not None and not answer.code
