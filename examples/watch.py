"""Watch the market over the WebSocket: price, feed, and what a tap pays. No account is needed.

.venv/bin/python examples/watch.py [--url http://127.0.0.1:8080] [--seconds 10]
"""

import argparse
import sys

import trio

from client import Stream, Venue, VenueError


async def watch(url: str, seconds: float) -> None:
    """A line a second."""
    async with Venue(url) as venue, Stream(venue) as stream:
        with trio.move_on_after(seconds):
            while True:
                print(line(stream), flush=True)
                await trio.sleep(1)


def line(stream: Stream) -> str:
    price, status, quote = stream.price, stream.status, stream.quote
    if price is None or status is None:
        return "no price yet"
    said = [f"{price.price_cents / 100:>11,.2f} USD", f"feed {status.level}"]
    if quote is None or not quote.cells:
        return "  ".join([*said, "nothing on offer"])
    rates = [cell.reward_bps / 10_000 for cell in quote.cells]
    said.append(f"{len(rates)} cells pay {min(rates):.2f}x to {max(rates):.2f}x")
    return "  ".join([*said, "" if status.is_betting_open else "betting is closed"]).rstrip()


def main() -> int:
    """Parse the command line and watch."""
    parser = argparse.ArgumentParser(description="Watch a tapgrid venue's market.")
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="where the venue is")
    parser.add_argument("--seconds", type=float, default=10.0, help="for how long")
    arguments = parser.parse_args()
    try:
        trio.run(watch, arguments.url, arguments.seconds)
    except VenueError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
