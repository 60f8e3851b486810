"""A venue in a process of its own, on a real port and in a real data folder."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import attrs
import trio

REPOSITORY = Path(__file__).resolve().parents[2]
OPS_TOKEN = "a-token-for-tests-of-more-than-32-characters"
READY = "tapgrid is ready at "


@attrs.define
class VenueProcess:
    """One life of `tapgrid serve`. Its address is known once it is ready."""

    process: trio.Process
    output: list[str] = attrs.field(factory=list)
    url: str = ""
    _ready: trio.Event = attrs.field(factory=trio.Event)
    _said: trio.Event = attrs.field(factory=trio.Event)  # replaced each time it is set

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    async def read_output(self) -> None:
        """Keep what the venue says, and take its address from the line that says it is ready."""
        rest = b""
        assert self.process.stdout is not None
        async for chunk in self.process.stdout:
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                text = line.decode(errors="replace")
                self.output.append(text)
                self._said.set()
                self._said = trio.Event()
                if READY in text and not self._ready.is_set():
                    self.url = text.split(READY)[1].split()[0].rstrip("/")
                    self._ready.set()
        self._ready.set()

    async def wait_ready(self) -> None:
        """Wait until it serves; fails with its output if it ended instead."""
        await self._ready.wait()
        assert self.url, "the venue ended before it was ready:\n" + "\n".join(self.output[-40:])

    async def wait_line(self, text: str) -> None:
        """Wait until the venue has said a line with that in it."""
        with trio.fail_after(30):
            while not any(text in line for line in self.output):
                await self._said.wait()

    def kill(self) -> None:
        """kill -9."""
        self.process.send_signal(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM, and the exit code; a drain takes 20 s at the most."""
        self.process.send_signal(signal.SIGTERM)
        with trio.fail_after(40):
            return await self.process.wait()


@asynccontextmanager
async def venue(
    data: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    prefix: tuple[str, ...] = (),
    ready_within_s: float | None = 30,
) -> AsyncIterator[VenueProcess]:
    """`tapgrid serve` on a free port; killed at the end if it still runs.

    `prefix` puts another program in front (strace). `ready_within_s` None: it is not waited for.
    """
    command = [
        *prefix,
        sys.executable,
        "-m",
        "actors",
        "serve",
        "--data",
        str(data),
        "--port",
        "0",
        *arguments,
    ]
    async with trio.open_nursery() as nursery:
        process: trio.Process = await nursery.start(
            partial(
                trio.run_process,
                command,
                cwd=REPOSITORY,
                check=False,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=os.environ | {"TAPGRID_OPS__TOKEN": OPS_TOKEN} | dict(environment or {}),
            )
        )
        running = VenueProcess(process)
        nursery.start_soon(running.read_output)
        try:
            if ready_within_s is not None:
                with trio.fail_after(ready_within_s):
                    await running.wait_ready()
            yield running
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + 5):
                if process.returncode is None:
                    _kill_with_children(process.pid)
                await process.wait()
        nursery.cancel_scope.cancel()


def _kill_with_children(pid: int) -> None:
    """Also what `prefix` has started: strace, when killed, leaves its venue running."""
    with suppress(ProcessLookupError, FileNotFoundError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for victim in (*map(int, children), pid):
            os.kill(victim, signal.SIGKILL)
