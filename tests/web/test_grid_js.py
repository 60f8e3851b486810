"""The page's geometry says of a quote what the venue says of it."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from domain.quotes import Quote
from protocols.client_frames import grid_frame

WEB = Path(__file__).resolve().parents[2] / "web"
QUOTE = Quote(
    n=7,
    published_at_ms=1_770_100_003_000,
    price_cents=4_200_512,
    column_s=5,
    row_cents=1_000,
    first_column_s=1_770_100_010,
    lowest_row_cents=4_199_000,
    rates=((10_100, 0, 18_500), (999_999, 1_000_000, 123_456)),
)


def run(expression: str, folder: Path) -> Any:
    """The value of a JavaScript expression over grid.js, by node."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node: apt-get install nodejs")
    module = folder / "grid.mjs"
    module.write_text((WEB / "grid.js").read_text(encoding="utf-8"), encoding="utf-8")
    script = folder / "script.mjs"
    script.write_text(
        f"import * as grid from './grid.mjs';\nconst frame = {json.dumps(grid_frame(QUOTE))};\n"
        f"console.log(JSON.stringify({expression}));\n",
        encoding="utf-8",
    )
    done = subprocess.run([node, script], check=True, capture_output=True, timeout=30)
    return json.loads(done.stdout)


@pytest.mark.slow
def test_every_cell_has_the_rate_that_the_quote_gives_it(tmp_path: Path) -> None:
    shown, starts_ms, texts, steps = run(
        "[grid.rowsOf(frame), grid.columnStartsMs(frame), "
        "[0, 10100, 18599, 99999, 100000, 123456, 1000000].map(grid.rateText), "
        "[0, 10100, 1000000].map(grid.step)]",
        tmp_path,
    )
    cells = {
        (start_ms // 1000, row["lowCents"], row["highCents"]): rate
        for row in shown
        for start_ms, rate in zip(starts_ms, row["cells"], strict=True)
        if rate
    }
    assert cells == {
        (cell.column_start_s, cell.lo_cents, cell.hi_cents): reward_bps
        for cell, reward_bps, _ in QUOTE.offered()
    }
    assert [row["lowCents"] for row in shown] == [4_201_000, 4_200_000, 4_199_000]
    # Never more than is paid: 1.8599 is shown as 1.85.
    assert texts == ["", "1.01x", "1.85x", "9.99x", "10.0x", "12.3x", "100x"]
    assert steps == [0, 1, 9]
