"""The URI grammar of RFC 3986."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rfc3986 import AUTHORITY, PCHARS, SCHEME, URI, matches


@pytest.mark.parametrize(
    "text",
    [
        # The examples of the RFC, section 1.1.2.
        "ftp://ftp.is.co.za/rfc/rfc1808.txt",
        "http://www.ietf.org/rfc/rfc2396.txt",
        "ldap://[2001:db8::7]/c=GB?objectClass?one",
        "mailto:John.Doe@example.com",
        "news:comp.infosystems.www.servers.unix",
        "tel:+1-816-555-1212",
        "telnet://192.0.2.16:80/",
        "urn:oasis:names:specification:docbook:dtd:xml:4.1.2",
        # Ours, and the corners of the grammar.
        "http://127.0.0.1:8080",
        "urn:tapgrid:session-key:p256:BASE64_-url?bet=1000000&day=5000000&until=1770100000",
        "https://user:secret@example.com:443/a/b;c=1/../%20?q=%2F?#top/?",
        *("a:", "a:/", "a:b", "a:/b//c", "file:///etc/hosts", "x://", "x://h:", "A+-.9:b"),
        *("http://[::]", "http://[::ffff:1.2.3.4]:80/", "http://[v1.a:b]/", "http://1.1.1.256/"),
    ],
)
def test_uri(text: str) -> None:
    assert matches(URI, text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "http",
            "_not_a_uri_",
            "/path",
            "//host/path",
            "://host",
            "1http://host",
            "ht tp://h",
        ),
        *(
            "http://h/ path",
            "http://h/\npath",
            "http://h/<x>",
            'http://h/"',
            "http://h/\\",
            "http://h/é",
        ),
        *(
            "http://h/%2",
            "http://h/%zz",
            "http://h/#a#b",
            "http://h:80a/",
            "http://a@b@c/",
            "http://h^/",
        ),
        *(
            "http://[::1",
            "http://::1]/",
            "http://[1:2]/",
            "http://[::1%25eth0]/",
            "http://[12345::]/",
        ),
        *("http://[v1]/", "http://[]/", "http://[1.2.3.4]/", "x:[", "http://h/[a]"),
    ],
)
def test_what_is_no_uri(text: str) -> None:
    assert not matches(URI, text)


@pytest.mark.parametrize(
    "text",
    [
        *("service.org", "localhost:3000", "127.0.0.1:8080", "test@127.0.0.1:8080", "[::1]:8080"),
        *("xn--bcher-kva.example", "a%41b", "h:", "user:pass@h"),
    ],
)
def test_authority(text: str) -> None:
    assert matches(AUTHORITY, text)


@pytest.mark.parametrize(
    "text",
    ["a b", "a/b", "http://h", "h:80:81", "h:x", "a@b@c", "[::1", "h?q", "h#f", "bücher.example"],
)
def test_what_is_no_authority(text: str) -> None:
    assert not matches(AUTHORITY, text)


def test_scheme_and_path_characters() -> None:
    assert matches(SCHEME, "https")
    assert not matches(SCHEME, "")
    assert not matches(SCHEME, "9p")
    assert matches(PCHARS, "")
    assert matches(PCHARS, "some_id:@!$&'()*+,;=%20")
    assert not matches(PCHARS, "a/b")
    assert not matches(PCHARS, "%2")


@given(st.text(max_size=60))
def test_any_text_is_a_uri_or_not(text: str) -> None:
    matches(URI, text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "http://" + "a" * 4_000 + "[",
            "http://h" + "/a" * 2_000 + " ",
            "a:" + "%41" * 1_300 + "%",
        ),
        *(
            "http://" + "a:" * 2_000 + " ",
            "http://h?" + "?/" * 2_000 + "<",
            "x:" + "/" * 4_000 + "\n",
        ),
    ],
    ids=["name", "segments", "escapes", "user", "query", "slashes"],
)
def test_no_text_of_a_message_takes_long(text: str) -> None:
    began_s = time.perf_counter()
    assert not matches(URI, text)
    assert time.perf_counter() - began_s < 0.1
