"""What every answer tells browsers, whoever gives it: a page, a refusal, a WebSocket's handshake.

No script runs but ours, from files and never inline; nobody frames us, guesses types or is told
where a visitor came from. Wallets are not locked out: what an extension injects is not under a
page's policy, and a wallet that opens a window of its own may answer the page that opened it
(`same-origin-allow-popups`).
"""

from typing import Final
from urllib.parse import urlsplit

from actors.gateway.asgi import Headers

HSTS: Final = (b"strict-transport-security", b"max-age=31536000")
"""A year. Only where the public origin is https: else it would lock a demo out of itself."""


def security_headers(origin: str) -> Headers:
    """The headers of every answer of the venue whose public origin that is."""
    is_secure = urlsplit(origin).scheme == "https"
    headers = (
        (b"content-security-policy", _policy(origin).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin-allow-popups"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
    )
    return (*headers, HSTS) if is_secure else headers


def _policy(origin: str) -> str:
    """Older browsers do not take a WebSocket of the same host for 'self', so it is named. Wallets
    announce their icons as `data:` (EIP-6963); an image runs nothing and can tell nobody."""
    socket_origin = "ws" + origin.removeprefix("http")
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self' {socket_origin}; manifest-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
