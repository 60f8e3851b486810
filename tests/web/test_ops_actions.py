"""What the operators' page sends is what the venue's forms take, and it has a form for each."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from protocols.operations import ops
from protocols.operations.operation import Operation
from tests.support.door import OPS_TOKEN, open_door

HERE = Path(__file__).resolve().parent
NODE = Path(sys.executable).with_name("node")


@pytest.fixture(scope="module")
def sent() -> list[dict[str, Any]]:
    """Every action of the page, with well-typed fields."""
    command = [NODE, HERE / "support" / "ops_requests.mjs"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    return list(json.loads(done.stdout))


def pattern_of(operation: Operation) -> str:
    parameter = "(.+)" if operation.with_slashes else "([^/]+)"
    return re.sub(r"\{[^}]+\}", parameter, operation.path)


def test_every_order_of_the_api_has_a_form(sent: list[dict[str, Any]]) -> None:
    orders = [operation for operation in ops.ALL if operation.method == "POST"]
    for operation in orders:
        paths = [action["path"] for action in sent]
        assert any(re.fullmatch(pattern_of(operation), path) for path in paths), operation.path
    assert len(sent) >= len(orders)


def test_every_override_has_a_form(sent: list[dict[str, Any]]) -> None:
    states = {action["body"].get("state") for action in sent if action["path"] == ops.CIRCUIT.path}
    assert states == {"open", "close", "auto"}


async def test_no_form_of_the_page_is_badly_formed(
    tmp_path: Path, sent: list[dict[str, Any]]
) -> None:
    async with open_door(tmp_path, answer_within_ms=200) as door:
        for action in sent:
            assert action["problems"] == [], action["name"]
            if action["name"] in ("backup", "integrity", "archive", "restore"):
                continue  # nobody behind this door does them; their form is a reason alone
            answer = await door.post(action["path"], action["body"], token=OPS_TOKEN)
            error = answer.error if answer.status >= 400 else None
            assert error in (None, "not_found", "insufficient_funds"), (action, answer.body)
