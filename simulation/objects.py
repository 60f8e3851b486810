"""The twin of S3: outlives the venue's processes; calls may fail half-way, or lie.

What it stores is kept in memory. A call that fails may have been carried out all the same.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Final

import attrs

from db.object_io import CHUNK_BYTES, Passage, checked_key, checked_prefix, os_reason, save
from protocols.ports import ObjectMissing, ObjectStoreFailed, StoredObject, Work
from simulation.scenario import Fault, FaultKind
from simulation.world import World

FAILS: Final = 0.6
"""So many calls fail, or lie, while a fault lasts that does not say how many do."""


class Half(StrEnum):
    """Where a call that fails does."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"
    """All was done, and the answer lost."""


_WORDS: Final = {"put": "store", "get": "fetch", "sha256": "read"}


@attrs.define(kw_only=True, eq=False)
class _InForce:
    """A fault that lasts."""

    fault: Fault
    left: int
    """How many more calls it strikes."""


class SimulatedObjects:
    """One bucket. Of a fault `target` says which calls it is about (`put`, `get`, `sha256`, `list`,
    `delete`; else all), and `amount` how many of them, at most, fail or lie while it lasts."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.content: dict[str, bytes] = {}
        self._draws = world.draws("objects")
        self._in_force: list[_InForce] = []

    def bucket(self, *, is_dead: Callable[[], bool] = lambda: False) -> "Bucket":
        """As one process sees it; a dead one changes nothing any more."""
        return Bucket(self, is_dead=is_dead)

    async def strike(self, fault: Fault) -> None:
        """Let it fail that way, for as long as it lasts."""
        mine = _InForce(fault=fault, left=fault.amount)
        self._in_force.append(mine)
        await self.world.lasting(fault.lasts_s)
        self._in_force.remove(mine)

    def failing(self, call: str) -> Half | None:
        """Does this call fail, and where?"""
        if not self._strikes(FaultKind.OBJECTS_FAIL, call):
            return None
        half = self._draws.one_of(list(Half))
        self.world.fault_took_effect(FaultKind.OBJECTS_FAIL, call, half)
        return half

    def read(self, call: str, content: bytes) -> bytes:
        """What somebody gets who reads that content."""
        if not content or not self._strikes(FaultKind.OBJECTS_CORRUPT, call):
            return content
        self.world.fault_took_effect(FaultKind.OBJECTS_CORRUPT, call)
        at = self._draws.whole(0, len(content) - 1)
        if self._draws.happens(0.3):
            return content[:at]
        return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]

    def _strikes(self, kind: FaultKind, call: str) -> bool:
        for each in self._in_force:
            if each.fault.kind is not kind or each.fault.target not in ("", call):
                continue
            if each.fault.amount == 0:
                return self._draws.happens(FAILS)
            if each.left > 0 and self._draws.happens(FAILS):
                each.left -= 1
                return True
        return False


class Bucket:
    """An ObjectStore (protocols.ports)."""

    place: Final = "s3://simulated"

    def __init__(self, objects: SimulatedObjects, *, is_dead: Callable[[], bool]) -> None:
        self._objects = objects
        self._is_dead = is_dead

    def put(self, key: str, file: str, *, sha256: str, work: Work) -> None:
        """Store the file's content; a file of another SHA-256 is refused."""
        checked_key(key)
        with self._plainly("put", key) as half:
            with open(file, "rb") as source:
                content = source.read()
            passage = Passage(len(content), work)
            passage.exhaust(_sent(content, half))
            passage.expect(sha256, file)
            self._objects.content[key] = content
            self._objects.world.happened("object_stored", key)

    def get(self, key: str, file: str, *, work: Work) -> str:
        """Copy the object into a new file; the SHA-256 of what was read."""
        with self._plainly("get", key) as half:
            content = self._found("get", key)
            passage = Passage(len(content), work)
            save(passage.follow(_sent(content, half)), file)
            return passage.sha256

    def sha256(self, key: str, *, work: Work) -> str:
        """The SHA-256 of the object, read whole."""
        with self._plainly("sha256", key) as half:
            content = self._found("sha256", key)
            return Passage(len(content), work).exhaust(_sent(content, half))

    def list(self, prefix: str) -> Sequence[StoredObject]:
        """The objects whose key begins with `prefix`, in order of key."""
        checked_prefix(prefix)
        with self._plainly("list", prefix):
            return [
                StoredObject(key=key, bytes=len(content))
                for key, content in sorted(self._objects.content.items())
                if key.startswith(prefix)
            ]

    def delete(self, key: str) -> None:
        """Remove the object, if there is one."""
        checked_key(key)
        with self._plainly("delete", key):
            if self._objects.content.pop(key, None) is not None:
                self._objects.world.happened("object_deleted", key)

    def _found(self, call: str, key: str) -> bytes:
        content = self._objects.content.get(checked_key(key))
        if content is None:
            raise ObjectMissing(f"{self.place} has no {key}")
        return self._objects.read(call, content)

    @contextmanager
    def _plainly(self, call: str, key: str) -> Iterator[Half | None]:
        """Fail where this call is to fail, and say in one line what could not be done."""
        doing = f"can't {_WORDS.get(call, call)} {key or 'objects'} in {self.place}"
        if self._is_dead():
            raise ObjectStoreFailed(f"{doing}: nobody is there to do it")
        half = self._objects.failing(call)
        if half is Half.BEFORE:
            raise ObjectStoreFailed(f"{doing}: 503 Slow Down")
        try:
            yield half
        except ObjectStoreFailed as error:
            raise ObjectStoreFailed(f"{doing}: {error}") from error
        except OSError as error:
            raise ObjectStoreFailed(f"{doing}: {os_reason(error)}") from error
        if half is not None:
            raise ObjectStoreFailed(f"{doing}: the connection was lost before the answer came")


def _sent(content: bytes, half: Half | None) -> Iterator[bytes]:
    """The content on its way, which may end in the middle."""
    arrives = len(content) // 2 if half is Half.DURING else len(content)
    for at in range(0, arrives, CHUNK_BYTES):
        yield content[at : min(arrives, at + CHUNK_BYTES)]
    if half is Half.DURING:
        raise ObjectStoreFailed("the connection was lost")
