"""What one trader knows: his requests, what he was told of each, and his private stream.

Pure. Whatever can't be, if the venue keeps its word (docs/api.md, docs/websocket.md), is told to
`complain` at the moment when it is seen.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import attrs

Json: TypeAlias = Mapping[str, Any]
Complain: TypeAlias = Callable[[str, object], None]
"""Told which promise is broken, by a short stable name, and the details."""

UNCERTAIN: Final = ("status_unknown", "internal", "replay_detected")
"""Refusals that don't say that this request did nothing."""
BASIS_POINTS: Final = 10_000


@attrs.define(kw_only=True, eq=False)
class Ticket:
    """A signed bet, from the finger to its end."""

    fields: dict[str, Any]
    """As it is sent, each time."""
    sends: int = 0
    refused: int = 0
    """How many sends were answered, for certain, with a no."""
    last_sent_s: float = 0.0
    bet_id: str | None = None
    """It is placed, says the venue."""
    reward_bps: int | None = None
    is_acknowledged: bool = False
    """... in so many words: not only when asked later."""
    is_absent: bool = False
    """It was not written and will not be, says the venue."""

    @property
    def nonce(self) -> str:
        """What the venue knows it by."""
        return str(self.fields["nonce"])

    @property
    def cell_id(self) -> str:
        """Where."""
        return str(self.fields["cell_id"])

    @property
    def stake_micros(self) -> int:
        """How much."""
        return int(self.fields["amount"])

    @property
    def is_refused(self) -> bool:
        """Was it certainly not placed? Each time that it was sent the venue said no."""
        return self.bet_id is None and (self.is_absent or 0 < self.sends == self.refused)

    @property
    def is_open_question(self) -> bool:
        """May it be placed or not, for all he knows?"""
        return self.bet_id is None and self.sends > 0 and not self.is_refused


class Tickets:
    """All bets that he has signed."""

    def __init__(self, complain: Complain) -> None:
        self._complain = complain
        self.by_nonce: dict[str, Ticket] = {}
        self.cells: dict[str, Ticket] = {}
        """The newest on each cell that he has tapped."""

    def add(self, ticket: Ticket) -> None:
        """It is about to be sent for the first time."""
        self.by_nonce[ticket.nonce] = ticket
        self.cells[ticket.cell_id] = ticket

    def sent(self, ticket: Ticket, now_s: float) -> None:
        """It is on its way, once more."""
        ticket.sends += 1
        ticket.last_sent_s = now_s
        ticket.is_absent = False

    def never_left(self, ticket: Ticket) -> None:
        """It did not even get to the venue, this time."""
        ticket.refused += 1

    def answered(self, ticket: Ticket, code: str, answer: Json) -> None:
        """What the venue said to one of the sends; `code` is "" if it was taken."""
        if not code:
            self._taken(ticket, answer)
        elif code == "replay_detected":
            self._replayed(ticket, answer)
        elif code not in UNCERTAIN:
            ticket.refused += 1

    def _taken(self, ticket: Ticket, answer: Json) -> None:
        if ticket.is_acknowledged:
            self._complain("one_nonce_taken_twice", (ticket.nonce, ticket.bet_id, answer))
        if ticket.bet_id is not None and ticket.bet_id != answer["bet_id"]:
            self._complain("one_nonce_two_bets", (ticket.nonce, ticket.bet_id, answer))
        self.placed(ticket, answer)
        ticket.is_acknowledged = True

    def placed(self, ticket: Ticket, bet: Json) -> None:
        """The venue has it: an acknowledgement, or what was found when asked."""
        if ticket.is_refused:
            self._complain("a_refused_bet_is_placed", (ticket.nonce, bet))
        least_bps = ticket.fields.get("rate", 0)
        is_his = (
            bet["cell_id"] == ticket.cell_id
            and bet["stake_micros"] == ticket.stake_micros
            and bet["reward_bps"] >= least_bps
        )
        if not is_his or bet["reward_bps"] != (ticket.reward_bps or bet["reward_bps"]):
            self._complain("a_bet_is_not_what_was_signed", (ticket.fields, bet))
        ticket.bet_id, ticket.reward_bps = str(bet["bet_id"]), int(bet["reward_bps"])

    def _replayed(self, ticket: Ticket, answer: Json) -> None:
        first = answer.get("bet")
        if first is None:
            if ticket.bet_id is not None:
                self._complain("a_placed_bet_is_denied", (ticket.nonce, ticket.bet_id))
            ticket.is_absent = True
        elif first["status"] == "unknown":
            return
        elif first["status"] == "insufficient_funds":
            self.on_record(ticket)
        elif ticket.bet_id not in (None, first["bet_id"]):
            self._complain("one_nonce_two_bets", (ticket.nonce, ticket.bet_id, first))
        elif ticket.is_refused:
            self._complain("a_refused_bet_is_placed", (ticket.nonce, first))
        else:
            ticket.bet_id = str(first["bet_id"])

    def on_record(self, ticket: Ticket) -> None:
        """It was refused for want of funds, which is kept."""
        if ticket.bet_id is not None:
            self._complain("a_placed_bet_is_denied", (ticket.nonce, ticket.bet_id))
        ticket.is_absent = True

    def found(self, ticket: Ticket, bet: Json) -> None:
        """What `by-nonce` says."""
        if bet["status"] == "insufficient_funds":
            self.on_record(ticket)
        elif ticket.bet_id not in (None, bet["bet_id"]):
            self._complain("one_nonce_two_bets", (ticket.nonce, ticket.bet_id, bet))
        else:
            self.placed(ticket, bet)

    def not_found(self, ticket: Ticket, why: object) -> None:
        """There is none, and it is too late for one."""
        if ticket.bet_id is not None:
            self._complain("a_placed_bet_is_gone", (ticket.nonce, ticket.bet_id, why))
        ticket.is_absent = True

    @property
    def open_questions(self) -> list[Ticket]:
        """What he does not know the outcome of."""
        return [ticket for ticket in self.by_nonce.values() if ticket.is_open_question]


@attrs.frozen
class End:
    """How a bet ended."""

    status: str
    payout_micros: int


def payout_micros(status: str, stake_micros: int, reward_bps: int) -> int:
    """What must come back."""
    match status:
        case "won":
            return stake_micros * reward_bps // BASIS_POINTS
        case "void":
            return stake_micros
        case _:
            return 0


class PrivateStream:
    """The events of his wallet, as they come in over whatever sockets he has."""

    def __init__(self, complain: Complain) -> None:
        self._complain = complain
        self.seq: int | None = None
        """The newest event that he has; None until the first `auth` is answered."""
        self.balance_micros = 0
        """As of that event."""
        self.resumes_asked = 0
        """How often he has said how far he has come, on this socket, and has no answer yet: to each
        the venue sends what came after, so an event may come twice."""
        self.is_lost = False
        """The venue has said that events are missing."""
        self.placed: dict[str, int] = {}
        """The `seq` by which each bet was confirmed."""
        self.ends: dict[str, End] = {}

    def began(self, account: Json) -> None:
        """The account as it stands, or a snapshot."""
        if self.seq is not None and account["seq"] < self.seq:
            self._complain("the_stream_went_back", (self.seq, account))
        if account["seq"] == self.seq and account["balance_micros"] != self.balance_micros:
            self._complain("a_balance_without_an_event", (self.balance_micros, account))
        self.seq, self.balance_micros = account["seq"], account["balance_micros"]
        self._answered()
        for bet in account.get("last", ()):
            if bet["status"] in ("won", "lost", "void"):
                self._ended(bet, again=True)

    def caught_up(self, seq: int) -> None:
        """All that was missed has been sent again, says the venue."""
        if seq != self.seq:
            self._complain("events_are_missing", (self.seq, seq))
        self._answered()

    @property
    def is_resuming(self) -> bool:
        """Has he asked for what he has missed?"""
        return self.resumes_asked > 0

    def _answered(self) -> None:
        self.is_lost = False
        self.resumes_asked = max(0, self.resumes_asked - 1)

    def event(self, frame: Json) -> bool:
        """One event; False if he had it already."""
        seq = frame["seq"]
        if self.seq is None:
            self._complain("an_event_before_the_beginning", frame)
            return False
        if seq <= self.seq:
            if not self.is_resuming:
                self._complain("an_event_twice", (self.seq, frame))
            return False
        if seq > self.seq + 1:
            self._complain("an_event_is_missing", (self.seq, frame))
        if self.is_lost and not self.is_resuming:
            self._complain("an_event_after_resync_required", frame)
        self.seq = seq
        self._counts(frame)
        return True

    def _counts(self, frame: Json) -> None:
        match frame["type"]:
            case "bet:confirmed":
                if frame["bet_id"] in self.placed:
                    self._complain("a_bet_confirmed_twice", frame)
                self.placed[frame["bet_id"]] = frame["seq"]
                self._money(frame, -frame["stake_micros"])
            case "bet:resolved":
                self._ended(frame, again=False)
                self._money(frame, frame["payout_micros"])
            case "balance":
                self._money(frame, frame["amount_micros"])
            case "bet:failed" | "account":
                pass
            case other:
                self._complain("an_unknown_event", other)

    def _money(self, frame: Json, by_micros: int) -> None:
        expected_micros = self.balance_micros + by_micros
        if frame["balance_micros"] != expected_micros or expected_micros < 0:
            self._complain("a_balance_does_not_follow", (self.balance_micros, frame))
        self.balance_micros = frame["balance_micros"]

    def _ended(self, bet: Json, *, again: bool) -> None:
        end = End(bet["status"], bet["payout_micros"])
        before = self.ends.setdefault(bet["bet_id"], end)
        if before != end or (before is not end and not again):
            self._complain("a_bet_ended_twice", (before, bet))
