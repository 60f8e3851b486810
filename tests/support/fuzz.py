"""Malformed requests and frames without end, the same ones for the same seed.

A `Visit` is one connection: what is sent on it, how many cases that is, and how the client leaves.
What is mutated is a valid request of every operation of the table and of every op of the WebSocket,
so that a new one is mutated too, without a word here.
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final

import attrs

from domain.limits import BODY_BYTES_MAX
from domain.refusals import Refusal
from domain.wallet import Keccak
from protocols.client_socket import OPS
from protocols.forms import Field, Form
from protocols.operations import OPERATIONS, Auth, Operation

UPGRADE: Final = (
    b"GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
REQUESTS_A_VISIT: Final = 10
FRAMES_A_VISIT: Final = 20

ODD_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, -0.0, 1.5, 1e308, 2**31, 2**53, 2**63, 2**64, -(2**63), 10**40),
    *(
        "",
        " ",
        "0",
        "-0",
        "+1",
        "01",
        "1e3",
        "0x10",
        "１２",
        "1_000",
        "NaN",
        "null",
        "\x00",
        "\x7f",
    ),
    *("\ud800", "é", "\u202e", "𝔘" * 50, "x" * 300, "../../etc/passwd", "%00", "' OR 1=1 --"),
    *("0x" + "0" * 40, "0x" + "f" * 130, "0x" + "F" * 128, "[]", "{}", "<script>"),
    *([], {}, [[]], [None], {"a": {"b": {}}}, ["price"] * 100, [1, 2, 3], {"": ""}),
)
ODD_TEXTS: Final = (
    b"",
    b" ",
    b"null",
    b"[]",
    b'""',
    b"{",
    b"}",
    b"{}{}",
    b'{"a":1,"a":2}',
    b'{"a":NaN}',
    b'{"a":Infinity}',
    b'{"a":' + b"9" * 5_000 + b"}",
    b'{"a":1e' + b"9" * 400 + b"}",
    b"[" * 8_000,
    b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    b'{"a":"\xff\xfe"}',
    b'\xef\xbb\xbf{"a":1}',
    b'{"a":"\\ud800"}',
    b'{"a":"\\u0000"}',
    b"x" * (BODY_BYTES_MAX - 1),
    b"x" * (BODY_BYTES_MAX + 1),
)
ODD_HEADERS: Final = (
    b"authorization: Bearer",
    b"authorization: Bearer  ",
    b"authorization: Basic dTpw",
    b"authorization: bearer " + b"t" * 300,
    b"authorization: Bearer \xff\xfe",
    b"authorization: " + b"A" * 43,
    b"x-request-id: \xe9",
    b"x-request-id: " + b"r" * 200,
    b"x-forwarded-for: 1.2.3.4, ::1, unknown, " + b"9" * 200,
    b"origin: null",
    b"origin: http://[",
    b"origin: https://a.example:99999",
    b"content-type: text/plain",
    b"content-type: multipart/form-data; boundary=",
    b"content-type: ;;;=",
    b"content-encoding: gzip",
    b"accept-encoding: \xff",
    b"accept: a/b;q=x",
    b"expect: 100-continue",
    b"expect: the unexpected",
    b"connection: keep-alive, upgrade",
    b"upgrade: websocket",
    b"upgrade: h2c",
    b"http2-settings: AAMAAABkAAQAAP__",
    b"sec-websocket-key: x",
    b"sec-websocket-version: 8",
    b"sec-websocket-protocol: a, b,",
    b"sec-websocket-extensions: permessage-deflate; x=\xff",
    b"if-none-match: \xff",
    b"if-modified-since: never",
    b"range: bytes=0-0,-1",
    b"cookie: session=\xff; =; a",
    b"te: trailers",
    b"folded: a\r\n b",
)
BROKEN_LINES: Final = (
    b"host: y",
    b"host: [::1",
    b"connection: upgrade, close",
    b"transfer-encoding: identity",
    b"content-length: 0",
    b"content-length: 18446744073709551616",
    b"no colon",
    b"sp ace: x",
    b": nameless",
    b"bare: a\rb",
    b"zero: \x00",
    b"x: " + b"y" * 9_000,
    b"transfer-encoding: chunked",
    b"x: " + b"y" * 17_000,
    b"x: y\r\n" * 150 + b"z: z",
)
"""After these there is no next request on the connection."""
METHODS: Final = (b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"TRACE", b"head", b"PRI", b"A" * 9)
VERSIONS: Final = (b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.1 ", b"http/1.1")
ODD_PARTS: Final = (
    *(b"%00", b"%2f", b"%ff", b"%", b"..", b".", b"", b"*", b"\xc3\xa9", b"a" * 500, b"{x}", b"-1"),
    *(
        b"0",
        b"9" * 30,
        b"01M7W8NMG55P933ZY5TZEEMSEA",
        b"null",
        b"%F0%9D%94%98",
        b";a=b",
        b"0x" + b"1" * 40,
    ),
)


class Leave(Enum):
    """How a client leaves."""

    READING = "shuts its side, and reads all that comes"
    CLOSING = "waits for its answers, says a WebSocket's close, and reads all that comes"
    RESETTING = "resets the connection"
    VANISHING = "closes at once"


@attrs.frozen
class Visit:
    """One connection."""

    data: bytes
    cases: int
    leave: Leave
    is_socket: bool = False
    """Is a WebSocket opened first?"""


@attrs.define
class Fuzz:
    """The visits of one seed."""

    chance: random.Random
    keccak: Keccak
    session_token: str
    operator_token: str
    new_bet: Callable[[], dict[str, Any]]
    """A well-signed bet, made anew for each call."""

    def visits(self, cases: int) -> Iterator[Visit]:
        """So many cases, and at most one visit more."""
        while cases > 0:
            make = self.chance.choices(
                (self.requests, self.broken_http, self.messages, self.broken_frames),
                weights=(10, 25, 5, 15),
            )[0]
            visit = make()
            cases -= visit.cases
            yield visit

    # HTTP

    def requests(self) -> Visit:
        """Requests that are HTTP, and mostly nothing else."""
        made = [self.request() for _ in range(REQUESTS_A_VISIT)]
        return Visit(b"".join(made), len(made), self._leave(Leave.READING))

    def request(self) -> bytes:
        """One operation's request with something wrong."""
        operation = self.chance.choice(OPERATIONS)
        body, breaks_nothing = self._body(operation)
        method = operation.method.encode()
        lines = [b"host: x", *self._authorization(operation, is_harmless=breaks_nothing)]
        if body and self.chance.random() < 0.1:
            lines.append(b"transfer-encoding: chunked")
            body = self._chunked(body)
        elif operation.method == "POST" or body:
            lines.append(b"content-length: %d" % len(body))
        if self.chance.random() < 0.1:
            lines.append(self.chance.choice(ODD_HEADERS))
        return self._head(method, self._target(operation), lines) + body

    def broken_http(self) -> Visit:
        """One request that is hardly HTTP."""
        roll = self.chance.random()
        if roll < 0.1:
            data = self.chance.randbytes(self.chance.randrange(1, 600))
        elif roll < 0.5:
            data = self._head(
                self.chance.choice(METHODS),
                self.chance.choice((b"/api/bets", b"*", b"http://x/", b"x:1", b"//x", b"/ws", b"")),
                [b"host: x", *self.chance.choices(ODD_HEADERS + BROKEN_LINES, k=3)],
                self.chance.choice((b"HTTP/1.1", b"HTTP/1.1", *VERSIONS)),
            )
        else:
            data = self._bent(self.chance.choice((self.request(), UPGRADE)))
        if self.chance.random() < 0.2:
            data = data[: self.chance.randrange(len(data) + 1)]
        return Visit(data, 1, self._leave(Leave.READING))

    def _chunked(self, body: bytes) -> bytes:
        """In pieces of any size; now and then a size is none, and all behind it is lost."""
        made = b""
        while body:
            size = min(len(body), self.chance.choice((1, 7, 500, 20_000)))
            claimed = b"%x" % size if self.chance.random() > 0.02 else b"0x%x;\xff" % size
            made += claimed + b"\r\n" + body[:size] + b"\r\n"
            body = body[size:]
        return made + b"0\r\n\r\n"

    def _head(
        self, method: bytes, target: bytes, lines: Sequence[bytes], version: bytes = b"HTTP/1.1"
    ) -> bytes:
        return b"\r\n".join([b" ".join((method, target, version)), *lines, b"", b""])

    def _target(self, operation: Operation) -> bytes:
        path = operation.path
        for parameter in operation.parameters:
            part = self.chance.choice(ODD_PARTS).decode("latin-1")
            if self.chance.random() < 0.3:
                part = str(example_of(parameter))
            path = path.replace(f"{{{parameter.name}}}", _printable(part))
        if operation.query is None and self.chance.random() < 0.8:
            return path.encode()
        names = [field.name for field in operation.query.fields] if operation.query else []
        asked = self.chance.choices([*names, "x", "", "%00"], k=self.chance.randrange(1, 4))
        pairs = [f"{name}={_printable(self._odd_text())}" for name in asked]
        return f"{path}?{'&'.join(pairs)}".encode()

    def _body(self, operation: Operation) -> tuple[bytes, bool]:
        """A body, and is it certain that nothing comes of it?"""
        form = operation.body
        if form is None:
            return b"", operation.method == "GET"
        if self.chance.random() < 0.2:
            return self.chance.choice(ODD_TEXTS), True
        fields = self.mutated(self.new_bet() if operation.path == "/api/bets" else valid(form))
        is_refused = isinstance(_parsed(form, fields, self.keccak), Refusal)
        return encoded(fields), is_refused

    def _authorization(self, operation: Operation, *, is_harmless: bool) -> list[bytes]:
        """A good token where only the rest is wrong: nothing may come of an operator's request."""
        if self.chance.random() < 0.2:
            return [self.chance.choice(ODD_HEADERS[:6])]
        ends_session = operation.path in ("/api/auth/logout", "/api/auth/sessions")
        if operation.auth in (Auth.SESSION, Auth.OPTIONAL) and not ends_session:
            return [f"authorization: Bearer {self.session_token}".encode()]
        if operation.auth is Auth.OPERATOR and is_harmless:
            return [f"authorization: Bearer {self.operator_token}".encode()]
        return []

    # WebSocket

    def messages(self) -> Visit:
        """Frames that are frames, and mostly nothing else."""
        made = [frame(0x1, self.message()) for _ in range(FRAMES_A_VISIT)]
        return Visit(b"".join(made), len(made), self._leave(Leave.CLOSING), is_socket=True)

    def message(self) -> bytes:
        """One op with something wrong."""
        if self.chance.random() < 0.15:
            return self.chance.choice([text for text in ODD_TEXTS if is_text(text)])
        name = self.chance.choice(tuple(OPS))
        fields = self.new_bet() if name == "bet" else valid(OPS[name])
        if name == "auth" and self.chance.random() < 0.5:
            fields["token"] = self.session_token
        odd_id = self.chance.choice(("a", 7, None, *ODD_VALUES))
        return encoded(self.mutated({**fields, "op": name, "id": odd_id}))

    def broken_frames(self) -> Visit:
        """Frames that end their socket, behind some that do not."""
        made = [self.broken_frame() for _ in range(self.chance.randrange(1, 4))]
        leave = self._leave(Leave.READING)
        return Visit(b"".join(made), len(made), leave, is_socket=True)

    def broken_frame(self) -> bytes:
        """One frame that is none, or one that is not finished, or too much."""
        kind = self.chance.randrange(16)
        data = self.chance.randbytes(self.chance.choice((0, 1, 2, 125, 126, 300)))
        match self.chance.randrange(8):
            case 0:
                return self.chance.randbytes(self.chance.randrange(1, 200))
            case 1:
                return frame(kind, data, final=self.chance.random() < 0.5)
            case 2:
                return frame(0x1, self.message(), final=False)
            case 3:
                return frame(0x1, self.message(), length=self.chance.choice((0, 1, 70_000, 2**62)))
            case 4:
                return frame(0x8, self.chance.choice((b"\x03", b"\x03\xe8\xff", b"\x00\x00", data)))
            case 5:
                return frame(0x1, b"x" * (BODY_BYTES_MAX + 100))
            case 6:
                return self._bent(frame(0x1, self.message()))
            case _:
                return frame(self.chance.choice((0x9, 0xA)), data)

    # anything

    def mutated(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The fields with one to three of them gone, renamed or made odd."""
        found = dict(fields)
        for _ in range(self.chance.randrange(1, 4)):
            if not found:
                break
            name = self.chance.choice(tuple(found))
            match self.chance.randrange(4):
                case 0:
                    del found[name]
                case 1:
                    found[name.upper() + "_"] = found.pop(name)
                case _:
                    found[name] = self._odd_value(found[name])
        return found

    def _odd_value(self, value: Any) -> Any:
        if isinstance(value, str) and value and self.chance.random() < 0.4:
            at = self.chance.randrange(len(value))
            return (
                value[:at] + self.chance.choice(("", "\x00", "é", "0", " ", "zz")) + value[at + 1 :]
            )
        if isinstance(value, int) and self.chance.random() < 0.4:
            return value + self.chance.choice((-(10**6), -1, 1, 10**6))
        return self.chance.choice(ODD_VALUES)

    def _odd_text(self) -> str:
        return str(self.chance.choice(ODD_VALUES))

    def _bent(self, data: bytes) -> bytes:
        """Up to five places lose a byte or get others."""
        found = bytearray(data)
        for _ in range(self.chance.randint(1, 5)):
            at = self.chance.randrange(len(found) or 1)
            found[at : at + self.chance.choice((0, 1, 2))] = self.chance.randbytes(
                self.chance.choice((0, 1, 1, 3))
            )
        return bytes(found)

    def _leave(self, usual: Leave) -> Leave:
        others = (Leave.RESETTING, Leave.VANISHING)
        return usual if self.chance.random() < 0.85 else self.chance.choice(others)


def frame(kind: int, data: bytes, *, final: bool = True, length: int | None = None) -> bytes:
    """A client's frame under a mask of zeros; `length` is what it claims to have."""
    claimed = len(data) if length is None else length
    head = bytes([(0x80 if final else 0) | kind])
    if claimed < 126:
        return head + bytes([0x80 | claimed]) + bytes(4) + data
    if claimed < 65_536:
        return head + bytes([0x80 | 126]) + claimed.to_bytes(2, "big") + bytes(4) + data
    return head + bytes([0x80 | 127]) + claimed.to_bytes(8, "big") + bytes(4) + data


CLOSE: Final = frame(0x8, b"\x03\xe8")


def is_text(data: bytes) -> bool:
    """Is it UTF-8?"""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def encoded(fields: object) -> bytes:
    """JSON as anybody may write it: what UTF-8 can't hold is escaped."""
    return json.dumps(fields).encode()


def valid(form: Form[Any]) -> dict[str, Any]:
    """Fields that the form takes, or nearly: an example of each."""
    if form.examples:
        return dict(form.examples[0])
    return {field.name: example_of(field) for field in form.fields}


def example_of(field: Field[Any]) -> Any:
    """A value that the field's schema allows, as far as it shows one."""
    return _example(dict(field.kind.schema()))


def _example(schema: Mapping[str, Any]) -> Any:
    for key in ("const", "minimum"):
        if key in schema:
            return schema[key]
    for key in ("examples", "enum", "anyOf", "oneOf"):
        if schema.get(key):
            first = schema[key][0]
            return _example(first) if key.endswith("Of") else first
    return {"string": "x", "boolean": True, "array": [], "object": {}}.get(str(schema.get("type")))


def _parsed(form: Form[Any], fields: Mapping[str, Any], keccak: Keccak) -> object:
    return form.parse(json.loads(encoded(fields)), keccak=keccak)


def _printable(text: str) -> str:
    """As it may stand in a target: h11 takes no spaces there, and tells of nothing behind it."""
    return "".join(sign if "!" <= sign <= "~" else f"%{ord(sign) % 256:02x}" for sign in text)
