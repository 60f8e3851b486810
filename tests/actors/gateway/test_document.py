"""The document that the venue serves tells of all that the venue serves, and of nothing else."""

from pathlib import Path

import pytest

from actors.gateway.actor import Gateway
from actors.gateway.routes import Route, Routes
from protocols.openapi import document
from protocols.operations import OPERATIONS
from protocols.operations.bets import PLACE
from tests.support.door import open_door
from tests.support.http_client import once

BESIDE_QUART = {(PLACE.method, PLACE.path)}


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Routes]:
    """The routes of every Gateway that is made from now on."""
    made: list[Routes] = []
    add = Routes.add

    def remember(self: Routes, routes: list[Route]) -> None:
        made.append(self)
        add(self, routes)

    monkeypatch.setattr(Routes, "add", remember)
    return made


async def test_the_document_is_served_as_it_is_made(tmp_path: Path) -> None:
    async with open_door(tmp_path) as door:
        answer = await door.get("/openapi.json")
        settings = door.ports.settings
    assert answer.json == document(origin=settings.origin, version=settings.version)


async def test_every_view_has_an_operation_and_every_operation_a_view(
    served: list[Routes], tmp_path: Path
) -> None:
    async with open_door(tmp_path) as door:
        Gateway(door.ports, own_path="venue/gateway")
    rules = {
        (method, rule.rule.replace("<path:", "<").replace("<", "{").replace(">", "}"))
        for rule in served[-1].url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}  # goes with each GET
    }
    assert rules | BESIDE_QUART == {(of.method, of.path) for of in OPERATIONS}


async def test_a_path_tells_all_its_methods(tmp_path: Path) -> None:
    async with open_door(tmp_path) as door:
        refused = await once(door.port, "DELETE", PLACE.path)
    assert refused.status == 405
    assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


async def test_bets_are_placed_beside_quart(tmp_path: Path) -> None:
    async with open_door(tmp_path) as door:
        assert (await door.post(PLACE.path, {})).json["field"] == "wallet"
