"""Rate limits at the door, and what clients are told of them.

Each limit is a token bucket with a name. Every answer to a request that was counted says of the
last bucket it was counted against what it allows and what is left, in two forms: the structured
fields `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-10, and the three
plain fields of that draft's earlier versions, which more clients read.
"""

from typing import Final

import attrs

from actors.gateway.asgi import Headers
from actors.gateway.ports import GatewayPorts
from domain.refusals import Code, Refusal
from protocols.ports import Allowance

REQUESTS: Final = "requests"
BETS: Final = "bets"
WITHDRAWALS: Final = "withdrawals"
SIGN_INS: Final = "sign_ins"
WRONG_TOKENS: Final = "wrong_tokens"
WRONG_TOKENS_PER_MINUTE: Final = 30


@attrs.frozen(kw_only=True)
class Counted:
    """One request, counted against one bucket."""

    policy: str
    """The bucket's name, one of the above."""
    per_minute: int
    allowance: Allowance

    @property
    def window_s(self) -> int:
        """Seconds in which an empty bucket fills up, rounded up."""
        return -(-self.allowance.limit * 60 // self.per_minute)


async def take_request(ports: GatewayPorts, address: str) -> tuple[Counted, Refusal | None]:
    """One request of this address, before anything is known of who sends it. Raises
    StoreUnavailable."""
    settings = ports.settings
    return await _take(
        ports, REQUESTS, address, settings.requests_per_minute, settings.requests_burst
    )


async def take_bet(ports: GatewayPorts, wallet: str) -> tuple[Counted, Refusal | None]:
    """One bet of this wallet, once its signature holds. Raises StoreUnavailable."""
    settings = ports.settings
    return await _take(ports, BETS, wallet, settings.bets_per_minute, settings.bets_burst)


async def take_withdrawal(ports: GatewayPorts, wallet: str) -> tuple[Counted, Refusal | None]:
    """One withdrawal of this wallet, once its signature holds. As many as bets, but counted apart:
    whoever has a session key of the wallet may bet, and could else keep its money here by betting.
    Raises StoreUnavailable."""
    settings = ports.settings
    return await _take(ports, WITHDRAWALS, wallet, settings.bets_per_minute, settings.bets_burst)


async def take_wrong_token(ports: GatewayPorts, address: str) -> Refusal | None:
    """One wrong token of an operator's, from this address. Raises StoreUnavailable."""
    most = WRONG_TOKENS_PER_MINUTE
    _, refused = await _take(ports, WRONG_TOKENS, address, most, most)
    return refused


def limit_headers(counted: Counted | None) -> Headers:
    """What an answer says of the bucket that its request was counted against."""
    if counted is None:
        return ()
    of = counted.allowance
    reset_s = of.reset_s if of.allowed else max(1, of.retry_after_s)
    return _headers(counted.policy, of.limit, counted.window_s, of.remaining, reset_s)


def sign_in_headers(ports: GatewayPorts, refusal: Refusal) -> Headers:
    """The same of the bucket for sign-ins, which the SessionManager keeps: it was empty, if that is
    why it refused."""
    if refusal.code is not Code.RATE_LIMITED:
        return ()
    limit, retry_after_s = ports.settings.sign_ins_per_minute, refusal.to_json()["retry_after"]
    return _headers(SIGN_INS, limit, 60, 0, retry_after_s)


async def _take(
    ports: GatewayPorts, policy: str, who: str, per_minute: int, burst: int
) -> tuple[Counted, Refusal | None]:
    allowance = await ports.store.take_token(f"{policy}:{who}", per_minute=per_minute, burst=burst)
    counted = Counted(policy=policy, per_minute=per_minute, allowance=allowance)
    if allowance.allowed:
        return counted, None
    wait_s = max(1, allowance.retry_after_s)
    return counted, Refusal(Code.RATE_LIMITED, details={"retry_after": wait_s})


def _headers(policy: str, limit: int, window_s: int, remaining: int, reset_s: object) -> Headers:
    """`reset_s`: until the bucket is full again; of an empty one, until it holds a token, which is
    what Retry-After says too."""
    return (
        (b"ratelimit-policy", b'"%b";q=%d;w=%d' % (policy.encode(), limit, window_s)),
        (b"ratelimit", f'"{policy}";r={remaining};t={reset_s}'.encode()),
        (b"ratelimit-limit", str(limit).encode()),
        (b"ratelimit-remaining", str(remaining).encode()),
        (b"ratelimit-reset", str(reset_s).encode()),
    )
