"""`tapgrid integrity`: does the money add up, in each week's file, between them and over all?"""

from collections.abc import Collection
from pathlib import Path
from typing import TextIO

from actors.commands.exits import OK, WRONG
from actors.commands.folder import archived_weeks, ledger_reader, missing_line
from db.weekly_check import WeekChecked, check_weeks


def integrity(*, data: Path, out: TextIO) -> int:
    """Check all files that are here, while a venue may run on them. WRONG if anything drifts.

    What is found is written as soon as a file has been checked.
    """
    with ledger_reader(data) as reader:
        weeks, archived = reader.weeks(), archived_weeks(data)
        is_alone = len(weeks.newest_first) == 1
        found: list[WeekChecked] = []
        for checked in check_weeks(weeks):
            found.append(checked)
            out.writelines(f"{line}\n" for line in week_lines(checked, archived, is_alone=is_alone))
    out.write(f"{summary_line(found)}\n")
    return OK if faults_in(found) == 0 else WRONG


def week_lines(
    week: WeekChecked, archived: Collection[str], *, is_alone: bool = False
) -> list[str]:
    """Each drift, then what was checked. Of the only week there is the summary says that."""
    report = week.report
    if report is None:
        missing = missing_line(week.name, archived)
        return [f"{week.name}: can't be read: {week.unreadable}" if week.unreadable else missing]
    if is_alone:
        return [drift.text for drift in report.drifts]
    faults = f"{len(report.drifts)} drifts" if report.drifts else "zero drift"
    rows = f"{report.ledger_rows:,} ledger rows, {report.bets:,} bets"
    lines = [*(drift.text for drift in report.drifts), f"{rows}: {faults}"]
    return [f"{week.name}: {line}" for line in lines]


def summary_line(weeks: list[WeekChecked]) -> str:
    """What was checked in all, and how much is wrong. A carried bet counts in each of its files."""
    reports = [week.report for week in weeks if week.report is not None]
    checked = (
        f"checked {reports[-1].accounts:,} accounts, "
        f"{sum(report.ledger_rows for report in reports):,} ledger rows, "
        f"{sum(report.bets for report in reports):,} bets"
    )
    faults = faults_in(weeks)
    return f"{checked}: {f'{faults} drifts' if faults else 'zero drift'}"


def faults_in(weeks: list[WeekChecked]) -> int:
    """Drifts, and files that can't be read."""
    drifts = sum(len(week.report.drifts) for week in weeks if week.report is not None)
    return drifts + sum(1 for week in weeks if week.unreadable)
