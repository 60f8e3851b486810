"""Who operates: each operator has a token of his own."""

import hmac
from typing import TypeVar

from actors.gateway.ports import GatewayPorts
from actors.gateway.routes import bearer, read_body
from domain.refusals import Code, Refusal
from protocols.forms import Form

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


async def operator_asks(ports: GatewayPorts, form: Form[T]) -> tuple[str, T] | Refusal:
    """Who asks, and for what. Whoever is no operator learns nothing of the body's form."""
    who, asked = operator(ports), await read_body(ports, form)
    if isinstance(who, Refusal):
        return who
    return asked if isinstance(asked, Refusal) else (who, asked)
