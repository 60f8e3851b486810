"""The regular expression of a range of numbers in canonical decimal digits.

JSON schemas bound integers but not numbers in text, and the API takes both. Of the pattern only
`[a-b]`, `{n}`, `|` and parentheses are used, which every dialect reads alike.
"""


def digits_pattern(least: int, most: int) -> str:
    """What the digits of each integer from `least` to `most` match in full, and nothing else."""
    if not 0 <= least <= most:
        raise ValueError(f"no range of natural numbers: {least} to {most}")
    parts: list[str] = []
    while least <= most:
        last = min(most, 10 ** len(str(least)) - 1)  # the longest of as many digits
        parts += _of_one_length(str(least), str(last))
        least = last + 1
    return "|".join(_joined(parts))


def _of_one_length(least: str, most: str) -> list[str]:
    """The patterns of a range whose two ends have as many digits."""
    if not least:
        return [""]
    rest = len(least) - 1
    if least[1:] == "0" * rest and most[1:] == "9" * rest:
        return [_digit(least[0], most[0]) + _any(rest)]
    if least[0] == most[0]:
        return [least[0] + tail for tail in _of_one_length(least[1:], most[1:])]
    low = [least[0] + tail for tail in _of_one_length(least[1:], "9" * rest)]
    high = [most[0] + tail for tail in _of_one_length("0" * rest, most[1:])]
    first, last = int(least[0]) + 1, int(most[0]) - 1
    between = [_digit(str(first), str(last)) + _any(rest)] if first <= last else []
    return [*low, *between, *high]


def _digit(first: str, last: str) -> str:
    return first if first == last else f"[{first}-{last}]"


def _any(count: int) -> str:
    return "" if count == 0 else "[0-9]" if count == 1 else f"[0-9]{{{count}}}"


def _joined(parts: list[str]) -> list[str]:
    """Runs of `[1-9][0-9]{n}` for n, n + 1, ... as one part."""
    runs: list[tuple[int, int]] = []
    others: list[str] = []
    for part in parts:
        whole = next((n for n in range(18) if part == "[1-9]" + _any(n)), None)
        if whole is None:
            others.append(part)
        elif runs and runs[-1][1] == whole - 1:
            runs[-1] = (runs[-1][0], whole)
        else:
            runs.append((whole, whole))
    joined = [
        f"[1-9][0-9]{{{first},{last}}}" if first != last else "[1-9]" + _any(first)
        for first, last in runs
    ]
    return [*joined, *others]
