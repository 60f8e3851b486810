"""What the operators' audit log must say of an order: by its request alone, as documented."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

HOUSE: Final = "house"


@attrs.frozen
class Order:
    """One order, as it is on record before anything of it is done."""

    what: str
    subject: str
    why: str
    amount_micros: int | None = None
    reference: str | None = None


def order_of(path: str, body: Mapping[str, Any]) -> Order:
    """The order that `POST` to that path gives. Raises ValueError for a path that is none."""
    what, subject = _what(path.removeprefix("/ops/").split("/"), body)
    return Order(
        what=what,
        subject=subject,
        why=body.get("reason", ""),
        amount_micros=body.get("amount_micros"),
        reference=body.get("reference"),
    )


def _what(parts: list[str], body: Mapping[str, Any]) -> tuple[str, str]:
    match parts:
        case ["hold" | "release" | "backup" | "archive" | "integrity" as what]:
            return what, ""
        case ["circuit"]:
            return "circuit", body["state"]
        case ["deposits"]:
            return "deposit", body["wallet"]
        case ["adjustments"]:
            return "adjust", body["wallet"]
        case ["withdrawals"]:
            return "withdraw_bankroll", HOUSE
        case ["withdrawals", withdrawal_id, ("paid" | "rejected") as how]:
            return f"withdrawal_{how}", withdrawal_id
        case ["users", wallet, ("freeze" | "unfreeze") as what]:
            return what, wallet
        case ["columns", start_s, "void"]:
            return "void_column", start_s
        case ["actors", *path, "restart"]:
            return "restart", path[-1]
        case ["restore", week]:
            return "restore", week
        case _:
            raise ValueError(f"no order: {parts}")
