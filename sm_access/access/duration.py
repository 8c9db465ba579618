"""Lengths of time as people type and read them: 45s, 30m, 8h, 7d, 1d12h."""

from __future__ import annotations

import re
from datetime import timedelta

from sm_access.errors import InvalidDuration

LONGEST = timedelta(days=3650)
"""Longer than any rule would allow; keeps arithmetic with dates far from its own limits."""

_UNITS = (("d", "day", 86400), ("h", "hour", 3600), ("m", "minute", 60), ("s", "second", 1))
_DURATION = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)


def parse_duration(text: str) -> timedelta:
    """`1d12h` -> timedelta of whole seconds, more than nothing. Raises InvalidDuration."""
    match = _DURATION.fullmatch(text.strip().lower())
    numbers = match.groups() if match else ()
    seconds = sum(int(number or 0) * unit[2] for number, unit in zip(numbers, _UNITS, strict=False))
    if seconds <= 0:
        raise InvalidDuration(
            f"{text!r} is not a length of time.", remedy="Write it like 30m, 8h, 7d or 1d12h."
        )
    if seconds > LONGEST.total_seconds():
        raise InvalidDuration(
            f"{text!r} is longer than ten years.", remedy="Ask for days, such as 7d, and extend."
        )
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """The inverse of `parse_duration`, in the fewest units: 36 hours -> `1d12h`; nothing -> `0s`."""
    return "".join(f"{number}{unit[0]}" for number, unit in _parts(duration)) or "0s"


def duration_words(duration: timedelta) -> str:
    """36 hours -> `1 day 12 hours`."""
    words = [f"{number} {unit[1]}{'' if number == 1 else 's'}" for number, unit in _parts(duration)]
    return " ".join(words) or "no time"


def _parts(duration: timedelta) -> list[tuple[int, tuple[str, str, int]]]:
    rest = int(duration.total_seconds())
    parts = []
    for unit in _UNITS:
        number, rest = divmod(rest, unit[2])
        if number:
            parts.append((number, unit))
    return parts
