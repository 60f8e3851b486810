"""What can be said against any signed request before its signature is looked at."""

from actors.gateway.ports import GatewayPorts
from domain.limits import SIGNATURE_AGE_MAX_S, SIGNATURE_AHEAD_MAX_S
from domain.refusals import Code, Refusal, bad_request
from domain.units import EpochS


def refused_unsigned(ports: GatewayPorts, *, timestamp_s: EpochS, chain_id: int) -> Refusal | None:
    """Its time, its chain, and whether anything is taken still: in this order, cheapest first."""
    now_ms = ports.clock.now_ms()
    oldest_ms = now_ms - SIGNATURE_AGE_MAX_S * 1000
    newest_ms = now_ms + SIGNATURE_AHEAD_MAX_S * 1000
    if not oldest_ms <= timestamp_s * 1000 <= newest_ms:
        return Refusal(Code.SIGNATURE_EXPIRED, details={"server_time_ms": now_ms})
    if chain_id != ports.settings.chain_id:
        return bad_request("chain_id", f"this venue's is {ports.settings.chain_id}")
    return Refusal(Code.DRAINING) if ports.draining.value else None
