"""The request context as the engine looks into it: key -> values, absent, or not known.

Names of context keys are not case-sensitive (IAM User Guide, "IAM JSON policy elements: Condition"). A key
that is neither given nor declared unknown is absent from the request - except the few that AWS sends with
every signed request and that the engine cannot derive: those are unknown until the caller gives them,
because "absent" would be false.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum


class _Missing(Enum):
    ABSENT = "absent"
    UNKNOWN = "unknown"


ABSENT = _Missing.ABSENT
UNKNOWN = _Missing.UNKNOWN
Values = tuple[str, ...] | _Missing


class RequestContext:
    """Read-only look-up of context keys. `unknown` may name families with a trailing star:
    `aws:PrincipalTag/*`."""

    __slots__ = ("_families", "_unknown", "_values")

    def __init__(self, values: Mapping[str, tuple[str, ...]], unknown: Collection[str] = ()) -> None:
        self._values = {key.lower(): value for key, value in values.items()}
        lowered = [key.lower() for key in unknown]
        self._families = tuple(key[:-1] for key in lowered if key.endswith("*"))
        self._unknown = frozenset(key for key in lowered if not key.endswith("*"))

    def lookup(self, key: str) -> Values:
        """The values of `key`, ABSENT or UNKNOWN. What is declared unknown is unknown even when a value is
        given."""
        lowered = key.lower()
        if lowered in self._unknown or any(lowered.startswith(family) for family in self._families):
            return UNKNOWN
        return self._values.get(lowered, ABSENT)
