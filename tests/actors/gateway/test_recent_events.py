"""What is remembered of the traders' events, what is forgotten, and what can be replayed of it."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from actors.gateway.recent_events import RecentEvents
from domain.refusals import Code, Refusal
from protocols.money import BetRefused, Deposited, UserEvent


def event(seq: int, wallet: str = "ann") -> Deposited:
    """Something that raised the wallet's version to `seq`."""
    return Deposited(
        user_id=1,
        wallet=wallet,
        seq=seq,
        balance_micros=seq,
        amount_micros=1,
        reference=f"r{seq}",
        repeated=False,
    )


def remembering(
    *events: UserEvent, events_max: int = 100, per_wallet_max: int = 50
) -> RecentEvents:
    """What is left of these, told in this order."""
    recent = RecentEvents(events_max=events_max, per_wallet_max=per_wallet_max)
    for one in events:
        recent.add(one)
    return recent


def seqs(found: Sequence[UserEvent] | None) -> list[int | None] | None:
    return None if found is None else [one.seq for one in found]


def test_all_that_came_after_is_found_in_order() -> None:
    recent = remembering(event(4), event(5), event(6))
    assert seqs(recent.after("ann", 4)) == [5, 6]
    assert seqs(recent.after("ann", 3)) == [4, 5, 6]


def test_nothing_came_after_the_newest() -> None:
    assert seqs(remembering(event(4), event(5)).after("ann", 5)) == []


def test_what_lies_before_the_oldest_is_not_known() -> None:
    assert remembering(event(4), event(5)).after("ann", 2) is None


def test_what_lies_ahead_of_the_newest_is_not_known() -> None:
    assert remembering(event(4), event(5)).after("ann", 6) is None


def test_of_a_wallet_without_events_nothing_is_known() -> None:
    assert remembering(event(1)).after("bob", 0) is None


def test_wallets_are_kept_apart() -> None:
    recent = remembering(event(4), event(9, "bob"), event(5))
    assert seqs(recent.after("ann", 3)) == [4, 5]
    assert seqs(recent.after("bob", 8)) == [9]


def test_what_lies_before_a_gap_is_forgotten() -> None:
    recent = remembering(event(4), event(5), event(7))
    assert recent.after("ann", 5) is None
    assert seqs(recent.after("ann", 6)) == [7]


def test_a_seq_that_goes_back_begins_anew() -> None:
    recent = remembering(event(4), event(5), event(1))
    assert recent.after("ann", 4) is None
    assert seqs(recent.after("ann", 0)) == [1]


def test_a_refusal_that_wrote_nothing_is_not_remembered() -> None:
    refused = BetRefused(
        bet_id="b", wallet="ann", cell_id="c", refusal=Refusal(Code.CELL_UNAVAILABLE)
    )
    recent = remembering(event(4), refused, event(5))
    assert seqs(recent.after("ann", 3)) == [4, 5]


def test_of_one_wallet_the_newest_are_kept() -> None:
    recent = remembering(*(event(seq) for seq in range(1, 11)), per_wallet_max=3)
    assert recent.after("ann", 6) is None
    assert seqs(recent.after("ann", 7)) == [8, 9, 10]
    assert len(recent) == 3


def test_of_all_wallets_the_newest_are_kept() -> None:
    recent = remembering(event(1), event(1, "bob"), event(2), events_max=2)
    assert recent.after("ann", 0) is None
    assert seqs(recent.after("ann", 1)) == [2]
    assert seqs(recent.after("bob", 0)) == [1]
    assert len(recent) == 2


def test_a_wallet_whose_events_are_all_forgotten_takes_no_room() -> None:
    recent = remembering(event(1), *(event(seq, "bob") for seq in range(1, 4)), events_max=3)
    assert recent.after("ann", 1) is None


def test_cleared_it_knows_of_nothing_and_goes_on() -> None:
    recent = remembering(event(4), event(5))
    recent.clear()
    assert (len(recent), recent.after("ann", 5)) == (0, None)
    recent.add(event(6))
    assert seqs(recent.after("ann", 5)) == [6]


steps = st.lists(
    st.tuples(st.sampled_from(["ann", "bob", "cem"]), st.sampled_from([1, 1, 1, 1, 2, -3]))
)


@given(steps=steps, events_max=st.integers(1, 12), per_wallet_max=st.integers(1, 6))
def test_a_replay_is_whole_or_there_is_none(
    steps: list[tuple[str, int]], events_max: int, per_wallet_max: int
) -> None:
    """Against the plain list of all that was told."""
    recent = RecentEvents(events_max=events_max, per_wallet_max=per_wallet_max)
    told: dict[str, list[int]] = {"ann": [0], "bob": [0], "cem": [0]}
    for wallet, by in steps:
        told[wallet].append(max(1, told[wallet][-1] + by))
        recent.add(event(told[wallet][-1], wallet))
        assert len(recent) <= events_max
    for wallet, history in told.items():
        for seq in range(max(history) + 2):
            found = seqs(recent.after(wallet, seq))
            if found is not None:
                assert found == list(range(seq + 1, history[-1] + 1))
                assert len(found) <= per_wallet_max
                assert found == history[len(history) - len(found) :]
