"""The one page: every channel and port reaches the actors it is for, and the tree stops in time."""

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import attrs
import pytest

from actors import publisher, system
from actors.commands.opening import venue_settings
from config.settings import load
from supervisor import (
    BrutalKill,
    Child,
    Mailbox,
    Managed,
    Strategy,
    SupervisorSpec,
    SupervisorStatus,
    Topic,
    Watch,
    WhenFull,
    check_spec,
)

SETTINGS = load().settings
CHANNELS = [field.name for field in attrs.fields(system.Channels)]
PORTS = [field.name for field in attrs.fields(system.Ports)]


class Port:
    """Stands for a port, or a method of it, that the wiring hands on and never calls."""

    def __getattr__(self, method: str) -> "Port":
        if method.startswith("_"):
            raise AttributeError(method)
        return self

    def __call__(self) -> None:
        raise AssertionError("the wiring called a port")


@attrs.define
class Wiring:
    """A tree that is not run."""

    channels: system.Channels
    ports: system.Ports
    tree: SupervisorSpec

    def actors(self, spec: SupervisorSpec | None = None) -> list[Child]:
        """All actors, in the order of their start."""
        found: list[Child] = []
        for child in (spec or self.tree).children:
            found += self.actors(child) if isinstance(child, SupervisorSpec) else [child]
        return found

    def users_of(self, part: object) -> list[str]:
        """The ids of the actors that are handed this very channel or port."""
        return [
            actor.id for actor in self.actors() if any(part is held for held in _held_by(actor.run))
        ]


def _held_by(run: Any) -> Iterator[object]:
    """All that an actor is handed, on whatever level of its arguments."""
    assert isinstance(run, partial), "an actor is its `run` with its arguments"
    waiting: list[Any] = [run]
    while waiting:
        held = waiting.pop()
        yield held
        if isinstance(held, partial):
            waiting += [*held.args, *held.keywords.values(), held.func]
        elif isinstance(held, tuple):
            waiting += held
        elif attrs.has(type(held)) and type(held).__name__.endswith("Ports"):
            waiting += [getattr(held, field.name) for field in attrs.fields(type(held))]
        elif hasattr(held, "_topic"):
            waiting.append(held._topic)


@pytest.fixture
def wiring() -> Wiring:
    channels = system.Channels()
    made: Any = {name: Port() for name in PORTS}
    ports = system.Ports(**made | {"sources": (made["sources"],)})
    settings = venue_settings(SETTINGS, token="t" * 32, version="0")

    def status() -> SupervisorStatus:
        raise AssertionError("nobody asks a tree that does not run")

    async def restart(path: str) -> Managed:
        raise AssertionError("nobody restarts a tree that does not run")

    return Wiring(channels, ports, system.tree(channels, ports, settings, status, restart))


# --- channels -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHANNELS)
def test_every_channel_is_bounded_and_goes_by_its_own_name(wiring: Wiring, name: str) -> None:
    channel = getattr(wiring.channels, name)
    assert isinstance(channel, Mailbox | Topic | Watch)
    assert channel.name == name
    if isinstance(channel, Mailbox):
        assert 0 < channel.capacity <= 10_000
    if isinstance(channel, Topic):
        assert 0 <= channel.statistics().capacity < math.inf, "of the readers it has so far"


def test_a_full_mailbox_of_a_client_s_commands_refuses(wiring: Wiring) -> None:
    mailboxes = [getattr(wiring.channels, name) for name in CHANNELS]
    waits = [m.name for m in mailboxes if isinstance(m, Mailbox) and m.when_full is WhenFull.WAIT]
    assert waits == ["record"], "only prices may wait, and no client sends those"


def test_every_channel_has_one_who_reads_it_and_one_who_writes_it(wiring: Wiring) -> None:
    users = {name: wiring.users_of(getattr(wiring.channels, name)) for name in CHANNELS}
    assert users == {
        "record": ["price_feed", "price_recorder", "health_monitor"],
        "ticks": ["publisher", "price_feed", "health_monitor", "quoter", "gateway"],
        "watermark": ["price_recorder", "resolver"],
        "sources": ["price_feed", "gateway"],
        "feed": ["health_monitor", "quoter", "batcher", "resolver", "gateway"],
        "book": ["quoter", "batcher", "gateway"],
        "circuit": ["health_monitor", "gateway"],
        "money": [
            "session_manager",
            "health_monitor",
            "quoter",
            "batcher",
            "resolver",
            "auditor",
            "archiver",
            "gateway",
        ],
        "hold": ["batcher", "gateway"],
        "disk": ["batcher", "disk_monitor", "archiver", "gateway"],
        "archive": ["archiver", "gateway"],
        "backups": ["backup_keeper", "gateway"],
        "audit": ["auditor", "gateway"],
        "archive_requests": ["archiver", "gateway"],
        "restore_requests": ["archiver", "gateway"],
        "backup_requests": ["backup_keeper", "gateway"],
        "check_requests": ["auditor", "gateway"],
        "writer": ["batcher", "gateway"],
        "resolver": ["resolver", "gateway"],
        "user_events": ["publisher", "batcher", "gateway"],
        "sign_in": ["session_manager", "gateway"],
        "session_ends": ["session_manager", "gateway"],
        "draining": ["gateway"],  # set by whoever runs the tree
    }


# --- ports --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PORTS)
def test_every_port_is_somebody_s(wiring: Wiring, name: str) -> None:
    port = getattr(wiring.ports, name)
    part = port[0] if name == "sources" else port
    assert wiring.users_of(part), f"nobody uses {name}"


@pytest.mark.parametrize("name", ["ledger", "ledger_writes"])
def test_only_the_batcher_writes_money(wiring: Wiring, name: str) -> None:
    assert wiring.users_of(getattr(wiring.ports, name)) == ["batcher"]


def test_no_client_s_query_holds_up_an_actor(wiring: Wiring) -> None:
    mine = ["client_ledger", "client_ledger_reads", "client_prices", "client_price_reads"]
    for name in mine:
        assert wiring.users_of(getattr(wiring.ports, name)) == ["gateway"]
    others = ["ledger", "ledger_reader", "ledger_writes", "ledger_reads", "price_record"]
    for name in [*others, "price_reader", "price_writes", "price_reads"]:
        assert "gateway" not in wiring.users_of(getattr(wiring.ports, name))


# --- the tree -----------------------------------------------------------------------------------


def test_it_can_be_started(wiring: Wiring) -> None:
    assert check_spec(wiring.tree) == ()


def test_each_has_a_name_of_its_own_by_which_operators_restart_it(wiring: Wiring) -> None:
    levels = [child.id for child in wiring.tree.children if isinstance(child, SupervisorSpec)]
    names = [*levels, *(actor.id for actor in wiring.actors())]
    assert len(set(names)) == len(names)


def test_the_door_is_opened_last_and_so_shut_first(wiring: Wiring) -> None:
    assert [actor.id for actor in wiring.actors()] == [
        "publisher",
        "session_manager",
        "price_feed",
        "price_recorder",
        "health_monitor",
        "quoter",
        "batcher",
        "resolver",
        "disk_monitor",
        "auditor",
        "backup_keeper",
        "archiver",
        "gateway",
    ]


def test_a_restart_costs_only_those_who_build_on_it(wiring: Wiring) -> None:
    levels = [wiring.tree, *(c for c in wiring.tree.children if isinstance(c, SupervisorSpec))]
    assert {level.id: level.strategy for level in levels} == {
        "venue": Strategy.ONE_FOR_ONE,
        "market": Strategy.REST_FOR_ONE,
        "upkeep": Strategy.ONE_FOR_ONE,
    }


def test_an_actor_that_hangs_is_found(wiring: Wiring) -> None:
    """But those whose parts each have limits of their own, and those whose work takes hours."""
    unwatched = [actor.id for actor in wiring.actors() if actor.heartbeat_s is None]
    at_work_for_hours = ["auditor", "backup_keeper", "archiver"]
    assert unwatched == ["session_manager", *at_work_for_hours, "gateway"]


def test_all_stop_one_after_the_other_within_the_drain_limit(wiring: Wiring) -> None:
    limits: dict[str, float] = {}
    for actor in wiring.actors():
        assert not isinstance(actor.stop_within_s, BrutalKill)
        limits[actor.id] = actor.stop_within_s
    assert sum(limits.values()) <= SETTINGS.venue.drain_within_s
    assert limits["gateway"] == SETTINGS.venue.drain_within_s * 2 / 5, "clients are what takes time"
    assert limits["publisher"] > publisher.LAST_WITHIN_S, "it stops by itself"
