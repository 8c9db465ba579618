"""Points and lengths of time in words. The clock is always passed in."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

NOW = "just now"


def left(until: datetime, now: datetime) -> str:
    """`52 min left`, `3 h 5 min left`, `6 d 23 h left`, `expired`."""
    return f"{short(until - now)} left" if until > now else "expired"


def ago(then: datetime, now: datetime) -> str:
    """`just now`, `4 min ago`, `3 h 5 min ago`."""
    return NOW if now - then < timedelta(seconds=30) else f"{short(now - then)} ago"


def short(length: timedelta) -> str:
    """The two largest units: `45 s`, `52 min`, `3 h 5 min`, `6 d 23 h`."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if hours < 1:
        return f"{minutes} min"
    if days < 1:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"


def instant(moment: datetime) -> str:
    """`2026-11-30 18:00 UTC`, for people."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC").replace(":00 UTC", " UTC")


def iso(moment: datetime) -> str:
    """`2026-11-30T18:00:00Z`, for programs."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
