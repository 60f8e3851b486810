"""Which pages elsewhere may use the venue: those of the configured origins, and else none.

Credentials are never allowed: a session is a bearer token, which a page must have been given, and
not a cookie, which a browser would send along for any page.
"""

from collections.abc import Collection
from typing import Final

from actors.gateway.asgi import Answer, Headers, Scope, header

EXPOSED: Final = (
    b"x-request-id, retry-after, ratelimit-policy, ratelimit, "
    b"ratelimit-limit, ratelimit-remaining, ratelimit-reset"
)
_ALLOWED: Final[Headers] = (
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b"authorization, content-type, x-request-id"),
    (b"access-control-max-age", b"600"),
)
_VARY: Final = (b"vary", b"origin")


class Cors:
    """The rule for one venue."""

    def __init__(self, own: str, others: Collection[str]) -> None:
        """`own` is the public origin, `others` are those that are configured; none: CORS is off."""
        self._own = own.lower()
        self._others = {origin.lower() for origin in others}

    def headers(self, scope: Scope) -> Headers:
        """What an answer to this request says of it. With an origin configured every answer
        varies by origin, also one to a request that names none: caches must not mix them up."""
        if not self._others:
            return ()
        origin = header(scope["headers"], b"origin")
        if origin is None or origin not in self._others:
            return (_VARY,)
        allowed = (b"access-control-allow-origin", origin.encode("latin-1"))
        return (allowed, (b"access-control-expose-headers", EXPOSED), _VARY)

    def preflight(self, scope: Scope) -> Answer | None:
        """The answer to a browser that asks first; None if this is no such question of a page
        that may ask."""
        headers = scope["headers"]
        asks = scope["method"] == "OPTIONS" and header(headers, b"access-control-request-method")
        if not asks or header(headers, b"origin") not in self._others:
            return None
        return Answer(204, b"", _ALLOWED)

    def allows_socket(self, scope: Scope) -> bool:
        """May the page that opens this WebSocket? Browsers leave that to the server. Whoever names
        no origin is no page; one on the host that it connects to is ours, by whatever name."""
        origin, host = header(scope["headers"], b"origin"), header(scope["headers"], b"host")
        if origin is None or origin in self._others or origin == self._own:
            return True
        # By hand, because urlsplit raises for what is no origin, and clients send what they like.
        return bool(host) and origin.partition("://")[2] == host
