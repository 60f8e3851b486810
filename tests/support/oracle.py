"""A plain oracle of who wins, written from the rules in words; it imports nothing of the venue.

Rules: a cell `[lo, hi]` (both edges in) in the window `[start, end)` is won if a tick of the window
lies in the range, or the last tick before the window does. The bet is void if, anywhere in the
window, two consecutive ticks are more than ten seconds apart.
"""

GAP_MS = 10_000


def outcome(
    ticks: list[tuple[int, int]], start_ms: int, end_ms: int, lo_cents: int, hi_cents: int
) -> str:
    """`won`, `lost` or `void`, from all `(ts_ms, price_cents)` of the market in order of time."""
    before = [tick for tick in ticks if tick[0] < start_ms]
    within = [tick for tick in ticks if start_ms <= tick[0] < end_ms]
    after = [tick for tick in ticks if tick[0] >= end_ms]
    if not before:
        return "void"
    in_force = [before[-1], *within]
    followed = [*in_force, *after[:1]]
    for number in range(1, len(followed)):
        if followed[number][0] - followed[number - 1][0] > GAP_MS:
            return "void"
    for _, price_cents in in_force:
        if lo_cents <= price_cents <= hi_cents:
            return "won"
    return "lost"


def critical_stretches(ticks: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches `(from_ms, until_ms)` in which the feed counts as CRITICAL.

    One begins ten seconds after a tick that no other follows, and ends when ticks have come for
    thirty seconds, none more than three seconds apart. One that is still on ends with the ticks.
    """
    stretches = []
    begun = steady_since = None
    for number in range(1, len(ticks)):
        earlier, later = ticks[number - 1][0], ticks[number][0]
        if begun is None:
            if later - earlier > GAP_MS:
                begun, steady_since = earlier + GAP_MS, later
            continue
        if later - earlier > 3_000:
            steady_since = later
        if later - steady_since >= 30_000:
            stretches.append((begun, later))
            begun = None
    if begun is not None:
        stretches.append((begun, ticks[-1][0]))
    return stretches
