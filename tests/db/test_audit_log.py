"""The audit log as a file: on disk, in order, whole after a crash."""

import os
import stat
from pathlib import Path

import attrs
import pytest

from db.audit_log import FileAuditLog, whole_lines
from protocols.audit_log import (
    Action,
    AuditEntry,
    AuditLogUnreadable,
    AuditLogUnwritable,
    Outcome,
    SetAside,
    check_chain,
    sha256_of,
)
from tests.support.steps import stepping

HOLD = Action(by="ann", what="hold", why="drill")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
def log(file: Path) -> FileAuditLog:
    return FileAuditLog(file)


def checked(file: Path) -> list[AuditEntry]:
    """All entries; the chain must hold."""
    return list(check_chain(whole_lines(file)))


def numbers(entries: tuple[AuditEntry, ...]) -> list[int]:
    return [entry.n for entry in entries]


# --- writing ------------------------------------------------------------------------------------


def test_entries_make_a_chain(log: FileAuditLog, file: Path) -> None:
    first = log.write(HOLD, at_ms=5)
    second = log.write(Outcome(of=first.n, status=200), at_ms=6)
    assert (first.n, second.n) == (1, 2)
    assert second.prev == first.sha256
    assert checked(file) == [first, second]


def test_the_next_life_goes_on_where_the_last_one_stopped(log: FileAuditLog, file: Path) -> None:
    log.write(HOLD, at_ms=5)
    FileAuditLog(file).write(HOLD, at_ms=6)
    assert [entry.n for entry in checked(file)] == [1, 2]


def test_only_its_owner_may_read_it(log: FileAuditLog, file: Path) -> None:
    log.write(HOLD, at_ms=5)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_an_entry_is_synced_before_it_is_told(
    log: FileAuditLog, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so is the folder, while the file may be new."""
    synced: list[str] = []

    def fsync(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))

    monkeypatch.setattr(os, "fsync", fsync)
    log.write(HOLD, at_ms=5)
    assert synced == [str(file.parent), str(file)]
    log.write(HOLD, at_ms=6)
    assert synced[2:] == [str(file)]


def test_a_log_that_was_moved_away_is_begun_anew(log: FileAuditLog, file: Path) -> None:
    log.write(HOLD, at_ms=5)
    file.rename(file.with_name("audit-2026.jsonl"))
    assert log.write(HOLD, at_ms=6).n == 1


# --- what can't be written ----------------------------------------------------------------------


def test_a_folder_in_its_place_is_told(log: FileAuditLog, file: Path) -> None:
    file.mkdir()
    with pytest.raises(AuditLogUnwritable, match=r"audit\.jsonl can't be written"):
        log.write(HOLD, at_ms=5)


def test_a_disk_that_takes_a_part_leaves_nothing(
    log: FileAuditLog, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, write = log.write(HOLD, at_ms=5), os.write
    monkeypatch.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:9]))
    with pytest.raises(AuditLogUnwritable, match="a part of the line"):
        log.write(HOLD, at_ms=6)
    monkeypatch.undo()
    assert checked(file) == [first]
    assert log.write(HOLD, at_ms=7).n == 2


def test_a_sync_that_fails_leaves_nothing(
    log: FileAuditLog, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = log.write(HOLD, at_ms=5)

    def fsync(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(AuditLogUnwritable, match="Input/output error"):
        log.write(HOLD, at_ms=6)
    monkeypatch.undo()
    assert checked(file) == [first]


@pytest.mark.parametrize("last", [b"{}\n", b"\n", b"\x00" * 100_000, b"x" * 100_000 + b"\n"])
def test_nothing_is_written_after_a_line_that_is_none(
    log: FileAuditLog, file: Path, last: bytes
) -> None:
    """Its number and hash are not known, so nothing could follow it."""
    log.write(HOLD, at_ms=5)
    with file.open("ab") as opened:
        opened.write(last)
    before = file.read_bytes()
    with pytest.raises(AuditLogUnwritable):
        log.write(HOLD, at_ms=6)
    assert file.read_bytes() == before


# --- a line that was cut off --------------------------------------------------------------------


@pytest.mark.parametrize("torn", [b'{"n":2,"prev":"0', b"\x00" * 300, b"\xff{"])
def test_a_torn_line_is_set_aside_and_noted(log: FileAuditLog, file: Path, torn: bytes) -> None:
    first = log.write(HOLD, at_ms=5)
    with file.open("ab") as opened:
        opened.write(torn)
    third = log.write(HOLD, at_ms=6)
    aside = file.with_name("audit.jsonl.torn-2")
    content = aside.read_bytes()
    assert content == torn.decode("ascii", "backslashreplace").encode()
    note = SetAside(file=aside.name, bytes=len(content), file_sha256=sha256_of(content))
    assert [entry.fact for entry in checked(file)] == [HOLD, note, HOLD]
    assert (first.n, third.n) == (1, 3)


def test_a_log_that_holds_a_torn_first_line_only(log: FileAuditLog, file: Path) -> None:
    file.write_bytes(b'{"n":1')
    assert log.write(HOLD, at_ms=6).n == 2
    assert isinstance(checked(file)[0].fact, SetAside)


def test_a_torn_line_is_noted_once(log: FileAuditLog, file: Path) -> None:
    file.write_bytes(b'{"n":1')
    log.write(HOLD, at_ms=6)
    log.write(HOLD, at_ms=7)
    assert [type(entry.fact) for entry in checked(file)] == [SetAside, Action, Action]


def test_a_crash_before_the_note_loses_neither_part_nor_note(log: FileAuditLog, file: Path) -> None:
    """The part is in its own file, the log is cut, and the note is still to be written."""
    log.write(HOLD, at_ms=5)
    file.with_name("audit.jsonl.torn-2").write_text('{"n":2')
    log.write(HOLD, at_ms=6)
    assert [type(entry.fact) for entry in checked(file)] == [Action, SetAside, Action]


def test_a_crash_in_the_note_loses_neither_part_nor_note(log: FileAuditLog, file: Path) -> None:
    log.write(HOLD, at_ms=5)
    aside = file.with_name("audit.jsonl.torn-2")
    aside.write_text('{"n":2,"the":"part"')
    with file.open("ab") as opened:
        opened.write(b'{"n":2,"prev":"half a note')
    log.write(HOLD, at_ms=6)
    assert aside.read_text() == '{"n":2,"the":"part"'
    assert [type(entry.fact) for entry in checked(file)] == [Action, SetAside, Action]


# --- reading ------------------------------------------------------------------------------------


def test_a_log_that_was_never_written_is_an_empty_page(log: FileAuditLog) -> None:
    assert log.page() == ()


def test_pages_go_from_the_newest_to_the_first(log: FileAuditLog) -> None:
    entries = [log.write(HOLD, at_ms=at) for at in range(7)]
    assert log.page(limit=3) == tuple(entries[:3:-1])
    assert numbers(log.page(before=5, limit=3)) == [4, 3, 2]
    assert numbers(log.page(before=2, limit=3)) == [1]
    assert log.page(before=1, limit=3) == ()


def test_a_cursor_beyond_the_end_is_the_newest_page(log: FileAuditLog) -> None:
    log.write(HOLD, at_ms=5)
    assert numbers(log.page(before=10**9)) == [1]


def test_a_torn_line_is_on_no_page(log: FileAuditLog, file: Path) -> None:
    log.write(HOLD, at_ms=5)
    with file.open("ab") as opened:
        opened.write(b'{"n":2')
    assert numbers(log.page()) == [1]
    assert numbers(log.page(before=2)) == [1]


@pytest.mark.slow
def test_every_page_of_a_long_log_is_found(
    log: FileAuditLog, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines of all lengths, over many blocks."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    for n in range(1_500):
        log.write(attrs.evolve(HOLD, why="y" * (n * 37 % 4_000 + 1)), at_ms=n)
    assert file.stat().st_size > 20 * 65_536
    assert numbers(log.page(limit=200)) == list(range(1_500, 1_300, -1))
    for before in range(2, 1_500, 13):
        wanted = range(before - 1, max(0, before - 11), -1)
        assert numbers(log.page(before=before, limit=10)) == list(wanted)


def test_a_page_with_a_line_that_is_none_is_told(log: FileAuditLog, file: Path) -> None:
    log.write(HOLD, at_ms=5)
    with file.open("ab") as opened:
        opened.write(b"{}\n")
    with pytest.raises(AuditLogUnreadable, match="can't be read"):
        log.page()


def test_whole_lines_leave_out_what_is_being_written(log: FileAuditLog, file: Path) -> None:
    log.write(HOLD, at_ms=5)
    with file.open("ab") as opened:
        opened.write(b'{"n":2')
    assert len(list(whole_lines(file))) == 1


# --- killed -------------------------------------------------------------------------------------


class Killed(BaseException):
    """Nothing that the process had still to do is done."""


def test_a_crash_at_any_step_loses_no_line_and_no_part(tmp_path: Path) -> None:
    """With what was written and not synced there as a whole, in part, or not at all."""
    torn, at = b'{"n":2,"the":"part"', 0
    while True:
        at += 1
        for kept in (1.0, 0.5, 0.0):
            folder = tmp_path / f"{at}-{kept}"
            folder.mkdir()
            file = folder / "audit.jsonl"
            FileAuditLog(file).write(HOLD, at_ms=5)
            safe = file.stat().st_size
            with file.open("ab") as opened:
                opened.write(torn)
            ended = _killed_before(at, file)
            size = file.stat().st_size
            os.truncate(file, max(safe, size - round((size - safe) * (1 - kept))))
            FileAuditLog(file).write(HOLD, at_ms=7)
            kinds = [type(entry.fact) for entry in checked(file)]
            assert kinds[0] is kinds[-1] is Action
            if at > 3 or kept == 1.0:  # the part has a file of its own by the third sync
                assert file.with_name("audit.jsonl.torn-2").read_bytes() == torn
                assert kinds[1] is SetAside
        if ended:
            assert at > 4
            return


def _killed_before(number: int, file: Path) -> bool:
    """Write an entry, and die before that step; False. Or True: there are not so many."""

    def act(step: int, _: str) -> None:
        if step == number:
            raise Killed

    try:
        with stepping(act):
            FileAuditLog(file).write(HOLD, at_ms=6)
    except Killed:
        return False
    return True
