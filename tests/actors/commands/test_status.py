"""The actor tree of a running venue: found by its data folder or its address."""

import io
import json
from pathlib import Path

import pytest
import trio

from actors.commands.exits import UNREACHABLE, CannotDo
from actors.commands.status import status, watch
from actors.commands.venue_client import VenueClient
from tests.actors.commands.conftest import TOKEN, Answering, Tapgrid, runs_on

RUNNING = {
    "venue": "serving",
    "feed": {"level": "healthy", "breaker_open": False},
    "actors": [
        {"path": "venue", "state": "running", "restarts": 0, "uptime_s": 61.2, "mailbox": None},
        {"path": "venue/batcher", "state": "running", "restarts": 2, "uptime_s": 5.0},
    ],
}
DOWN = {"venue": "serving", "actors": [{"path": "venue/batcher", "state": "restarting"}]}


def test_the_table_of_the_venue_on_the_folder(
    tapgrid: Tapgrid, data: Path, venue: Answering
) -> None:
    runs_on(data, venue)
    venue.will_answer("/ops/status", (200, RUNNING))
    said = tapgrid("status", "--data", data)
    assert (said.code, said.err) == (0, "")
    assert "feed      healthy" in said.out
    assert "  batcher  running     5s         2" in said.out
    assert venue.asked == [("/ops/status", f"Bearer {TOKEN}", None)]


def test_an_actor_that_is_down_is_wrong(tapgrid: Tapgrid, venue: Answering) -> None:
    venue.will_answer("/ops/status", (200, DOWN))
    said = tapgrid("status", "--url", venue.url, "--token", TOKEN, "--once")
    assert said.code == 1
    assert "restarting" in said.out


def test_json_is_what_the_venue_said(tapgrid: Tapgrid, venue: Answering) -> None:
    venue.will_answer("/ops/status", (200, RUNNING))
    said = tapgrid("status", "--url", venue.url + "/", "--token", TOKEN, "--json")
    assert json.loads(said.out) == RUNNING


def test_the_token_of_the_environment(
    tapgrid: Tapgrid, venue: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAPGRID_OPS__TOKEN", TOKEN)
    venue.will_answer("/ops/status", (200, RUNNING))
    tapgrid("status", "--url", venue.url)
    assert venue.asked[0][1] == f"Bearer {TOKEN}"


def test_a_token_that_is_not_accepted(tapgrid: Tapgrid, venue: Answering) -> None:
    venue.will_answer("/ops/status", (401, {"error": "unauthorized"}))
    said = tapgrid("status", "--url", venue.url)
    assert said.code == 2
    assert "does not accept the token" in said.err


@pytest.mark.parametrize("answer", [(200, [1]), (404, "nothing")])
def test_what_is_no_venue_is_not_reached(
    tapgrid: Tapgrid, venue: Answering, answer: tuple[int, object]
) -> None:
    venue.will_answer("/ops/status", answer)
    said = tapgrid("status", "--url", venue.url)
    assert said.code == 4
    assert "is no venue" in said.err


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "127.0.0.1:8080", "http://"])
def test_an_address_where_nobody_answers(tapgrid: Tapgrid, url: str) -> None:
    said = tapgrid("status", "--url", url)
    assert said.code == 4
    assert "does not answer" in said.err


def test_a_folder_on_which_no_venue_runs(tapgrid: Tapgrid, data: Path) -> None:
    said = tapgrid("status", "--data", data)
    assert said.code == 4
    assert "no venue runs on" in said.err


def test_a_run_file_that_says_nothing(tapgrid: Tapgrid, data: Path) -> None:
    (data / "run.json").write_text("[]")
    assert tapgrid("status", "--data", data).code == 3


def test_the_token_is_in_no_text_of_the_client() -> None:
    assert TOKEN not in repr(VenueClient("http://127.0.0.1:1", TOKEN))


def test_an_error_of_the_venue_is_shown_in_its_words(venue: Answering) -> None:
    venue.will_answer("/ops/status", (503, {"error": "draining", "message": "It is stopping."}))
    with pytest.raises(CannotDo, match="503: It is stopping") as caught:
        VenueClient(venue.url, TOKEN).get("/ops/status")
    assert caught.value.exit_code == UNREACHABLE


def test_what_a_venue_says_does_not_steer_the_terminal(tapgrid: Tapgrid, venue: Answering) -> None:
    venue.will_answer("/ops/status", (503, {"message": "\x1b[2J\u202eno"}))
    said = tapgrid("status", "--url", venue.url)
    assert said.code == UNREACHABLE
    assert "\x1b" not in said.err
    assert "\u202e" not in said.err
    assert said.err.endswith("no\n")


async def test_the_live_table_waits_for_a_venue_that_is_away(venue: Answering) -> None:
    venue.will_answer("/ops/status", (503, {"message": "It is stopping."}), (200, RUNNING))
    with trio.fail_after(5), trio.CancelScope() as scope:
        await watch(VenueClient(venue.url, TOKEN), Drawings(2, scope), redraw_s=0.001)
    assert scope.cancelled_caught


@pytest.mark.parametrize(
    ("is_terminal", "environ", "coloured"),
    [
        (True, {}, True),
        (True, {"NO_COLOR": ""}, True),
        (True, {"NO_COLOR": "1"}, False),
        (False, {}, False),
    ],
)
def test_a_colour_only_on_a_terminal_that_wants_one(
    venue: Answering, is_terminal: bool, environ: dict[str, str], coloured: bool
) -> None:
    finding = {"where": "hold.held", "level": "look", "text": "Betting is on hold"}
    venue.will_answer("/ops/status", (200, RUNNING | {"attention": [finding]}))
    out = Terminal() if is_terminal else io.StringIO()
    status(VenueClient(venue.url, TOKEN), as_json=False, once=True, out=out, environ=environ)
    assert ("\x1b[33m" in out.getvalue()) is coloured
    assert "Betting is on hold" in out.getvalue()


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        return True


class Drawings(io.StringIO):
    """A terminal that has seen enough after so many drawings."""

    def __init__(self, count: int, scope: trio.CancelScope) -> None:
        super().__init__()
        self._expected = ["It is stopping.", "batcher"][:count]
        self._scope = scope

    def write(self, text: str) -> int:
        assert text.startswith("\x1b[H\x1b[2J")
        assert self._expected.pop(0) in text
        if not self._expected:
            self._scope.cancel()
        return len(text)
