"""All people of a run: who does what when, and the end of it."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, TypeAlias

import trio

from simulation.actions import OPERATOR
from simulation.people import errands, intruding, tapping
from simulation.people.board import Board
from simulation.people.operator import Operator
from simulation.people.reckoning import reckon, reckon_house
from simulation.people.trader import Trader
from simulation.scenario import Action, ActionKind
from simulation.world import World

Deed: TypeAlias = Callable[[Trader, Action], Awaitable[object]]

ON_THE_GRID: Final[Mapping[ActionKind, Deed]] = {
    ActionKind.TAP: tapping.tap,
    ActionKind.DOUBLE_TAP: tapping.double_tap,
    ActionKind.RETRY: tapping.retry,
    ActionKind.REPLAY: tapping.replay,
    ActionKind.STALE: tapping.stale,
    ActionKind.LEAVE: tapping.leave,
    ActionKind.BROKE: tapping.go_broke,
    ActionKind.BAD: tapping.bad_input,
    ActionKind.REVOKE: errands.revoke,
}
"""For these one has to have seen the grid."""
ELSEWHERE: Final[Mapping[ActionKind, Deed]] = {
    ActionKind.RECONNECT: errands.reconnect,
    ActionKind.FAUCET: errands.faucet,
    ActionKind.WITHDRAW: errands.withdraw,
    ActionKind.LIMIT: errands.set_limits,
    ActionKind.LOOK: errands.look,
    ActionKind.INTRUDE: intruding.intrude,
}


class Crowd:
    """The traders and the operator."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._board = Board()
        self.traders = [Trader(world, who, self._board) for who in range(world.scenario.traders)]
        self._board.wallets = [trader.wallet.address for trader in self.traders]
        self.operator = Operator(world, self.traders, self._board)
        self._following = trio.CancelScope()
        self._done = trio.Event()
        self._busy: dict[int, None] = {}
        """Who has not finished what he has begun."""

    async def live(self) -> None:
        """What they do, until the calm; their sockets go on until `reckon` is through."""
        actions = self._world.scenario.actions
        with self._following:
            async with trio.open_nursery() as sockets:
                for trader in self.traders:
                    sockets.start_soon(trader.follow)
                async with trio.open_nursery() as people:
                    for trader in self.traders:
                        own = [action for action in actions if action.who == trader.who]
                        people.start_soon(self._trade, trader, own)
                    if self.traders:
                        orders = [action for action in actions if action.who == OPERATOR]
                        people.start_soon(self._operate, orders)
                self._done.set()
        self._done.set()

    async def unfinished(self, *, within_s: float) -> Sequence[int]:
        """Wait until everybody has finished what he had begun. Who has not, after so long."""
        with trio.move_on_after(within_s):
            await self._done.wait()
        return sorted(self._busy)

    async def reckon(self) -> None:
        """When every bet has ended: everybody compares, and goes home."""
        async with trio.open_nursery() as nursery:
            for trader in self.traders:
                nursery.start_soon(reckon, trader, self.operator)
            nursery.start_soon(reckon_house, self.operator)
        self._following.cancel()

    @contextmanager
    def _at_work(self, who: int) -> Iterator[None]:
        self._busy[who] = None
        yield
        del self._busy[who]  # not where he was cancelled

    async def _trade(self, trader: Trader, actions: Sequence[Action]) -> None:
        with self._at_work(trader.who):
            await self._do_all(trader, actions)

    async def _do_all(self, trader: Trader, actions: Sequence[Action]) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._come, trader)
            for action in actions:
                await trio.sleep_until(action.at_s)
                nursery.start_soon(self._do, trader, action)

    async def _come(self, trader: Trader) -> None:
        """Sign in, and get the first money."""
        await trader.sign_in()
        while not trader.gifts_given:
            await errands.faucet(trader, _NOTHING)
            await trio.sleep(1)

    async def _do(self, trader: Trader, action: Action) -> None:
        elsewhere = ELSEWHERE.get(action.kind)
        if elsewhere is not None:
            await elsewhere(trader, action)
        elif await tapping.knows_grid(trader):
            await ON_THE_GRID[action.kind](trader, action)
        else:
            trader.happened("sees_no_grid")

    async def _operate(self, actions: Sequence[Action]) -> None:
        with self._at_work(OPERATOR):
            async with trio.open_nursery() as nursery:
                for action in actions:
                    await trio.sleep_until(action.at_s)
                    nursery.start_soon(self.operator.act, action)


_NOTHING: Final = Action(at_s=0, who=0, kind=ActionKind.FAUCET)
