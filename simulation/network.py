"""The twin of the network: connections in memory, which may be slow, stall, or be cut.

Each process of the venue has one `SimulatedDoor`; traders `connect` to whatever process is there.
As with a listening socket, a door that is open takes connections also while no life of the Gateway
listens: they wait in its backlog. Where no door is open the connection is refused.

`target` of a fault is not used; `amount` is the one trader it concerns, or -1: all.
"""

import math
from collections import Counter, deque
from typing import Final

import trio

from simulation.connection import End, Link, Passage, link
from simulation.scenario import Fault, FaultKind
from simulation.world import World

ALL: Final = -1
"""Every trader, and the operator."""
VENUE_ADDRESS: Final = "192.0.2.1"
BACKLOG_MAX: Final = 100
"""Connections that nobody has accepted; who comes then waits until there is room."""
LATENCY_S: Final = (0.000_5, 0.04)
"""One way; drawn for each connection."""
SLOW_S: Final = (0.2, 1.5)
"""So much is added to each way while the network is slow."""
RESET_S: Final = (0.0, 0.1)
"""After a cut: at once, so that what is under way is lost; or behind it."""
RESET_BY_KILL_S: Final = ((0.0, 4.0), (0.1, 5.0), (math.inf, 1.0))
"""Likewise, with their weights; some are never told."""
FIRST_PORT: Final = 49_152


class SimulatedNetwork:
    """Between the traders and whatever process of the venue is there."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._door: SimulatedDoor | None = None
        self._links: dict[int, Link] = {}
        self._made = 0
        self._made_by: Counter[int] = Counter()
        self._stalled: Counter[int] = Counter()
        self._cut: Counter[int] = Counter()
        self._slow: dict[Fault, float] = {}
        self._slowed = 0
        self._changed = trio.lowlevel.ParkingLot()

    def open_door(self, process: int) -> "SimulatedDoor":
        """The door of a new process; `kill` it when that ends."""
        self._door = SimulatedDoor(self, process)
        return self._door

    async def connect(self, who: int, address: str) -> End:
        """A connection of that trader from that address. Raises ConnectionRefusedError.

        Waits as long as the network stalls, so callers have limits of their own.
        """
        self._made_by[who] += 1
        draws = self._world.draws("connection", who, self._made_by[who])
        latency_s = draws.uniform(*LATENCY_S)
        await trio.sleep(2 * latency_s + self._extra_s(who))
        while self._is_stalled(who) or (self._door is not None and self._door.is_full):
            await self._changed.park()
        if self._door is None or self._is_cut(who):
            raise ConnectionRefusedError("nothing listens there")
        passage = Passage(
            latency_s=latency_s,
            extra_s=lambda: self._extra_s(who),
            is_stalled=lambda: self._is_stalled(who),
        )
        self._made += 1
        port = FIRST_PORT + self._made
        made = link(
            passage,
            who=who,
            process=self._door.process,
            address=address,
            venue=VENUE_ADDRESS,
            port=port,
        )
        if self._made % 64 == 0:
            self._forget_the_gone()
        self._links[self._made] = made
        self._door.arrive(made)
        return made.trader

    # Faults

    async def strike(self, fault: Fault) -> None:
        """Let it fail that way, for as long as it lasts."""
        match fault.kind:
            case FaultKind.NET_CUT:
                self._cut_off(fault.amount)
                await self._while_it_lasts(self._cut, fault)
            case FaultKind.NET_STALL:
                await self._while_it_lasts(self._stalled, fault)
            case FaultKind.NET_SLOW:
                await self._be_slow(fault)
            case _:
                raise ValueError(f"{fault.kind} is not of the network")

    def _cut_off(self, who: int) -> None:
        """Reset the connections. What was under way may be lost, in each direction by itself."""
        self._forget_the_gone()
        struck = [each for each in self._links.values() if who in (ALL, each.who)]
        draws = self._world.draws("cut", trio.current_time(), who)
        for each in struck:
            each.cut(up_after_s=draws.one_of(RESET_S), down_after_s=draws.one_of(RESET_S))
        if struck:
            self._world.fault_took_effect(FaultKind.NET_CUT, who, len(struck))

    async def _while_it_lasts(self, counted: Counter[int], fault: Fault) -> None:
        counted[fault.amount] += 1
        await self._lasts(fault)
        counted[fault.amount] -= 1
        if counted is self._stalled:
            held_up = sum(each.up.is_held_up + each.down.is_held_up for each in self._of(fault))
            if held_up:
                self._world.fault_took_effect(fault.kind, fault.amount, held_up)
            for each in self._of(fault):
                each.look_again()
        self._changed.unpark_all()

    async def _be_slow(self, fault: Fault) -> None:
        draws = self._world.draws("slow", fault.at_s, fault.amount)
        before, self._slow[fault] = self._slowed, draws.uniform(*SLOW_S)
        await self._lasts(fault)
        self._slow.pop(fault, None)
        if self._slowed > before:
            self._world.fault_took_effect(fault.kind, fault.amount, self._slowed - before)

    async def _lasts(self, fault: Fault) -> None:
        with trio.move_on_after(fault.lasts_s):
            await self._world.calm.wait()

    def _of(self, fault: Fault) -> list[Link]:
        return [each for each in self._links.values() if fault.amount in (ALL, each.who)]

    def _is_stalled(self, who: int) -> bool:
        return self._stalled[who] > 0 or self._stalled[ALL] > 0

    def _is_cut(self, who: int) -> bool:
        return self._cut[who] > 0 or self._cut[ALL] > 0

    def _extra_s(self, who: int) -> float:
        if not self._slow:
            return 0.0
        extra_s = sum(s for fault, s in self._slow.items() if fault.amount in (ALL, who))
        self._slowed += extra_s > 0
        return extra_s

    # Doors

    def door_gone(self, door: "SimulatedDoor") -> None:
        """Nothing listens there any more."""
        if self._door is door:
            self._door = None
        self._changed.unpark_all()

    def door_has_room(self) -> None:
        """A connection was taken from the backlog."""
        self._changed.unpark_all()

    def kill(self, process: int) -> None:
        """The process is dead: every connection is reset. What its machine had been given to send
        may still arrive, or not."""
        draws = self._world.draws("kill", process)
        for each in self._links.values():
            if each.process == process:
                each.kill(down_after_s=draws.weighted(RESET_BY_KILL_S))

    def _forget_the_gone(self) -> None:
        self._links = {n: each for n, each in self._links.items() if not each.is_over}


class SimulatedDoor:
    """Where the traders come into one process. A `Door` of `actors/gateway/doors.py`."""

    def __init__(self, network: SimulatedNetwork, process: int) -> None:
        self._network = network
        self.process = process
        self._backlog: deque[Link] = deque()
        self._somebody = trio.lowlevel.ParkingLot()

    @property
    def is_full(self) -> bool:
        """Is there no room in the backlog?"""
        return len(self._backlog) >= BACKLOG_MAX

    def arrive(self, link: Link) -> None:
        """Somebody is at the door."""
        self._backlog.append(link)
        self._somebody.unpark()

    def listen(self) -> "SimulatedListening":
        """Begin to listen."""
        return SimulatedListening(self)

    def close(self) -> None:
        """For good: who waits is reset, who comes is refused."""
        self._network.door_gone(self)
        while self._backlog:
            self._backlog.popleft().kill(down_after_s=0.0)

    def kill(self) -> None:
        """As the process dies, or has ended: what it left open is reset."""
        self._network.door_gone(self)
        self._backlog.clear()
        self._network.kill(self.process)

    async def next_client(self) -> End:
        """Who has come first."""
        await trio.lowlevel.checkpoint()
        while not self._backlog:
            await self._somebody.park()
        client = self._backlog.popleft()
        self._network.door_has_room()
        return client.venue


class SimulatedListening:
    """One life's turn at the door."""

    def __init__(self, door: SimulatedDoor) -> None:
        self._door = door

    async def accept(self) -> End:
        """The next client."""
        return await self._door.next_client()

    async def aclose(self) -> None:
        """Listen no more."""
        await trio.lowlevel.checkpoint()
