"""What traders send about their accounts."""

from typing import Final

from protocols.forms import Field, Optional, Wallet, alone

FAUCET: Final = alone(
    Field("wallet", Optional(Wallet(), None), "Who is credited; the token's wallet if not given.")
)
