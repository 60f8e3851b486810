"""`tapgrid integrity`: does the money add up?"""

from pathlib import Path
from typing import TextIO

from actors.commands.exits import OK, WRONG
from actors.commands.folder import ledger_reader
from protocols.accounts import IntegrityReport


def integrity(*, data: Path, out: TextIO) -> int:
    """Check the whole ledger, while a venue may run on it. WRONG if anything drifts."""
    with ledger_reader(data) as reader:
        report = reader.integrity()
    out.write("\n".join(report_lines(report)) + "\n")
    return OK if report.clean else WRONG


def report_lines(report: IntegrityReport) -> list[str]:
    """Each drift, then what was checked and how many there are."""
    drifts = [drift.text for drift in report.drifts]
    checked = (
        f"checked {report.accounts:,} accounts, {report.ledger_rows:,} ledger rows, "
        f"{report.bets:,} bets"
    )
    return [*drifts, f"{checked}: {'zero drift' if report.clean else f'{len(drifts)} drifts'}"]
