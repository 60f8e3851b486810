"""The operator: holds, voids, freezes, pays, restarts. What he begins he ends, whatever it takes.

Each order is safe to repeat, so one whose answer is lost is given again.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import attrs
import trio

from simulation.actions import OPERATOR
from simulation.people.board import Board
from simulation.people.person import Person
from simulation.people.trader import USD, Trader
from simulation.process import OPS_TOKEN
from simulation.scenario import Action, ActionKind
from simulation.wire import HttpAnswer
from simulation.world import World

RESTART_WITHIN_S: Final = 40.0
UNTIL_DONE_S: Final = 200.0
"""For what must be undone: longer than any fault lasts."""


@attrs.define
class Booked:
    """Money that he has moved, by its reference."""

    wallet: str
    amount_micros: int
    is_certain: bool = False
    """Did the venue say that it is done?"""
    is_refused: bool = False


class Operator(Person):
    """With a token of his own."""

    def __init__(self, world: World, traders: Sequence[Trader], board: Board) -> None:
        super().__init__(world, OPERATOR)
        self._traders = traders
        self.booked: dict[str, Booked] = {}
        self._board = board
        self._releasing = 0
        self._releases_begun = 0
        """Releases that are on their way: a hold may be over at any time."""
        self._unfreezing: Counter[int] = Counter()
        self._unfreezes_begun: Counter[int] = Counter()
        self._orders = 0
        self._deeds: dict[ActionKind, Callable[[Action], Awaitable[None]]] = {
            ActionKind.HOLD: self._hold,
            ActionKind.OVERRIDE: self._override,
            ActionKind.VOID: self._void,
            ActionKind.FREEZE: self._freeze,
            ActionKind.DEPOSIT: self._deposit,
            ActionKind.ADJUST: self._adjust,
            ActionKind.BANKROLL: self._bankroll,
            ActionKind.DECIDE: self._decide,
            ActionKind.RESTART: self._restart,
            ActionKind.UPKEEP: self._upkeep,
        }

    async def act(self, action: Action) -> None:
        """One thing, to its end."""
        await self._deeds[action.kind](action)

    async def bring_back(self, weeks: Sequence[str]) -> None:
        """Have archived weeks put where they can be read, and wait a little."""
        for week in weeks:
            await self._order("restore", f"/ops/restore/{week}", {"reason": "asked for"})
        await trio.sleep(2)

    async def _order(
        self, what: str, path: str, body: object, *, for_s: float = 30.0, within_s: float = 12.0
    ) -> HttpAnswer | None:
        answer = await self.insist(
            "POST", path, body, token=OPS_TOKEN, for_s=for_s, within_s=within_s
        )
        code = "lost" if answer is None else answer.code
        self.happened(f"order.{what}.{code or 'done'}")
        return answer

    async def _hold(self, action: Action) -> None:
        begun, releasing = self._releases_begun, self._releasing
        answer = await self._order("hold", "/ops/hold", {"reason": "drill"})
        # A release that was under way at any moment may have come after it.
        is_alone = not releasing and begun == self._releases_begun
        if answer is not None and not answer.code and is_alone:
            self._board.held_since_s = trio.current_time()
        await trio.sleep(action.amount)
        self._board.held_since_s = None
        self._releases_begun += 1
        self._releasing += 1
        await self._undo("release", "/ops/release", {"reason": "the drill is over"})
        self._releasing -= 1

    async def _undo(self, what: str, path: str, body: object) -> None:
        answer = await self._order(what, path, body, for_s=UNTIL_DONE_S)
        if answer is None:
            self.world.violated("an_order_is_never_answered", what)

    async def _override(self, action: Action) -> None:
        state = {"state": action.way, "reason": "drill"}
        await self._order(f"circuit_{action.way}", "/ops/circuit", state)
        await trio.sleep(action.amount)
        await self._undo("circuit_back", "/ops/circuit", {"state": "auto", "reason": "over"})

    async def _void(self, action: Action) -> None:
        answer = await self.insist("GET", "/api/grid", for_s=10)
        if answer is None or answer.code:
            return
        column_s, now_s = answer.body["column_s"], answer.body["server_time_ms"] // 1000
        start_s = now_s - now_s % column_s + action.column * column_s
        await self._order("void", f"/ops/columns/{start_s}/void", {"reason": "drill"})

    async def _freeze(self, action: Action) -> None:
        wallet = self._wallet(action)
        trader = self._trader(action)
        begun, unfreezing = self._unfreezes_begun[trader.who], self._unfreezing[trader.who]
        answer = await self._order("freeze", f"/ops/users/{wallet}/freeze", {"reason": "drill"})
        if answer is not None and answer.code:
            return
        is_alone = not unfreezing and begun == self._unfreezes_begun[trader.who]
        if answer is not None and is_alone:
            trader.frozen_since_s = trio.current_time()
        await trio.sleep(action.amount)
        trader.frozen_since_s = None
        self._unfreezes_begun[trader.who] += 1
        self._unfreezing[trader.who] += 1
        await self._undo("unfreeze", f"/ops/users/{wallet}/unfreeze", {"reason": "over"})
        self._unfreezing[trader.who] -= 1

    def _trader(self, action: Action) -> Trader:
        return self._traders[action.column % len(self._traders)]

    def _wallet(self, action: Action) -> str:
        return self._trader(action).wallet.address

    # Money

    async def _deposit(self, action: Action) -> None:
        micros = action.amount * USD
        reference = await self._move("deposit", "/ops/deposits", self._wallet(action), micros)
        if action.row:
            await self._again(reference)

    async def _adjust(self, action: Action) -> None:
        micros = action.amount * USD
        reference = await self._move("adjust", "/ops/adjustments", self._wallet(action), micros)
        if action.row:
            await self._same_again("adjust_again", "/ops/adjustments", reference)

    async def _bankroll(self, action: Action) -> None:
        micros = action.amount * USD
        await self._move("bankroll", "/ops/withdrawals", "house", micros)
        await trio.sleep(5)
        await self._move("deposit", "/ops/deposits", "house", micros)

    async def _move(self, what: str, path: str, wallet: str, amount_micros: int) -> str:
        self._orders += 1
        reference = f"simulated-{what}-{self._orders}"
        booked = self.booked[reference] = Booked(wallet, amount_micros)
        body = {"wallet": wallet, "amount_micros": amount_micros, "reference": reference}
        answer = await self._order(what, path, {**body, "reason": "drill"})
        booked.is_certain = answer is not None and not answer.code
        booked.is_refused = answer is not None and bool(answer.code)
        return reference

    async def _again(self, reference: str) -> None:
        """The same reference once more: nothing is done twice, and no other amount by it."""
        booked = self.booked[reference]
        was_certain = booked.is_certain
        answer = await self._same_again("deposit_again", "/ops/deposits", reference)
        if answer is not None and not answer.code:
            if was_certain and not answer.body["repeated"]:
                self.world.violated("a_deposit_twice", (reference, answer.body))
            body = {"wallet": booked.wallet, "reference": reference}
            other = {**body, "amount_micros": booked.amount_micros + 1}
            refused = await self._order("deposit_other", "/ops/deposits", other)
            if refused is not None and not refused.code:
                self.world.violated("one_reference_two_amounts", (reference, refused.body))

    async def _same_again(self, what: str, path: str, reference: str) -> HttpAnswer | None:
        booked = self.booked[reference]
        body = {"wallet": booked.wallet, "reference": reference, "reason": "drill"}
        answer = await self._order(what, path, {**body, "amount_micros": booked.amount_micros})
        if answer is not None and not answer.code:
            booked.is_certain, booked.is_refused = True, False
        return answer

    async def _decide(self, action: Action) -> None:
        pending = await self.insist(
            "GET", "/ops/withdrawals?status=pending", token=OPS_TOKEN, for_s=20
        )
        if pending is None or pending.code:
            return
        for each in pending.body["withdrawals"]:
            path = f"/ops/withdrawals/{each['id']}"
            is_paid = self.draws.happens(0.5)
            for _ in range(action.row + 1):
                if is_paid:
                    paid = {"reference": f"tx-{each['id']}"}
                    await self._order("paid", f"{path}/paid", paid)
                else:
                    await self._order("rejected", f"{path}/rejected", {"reason": "drill"})

    # The machine

    async def _restart(self, action: Action) -> None:
        path = f"/ops/actors/{action.way}/restart"
        await self._order("restart", path, {"reason": "drill"}, within_s=RESTART_WITHIN_S)

    async def _upkeep(self, action: Action) -> None:
        path = f"/ops/{action.way}"
        await self._order(action.way, path, {"reason": "drill"}, within_s=RESTART_WITHIN_S)
