"""The key-value store on Redis 7 or newer: it outlives the venue's process, and others can read it.

It keeps what protocols.ports.KeyValueStore promises, as the store in memory does; one suite of
tests runs on both. Expiry is by the server's clock; the venue's clock fills the token buckets.

Keys are stored under the very names that the venue uses, in the database that the URL names, with
values as UTF-8. Buckets and sets have names of their own (`bucket:KEY`, `set:KEY`). Everything has
a time to live, and the server must run with `noeviction`: an evicted nonce could be used again.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

import trio
from coredis.commands import CommandRequest

from db.redis_address import RedisAddress
from db.redis_pipeline import Command, RedisPipeline, Reply
from domain.token_bucket import Bucket
from protocols.ports import Allowance, Clock, StoreUnavailable

TAKE_TOKEN: Final = (Path(__file__).parent / "take_token.lua").read_bytes()
ADD_MEMBER: Final = (Path(__file__).parent / "add_member.lua").read_bytes()


def _sha(script: bytes) -> bytes:
    """The name under which the server keeps a script that was loaded."""
    return hashlib.sha1(script, usedforsecurity=False).hexdigest().encode()


_TAKE_TOKEN_SHA: Final = _sha(TAKE_TOKEN)
_ADD_MEMBER_SHA: Final = _sha(ADD_MEMBER)


class RedisStore:
    """A KeyValueStore on a server. Made by `open_redis_store`.

    Every method raises StoreUnavailable when the server can't be reached, does not answer in time,
    is full or loading, refuses, or answers what makes no sense.
    """

    def __init__(self, pipeline: RedisPipeline, clock: Clock) -> None:
        self._pipeline = pipeline
        self._clock = clock

    @property
    def round_trips(self) -> int:
        """Pipelines sent so far."""
        return self._pipeline.round_trips

    @property
    def commands(self) -> int:
        """Commands sent so far, in all pipelines."""
        return self._pipeline.commands

    async def put_if_absent(self, key: str, value: str, *, ttl_s: int) -> str | None:
        """None when stored now; else the value that stands there."""
        return _text(
            await self._call(b"SET", _bytes(key), _bytes(value), b"NX", b"GET", b"EX", ttl_s)
        )

    async def put(self, key: str, value: str, *, ttl_s: int) -> None:
        """Store, whatever stood there."""
        reply = await self._call(b"SET", _bytes(key), _bytes(value), b"EX", ttl_s)
        if reply != b"OK":
            raise _senseless("SET")

    async def get(self, key: str) -> str | None:
        """The value, or None."""
        return _text(await self._call(b"GET", _bytes(key)))

    async def get_many(self, keys: Sequence[str]) -> Sequence[str | None]:
        """The value of each, in the order of the keys."""
        if not keys:
            return []
        reply = await self._call(b"MGET", *map(_bytes, keys))
        if not isinstance(reply, list) or len(reply) != len(keys):
            raise _senseless("MGET")
        return [_text(value) for value in reply]

    async def take(self, key: str) -> str | None:
        """Get and delete, as one step."""
        return _text(await self._call(b"GETDEL", _bytes(key)))

    async def delete(self, key: str) -> None:
        """Forget the value, if there is one."""
        _number(await self._call(b"DEL", _bytes(key)))

    async def add_member(self, key: str, member: str, *, ttl_s: int) -> frozenset[str]:
        """Put a member into the set `key`, which lives for `ttl_s` from now on; all its members."""
        return _texts(
            await self._call(
                b"EVALSHA", _ADD_MEMBER_SHA, 1, b"set:" + _bytes(key), _bytes(member), ttl_s
            )
        )

    async def drop_member(self, key: str, member: str) -> None:
        """Take it out of the set, if it is in it. The set's life goes on as it was."""
        _number(await self._call(b"SREM", b"set:" + _bytes(key), _bytes(member)))

    async def members(self, key: str) -> frozenset[str]:
        """All members; none if there is no such set."""
        return _texts(await self._call(b"SMEMBERS", b"set:" + _bytes(key)))

    async def take_token(self, key: str, *, per_minute: int, burst: int) -> Allowance:
        """One request against the token bucket `key`; a bucket that has filled up is forgotten."""
        now_ms = self._clock.now_ms()
        reply = await self._call(
            b"EVALSHA", _TAKE_TOKEN_SHA, 1, b"bucket:" + _bytes(key), per_minute, burst, now_ms
        )
        match reply:
            case [(0 | 1) as allowed, int(units), int(at_ms)]:
                bucket = Bucket(per_minute=per_minute, burst=burst, units=units, at_ms=at_ms)
                return _allowance(bucket, allowed=allowed == 1)
        raise _senseless("EVALSHA")

    async def publish(self, channel: str, message: str) -> None:
        """Tell whoever listens to `channel` now. Channels are common to all databases."""
        _number(await self._call(b"PUBLISH", _bytes(channel), _bytes(message)))

    async def _call(self, name: bytes, *arguments: bytes | int) -> Reply:
        return await self._pipeline.call(_command(name, *arguments))


def open_redis_store(
    url: str,
    clock: Clock,
    *,
    answer_within_ms: int,
    tell: Callable[[str], None] = lambda _why: None,
) -> AbstractAsyncContextManager[RedisStore]:
    """The store at `redis://[user:password@]host[:port][/db]`; `rediss` is with TLS.

    Opens even if the server is down: calls are then refused until it is there. `tell` is called
    with each new reason why calls fail, and with "" when they work again. To be left by the task
    that entered it. Raises ValueError, at once, if the URL is none of those.
    """
    return _opened(
        RedisPipeline(
            RedisAddress.parse(url).connect,
            prepare=[_command(b"SCRIPT LOAD", script) for script in (TAKE_TOKEN, ADD_MEMBER)],
            answer_within_ms=answer_within_ms,
            tell=tell,
        ),
        clock,
    )


@asynccontextmanager
async def _opened(pipeline: RedisPipeline, clock: Clock) -> AsyncIterator[RedisStore]:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pipeline.run)
        await pipeline.wait_tried()
        yield RedisStore(pipeline, clock)
        nursery.cancel_scope.cancel()


# --- commands and replies -----------------------------------------------------------------------


def _command(name: bytes, *arguments: bytes | int) -> Command:
    return CommandRequest(name, *arguments, execution_parameters={})


def _bytes(text: str) -> bytes:
    """UTF-8; a lone surrogate, which a client can send in JSON, goes there and back as it is."""
    return text.encode(errors="surrogatepass")


def _text(reply: Reply) -> str | None:
    if reply is None:
        return None
    if not isinstance(reply, bytes):
        raise _senseless("a read")
    try:
        return reply.decode(errors="surrogatepass")
    except UnicodeDecodeError as error:
        raise StoreUnavailable("Redis: a value there is not text") from error


def _texts(reply: Reply) -> frozenset[str]:
    """The members of a set: a list where a script answers, else a set."""
    if not isinstance(reply, list | set):
        raise _senseless("a read")
    return frozenset(text for text in map(_text, reply) if text is not None)


def _number(reply: Reply) -> int:
    if not isinstance(reply, int):
        raise _senseless("a count")
    return reply


def _senseless(command: str) -> StoreUnavailable:
    return StoreUnavailable(f"Redis: the answer to {command} makes no sense")


def _allowance(bucket: Bucket, *, allowed: bool) -> Allowance:
    return Allowance(
        allowed=allowed,
        limit=bucket.burst,
        remaining=bucket.remaining,
        reset_s=bucket.full_after_s,
        retry_after_s=0 if allowed else bucket.next_after_s,
    )
