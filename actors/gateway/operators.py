"""Who operates: each operator has a token of his own."""

import hmac

from actors.gateway.ports import GatewayPorts
from actors.gateway.routes import bearer
from domain.refusals import Code, Refusal


def operator(ports: GatewayPorts) -> str | Refusal:
    """Whose token the request bears, never empty. Each is compared, and in constant time."""
    token = bearer()
    if isinstance(token, Refusal):
        return token
    given = token.encode()
    tokens = ports.settings.ops_tokens.items()
    names = [name for name, own in tokens if hmac.compare_digest(own.encode(), given)]
    return names[0] if names else Refusal(Code.UNAUTHORIZED)
