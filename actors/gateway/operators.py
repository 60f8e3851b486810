"""Who operates: each operator has a token of his own."""

import hmac
from collections.abc import Callable
from typing import TypeVar

from actors.gateway.ports import GatewayPorts
from actors.gateway.routes import bearer, json_body
from domain.refusals import Code, Refusal
from protocols.client_fields import Fields

T = TypeVar("T")


def operator(ports: GatewayPorts) -> str | Refusal:
    """Whose token the request bears, never empty. Each is compared, and in constant time."""
    token = bearer()
    if isinstance(token, Refusal):
        return token
    given = token.encode()
    tokens = ports.settings.ops_tokens.items()
    names = [name for name, own in tokens if hmac.compare_digest(own.encode(), given)]
    return names[0] if names else Refusal(Code.UNAUTHORIZED)


async def operator_asks(
    ports: GatewayPorts, parse: Callable[[Fields], T | Refusal]
) -> tuple[str, T] | Refusal:
    """Who asks, and for what. Whoever is no operator learns nothing of the body's form."""
    who, fields = operator(ports), await json_body()
    if isinstance(who, Refusal):
        return who
    asked = fields if isinstance(fields, Refusal) else parse(fields)
    return asked if isinstance(asked, Refusal) else (who, asked)
