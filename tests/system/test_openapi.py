"""The API does what its document says: schemathesis asks a running venue whatever it can think of.

Well-formed requests and malformed ones, every operation, every check there is: no 5xx that is a
defect, no status, media type, header or body that is not described, nothing malformed taken,
nothing well-formed refused for its form, no operation that works without its token.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from protocols.operations import OPERATIONS
from tests.support.door import KEY, login_body
from tests.support.http_client import once
from tests.support.venue_process import OPS_TOKEN, REPOSITORY, VenueProcess, venue

pytestmark = [pytest.mark.system, pytest.mark.slow]

EXAMPLES = 15
"""Of each operation in each phase that invents requests; the boundaries are tried all."""
PLAIN = {(of.method, of.path) for of in OPERATIONS if not of.parameters}
"""What can be asked for without the id of something."""
UNLIMITED = (
    *("--set", "limits.requests_per_minute=1000000"),
    *("--set", "limits.sign_ins_per_minute=1000000"),
    *("--set", "limits.bets_per_minute=1000000"),
)
CONFIGURATION = """\
# A busy machine is no fault of the venue's.
suppress-health-check = ["too_slow"]

[auth.openapi]
session = { bearer = "%(session)s" }
operator = { bearer = "%(operator)s" }

# What is not well-formed is turned away for that, before anything else is looked at but who asks
# and where. Of a path that is none nothing is found.
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "404", "405", "413"]

# What is well-formed and has its token is never refused for either. The hooks say which codes are
# no fault of the request's; what is a defect among 5xx is a check of its own.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "403", "404", "409", "5xx"]
"""


async def signed_in(running: VenueProcess) -> str:
    """The token of a trader with money."""
    issued = await once(running.port, "GET", "/api/auth/nonce")
    answer = await once(running.port, "POST", "/api/auth/login", login_body(issued.json, KEY))
    assert answer.status == 200, answer.body
    token = str(answer.json["token"])
    assert (await once(running.port, "POST", "/api/faucet", token=token)).status == 200
    return token


def taken(metrics: str) -> set[tuple[str, str]]:
    """The operations that took a request, going by the venue's own count."""
    counts = re.findall(
        r'^http_requests_total{method="(\w+)",route="(.+?)",status="2', metrics, re.M
    )
    return {(method, route) for method, route in counts}


def is_defect(line: str) -> bool:
    return '"level": "error"' in line or '"level": "critical"' in line or "Traceback" in line


async def test_schemathesis_finds_no_fault(tmp_path: Path) -> None:
    async with venue(tmp_path / "data", "--demo", *UNLIMITED) as running:
        token = await signed_in(running)
        configuration = tmp_path / "schemathesis.toml"
        configuration.write_text(CONFIGURATION % {"session": token, "operator": OPS_TOKEN})
        command = [
            *(str(Path(sys.executable).with_name("schemathesis")), "--config-file"),
            *(str(configuration), "run", f"{running.url}/openapi.json", "--no-color"),
            *("--phases", "examples,coverage,fuzzing,stateful", "--seed", "1"),
            *("--max-examples", str(EXAMPLES), "--continue-on-failure"),
            *("--generation-database", "none", "--request-timeout", "30"),
        ]
        hooks = {
            "SCHEMATHESIS_HOOKS": "tests.support.schemathesis_hooks",
            "PYTHONPATH": str(REPOSITORY),
            "VENUE": running.url,
            "SESSION": token,
        }
        done = await trio.run_process(
            command,
            cwd=tmp_path,
            env=os.environ | hooks,
            check=False,
            capture_stdout=True,
            stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, done.stdout.decode()[-20_000:]
        metrics = await once(running.port, "GET", "/metrics")
        assert PLAIN - taken(metrics.body.decode()) == set(), "what was never taken was not tried"
        health = await once(running.port, "GET", "/healthz")
        assert (health.status, health.json["status"]) == (200, "healthy")
        assert await running.stop() == 0
    assert [line for line in running.output if is_defect(line)] == []
