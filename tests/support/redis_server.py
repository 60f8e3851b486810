"""A real redis-server of the tests' own: on a free port of the loopback, gone at the end.

Nothing is kept on disk unless a test asks for it. Its time can be let pass without waiting.
"""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import attrs
import pytest
import redis

PROGRAM = "redis-server"
INSTALL = "apt-get install redis-server"
NO_FILES = ("--save", "", "--appendonly", "no")
READY = b"Ready to accept connections"


def need_redis() -> str:
    """Where the program is. Without it the test is skipped, or fails where CI is set."""
    found = shutil.which(PROGRAM)
    if found is None:
        complain = pytest.fail if os.environ.get("CI") else pytest.skip
        complain(f"{PROGRAM} is missing: {INSTALL}")
    return found


@attrs.define(kw_only=True)
class RedisServer:
    """One server, which a test can kill, stop for a while, and start again on the same port."""

    folder: Path
    options: tuple[str, ...] = NO_FILES
    password: str | None = None
    port: int = attrs.field(factory=lambda: free_port())
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What `store.url` says of it."""
        secret = f":{quote(self.password, safe='')}@" if self.password else ""
        return f"redis://{secret}127.0.0.1:{self.port}/0"

    def start(self, *, wait: bool = True) -> None:
        """Start it, and wait until it answers."""
        command = [need_redis(), *self.options, "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self.folder), "--logfile", ""]
        command += ["--requirepass", self.password] if self.password else []
        self._process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE)
        if wait:
            self._wait_ready()

    def _wait_ready(self) -> None:
        said: list[bytes] = []
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said.append(line)
            if READY in line:
                return
        raise AssertionError(b"".join(said).decode())

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def stop(self) -> None:
        """End it properly, as a service is stopped."""
        self._signal(signal.SIGTERM)
        assert self._process is not None
        self._process.communicate()
        self._process = None

    def stall(self) -> None:
        """It keeps its connections, and answers nothing."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """After `stall`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def client(self) -> redis.Redis:
        """A connection of the test's own, which blocks."""
        return redis.Redis("127.0.0.1", self.port, password=self.password, decode_responses=True)

    def run(self, *command: str | int) -> object:
        """One command of the test's own."""
        with self.client() as client:
            return client.execute_command(*command)  # type: ignore[no-untyped-call]

    def pass_s(self, seconds: float) -> None:
        """Let time pass for every key: its life is shorter by so much, or over."""
        passed_ms = round(seconds * 1000)
        with self.client() as client:
            for key in client.scan_iter():
                left_ms = client.pttl(key)
                assert isinstance(left_ms, int)
                assert left_ms > 0, f"{key} has no time to live"
                # The server ends a key that is given no time.
                client.pexpire(key, max(0, left_ms - passed_ms))


@contextmanager
def redis_server(folder: Path, *options: str, password: str | None = None) -> Iterator[RedisServer]:
    """A server that runs while inside. `options` replace those that keep nothing on disk."""
    server = RedisServer(folder=folder, options=options or NO_FILES, password=password)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port
