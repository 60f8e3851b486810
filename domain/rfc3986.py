"""The URI grammar of RFC 3986 (its appendix A), as far as sign-in messages use it.

Only syntax: `urllib.parse` accepts nearly anything, and what a wallet signs must be checked whole.
Each expression reads its text once, without backtracking over it again.
"""

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Final

_UNRESERVED: Final = r"A-Za-z0-9\-._~"
_SUB_DELIMS: Final = r"!$&'()*+,;="
_ESCAPED: Final = "%[0-9A-Fa-f]{2}"
_PCHAR: Final = f"(?:[{_UNRESERVED}{_SUB_DELIMS}:@]|{_ESCAPED})"
_USER: Final = f"(?:[{_UNRESERVED}{_SUB_DELIMS}:]|{_ESCAPED})*"
_NAME: Final = f"(?:[{_UNRESERVED}{_SUB_DELIMS}]|{_ESCAPED})*"
_FUTURE_ADDRESS: Final = rf"[vV][0-9A-Fa-f]+\.[{_UNRESERVED}{_SUB_DELIMS}:]+"
_LITERAL: Final = rf"\[(?:(?P<ipv6>[0-9A-Fa-f:.]+)|{_FUTURE_ADDRESS})\]"
_AUTHORITY: Final = f"(?:{_USER}@)?(?:{_LITERAL}|{_NAME})(?::[0-9]*)?"
_SCHEME: Final = r"[A-Za-z][A-Za-z0-9+\-.]*"
_SEGMENTS: Final = f"(?:/{_PCHAR}*)*"
_HIER_PART: Final = f"(?://{_AUTHORITY}{_SEGMENTS}|/?{_PCHAR}+{_SEGMENTS}|/?)"
_TAIL: Final = f"(?:{_PCHAR}|[/?])*"

SCHEME: Final = re.compile(_SCHEME)
AUTHORITY: Final = re.compile(_AUTHORITY)
URI: Final = re.compile(rf"{_SCHEME}:{_HIER_PART}(?:\?{_TAIL})?(?:#{_TAIL})?")
PCHARS: Final = re.compile(f"{_PCHAR}*")
"""The characters of a path segment; may be empty."""


def matches(rule: re.Pattern[str], text: str) -> bool:
    """Is the whole of `text` what `rule` (one of the above) describes?"""
    found = rule.fullmatch(text)
    if found is None:
        return False
    return "ipv6" not in rule.groupindex or _is_ipv6(found["ipv6"])


def _is_ipv6(text: str | None) -> bool:
    try:
        return text is None or bool(IPv6Address(text))
    except AddressValueError:
        return False
