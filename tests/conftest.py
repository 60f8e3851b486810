"""What every test stands on: Hypothesis profiles, and recorded market data where it is at hand.

Tests run in any order, on trio (`trio_mode`), with warnings as errors. `docs/testing.md` has more.
"""

import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples at every run: a red run must mean that the change broke something. A campaign
# looks for new ones: HYPOTHESIS_PROFILE=campaign make test
settings.register_profile(
    "steady",
    derandomize=True,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "campaign",
    derandomize=False,
    deadline=timedelta(seconds=5),
    max_examples=5_000,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

# What the environment of whoever runs the tests says must not decide their outcome.
for _name in [name for name in os.environ if name.startswith("TAPGRID_")]:
    del os.environ[_name]

# Nor where they were started: a shell has Ctrl-C ignored for what it puts in the background, and so
# are those that are started in turn. A test of Ctrl-C would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

MARKET_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def market_data() -> Path:
    """The folder of recorded market data beside the checkout; its absence skips the test."""
    if not MARKET_DATA.is_dir():
        pytest.skip("needs the recorded market data in ../shared/data, which is not part of this")
    return MARKET_DATA
