"""A crowd of sockets that only take up room: a process of its own, so that it costs the test none.

    python -m tests.support.crowd PORT SILENT HALF DEAF

It opens so many silent connections, such with half a head, and WebSockets that are subscribed to
all and never read; says `open N` when all are; and opens each that the venue closes again, until
its standard input ends. Then it says `opened N`: how many it opened in all.
"""

import resource
import select
import socket
import sys
from typing import Final

import attrs

from tests.support.fuzz import UPGRADE, frame

HALF_A_HEAD: Final = b"GET /api/grid HTTP/1.1\r\nhost: x\r\nuser-agent: "
SUBSCRIBE: Final = frame(0x1, b'{"op":"subscribe","channels":["price","grid","status"]}')
CLOSED: Final = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
LOOK_S: Final = 0.2
REOPENED_A_LOOK: Final = 100
"""A crowd that presses on, and yet no test of how fast connections are made."""
STDIN: Final = 0


@attrs.define
class Member:
    """One socket, and what it says when it is opened."""

    said: tuple[bytes, ...]
    socket: socket.socket


@attrs.define
class Crowd:
    """All sockets."""

    port: int
    opened: int = 0
    _members: dict[int, Member] = attrs.field(factory=dict)
    _poll: select.epoll = attrs.field(factory=select.epoll)

    def join(self, *said: bytes) -> None:
        """One more, which says that, each piece after an answer to the one before."""
        joined = socket.socket()
        joined.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)  # full soon, if never read
        joined.settimeout(30)
        joined.connect(("127.0.0.1", self.port))
        joined.sendall(said[0])
        for piece in said[1:]:
            joined.recv(2_000)
            joined.sendall(piece)
        self._members[joined.fileno()] = Member(said, joined)
        self._poll.register(joined, CLOSED)
        self.opened += 1

    def press(self) -> None:
        """Open again each that is closed, until standard input ends."""
        self._poll.register(STDIN, select.EPOLLHUP)
        while True:
            for number, _ in self._poll.poll(LOOK_S, REOPENED_A_LOOK):
                if number == STDIN:
                    return
                gone = self._members.pop(number)
                self._poll.unregister(number)
                gone.socket.close()
                self.join(*gone.said)


def main() -> None:
    """As the module says."""
    port, silent, half, deaf = map(int, sys.argv[1:])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    crowd = Crowd(port)
    for count, said in ((silent, (b"",)), (half, (HALF_A_HEAD,)), (deaf, (UPGRADE, SUBSCRIBE))):
        for _ in range(count):
            crowd.join(*said)
    print(f"open {crowd.opened}", flush=True)
    crowd.press()
    print(f"opened {crowd.opened}", flush=True)


if __name__ == "__main__":
    main()
