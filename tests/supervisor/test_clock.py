"""Clocks."""

import time

import trio

from supervisor import SystemClock, TrioClock


async def test_the_trio_clock_shows_virtual_time_to_the_millisecond(autojump_clock):
    clock = TrioClock(1_700_000_000_000)
    assert clock.now_ms() == 1_700_000_000_000
    for _ in range(1_001):
        await trio.sleep(0.001)
    assert clock.now_ms() == 1_700_000_001_001


def test_the_system_clock_shows_milliseconds():
    before = time.time_ns() // 1_000_000
    now = SystemClock().now_ms()
    assert before <= now <= time.time_ns() // 1_000_000
