"""A file of deposits is read as a whole: every bad line is named, by the rules of the API."""

import pytest

from db.wallet_signatures import keccak_256
from protocols.client_ops import DepositRequest
from protocols.deposit_file import BadLine, Line, parse_deposits

A, B = "0x" + "ab" * 20, "0x" + "cd" * 20


def lines(content: str) -> list[Line]:
    found, bad = parse_deposits(content, keccak=keccak_256)
    assert bad == ()
    return list(found)


def faults(content: str) -> list[BadLine]:
    return list(parse_deposits(content, keccak=keccak_256)[1])


def test_a_line_is_wallet_micros_and_perhaps_a_reference() -> None:
    [line] = lines(f"{A}, 1000000, wire-7\n")
    assert line == Line(
        number=1,
        deposit=DepositRequest(wallet=A, amount_micros=1_000_000, reference="wire-7", reason=""),
    )


def test_blank_lines_and_comments_say_nothing_but_count() -> None:
    assert [line.number for line in lines(f"# who\n\n  # what\n{A},1\r\n{B},2")] == [4, 5]


def test_the_house_can_be_funded() -> None:
    assert lines("house,5")[0].deposit.wallet == "house"


def test_any_capitalisation_is_one_wallet() -> None:
    assert lines("0x" + "AB" * 20 + ",5")[0].deposit.wallet == A


def test_a_reference_is_made_of_content_and_line() -> None:
    first = [line.deposit.reference for line in lines(f"{A},1\n{A},1\n")]
    again = [line.deposit.reference for line in lines(f"{A},1\n{A},1\n")]
    other = [line.deposit.reference for line in lines(f"{A},1\n{A},2\n")]
    assert first == again
    assert len({*first, *other}) == 4


@pytest.mark.parametrize(
    "line",
    [
        A,
        f"{A},1,ref,more",
        f"{A},0",
        f"{A},-1",
        f"{A},1.5",
        f"{A},01",
        f"{A},1_000",
        f"{A},{10**15 + 1}",
        f"{A},",
        "0x12,1",
        "external,1",
        ",1",
        "0x" + "Ab" * 20 + ",1",  # mixed capitals that are not the checksum
        f"{A},1,two words",
        f"{A},1," + "x" * 129,
    ],
)
def test_a_bad_line_is_named(line: str) -> None:
    assert [fault.number for fault in faults(f"{B},1\n{line}\n{B},2\n")] == [2]


def test_a_reference_twice_is_at_fault() -> None:
    assert faults(f"{A},1,x\n{B},1,y\n{A},1,x\n") == [
        BadLine(number=3, why="reference: is that of line 1")
    ]


def test_all_bad_lines_come_in_order() -> None:
    assert [fault.number for fault in faults(f"{A},1,x\n{A},1,x\nnonsense\n")] == [2, 3]
