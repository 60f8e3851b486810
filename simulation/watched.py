"""The ledger with an observer around it: what is about to be written is seen when it was judged,
and each commit is looked at before anybody hears of it."""

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

import attrs

from protocols.money import LedgerCommand, MoneyOutcome
from protocols.ports import Ledger, Recovered, Worker

T = TypeVar("T")

Committed: TypeAlias = Callable[[Sequence[LedgerCommand], Sequence[MoneyOutcome], int], None]
"""Told the commands, their outcomes, and the time by which they were judged."""


@attrs.frozen(kw_only=True)
class WatchedLedger:
    """A Ledger whose commits are told at once."""

    ledger: Ledger
    committed: Committed

    def recover(self) -> Recovered:
        return self.ledger.recover()

    def apply(self, commands: Sequence[LedgerCommand], *, at_ms: int) -> Sequence[MoneyOutcome]:
        """As the ledger's own."""
        outcomes = self.ledger.apply(commands, at_ms=at_ms)
        self.committed(commands, outcomes, at_ms)
        return outcomes

    def partition(self) -> str:
        return self.ledger.partition()

    def rotation_failure(self) -> str:
        return self.ledger.rotation_failure()


@attrs.frozen(kw_only=True)
class WatchedWriter:
    """The ledger's worker: tells of each batch in the step in which it was judged."""

    worker: Worker
    recover: Callable[[], Recovered]
    """The one call of it that is no batch."""
    submitted: Callable[[], None]

    async def run(self, call: Callable[[], T]) -> T:
        """As the worker's own."""
        if call != self.recover:
            self.submitted()
        return await self.worker.run(call)
