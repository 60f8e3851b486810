"""The twin of the network: connections behave as TCP's do, and fail in the ways that those do."""

import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from simulation.clock import SteppedClock
from simulation.connection import WAY_BYTES_MAX, End
from simulation.network import ALL, BACKLOG_MAX, LATENCY_S, SimulatedDoor, SimulatedNetwork
from simulation.scenario import Fault, FaultKind, Scenario
from simulation.trace import Trace
from simulation.wire import address_of
from simulation.world import World
from supervisor import TrioClock

ARRIVED_S = LATENCY_S[1] + 0.001
RESET_BY_S = 0.2
PATIENCE_S = 100


@pytest.fixture
def world() -> World:
    true_clock = TrioClock(1_770_100_000_000)
    world = World(
        scenario=Scenario(seed=1, seconds=600, epoch_ms=1_770_100_000_000),
        trace=Trace(),
        folder=Path(),
        true_clock=true_clock,
        clock=SteppedClock(true_clock),
    )
    world.network = SimulatedNetwork(world)
    return world


async def both_ends(
    world: World, *, who: int = 0, door: SimulatedDoor | None = None
) -> tuple[End, End]:
    """A new connection: the trader's end, and the venue's."""
    door = door if door is not None else world.network.open_door(1)
    trader = await world.network.connect(who, address_of(who))
    return trader, await door.listen().accept()


async def read_all(end: End) -> bytes:
    """Until the end."""
    heard = b""
    while data := await end.receive_some(1_000_000):
        heard += data
    return heard


def effects(world: World) -> dict[str, int]:
    return {name: n for name, n in world.counts.items() if name.startswith("fault.")}


# --- a connection ---------------------------------------------------------------------------


async def test_bytes_arrive_in_order_and_late(world: World, autojump_clock: MockClock) -> None:
    trader, venue = await both_ends(world)
    began = trio.current_time()
    await trader.send_all(b"one")
    await trader.send_all(b"two")
    assert await venue.receive_some(4) == b"onet"
    assert LATENCY_S[0] <= trio.current_time() - began <= LATENCY_S[1]
    assert await venue.receive_some(4) == b"wo"
    await venue.send_all(b"three")
    assert await trader.receive_some(100) == b"three"


async def test_the_addresses_are_told(world: World, autojump_clock: MockClock) -> None:
    trader, venue = await both_ends(world, who=3)
    assert venue.socket.getpeername()[0] == address_of(3)
    assert venue.socket.getsockname()[0] == trader.socket.getpeername()[0]


async def test_no_two_of_many_people_share_an_address() -> None:
    addresses = [address_of(who) for who in range(-1, 5_000)]
    assert len(set(addresses)) == len(addresses)
    assert all(0 < int(part) < 256 for text in addresses for part in text.split("."))


async def test_who_sends_more_than_is_read_waits_for_room(
    world: World, autojump_clock: MockClock
) -> None:
    trader, venue = await both_ends(world)
    with trio.move_on_after(PATIENCE_S) as waited:
        await venue.send_all(bytes(WAY_BYTES_MAX + 1))
    assert waited.cancelled_caught
    async with trio.open_nursery() as nursery:
        nursery.start_soon(venue.send_all, bytes(100_000))
        size = 0
        while size < WAY_BYTES_MAX + 100_000:
            size += len(await trader.receive_some(5_000))


async def test_the_end_comes_behind_the_bytes(world: World, autojump_clock: MockClock) -> None:
    trader, venue = await both_ends(world)
    await venue.send_all(b"the last words")
    venue.close()
    assert not trader.has_ended
    assert await read_all(trader) == b"the last words"
    assert trader.has_ended


async def test_who_says_that_he_sends_no_more_may_still_read(
    world: World, autojump_clock: MockClock
) -> None:
    trader, venue = await both_ends(world)
    venue.shutdown(1)
    assert await trader.receive_some(10) == b""
    await trader.send_all(b"heard")
    assert await venue.receive_some(10) == b"heard"
    with pytest.raises(trio.ClosedResourceError):
        await venue.send_all(b"more")


async def test_who_closes_with_bytes_unread_resets_the_connection(
    world: World, autojump_clock: MockClock
) -> None:
    trader, venue = await both_ends(world)
    await trader.send_all(b"never read")
    await venue.send_all(b"lost with the reset")
    await trio.sleep(ARRIVED_S)
    venue.close()
    await trio.sleep(ARRIVED_S)
    with pytest.raises(trio.BrokenResourceError):
        await trader.receive_some(10)
    with pytest.raises(trio.BrokenResourceError):
        await trader.send_all(b"x")
    with pytest.raises(OSError, match="gone"):
        trader.getpeername()
    with pytest.raises(OSError, match="gone"):
        trader.shutdown(1)


async def test_what_is_sent_to_one_who_has_left_is_answered_by_a_reset(
    world: World, autojump_clock: MockClock
) -> None:
    trader, venue = await both_ends(world)
    trader.close()
    await venue.send_all(b"nobody there")
    await trio.sleep(ARRIVED_S)
    with pytest.raises(trio.BrokenResourceError):
        await venue.send_all(b"still nobody")


async def test_closing_wakes_whoever_sends_or_receives(
    world: World, autojump_clock: MockClock
) -> None:
    _, venue = await both_ends(world)

    async def send() -> None:
        await venue.send_all(bytes(2 * WAY_BYTES_MAX))

    async def receive() -> None:
        await venue.receive_some(1)

    woken = []

    async def until_closed(call: Callable[[], Awaitable[None]]) -> None:
        with pytest.raises(trio.ClosedResourceError):
            await call()
        woken.append(call)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(until_closed, send)
        nursery.start_soon(until_closed, receive)
        await trio.sleep(1)
        await venue.aclose()
    assert len(woken) == 2


async def test_who_waits_for_room_hears_that_the_other_has_left(
    world: World, autojump_clock: MockClock
) -> None:
    trader, venue = await both_ends(world)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(venue.send_all, bytes(2 * WAY_BYTES_MAX))
        await trio.sleep(1)
        trader.close()
    with pytest.raises(trio.BrokenResourceError):
        await venue.receive_some(1)


# --- doors ----------------------------------------------------------------------------------


async def test_where_no_process_is_a_connection_is_refused(
    world: World, autojump_clock: MockClock
) -> None:
    with pytest.raises(ConnectionRefusedError):
        await world.network.connect(0, address_of(0))
    world.network.open_door(1).close()
    with pytest.raises(ConnectionRefusedError):
        await world.network.connect(0, address_of(0))


async def test_who_comes_between_two_lives_waits_for_the_next(
    world: World, autojump_clock: MockClock
) -> None:
    door = world.network.open_door(1)
    await door.listen().aclose()
    trader = await world.network.connect(0, address_of(0))
    await trader.send_all(b"hello")
    venue = await door.listen().accept()
    assert await venue.receive_some(10) == b"hello"


async def test_a_full_backlog_lets_nobody_in_until_there_is_room(
    world: World, autojump_clock: MockClock
) -> None:
    door = world.network.open_door(1)
    for who in range(BACKLOG_MAX):
        await world.network.connect(who, address_of(who))
    with trio.move_on_after(PATIENCE_S) as waited:
        await world.network.connect(ALL, address_of(ALL))
    assert waited.cancelled_caught
    await door.listen().accept()
    await world.network.connect(ALL, address_of(ALL))


async def test_who_was_not_let_in_when_the_door_closes_is_reset(
    world: World, autojump_clock: MockClock
) -> None:
    door = world.network.open_door(1)
    trader = await world.network.connect(0, address_of(0))
    door.close()
    with pytest.raises(trio.BrokenResourceError):
        await trader.receive_some(1)


async def test_with_its_process_a_connection_dies(world: World, autojump_clock: MockClock) -> None:
    """The venue's end at once; the trader hears of it, or else when he next says something."""
    door = world.network.open_door(1)
    ends = [await both_ends(world, who=who, door=door) for who in range(30)]
    door.kill()
    trio_errors = []
    for trader, venue in ends:
        with pytest.raises(trio.ClosedResourceError):
            await venue.send_all(b"from the dead")
        with trio.move_on_after(RESET_BY_S):
            with pytest.raises(trio.BrokenResourceError):
                await trader.receive_some(1)
            trio_errors.append(trader)
            continue
        await trader.send_all(b"are you there?")
        with pytest.raises(trio.BrokenResourceError):
            await trader.receive_some(1)
    assert 15 < len(trio_errors) < 30
    with pytest.raises(ConnectionRefusedError):
        await world.network.connect(0, address_of(0))


async def test_what_a_dead_process_had_sent_arrives_or_not(
    world: World, autojump_clock: MockClock
) -> None:
    door = world.network.open_door(1)
    ends = [await both_ends(world, who=who, door=door) for who in range(30)]
    for _, venue in ends:
        await venue.send_all(b"placed")
    door.kill()
    heard = 0
    for trader, _ in ends:
        try:
            heard += await trader.receive_some(10) == b"placed"
        except trio.BrokenResourceError:
            continue
    assert 10 < heard < 25


async def test_a_dead_door_takes_nothing_of_the_next_process_along(
    world: World, autojump_clock: MockClock
) -> None:
    old = world.network.open_door(1)
    old.kill()
    trader, venue = await both_ends(world, door=world.network.open_door(2))
    old.kill()
    await trader.send_all(b"hello")
    assert await venue.receive_some(10) == b"hello"


# --- faults ---------------------------------------------------------------------------------


async def strike(world: World, kind: FaultKind, *, lasts_s: float = 0, who: int = ALL) -> None:
    fault = Fault(at_s=trio.current_time(), kind=kind, lasts_s=lasts_s, amount=who)
    await world.network.strike(fault)


async def test_a_cut_resets_everybody_and_lets_nobody_in_while_it_lasts(
    world: World, autojump_clock: MockClock
) -> None:
    door = world.network.open_door(1)
    ends = [await both_ends(world, who=who, door=door) for who in range(3)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: strike(world, FaultKind.NET_CUT, lasts_s=10))
        await trio.sleep(RESET_BY_S)
        for end in itertools.chain(*ends):
            with pytest.raises(trio.BrokenResourceError):
                await end.receive_some(1)
        with pytest.raises(ConnectionRefusedError):
            await world.network.connect(0, address_of(0))
    await both_ends(world, door=door)
    assert effects(world) == {"fault.net_cut": 1}


async def test_a_cut_may_concern_one_trader_only(world: World, autojump_clock: MockClock) -> None:
    door = world.network.open_door(1)
    mine, _ = await both_ends(world, who=0, door=door)
    other, at_venue = await both_ends(world, who=1, door=door)
    await strike(world, FaultKind.NET_CUT, who=0)
    await trio.sleep(RESET_BY_S)
    with pytest.raises(trio.BrokenResourceError):
        await mine.receive_some(1)
    await other.send_all(b"still here")
    assert await at_venue.receive_some(100) == b"still here"


async def test_a_cut_loses_requests_and_answers_or_only_one_of_them(
    world: World, autojump_clock: MockClock
) -> None:
    """Whoever lost the answer can't tell whether the venue has read the request."""
    door, found = world.network.open_door(1), set()
    for who in range(40):
        trader, venue = await both_ends(world, who=who, door=door)
        await trader.send_all(b"request")
        await venue.send_all(b"answer")
        await strike(world, FaultKind.NET_CUT, who=who)
        await trio.sleep(ARRIVED_S)
        heard = []
        for end in (venue, trader):
            try:
                heard.append(await end.receive_some(100))
            except trio.BrokenResourceError:
                heard.append(b"")
        found.add(tuple(heard))
    assert found == {(b"", b""), (b"request", b""), (b"", b"answer"), (b"request", b"answer")}


async def test_where_nobody_is_connected_a_cut_has_no_effect(
    world: World, autojump_clock: MockClock
) -> None:
    trader, venue = await both_ends(world)
    trader.close()
    venue.close()
    await strike(world, FaultKind.NET_CUT)
    await strike(world, FaultKind.NET_STALL, lasts_s=1)
    await strike(world, FaultKind.NET_SLOW, lasts_s=1)
    assert effects(world) == {}


async def test_while_the_network_stalls_nothing_arrives_and_nobody_is_told(
    world: World, autojump_clock: MockClock
) -> None:
    trader, venue = await both_ends(world)
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: strike(world, FaultKind.NET_STALL, lasts_s=20))
        await trio.sleep(1)
        await trader.send_all(b"request")
        await venue.send_all(b"farewell")
        venue.shutdown(1)
        await trio.sleep(1)
        with trio.move_on_after(10) as waited:
            await venue.receive_some(100)
        assert waited.cancelled_caught
        assert not trader.has_ended
    assert trio.current_time() - began < 21
    assert await venue.receive_some(100) == b"request"
    assert await read_all(trader) == b"farewell"
    assert effects(world) == {"fault.net_stall": 1}


async def test_a_reset_stalls_too(world: World, autojump_clock: MockClock) -> None:
    door = world.network.open_door(1)
    trader, _ = await both_ends(world, door=door)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: strike(world, FaultKind.NET_STALL, lasts_s=20))
        await trio.sleep(1)
        await strike(world, FaultKind.NET_CUT)
        with trio.move_on_after(10) as waited:
            await trader.receive_some(100)
        assert waited.cancelled_caught
    with pytest.raises(trio.BrokenResourceError):
        await trader.receive_some(100)


async def test_who_connects_while_the_network_stalls_waits(
    world: World, autojump_clock: MockClock
) -> None:
    world.network.open_door(1)
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: strike(world, FaultKind.NET_STALL, lasts_s=20, who=0))
        await trio.sleep(1)
        await world.network.connect(1, address_of(1))
        assert trio.current_time() - began < 2
        await world.network.connect(0, address_of(0))
        assert trio.current_time() - began >= 20


async def test_a_slow_network_brings_everything_late_and_in_pieces(
    world: World, autojump_clock: MockClock
) -> None:
    trader, venue = await both_ends(world)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: strike(world, FaultKind.NET_SLOW, lasts_s=20))
        await trio.sleep(1)
        await trader.send_all(b"hello you")
        began = trio.current_time()
        assert await venue.receive_some(100) == b"hell"
        assert trio.current_time() - began >= 0.2
        assert await venue.receive_some(100) == b"o you"
    assert effects(world) == {"fault.net_slow": 1}


@pytest.mark.parametrize("kind", [FaultKind.NET_CUT, FaultKind.NET_STALL, FaultKind.NET_SLOW])
async def test_the_calm_mends_the_network(
    world: World, autojump_clock: MockClock, kind: FaultKind
) -> None:
    door = world.network.open_door(1)
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: strike(world, kind, lasts_s=500))
        await trio.sleep(10)
        world.calm.set()
    trader, venue = await both_ends(world, door=door)
    await trader.send_all(b"hello")
    assert await venue.receive_some(100) == b"hello"
    assert trio.current_time() - began < 11


async def test_other_faults_are_not_the_networks(world: World, autojump_clock: MockClock) -> None:
    with pytest.raises(ValueError, match="network"):
        await strike(world, FaultKind.KILL)
