"""The scalars of answers: each with its unit, its bounds and an example, for the API's document.

All are plain integers or text; `Meta` only says what they mean.
"""

from typing import Annotated, TypeAlias

from msgspec import Meta

from protocols.client_bets import BET_ID, KEY_ID, NONCE

AmountMicros: TypeAlias = Annotated[int, Meta(description="Micros of a USD.", ge=0)]
SignedMicros: TypeAlias = Annotated[
    int, Meta(description="Micros of a USD; less than zero where money went out.")
]
AtMs: TypeAlias = Annotated[int, Meta(description="Milliseconds since 1970, UTC.", ge=0)]
AtS: TypeAlias = Annotated[int, Meta(description="Seconds since 1970, UTC.", ge=0)]
PriceCents: TypeAlias = Annotated[int, Meta(description="A price of one BTC in cents of a USD.")]
RateBps: TypeAlias = Annotated[
    int,
    Meta(description="Basis points: 18500 pays 1.85 times the stake.", ge=0, examples=[18_500]),
]
Count: TypeAlias = Annotated[int, Meta(ge=0)]
Bytes: TypeAlias = Annotated[int, Meta(description="Bytes.", ge=0)]
Seq: TypeAlias = Annotated[
    int, Meta(description="The number of the last event of the trader's private stream.", ge=0)
]
WalletText: TypeAlias = Annotated[
    str,
    Meta(
        description="An address in lower case.",
        pattern="^0x[0-9a-f]{40}$",
        examples=["0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"],
    ),
]
OwnerText: TypeAlias = Annotated[
    str,
    Meta(
        description="A wallet in lower case, or an account of the house's own.",
        pattern="^(0x[0-9a-f]{40}|house|external)$",
        examples=["0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"],
    ),
]
BetIdText: TypeAlias = Annotated[
    str,
    Meta(
        description="A ULID in capitals.",
        pattern=f"^{BET_ID.pattern}$",
        examples=[BET_ID.example],
    ),
]
NonceText: TypeAlias = Annotated[
    str,
    Meta(
        description="The nonce that it was signed with.",
        pattern=f"^{NONCE.pattern}$",
        examples=[NONCE.example],
    ),
]
KeyIdText: TypeAlias = Annotated[
    str,
    Meta(
        description="What bets name a session key by.",
        pattern=f"^{KEY_ID.pattern}$",
        examples=[KEY_ID.example],
    ),
]
CellIdText: TypeAlias = Annotated[
    str,
    Meta(
        description="`{column_start_s}_{lo_cents}_{hi_cents}`.",
        pattern="^[0-9]+_[0-9]+_[0-9]+$",
        examples=["1770100010_4200000_4201000"],
    ),
]
WeekText: TypeAlias = Annotated[
    str,
    Meta(
        description="The Sunday on which a week of the ledger began, in UTC.",
        examples=["2026-02-01"],
    ),
]
