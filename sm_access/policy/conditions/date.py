"""Date operators: ISO 8601 in W3C's profile, or seconds since 1970 (never milliseconds).

Four digits alone are a year. A time of day needs its zone.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators", "Date condition operators".
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from sm_access.policy.conditions.operator import IncomparableError, Operator, typed

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_SECONDS = re.compile(r"-?\d{1,3}(\.\d+)?|-?\d{5,20}(\.\d+)?|-?\d{4}\.\d+", re.ASCII)
_ISO = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)(?P<fraction>\.\d+)?)?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d))?)?)?",
    re.ASCII | re.IGNORECASE,
)


def epoch_seconds(text: str) -> Decimal:
    """The instant that `text` writes, in seconds since 1970; raises IncomparableError."""
    if _SECONDS.fullmatch(text):
        return Decimal(text)
    found = _ISO.fullmatch(text)
    if found is None:
        raise IncomparableError(f"the value {text!r}, which is not a date")
    parts = {name: int(found[name] or default) for name, default in _DEFAULTS}
    try:
        local = datetime(tzinfo=timezone.utc, **parts)
    except ValueError as problem:
        raise IncomparableError(f"the value {text!r}, which is not a date") from problem
    whole = (local - _EPOCH) // timedelta(seconds=1) - _offset_seconds(found["zone"] or "Z")
    return whole + Decimal("0" + (found["fraction"] or ""))


_DEFAULTS = (("year", 1), ("month", 1), ("day", 1), ("hour", 0), ("minute", 0), ("second", 0))


def _offset_seconds(zone: str) -> int:
    if zone in "Zz":
        return 0
    digits = zone[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if zone[0] == "-" else seconds


def iso_instant(text: str) -> str:
    """The same instant as AWS writes aws:CurrentTime, e.g. 2026-11-23T17:00:00Z; raises IncomparableError."""
    try:
        return (_EPOCH + timedelta(seconds=int(epoch_seconds(text)))).strftime("%Y-%m-%dT%H:%M:%SZ")
    except OverflowError as problem:
        raise IncomparableError(f"the value {text!r}, which is not a date") from problem


def _by(compare: Callable[[Decimal, Decimal], bool]) -> Callable[[str, str], bool]:
    return lambda expected, actual: compare(epoch_seconds(actual), epoch_seconds(expected))


OPERATORS = (
    Operator("DateEquals", typed(_by(operator.eq)), example="0"),
    Operator("DateNotEquals", typed(_by(operator.eq)), negated=True, example="0"),
    Operator("DateLessThan", typed(_by(operator.lt)), example="0"),
    Operator("DateLessThanEquals", typed(_by(operator.le)), example="0"),
    Operator("DateGreaterThan", typed(_by(operator.gt)), example="0"),
    Operator("DateGreaterThanEquals", typed(_by(operator.ge)), example="0"),
)
