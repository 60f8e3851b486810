"""What happens once per reference: deposits, adjustments, withdrawals, each against its rows of the
ledger."""

from collections import Counter
from collections.abc import Callable
from typing import Final

from simulation.oracle.ledger_file import (
    EXTERNAL,
    HOUSE,
    Entry,
    Given,
    LedgerFile,
    News,
    Withdrawal,
)

Found = Callable[[str, object], None]

DECIDED: Final = {"pending": ("paid", "rejected"), "paid": (), "rejected": ()}


class References:
    """All references ever used."""

    def __init__(self, found: Found) -> None:
        self._found = found
        self.deposits: dict[str, Given] = {}
        self.adjustments: dict[str, Given] = {}
        self.withdrawals: dict[str, Withdrawal] = {}
        self._nonces: dict[tuple[int, str], str] = {}
        self._posted: Counter[str] = Counter()
        """What was posted for each withdrawal to whose it is."""

    def take(self, news: News) -> None:
        """Each with its rows, and no row without."""
        deposits = _posted(news.entries, "DEPOSIT", against=EXTERNAL)
        self._given("deposit", news.deposits, self.deposits, deposits)
        # A note of a rebuilt balance moves nothing.
        adjustments = _posted([row for row in news.entries if row.amount], "ADJUSTMENT", HOUSE)
        self._given("adjustment", news.adjustments, self.adjustments, adjustments)
        self._withdrawals(news)

    def _given(
        self, what: str, new: list[Given], known: dict[str, Given], posted: list[Entry]
    ) -> None:
        left = [(row.ref_id, row.user_id, row.amount) for row in posted]
        for given in new:
            if given.reference in known:
                self._found(f"{what}_twice", f"{known[given.reference]} and {given}")
            known[given.reference] = given
            row = (given.reference, given.user_id, given.amount_micros)
            if row in left:
                left.remove(row)
            else:
                self._found(f"{what}_not_posted", given)
        for row in left:
            self._found(f"{what}_without_reference", row)

    def _withdrawals(self, news: News) -> None:
        touched: dict[str, None] = {}
        for row in _posted(news.entries, "WITHDRAWAL", against=EXTERNAL):
            self._posted[row.ref_id] += row.amount
            touched[row.ref_id] = None
        if len(news.withdrawals) < len(self.withdrawals):
            self._found("withdrawal_lost", f"{len(self.withdrawals)} -> {len(news.withdrawals)}")
        for after in news.withdrawals:
            before = self.withdrawals.get(after.id)
            if before == after and after.id not in touched:
                continue
            touched.pop(after.id, None)
            self._changed(before, after)
        for withdrawal_id in touched:
            self._found("withdrawal_without_request", withdrawal_id)

    def _changed(self, before: Withdrawal | None, after: Withdrawal) -> None:
        self.withdrawals[after.id] = after
        if before is None:
            first = self._nonces.setdefault((after.user_id, after.nonce), after.id)
            if first != after.id:
                self._found("withdrawn_twice", f"{first} and {after}")
        elif before.asked() != after.asked() or (
            before != after and after.status not in DECIDED[before.status]
        ):
            self._found("withdrawal_changed", f"{before} -> {after}")
        taken = 0 if after.status == "rejected" else after.amount_micros
        if self._posted[after.id] != -taken:
            self._found("withdrawal_not_posted", f"{after}: {self._posted[after.id]}")

    def turn(self, file: LedgerFile, found: Found) -> None:
        """A new week's file must know them all."""
        for table, known in (("deposits", self.deposits), ("adjustments", self.adjustments)):
            sql = f"SELECT rowid, reference, user_id, amount_micros FROM {table} ORDER BY rowid"
            rows = [Given(*row) for row in file.rows(sql)]
            carried = {row.reference: row[1:] for row in rows[: len(known)]}
            if carried != {reference: row[1:] for reference, row in known.items()}:
                found(f"{table}_not_carried", f"{sorted(carried)}, not {sorted(known)}")
            last = rows[len(known) - 1].rowid if known and len(rows) >= len(known) else 0
            if table == "deposits":
                file.last_deposit = last
            else:
                file.last_adjustment = last


def _posted(entries: list[Entry], kind: str, against: int) -> list[Entry]:
    """Rows of that kind, without those of the account against which they stand."""
    return [row for row in entries if row.ref_type == kind and row.user_id != against]
