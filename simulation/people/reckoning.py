"""The reckoning: when all is calm each trader asks for what he does not know, and compares.

By then every bet has ended and no fault is about: whatever the venue says now must agree with all
that it has said before, and with the trader's own sums.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, TypeAlias

import trio

from simulation.people.books import End, Json, Ticket, payout_micros
from simulation.people.dealings import UNDECIDED, compare_house
from simulation.people.operator import Operator
from simulation.people.trader import Trader

CERTAIN_AFTER_S: Final = 75.0
"""Since it was sent: a signature holds for 30 s and may be 5 s ahead, a bet is answered within 5
and written within 30 more."""
PAGE_ROWS: Final = 200
DAY_MS: Final = 86_400_000
ENDED: Final = ("won", "lost", "void")
CAUGHT_UP_WITHIN_S: Final = 60.0
BACK_WITHIN_S: Final = 60.0
"""A week of a run is a megabyte, and no fault is about."""
Get: TypeAlias = Callable[[str], Awaitable[Any]]
"""Asks for a path until it is answered."""


async def reckon(trader: Trader, operator: Operator) -> None:
    """All of it, for one trader."""
    get = partial(_get, trader)
    # First of all: a nonce that is not found may have been used in a week that is not here.
    await _pages(get, operator, "/api/ledger", "entries")
    await _find_out(trader)
    await _catch_up(trader)
    bets = await _pages(get, operator, "/api/bets", "bets")
    entries = await _pages(get, operator, "/api/ledger", "entries")
    withdrawals = await _pages(get, operator, "/api/withdrawals", "withdrawals")
    account = (await _get(trader, "/api/account")).body
    _compare_bets(trader, bets)
    _compare_keys(trader, bets)
    _compare_ends(trader, bets)
    _compare_entries(trader, entries, bets)
    _compare_gifts(trader, operator, entries)
    _compare_withdrawals(trader, operator, withdrawals, entries)
    trader.bounds.compare_losses(bets)
    _compare_account(trader, account, entries)
    trader.happened("reckoned", len(bets), len(entries), account["balance_micros"])


async def reckon_house(operator: Operator) -> None:
    """The operator's side: what he has moved out of the house and into it."""
    if operator.booked:
        rows = await _pages(operator.get, operator, "/ops/users/house/ledger", "entries")
        withdrawals = await _pages(operator.get, operator, "/ops/withdrawals", "withdrawals")
        compare_house(operator.booked, rows, withdrawals, operator.world.violated)
        operator.happened("house_reckoned", len(rows), len(withdrawals))


# --- asking ---------------------------------------------------------------------------------------


async def _get(trader: Trader, path: str) -> Any:
    for _ in range(4):
        token = await trader.sign_in()
        answer = await trader.insist("GET", path, token=token)
        if answer is not None and answer.code == "unauthorized":
            trader.forget_session(token)
        elif answer is not None:
            return answer
    trader.world.violated("no_answer_in_the_calm", (trader.who, path))
    await trio.sleep_forever()
    raise AssertionError("a violation ends the run")


async def _pages(get: Get, operator: Operator, path: str, rows: str) -> list[dict[str, Any]]:
    """All of them. A week that a full disk has sent to the archive is brought back first."""
    found: list[dict[str, Any]] = []
    cursor = ""
    until_s = trio.current_time() + BACK_WITHIN_S
    while True:
        answer = await get(f"{path}?limit={PAGE_ROWS}{cursor}")
        if answer.code or (answer.body.get("archived") and trio.current_time() > until_s):
            operator.world.violated("a_page_is_missing", (path, answer.body))
        if answer.body.get("archived"):
            await operator.bring_back(answer.body["archived"])
            continue
        found += answer.body[rows]
        if answer.body["next_cursor"] is None:
            return found
        cursor = f"&cursor={answer.body['next_cursor']}"


async def _find_out(trader: Trader) -> None:
    """What became of every request whose answer was lost? It has to be found."""
    for ticket in trader.tickets.open_questions:
        answer = await _get(trader, f"/api/bets/by-nonce/{ticket.nonce}")
        if answer.code == "not_found":
            await trio.sleep(max(0, ticket.last_sent_s + CERTAIN_AFTER_S - trio.current_time()))
            answer = await _get(trader, f"/api/bets/by-nonce/{ticket.nonce}")
        if answer.code == "not_found":
            trader.tickets.not_found(ticket, "asked by its nonce")
        elif answer.code:
            trader.world.violated("an_outcome_is_not_findable", (trader.who, answer.body))
        else:
            trader.tickets.found(ticket, answer.body)
        trader.happened("found_out", ticket.nonce[:8], answer.code or answer.body["status"])


async def _catch_up(trader: Trader) -> None:
    """Until his stream has come to where the account is."""
    until_s = trio.current_time() + CAUGHT_UP_WITHIN_S
    while True:
        account = (await _get(trader, "/api/account")).body
        if trader.is_following and trader.stream.seq == account["seq"]:
            return
        if trio.current_time() > until_s:
            where = (trader.who, trader.is_following, trader.stream.seq, account)
            trader.world.violated("the_stream_does_not_catch_up", where)
            return
        await trio.sleep(0.5)


# --- comparing ------------------------------------------------------------------------------------


def _compare_bets(trader: Trader, bets: list[dict[str, Any]]) -> None:
    """The venue's list of his bets is his own."""
    complain = trader.world.violated
    for what, count in Counter(bet["bet_id"] for bet in bets).items():
        if count > 1:
            complain("a_bet_is_listed_twice", (trader.who, what))
    listed = {bet["bet_id"]: bet for bet in bets if bet["status"] != "insufficient_funds"}
    for cell, count in Counter(bet["cell_id"] for bet in listed.values()).items():
        if count > 1:
            complain("one_cell_taken_twice", (trader.who, cell))
    for ticket in trader.tickets.by_nonce.values():
        if ticket.bet_id is not None and ticket.bet_id not in listed:
            complain("a_placed_bet_is_gone", (trader.who, ticket.fields, ticket.bet_id))
    for bet in listed.values():
        his = trader.tickets.by_nonce.get(bet["nonce"])
        if his is None or his.bet_id is None:
            complain("a_bet_that_he_does_not_have", (trader.who, bet, his))
        else:
            _compare_bet(trader, his, bet)


def _compare_bet(trader: Trader, ticket: Ticket, bet: Json) -> None:
    if bet["bet_id"] != ticket.bet_id:
        trader.world.violated("one_nonce_two_bets", (trader.who, ticket.bet_id, bet))
    trader.tickets.found(ticket, bet)
    due = payout_micros(bet["status"], ticket.stake_micros, bet["reward_bps"])
    if bet["status"] not in ENDED or bet["payout_micros"] != due:
        trader.world.violated("a_bet_is_not_paid_as_it_must", (trader.who, due, bet))


def _compare_keys(trader: Trader, bets: list[dict[str, Any]]) -> None:
    """No key has staked more than it may, at once or in a day, or after its end."""
    staked: Counter[tuple[str, int]] = Counter()
    for bet in bets:
        key = trader.keys.by_id.get(bet["key_id"] or "")
        if bet["status"] == "insufficient_funds" or key is None:
            continue
        day = (key.key_id, bet["placed_at_ms"] // DAY_MS)
        staked[day] += bet["stake_micros"]
        if bet["stake_micros"] > key.bet_max_micros or staked[day] > key.day_max_micros:
            trader.world.violated("a_key_goes_over_its_caps", (trader.who, staked[day], bet))
        if trader.keys.outlived(key.key_id, bet) is not None:
            trader.world.violated("a_key_outlives_its_end", (trader.who, key.until_s, bet))


def _compare_ends(trader: Trader, bets: list[dict[str, Any]]) -> None:
    """What he was told of each bet's end is what the list says."""
    by_id = {bet["bet_id"]: bet for bet in bets}
    for bet_id, end in trader.stream.ends.items():
        bet = by_id.get(bet_id)
        if bet is None or End(bet["status"], bet["payout_micros"]) != end:
            trader.world.violated("a_bet_ended_otherwise", (trader.who, end, bet))


def _compare_entries(
    trader: Trader, entries: list[dict[str, Any]], bets: list[dict[str, Any]]
) -> None:
    """Each bet was charged once, and paid once if there was something to pay."""
    moved = Counter(
        (entry["ref_type"], entry["ref_id"], entry["amount_micros"])
        for entry in entries
        if entry["ref_type"] in ("BET", "PAYOUT", "REFUND")
    )
    due: Counter[tuple[str, str, int]] = Counter()
    for bet in bets:
        if bet["status"] in ENDED:
            due["BET", bet["bet_id"], -bet["stake_micros"]] += 1
        if bet["status"] == "won":
            due["PAYOUT", bet["bet_id"], bet["payout_micros"]] += 1
        if bet["status"] == "void":
            due["REFUND", bet["bet_id"], bet["payout_micros"]] += 1
    if moved != due:
        differ = (moved - due, due - moved)
        trader.world.violated("the_statement_is_not_of_his_bets", (trader.who, differ))


def _compare_gifts(trader: Trader, operator: Operator, entries: list[dict[str, Any]]) -> None:
    """All money that came from elsewhere was asked for, came once, and is what was asked for."""
    complain = trader.world.violated
    came: dict[str, list[int]] = {}
    for entry in entries:
        if entry["ref_type"] in ("DEPOSIT", "ADJUSTMENT"):
            came.setdefault(entry["ref_id"], []).append(entry["amount_micros"])
    for reference, each in operator.booked.items():
        if each.wallet == trader.wallet.address:
            each.compare(reference, came.pop(reference, []), complain)
    gift_max_micros = trader.world.keeper.settings.faucet.amount_micros
    for reference, amounts in came.items():
        if len(amounts) > 1:
            complain("money_came_twice", (trader.who, reference, amounts))
        if not 0 < amounts[0] <= gift_max_micros:
            complain("gifts_are_not_as_was_told", (trader.who, reference, amounts))
    if not trader.gifts_given <= len(came) <= trader.gifts_asked:
        asked = (trader.gifts_given, trader.gifts_asked)
        complain("gifts_are_not_as_was_told", (trader.who, len(came), asked))


def _compare_withdrawals(
    trader: Trader,
    operator: Operator,
    withdrawals: list[dict[str, Any]],
    entries: list[dict[str, Any]],
) -> None:
    """Those that were taken are listed as he signed them, and decided as the operator was told."""
    complain = trader.world.violated
    listed = Counter(each["nonce"] for each in withdrawals)
    taken = [nonce for nonce, asked in trader.withdrawals.items() if asked.is_taken]
    gone = [nonce for nonce in taken if listed[nonce] != 1]
    if gone or max(listed.values(), default=1) > 1:
        complain("a_withdrawal_is_not_listed_once", (trader.who, gone, withdrawals))
    due: Counter[tuple[str, int]] = Counter()
    for each in withdrawals:
        asked = trader.withdrawals.get(each["nonce"])
        signed = (each["amount_micros"], each["destination"])
        is_his = asked is not None and (asked.amount_micros, asked.destination) == signed
        if asked is None or asked.is_refused or not is_his:
            complain("a_withdrawal_that_he_does_not_have", (trader.who, asked, each))
        operator.decided.get(each["id"], UNDECIDED).compare(each, complain)
        due[each["id"], -each["amount_micros"]] += 1
        if each["status"] == "rejected":
            due[each["id"], each["amount_micros"]] += 1
    moved = Counter(
        (entry["ref_id"], entry["amount_micros"])
        for entry in entries
        if entry["ref_type"] == "WITHDRAWAL"
    )
    if moved != due:
        differ = (moved - due, due - moved)
        complain("the_statement_is_not_of_his_withdrawals", (trader.who, differ))


def _compare_account(trader: Trader, account: Json, entries: list[dict[str, Any]]) -> None:
    """The balance is the sum of the statement, and that of his stream."""
    sums = (
        account["balance_micros"],
        trader.stream.balance_micros,
        sum(entry["amount_micros"] for entry in entries if entry["ref_type"] != "CARRY"),
    )
    if len({*sums}) > 1:
        trader.world.violated("the_balance_is_not_the_sum", (trader.who, sums))
    if account["open_bets"] or account["open_stake_micros"]:
        trader.world.violated("a_bet_never_ended", (trader.who, account))
