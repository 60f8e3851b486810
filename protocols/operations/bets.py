"""Placing bets, and a trader's own ones."""

from typing import Final

from domain.refusals import Code
from protocols.client_answers import BetJson, BetsJson, PlacedJson, ProofJson
from protocols.client_bets import BET, BET_ID, NONCE
from protocols.client_queries import BETS as BETS_QUERY
from protocols.forms import Field
from protocols.operations.operation import MONEY, Auth, Operation, Tag

_BET_ID: Final = Field("bet_id", BET_ID, "The id that the venue gave the bet: a ULID in capitals.")
_NONCE: Final = Field("nonce", NONCE, "The nonce that the bet was signed with.")

PLACE: Final = Operation(
    method="POST",
    path="/api/bets",
    summary="Place one bet; answered once it is in the ledger.",
    tag=Tag.BETS,
    answer=PlacedJson,
    status=202,
    body=BET,
    counts_itself=True,
    codes=(
        *(Code.INSUFFICIENT_FUNDS, Code.CELL_UNAVAILABLE, Code.BAD_STAKE),
        *(Code.INVALID_SIGNATURE, Code.SIGNATURE_EXPIRED, Code.UNAUTHORIZED),
        *(Code.FROZEN, Code.LIMIT_REACHED),
        *(Code.REPLAY_DETECTED, Code.CELL_TAKEN, Code.QUOTE_EXPIRED, Code.EXPOSURE_LIMIT),
        *(Code.PRICE_FEED_STALE, Code.HELD, Code.DISK_FULL, *MONEY),
    ),
)
BETS: Final = Operation(
    method="GET",
    path="/api/bets",
    summary="A page of the trader's bets, newest first.",
    tag=Tag.BETS,
    auth=Auth.SESSION,
    answer=BetsJson,
    query=BETS_QUERY,
    codes=(Code.ARCHIVED,),
)
BET_BY_ID: Final = Operation(
    method="GET",
    path="/api/bets/{bet_id}",
    summary="One of the trader's own bets; another's is not found, like one that never was.",
    tag=Tag.BETS,
    auth=Auth.SESSION,
    answer=BetJson,
    parameters=(_BET_ID,),
    codes=(Code.NOT_FOUND, Code.ARCHIVED),
)
BET_BY_NONCE: Final = Operation(
    method="GET",
    path="/api/bets/by-nonce/{nonce}",
    summary="For a client that signed a bet and lost the answer.",
    tag=Tag.BETS,
    auth=Auth.SESSION,
    answer=BetJson,
    parameters=(_NONCE,),
    codes=(Code.NOT_FOUND,),
)
PROOF: Final = Operation(
    method="GET",
    path="/api/bets/{bet_id}/proof",
    summary="Why a bet ended as it did, for anybody who has the link.",
    tag=Tag.BETS,
    answer=ProofJson,
    parameters=(_BET_ID,),
    codes=(Code.NOT_FOUND, Code.ARCHIVED),
)

ALL: Final = (PLACE, BETS, BET_BY_ID, BET_BY_NONCE, PROOF)
