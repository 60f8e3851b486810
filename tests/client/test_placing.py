"""What became of a bet: every way in which an answer can be lost, and what may be said then."""

import attrs
import pytest
import trio

from client import (
    AnswerLost,
    Bet,
    NotPlaced,
    OutcomeUnknown,
    Placed,
    Refused,
    SignedBet,
    Unreachable,
    Wallet,
    sign_bet,
)
from client.placing import CERTAIN_AFTER_S, place

SIGNED_S = 1_770_100_003
WALLET = Wallet.from_private_key(bytes(31) + b"\x01")
BET = sign_bet(
    WALLET,
    wallet=WALLET.address,
    cell_id="1770100010_4200000_4201000",
    stake_micros=1_000_000,
    nonce="7f1d7e5c-8f0a-4c39-9a4e-0d9a6d3a9d11",
    timestamp_s=SIGNED_S,
    chain_id=31337,
)
PLACED = Placed(
    bet_id="B1",
    status="confirmed",
    reward_bps=18_500,
    stake_micros=1_000_000,
    cell_id=BET.text.cell_id,
    placed_at_ms=SIGNED_S * 1000,
    balance_micros=99_000_000,
)


def on_record(status: str = "confirmed") -> Bet:
    return Bet(
        bet_id="B1",
        cell_id=BET.text.cell_id,
        status=status,
        stake_micros=1_000_000,
        reward_bps=18_500,
        payout_micros=None,
        placed_at_ms=SIGNED_S * 1000,
        resolved_at_ms=None,
        nonce=BET.nonce,
        quote=812,
        rule="touch",
        column_start_s=1_770_100_010,
        column_s=5,
        lo_cents=4_200_000,
        hi_cents=4_201_000,
        key_id=None,
    )


FOUND = attrs.evolve(PLACED, balance_micros=None)
NOT_FOUND = Refused("not_found")
LOST = AnswerLost("lost")


def replayed(first: dict[str, str] | None) -> Refused:
    return Refused("replay_detected", details={"bet": first})


IN_FLIGHT = replayed({"bet_id": "B1", "status": "unknown"})
THERE = replayed({"bet_id": "B1", "status": "confirmed"})
NOTHING = replayed(None)

Step = Placed | Exception


@attrs.define
class Way:
    """To a venue that answers as it is told; the last answer holds on."""

    answers: list[Step]
    sent: int = 0

    async def send_bet(self, bet: SignedBet) -> Placed:
        assert bet is BET
        self.sent += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@attrs.define
class Ledger:
    """What `by-nonce` says, one look after the other; the last holds on."""

    looks: list[Bet | Exception]
    asked: int = 0

    async def look_up(self, nonce: str) -> Bet:
        assert nonce == BET.nonce
        self.asked += 1
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, Exception):
            raise look
        return look


async def now_ms() -> int:
    """The venue's time: the bet was signed at trio's zero."""
    return SIGNED_S * 1000 + round(trio.current_time() * 1000)


async def placed(
    first: Step, again: list[Step] | None = None, looks: list[Bet | Exception] | None = None
) -> tuple[Placed, Way, Way, Ledger]:
    over, again_over = Way([first]), Way(again or [AssertionError("sent again")])
    ledger = Ledger(looks or [AssertionError("looked up")])
    done = await place(BET, over=over, again_over=again_over, look_up=ledger.look_up, now_ms=now_ms)
    return done, over, again_over, ledger


async def test_an_answer_is_passed_on() -> None:
    done, over, _, _ = await placed(PLACED)
    assert done == PLACED
    assert over.sent == 1


@pytest.mark.parametrize("code", ["cell_taken", "insufficient_funds", "draining", "bad_request"])
async def test_a_refusal_is_certain_and_nothing_is_sent_again(code: str) -> None:
    with pytest.raises(Refused, match=code):
        await placed(Refused(code))


async def test_what_could_not_be_sent_is_not_sent_again() -> None:
    with pytest.raises(Unreachable):
        await placed(Unreachable("gone"))


@pytest.mark.parametrize(
    "first",
    [LOST, Refused("status_unknown"), Refused("internal"), Refused("of a newer venue")],
    ids=str,
)
async def test_a_lost_answer_is_had_by_the_same_request_again(
    first: Exception, autojump_clock: object
) -> None:
    done, _, again, _ = await placed(first, [PLACED])
    assert done == PLACED
    assert again.sent == 1


async def test_the_first_of_two_is_found(autojump_clock: object) -> None:
    done, _, _, _ = await placed(LOST, [THERE], [on_record()])
    assert done == FOUND


async def test_who_sends_a_bet_twice_gets_the_first() -> None:
    done, _, again, _ = await placed(THERE, looks=[on_record()])
    assert done == FOUND
    assert again.sent == 0


async def test_one_in_flight_is_waited_for(autojump_clock: object) -> None:
    done, _, again, _ = await placed(LOST, [IN_FLIGHT, IN_FLIGHT, THERE], [on_record("won")])
    assert done == attrs.evolve(FOUND, status="won")
    assert again.sent == 3


@pytest.mark.parametrize("first", [LOST, NOTHING], ids=["again", "at once"])
async def test_one_that_was_certainly_not_written_may_be_signed_anew(
    first: Exception, autojump_clock: object
) -> None:
    with pytest.raises(NotPlaced):
        await placed(first, [NOTHING])


async def test_a_replay_that_does_not_say_of_what_is_no_word_for_nothing_written(
    autojump_clock: object,
) -> None:
    """Signed anew, it could be placed twice."""
    done, _, _, _ = await placed(Refused("replay_detected"), looks=[on_record()])
    assert done == FOUND


async def test_one_that_was_refused_for_lack_of_funds_is_a_refusal(autojump_clock: object) -> None:
    with pytest.raises(Refused, match="insufficient_funds"):
        await placed(LOST, [THERE], [on_record("insufficient_funds")])


async def test_a_refusal_of_a_repetition_tells_nothing_and_the_bet_is_looked_up(
    autojump_clock: object,
) -> None:
    """Its column may have closed since: the first may be on disk all the same."""
    done, _, _, ledger = await placed(
        LOST, [Refused("cell_unavailable")], [NOT_FOUND, NOT_FOUND, on_record()]
    )
    assert done == FOUND
    assert ledger.asked == 3


@pytest.mark.parametrize(
    "again", [Unreachable("gone"), LOST, Refused("signature_expired"), Refused("draining")], ids=str
)
async def test_one_that_is_not_on_record_when_it_can_come_no_more_was_not_written(
    again: Exception, autojump_clock: object
) -> None:
    with pytest.raises(NotPlaced):
        await placed(LOST, [again], [NOT_FOUND])
    assert CERTAIN_AFTER_S < trio.current_time() < CERTAIN_AFTER_S + 3


@pytest.mark.parametrize(
    ("again", "look"),
    [
        (Unreachable("gone"), Unreachable("gone")),
        (Refused("draining"), Refused("unauthorized")),
        (IN_FLIGHT, NOT_FOUND),
    ],
    ids=str,
)
async def test_where_the_venue_does_not_say_the_outcome_is_unknown(
    again: Exception, look: Exception, autojump_clock: object
) -> None:
    with pytest.raises(OutcomeUnknown) as unknown:
        await placed(LOST, [again], [look])
    assert unknown.value.nonce == BET.nonce


async def test_a_venue_that_comes_back_in_time_says_it(autojump_clock: object) -> None:
    done, _, _, _ = await placed(LOST, [Unreachable("gone")] * 20 + [THERE], [on_record()])
    assert done == FOUND
