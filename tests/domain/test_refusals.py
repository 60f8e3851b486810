"""The table of error codes: complete, stable, and what the API promises."""

import re
from http import HTTPStatus

import pytest

from domain.refusals import TABLE, Code, Refusal, bad_request

# As the API documents them; a client may rely on every word.
DOCUMENTED = {
    400: {"bad_request", "insufficient_funds", "cell_unavailable", "bad_stake"},
    401: {"invalid_signature", "signature_expired", "unauthorized"},
    403: {"forbidden", "limit_reached", "frozen"},
    404: {"not_found"},
    405: {"method_not_allowed"},
    409: {"replay_detected", "cell_taken", "quote_expired", "reference_conflict"},
    410: {"archived"},
    413: {"too_large"},
    422: {"exposure_limit"},
    429: {"rate_limited"},
    500: {"internal"},
    503: {"price_feed_stale", "overloaded", "draining", "held", "store_unavailable", "disk_full"},
    504: {"status_unknown"},
}


def test_codes_and_statuses_are_the_documented_ones() -> None:
    by_status: dict[int, set[str]] = {}
    for code, meaning in TABLE.items():
        by_status.setdefault(meaning.http_status, set()).add(code.value)
    assert by_status == DOCUMENTED


def test_every_code_has_its_row() -> None:
    assert set(TABLE) == set(Code)


def test_codes_stand_in_the_order_of_their_status() -> None:
    statuses = [TABLE[code].http_status for code in Code]
    assert statuses == sorted(statuses)


@pytest.mark.parametrize("code", list(Code))
def test_row_reads_well(code: Code) -> None:
    meaning = TABLE[code]
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code.value)
    assert meaning.http_status in {status.value for status in HTTPStatus}
    assert re.fullmatch(r"[A-Z].*\.", meaning.message)


@pytest.mark.parametrize("code", list(Code))
def test_waiting_helps_only_where_a_retry_can_succeed(code: Code) -> None:
    meaning = TABLE[code]
    assert meaning.retry_can_succeed is (meaning.http_status in {429, 500, 503, 504})
    if meaning.retry_after_s is not None:
        assert meaning.retry_can_succeed
        assert meaning.retry_after_s > 0
    if meaning.http_status in {429, 503}:
        assert meaning.retry_after_s is not None


def test_body_says_code_and_message() -> None:
    assert Refusal(Code.NOT_FOUND).to_json() == {
        "error": "not_found",
        "message": "There is nothing here by that name.",
    }


def test_body_takes_a_message_and_fields_of_its_own() -> None:
    refusal = Refusal(Code.QUOTE_EXPIRED, "Too late.", {"reward_bps": 17_000, "quote": 813})
    assert refusal.to_json() == {
        "error": "quote_expired",
        "message": "Too late.",
        "reward_bps": 17_000,
        "quote": 813,
    }


def test_body_says_when_to_come_back() -> None:
    assert Refusal(Code.OVERLOADED).to_json()["retry_after"] == 1
    exact = Refusal(Code.RATE_LIMITED, details={"retry_after": 17})
    assert exact.to_json()["retry_after"] == 17


def test_bad_request_names_the_field() -> None:
    refusal = bad_request("amount", "is not a number")
    assert refusal.meaning.http_status == 400
    assert refusal.to_json() == {
        "error": "bad_request",
        "message": "amount: is not a number",
        "field": "amount",
    }
