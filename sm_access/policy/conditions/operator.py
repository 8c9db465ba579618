"""What a condition operator is: a comparison of one policy value with one value of the request, and its
manners.

Source for all families: IAM User Guide, "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sm_access.policy.pattern import Pattern, Wildcard


class IncomparableError(Exception):
    """One of both values is not of the operator's type; the message names it."""


@dataclass(frozen=True, slots=True)
class Operator:
    """`holds(expected, actual)` may raise IncomparableError. `negated`: the condition holds when no value
    does.
    `variables`: policy variables may stand in the value; only string and ARN operators have them."""

    name: str
    holds: Callable[[Pattern, str], bool]
    negated: bool = False
    variables: bool = False
    example: str = ""  # some value of the operator's type

    @property
    def positive(self) -> str:
        """The name of the operator that this one negates, its own where it negates none."""
        return self.name.replace("Not", "", 1) if self.negated else self.name


def text_of(pattern: Pattern) -> str:
    """The policy's value as it was written, for operators that know neither wildcards nor variables."""
    return "".join(symbol.value if isinstance(symbol, Wildcard) else symbol for symbol in pattern.symbols)


def typed(compare: Callable[[str, str], bool]) -> Callable[[Pattern, str], bool]:
    """An operator on plain texts as one on patterns."""
    return lambda expected, actual: compare(text_of(expected), actual)
