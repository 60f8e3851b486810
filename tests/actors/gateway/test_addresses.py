"""Whose request it is, and how many connections they have."""

import pytest

from actors.gateway.addresses import OpenConnections, canonical, client_address, counted_as

PROXY, FAR_PROXY, CLIENT, LIAR = "10.0.0.1", "10.0.0.2", "198.51.100.7", "203.0.113.9"


def address(peer: str, forwarded: str | None, trusted: tuple[str, ...] = ()) -> str:
    headers = [] if forwarded is None else [(b"X-Forwarded-For", forwarded.encode())]
    return client_address(peer, headers, trusted)


def test_without_a_trusted_proxy_the_peer_is_the_client() -> None:
    assert address(CLIENT, None) == CLIENT
    assert address(CLIENT, LIAR) == CLIENT


def test_a_trusted_proxy_says_who_the_client_is() -> None:
    assert address(PROXY, CLIENT, (PROXY,)) == CLIENT


def test_what_the_client_itself_wrote_does_not_count() -> None:
    assert address(PROXY, f"{LIAR}, {CLIENT}", (PROXY,)) == CLIENT


def test_a_chain_of_trusted_proxies_is_followed() -> None:
    assert address(PROXY, f"{LIAR}, {CLIENT}, {FAR_PROXY}", (PROXY, FAR_PROXY)) == CLIENT


@pytest.mark.parametrize("forwarded", [None, "", " , ", PROXY])
def test_a_proxy_that_says_nothing_is_the_client_itself(forwarded: str | None) -> None:
    assert address(PROXY, forwarded, (PROXY,)) == PROXY


def test_a_word_without_end_is_cut() -> None:
    assert len(address(PROXY, "x" * 10_000, (PROXY,))) == 64


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (f"{LIAR}, {CLIENT}:52814", CLIENT),
        ("[2001:db8::2]:52814", "2001:db8::2"),
        ("[2001:db8::2]", "2001:db8::2"),
        (f"{CLIENT}, {FAR_PROXY}:443", CLIENT),
        ("2001:db8::2", "2001:db8::2"),
        ("[]:1", "[]:1"),
    ],
)
def test_a_port_that_a_proxy_adds_makes_no_other_client(forwarded: str, expected: str) -> None:
    assert address(PROXY, forwarded, (PROXY, FAR_PROXY)) == expected


def test_several_header_lines_are_read_as_one() -> None:
    headers = [(b"x-forwarded-for", LIAR.encode()), (b"x-forwarded-for", CLIENT.encode())]
    assert client_address(PROXY, headers, {PROXY}) == CLIENT
    headers = [(b"x-forwarded-for", CLIENT.encode()), (b"x-forwarded-for", FAR_PROXY.encode())]
    assert client_address(PROXY, headers, {PROXY, FAR_PROXY}) == CLIENT


@pytest.mark.parametrize("peer", ["127.0.0.1", "::ffff:127.0.0.1", "::FFFF:7f00:1"])
def test_a_trusted_proxy_is_known_in_every_spelling(peer: str) -> None:
    assert address(peer, CLIENT, ("127.0.0.1",)) == CLIENT
    assert address("::1", f"{CLIENT}, {peer}", ("127.0.0.1", "::1")) == CLIENT


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:DB8:0:1::2", "2001:db8:0:1::2"),
        ("2001:0db8:0000:0001:0000:0000:0000:0002", "2001:db8:0:1::2"),
        ("fe80::1%eth0", "fe80::1"),
        ("unknown", "unknown"),
    ],
)
def test_an_address_has_one_spelling(given: str, expected: str) -> None:
    assert canonical(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("x" * 100, "x" * 64),
    ],
)
def test_limits_count_an_ipv6_client_by_its_network(given: str, expected: str) -> None:
    assert counted_as(given) == expected


def test_connections_are_counted_while_they_last() -> None:
    addresses = OpenConnections(2)
    with addresses.one_more(CLIENT) as first, addresses.one_more(CLIENT) as second:
        assert (first, second) == (True, True)
        with addresses.one_more(CLIENT) as third, addresses.one_more(LIAR) as other:
            assert (third, other) == (False, True)
    with addresses.one_more(CLIENT) as again:
        assert again
