"""Null: whether the key is absent from the request. The one operator that looks at no value of the
request.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators",
"Condition operator to check existence of condition keys".
"""

from __future__ import annotations

from sm_access.policy.conditions.boolean import boolean
from sm_access.policy.conditions.operator import IncomparableError
from sm_access.policy.truth import Truth, some, truth, undecided

NAME = "Null"


def evaluate_null(expected: tuple[str, ...], absent: bool) -> Truth:
    """`expected`: "true" asks for an absent key, "false" for a present one."""
    return some(_one(value, absent) for value in expected)


def _one(value: str, absent: bool) -> Truth:
    try:
        return truth(boolean(value) == absent)
    except IncomparableError as problem:
        return undecided(str(problem))
