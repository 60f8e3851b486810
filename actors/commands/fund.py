"""`tapgrid fund`: credit the wallets of a file, once each, whether the venue runs or not.

A venue that runs holds the lock of its folder, and its Batcher is the only writer: then the
deposits go through its API. Otherwise this takes the lock and writes through the same ledger code.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

import attrs
import trio

from actors.commands.exits import OK, REFUSED, WRONG, CannotDo
from actors.commands.folder import running_venue
from actors.commands.on_record import OnRecord, on_record, typed_by
from actors.commands.progress import Progress
from actors.commands.venue_client import VenueClient
from db.data_folder import DataFolder, FolderInUse
from db.sqlite_ledger import LedgerBroken
from db.wallet_signatures import keccak_256
from db.weekly_ledger import WeeklyLedger, open_current
from domain.caps import HouseCaps
from domain.refusals import Refusal
from protocols.audit_log import Figure
from protocols.client_ops import DepositRequest
from protocols.deposit_file import Line, parse_deposits
from protocols.money import Deposit, Deposited, MoneyOutcome
from supervisor.chance import SystemChance
from supervisor.clock import Clock, SystemClock

BY: Final = "tapgrid fund"
DEPOSITS_PER_COMMIT: Final = 100
FILE_BYTES_MAX: Final = 64 * 1024 * 1024
WAIT_AND_TRY_AGAIN: Final = frozenset({429, 503, 504})
TRIES_MAX: Final = 10
WAIT_S_MAX: Final = 10.0


class Kind(Enum):
    """What became of a line."""

    CREDITED = "credited"
    REPEATED = "credited before"
    REFUSED = "refused"


@attrs.frozen
class End:
    """What became of a line, and why if it was refused."""

    kind: Kind
    why: str = ""


def fund(file: Path, *, data: Path, token: str, out: TextIO, progress: TextIO) -> int:
    """Credit every line of `file`. WRONG if the ledger refused some; the others are credited.

    A file with any bad line credits nobody.
    """
    lines = read_lines(file)
    folder = DataFolder.existing(data)
    count = Counter[Kind]()
    with Progress("deposits", total=len(lines), stream=progress) as drawn:
        for line, end in zip(lines, _credit(folder, file, lines, token=token), strict=True):
            count[end.kind] += 1
            if end.kind is Kind.REFUSED:
                out.write(f"{file}:{line.number}: {end.why}\n")
            drawn.step()
    out.write(", ".join(f"{count[kind]:,} {kind.value}" for kind in Kind) + "\n")
    return WRONG if count[Kind.REFUSED] else OK


def read_lines(file: Path) -> tuple[Line, ...]:
    """The deposits of a file. Raises CannotDo that names every bad line."""
    try:
        with file.open("rb") as opened:
            content = opened.read(FILE_BYTES_MAX + 1)
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CannotDo(f"{file} can't be read: {error}", REFUSED) from error
    if len(content) > FILE_BYTES_MAX:
        raise CannotDo(f"{file} is longer than {FILE_BYTES_MAX:,} bytes", REFUSED)
    lines, bad = parse_deposits(text, keccak=keccak_256)
    if bad:
        faults = "\n".join(f"{file}:{entry.number}: {entry.why}" for entry in bad)
        raise CannotDo(f"{faults}\nnobody was credited", REFUSED)
    if not lines:
        raise CannotDo(f"{file} names no wallet", REFUSED)
    return lines


def _credit(folder: DataFolder, file: Path, lines: Sequence[Line], *, token: str) -> Iterator[End]:
    """What became of each line, in order."""
    try:
        with folder.lock(), _on_record(folder, file, lines) as told:
            count = Counter[Kind]()
            for end in _through_ledger(folder, lines, clock=SystemClock()):
                count[end.kind] += 1
                told.figures = {kind.name.lower(): count[kind] for kind in Kind}
                yield end
    except FolderInUse:
        venue = running_venue(folder, token=token)
        for line in lines:
            yield _through_venue(venue, line.deposit)


def _on_record(
    folder: DataFolder, file: Path, lines: Sequence[Line]
) -> AbstractContextManager[OnRecord]:
    """One action for the file: its deposits bear its content in their references."""
    figures: dict[str, Figure] = {
        "deposits": len(lines),
        "amount_micros": sum(line.deposit.amount_micros for line in lines),
        "first_reference": lines[0].deposit.reference,
    }
    return on_record(folder, by=typed_by(BY), what="fund", subject=str(file), figures=figures)


def _through_venue(venue: VenueClient, deposit: DepositRequest) -> End:
    """Post one deposit; again where waiting helps, which its reference makes harmless."""
    body = {
        "wallet": deposit.wallet,
        "amount_micros": deposit.amount_micros,
        "reference": deposit.reference,
        "reason": BY,
    }
    for _ in range(TRIES_MAX):
        status, answer = venue.post("/ops/deposits", body)
        if status not in WAIT_AND_TRY_AGAIN:
            break
        trio.run(trio.sleep, min(float(answer.get("retry_after", 1)), WAIT_S_MAX))
    if status != 200:
        return End(Kind.REFUSED, f"{answer.get('error')}: {answer.get('message')}")
    return End(Kind.REPEATED if answer.get("repeated") else Kind.CREDITED)


def _through_ledger(folder: DataFolder, lines: Sequence[Line], *, clock: Clock) -> Iterator[End]:
    ledger, _ = open_current(
        folder.money, at_ms=clock.now_ms(), caps=HouseCaps(), chance=SystemChance()
    )
    try:
        _check(ledger)
        rest = iter(lines)
        while batch := list(islice(rest, DEPOSITS_PER_COMMIT)):
            commands = [_command(line.deposit) for line in batch]
            outcomes = ledger.apply(commands, at_ms=clock.now_ms())
            yield from map(_end, outcomes)
    finally:
        ledger.close()


def _check(ledger: WeeklyLedger) -> None:
    """As at every start: nothing is written on top of money that does not add up."""
    try:
        ledger.recover()
    except LedgerBroken as broken:
        raise CannotDo(f"the money does not add up, see integrity: {broken}", WRONG) from broken


def _command(deposit: DepositRequest) -> Deposit:
    return Deposit(
        wallet=deposit.wallet,
        amount_micros=deposit.amount_micros,
        reference=deposit.reference,
        by=BY,
    )


def _end(outcome: MoneyOutcome) -> End:
    match outcome:
        case Deposited():
            return End(Kind.REPEATED if outcome.repeated else Kind.CREDITED)
        case Refusal():
            why = outcome.message or outcome.meaning.message
            return End(Kind.REFUSED, f"{outcome.code}: {why}")
        case _:
            return End(Kind.REFUSED, repr(outcome))
