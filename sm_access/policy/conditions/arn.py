"""ArnEquals and ArnLike, which behave alike: each of the six parts is matched on its own, with wildcards.

A lone `*` is taken as any ARN. A value with fewer parts is no ARN pattern and cannot be compared.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators",
"Amazon Resource Name (ARN) condition operators".
"""

from __future__ import annotations

from sm_access.policy.conditions.operator import IncomparableError, Operator, text_of
from sm_access.policy.pattern import Pattern, Symbol, Wildcard


def _like(expected: Pattern, actual: str) -> bool:
    if expected.holes:  # a hole may bring colons with it: matching the whole text over-approximates
        return expected.matches(actual)
    given = actual.split(":", 5)
    if expected.symbols == (Wildcard.ANY,):
        return len(given) == 6
    parts = _six(expected.symbols)
    if len(parts) != 6:
        raise IncomparableError(f"the value {text_of(expected)!r}, which is not an ARN pattern")
    return len(given) == 6 and all(Pattern(p).matches(text) for p, text in zip(parts, given, strict=True))


def _six(symbols: tuple[Symbol, ...]) -> list[tuple[Symbol, ...]]:
    parts: list[list[Symbol]] = [[]]
    for symbol in symbols:
        if symbol == ":" and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append(symbol)
    return [tuple(part) for part in parts]


OPERATORS = (
    Operator("ArnEquals", _like, variables=True),
    Operator("ArnLike", _like, variables=True),
    Operator("ArnNotEquals", _like, negated=True, variables=True),
    Operator("ArnNotLike", _like, negated=True, variables=True),
)
