"""Log lines: one form for everything that writes, stamped by the venue's clock, without secrets."""

import errno
import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from actors import logs


class Stopped:
    """A clock that shows one moment."""

    def now_ms(self) -> int:
        return 1_770_100_003_007


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield io.StringIO()
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def configure(stream: io.StringIO, *, form: str = "json", level: str = "info") -> None:
    logs.configure(form=form, level=level, clock=Stopped(), stream=stream)


def test_a_line_is_one_json_object_with_time_level_and_actor_first(stream: io.StringIO) -> None:
    configure(stream)
    structlog.get_logger("batcher").info("flushed", commands=3)
    assert stream.getvalue() == (
        '{"timestamp": "2026-02-03T06:26:43.007Z", "level": "info", "actor": "batcher", '
        '"event": "flushed", "commands": 3}\n'
    )


def test_a_named_actor_wins_over_the_name_of_the_logger(stream: io.StringIO) -> None:
    configure(stream)
    structlog.get_logger("x", actor="price_feed").info("connected")
    assert lines(stream)[0]["actor"] == "price_feed"


def test_a_logger_made_before_follows_the_configuration(stream: io.StringIO) -> None:
    early = structlog.get_logger("early")
    configure(stream)
    early.warning("now")
    assert lines(stream)[0]["event"] == "now"


def test_lines_below_the_level_are_left_out(stream: io.StringIO) -> None:
    configure(stream, level="warning")
    log = structlog.get_logger()
    log.info("quiet")
    log.warning("loud")
    assert [line["event"] for line in lines(stream)] == ["loud"]


def test_libraries_are_heard_from_warnings_on(stream: io.StringIO) -> None:
    configure(stream)
    library = logging.getLogger("some.library")
    library.info("chatter")
    library.warning("slow by %d ms", 5)
    [line] = lines(stream)
    assert (line["actor"], line["level"], line["event"]) == (
        "some.library",
        "warning",
        "slow by 5 ms",
    )


@pytest.mark.parametrize("field", ["token", "signature", "authorization"])
def test_secrets_are_masked(stream: io.StringIO, field: str) -> None:
    configure(stream)
    structlog.get_logger().info("sent", **{field: "hunter2"})
    assert "hunter2" not in stream.getvalue()
    assert lines(stream)[0][field] == "********"


def test_a_failure_comes_with_its_stack(stream: io.StringIO) -> None:
    configure(stream)
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger().exception("failed")
    [line] = lines(stream)
    assert "ValueError: broken" in str(line["exception"])


def test_what_json_does_not_know_is_written_as_python_shows_it(stream: io.StringIO) -> None:
    configure(stream)
    structlog.get_logger().info("odd", value={1})
    assert lines(stream)[0]["value"] == "{1}"


def test_text_is_for_people_and_auto_takes_json_off_a_terminal(stream: io.StringIO) -> None:
    configure(stream, form="text")
    structlog.get_logger("batcher").info("flushed", commands=3)
    assert "flushed" in stream.getvalue()
    assert "commands=3" in stream.getvalue()
    configure(stream, form="auto")
    structlog.get_logger("batcher").info("flushed")
    assert json.loads(stream.getvalue().splitlines()[-1])["event"] == "flushed"


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "exception", "critical"])
def test_a_line_that_can_not_be_written_is_lost_and_nothing_else(level: str) -> None:
    class Full(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    configure(Full())
    getattr(structlog.get_logger("batcher"), level)("flushed")
