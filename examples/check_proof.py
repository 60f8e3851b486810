"""Check a settled bet's proof, with nothing of tapgrid: only the standard library.

    python examples/check_proof.py 01M7WVEB3SCTEDCVRTTH67RP1C [--url http://127.0.0.1:8080]

It recomputes the hash of the ticks and, by the rule, who won. It ends with 0 if both hold, with 1
if one does not, with 2 if there is no proof to be had.
"""

import argparse
import hashlib
import json
import sys
from itertools import pairwise
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

Json = dict[str, Any]


def fetch(url: str, bet_id: str) -> Json:
    """The proof. Exits where there is none: no such bet, not settled yet, no venue."""
    try:
        with urlopen(f"{url}/api/bets/{bet_id}/proof", timeout=30) as answer:
            proof: Json = json.load(answer)
            return proof
    except HTTPError as refused:
        print(f"no proof: {json.load(refused)['message']}", file=sys.stderr)
    except URLError as error:
        print(f"no venue at {url}: {error.reason}", file=sys.stderr)
    sys.exit(2)


def in_force(proof: Json) -> list[Json]:
    """The price in force when the window opened, then the ticks of the window."""
    carried = [] if proof["carry_in"] is None else [proof["carry_in"]]
    return [*carried, *proof["ticks"]]


def ticks_sha256(proof: Json) -> str:
    lines = [
        f"{tick['source']},{tick['ts_ms']},{tick['price_cents']},{tick['trade_id']}\n"
        for tick in in_force(proof)
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def outcome(proof: Json) -> str:
    """`touch`: a price lies in the range, edges included. `path`: or two lie on either side."""
    if proof["void_reason"] is not None:
        return "void"
    lo, hi = proof["lo_cents"], proof["hi_cents"]
    prices = [tick["price_cents"] for tick in in_force(proof)]
    touched = any(lo <= price <= hi for price in prices)
    crossed = proof["rule"] == "path" and any((a < lo) != (b < lo) for a, b in pairwise(prices))
    return "won" if touched or crossed else "lost"


def main() -> int:
    """Fetch the proof and check it."""
    parser = argparse.ArgumentParser(description="Check the proof of a settled bet.")
    parser.add_argument("bet_id")
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="where the venue is")
    arguments = parser.parse_args()
    proof = fetch(arguments.url, arguments.bet_id)
    checks = {
        f"{len(proof['ticks'])} ticks match their hash": ticks_sha256(proof)
        == proof["ticks_sha256"],
        f"it was {proof['status']}": outcome(proof) == proof["status"],
    }
    for what, holds in checks.items():
        print(f"{'right' if holds else 'WRONG'}: {what}")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
