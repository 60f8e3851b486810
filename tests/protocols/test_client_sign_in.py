"""A sign-in as it is sent: every field that can be wrong is named."""

import pytest
from eth_hash.auto import keccak

from domain.refusals import Refusal
from protocols.client_sign_in import LOGIN
from tests.support.client_json import field_of


def test_a_login_takes_text() -> None:
    login = LOGIN.parse({"message": "hello", "signature": "0x12"}, keccak=keccak)
    assert not isinstance(login, Refusal)
    assert (login.message, login.signature) == ("hello", "0x12")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "message"),
        ({"message": 5}, "message"),
        ({"message": "x" * 5_000, "signature": "0x"}, "message"),
        ({"message": "\ud800", "signature": "0x"}, "message"),
        ({"message": "hello"}, "signature"),
    ],
)
def test_a_login_that_is_not_well_formed(fields: dict[str, object], field: str) -> None:
    assert field_of(LOGIN.parse(fields, keccak=keccak)) == field
