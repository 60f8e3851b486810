"""Traders' accounts as operators name them and are shown them."""

import json
from collections.abc import Sequence
from typing import Annotated, Final, NotRequired, TypeAlias, TypedDict

import attrs
from msgspec import Meta

from domain.units import parse_natural
from domain.wallet import Keccak
from protocols.account_commands import AccountChanged
from protocols.accounts import Account, Bet, LedgerRow, SessionKey
from protocols.answer_fields import AtMs, Count, OwnerText, Seq, WeekText
from protocols.client_answers import BetJson, EntryJson, bet_json, entry_json, weeks_json
from protocols.client_bets import KEY_ID
from protocols.client_fields import NATURAL_MAX, Fields, Json, present
from protocols.client_limits import LimitsJson, limits_json
from protocols.client_ops import EXTERNAL, HOUSE
from protocols.digits import digits_pattern
from protocols.forms import Field, Wallet, alone

# --- whose account ------------------------------------------------------------------------------

UserRef: TypeAlias = str | int
"""A wallet in lower case, `house` or `external`; or the number of any of them."""

_OWNER: Final = Wallet(also=(HOUSE, EXTERNAL))


@attrs.frozen
class _User:
    def read(self, fields: Fields, name: str, keccak: Keccak) -> UserRef:
        given = present(fields, name)
        number = parse_natural(given) if isinstance(given, str) else None
        return _OWNER.read(fields, name, keccak) if number is None else number

    def schema(self) -> Json:
        number = {"type": "string", "pattern": f"^({digits_pattern(0, NATURAL_MAX)})$"}
        return {"anyOf": [_OWNER.schema(), number]}


USER: Final = Field("user", _User(), "A wallet, or the number of an account.")
USER_REF: Final = alone(USER)
"""The part of a path that names an account."""


# --- the account --------------------------------------------------------------------------------


class UserKeyJson(TypedDict):
    """A session key of a trader's, and what it may still do."""

    key_id: Annotated[str, Meta(examples=[KEY_ID.example])]
    session_id: str
    bet_max_micros: Annotated[int, Meta(description="Of one bet, micros of a USD.")]
    day_max_micros: Annotated[int, Meta(description="Of one UTC day, micros of a USD.")]
    created_at_ms: AtMs
    expires_at_ms: AtMs
    revoked_at_ms: Annotated[int | None, Meta(description="Ms since 1970, UTC; null: it is not.")]


class UserJson(TypedDict):
    """An account, with all that operators know of it."""

    user_id: int
    wallet: OwnerText
    balance_micros: Annotated[
        int, Meta(description="Micros of a USD; of `external` it is less than zero.")
    ]
    open_stake_micros: Annotated[int, Meta(description="Staked on open bets, micros of a USD.")]
    open_bets: Count
    seq: Seq
    created_at_ms: AtMs
    frozen: Annotated[bool, Meta(description="May he neither bet nor withdraw?")]
    limits: LimitsJson
    keys: Annotated[list[UserKeyJson], Meta(description="The newest 100.")]
    bets: Annotated[list[BetJson], Meta(description="Those that are open, the newest 200.")]


def user_json(account: Account, keys: Sequence[SessionKey], bets: Sequence[Bet]) -> UserJson:
    """`GET /ops/users/{user}`."""
    return {
        "user_id": account.user_id,
        "wallet": account.wallet,
        "balance_micros": account.balance_micros,
        "open_stake_micros": account.open_stake_micros,
        "open_bets": account.open_bets,
        "seq": account.seq,
        "created_at_ms": account.created_at_ms,
        "frozen": account.frozen,
        "limits": limits_json(account.limits),
        "keys": [_key_json(key) for key in keys],
        "bets": [bet_json(bet) for bet in bets],
    }


def _key_json(key: SessionKey) -> UserKeyJson:
    return {
        "key_id": key.key_id,
        "session_id": key.session_id,
        "bet_max_micros": key.bet_max_micros,
        "day_max_micros": key.day_max_micros,
        "created_at_ms": key.created_at_ms,
        "expires_at_ms": key.expires_at_ms,
        "revoked_at_ms": key.revoked_at_ms,
    }


class FrozenJson(TypedDict):
    """An account that was frozen, or is free again."""

    user_id: int
    wallet: OwnerText
    frozen: bool
    seq: Seq


def frozen_json(changed: AccountChanged) -> FrozenJson:
    """`POST /ops/users/{user}/freeze` and `/unfreeze`."""
    return {
        "user_id": changed.user_id,
        "wallet": changed.wallet,
        "frozen": changed.frozen,
        "seq": changed.seq,
    }


# --- the ledger ---------------------------------------------------------------------------------


class OpsEntryJson(EntryJson):
    """A line of a statement, with what only operators see."""

    rowid: Annotated[int, Meta(description="One number names one line for ever.")]
    metadata: Annotated[dict[str, object], Meta(description="What was noted with it.")]


class OpsStatementJson(TypedDict):
    """A page of an account's ledger, newest first."""

    wallet: OwnerText
    entries: list[OpsEntryJson]
    next_cursor: Annotated[
        str | None, Meta(description="`cursor` of the next page; null on the last one.")
    ]
    archived: NotRequired[
        Annotated[list[WeekText], Meta(description="The weeks that this page lacks.")]
    ]


def ops_statement_json(
    wallet: str, rows: Sequence[tuple[int, LedgerRow]], limit: int, archived: Sequence[str]
) -> OpsStatementJson:
    """`GET /ops/users/{user}/ledger`; as the trader's own statement, and more."""
    page: OpsStatementJson = {
        "wallet": wallet,
        "entries": [
            {**entry_json(row), "rowid": rowid, "metadata": json.loads(row.metadata)}
            for rowid, row in rows
        ],
        "next_cursor": str(rows[-1][0]) if len(rows) == limit else None,
    }
    if archived:
        page["archived"] = weeks_json(archived)
    return page
