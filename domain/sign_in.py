"""Sign-In with Ethereum (EIP-4361): the grammar of the signed text, and whether it is meant for us.

`parse_sign_in` reads the whole text or refuses it, naming the field; `sign_in_fault` says what in a
well-formed message does not hold here and now. Who signed it, and whether its nonce is one of ours,
the SessionManager asks outside.
"""

import ipaddress
import re
from typing import Final

import attrs

from domain import rfc3986
from domain.limits import SIGN_IN_NONCE_TTL_S, SIGNATURE_AHEAD_MAX_S
from domain.refusals import Code, Refusal, bad_request
from domain.rfc3339 import parse_date_time
from domain.units import EpochMs, Micros, parse_natural
from domain.wallet import Keccak, checksummed, parse_wallet

SIGN_IN_CHARS_MAX: Final = 4_096
"""A message with a page-long statement and several resources; wallets show all of it."""
NONCE_CHARS_MIN: Final = 8

_SHOWN_BITS: Final = {4: 24, 6: 48}
"""What is commonly one provider's street or one customer, and neither a household nor a device."""

_HEADING: Final = re.compile(
    r"(?:(?P<scheme>[^ :/]*)://)?(?P<domain>[^ ]*)"
    r" wants you to sign in with your Ethereum account:"
)
_STATEMENT: Final = re.compile(r"[A-Za-z0-9 \-._~:/?#\[\]@!$&'()*+,;=]+")
_NONCE: Final = re.compile(f"[A-Za-z0-9]{{{NONCE_CHARS_MIN},}}")


@attrs.frozen(kw_only=True)
class SignInSettings:
    """What a message must say to be meant for this venue, and how often one may try."""

    domain: str
    """Authority of the public origin, e.g. `127.0.0.1:8080`."""
    uri: str
    """The public origin, e.g. `http://127.0.0.1:8080`."""
    chain_id: int
    sign_ins_per_minute: int = 5
    """Per network address, for nonces and for sign-ins each."""
    demo: bool = False
    """Are there throwaway accounts with paper money?"""
    demo_micros: Micros = 1_000_000_000
    """What one begins with."""


@attrs.frozen(kw_only=True)
class SignInMessage:
    """A well-formed EIP-4361 message."""

    scheme: str | None
    domain: str
    address: str
    """As spelled, with its EIP-55 checksum."""
    statement: str | None
    uri: str
    chain_id: int
    nonce: str
    issued_at_ms: EpochMs
    expires_at_ms: EpochMs | None
    not_before_ms: EpochMs | None
    request_id: str | None
    resources: tuple[str, ...]

    @property
    def wallet(self) -> str:
        """The address in the venue's spelling."""
        return self.address.lower()


def sign_in_fault(
    message: SignInMessage, settings: SignInSettings, now_ms: EpochMs
) -> Refusal | None:
    """Why this message is not for this venue or not for now, or None.

    In order: domain, scheme, URI and chain (`bad_request`), then the times (`signature_expired`,
    with the venue's time). A message is as young as its nonce, and 5 s of clock skew ahead is
    granted to `Issued At` alone.
    """
    return _place_fault(message, settings) or _time_fault(message, now_ms)


def _place_fault(message: SignInMessage, settings: SignInSettings) -> Refusal | None:
    scheme = settings.uri.partition(":")[0]
    if message.domain != settings.domain:
        return bad_request("domain", f"must be {settings.domain}")
    if message.scheme not in (None, scheme):
        return bad_request("scheme", f"must be {scheme} or left out")
    if message.uri != settings.uri:
        return bad_request("uri", f"must be {settings.uri}")
    if message.chain_id != settings.chain_id:
        return bad_request("chain_id", f"must be {settings.chain_id}")
    return None


def _time_fault(message: SignInMessage, now_ms: EpochMs) -> Refusal | None:
    age_ms = now_ms - message.issued_at_ms
    if age_ms > SIGN_IN_NONCE_TTL_S * 1000:
        return _untimely("issued_at", "is too long ago", now_ms)
    if age_ms < -SIGNATURE_AHEAD_MAX_S * 1000:
        return _untimely("issued_at", "lies in the future", now_ms)
    if message.expires_at_ms is not None and message.expires_at_ms <= now_ms:
        return _untimely("expiration_time", "has passed", now_ms)
    if message.not_before_ms is not None and message.not_before_ms > now_ms:
        return _untimely("not_before", "lies in the future", now_ms)
    return None


def _untimely(field: str, why: str, now_ms: EpochMs) -> Refusal:
    details = {"field": field, "server_time_ms": now_ms}
    return Refusal(Code.SIGNATURE_EXPIRED, f"{field}: {why}", details)


# --- where from --------------------------------------------------------------------------------


def network_of(address: str) -> str:
    """The part of a network address by which a trader knows his sessions apart, and no more of it:
    `192.0.2.0/24`, `2001:db8:1::/48`. Empty for what is no address."""
    try:
        network = ipaddress.ip_network(address, strict=False)
    except ValueError:
        return ""
    shown_bits = _SHOWN_BITS[network.version]
    return str(network.supernet(new_prefix=min(shown_bits, network.prefixlen)))


# --- the grammar ------------------------------------------------------------------------------


def parse_sign_in(text: str, keccak: Keccak) -> SignInMessage | Refusal:
    """The message that `text` is, exactly as EIP-4361 has it, or a `bad_request` with the field."""
    if len(text) > SIGN_IN_CHARS_MAX:
        return bad_request("message", f"is longer than {SIGN_IN_CHARS_MAX} characters")
    try:
        return _read_message(_Lines(text), keccak)
    except _Malformed as fault:
        return fault.refusal


class _Malformed(Exception):
    """A line is not what the grammar wants there. Never leaves this module."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def _malformed(field: str, why: str) -> _Malformed:
    return _Malformed(bad_request(field, why))


class _Lines:
    """The lines of a message, taken from the top."""

    def __init__(self, text: str) -> None:
        self._left = text.split("\n")[::-1]

    def take(self, field: str) -> str:
        """The next line. `field` is to blame if there is none."""
        if not self._left:
            raise _malformed(field, "is missing")
        return self._left.pop()

    def take_blank(self, field: str) -> None:
        """The blank line beside `field`."""
        if self.take(field) != "":
            raise _malformed(field, "must have a blank line before and after it")

    def optional(self, tag: str) -> str | None:
        """What follows `tag` on the next line; None, and nothing taken, if it has another tag."""
        if self._left and self._left[-1].startswith(tag):
            return self._left.pop().removeprefix(tag)
        return None

    def tagged(self, tag: str, field: str) -> str:
        """What follows `tag` on the next line, which must have it."""
        value = self.optional(tag)
        if value is None:
            raise _malformed(field, f"the line must begin with {tag!r}")
        return value

    def end(self) -> None:
        """Nothing may be left."""
        if self._left:
            raise _malformed("message", "has a line that does not belong where it stands")


def _read_message(lines: _Lines, keccak: Keccak) -> SignInMessage:
    scheme, domain = _heading(lines.take("domain"))
    message = SignInMessage(  # fields are read in the order of their lines
        scheme=scheme,
        domain=domain,
        address=_address(lines.take("address"), keccak),
        statement=_statement(lines),
        uri=_uri(lines.tagged("URI: ", "uri"), "uri"),
        chain_id=_version_and_chain_id(lines),
        nonce=_nonce(lines.tagged("Nonce: ", "nonce")),
        issued_at_ms=_time(lines.tagged("Issued At: ", "issued_at"), "issued_at"),
        expires_at_ms=_optional_time(lines, "Expiration Time: ", "expiration_time"),
        not_before_ms=_optional_time(lines, "Not Before: ", "not_before"),
        request_id=_request_id(lines.optional("Request ID: ")),
        resources=_resources(lines),
    )
    lines.end()
    return message


def _heading(line: str) -> tuple[str | None, str]:
    found = _HEADING.fullmatch(line)
    if found is None:
        raise _malformed("domain", "the first line is not that of a sign-in message")
    scheme, domain = found["scheme"], found["domain"]
    if scheme is not None and not rfc3986.matches(rfc3986.SCHEME, scheme):
        raise _malformed("scheme", "is not a URI scheme")
    if not domain or not rfc3986.matches(rfc3986.AUTHORITY, domain):
        raise _malformed("domain", "is not an RFC 3986 authority")
    return scheme, domain


def _address(line: str, keccak: Keccak) -> str:
    wallet = parse_wallet(line)
    if wallet is None:
        raise _malformed("address", "is not 0x and 40 hexadecimal digits")
    spelled = checksummed(wallet, keccak)
    if line != spelled:
        raise _malformed("address", f"does not have its EIP-55 capitals: {spelled}")
    return line


def _statement(lines: _Lines) -> str | None:
    lines.take_blank("statement")
    statement = lines.take("statement")
    if statement == "":
        return None
    if not _STATEMENT.fullmatch(statement):
        raise _malformed("statement", "has a character that EIP-4361 does not allow")
    lines.take_blank("statement")
    return statement


def _uri(text: str, field: str) -> str:
    if not rfc3986.matches(rfc3986.URI, text):
        raise _malformed(field, "is not an RFC 3986 URI")
    return text


def _version_and_chain_id(lines: _Lines) -> int:
    if lines.tagged("Version: ", "version") != "1":
        raise _malformed("version", "must be 1")
    chain_id = parse_natural(lines.tagged("Chain ID: ", "chain_id"))
    if chain_id is None:
        raise _malformed("chain_id", "is not a number in canonical decimal digits")
    return chain_id


def _nonce(text: str) -> str:
    if not _NONCE.fullmatch(text):
        raise _malformed("nonce", f"is not {NONCE_CHARS_MIN} or more letters and digits")
    return text


def _time(text: str, field: str) -> EpochMs:
    at_ms = parse_date_time(text)
    if at_ms is None:
        raise _malformed(field, "is not an RFC 3339 date-time")
    return at_ms


def _optional_time(lines: _Lines, tag: str, field: str) -> EpochMs | None:
    text = lines.optional(tag)
    return None if text is None else _time(text, field)


def _request_id(text: str | None) -> str | None:
    if text is not None and not rfc3986.matches(rfc3986.PCHARS, text):
        raise _malformed("request_id", "has a character that EIP-4361 does not allow")
    return text


def _resources(lines: _Lines) -> tuple[str, ...]:
    rest = lines.optional("Resources:")
    if rest is None:
        return ()
    if rest != "":
        raise _malformed("resources", "must stand on lines of their own")
    resources: list[str] = []
    while (text := lines.optional("- ")) is not None:
        resources.append(_uri(text, "resources"))
    return tuple(resources)
