"""The API's document on paper."""

import json

from tests.actors.commands.conftest import Tapgrid


def test_the_document_of_a_venue_of_these_settings(tapgrid: Tapgrid) -> None:
    said = tapgrid("openapi", "--set", "public.origin=https://tap.example")
    assert (said.code, said.err) == (0, "")
    document = json.loads(said.out)
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": "https://tap.example"}]
    assert "/api/bets" in document["paths"]


def test_no_secret_is_needed(tapgrid: Tapgrid) -> None:
    assert tapgrid("openapi", "--config", "config/production.toml").code == 0
