"""A typed client of a tapgrid venue, on trio, for whoever trades, operates or tests one.

    async with Venue("http://127.0.0.1:8080") as venue:
        session = await venue.demo_sign_in(SessionKey.new())
        cell = (await venue.wait_quote()).cells[0]
        placed = await session.place_bet(cell.cell_id, stake_micros=1_000_000)

What the venue refuses is raised as `Refused`, with the code of its table. Amounts, prices and rates
are integers in the units that their names say. Nothing here reads the machine's clock: texts are
dated by the venue's, which each answer tells, and waits use trio's.
"""

from client.answers import Account, Bet, Grid, Limits, Placed, Quote, QuotedCell
from client.chance import Chance, SystemChance
from client.errors import (
    AnswerLost,
    BadAnswer,
    NotPlaced,
    OutcomeUnknown,
    Refused,
    Unreachable,
    VenueError,
)
from client.events import Channel
from client.operator import Operator
from client.proof import Proof
from client.session import Session
from client.session_key import KeyCaps, SessionKey
from client.signing import Odds, SignedBet, sign_bet
from client.stream import Stream
from client.venue import Venue
from client.wallet import Wallet
from domain.refusals import Code

__all__ = [
    "Account",
    "AnswerLost",
    "BadAnswer",
    "Bet",
    "Chance",
    "Channel",
    "Code",
    "Grid",
    "KeyCaps",
    "Limits",
    "NotPlaced",
    "Odds",
    "Operator",
    "OutcomeUnknown",
    "Placed",
    "Proof",
    "Quote",
    "QuotedCell",
    "Refused",
    "Session",
    "SessionKey",
    "SignedBet",
    "Stream",
    "SystemChance",
    "Unreachable",
    "Venue",
    "VenueError",
    "Wallet",
    "sign_bet",
]
