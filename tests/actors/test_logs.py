"""Log lines: one form for everything that writes, stamped by the venue's clock, without secrets."""

import errno
import io
import json
import logging
from collections.abc import Iterator, Sequence

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


def configure(
    stream: io.StringIO, *, form: str = "json", level: str = "info", secrets: Sequence[str] = ()
) -> None:
    logs.configure(form=form, level=level, clock=Stopped(), stream=stream, secrets=secrets)


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


def test_secrets_are_masked_in_what_a_field_holds(stream: io.StringIO) -> None:
    configure(stream)
    structlog.get_logger().info("asked", request={"Authorization": "hunter2", "path": "/x"})
    assert lines(stream)[0]["request"] == {"Authorization": "********", "path": "/x"}


@pytest.mark.parametrize(
    "text",
    [
        "the signature 0x" + "ab" * 65 + " is none",
        "authorization: Bearer hunter2-hunter2",
        "can't reach rediss://venue:hunter2@10.0.0.1:6379/0",
    ],
)
def test_what_looks_like_a_secret_is_masked_wherever_it_stands(
    stream: io.StringIO, text: str
) -> None:
    configure(stream)
    structlog.get_logger().info("told", why=text)
    logging.getLogger("some.library").warning(text)
    assert "hunter2" not in stream.getvalue()
    assert "abab" not in stream.getvalue()
    assert stream.getvalue().count("********") == 2
    assert len(lines(stream)) == 2


@pytest.mark.parametrize("secret", ["correct horse", 'with "quotes" and \\', "münze"])
def test_the_venues_own_secrets_are_masked_wherever_they_stand(
    stream: io.StringIO, secret: str
) -> None:
    configure(stream, secrets=[secret, ""])
    try:
        raise ValueError(f"no such key: {secret}")
    except ValueError:
        structlog.get_logger().exception("failed", deep=[{"it": secret}], **{secret: 1})
    assert secret not in stream.getvalue()
    [line] = lines(stream)
    assert "no such key: ********" in str(line["exception"])
    assert secret not in str(line)


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_stack_shows_no_values(stream: io.StringIO, form: str) -> None:
    configure(stream, form=form)

    def breaks(password: str) -> None:
        local = password.upper()
        raise ValueError(len(local))

    try:
        breaks("hunter2")
    except ValueError:
        structlog.get_logger().exception("failed")
    assert "breaks" in stream.getvalue()
    assert "HUNTER2" not in stream.getvalue()
    assert "'hunter2'" not in stream.getvalue()


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
