"""The resource that authorises a session key: one spelling of each, every other refused."""

import base64
import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.refusals import Code, Refusal
from domain.session_keys import (
    AskedKey,
    asked_key,
    is_point,
    key_id_of,
    key_resource,
    parse_point,
    point_text,
)
from domain.units import MICROS_MAX

VECTORS = Path(__file__).parents[1] / "vectors"
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
NOW_MS = 1_770_100_003_000
UNTIL_S = 1_770_186_400
# The generator of P-256 (FIPS 186-4, D.1.2.3): the public key of the private key 1.
G = bytes.fromhex(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)
KEY = AskedKey(
    public_key=G, bet_max_micros=25_000_000, day_max_micros=500_000_000, until_ms=UNTIL_S * 1000
)
RESOURCE = (
    "urn:tapgrid:session-key:p256:"
    "BGsX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWT-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"
    "?bet=25000000&day=500000000&until=1770186400"
)


def taken(*resources: str, now_ms: int = NOW_MS) -> AskedKey | None:
    key = asked_key(resources, now_ms)
    assert not isinstance(key, Refusal), key
    return key


def why_refused(*resources: str, now_ms: int = NOW_MS) -> str:
    refusal = asked_key(resources, now_ms)
    assert isinstance(refusal, Refusal), "the resource was taken"
    assert refusal.code is Code.BAD_REQUEST
    assert refusal.details == {"field": "resources"}
    return refusal.message


def changed(old: str, new: str) -> str:
    assert RESOURCE.count(old) == 1
    return RESOURCE.replace(old, new)


# --- taken ------------------------------------------------------------------------------------


def test_the_resource_names_key_caps_and_end() -> None:
    assert taken(RESOURCE) == KEY


def test_a_message_without_resources_asks_for_no_key() -> None:
    assert taken() is None


@pytest.mark.parametrize(
    "other",
    [
        "https://example.com/my-web2-claim.json",
        "ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/",
        "urn:isbn:0451450523",
        "urn:tapgrids:session-key:p256:x",
        "https://example.com/urn:tapgrid:session-key",
    ],
)
def test_resources_of_others_are_theirs(other: str) -> None:
    assert taken(other) is None
    assert taken(other, RESOURCE, other) == KEY


def test_caps_may_be_as_high_as_any_amount() -> None:
    key = taken(changed("bet=25000000&day=500000000", f"bet={MICROS_MAX}&day={MICROS_MAX}"))
    assert key is not None
    assert (key.bet_max_micros, key.day_max_micros) == (MICROS_MAX, MICROS_MAX)


def test_a_cap_per_bet_may_be_above_that_per_day() -> None:
    assert taken(changed("day=500000000", "day=1")) is not None


def test_whoever_writes_messages_makes_the_same_resource() -> None:
    assert key_resource(KEY, UNTIL_S) == RESOURCE


def test_a_key_ends_with_its_session_or_before() -> None:
    assert KEY.end_ms(UNTIL_S * 1000 + 1) == UNTIL_S * 1000
    assert KEY.end_ms(UNTIL_S * 1000 - 1) == UNTIL_S * 1000 - 1
    assert attrs.evolve(KEY, until_ms=None).end_ms(7) == 7


def test_an_end_lies_ahead() -> None:
    assert taken(RESOURCE, now_ms=UNTIL_S * 1000 - 1) == KEY
    assert "until has passed" in why_refused(RESOURCE, now_ms=UNTIL_S * 1000)


# --- refused, each by its name ------------------------------------------------------------------


def test_two_keys_are_refused() -> None:
    assert "more than one" in why_refused(RESOURCE, changed("bet=2", "bet=3"))


def test_one_key_named_twice_is_refused() -> None:
    assert "more than one" in why_refused(RESOURCE, RESOURCE)


@pytest.mark.parametrize(
    "text",
    [
        "urn:tapgrid:",
        "urn:tapgrid:session-key",
        "urn:tapgrid:withdrawals:all",
        changed("p256", "p384"),
        changed("p256:", "p256"),
        changed("session-key", "session-keys"),
        changed("urn:tapgrid", "urn:TAPGRID"),
        changed("urn", "URN"),
        RESOURCE + "#top",
    ],
)
def test_what_has_the_venues_name_and_is_no_session_key_is_refused(text: str) -> None:
    why_refused(text)


@pytest.mark.parametrize("part", ["bet=25000000&", "&day=500000000", "&until=1770186400"])
def test_a_missing_part_is_refused(part: str) -> None:
    why_refused(changed(part, ""))


@pytest.mark.parametrize("part", ["&bet=25000000", "&day=500000000", "&until=1770186400", "&x=1"])
def test_a_part_too_many_is_refused(part: str) -> None:
    why_refused(RESOURCE + part)


@pytest.mark.parametrize(
    "parts",
    [
        "day=500000000&bet=25000000&until=1770186400",
        "bet=25000000&until=1770186400&day=500000000",
        "until=1770186400&bet=25000000&day=500000000",
    ],
)
def test_parts_in_another_order_are_refused(parts: str) -> None:
    why_refused(changed("bet=25000000&day=500000000&until=1770186400", parts))


@pytest.mark.parametrize("name", ["bet=25000000", "day=500000000"])
@pytest.mark.parametrize("value", ["0", str(MICROS_MAX + 1), "9" * 30])
def test_a_cap_of_nothing_or_beyond_any_amount_is_refused(name: str, value: str) -> None:
    cap = name.partition("=")[0]
    assert f"{cap} must be from 1 to" in why_refused(changed(name, f"{cap}={value}"))


@pytest.mark.parametrize("name", ["bet=25000000", "day=500000000", "until=1770186400"])
@pytest.mark.parametrize("spelling", ["0{}", "+{}", "-{}", "{}.0", " {}", "{}e0", "0x{}", "١{}"])
def test_digits_that_are_not_canonical_are_refused(name: str, spelling: str) -> None:
    part, _, digits = name.partition("=")
    assert f"{part} must be" in why_refused(changed(name, f"{part}={spelling.format(digits)}"))


@pytest.mark.parametrize("name", ["bet=25000000", "day=500000000", "until=1770186400"])
def test_an_empty_part_is_refused(name: str) -> None:
    why_refused(changed(name, name.partition("=")[0] + "="))


def refused_point(text: str) -> None:
    assert "not a point" in why_refused(changed(point_text(G), text))


def test_padding_is_refused() -> None:
    refused_point(point_text(G) + "=")


def test_base64_of_the_other_alphabet_is_refused() -> None:
    refused_point(base64.b64encode(G).decode().rstrip("="))


def test_bits_that_belong_to_no_byte_are_refused() -> None:
    twin = point_text(G)[:-1] + "V"
    assert base64.urlsafe_b64decode(twin + "=") == G
    refused_point(twin)


def test_a_point_cut_short_is_refused() -> None:
    refused_point(point_text(G[:-1]))
    refused_point(point_text(G)[:-1])


def test_a_compressed_point_is_refused() -> None:
    refused_point(point_text(b"\x03" + G[1:33]))


@pytest.mark.parametrize("first", [0, 2, 3, 6, 7, 255])
def test_a_point_of_another_form_is_refused(first: int) -> None:
    refused_point(point_text(bytes([first]) + G[1:]))


def test_a_point_that_is_not_on_the_curve_is_refused() -> None:
    refused_point(point_text(G[:-1] + bytes([G[-1] ^ 1])))


def test_the_point_at_infinity_is_refused() -> None:
    refused_point(point_text(b"\x04" + bytes(64)))


def test_coordinates_beyond_the_field_are_refused() -> None:
    """They would be second spellings of the points with the smallest coordinates."""
    y = pow(B, (P + 1) // 4, P)  # of the point whose x is 0
    assert is_point(spelled(0, y))
    assert not is_point(spelled(P, y))
    assert not is_point(spelled(0, P))


def spelled(x: int, y: int) -> bytes:
    return b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")


# --- keys -------------------------------------------------------------------------------------


def test_keys_of_a_browser_are_read_and_named_as_it_does() -> None:
    vectors = json.loads((VECTORS / "session_key_bets.json").read_text())
    for key in vectors["keys"]:
        point = parse_point(key["public_key_base64url"])
        assert point is not None
        assert point.hex() == key["public_key"]
        assert point_text(point) == key["public_key_base64url"]
        assert key_id_of(point) == key["key_id"]


def test_published_points_are_points() -> None:
    vectors = json.loads((VECTORS / "p256_signatures.json").read_text())
    assert all(is_point(bytes.fromhex(case["public_key"])) for case in vectors["cases"])


@given(st.none() | st.integers() | st.text(max_size=90) | st.binary(max_size=90))
def test_anything_else_is_no_point(value: Any) -> None:
    assert parse_point(value) is None


@given(st.data())
def test_a_resource_with_one_character_changed_never_reads_as_the_same(data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(RESOURCE) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda char: char != RESOURCE[index]))
    found = asked_key([RESOURCE[:index] + other + RESOURCE[index + 1 :]], NOW_MS)
    assert found != KEY
