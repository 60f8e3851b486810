"""`tapgrid serve`: open the real ports, run the venue, drain it on SIGTERM or SIGINT.

Stores are opened, checked and migrated before the tree starts, and closed, with a checkpoint,
after it has stopped. Exit codes: 0 after a clean drain, 1 if the drain was cut short, or the venue
gave up or could not start.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

import attrs
import structlog
import trio

from actors import logs, system
from actors.commands.collector import collect_rarely, spare_what_stays
from actors.commands.exits import OK, REFUSED, WRONG, CannotDo
from actors.commands.open_files import fit_connections
from actors.commands.opening import (
    machine,
    opened_ports,
    price_sources,
    venue_settings,
    with_store,
)
from actors.gateway.doors import SocketDoor
from config.secrets import secrets_of
from config.settings import DEMO, Settings
from db.data_folder import DataFolder
from db.durable_file import PRIVATE, replace_file
from supervisor import (
    Chance,
    ExitReport,
    GaveUp,
    Reason,
    StartFailed,
    Supervisor,
    SystemChance,
    SystemClock,
)

log = structlog.get_logger("serve")

BACKLOG: Final = 1_024
"""Connections that may wait while the Gateway restarts."""
SEND_BUFFER_BYTES: Final = 64 * 1024
"""Of each connection, in the kernel. Left to itself it grows to megabytes for a client that does
not read, and who would be sent old prices for minutes before anybody noticed."""
TOKEN_BYTES: Final = 24
CUT_WITHIN_S: Final = 3
"""Of a drain that is cut short: what ignores its cancellation for so long is left by force."""


class DrainCut(Exception):
    """The drain did not end within its limit, or the word to stop came a second time."""


def serve(settings: Settings, *, data: Path) -> int:
    """Run a venue until it is told to stop; the exit code.

    Raises CannotDo, and what opening a data folder raises, before anything runs.
    """
    token = settings.ops.token or _new_token(settings, SystemChance())
    logs.configure(
        form=settings.log.format,
        level=settings.log.level,
        clock=SystemClock(),
        stream=sys.stderr,
        secrets=(token, *secrets_of(settings)),
    )
    settings = fit_connections(settings)
    collect_rarely()
    # First what can fail without a data folder, so that a start that fails has not made one.
    sources = price_sources(settings)
    with _listening(settings) as listener:
        settings = _at_port(settings, listener.getsockname()[1])
        for_actors = venue_settings(settings, token=token, version=version("tapgrid"))
        folder = DataFolder.open(data, mode=settings.venue.mode, chain_id=settings.venue.chain_id)
        with (
            folder.lock(),
            opened_ports(
                settings,
                folder,
                sources=sources,
                doors=(SocketDoor(listener),),
                outside=machine(settings, folder),
            ) as ports,
            _announced(folder, settings, token),
        ):
            return trio.run(_serve, ports, for_actors, settings, token)


async def _serve(
    ports: system.Ports, for_actors: system.VenueSettings, settings: Settings, token: str
) -> int:
    async with with_store(ports, settings) as all_ports:
        return await _run(all_ports, for_actors, settings, token)


async def _run(
    ports: system.Ports, for_actors: system.VenueSettings, settings: Settings, token: str
) -> int:
    """The venue from start to stop. A signal drains it; a second one, or the limit, cuts short."""
    channels = system.Channels()
    spec = system.tree(
        channels,
        ports,
        for_actors,
        status=lambda: supervisor.status(),
        restart=lambda path: supervisor.restart_child(path),
    )
    supervisor = Supervisor(spec, chance=ports.chance, report=_report)
    exit_code = OK
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        try:
            async with trio.open_nursery() as nursery:
                drain = partial(_drain, signals, channels, supervisor)
                nursery.start_soon(drain, settings.venue.drain_within_s, nursery.cancel_scope)
                await nursery.start(_tree, supervisor)
                spare_what_stays()
                print(_welcome(settings, token), flush=True)
                _leave_if_stuck(await supervisor.wait_stopped())
                nursery.cancel_scope.cancel()
        except* (StartFailed, GaveUp) as ended:
            log.error("venue_ended", why=[str(error) for error in ended.exceptions])
            exit_code = WRONG
        except* DrainCut:
            exit_code = WRONG
    log.info("venue_stopped")
    return exit_code


async def _tree(
    supervisor: Supervisor, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    await supervisor.run(task_status=task_status)


async def _drain(
    signals: AsyncIterator[int],
    channels: system.Channels,
    supervisor: Supervisor,
    within_s: float,
    everything: trio.CancelScope,
) -> None:
    """Wait for the word to stop; then let the venue finish what it has begun, within a limit.

    Raises DrainCut when it was not let finish. Cancelled, and that is all, when it has finished.
    """
    first = await anext(signals)
    log.info("draining", signal=signal.Signals(first).name, within_s=within_s)
    channels.draining.set(True)
    supervisor.request_stop()
    with trio.move_on_after(within_s):
        await anext(signals)
    log.warning("drain_cut_short", why="a second signal, or the limit")
    everything.cancel()
    stuck: tuple[str, ...] = ("venue",)
    with trio.move_on_after(CUT_WITHIN_S, shield=True):
        stuck = await supervisor.wait_stopped()
    _leave_if_stuck(stuck)
    raise DrainCut


def _leave_if_stuck(paths: tuple[str, ...]) -> None:
    """End the process by force if an actor ignores its cancellation: trio would wait for ever.

    Nothing acknowledged is lost by it: what was acknowledged is on disk.
    """
    if paths:
        log.error("actors_stuck", paths=paths)
        sys.stderr.flush()
        os._exit(WRONG)


def _report(ended: ExitReport) -> None:
    """One line for each end of an actor's life."""
    well = ended.reason in (Reason.NORMAL, Reason.SHUTDOWN)
    write = log.info if well else log.error
    write(
        "actor_ended",
        child=ended.child,
        reason=ended.reason.value,
        context=ended.context.value,
        restarts_left=ended.restarts_left,
        stack=ended.stack,
    )


# --- the outside --------------------------------------------------------------------------------


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    """The socket that traders connect to; it outlives every life of the Gateway."""
    host, port = settings.http.host, settings.http.port
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise CannotDo(f"can't listen at {host} port {port}: {error}", REFUSED) from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)  # is inherited
        yield listener


def _at_port(settings: Settings, port: int) -> Settings:
    """The settings with the port that port 0 became, in the origin too where that followed it."""
    if settings.http.port == port:
        return settings
    origin = settings.public.origin.removesuffix(":0")
    follows = origin != settings.public.origin
    return attrs.evolve(
        settings,
        http=attrs.evolve(settings.http, port=port),
        public=attrs.evolve(settings.public, origin=f"{origin}:{port}")
        if follows
        else settings.public,
    )


def _new_token(settings: Settings, chance: Chance) -> str:
    if settings.venue.mode != DEMO:
        raise CannotDo("ops.token is not set", REFUSED)
    return chance.token_bytes(TOKEN_BYTES).hex()


@contextmanager
def _announced(folder: DataFolder, settings: Settings, token: str) -> Iterator[None]:
    """While the venue runs, its folder tells tools where it is and how to operate it."""
    here = {"url": _url(settings), "pid": os.getpid()}
    replace_file(folder.token_file, token + "\n", mode=PRIVATE)
    replace_file(folder.run_file, json.dumps(here) + "\n")
    try:
        yield
    finally:
        folder.run_file.unlink(missing_ok=True)
        folder.token_file.unlink(missing_ok=True)


def _url(settings: Settings) -> str:
    host = settings.http.host
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
    bracketed = f"[{reachable}]" if ":" in reachable and "[" not in reachable else reachable
    return f"http://{bracketed}:{settings.http.port}"


def _welcome(settings: Settings, token: str) -> str:
    demo = settings.venue.mode == DEMO
    made = f" Operator token: {token}" if demo and not settings.ops.token else ""
    kind = "demo, paper money" if demo else "production"
    return f"tapgrid is ready at {_url(settings)} ({kind}; feed {settings.feed.source}).{made}"
