"""`tapgrid integrity --rebuild USER --reason TEXT`: set a balance to the sum of its ledger rows.

The one correction of money that there is outside of its rules, so it is an operator's: he says why,
and a ledger row of nothing keeps who, why and the balance before. A venue that runs is the only
writer, so it is asked through its API; otherwise this takes the folder's lock and writes through
the same ledger code, without the check of a start, which would refuse just the money that it mends.
"""

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final, TextIO

from actors.commands.exits import NO_FOLDER, REFUSED, UNREACHABLE, CannotDo
from actors.commands.folder import running_venue
from actors.commands.integrity import integrity
from actors.commands.on_record import OnRecord, on_record, typed_by
from actors.commands.venue_client import VenueClient
from db.data_folder import DataFolder, FolderInUse
from db.partition import current_file
from db.wallet_signatures import keccak_256
from db.weekly_ledger import WeeklyLedger
from domain.caps import HouseCaps
from domain.refusals import Refusal
from domain.units import Micros
from protocols.client_ops import REBUILD, RebuildRequest
from protocols.money import BalanceRebuilt, MoneyOutcome, RebuildBalance
from supervisor.chance import SystemChance
from supervisor.clock import SystemClock

NO_ANSWER_YET: Final = frozenset({429, 503, 504})


def rebuild(user: str, reason: str, *, data: Path, token: str, out: TextIO) -> int:
    """Rebuild one balance, then check everything. WRONG if something still does not add up."""
    asked = REBUILD.parse({"wallet": user, "reason": reason}, keccak=keccak_256)
    if isinstance(asked, Refusal):
        raise CannotDo(_words(asked), REFUSED)
    folder = DataFolder.existing(data)
    if current_file(folder.money) is None:
        raise CannotDo(f"{data} holds no ledger yet: start the venue once", NO_FOLDER)
    try:
        with folder.lock(), _on_record(folder, asked):
            done = _through_ledger(folder, asked)
    except FolderInUse:
        done = _through_venue(running_venue(folder, token=token), asked)
    out.write(_report(done) + "\n")
    return integrity(data=data, out=out)


def _on_record(folder: DataFolder, asked: RebuildRequest) -> AbstractContextManager[OnRecord]:
    return on_record(folder, by=_operator(), what="rebuild", subject=asked.wallet, why=asked.reason)


def _through_ledger(folder: DataFolder, asked: RebuildRequest) -> BalanceRebuilt:
    at_ms = SystemClock().now_ms()
    try:
        ledger = WeeklyLedger.open(
            folder.money, at_ms=at_ms, caps=HouseCaps(), chance=SystemChance()
        )
        try:
            command = RebuildBalance(wallet=asked.wallet, by=_operator(), why=asked.reason)
            (outcome,) = ledger.apply([command], at_ms=at_ms)
        finally:
            ledger.close()
    except sqlite3.DatabaseError as error:
        raise CannotDo(f"the ledger in {folder.money} can't be used: {error}", NO_FOLDER) from error
    return _expected(outcome)


def _through_venue(venue: VenueClient, asked: RebuildRequest) -> BalanceRebuilt:
    body = {"wallet": asked.wallet, "reason": asked.reason}
    status, answer = venue.post("/ops/integrity/rebuild", body)
    if status != 200:
        why = f"{answer.get('error')}: {answer.get('message')}"
        if status in NO_ANSWER_YET:
            why += " Once more does no harm: what has been rebuilt is not rebuilt again."
        raise CannotDo(why, UNREACHABLE if status in NO_ANSWER_YET else REFUSED)
    return _from_json(answer)


def _from_json(answer: dict[str, Any]) -> BalanceRebuilt:
    return BalanceRebuilt(
        wallet=answer["wallet"],
        before_micros=answer["balance_before_micros"],
        after_micros=answer["balance_micros"],
        rowid=answer["noted_in_row"],
    )


def _expected(outcome: MoneyOutcome) -> BalanceRebuilt:
    if isinstance(outcome, BalanceRebuilt):
        return outcome
    raise CannotDo(_words(outcome) if isinstance(outcome, Refusal) else repr(outcome), REFUSED)


def _words(refusal: Refusal) -> str:
    return f"{refusal.code}: {refusal.message or refusal.meaning.message}"


def _operator() -> str:
    return typed_by("tapgrid integrity")


def _report(done: BalanceRebuilt) -> str:
    if done.rowid is None:
        what = f"{_usd(done.before_micros)} is the sum of its ledger rows"
        return f"{done.wallet}: {what}; nothing was changed"
    change = f"{_usd(done.before_micros)} before, {_usd(done.after_micros)} now"
    return f"{done.wallet}: {change}; noted in ledger row {done.rowid}"


def _usd(micros: Micros) -> str:
    """To the last micro."""
    sign = "-" if micros < 0 else ""
    return f"{sign}{abs(micros) // 10**6:,}.{abs(micros) % 10**6:06} USD"
