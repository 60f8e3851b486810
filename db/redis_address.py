"""Where a Redis server is, and how to come to a connection of coredis' to it.

The line is opened here and handed to coredis open: what it makes for a line that it can't open
itself it leaves unclosed.
"""

import ssl
from typing import Final, Self
from urllib.parse import unquote, urlsplit

import attrs
from anyio import connect_tcp
from anyio.abc import ByteStream
from coredis.connection import BaseConnection, TCPLocation

PORT: Final = 6379


@attrs.frozen(kw_only=True)
class RedisAddress:
    """What a URL says of a server, its secrets hidden when shown."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    username: str | None
    password: str | None = attrs.field(repr=False)
    database: int

    @classmethod
    def parse(cls, url: str) -> Self:
        """From `redis://[user:password@]host[:port][/db]`; `rediss` is with TLS.

        Certificate and name are checked; SSL_CERT_FILE in the environment names an authority of
        one's own. Raises ValueError, whose text shows nothing of the URL.
        """
        parts = urlsplit(url)
        database = parts.path.strip("/") or "0"
        known = parts.scheme in ("redis", "rediss") and parts.hostname and database.isdecimal()
        if not known or parts.query or parts.fragment:
            raise ValueError("a store is named as redis://[user:password@]host[:port][/db]")
        return cls(
            host=parts.hostname or "",
            port=parts.port or PORT,
            tls=ssl.create_default_context() if parts.scheme == "rediss" else None,
            username=unquote(parts.username or "") or None,
            password=unquote(parts.password or "") or None,
            database=int(database),
        )

    async def connect(self) -> BaseConnection:
        """A connection whose line is open and whose `run` is yet to be started.

        Raises OSError (ssl.SSLError among them), or what anyio raises for a line that breaks
        during the TLS handshake.
        """
        if self.tls is None:
            line: ByteStream = await connect_tcp(self.host, self.port)
        else:
            line = await connect_tcp(
                self.host,
                self.port,
                tls=True,
                ssl_context=self.tls,
                tls_standard_compatible=False,  # Redis closes without TLS' goodbye
            )
        return _OnLine(line, self)


class _OnLine(BaseConnection):
    """coredis' connection, on a line that is open already."""

    def __init__(self, line: ByteStream, address: RedisAddress) -> None:
        super().__init__(
            TCPLocation(address.host, address.port),
            username=address.username,
            password=address.password,
            db=address.database,
        )
        self._line = line

    def describe(self) -> str:
        return f"{self.location}/{self._db}"

    async def _connect(self) -> ByteStream:
        return self._line
