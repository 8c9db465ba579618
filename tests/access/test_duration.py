from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_access.access import duration_words, format_duration, parse_duration
from sm_access.access.instant import format_instant, parse_instant, whole_second
from sm_access.errors import InvalidDuration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("45s", 45),
        ("30m", 1800),
        ("8h", 28800),
        ("7d", 604800),
        ("1d12h", 129600),
        (" 2H5M1S ", 7501),
        ("90m", 5400),
    ],
)
def test_what_is_understood(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "d",
        "0s",
        "0d0h",
        "-1d",
        "1.5h",
        "1w",
        "12h1d",
        "1d 12h",
        "7 days",
        "9999999999d",
        "3651d",
        "٣d",
        "1d1d",
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(InvalidDuration) as refused:
        parse_duration(text)
    assert refused.value.remedy


@given(st.integers(1, 3650 * 86400))
def test_there_and_back(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration


def test_words() -> None:
    assert duration_words(timedelta(days=1, hours=12)) == "1 day 12 hours"
    assert duration_words(timedelta(minutes=30, seconds=1)) == "30 minutes 1 second"
    assert duration_words(timedelta(0)) == "no time"
    assert format_duration(timedelta(0)) == "0s"


def test_instants_are_cut_to_the_second_and_told_in_utc() -> None:
    moment = datetime(2026, 11, 23, 18, 0, 0, 999999, tzinfo=timezone(timedelta(hours=1)))
    assert format_instant(moment) == "2026-11-23T17:00:00Z"
    assert parse_instant("2026-11-23T17:00:00Z") == whole_second(moment)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        format_instant(datetime(2026, 11, 23))  # noqa: DTZ001


@pytest.mark.parametrize("text", ["2026-11-23", "2026-11-23T17:00:00", "2026-11-23T7:00:00Z", "1763917200"])
def test_other_spellings_of_an_instant_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"2026|does not match|17639"):
        parse_instant(text)
