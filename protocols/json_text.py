"""How deep JSON text may nest, asked before it is decoded.

Decoders recurse in C and stop at the interpreter's recursion limit, which any imported library may
raise (one of the Ethereum packages sets it to 100,000): then a frame of 30,000 brackets, seen, ends
the process.
"""

from typing import Final

DEPTH_MAX: Final = 200
"""Nothing that clients or exchanges send nests deeper than five."""


def nests_too_deep(text: str | bytes) -> bool:
    """Does JSON text nest deeper than `DEPTH_MAX`? Of text that is no JSON it may say either."""
    if isinstance(text, bytes):
        return _may_nest(text.count(b"{") + text.count(b"[")) and _nests(
            text.decode("utf-8", "replace")
        )
    return _may_nest(text.count("{") + text.count("[")) and _nests(text)


def _may_nest(openers: int) -> bool:
    """Two scans in C that spare nearly every text the one in Python."""
    return openers > DEPTH_MAX


def _nests(text: str) -> bool:
    depth, in_string, escaped = 0, False, False
    for character in text:
        if escaped:
            escaped = False
        elif in_string:
            escaped = character == "\\"
            in_string = character != '"'
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            if depth > DEPTH_MAX:
                return True
        elif character in "]}":
            depth -= 1
    return False
