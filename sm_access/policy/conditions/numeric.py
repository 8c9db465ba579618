"""Numeric operators: integers and decimals, compared exactly.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators", "Numeric condition operators".
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal

from sm_access.policy.conditions.operator import IncomparableError, Operator, typed

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)


def number(text: str) -> Decimal:
    """The number that `text` writes; raises IncomparableError."""
    if not _NUMBER.fullmatch(text):
        raise IncomparableError(f"the value {text!r}, which is not a number")
    return Decimal(text)


def _by(compare: Callable[[Decimal, Decimal], bool]) -> Callable[[str, str], bool]:
    return lambda expected, actual: compare(number(actual), number(expected))


OPERATORS = (
    Operator("NumericEquals", typed(_by(operator.eq)), example="0"),
    Operator("NumericNotEquals", typed(_by(operator.eq)), negated=True, example="0"),
    Operator("NumericLessThan", typed(_by(operator.lt)), example="0"),
    Operator("NumericLessThanEquals", typed(_by(operator.le)), example="0"),
    Operator("NumericGreaterThan", typed(_by(operator.gt)), example="0"),
    Operator("NumericGreaterThanEquals", typed(_by(operator.ge)), example="0"),
)
