"""Against which account money moves: the rows of one transaction, and their other side."""

from collections.abc import Sequence
from typing import Final

from simulation.oracle.ledger_file import EXTERNAL, HOUSE, Entry

OTHER_SIDE: Final = {
    "BET": HOUSE,
    "PAYOUT": HOUSE,
    "REFUND": HOUSE,
    "ADJUSTMENT": HOUSE,
    "DEPOSIT": EXTERNAL,
    "WITHDRAWAL": EXTERNAL,
}


def has_its_other_side(rows: Sequence[Entry]) -> bool:
    """Stakes, what they bring, and adjustments stand against the house, and no money comes or goes;
    what is paid in and out stands against `external`. Each in one row. The note of a rebuilt
    balance moves nothing."""
    other = OTHER_SIDE.get(rows[0].ref_type)
    if other is None or not any(row.amount for row in rows):
        return True
    sides = [row.user_id for row in rows]
    return sides.count(other) == 1 and (other == EXTERNAL or EXTERNAL not in sides)
