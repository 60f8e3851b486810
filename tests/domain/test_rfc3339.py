"""RFC 3339 date-times: what is one, and which moment it is."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rfc3339 import parse_date_time


@pytest.mark.parametrize(
    ("text", "epoch_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999Z", -1),
        ("2021-09-30T16:25:24Z", 1_633_019_124_000),
        ("2021-09-30T16:25:24.000Z", 1_633_019_124_000),
        ("2021-09-30t16:25:24z", 1_633_019_124_000),
        ("2021-09-30T18:25:24+02:00", 1_633_019_124_000),
        ("2021-09-30T10:55:24-05:30", 1_633_019_124_000),
        ("2021-09-30T16:25:24-00:00", 1_633_019_124_000),
        ("2021-09-30T16:25:24.5Z", 1_633_019_124_500),
        ("2021-09-30T16:25:24.05Z", 1_633_019_124_050),
        ("2021-09-30T16:25:24.0059999999999Z", 1_633_019_124_005),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        # Examples of the RFC: a leap second, and the same one eight hours to the west.
        ("1985-04-12T23:20:50.52Z", 482_196_050_520),
        ("1990-12-31T23:59:60Z", 662_688_000_000),
        ("1990-12-31T15:59:60-08:00", 662_688_000_000),
        ("1937-01-01T12:00:27.87+00:20", -1_041_337_172_130),
    ],
)
def test_date_time(text: str, epoch_ms: int) -> None:
    assert parse_date_time(text) == epoch_ms


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "1633019124", "Wed Oct 05 2011 16:48:00 GMT+0200 (CEST)"),
        *("2021-09-30", "2021-09-30T16:25Z", "2021-09-30T16:25:24", "2021-09-30 16:25:24Z"),
        *("20210930T162524Z", "2021-W39-4T16:25:24Z", "2021-273T16:25:24Z"),
        *("2021-09-30T16:25:24.Z", "2021-09-30T16:25:24,5Z", "2021-09-30T16:25:24 Z"),
        *("2021-09-30T16:25:24+0200", "2021-09-30T16:25:24+02", "2021-09-30T16:25:24+24:00"),
        *("2021-09-30T16:25:24+02:60", "2021-09-30T16:25:24ZZ", "2021-09-30T16:25:24Z\n"),
        *("2021-00-30T16:25:24Z", "2021-13-30T16:25:24Z", "2021-09-31T16:25:24Z"),
        *("2021-02-29T16:25:24Z", "2100-02-29T16:25:24Z", "0000-01-01T00:00:00Z"),
        *("2021-09-30T24:00:00Z", "2021-09-30T16:60:24Z", "2021-09-30T16:25:61Z"),
        *("+2021-09-30T16:25:24Z", "12021-09-30T16:25:24Z", "２０２１-09-30T16:25:24Z"),
        *("2021-09-30T16:25:60Z", "1990-12-31T23:59:60-08:00", "1990-11-30T23:59:60Z"),
    ],
)
def test_what_is_no_date_time(text: str) -> None:
    assert parse_date_time(text) is None


def test_the_edges_of_the_calendar() -> None:
    assert parse_date_time("0001-01-01T00:00:00+23:59") is not None
    assert parse_date_time("9999-12-31T23:59:59-23:59") is not None
    assert parse_date_time("9999-12-31T23:59:60Z") == 253_402_300_800_000
    assert parse_date_time("9999-12-31T23:59:60-23:59") is None
    assert parse_date_time("0001-01-01T00:00:60+00:01") is None


moments = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2999, 1, 1))  # noqa: DTZ001
offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59)


@given(moments, offsets)
def test_it_agrees_with_the_standard_library(moment: datetime, offset_minutes: int) -> None:
    local = moment.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    since = local - datetime(1970, 1, 1, tzinfo=UTC)
    text = local.isoformat(timespec="milliseconds")
    assert parse_date_time(text) == since // timedelta(milliseconds=1)


@given(st.text(alphabet="0123456789-:.TZ+ ", max_size=30))
def test_any_text_is_a_time_or_none(text: str) -> None:
    parse_date_time(text)
