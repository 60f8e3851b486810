"""Session keys of the tests: authorised by a sign-in at the door, and bets that they sign."""

from collections.abc import Mapping
from typing import Any

from db.key_signatures import public_key_of, sign_with_key
from db.wallet_signatures import keccak_256
from domain.refusals import Refusal
from domain.session_keys import AskedKey, key_id_of, key_resource
from protocols.client_bets import BET
from tests.support.door import KEY, Door, login_body

SECRET = 1
"""The private key of the session key that tests use first."""


def asked(secret: int = SECRET, **caps: int) -> AskedKey:
    """A key with caps that no bet of a test meets, unless it says so."""
    limits = {"bet_max_micros": 100_000_000, "day_max_micros": 1_000_000_000, **caps}
    return AskedKey(public_key=public_key_of(secret), **limits)


async def sign_in_with_key(
    door: Door, secret: int = SECRET, *, key: bytes = KEY, valid_s: int = 3_600, **caps: int
) -> dict[str, Any]:
    """The answer of a sign-in that authorises the key."""
    issued = (await door.get("/api/auth/nonce")).json
    resource = key_resource(asked(secret, **caps), issued["issued_at_ms"] // 1000 + valid_s)
    answer = await door.post("/api/auth/login", login_body(issued, key, resources=(resource,)))
    assert answer.status == 200, answer.body
    return dict(answer.json)


def by_key(
    fields: Mapping[str, object], secret: int = SECRET, **changed: object
) -> dict[str, object]:
    """The same bet signed by a session key; `changed` fields are changed after signing."""
    bet = BET.parse(fields, keccak=keccak_256)
    assert not isinstance(bet, Refusal), bet
    signature = "0x" + sign_with_key(bet.text().render(), secret).hex()
    key_id = key_id_of(public_key_of(secret))
    return {**fields, "key_id": key_id, "signature": signature, **changed}
