"""Whose request it is, and how many connections they have."""

import pytest

from actors.gateway.addresses import OpenConnections, client_address

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


def test_connections_are_counted_while_they_last() -> None:
    addresses = OpenConnections(2)
    with addresses.one_more(CLIENT) as first, addresses.one_more(CLIENT) as second:
        assert (first, second) == (True, True)
        with addresses.one_more(CLIENT) as third, addresses.one_more(LIAR) as other:
            assert (third, other) == (False, True)
    with addresses.one_more(CLIENT) as again:
        assert again
