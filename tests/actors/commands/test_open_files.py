"""How many connections fit into the files that the process may open."""

import resource

import attrs
import pytest
from structlog.testing import capture_logs

from actors.commands.open_files import OWN_FILES, fit_connections
from config.settings import Settings, load

UNLIMITED = resource.RLIM_INFINITY


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The limits of this process, first as they were; each setting of them is appended."""
    known: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: known[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: known.append(both))
    return known


def settings(connections: int) -> Settings:
    made = load().settings
    return attrs.evolve(made, limits=attrs.evolve(made.limits, connections=connections))


def test_the_limit_is_raised_as_far_as_needed(limits: list[tuple[int, int]]) -> None:
    limits.append((1_024, 1_048_576))
    with capture_logs() as lines:
        assert fit_connections(settings(10_000)) == settings(10_000)
    assert limits[-1] == (10_000 + OWN_FILES, 1_048_576)
    assert lines == []


@pytest.mark.parametrize("soft", [UNLIMITED, 1_048_576, 100 + OWN_FILES])
def test_a_limit_that_is_high_enough_is_left_alone(
    limits: list[tuple[int, int]], soft: int
) -> None:
    limits.append((soft, UNLIMITED))
    assert fit_connections(settings(100)) == settings(100)
    assert len(limits) == 1


def test_without_a_hard_limit_all_fit(limits: list[tuple[int, int]]) -> None:
    limits.append((1_024, UNLIMITED))
    assert fit_connections(settings(50_000)) == settings(50_000)
    assert limits[-1] == (50_000 + OWN_FILES, UNLIMITED)


def test_where_they_do_not_fit_there_are_fewer_and_it_says_so(
    limits: list[tuple[int, int]],
) -> None:
    limits.append((1_024, 4_096))
    with capture_logs() as lines:
        assert fit_connections(settings(10_000)) == settings(4_096 - OWN_FILES)
    assert limits[-1] == (4_096, 4_096)
    [line] = lines
    assert (line["event"], line["wanted"], line["possible"]) == (
        "fewer_connections",
        10_000,
        4_096 - OWN_FILES,
    )
    assert "4096 files" in line["why"]


def test_with_hardly_any_files_one_client_may_connect(limits: list[tuple[int, int]]) -> None:
    limits.append((100, 100))
    assert fit_connections(settings(10_000)) == settings(1)
