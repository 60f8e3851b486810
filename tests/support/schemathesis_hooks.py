"""What a schema can't say, filled into the requests that schemathesis makes.

Signatures, checksums, points on a curve and keys that must be new are relations and facts, no
shapes. Without them schemathesis would only ever see how the venue turns its requests away. Only
requests that are meant to be well-formed are touched; those that are meant to be wrong stay so.

Loaded by schemathesis in its own process (`SCHEMATHESIS_HOOKS`). `VENUE` says where the venue is,
`SESSION` has the token of a trader.
"""

import base64
import hashlib
import json
import os
import re
import secrets
import time
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import schemathesis
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from schemathesis.core.failures import ServerError
from schemathesis.openapi.checks import RejectedPositiveData

from db.wallet_signatures import keccak_256, personal_sign, wallet_of
from domain.signed_text import BetText, WithdrawalText
from domain.wallet import checksummed
from tests.support.door import KEY, login_body

VENUE = os.environ["VENUE"]
SESSION = os.environ["SESSION"]
"""The token that all requests have which need one."""
SESSION_ID = hashlib.sha256(SESSION.encode()).hexdigest()[:32]
ADDRESS = re.compile("0x[0-9A-Fa-f]{40}")
WRONG_MOMENT = ("archived", "cell_unavailable", "insufficient_funds", "exposure_limit")
"""The form of a request may be right, and what it names gone, or not affordable."""
OPERATORS_DOING = ("held", "price_feed_stale", "overloaded", "status_unknown")
"""What traders are told while schemathesis, as an operator, holds betting or restarts an actor."""


def call(path: str, body: object = None) -> Any:
    """One request of our own, which must succeed."""
    request = urllib.request.Request(
        VENUE + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def sign_in() -> Mapping[str, Any]:
    """A new session."""
    answer: Mapping[str, Any] = call("/api/auth/login", login())
    return answer


def login() -> dict[str, str]:
    """A well-signed sign-in."""
    return login_body(call("/api/auth/nonce"), KEY)


def bet() -> dict[str, Any]:
    """A well-signed bet on some cell of the newest quote."""
    grid = call("/api/grid")
    cell = secrets.choice(grid["quote"]["cells"])
    text = BetText(
        cell_id=cell["cell_id"],
        stake_micros=grid["presets_micros"][0],
        nonce=str(uuid.uuid4()),
        timestamp_s=int(time.time()),
        chain_id=grid["chain_id"],
        least_bps=1,
        quote_n=grid["quote"]["n"],
    )
    return {
        "wallet": wallet_of(KEY),
        "cell_id": text.cell_id,
        "amount": text.stake_micros,
        "nonce": text.nonce,
        "timestamp": text.timestamp_s,
        "chain_id": text.chain_id,
        "version": "2",
        "rate": text.least_bps,
        "quote": text.quote_n,
        "signature": "0x" + personal_sign(text.render(), KEY).hex(),
    }


def withdrawal() -> dict[str, Any]:
    """A well-signed withdrawal of a little."""
    wallet = wallet_of(KEY)
    text = WithdrawalText(
        amount_micros=1,
        destination=wallet,
        nonce=str(uuid.uuid4()),
        timestamp_s=int(time.time()),
        chain_id=call("/api/grid")["chain_id"],
    )
    return {
        "wallet": wallet,
        "amount": text.amount_micros,
        "destination": text.destination,
        "nonce": text.nonce,
        "timestamp": text.timestamp_s,
        "chain_id": text.chain_id,
        "version": "1",
        "signature": "0x" + personal_sign(text.render(), KEY).hex(),
    }


def new_key() -> dict[str, Any]:
    """The public half of a key that nobody has seen."""
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    raw = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {"public_key": base64.urlsafe_b64encode(raw).rstrip(b"=").decode()}


FILLED: Mapping[str, Callable[[], dict[str, Any]]] = {
    "POST /api/auth/login": login,
    "POST /api/auth/demo": new_key,
    "POST /api/bets": bet,
    "POST /api/withdrawals": withdrawal,
}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Make a request that is meant to be well-formed one that is."""
    canonical = _canonical(case.body)
    if repr(canonical) != repr(case.body):
        case.body = canonical
    for name, value in (case.path_parameters or {}).items():
        case.path_parameters[name] = _canonical(value)
    _spare_the_session(case)
    if not case.meta.generation.mode.is_positive:
        return
    if case.operation.label in FILLED and isinstance(case.body, dict):
        case.body = {**case.body, **FILLED[case.operation.label]()}
        if case.operation.label == "POST /api/bets":
            case.body.pop("key_id", None)  # the wallet itself has signed
    if case.operation.label == "GET /api/prices/history":
        _put_in_order(case.query)
    if case.operation.label == "POST /ops/columns/{start}/void":
        start_s = int(case.path_parameters["start"])
        case.path_parameters["start"] = start_s - start_s % call("/api/grid")["column_s"]


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Keep a failure, unless the venue was in the right."""
    is_json = "application/json" in response.headers.get("content-type", [])
    code = response.json().get("error") if is_json else None
    if isinstance(failure, RejectedPositiveData):
        return code not in WRONG_MOMENT
    if isinstance(failure, ServerError):
        return code not in OPERATORS_DOING
    return True


def _put_in_order(query: Any) -> None:
    """A stretch of time begins before it ends."""
    if {"from", "to"} <= set(query or {}):
        query["from"], query["to"] = sorted((query["from"], query["to"]))


def _spare_the_session(case: Any) -> None:
    """All that ends a session ends another than the one which all requests share."""
    headers, parameters = case.headers or {}, case.path_parameters or {}
    if case.operation.label == "POST /api/auth/logout" and SESSION in str(headers):
        headers["Authorization"] = f"Bearer {sign_in()['token']}"
    if parameters.get("session_id") == SESSION_ID:
        parameters["session_id"] = sign_in()["session_id"]


def _canonical(node: Any) -> Any:
    """Integers without a fraction of zero, and addresses with their checksum.

    Of 203.0 a schema says that it is an integer; the API takes one spelling of a number only, since
    what is signed and stored must be equal as text. Of mixed capitals a schema can't say that they
    are a checksum.
    """
    if isinstance(node, dict):
        return {key: _canonical(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_canonical(value) for value in node]
    if isinstance(node, float) and node.is_integer():
        return int(node)
    if isinstance(node, str) and ADDRESS.fullmatch(node):
        return checksummed(node.lower(), keccak_256)
    return node
