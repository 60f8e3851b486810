"""A look at a real file system says what `df` says."""

import os
import subprocess
from pathlib import Path

import pytest

from db.disk_probe import StatvfsProbe

BLOCK = 4096


class Statvfs:
    """An ext4 of 100 blocks of which root keeps five."""

    f_frsize = BLOCK
    f_blocks = 100
    f_bfree = 35
    f_bavail = 30


def test_it_says_what_df_says(tmp_path: Path) -> None:
    asked = ["df", "--block-size=1", "--output=used,avail", str(tmp_path)]
    used, free = map(int, subprocess.check_output(asked, text=True).split()[-2:])
    seen = StatvfsProbe(tmp_path).look()
    # Others write to this disk as well.
    assert seen.used_bytes == pytest.approx(used, abs=2**30)
    assert seen.free_bytes == pytest.approx(free, abs=2**30)


def test_what_is_kept_for_root_is_neither_used_nor_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda folder: Statvfs())
    seen = StatvfsProbe(tmp_path).look()
    assert (seen.used_bytes, seen.free_bytes) == (65 * BLOCK, 30 * BLOCK)
    assert seen.total_bytes == 95 * BLOCK


def test_at_100_percent_only_root_can_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Statvfs()
    full.f_bfree, full.f_bavail = 5, 0
    monkeypatch.setattr(os, "statvfs", lambda folder: full)
    seen = StatvfsProbe(tmp_path).look()
    assert seen.used_bytes == seen.total_bytes


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        StatvfsProbe(tmp_path / "gone").look()


def test_a_file_system_that_does_not_say_how_large_it_is() -> None:
    with pytest.raises(OSError, match="does not say how large it is"):
        StatvfsProbe(Path("/proc")).look()
