"""`tapgrid audit` prints what operators did, and finds what was changed in it."""

import json
from io import StringIO
from pathlib import Path

import pytest

from actors.commands.audit import audit, entry_line
from db.audit_log import FileAuditLog
from db.data_folder import DataFolder
from protocols.audit_log import NO_LINE_BEFORE, Action, Outcome, line_of, parse_line
from tests.actors.commands.conftest import START_MS, WALLET, Tapgrid

FREEZE = Action(by="ann", what="freeze", subject=WALLET, why="chargeback", request_id="r1")
DEPOSIT = Action(by="bob", what="deposit", subject=WALLET, figures={"amount_micros": 5})


@pytest.fixture
def file(data: Path) -> Path:
    """Two orders, the second of which was refused."""
    file = DataFolder.existing(data).audit_file
    log = FileAuditLog(file)
    log.write(FREEZE, at_ms=START_MS)
    log.write(Outcome(of=1, status=200), at_ms=START_MS + 1)
    log.write(DEPOSIT, at_ms=START_MS + 2000)
    log.write(Outcome(of=3, code="reference_conflict", status=409), at_ms=START_MS + 2001)
    return file


def test_it_prints_who_did_what_and_why_and_what_became_of_it(
    tapgrid: Tapgrid, data: Path, file: Path
) -> None:
    said = tapgrid("audit", "--data", data)
    assert said.code == 0
    assert said.out.splitlines() == [
        f"     1  2026-02-03 06:26:40 UTC  ann: freeze {WALLET}  because chargeback",
        "     2  2026-02-03 06:26:40 UTC    -> 1: done",
        f"     3  2026-02-03 06:26:42 UTC  bob: deposit {WALLET}  amount_micros=5",
        "     4  2026-02-03 06:26:42 UTC    -> 3: reference_conflict (409)",
    ]
    last = parse_line(file.read_bytes().splitlines()[-1])
    assert said.err == f"checked 4 lines: the chain holds; the last is {last.sha256}\n"


def test_as_json_the_lines_are_as_they_stand(tapgrid: Tapgrid, data: Path, file: Path) -> None:
    said = tapgrid("audit", "--json", "--data", data)
    assert said.out == file.read_text()
    assert [json.loads(line)["n"] for line in said.out.splitlines()] == [1, 2, 3, 4]


def test_a_reader_that_has_gone_is_no_fault_of_the_file(file: Path) -> None:
    """As with `tapgrid audit | head`."""

    class Gone(StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        audit(data=file.parent, as_json=False, out=Gone(), notes=StringIO())


def test_the_first_line_that_does_not_follow_is_named(
    tapgrid: Tapgrid, data: Path, file: Path
) -> None:
    file.write_bytes(file.read_bytes().replace(b"chargeback", b"good reason"))
    said = tapgrid("audit", "--data", data)
    assert said.code == 1
    assert len(said.out.splitlines()) == 1
    assert "line 2 does not follow the line before" in said.err


def test_a_line_that_is_none_is_named(tapgrid: Tapgrid, data: Path, file: Path) -> None:
    with file.open("ab") as opened:
        opened.write(b"{}\n")
    said = tapgrid("audit", "--data", data)
    assert said.code == 1
    assert "line 5 is no entry" in said.err
    assert "the 4 lines before it" in said.err


def test_a_line_that_is_being_written_is_left_out(tapgrid: Tapgrid, data: Path, file: Path) -> None:
    with file.open("ab") as opened:
        opened.write(b'{"n":5')
    said = tapgrid("audit", "--data", data)
    assert (said.code, len(said.out.splitlines())) == (0, 4)


def test_where_nobody_operated_nothing_is_on_record(tapgrid: Tapgrid, data: Path) -> None:
    said = tapgrid("audit", "--data", data)
    assert (said.code, said.out) == (0, "")
    assert said.err.startswith("nothing is on record")


def test_where_there_is_no_venue(tapgrid: Tapgrid, tmp_path: Path) -> None:
    assert tapgrid("audit", "--data", tmp_path / "none").code == 3


def test_what_an_operator_wrote_can_not_play_with_the_screen() -> None:
    action = Action(by="ann", what="hold", why="\x1b[2J\u202eevil\nline")
    line = entry_line(parse_line(line_of(action, n=1, prev=NO_LINE_BEFORE, at_ms=0)))
    assert line.endswith(r"ann: hold  because \x1b[2J\u202eevil\nline")


# --- what tools do to a venue that is stopped ---------------------------------------------------


def on_record(data: Path) -> list[dict[str, object]]:
    lines = DataFolder.existing(data).audit_file.read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_a_file_of_deposits_is_on_record(tapgrid: Tapgrid, data: Path, tmp_path: Path) -> None:
    file = tmp_path / "wallets.csv"
    file.write_text(f"{WALLET},5,wire-1\n{WALLET},7,wire-2\n")
    tapgrid("fund", file, "--data", data)
    action, outcome = on_record(data)
    assert (action["what"], action["subject"]) == ("fund", str(file))
    assert str(action["by"]).startswith("tapgrid fund, ")
    assert action["figures"] == {
        "deposits": 2,
        "amount_micros": 12,
        "first_reference": "wire-1",
    }
    assert outcome["code"] == "done"
    assert outcome["figures"] == {"credited": 2, "repeated": 0, "refused": 0}


def test_a_rebuild_is_on_record(tapgrid: Tapgrid, data: Path) -> None:
    tapgrid("integrity", "--rebuild", WALLET, "--reason", "drift", "--data", data)
    action, outcome = on_record(data)
    assert (action["what"], action["subject"], action["why"]) == ("rebuild", WALLET, "drift")
    assert outcome["code"] == "done"


def test_a_rebuild_that_is_refused_is_on_record_as_such(tapgrid: Tapgrid, data: Path) -> None:
    nobody = "0x" + "77" * 20
    said = tapgrid("integrity", "--rebuild", nobody, "--reason", "drift", "--data", data)
    assert said.code == 2
    assert [line.get("code") for line in on_record(data)] == [None, "failed"]


def test_a_restored_backup_is_on_record(tapgrid: Tapgrid, data: Path) -> None:
    tapgrid("backup", "--data", data)
    assert tapgrid("restore", "--data", data).code == 0
    action, outcome = on_record(data)
    assert action["what"] == "restore_backup"
    assert str(action["subject"]).startswith("backups/")
    assert outcome["code"] == "done"


def test_what_can_not_be_put_on_record_is_not_done(
    tapgrid: Tapgrid, data: Path, tmp_path: Path
) -> None:
    DataFolder.existing(data).audit_file.mkdir()
    before = tapgrid("integrity", "--data", data).out
    file = tmp_path / "wallets.csv"
    file.write_text(f"{WALLET},5,wire-1\n")
    for command in (
        ("fund", file),
        ("integrity", "--rebuild", WALLET, "--reason", "drift"),
    ):
        said = tapgrid(*command, "--data", data)
        assert said.code == 3
        assert "nothing was done" in said.err
    assert tapgrid("integrity", "--data", data).out == before


def test_a_folder_in_use_is_not_written_by_a_tool(tapgrid: Tapgrid, data: Path) -> None:
    """Its venue is, or nobody: two writers would break the chain."""
    folder = DataFolder.existing(data)
    with folder.lock():
        said = tapgrid("integrity", "--rebuild", WALLET, "--reason", "drift", "--data", data)
    assert said.code == 4
    assert not folder.audit_file.exists()
