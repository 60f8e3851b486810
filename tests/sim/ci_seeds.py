"""The seeds that are run at each change, and how long: dense enough to find each known defect."""

from typing import Final

CI_SEEDS: Final = tuple(range(1, 21))
CI_SECONDS: Final = 240.0
