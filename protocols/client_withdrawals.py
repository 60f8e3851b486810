"""Withdrawals: how traders ask for them, how operators decide them, how both are shown them."""

from collections.abc import Sequence
from typing import Annotated, Final, TypedDict

import attrs
from msgspec import Meta

from domain.signed_text import WithdrawalText
from domain.units import MICROS_MAX, EpochS, Micros
from domain.wallet import SIGNATURE_BYTES
from protocols.account_commands import Withdrawal, WithdrawalStatus
from protocols.answer_fields import AmountMicros, AtMs, NonceText, OwnerText
from protocols.client_bets import NONCE
from protocols.client_queries import LIMIT
from protocols.forms import (
    LATEST_MS,
    Choice,
    Field,
    Form,
    Given,
    Natural,
    Optional,
    Pattern,
    Wallet,
)

WITHDRAWAL_ID: Final = Pattern(
    pattern="[0-9A-HJKMNP-TV-Z]{26}",
    why="must be a ULID in capitals",
    example="01HZX3Y4Z5A6B7C8D9E0F1G2H3",
)

# --- a trader's request -------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class WithdrawalRequest:
    """A well-formed `POST /api/withdrawals`. Nothing of it is checked against clock, chain or
    signature yet."""

    wallet: str
    amount_micros: Micros
    destination: str
    nonce: str
    timestamp_s: EpochS
    chain_id: int
    signature: str = attrs.field(repr=False)
    """`0x` and 130 hexadecimal digits in lower case."""

    def text(self) -> WithdrawalText:
        """What the signature must be of."""
        return WithdrawalText(
            amount_micros=self.amount_micros,
            destination=self.destination,
            nonce=self.nonce,
            timestamp_s=self.timestamp_s,
            chain_id=self.chain_id,
        )


_WALLET: Final = Field("wallet", Wallet(), "Whose money it is.")
_AMOUNT: Final = Field("amount", Natural(least=1, most=MICROS_MAX), "Micros of a USD.")
_DESTINATION: Final = Field(
    "destination", Wallet(), "Where it is to be paid; the signed text has it in lower case."
)
_NONCE: Final = Field("nonce", NONCE, "Made anew for each withdrawal; a retry has the same.")
_TIMESTAMP: Final = Field(
    "timestamp", Natural(most=LATEST_MS // 1000), "When it was signed: seconds since 1970, UTC."
)
_CHAIN_ID: Final = Field("chain_id", Natural(), "The chain of the venue; `GET /api/grid` has it.")
_VERSION: Final = Field("version", Natural(least=1, most=1), "Of the signed text: 1.")
_SIGNATURE: Final = Field(
    "signature",
    Pattern(
        pattern=f"0x[0-9A-Fa-f]{{{2 * SIGNATURE_BYTES}}}",
        why=f"must be 0x and {2 * SIGNATURE_BYTES} hexadecimal digits",
        example="0x" + "ab" * SIGNATURE_BYTES,
    ),
    "Of the text, by the wallet (EIP-191); session keys sign no withdrawals.",
)


def _request(given: Given) -> WithdrawalRequest:
    return WithdrawalRequest(
        wallet=given[_WALLET],
        amount_micros=given[_AMOUNT],
        destination=given[_DESTINATION],
        nonce=given[_NONCE],
        timestamp_s=given[_TIMESTAMP],
        chain_id=given[_CHAIN_ID],
        signature=given[_SIGNATURE].lower(),
    )


WITHDRAWAL: Final = Form(
    (
        *(_WALLET, _AMOUNT, _DESTINATION, _NONCE),
        *(_TIMESTAMP, _CHAIN_ID, _VERSION, _SIGNATURE),
    ),
    _request,
)

# --- which page ---------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class WithdrawalsQuery:
    """A page of withdrawals, newest first."""

    status: WithdrawalStatus | None
    before: str | None
    limit: int


_STATUS: Final = Field(
    "status", Optional(Choice(WithdrawalStatus), None), "Only these; all if not given."
)
_AFTER: Final = Field(
    "cursor", Optional(WITHDRAWAL_ID, None), "The `next_cursor` of the page before."
)


def _query(given: Given) -> WithdrawalsQuery:
    return WithdrawalsQuery(status=given[_STATUS], before=given[_AFTER], limit=given[LIMIT])


WITHDRAWALS: Final = Form((_STATUS, _AFTER, LIMIT), _query)

# --- answers ------------------------------------------------------------------------------------


class WithdrawalJson(TypedDict):
    """One withdrawal."""

    id: Annotated[str, Meta(description="A ULID.", examples=[WITHDRAWAL_ID.example])]
    status: Annotated[
        WithdrawalStatus, Meta(description="A pending one waits for an operator to decide it.")
    ]
    amount_micros: AmountMicros
    destination: Annotated[str, Meta(description="Where it is to be paid.")]
    nonce: NonceText
    requested_at_ms: AtMs
    decided_at_ms: Annotated[
        int | None, Meta(description="Ms since 1970, UTC; null while it is pending.")
    ]
    reference: Annotated[
        str | None, Meta(description="Of the payment, e.g. a transaction hash, once it is paid.")
    ]
    reason: Annotated[str | None, Meta(description="Why it was rejected.")]


class WithdrawalRequestedJson(TypedDict):
    """A withdrawal that was taken: the money has left the balance."""

    withdrawal: WithdrawalJson
    balance_micros: Annotated[int, Meta(description="What is left, micros of a USD.", ge=0)]


class WithdrawalsJson(TypedDict):
    """A page of a trader's withdrawals, newest first."""

    withdrawals: list[WithdrawalJson]
    next_cursor: Annotated[
        str | None, Meta(description="`cursor` of the next page; null on the last one.")
    ]


def withdrawal_json(withdrawal: Withdrawal) -> WithdrawalJson:
    """One of a trader's own. Of an operator's reasons he is told those for rejecting."""
    is_rejected = withdrawal.status is WithdrawalStatus.REJECTED
    return {
        "id": withdrawal.id,
        "status": withdrawal.status,
        "amount_micros": withdrawal.amount_micros,
        "destination": withdrawal.destination,
        "nonce": withdrawal.nonce,
        "requested_at_ms": withdrawal.requested_at_ms,
        "decided_at_ms": withdrawal.decided_at_ms,
        "reference": withdrawal.reference,
        "reason": withdrawal.reason if is_rejected else None,
    }


def withdrawals_json(withdrawals: Sequence[Withdrawal], limit: int) -> WithdrawalsJson:
    """A page of a trader's own."""
    return {
        "withdrawals": [withdrawal_json(each) for each in withdrawals],
        "next_cursor": _cursor(withdrawals, limit),
    }


class OpsWithdrawalJson(TypedDict):
    """One withdrawal, as operators see it."""

    id: Annotated[str, Meta(description="A ULID.", examples=[WITHDRAWAL_ID.example])]
    user_id: int
    wallet: OwnerText
    status: WithdrawalStatus
    amount_micros: AmountMicros
    destination: Annotated[str, Meta(description="Where it is to be paid; the bankroll's: text.")]
    nonce: Annotated[str, Meta(description="Of the bankroll's: its reference.")]
    requested_at_ms: AtMs
    decided_at_ms: Annotated[
        int | None, Meta(description="Ms since 1970, UTC; null while it is pending.")
    ]
    decided_by: Annotated[str | None, Meta(description="The operator's name.")]
    reference: Annotated[str | None, Meta(description="Of the payment.")]
    reason: str | None


class OpsWithdrawalsJson(TypedDict):
    """A page of everybody's withdrawals, newest first."""

    withdrawals: list[OpsWithdrawalJson]
    next_cursor: Annotated[
        str | None, Meta(description="`cursor` of the next page; null on the last one.")
    ]


class WithdrawalDecidedJson(TypedDict):
    """A withdrawal that is decided, now or since an earlier request that said the same."""

    withdrawal: OpsWithdrawalJson


class BankrollWithdrawnJson(TypedDict):
    """What was taken out of the bankroll."""

    withdrawal: OpsWithdrawalJson
    balance_micros: Annotated[int, Meta(description="Of the house, micros of a USD.")]
    repeated: Annotated[bool, Meta(description="Had an earlier request taken it?")]


def ops_withdrawal_json(withdrawal: Withdrawal) -> OpsWithdrawalJson:
    """One, with who decided it and why. What signed it is not shown."""
    return {
        "id": withdrawal.id,
        "user_id": withdrawal.user_id,
        "wallet": withdrawal.wallet,
        "status": withdrawal.status,
        "amount_micros": withdrawal.amount_micros,
        "destination": withdrawal.destination,
        "nonce": withdrawal.nonce,
        "requested_at_ms": withdrawal.requested_at_ms,
        "decided_at_ms": withdrawal.decided_at_ms,
        "decided_by": withdrawal.decided_by,
        "reference": withdrawal.reference,
        "reason": withdrawal.reason,
    }


def ops_withdrawals_json(withdrawals: Sequence[Withdrawal], limit: int) -> OpsWithdrawalsJson:
    """A page of everybody's."""
    return {
        "withdrawals": [ops_withdrawal_json(each) for each in withdrawals],
        "next_cursor": _cursor(withdrawals, limit),
    }


def _cursor(withdrawals: Sequence[Withdrawal], limit: int) -> str | None:
    return withdrawals[-1].id if len(withdrawals) == limit else None
