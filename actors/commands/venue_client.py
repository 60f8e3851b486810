"""A running venue over its operators' API, for commands: plain HTTP, one request at a time."""

import json
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

import attrs

from actors.commands.exits import REFUSED, UNREACHABLE, CannotDo

ANSWER_WITHIN_S: Final = 10
ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024


def _direct() -> OpenerDirector:
    """Requests go straight to the venue: a proxy of the environment must not see the token."""
    return build_opener(ProxyHandler({}))


@attrs.frozen
class VenueClient:
    """Where a venue answers, and the operator's token."""

    url: str
    token: str = attrs.field(repr=False)
    _opener: OpenerDirector = attrs.field(factory=_direct, repr=False, eq=False)

    def get(self, path: str) -> dict[str, Any]:
        """The JSON object at `path`. Raises CannotDo if there is none to be had."""
        status, answer = self._send(Request(self._address(path)))
        if status != 200:
            raise CannotDo(f"{self.url} answered {status}: {_words(answer)}", UNREACHABLE)
        return answer

    def post(self, path: str, body: Mapping[str, object]) -> tuple[int, dict[str, Any]]:
        """Status and JSON object of the answer. Raises CannotDo if there is no answer."""
        content = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        return self._send(Request(self._address(path), content, headers, method="POST"))

    def _address(self, path: str) -> str:
        return self.url.rstrip("/") + path

    def _send(self, request: Request) -> tuple[int, dict[str, Any]]:
        request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with self._opener.open(request, timeout=ANSWER_WITHIN_S) as answer:
                status, content = answer.status, answer.read(ANSWER_BYTES_MAX)
        except HTTPError as refused:
            with refused:
                status, content = refused.code, refused.read(ANSWER_BYTES_MAX)
        except (URLError, OSError, HTTPException, ValueError) as error:
            raise CannotDo(f"{self.url} does not answer: {error}", UNREACHABLE) from error
        return status, self._object(status, content)

    def _object(self, status: int, content: bytes) -> dict[str, Any]:
        if status in {401, 403}:
            raise CannotDo(f"{self.url} does not accept the token", REFUSED)
        try:
            answer = json.loads(content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise CannotDo(f"{self.url} is no venue: it answered {status}", UNREACHABLE)
        return answer


def _words(answer: Mapping[str, Any]) -> str:
    return str(answer.get("message") or answer.get("error") or "no reason given")
