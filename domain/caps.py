"""The most that the house can be made to pay (product.md, rule 7).

The caps are part of the deduction: the ledger compares running totals with them in the transaction
that takes the stake. The largest stake shown with a quote follows from the same numbers.
"""

import attrs

from domain.units import MICROS_PER_USD, Bps, Micros


@attrs.frozen(kw_only=True)
class HouseCaps:
    """Caps on the payouts of open bets, in micros."""

    payout_per_bet_micros: Micros = 10_000 * MICROS_PER_USD
    payout_per_user_micros: Micros = 25_000 * MICROS_PER_USD
    payout_per_cell_micros: Micros = 50_000 * MICROS_PER_USD
    payout_per_column_micros: Micros = 250_000 * MICROS_PER_USD


def stake_max_micros(caps: HouseCaps, reward_bps: Bps) -> Micros:
    """The largest stake whose payout stays within every cap while nothing else is open."""
    payout_max_micros = min(
        caps.payout_per_bet_micros,
        caps.payout_per_user_micros,
        caps.payout_per_cell_micros,
        caps.payout_per_column_micros,
    )
    # A payout rounds down, so the cap is passed only by a stake that pays a whole micro more.
    return ((payout_max_micros + 1) * 10_000 - 1) // reward_bps
