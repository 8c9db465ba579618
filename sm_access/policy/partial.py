"""What an answer is once every way in which the unknown may turn out has been looked at, and on what it hangs.

The authorizer's three-valued logic leaves an answer open where one fact, open in two places, settles it ("is a"
and "is not a"). Here its expression is taken apart fact by fact: the answer is UNDETERMINED only if two ways
differ, or where there are too many to go through - then it stays open, which is the safe side.
"""

from __future__ import annotations

from collections.abc import Iterator

from sm_access.policy.completions import TooManyWays, ways_of
from sm_access.policy.dependency import described
from sm_access.policy.formula import (
    Compound,
    Fact,
    Formula,
    KeyTest,
    Literal,
    conjoin,
    disjoin,
    facts,
    given,
    opposite,
)

MOST_STEPS = 2000
MOST_FACTS = 24
MOST_SPREAD = 4


def settled(formula: Formula) -> bool | None:
    """True or False where every way agrees, else None."""
    try:
        steps = iter(range(MOST_STEPS))
        found = set()
        for outcome in _outcomes(formula, steps):
            found.add(outcome)
            if len(found) == 2:
                return None
        return found.pop()
    except TooManyWays:
        return None


def dependencies(formula: Formula) -> tuple[str, ...]:
    """An open answer in words: under what it is yes, one phrase for each alternative."""
    return described(_spread(simplified(formula)))


def _spread(formula: Formula) -> Formula:
    """An alternative inside the expression that is no plain list of values, said as alternatives of the whole."""
    parts = formula.parts if isinstance(formula, Compound) and formula.conjunction else ()
    for part in parts:
        if isinstance(part, Compound) and len(part.parts) <= MOST_SPREAD and not _is_plain(part):
            rest = [other for other in parts if other is not part]
            return disjoin(simplified(conjoin((alternative, *rest))) for alternative in part.parts)
    return formula


def _is_plain(formula: Compound) -> bool:
    return all(isinstance(part, Literal) and isinstance(part.fact, KeyTest) for part in formula.parts)


def simplified(formula: Formula) -> Formula:
    """The same without the parts that make no difference beside the others. Left as it is where it is too long."""
    return _simplified(formula) if len(facts(formula)) <= MOST_FACTS else formula


def _outcomes(formula: Formula, steps: Iterator[int]) -> Iterator[bool]:
    if isinstance(formula, bool):
        yield formula
        return
    found = facts(formula)
    subject = _subject(next(iter(found)))
    for way in ways_of([fact for fact in found if _subject(fact) == subject]):
        if next(steps, None) is None:
            raise TooManyWays
        yield from _outcomes(given(formula, way), steps)


def _subject(fact: Fact) -> object:
    return fact.key if isinstance(fact, KeyTest) else fact


def _simplified(formula: Formula) -> Formula:
    if not isinstance(formula, Compound):
        return formula
    joined = conjoin if formula.conjunction else disjoin
    parts: list[Formula] = [_simplified(part) for part in formula.parts]
    for part in list(parts):  # what stands alone is known in all other parts
        if isinstance(part, Literal):
            known = {part.fact: part.positive is formula.conjunction}
            parts = [other if other == part else given(other, known) for other in parts]
    for part in list(parts):  # the longest parts would say most: they go last
        others = joined(other for other in parts if other is not part)
        if settled(_adds(formula.conjunction, others, part)) is False:
            parts = [other for other in parts if other is not part]
    return joined(parts)


def _adds(conjunction: bool, others: Formula, part: Formula) -> Formula:
    """When `part` makes a difference beside the others."""
    return conjoin((others, opposite(part))) if conjunction else conjoin((opposite(others), part))
