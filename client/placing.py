"""What became of a bet? Sends a signed bet until that is certain.

A bet whose answer is lost may be on the venue's disk. The same request again is safe, since its
nonce serves once, and most often tells: the venue answers `replay_detected` with the first bet.
Other refusals of a repetition tell nothing: the column may have closed since. Then the bet is
looked up by its nonce, until so long has passed that it can't be written any more.
"""

from collections.abc import Awaitable, Callable
from typing import Final, NoReturn, Protocol

import attrs
import trio

from client.answers import Bet, Placed
from client.errors import AnswerLost, BadAnswer, NotPlaced, OutcomeUnknown, Refused, VenueError
from client.signing import SignedBet
from domain.limits import SIGNATURE_AGE_MAX_S
from domain.refusals import Code

CERTAIN_AFTER_S: Final = SIGNATURE_AGE_MAX_S + 5 + 30 + 5
"""Since it was signed: a signature is taken for 30 s, a bet is answered within 5 and written within
30 more at the very most, and clocks may differ by some."""
FIRST_WAIT_S: Final = 0.1
WAIT_MAX_S: Final = 2.0
UNDECIDED: Final = "unknown"
REFUSED_ON_RECORD: Final = "insufficient_funds"


class Carrier(Protocol):
    """A way to the venue: HTTP (`Venue`) or the WebSocket (`Stream`)."""

    async def send_bet(self, bet: SignedBet) -> Placed:
        """Send it once. Raises Refused, Unreachable, AnswerLost or BadAnswer."""
        ...


async def place(
    bet: SignedBet,
    *,
    over: Carrier,
    again_over: Carrier,
    look_up: Callable[[str], Awaitable[Bet]],
    now_ms: Callable[[], Awaitable[int]],
) -> Placed:
    """Send the bet and say what became of it.

    Raises Refused or Unreachable (nothing was written), NotPlaced, or OutcomeUnknown: the venue
    could not be asked for over a minute.
    """
    doubt = Doubt(bet, look_up)
    try:
        return await over.send_bet(bet)
    except Refused as refused:
        if refused.code == Code.REPLAY_DETECTED:
            found = await doubt.first_bet(refused)
            if found is not None:
                return found
        elif refused.is_certain:
            raise
    except (AnswerLost, BadAnswer):
        pass
    return await _find_out(doubt, again_over, now_ms)


async def _find_out(
    doubt: "Doubt", carrier: Carrier, now_ms: Callable[[], Awaitable[int]]
) -> Placed:
    certain_ms = (doubt.bet.text.timestamp_s + CERTAIN_AFTER_S) * 1000
    wait_s = FIRST_WAIT_S
    while True:
        is_certain = await now_ms() > certain_ms  # before the look: what is found after it counts
        found = await doubt.ask_again(carrier)
        if found is not None:
            return found
        if is_certain:
            doubt.give_up()
        await trio.sleep(wait_s)
        wait_s = min(2 * wait_s, WAIT_MAX_S)


@attrs.define
class Doubt:
    """A bet that may have been written."""

    bet: SignedBet
    look_up: Callable[[str], Awaitable[Bet]]
    is_absent: bool = False
    """Did the venue say at the last look that it has no such bet?"""

    async def ask_again(self, carrier: Carrier) -> Placed | None:
        """Send it again, and look it up if that does not tell."""
        self.is_absent = False
        try:
            return await carrier.send_bet(self.bet)
        except Refused as refused:
            if refused.code == Code.REPLAY_DETECTED:
                return await self.first_bet(refused)
        except VenueError:
            pass
        return await self._look()

    async def first_bet(self, refused: Refused) -> Placed | None:
        """What a `replay_detected` says of the bet; None while it is in flight."""
        first = refused.details.get("bet", {})
        if first is None:
            raise NotPlaced(self.bet.nonce)
        return None if first.get("status") == UNDECIDED else await self._look()

    async def _look(self) -> Placed | None:
        try:
            found = await self.look_up(self.bet.nonce)
        except Refused as refused:
            self.is_absent = refused.code == Code.NOT_FOUND
            return None
        except VenueError:
            return None
        if found.status == REFUSED_ON_RECORD:
            raise Refused(Code.INSUFFICIENT_FUNDS, "The balance does not cover this stake.")
        return placed_of(found)

    def give_up(self) -> NoReturn:
        """It is not in the ledger and can't come any more, or nobody could be asked."""
        raise (NotPlaced if self.is_absent else OutcomeUnknown)(self.bet.nonce)


def placed_of(bet: Bet) -> Placed:
    """The answer that was lost, as far as it can be had."""
    return Placed(
        bet_id=bet.bet_id,
        status=bet.status,
        reward_bps=bet.reward_bps,
        stake_micros=bet.stake_micros,
        cell_id=bet.cell_id,
        placed_at_ms=bet.placed_at_ms,
    )
