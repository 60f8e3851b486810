"""What a setting may be: its kind, its range, how text spells it and how it is shown.

A rule stands in the annotation of its key (`settings.py`), so that a section reads as a table.
`check` raises ValueError for a value that is not allowed; the caller says which key, where from
and what would be allowed, so the rules themselves word nothing but `allowed`.
"""

import ipaddress
import json
import re
import tomllib
from collections.abc import Mapping
from itertools import pairwise
from typing import Final, Protocol
from urllib.parse import urlsplit

import attrs

from config.feeds import FeedKind, parse_feed

MASK: Final = "********"
TOKEN_LENGTH_MIN: Final = 32
TOKEN_LENGTH_MAX: Final = 256


class Rule(Protocol):
    """What one setting may be."""

    @property
    def allowed(self) -> str:
        """In words, after "allowed: "."""
        ...

    def check(self, value: object) -> object:
        """The value in its final form. Raises ValueError if it is not allowed."""
        ...

    def from_text(self, text: str) -> object:
        """What `text` (environment, `--set`) spells, unchecked. Raises ValueError if nothing."""
        ...

    def shown(self, value: object) -> str:
        """The value as a person may see it: what is secret in it is masked."""
        ...

    def secret(self, value: object) -> bool:
        """Does the value hold something that must not stand in a file or a command line?"""
        ...


@attrs.frozen
class Whole:
    """An integer of a closed range; with `divides`, one that divides that number."""

    least: int
    most: int
    divides: int | None = attrs.field(default=None, kw_only=True)

    @property
    def allowed(self) -> str:
        divisor = "" if self.divides is None else f" that divides {self.divides:,}"
        return f"an integer from {self.least:,} to {self.most:,}{divisor}"

    def check(self, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError("not an integer")
        if not self.least <= value <= self.most:
            raise ValueError("out of range")
        if self.divides is not None and self.divides % value:
            raise ValueError("not a divisor")
        return value

    def from_text(self, text: str) -> int:
        if not re.fullmatch(r"-?[0-9]+(_[0-9]+)*", text):
            raise ValueError("not an integer")
        return int(text)

    def shown(self, value: object) -> str:
        return str(value)

    def secret(self, value: object) -> bool:
        return False


@attrs.frozen
class Switch:
    """true or false."""

    @property
    def allowed(self) -> str:
        return "true or false"

    def check(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError("not true or false")
        return value

    def from_text(self, text: str) -> bool:
        if text not in {"true", "false"}:
            raise ValueError("not true or false")
        return text == "true"

    def shown(self, value: object) -> str:
        return "true" if value else "false"

    def secret(self, value: object) -> bool:
        return False


class _Text:
    """What the rules on text share: text spells itself, and nothing in it is secret."""

    def from_text(self, text: str) -> object:
        return text

    def shown(self, value: object) -> str:
        return json.dumps(value, ensure_ascii=False)

    def secret(self, value: object) -> bool:
        return False


@attrs.frozen
class Choice(_Text):
    """One of some words."""

    words: tuple[str, ...]

    @property
    def allowed(self) -> str:
        return f"one of {', '.join(self.words)}"

    def check(self, value: object) -> str:
        return _in(self.words, _text(value))


@attrs.frozen
class Host(_Text):
    """An address to listen on."""

    @property
    def allowed(self) -> str:
        return "an IP address or a host name"

    def check(self, value: object) -> str:
        text = _text(value)
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?", text):
            ipaddress.ip_address(text)
        return text


@attrs.frozen
class Address(_Text):
    """An IP address."""

    @property
    def allowed(self) -> str:
        return "an IP address"

    def check(self, value: object) -> str:
        return str(ipaddress.ip_address(_text(value)))


@attrs.frozen
class Url(_Text):
    """A URL of one of some schemes; without `path`, an origin: scheme, host and port only."""

    schemes: tuple[str, ...]
    path: bool = attrs.field(default=True, kw_only=True)

    @property
    def allowed(self) -> str:
        end = "/..." if self.path else " without a path"
        return " or ".join(f"{scheme}://host[:port]{end}" for scheme in self.schemes)

    def check(self, value: object) -> str:
        text = _text(value)
        parts = urlsplit(text)
        _in(self.schemes, parts.scheme)
        if not parts.hostname or parts.username is not None or parts.port == 0 or " " in text:
            raise ValueError("no host, or more than host and port")
        if not self.path and text != f"{parts.scheme}://{parts.netloc}":
            raise ValueError("more than scheme, host and port")
        return text


@attrs.frozen
class OptionalUrl(Url):
    """A URL, or empty for none."""

    @property
    def allowed(self) -> str:
        return f"empty, or {super().allowed}"

    def check(self, value: object) -> str:
        return super().check(value) if value != "" else ""


@attrs.frozen
class Word(_Text):
    """A name of visible ASCII characters, or empty for none."""

    @property
    def allowed(self) -> str:
        return "up to 128 visible ASCII characters"

    def check(self, value: object) -> str:
        text = _text(value)
        if not re.fullmatch("[!-~]{0,128}", text):
            raise ValueError("too long, or with other characters")
        return text


@attrs.frozen
class Feed(_Text):
    """A price source; with `live`, one of a market that trades now."""

    live: bool = attrs.field(default=False, kw_only=True)

    @property
    def allowed(self) -> str:
        live = [kind.value for kind in FeedKind if kind.live]
        played = [] if self.live else ["simulator", "replay:FILE[@SPEED]"]
        return f"one of {', '.join([*played, *live])}"

    def check(self, value: object) -> str:
        text = _text(value)
        if self.live and not parse_feed(text).kind.live:
            raise ValueError("not a live source")
        parse_feed(text)
        return text


@attrs.frozen
class StoreUrl:
    """Where the key-value store is. A password in it makes the whole URL a secret."""

    @property
    def allowed(self) -> str:
        return "memory: or redis://[user:password@]host[:port][/db] (rediss:// for TLS)"

    def check(self, value: object) -> str:
        text = _text(value)
        parts = urlsplit(text)
        redis = parts.scheme in {"redis", "rediss"} and parts.hostname and parts.port != 0
        database = re.fullmatch(r"(/\d{0,3})?", parts.path) and not (parts.query or parts.fragment)
        if text != "memory:" and not (redis and database):
            raise ValueError("no such store")
        return text

    def from_text(self, text: str) -> str:
        return text

    def shown(self, value: object) -> str:
        return json.dumps(re.sub(r"//.*@", f"//{MASK}@", str(value)))

    def secret(self, value: object) -> bool:
        return isinstance(value, str) and re.search("//.*@", value) is not None


@attrs.frozen
class ArchiveUrl(_Text):
    """Where the archive and the backups are kept."""

    @property
    def allowed(self) -> str:
        return "folder: (in the data folder), folder:/PATH or s3://BUCKET[/PREFIX]"

    def check(self, value: object) -> str:
        text = _text(value)
        folder = re.fullmatch(r"folder:(/[^\0]*)?", text)
        # Bucket names by S3's rules; prefixes of characters that need no escaping anywhere.
        bucket = re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_.-]+)*/?", text)
        if folder is None and bucket is None:
            raise ValueError("neither a folder nor a bucket")
        return text


@attrs.frozen
class Secret:
    """Any text that nobody may see, or empty for none."""

    @property
    def allowed(self) -> str:
        return "text without spaces"

    def check(self, value: object) -> str:
        text = _text(value)
        if re.search(r"\s", text):
            raise ValueError("there is a space in it")
        return text

    def from_text(self, text: str) -> str:
        return text

    def shown(self, value: object) -> str:
        return json.dumps(MASK if value else "")

    def secret(self, value: object) -> bool:
        return bool(value)


@attrs.frozen
class Token:
    """A bearer token, or empty for none. Always a secret."""

    @property
    def allowed(self) -> str:
        return f"{TOKEN_LENGTH_MIN} to {TOKEN_LENGTH_MAX} visible ASCII characters"

    def check(self, value: object) -> str:
        text = _text(value)
        length = rf"{{{TOKEN_LENGTH_MIN},{TOKEN_LENGTH_MAX}}}"
        if text and not re.fullmatch(rf"[!-~]{length}", text):
            raise ValueError("too short, too long, or with other characters")
        return text

    def from_text(self, text: str) -> str:
        return text

    def shown(self, value: object) -> str:
        return json.dumps(MASK if value else "")

    def secret(self, value: object) -> bool:
        return bool(value)


@attrs.frozen
class Table:
    """Values under names of the operator's choosing, each by the rule `each`."""

    each: Rule

    @property
    def allowed(self) -> str:
        return f"{self.each.allowed}, each under a name of a-z, 0-9 and _"

    def takes_name(self, name: str) -> bool:
        """May an entry have this name? It must survive being written in capitals."""
        return re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name) is not None

    def check(self, value: object) -> Mapping[str, object]:
        if not isinstance(value, Mapping):
            raise ValueError("not a table")
        if not all(map(self.takes_name, value)):
            raise ValueError("a name has other characters")
        return {name: self.each.check(entry) for name, entry in value.items()}

    def from_text(self, text: str) -> object:
        raise ValueError("give each entry under its own name")

    def shown(self, value: object) -> str:
        entries = dict(value) if isinstance(value, Mapping) else {}
        return f"{{{', '.join(f'{k} = {self.each.shown(v)}' for k, v in entries.items())}}}"

    def secret(self, value: object) -> bool:
        return isinstance(value, Mapping) and any(map(self.each.secret, value.values()))


@attrs.frozen
class Several:
    """A list of distinct values, each by the rule `each`; with `rising`, in rising order."""

    each: Rule
    count_min: int = attrs.field(default=0, kw_only=True)
    count_max: int = attrs.field(default=20, kw_only=True)
    rising: bool = attrs.field(default=False, kw_only=True)

    @property
    def allowed(self) -> str:
        order = ", rising" if self.rising else ""
        return f"{self.count_min} to {self.count_max} different values{order}: {self.each.allowed}"

    def check(self, value: object) -> tuple[object, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError("not a list")
        checked = tuple(self.each.check(entry) for entry in value)
        distinct = len(set(checked)) == len(checked)
        if not distinct or not self.count_min <= len(checked) <= self.count_max:
            raise ValueError("too few, too many, or one twice")
        if self.rising and not _rising(checked):
            raise ValueError("not rising")
        return checked

    def from_text(self, text: str) -> object:
        """`[1, 2]` as in TOML, or just `1, 2`; empty text is the empty list."""
        if text.startswith("["):
            return tomllib.loads(f"list = {text}")["list"]
        return [self.each.from_text(part.strip()) for part in text.split(",") if part.strip()]

    def shown(self, value: object) -> str:
        entries = value if isinstance(value, tuple) else ()
        return f"[{', '.join(self.each.shown(entry) for entry in entries)}]"

    def secret(self, value: object) -> bool:
        return False


def _rising(values: tuple[object, ...]) -> bool:
    numbers = [value for value in values if isinstance(value, int)]
    return all(before < after for before, after in pairwise(numbers))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not text")
    return value


def _in(words: tuple[str, ...], word: str) -> str:
    if word not in words:
        raise ValueError("not one of them")
    return word
