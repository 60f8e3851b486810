"""The operator: holds, voids, freezes, pays, restarts. What he begins he ends, whatever it takes.

Each order is safe to repeat, so one whose answer is lost is given again.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import attrs
import trio

from simulation.actions import OPERATOR
from simulation.orders import HOUSE, order_of
from simulation.people.board import Board
from simulation.people.books import Json
from simulation.people.dealings import ADJUSTMENT, BANKROLL, DEPOSIT, Booked, Decided
from simulation.people.person import Person
from simulation.people.trader import Trader
from simulation.people.wallets import USD
from simulation.process import OPS_TOKEN
from simulation.scenario import Action, ActionKind
from simulation.wire import HttpAnswer
from simulation.world import World

RESTART_WITHIN_S: Final = 40.0
UNTIL_DONE_S: Final = 200.0
"""For what must be undone: longer than any fault lasts."""
ARTICLES: Final = {"deposit": "a_deposit", "adjust": "an_adjustment", "bankroll": "a_payment"}
"""How what was done is called."""


@attrs.define
class Undoings:
    """Releases of a hold, or of a freeze: one that is on its way may end it at any moment, and one
    that was on its way at any moment may have come after it."""

    begun: int = 0
    ended: int = 0

    def mark(self) -> int | None:
        """How many there were; None while one is on its way."""
        return self.begun if self.begun == self.ended else None

    def none_since(self, mark: int | None) -> bool:
        """Was none on its way then, and none since?"""
        return mark == self.begun


class Operator(Person):
    """With a token of his own."""

    def __init__(self, world: World, traders: Sequence[Trader], board: Board) -> None:
        super().__init__(world, OPERATOR)
        self._traders = traders
        self.booked: dict[str, Booked] = {}
        """Money that he has moved, by its reference."""
        self.decided: dict[str, Decided] = {}
        """What he has said of traders' withdrawals, by their ids."""
        self._board = board
        self._releases = Undoings()
        self._unfreezes: defaultdict[int, Undoings] = defaultdict(Undoings)
        """By trader."""
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

    async def get(self, path: str) -> HttpAnswer:
        """What is there, when all is calm."""
        answer = await self.insist("GET", path, token=OPS_TOKEN)
        if answer is None:
            self.world.violated("no_answer_in_the_calm", path)
            await trio.sleep_forever()
        assert answer is not None, "a violation ends the run"
        return answer

    async def _order(
        self, what: str, path: str, body: Json, *, for_s: float = 30.0, within_s: float = 12.0
    ) -> HttpAnswer | None:
        answer = await self.insist(
            "POST", path, body, token=OPS_TOKEN, for_s=for_s, within_s=within_s
        )
        code = "lost" if answer is None else answer.code
        self.happened(f"order.{what}.{code or 'done'}")
        if not code:
            self.world.orders_done.append(order_of(path, body))
        return answer

    async def _hold(self, action: Action) -> None:
        mark = self._releases.mark()
        answer = await self._order("hold", "/ops/hold", {"reason": "drill"})
        if answer is not None and not answer.code and self._releases.none_since(mark):
            self._board.held_since_s = trio.current_time()
        await trio.sleep(action.amount)
        self._board.held_since_s = None
        self._releases.begun += 1
        await self._undo("release", "/ops/release", {"reason": "the drill is over"})
        self._releases.ended += 1

    async def _undo(self, what: str, path: str, body: Json) -> None:
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
        unfreezes = self._unfreezes[trader.who]
        mark = unfreezes.mark()
        answer = await self._order("freeze", f"/ops/users/{wallet}/freeze", {"reason": "drill"})
        if answer is not None and answer.code:
            return
        if answer is not None and unfreezes.none_since(mark):
            trader.bounds.frozen_since_s = trio.current_time()
        await trio.sleep(action.amount)
        trader.bounds.frozen_since_s = None
        unfreezes.begun += 1
        await self._undo("unfreeze", f"/ops/users/{wallet}/unfreeze", {"reason": "over"})
        unfreezes.ended += 1

    def _trader(self, action: Action) -> Trader:
        return self._traders[action.column % len(self._traders)]

    def _wallet(self, action: Action) -> str:
        return self._trader(action).wallet.address

    # Money

    async def _deposit(self, action: Action) -> None:
        micros = action.amount * USD
        reference = await self._move("deposit", DEPOSIT, self._wallet(action), micros)
        if action.row:
            await self._again("deposit", reference)

    async def _adjust(self, action: Action) -> None:
        micros = action.amount * USD
        reference = await self._move("adjust", ADJUSTMENT, self._wallet(action), micros)
        if action.row:
            await self._again("adjust", reference)

    async def _bankroll(self, action: Action) -> None:
        micros = action.amount * USD
        reference = await self._move("bankroll", BANKROLL, HOUSE, micros)
        if action.row:
            await self._again("bankroll", reference)
        await trio.sleep(5)
        await self._move("deposit", DEPOSIT, HOUSE, micros)

    async def _move(self, what: str, path: str, wallet: str, amount_micros: int) -> str:
        self._orders += 1
        reference = f"simulated-{what}-{self._orders}"
        booked = Booked(path=path, wallet=wallet, amount_micros=amount_micros)
        self.booked[reference] = booked
        answer = await self._book(what, reference, amount_micros)
        booked.is_refused = answer is not None and bool(answer.code)
        if answer is not None and not answer.code:
            booked.answered(answer.body, self.world.violated)
        return reference

    async def _book(self, what: str, reference: str, amount_micros: int) -> HttpAnswer | None:
        booked = self.booked[reference]
        body = {"wallet": booked.wallet, "amount_micros": amount_micros, "reference": reference}
        return await self._order(what, booked.path, {**body, "reason": "drill"})

    async def _again(self, what: str, reference: str) -> None:
        """The same reference once more: nothing is done twice, and no other amount by it."""
        booked = self.booked[reference]
        was_certain = booked.is_certain
        answer = await self._book(f"{what}_again", reference, booked.amount_micros)
        if answer is None or answer.code:
            return
        booked.answered(answer.body, self.world.violated)
        if was_certain and not answer.body["repeated"]:
            self.world.violated(f"{ARTICLES[what]}_twice", (reference, answer.body))
        other = await self._book(f"{what}_other", reference, booked.amount_micros + 1)
        if other is not None and not other.code:
            self.world.violated("one_reference_two_amounts", (reference, other.body))

    async def _decide(self, action: Action) -> None:
        pending = await self.insist(
            "GET", "/ops/withdrawals?status=pending", token=OPS_TOKEN, for_s=20
        )
        if pending is None or pending.code:
            return
        for each in pending.body["withdrawals"]:
            status = "paid" if self.draws.happens(0.5) else "rejected"
            for _ in range(action.row + 1):
                await self._decide_one(each, status)
            if action.row and status == "paid":
                await self._pay_elsewhere(each["id"])

    async def _decide_one(self, pending: Json, status: str) -> None:
        withdrawal_id = pending["id"]
        reference = f"tx-{withdrawal_id}" if status == "paid" else ""
        decided = self.decided.setdefault(withdrawal_id, Decided({}))
        decided.tried[status] = reference
        body = {"reference": reference} if reference else {"reason": "drill"}
        answer = await self._order(status, f"/ops/withdrawals/{withdrawal_id}/{status}", body)
        if answer is not None and not answer.code:
            decided.answered(pending, status, answer.body, self.world.violated)

    async def _pay_elsewhere(self, withdrawal_id: str) -> None:
        """Paid a second time, it seems: somebody must hear of it."""
        if self.decided[withdrawal_id].status == "paid":
            body = {"reference": f"tx-{withdrawal_id}-elsewhere"}
            path = f"/ops/withdrawals/{withdrawal_id}/paid"
            answer = await self._order("paid_elsewhere", path, body)
            if answer is not None and answer.code != "reference_conflict":
                self.world.violated("one_withdrawal_paid_twice", (withdrawal_id, answer.body))

    # The machine

    async def _restart(self, action: Action) -> None:
        path = f"/ops/actors/{action.way}/restart"
        await self._order("restart", path, {"reason": "drill"}, within_s=RESTART_WITHIN_S)

    async def _upkeep(self, action: Action) -> None:
        path = f"/ops/{action.way}"
        await self._order(action.way, path, {"reason": "drill"}, within_s=RESTART_WITHIN_S)
