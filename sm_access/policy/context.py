"""The request context as the engine looks into it: key -> values, absent, or not known.

Names of context keys are not case-sensitive (IAM User Guide, "IAM JSON policy elements: Condition"). A key
that is neither given nor declared unknown is absent from the request - except the few that AWS sends with
every signed request and that the engine cannot derive: those are unknown until the caller gives them,
because "absent" would be false.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from enum import Enum
from typing import Any


class _Missing(Enum):
    ABSENT = "absent"
    UNKNOWN = "unknown"


ABSENT = _Missing.ABSENT
UNKNOWN = _Missing.UNKNOWN
Values = tuple[str, ...] | _Missing
# Of an unknown key that is certainly sent: (operator, pattern) -> what the operator says, None where that is open.
Sketch = Callable[[str, Any], bool | None]


class RequestContext:
    """Read-only look-up of context keys. `unknown` may name families with a trailing star:
    `aws:PrincipalTag/*`. `sketches`: what is known of keys in lower case that have no value here."""

    __slots__ = ("_families", "_sketches", "_unknown", "_values")

    def __init__(
        self,
        values: Mapping[str, tuple[str, ...]],
        unknown: Collection[str] = (),
        sketches: Mapping[str, Sketch] | None = None,
    ) -> None:
        self._values = {key.lower(): value for key, value in values.items()}
        self._sketches = dict(sketches or {})
        lowered = [key.lower() for key in (*unknown, *self._sketches)]
        self._families = tuple(key[:-1] for key in lowered if key.endswith("*"))
        self._unknown = frozenset(key for key in lowered if not key.endswith("*"))

    def lookup(self, key: str) -> Values:
        """The values of `key`, ABSENT or UNKNOWN. What is declared unknown is unknown even when a value is
        given."""
        lowered = key.lower()
        if lowered in self._unknown or any(lowered.startswith(family) for family in self._families):
            return UNKNOWN
        return self._values.get(lowered, ABSENT)

    def sketch(self, key: str) -> Sketch | None:
        """What is known of an UNKNOWN key; None for nothing."""
        return self._sketches.get(key.lower())
