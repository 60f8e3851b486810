"""Has a bet's signer signed it? The signer is its wallet, or a session key that the wallet named.

Who a key belongs to, its public point and its end never change, so keys that have signed are
remembered. Whether one is revoked or over its caps the ledger says, in the deduction, each time.

A key that is known to have ended is no signer to be counted against its wallet: whoever has stolen
one could else use up the wallet's rate with it for ever, revoked though it is.
"""

from typing import Final

import attrs

from actors.gateway.ports import GatewayPorts
from domain.units import EpochMs
from protocols.client_bets import BetRequest

KEYS_KEPT_MAX: Final = 10_000
"""Some 4 MB; each saves a read of the ledger for every bet of a trader who taps."""


@attrs.frozen(kw_only=True)
class _Key:
    wallet: str
    public_key: bytes
    expires_at_ms: EpochMs
    is_revoked: bool
    """Was it when it was looked up? That is for good."""


class Signers:
    """One for each life of the Gateway."""

    def __init__(self, ports: GatewayPorts, *, keys_kept_max: int = KEYS_KEPT_MAX) -> None:
        self._ports = ports
        self._keys_kept_max = keys_kept_max
        self._keys: dict[str, _Key] = {}  # the one that signed last is last

    async def has_signed(self, bet: BetRequest) -> bool:
        """False too for a key that nobody knows, or that is another wallet's."""
        text = bet.text().render()
        if bet.key_id is None:
            return self._ports.verify_wallet(text, bet.signature) == bet.wallet
        key = self._keys.get(bet.key_id) or await self._look_up(bet.key_id)
        if key is None or key.wallet != bet.wallet:
            return False
        if not self._ports.verify_key(key.public_key, text, bet.signature):
            return False
        self._remember(bet.key_id, key)
        return True

    def has_ended(self, bet: BetRequest) -> bool:
        """Has the key that has signed this expired, or is it known to be revoked?"""
        key = None if bet.key_id is None else self._keys.get(bet.key_id)
        return key is not None and (
            key.is_revoked or key.expires_at_ms <= self._ports.clock.now_ms()
        )

    def forget(self, key_id: str) -> None:
        """The ledger says that it has ended: it is looked up anew when it signs again."""
        self._keys.pop(key_id, None)

    async def _look_up(self, key_id: str) -> _Key | None:
        ledger = self._ports.ledger
        found = await self._ports.ledger_worker.run(lambda: ledger.session_key(key_id))
        if found is None:
            return None
        return _Key(
            wallet=found.wallet,
            public_key=found.public_key,
            expires_at_ms=found.expires_at_ms,
            is_revoked=found.revoked_at_ms is not None,
        )

    def _remember(self, key_id: str, key: _Key) -> None:
        """Only those that have signed: others can't push them out by naming keys."""
        self._keys.pop(key_id, None)
        self._keys[key_id] = key
        if len(self._keys) > self._keys_kept_max:
            del self._keys[next(iter(self._keys))]
