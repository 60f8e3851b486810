"""The people of a run: what they do, what they sign, and what their books find wrong."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from db.key_signatures import verify_key
from db.wallet_signatures import recover_wallet
from domain.signed_text import BetText
from simulation.actions import OPERATOR, TAPS_A_SECOND, draw_actions
from simulation.draws import stream
from simulation.people.board import Board, Seen
from simulation.people.books import PrivateStream, Ticket, Tickets
from simulation.people.errands import LESS
from simulation.people.intruding import INTRUSIONS
from simulation.people.wallets import Wallet, bet_request, new_nonce, new_session_key
from simulation.run import Outcome, simulate
from simulation.scenario import Action, ActionKind, Scenario

USD = 1_000_000
CELL = "1770100015_4200000_4201000"
EPOCH_MS = 1_770_100_000_000


class Complaints:
    """What somebody has found wrong."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def __call__(self, what: str, details: object) -> None:
        self.heard.append(what)


# --- drawing --------------------------------------------------------------------------------


def test_the_same_seed_has_the_same_people() -> None:
    assert draw_actions(7, seconds=100, traders=3) == draw_actions(7, seconds=100, traders=3)
    assert draw_actions(7, seconds=100, traders=3) != draw_actions(8, seconds=100, traders=3)


@pytest.mark.parametrize("traders", [3, 6, 12])
def test_ten_minutes_are_busy_however_many_traders_there_are(traders: int) -> None:
    found = draw_actions(3, seconds=600, traders=traders)
    assert 0.5 * TAPS_A_SECOND * 600 < len(found) < 1.8 * TAPS_A_SECOND * 600
    assert list(found) == sorted(found, key=lambda action: (action.at_s, action.who))
    assert {action.who for action in found} == {OPERATOR, *range(traders)}


def test_a_few_seeds_have_every_kind_of_action() -> None:
    kinds = Counter(
        action.kind for seed in range(5) for action in draw_actions(seed, seconds=600, traders=5)
    )
    assert set(kinds) == set(ActionKind)
    assert kinds.most_common(1)[0][0] is ActionKind.TAP


def test_an_action_survives_its_own_json() -> None:
    actions = draw_actions(3, seconds=60, traders=3)
    scenario = Scenario(seed=3, seconds=60, epoch_ms=EPOCH_MS, traders=3, actions=actions)
    assert Scenario.from_json(scenario.to_json()) == scenario


# --- signing --------------------------------------------------------------------------------


def text() -> BetText:
    nonce = new_nonce(stream(1, "nonce"))
    return BetText(
        cell_id=CELL, stake_micros=USD, nonce=nonce, timestamp_s=1_770_100_003, chain_id=31_337
    )


def test_a_wallet_signs_the_same_text_the_same_way_and_is_recovered() -> None:
    wallet = Wallet(stream(1, "wallet"))
    signed = bet_request(wallet, wallet.address, text())
    assert signed == bet_request(Wallet(stream(1, "wallet")), wallet.address, text())
    signature = bytes.fromhex(signed["signature"][2:])
    assert recover_wallet(text().render(), signature) == wallet.address


def test_a_session_key_signs_the_same_text_the_same_way_and_is_verified() -> None:
    first, second = (
        new_session_key(stream(1, "key"), bet_max_micros=USD, day_max_micros=USD, until_s=9)
        for _ in range(2)
    )
    assert first.sign("text") == second.sign("text")
    assert verify_key(first.point, "text", bytes.fromhex(first.sign("text")[2:]))
    assert bet_request(first, "0x", text())["key_id"] == first.key_id


# --- the board ------------------------------------------------------------------------------


def board() -> Board:
    known = Board()
    known.column_s, known.row_cents, known.price_cents = 5, 1_000, 4_200_500
    known.lockout_columns = 1
    return known


def test_cells_are_counted_from_what_is_open_and_from_the_price() -> None:
    assert board().cell_id(now_ms=1_770_100_003_000, column=1, row=0) == CELL
    assert board().cell_id(now_ms=1_770_100_003_000, column=-2, row=-1).startswith("1770100000_419")


def test_the_rate_of_a_cell_is_found_in_a_quote() -> None:
    quote = Seen(
        n=1,
        at_s=0,
        first_column_s=1_770_100_010,
        lowest_row_cents=4_199_000,
        rows=3,
        rates=[21_000, 10_500, 20_800, 18_500, 13_400, 18_600],
    )
    assert board().rate_bps(quote, CELL) == 13_400
    assert board().rate_bps(quote, "1770100015_4203000_4204000") == 0
    assert board().rate_bps(quote, "1770100005_4200000_4201000") == 0
    assert board().rate_bps(quote, "1770100020_4200000_4201000") == 0


# --- books: what became of a request -----------------------------------------------------------

TAKEN = {"bet_id": "B1", "cell_id": CELL, "stake_micros": USD, "reward_bps": 18_500}
FIELDS = {"nonce": "n", "cell_id": CELL, "amount": str(USD), "rate": 18_000, "quote": 3}


def sent(complaints: Complaints, times: int = 1) -> tuple[Tickets, Ticket]:
    tickets, ticket = Tickets(complaints), Ticket(fields=dict(FIELDS))
    tickets.add(ticket)
    for _ in range(times):
        tickets.sent(ticket, 0)
    return tickets, ticket


def replayed(bet: object) -> dict[str, Any]:
    return {"error": "replay_detected", "bet": bet}


Story = list[tuple[str, dict[str, Any]]]


@pytest.mark.parametrize(
    ("answers", "is_open", "is_refused"),
    [
        ([], True, False),
        ([("held", {})], False, True),
        ([("status_unknown", {})], True, False),
        ([("", TAKEN)], False, False),
        ([("replay_detected", replayed(None))], False, True),
        ([("replay_detected", replayed({"bet_id": "B1", "status": "unknown"}))], True, False),
        ([("replay_detected", replayed({"bet_id": "B1", "status": "won"}))], False, False),
        (
            [("replay_detected", replayed({"bet_id": "B1", "status": "insufficient_funds"}))],
            False,
            True,
        ),
    ],
)
def test_what_one_answer_says(answers: Story, is_open: bool, is_refused: bool) -> None:
    complaints = Complaints()
    tickets, ticket = sent(complaints)
    for code, answer in answers:
        tickets.answered(ticket, code, answer)
    assert (ticket.is_open_question, ticket.is_refused) == (is_open, is_refused)
    assert not complaints.heard


def test_a_refusal_of_a_repetition_says_nothing_of_the_first_request() -> None:
    tickets, ticket = sent(Complaints(), times=2)
    tickets.answered(ticket, "cell_unavailable", {})
    assert ticket.is_open_question
    tickets.answered(ticket, "", TAKEN)
    assert ticket.bet_id == "B1"


@pytest.mark.parametrize(
    ("answers", "complaint"),
    [
        ([("", TAKEN), ("", TAKEN)], "one_nonce_taken_twice"),
        ([("", TAKEN), ("replay_detected", replayed(None))], "a_placed_bet_is_denied"),
        (
            [("", TAKEN), ("replay_detected", replayed({"bet_id": "B2", "status": "won"}))],
            "one_nonce_two_bets",
        ),
        ([("replay_detected", replayed(None)), ("", TAKEN)], "a_refused_bet_is_placed"),
        ([("", {**TAKEN, "reward_bps": 17_999})], "a_bet_is_not_what_was_signed"),
        ([("", {**TAKEN, "stake_micros": 5 * USD})], "a_bet_is_not_what_was_signed"),
        ([("", {**TAKEN, "cell_id": "another"})], "a_bet_is_not_what_was_signed"),
    ],
)
def test_answers_that_can_not_be(answers: Story, complaint: str) -> None:
    complaints = Complaints()
    tickets, ticket = sent(complaints, times=2)
    for code, answer in answers:
        tickets.answered(ticket, code, answer)
    assert complaint in complaints.heard


def test_a_bet_that_was_refused_and_is_found_is_wrong() -> None:
    complaints = Complaints()
    tickets, ticket = sent(complaints)
    tickets.answered(ticket, "held", {})
    tickets.found(ticket, {**TAKEN, "status": "lost"})
    assert complaints.heard == ["a_refused_bet_is_placed"]


def test_a_bet_that_was_taken_and_is_not_found_is_wrong() -> None:
    complaints = Complaints()
    tickets, ticket = sent(complaints)
    tickets.answered(ticket, "", TAKEN)
    tickets.not_found(ticket, "asked")
    assert complaints.heard == ["a_placed_bet_is_gone"]


# --- books: the private stream ---------------------------------------------------------------


def confirmed(seq: int, balance_micros: int, bet_id: str = "B1") -> dict[str, Any]:
    return {
        "type": "bet:confirmed",
        "seq": seq,
        "bet_id": bet_id,
        "stake_micros": USD,
        "balance_micros": balance_micros,
    }


def resolved(seq: int, balance_micros: int, payout_micros: int = 0) -> dict[str, Any]:
    return {
        "type": "bet:resolved",
        "seq": seq,
        "bet_id": "B1",
        "status": "won" if payout_micros else "lost",
        "payout_micros": payout_micros,
        "balance_micros": balance_micros,
    }


def begun(complaints: Complaints) -> PrivateStream:
    private = PrivateStream(complaints)
    private.began({"seq": 1, "balance_micros": 10 * USD})
    return private


def test_events_in_order_are_as_they_must() -> None:
    complaints = Complaints()
    private = begun(complaints)
    assert private.event(confirmed(2, 9 * USD))
    assert private.event(resolved(3, 11 * USD, 2 * USD))
    assert private.event({"type": "account", "seq": 4})
    private.resumes_asked = 2
    assert not private.event(confirmed(2, 9 * USD))
    private.caught_up(4)
    assert not private.event(confirmed(2, 9 * USD))
    private.caught_up(4)
    assert not complaints.heard


@pytest.mark.parametrize(
    ("complaint", "go_wrong"),
    [
        ("an_event_is_missing", lambda private: private.event(confirmed(3, 9 * USD))),
        ("an_event_twice", lambda private: private.event(confirmed(1, 9 * USD))),
        ("a_balance_does_not_follow", lambda private: private.event(confirmed(2, 10 * USD))),
        ("events_are_missing", lambda private: private.caught_up(2)),
        (
            "the_stream_went_back",
            lambda private: private.began({"seq": 0, "balance_micros": 10 * USD}),
        ),
        (
            "a_balance_without_an_event",
            lambda private: private.began({"seq": 1, "balance_micros": 9 * USD}),
        ),
        (
            "a_bet_confirmed_twice",
            lambda private: [
                private.event(confirmed(2, 9 * USD)),
                private.event(confirmed(3, 8 * USD)),
            ],
        ),
        (
            "a_bet_ended_twice",
            lambda private: [
                private.event(resolved(2, 12 * USD, 2 * USD)),
                private.event(resolved(3, 14 * USD, 2 * USD)),
            ],
        ),
    ],
)
def test_streams_that_can_not_be(
    complaint: str, go_wrong: Callable[[PrivateStream], object]
) -> None:
    complaints = Complaints()
    go_wrong(begun(complaints))
    assert complaints.heard == [complaint]


# --- in a venue -------------------------------------------------------------------------------


def run(*actions: Action, seconds: float = 20) -> Outcome:
    return simulate(
        Scenario(
            seed=5,
            seconds=seconds,
            epoch_ms=EPOCH_MS,
            settings={"grid.rows": 10, "quotes.interval_ms": 1_000},
            traders=2,
            actions=actions,
        )
    )


def action(kind: ActionKind, at_s: float, **more: Any) -> Action:
    return Action(at_s=at_s, who=more.pop("who", 0), kind=kind, **more)


def test_people_do_all_they_can_do_in_a_venue_that_is_well() -> None:
    taps = [
        action(kind, 4 + number / 2, column=number % 3, row=number % 3 - 1, way=way, who=number % 2)
        for number, (kind, way) in enumerate(
            [
                (ActionKind.TAP, "ws key"),
                (ActionKind.TAP, "http wallet"),
                (ActionKind.TAP, "ws key rate"),
                (ActionKind.DOUBLE_TAP, "http key"),
                (ActionKind.RETRY, "ws key"),
                (ActionKind.REPLAY, "http key"),
                (ActionKind.STALE, "ws key rate"),
                (ActionKind.LEAVE, "http key"),
                (ActionKind.RECONNECT, ""),
                (ActionKind.FAUCET, ""),
                (ActionKind.WITHDRAW, ""),
                (ActionKind.LIMIT, ""),
                (ActionKind.REVOKE, "http"),
                (ActionKind.BAD, ""),
                (ActionKind.LOOK, ""),
            ]
        )
    ]
    orders = [
        action(kind, 13.0, who=OPERATOR, column=0, amount=2, row=1, way=way)
        for kind, way in [
            (ActionKind.HOLD, ""),
            (ActionKind.OVERRIDE, "open"),
            (ActionKind.VOID, ""),
            (ActionKind.FREEZE, ""),
            (ActionKind.DEPOSIT, ""),
            (ActionKind.ADJUST, ""),
            (ActionKind.BANKROLL, ""),
            (ActionKind.DECIDE, ""),
            (ActionKind.RESTART, "quoter"),
            (ActionKind.UPKEEP, "backup"),
        ]
    ]
    outcome = run(*taps, *orders)
    assert outcome.violations == ()
    happened = outcome.counts
    assert happened["bet.placed"] >= 5
    assert happened["bet.replay_detected"] >= 1
    assert happened["bet.cell_taken"] == 1
    assert happened["reckoned"] == 2
    for what in (
        *("hold", "release", "circuit_open", "circuit_back", "void", "freeze", "unfreeze"),
        *("deposit", "adjust", "bankroll", "restart", "backup"),
    ):
        assert happened[f"order.{what}.done"] >= 1, what


@pytest.mark.parametrize("kind", range(12))
def test_what_is_no_request_is_refused(kind: int) -> None:
    outcome = run(action(ActionKind.BAD, 6, amount=kind, way="http key"), seconds=8)
    assert outcome.violations == ()
    assert outcome.counts["bad"] == 1


def test_what_is_not_theirs_to_do_is_refused() -> None:
    """Each once, by somebody who has withdrawn and ended a session, so that none is passed over."""
    outcome = run(
        action(ActionKind.WITHDRAW, 5, amount=10),
        action(ActionKind.REVOKE, 6, way="http key"),
        *(
            action(ActionKind.INTRUDE, 8 + kind / 10, amount=kind)
            for kind in range(len(INTRUSIONS))
        ),
        seconds=12,
    )
    assert outcome.violations == ()
    assert outcome.counts["intruded"] == len(INTRUSIONS)


def test_less_of_a_limit_is_asked_for_in_vain() -> None:
    limits = [action(ActionKind.LIMIT, 5, way=way, who=who) for who, way in enumerate(LESS[:2])]
    taps = [
        action(ActionKind.TAP, 8 + number / 4, column=number % 5, amount=number % 5, way="ws key")
        for number in range(8)
    ]
    outcome = run(*limits, *taps, seconds=12)
    assert outcome.violations == ()
    assert outcome.counts["limits.set"] == 4
    assert outcome.counts["bet_refused.limit_reached"] >= 6


def test_a_key_that_has_ended_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulation.people.keys.IS_SHORT", 1)
    monkeypatch.setattr("simulation.people.keys.SHORT_S", (10, 10))
    taps = [
        action(ActionKind.TAP, 5 + number, column=number % 5, way="http key")
        for number in range(20)
    ]
    outcome = run(*taps, seconds=26)
    assert outcome.violations == ()
    assert outcome.counts["key_ended"] >= 2
    assert outcome.counts["bet.unauthorized"] >= 1
    assert outcome.counts["bet.placed"] >= 8


def test_a_venue_that_pays_another_stake_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trader's own books find it, whatever else does."""
    monkeypatch.setattr("simulation.people.reckoning.payout_micros", lambda *_: 7)
    outcome = run(action(ActionKind.TAP, 6, column=1, way="http key"), seconds=8)
    assert [found.what for found in outcome.violations] == ["a_bet_is_not_paid_as_it_must"]
