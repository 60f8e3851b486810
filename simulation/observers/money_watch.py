"""The observers of the money's side: what is accepted, and what becomes of it."""

from simulation.keeper import settings_of
from simulation.observers.answers import Terms
from simulation.observers.money import MoneyObserver
from simulation.observers.overrides import OverrideObserver
from simulation.observers.placing import PlacingObserver
from simulation.oracle.books import Caps
from simulation.oracle.placing import Geometry
from simulation.witness import Observer
from simulation.world import World


def money_observers(world: World) -> list[Observer]:
    """In the order in which they must hear of things: who judges bets by the books needs them as
    they stood before."""
    settings = settings_of(world)
    house, grid = settings.house, settings.grid
    caps = Caps(
        per_bet_micros=house.payout_per_bet_micros,
        per_user_micros=house.payout_per_user_micros,
        per_cell_micros=house.payout_per_cell_micros,
        per_column_micros=house.payout_per_column_micros,
    )
    geometry = Geometry(
        column_s=grid.column_s,
        row_cents=grid.row_cents,
        lockout_columns=grid.lockout_columns,
        horizon_columns=grid.horizon_columns,
        presets_micros=settings.bets.presets_micros,
        caps=caps,
    )
    terms = Terms(rule=settings.bets.rule, column_s=grid.column_s)
    money = MoneyObserver(world, caps, terms)
    return [
        PlacingObserver(world, geometry, money.books),
        OverrideObserver(world, money.books),
        money,
    ]
