"""Sign-in messages: the grammar of EIP-4361, and what must hold here and now."""

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from domain.refusals import Code, Refusal
from domain.session_keys import AskedKey, asked_key, parse_point
from domain.sign_in import (
    SignInMessage,
    SignInSettings,
    network_of,
    parse_sign_in,
    sign_in_fault,
)

VECTORS = Path(__file__).parents[1] / "vectors"

# The examples of the standard: with and without scheme and port, all and no optional fields.
EXAMPLE = """\
service.org wants you to sign in with your Ethereum account:
0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2

I accept the ServiceOrg Terms of Service: https://service.org/tos

URI: https://service.org/login
Version: 1
Chain ID: 1
Nonce: 32891756
Issued At: 2021-09-30T16:25:24Z
Resources:
- ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/
- https://example.com/my-web2-claim.json"""
ISSUED_MS = 1_633_019_124_000

SETTINGS = SignInSettings(domain="service.org", uri="https://service.org/login", chain_id=1)


def parsed(text: str) -> SignInMessage:
    message = parse_sign_in(text, keccak)
    assert isinstance(message, SignInMessage), message
    return message


def fault_field(text: str) -> str:
    """The field that a malformed text is refused for."""
    refusal = parse_sign_in(text, keccak)
    assert isinstance(refusal, Refusal), "the text was taken"
    assert refusal.code is Code.BAD_REQUEST
    assert refusal.message.startswith(f"{refusal.details['field']}: ")
    return str(refusal.details["field"])


def with_line(old: str, new: str) -> str:
    assert EXAMPLE.count(old) == 1
    return EXAMPLE.replace(old, new)


# --- what the grammar takes -------------------------------------------------------------------


def test_published_example() -> None:
    assert parsed(EXAMPLE) == SignInMessage(
        scheme=None,
        domain="service.org",
        address="0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2",
        statement="I accept the ServiceOrg Terms of Service: https://service.org/tos",
        uri="https://service.org/login",
        chain_id=1,
        nonce="32891756",
        issued_at_ms=ISSUED_MS,
        expires_at_ms=None,
        not_before_ms=None,
        request_id=None,
        resources=(
            "ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/",
            "https://example.com/my-web2-claim.json",
        ),
    )
    assert parsed(EXAMPLE).wallet == "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"


@pytest.mark.parametrize(
    ("heading", "scheme", "domain"),
    [
        ("example.com:3388", None, "example.com:3388"),
        ("https://example.com", "https", "example.com"),
        ("127.0.0.1", None, "127.0.0.1"),
        ("test@127.0.0.1:8080", None, "test@127.0.0.1:8080"),
        ("[::1]:8080", None, "[::1]:8080"),
    ],
)
def test_heading_names_a_domain_and_may_name_a_scheme(
    heading: str, scheme: str | None, domain: str
) -> None:
    message = parsed(with_line("service.org wants", f"{heading} wants"))
    assert (message.scheme, message.domain) == (scheme, domain)


def test_statement_may_be_left_out_with_both_its_blank_lines_standing() -> None:
    statement = "I accept the ServiceOrg Terms of Service: https://service.org/tos\n\n"
    assert parsed(with_line(statement, "\n")).statement is None


def test_all_optional_fields() -> None:
    message = parsed(
        with_line(
            "\nResources:",
            "\nExpiration Time: 2021-09-30T17:25:24.5+00:00"
            "\nNot Before: 2021-09-30T16:25:00Z"
            "\nRequest ID: some_id%20"
            "\nResources:",
        )
    )
    assert message.expires_at_ms == ISSUED_MS + 3_600_500
    assert message.not_before_ms == ISSUED_MS - 24_000
    assert message.request_id == "some_id%20"
    assert len(message.resources) == 2


def test_no_optional_field_and_empty_ones() -> None:
    bare = EXAMPLE.partition("\nResources:")[0]
    assert parsed(bare).resources == ()
    assert parsed(f"{bare}\nResources:").resources == ()
    assert parsed(f"{bare}\nRequest ID: ").request_id == ""


# --- what it refuses, and which field it names ------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("service.org wants you to sign in", "service.org wants you to sign  in", "domain"),
        ("account:\n", "account:\r\n", "domain"),
        ("account:\n", "account: \n", "domain"),
        ("service.org wants", " wants", "domain"),
        ("service.org wants", "service org wants", "domain"),
        ("service.org wants", "service.org/login wants", "domain"),
        ("service.org wants", "service.org:x wants", "domain"),
        ("service.org wants", "http://a://service.org wants", "domain"),
        ("service.org wants", "1://service.org wants", "scheme"),
        ("service.org wants", "://service.org wants", "scheme"),
        ("0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2", "", "address"),
        ("0xC02aaA39", "0xc02aaA39", "address"),
        ("0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2\n", "vitalik.eth\n", "address"),
        ("756Cc2\n\n", "756Cc2\n", "statement"),
        ("I accept", "I \u00e4ccept", "statement"),
        ("I accept", 'I "accept"', "statement"),
        ("I accept the ", "I accept the\n", "statement"),
        ("service.org/tos\n\n", "service.org/tos\n", "statement"),
        ("service.org/tos\n\n", "service.org/tos\n\n\n", "uri"),
        ("URI: https://service.org/login\n", "", "uri"),
        ("URI: https", "uri: https", "uri"),
        ("URI: https", "URI:https", "uri"),
        ("URI: https://service.org/login", "URI: _not_a_uri_", "uri"),
        ("URI: https://service.org/login", "URI: https://service.org/log in", "uri"),
        ("Version: 1\n", "", "version"),
        ("Version: 1\n", "Version: 2\n", "version"),
        ("Version: 1\n", "Version: 01\n", "version"),
        ("Version: 1\nChain ID: 1\n", "Chain ID: 1\nVersion: 1\n", "version"),
        ("Chain ID: 1\n", "", "chain_id"),
        ("Chain ID: 1\n", "Chain ID: ?\n", "chain_id"),
        ("Chain ID: 1\n", "Chain ID: 0x1\n", "chain_id"),
        ("Chain ID: 1\n", "Chain ID: 01\n", "chain_id"),
        ("Chain ID: 1\n", "Chain ID: 1 \n", "chain_id"),
        ("Nonce: 32891756\n", "", "nonce"),
        ("Nonce: 32891756\n", "Nonce: 1234567\n", "nonce"),
        ("Nonce: 32891756\n", "Nonce: 3289175_\n", "nonce"),
        ("Nonce: 32891756\n", "Nonce: 3289175\u0663\n", "nonce"),
        ("Issued At: 2021-09-30T16:25:24Z\n", "", "issued_at"),
        ("2021-09-30T16:25:24Z", "Wed Oct 05 2011 16:48:00 GMT+0200", "issued_at"),
        ("2021-09-30T16:25:24Z", "2021-09-31T16:25:24Z", "issued_at"),
        ("\nResources:", "\nExpiration Time: soon\nResources:", "expiration_time"),
        ("\nResources:", "\nNot Before: \nResources:", "not_before"),
        ("\nResources:", "\nRequest ID: a/b\nResources:", "request_id"),
        ("\nResources:", "\nResources: ", "resources"),
        ("- https://example", "- _not_a_uri_\n- https://example", "resources"),
        ("/\n- https", "/ - https", "resources"),
        ("- https://example", "https://example", "message"),
        ("- https://example", "* https://example", "message"),
        ("claim.json", "claim.json\n", "message"),
        ("claim.json", "claim.json\nRequest ID: 1", "message"),
        (
            "\nResources:",
            "\nRequest ID: 1\nNot Before: 2021-09-30T16:25:00Z\nResources:",
            "message",
        ),
        (
            "\nResources:",
            "\nNot Before: 2021-09-30T16:25:00Z\nNot Before: x\nResources:",
            "message",
        ),
    ],
)
def test_malformed_message_is_refused_by_its_field(old: str, new: str, field: str) -> None:
    assert fault_field(with_line(old, new)) == field


@pytest.mark.parametrize("lines", range(10))
def test_message_cut_short_is_refused(lines: int) -> None:
    fault_field("\n".join(EXAMPLE.split("\n")[:lines]))


def test_address_must_have_its_checksum_and_the_right_spelling_is_told() -> None:
    refusal = parse_sign_in(EXAMPLE.replace("0xC02aaA39", "0xc02aaa39"), keccak)
    assert isinstance(refusal, Refusal)
    assert "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2" in refusal.message


def test_message_beyond_4096_characters_is_refused_unread() -> None:
    assert fault_field(with_line("I accept", "I" * 4_096)) == "message"


@given(st.text(max_size=200))
def test_any_text_is_a_message_or_a_refusal(text: str) -> None:
    assert isinstance(parse_sign_in(text, keccak), Refusal)


@given(st.data())
def test_a_message_with_one_character_changed_never_reads_as_the_same(data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(EXAMPLE) - 1))
    character = data.draw(st.characters(codec="utf-8").filter(lambda c: c != EXAMPLE[index]))
    changed = parse_sign_in(EXAMPLE[:index] + character + EXAMPLE[index + 1 :], keccak)
    if isinstance(changed, SignInMessage) and changed == parsed(EXAMPLE):
        assert EXAMPLE[index] + character in {"Tt", "Zz"}  # the letters of a date-time


def test_published_messages_that_were_signed_are_read() -> None:
    published = json.loads((VECTORS / "sign_in_signatures.json").read_text())["cases"]
    messages = {case["what"]: parsed(case["message"]) for case in published}
    assert len(messages) == 6
    assert messages["expired message"].expires_at_ms == 1_609_804_800_000
    assert messages["not yet valid"].not_before_ms == 4_103_015_503_952


# --- where from -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("::1", "::/48"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("unknown", ""),
        ("", ""),
    ],
)
def test_of_an_address_only_its_network_is_shown(address: str, shown: str) -> None:
    assert network_of(address) == shown


# --- here and now -----------------------------------------------------------------------------

MESSAGE = parsed(EXAMPLE)


def test_message_for_this_venue_and_for_now() -> None:
    assert sign_in_fault(MESSAGE, SETTINGS, ISSUED_MS) is None
    assert sign_in_fault(attrs.evolve(MESSAGE, scheme="https"), SETTINGS, ISSUED_MS) is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"domain": "service.org:443"}, "domain"),
        ({"domain": "evil.org"}, "domain"),
        ({"domain": "SERVICE.org"}, "domain"),
        ({"scheme": "http"}, "scheme"),
        ({"uri": "https://service.org/"}, "uri"),
        ({"uri": "https://evil.org/login"}, "uri"),
        ({"chain_id": 31337}, "chain_id"),
    ],
)
def test_message_for_another_venue_is_refused(change: dict[str, Any], field: str) -> None:
    refusal = sign_in_fault(attrs.evolve(MESSAGE, **change), SETTINGS, ISSUED_MS)
    assert refusal is not None
    assert refusal.code is Code.BAD_REQUEST
    assert refusal.details["field"] == field


@pytest.mark.parametrize(
    ("now_ms", "change", "field"),
    [
        (ISSUED_MS + 300_000, {}, None),
        (ISSUED_MS + 300_001, {}, "issued_at"),
        (ISSUED_MS - 5_000, {}, None),
        (ISSUED_MS - 5_001, {}, "issued_at"),
        (ISSUED_MS, {"expires_at_ms": ISSUED_MS + 1}, None),
        (ISSUED_MS, {"expires_at_ms": ISSUED_MS}, "expiration_time"),
        (ISSUED_MS, {"expires_at_ms": 0}, "expiration_time"),
        (ISSUED_MS, {"not_before_ms": ISSUED_MS}, None),
        (ISSUED_MS, {"not_before_ms": ISSUED_MS + 1}, "not_before"),
    ],
)
def test_message_for_another_time_is_expired(
    now_ms: int, change: dict[str, Any], field: str | None
) -> None:
    refusal = sign_in_fault(attrs.evolve(MESSAGE, **change), SETTINGS, now_ms)
    if field is None:
        assert refusal is None
    else:
        assert refusal is not None
        assert refusal.code is Code.SIGNATURE_EXPIRED
        assert refusal.details == {"field": field, "server_time_ms": now_ms}


def test_faults_are_named_in_the_order_in_which_they_are_checked() -> None:
    wrong: dict[str, Any] = {
        "domain": "a",
        "scheme": "b",
        "uri": "c:",
        "chain_id": 2,
        "issued_at_ms": 0,
    }
    message = attrs.evolve(MESSAGE, **wrong, expires_at_ms=0, not_before_ms=2**60)
    order = []
    for mended in [*wrong, "expires_at_ms", "not_before_ms"]:
        refusal = sign_in_fault(message, SETTINGS, ISSUED_MS)
        assert refusal is not None
        order.append(refusal.details["field"])
        message = attrs.evolve(message, **{mended: getattr(MESSAGE, mended)})
    assert order == [
        *("domain", "scheme", "uri", "chain_id", "issued_at", "expiration_time", "not_before")
    ]
    assert sign_in_fault(message, SETTINGS, ISSUED_MS) is None


# --- what the page has wallets sign -------------------------------------------------------------

PAGE_TEXTS = json.loads((VECTORS / "sign_in_texts.json").read_text())["texts"]


@pytest.mark.parametrize("case", PAGE_TEXTS, ids=lambda case: case["message"]["domain"])
def test_a_text_of_the_page_says_what_it_was_made_of(case: dict[str, Any]) -> None:
    said, message = case["message"], parsed(case["text"])
    assert (message.domain, message.uri) == (said["domain"], said["uri"])
    assert (message.address, message.chain_id) == (said["address"], said["chainId"])
    assert (message.nonce, message.issued_at_ms) == (said["nonce"], said["issuedAtMs"])
    assert (message.scheme, message.expires_at_ms, message.not_before_ms) == (None, None, None)
    settings = SignInSettings(domain=said["domain"], uri=said["uri"], chain_id=said["chainId"])
    assert sign_in_fault(message, settings, said["issuedAtMs"]) is None


@pytest.mark.parametrize("case", PAGE_TEXTS, ids=lambda case: case["message"]["domain"])
def test_a_text_of_the_page_asks_for_its_key_within_the_caps_that_were_chosen(
    case: dict[str, Any],
) -> None:
    key = case["key"]
    point = parse_point(key["point"])
    assert point is not None
    assert asked_key(parsed(case["text"]).resources, case["message"]["issuedAtMs"]) == AskedKey(
        public_key=point,
        bet_max_micros=key["betMaxMicros"],
        day_max_micros=key["dayMaxMicros"],
        until_ms=key["untilS"] * 1000,
    )
