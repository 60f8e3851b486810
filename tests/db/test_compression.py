"""Files compressed and expanded in pieces: the same content, or a word on what is wrong."""

import hashlib
from pathlib import Path

import pytest

from db.compression import NotCompressed, compress, expand, expanded_sha256
from protocols.ports import WorkStopped
from tests.support.backups import Watched

CONTENT = b"".join(b"%d: a row of a ledger\n" % number for number in range(200_000))
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    plain = tmp_path / "plain"
    plain.write_bytes(CONTENT)
    made = compress(plain, tmp_path / "packed", level=3, work=Watched())
    stored = (tmp_path / "packed").read_bytes()
    assert (made.plain_bytes, made.plain_sha256) == (len(CONTENT), SHA256)
    assert made.stored_bytes == len(stored) < len(CONTENT) / 4
    assert made.stored_sha256 == hashlib.sha256(stored).hexdigest()
    return tmp_path / "packed"


def test_what_was_compressed_comes_back(packed: Path, tmp_path: Path) -> None:
    back = tmp_path / "back"
    assert expand(packed, back, plain_bytes=len(CONTENT), work=Watched()) == SHA256
    assert back.read_bytes() == CONTENT
    assert expanded_sha256(packed, plain_bytes=len(CONTENT), work=Watched()) == SHA256


def test_an_empty_file_comes_back(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    compress(tmp_path / "plain", tmp_path / "packed", level=19, work=Watched())
    expand(tmp_path / "packed", tmp_path / "back", plain_bytes=0, work=Watched())
    assert (tmp_path / "back").read_bytes() == b""


def test_a_bit_that_has_turned_is_seen(packed: Path, tmp_path: Path) -> None:
    content = bytearray(packed.read_bytes())
    content[len(content) // 2] ^= 1
    packed.write_bytes(content)
    with pytest.raises(NotCompressed, match="can't be decompressed"):
        expand(packed, tmp_path / "back", plain_bytes=len(CONTENT), work=Watched())
    assert not (tmp_path / "back").exists()


def test_a_file_that_was_cut_is_another_content(packed: Path, tmp_path: Path) -> None:
    packed.write_bytes(packed.read_bytes()[:-1000])
    assert expanded_sha256(packed, plain_bytes=len(CONTENT), work=Watched()) != SHA256


def test_no_more_is_written_than_there_should_be(packed: Path, tmp_path: Path) -> None:
    with pytest.raises(NotCompressed, match="more than"):
        expand(packed, tmp_path / "back", plain_bytes=len(CONTENT) - 1, work=Watched())
    assert not (tmp_path / "back").exists()


def test_what_is_stopped_leaves_nothing(packed: Path, tmp_path: Path) -> None:
    work = Watched(stop_in="now", steps=["now"])
    with pytest.raises(WorkStopped):
        compress(tmp_path / "plain", tmp_path / "half", level=3, work=work)
    with pytest.raises(WorkStopped):
        expand(packed, tmp_path / "half", plain_bytes=len(CONTENT), work=work)
    assert not (tmp_path / "half").exists()
