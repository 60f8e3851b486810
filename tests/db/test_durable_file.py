"""Small files that are replaced as a whole."""

import stat
from pathlib import Path

import pytest

from db.durable_file import PRIVATE, create_file, replace_file


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    replace_file(path, "a longer text")
    replace_file(path, "short")
    assert path.read_text() == "short"
    assert names(tmp_path) == ["manifest.json"]


def test_a_private_file_is_never_seen_by_others(tmp_path: Path) -> None:
    path = tmp_path / "ops.token"
    replace_file(path, "secret", mode=PRIVATE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_first_of_two_makes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "venue.json"
    assert create_file(path, "first")
    assert not create_file(path, "second")
    assert path.read_text() == "first"
    assert names(tmp_path) == ["venue.json"]


def test_what_a_crash_left_behind_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    replace_file(path, "old")

    def die(*_: object) -> None:
        raise OSError("power cut")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", die)
        with pytest.raises(OSError, match="power cut"):
            replace_file(path, "new")
    assert path.read_text() == "old"
    replace_file(path, "newer")
    assert path.read_text() == "newer"
    assert names(tmp_path) == ["manifest.json"]
