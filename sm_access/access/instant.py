"""Points in time as policies and the ledger write them: UTC, whole seconds, `2026-11-23T17:00:00Z`."""

from __future__ import annotations

from datetime import datetime, timezone


def whole_second(moment: datetime) -> datetime:
    """An aware moment, in UTC, cut to the second: an end never moves later. ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a point in time needs a time zone")
    return moment.astimezone(timezone.utc).replace(microsecond=0)


def format_instant(moment: datetime) -> str:
    """`2026-11-23T17:00:00Z` (IAM User Guide, "Date condition operators": W3C date formats)."""
    return whole_second(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_instant(text: str) -> datetime:
    """The inverse of `format_instant`, and of nothing else. Raises ValueError."""
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    if format_instant(moment) != text:
        raise ValueError(f"{text!r} is not written like 2026-11-23T17:00:00Z")
    return moment
