"""Rate limits at the door, and what clients are told of them."""

from actors.gateway.asgi import Headers
from actors.gateway.ports import GatewayPorts
from domain.refusals import Code, Refusal
from protocols.ports import Allowance


async def take_request(ports: GatewayPorts, address: str) -> tuple[Allowance, Refusal | None]:
    """One request of this address, before anything is known of who sends it. Raises
    StoreUnavailable."""
    allowance = await ports.store.take_token(
        f"requests:{address}",
        per_minute=ports.settings.requests_per_minute,
        burst=ports.settings.requests_burst,
    )
    return allowance, over(allowance)


async def take_bet(ports: GatewayPorts, wallet: str) -> tuple[Allowance, Refusal | None]:
    """One bet of this wallet, once its signature holds. Raises StoreUnavailable."""
    allowance = await ports.store.take_token(
        f"bets:{wallet}",
        per_minute=ports.settings.bets_per_minute,
        burst=ports.settings.bets_burst,
    )
    return allowance, over(allowance)


def over(allowance: Allowance) -> Refusal | None:
    """The refusal of a request that its bucket did not allow."""
    if allowance.allowed:
        return None
    return Refusal(Code.RATE_LIMITED, details={"retry_after": max(1, allowance.retry_after_s)})


def limit_headers(allowance: Allowance | None) -> Headers:
    """The IETF RateLimit headers: how large the bucket is, what is left, when it is full again."""
    if allowance is None:
        return ()
    return (
        (b"ratelimit-limit", str(allowance.limit).encode()),
        (b"ratelimit-remaining", str(allowance.remaining).encode()),
        (b"ratelimit-reset", str(allowance.reset_s).encode()),
    )
