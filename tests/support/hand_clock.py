"""A clock that a test moves on by hand."""


class HandClock:
    """It stands still until a test lets time pass."""

    def __init__(self, now_ms: int = 1_770_100_000_000) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    async def pass_s(self, seconds: float) -> None:
        self._now_ms += round(seconds * 1000)
