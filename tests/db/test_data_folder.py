"""The data folder: its stamp, its lock, and where things are."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from db.data_folder import DataFolder, FolderInUse, NoDataFolder, StampBroken, StampMismatch


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder.open(tmp_path / "data", mode="demo", chain_id=31_337)


def test_it_is_made_and_stamped_once(folder: DataFolder) -> None:
    assert DataFolder.open(folder.path, mode="demo", chain_id=31_337) == folder
    assert DataFolder.existing(folder.path) == folder
    assert folder.money.is_dir()
    assert folder.prices.is_dir()
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


@pytest.mark.parametrize(("mode", "chain_id"), [("production", 31_337), ("demo", 1)])
def test_paper_never_becomes_money(folder: DataFolder, mode: str, chain_id: int) -> None:
    with pytest.raises(StampMismatch) as mismatch:
        DataFolder.open(folder.path, mode=mode, chain_id=chain_id)
    assert "mode demo, chain id 31337" in str(mismatch.value)
    assert f"mode {mode}, chain id {chain_id}" in str(mismatch.value)
    assert DataFolder.existing(folder.path) == folder


def test_money_without_a_stamp_is_not_stamped_anew(folder: DataFolder) -> None:
    folder.stamp_file.unlink()
    with pytest.raises(StampBroken, match="missing"):
        DataFolder.open(folder.path, mode="production", chain_id=1)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"mode": "demo", "chain_id": "x"}'])
def test_a_stamp_that_cannot_be_read_stops_the_start(folder: DataFolder, text: str) -> None:
    folder.stamp_file.write_text(text)
    with pytest.raises(StampBroken):
        DataFolder.open(folder.path, mode="demo", chain_id=31_337)


def test_another_folder_is_not_taken_for_one(tmp_path: Path) -> None:
    with pytest.raises(NoDataFolder):
        DataFolder.existing(tmp_path)
    with pytest.raises(NoDataFolder):
        DataFolder.existing(tmp_path / "nowhere")


def test_it_is_held_by_one_at_a_time(folder: DataFolder) -> None:
    with folder.lock():
        with pytest.raises(FolderInUse), folder.lock():
            pass
        with pytest.raises(FolderInUse), DataFolder.existing(folder.path).lock():
            pass
    with folder.lock():
        pass


@pytest.mark.slow
def test_the_lock_ends_with_the_process_that_held_it(folder: DataFolder) -> None:
    holder = (
        "import sys; from pathlib import Path; from db.data_folder import DataFolder\n"
        "with DataFolder.existing(Path(sys.argv[1])).lock():\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", holder, str(folder.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(FolderInUse), folder.lock():
            pass
        process.kill()
        process.wait()
        with folder.lock():
            pass
