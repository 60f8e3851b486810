"""What is made from code: `make docs` writes, `test_docs.py` compares."""

import re
from collections.abc import Iterator, Mapping
from typing import get_type_hints

from config.layers import environment_name
from config.report import setting
from config.rules import Table
from config.settings import DEFAULT_FILE, RULES, Loaded, Settings, load
from domain.refusals import TABLE, Meaning
from protocols.operations import OPERATIONS, Auth, Operation, Tag
from tests.support.sources import REPOSITORY
from tests.support.wire_types import wire_types

CONFIGURATION_HEAD = """\
# Configuration

<!-- Made by `make docs` from config/default.toml and config/settings.py. Edit those. -->

Every setting has a default in `config/default.toml`. What wins over it, the later over the earlier:

1. a file given with `--config FILE`, of the same form, such as `config/production.toml`
2. the environment: `TAPGRID_SECTION__KEY`, or `TAPGRID_SECTION__KEY_FILE` for a file that holds
   the value
3. `--set section.key=value` on the command line, as often as needed
4. the flags of the command: `--host`, `--port`, `--feed`, `--demo`

Unknown keys, bad types and values that are not allowed are refused, all at once, before anything
starts. Other variables that begin with `TAPGRID_` count as unknown keys. Secrets (the operators'
tokens, a password in the store's URL) are taken from the environment, or a file that it names, and
from nowhere else. A list is written `[1, 2]`, or outside of TOML just `1, 2`.
`tapgrid check-config` prints the settings in force and where each came from.
"""

ERRORS_HEAD = """\
# Errors

<!-- Made by `make docs` from domain/refusals.py. Edit that. -->

Every refusal, over HTTP and over the WebSocket, is `{"error": code, "message": text, ...}`. Codes
are stable; messages may be reworded. *Again* says whether the same request, unchanged, may succeed
later; a number is the seconds to wait first, also sent as `retry_after` and `Retry-After`.

| code | status | again | message |
|---|---|---|---|
"""


API_TABLE = """\
<!-- From here on made by `make docs` from protocols/operations. -->
"""
API_HEAD = """\

*Token*: `session` is the one of a sign-in, `operator` one of the configuration, sent as
`Authorization: Bearer ...`. *Refusals* are those particular to a call; besides, any may be refused
with `bad_request`, `too_large`, `rate_limited`, `store_unavailable`, and with `unauthorized` where
it needs a token.
"""


def pages() -> Mapping[str, str]:
    """Path and text of each."""
    return {
        "docs/configuration.md": configuration(),
        "docs/errors.md": errors(),
        "docs/api.md": api(),
        "web/types/wire.d.ts": wire_types(),
    }


def api() -> str:
    """The page written by hand, with the table of every call at its end."""
    by_hand = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8").partition(API_TABLE)[0]
    return by_hand + API_TABLE + API_HEAD + "".join(map(_calls, Tag))


def _calls(tag: Tag) -> str:
    rows = [_call(operation) for operation in OPERATIONS if operation.tag is tag]
    head = f"\n### {tag.value.capitalize()}\n\n| call | token | | refusals |\n|---|---|---|---|\n"
    return head + "".join(rows)


def _call(operation: Operation) -> str:
    token = "" if operation.auth is Auth.NONE else operation.auth.value
    codes = ", ".join(f"`{code}`" for code in TABLE if code in operation.codes)
    asked = operation.query.fields if operation.query is not None else ()
    query = f"<br>{', '.join(f'`{field.name}`' for field in asked)}" if asked else ""
    call = f"`{operation.method} {operation.path}`{query}"
    return f"| {call} | {token} | {operation.summary} | {codes} |\n"


def write() -> None:
    """Make the pages anew."""
    for path, text in pages().items():
        (REPOSITORY / path).write_text(text, encoding="utf-8")


def configuration() -> str:
    """Every setting with its default, what it may be and what it is for."""
    return "\n".join([CONFIGURATION_HEAD, *_sections()])


def errors() -> str:
    """The one table of error codes."""
    rows = [
        f"| `{code}` | {meaning.http_status} | {_again(meaning)} | {meaning.message} |\n"
        for code, meaning in TABLE.items()
    ]
    return ERRORS_HEAD + "".join(rows)


def _again(meaning: Meaning) -> str:
    if not meaning.retry_can_succeed:
        return "no"
    return "yes" if meaning.retry_after_s is None else f"{meaning.retry_after_s} s"


def _sections() -> Iterator[str]:
    comments = descriptions()
    defaults = load()
    for section, kind in get_type_hints(Settings).items():
        yield f"## {section}\n\n{(kind.__doc__ or '').strip()}\n"
        yield "| key | default | allowed | |"
        yield "|---|---|---|---|"
        for key in get_type_hints(kind):
            yield _row(f"{section}.{key}", defaults, comments[f"{section}.{key}"])
        yield ""


def _row(path: str, defaults: Loaded, description: str) -> str:
    rule = RULES[path]
    name = environment_name(path) + ("__NAME" if isinstance(rule, Table) else "")
    default = rule.shown(setting(defaults, path))
    cells = (f"`{path}`<br>`{name}`", f"`{default}`", rule.allowed, description)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def descriptions() -> dict[str, str]:
    """The comment behind each key of the file of defaults, by `section.key`."""
    found: dict[str, str] = {}
    section = ""
    for line in DEFAULT_FILE.read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"\[(\w+)\]", line):
            section = heading[1]
        elif entry := re.fullmatch(r"(\w+) = .*?\s# (.+)", line):
            found[f"{section}.{entry[1]}"] = entry[2]
    return found


if __name__ == "__main__":
    write()
