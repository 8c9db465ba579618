"""StringEquals, StringEqualsIgnoreCase, StringLike and their negations. Only StringLike knows wildcards.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators", "String condition operators".
"""

from __future__ import annotations

from sm_access.policy.conditions.operator import Operator
from sm_access.policy.pattern import Pattern


def _equal(expected: Pattern, actual: str) -> bool:
    return expected.literal().matches(actual)


def _equal_ignoring_case(expected: Pattern, actual: str) -> bool:
    return expected.literal().lower().matches(actual.lower())


def _like(expected: Pattern, actual: str) -> bool:
    return expected.matches(actual)


OPERATORS = (
    Operator("StringEquals", _equal, variables=True),
    Operator("StringNotEquals", _equal, negated=True, variables=True),
    Operator("StringEqualsIgnoreCase", _equal_ignoring_case, variables=True),
    Operator("StringNotEqualsIgnoreCase", _equal_ignoring_case, negated=True, variables=True),
    Operator("StringLike", _like, variables=True),
    Operator("StringNotLike", _like, negated=True, variables=True),
)
