"""What an open answer depends on, as a boolean expression over facts that the caller does not know.

A fact is either a test of one context key ("its value is vpce-1") or a doubt that nothing here can look into
(a layer that could not be read, an operator that is not understood). Expressions are kept in negation normal
form and simplified as they are built: flat, without duplicates, without a fact beside its opposite.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from sm_access.policy.pattern import Pattern


class Relation(str, Enum):
    """What is asked of a key: whether it is absent, of its one value, of some or of all of its values."""

    ABSENT = "absent"
    ONE = "one"
    SOME = "some"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class KeyTest:
    """A test of one context key: `key` in lower case, `shown` as the policy writes it.

    ONE and SOME compare with one pattern, ALL with several alternatives, ABSENT with none. Where the key is
    absent ONE and SOME are false, ALL is true.
    """

    key: str
    relation: Relation
    operator: str = ""
    patterns: tuple[Pattern, ...] = ()
    shown: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that may turn out either way. Two doubts are one fact only where they are `about` the same
    thing.

    `words`: nouns for it. What to say where more can be said than "depending on" them: `if_so` and `if_not`
    after "if", `unless` after "unless" (instead of `if_not`).
    """

    words: tuple[str, ...] = field(compare=False)
    about: object
    if_so: str = field(default="", compare=False)
    if_not: str = field(default="", compare=False)
    unless: str = field(default="", compare=False)


Fact = KeyTest | Doubt


@dataclass(frozen=True, slots=True)
class Literal:
    """A fact, or its opposite."""

    fact: Fact
    positive: bool = True


@dataclass(frozen=True, slots=True)
class Compound:
    """All of `parts` (`conjunction`), or at least one of them: two parts or more, none of the same kind."""

    conjunction: bool
    parts: tuple[Literal | Compound, ...]


Formula = bool | Literal | Compound


def conjoin(formulas: Iterable[Formula]) -> Formula:
    """AND."""
    return _joined(True, formulas)


def disjoin(formulas: Iterable[Formula]) -> Formula:
    """OR."""
    return _joined(False, formulas)


def opposite(formula: Formula) -> Formula:
    """NOT, pushed down to the facts."""
    if isinstance(formula, bool):
        return not formula
    if isinstance(formula, Literal):
        return Literal(formula.fact, not formula.positive)
    return _joined(not formula.conjunction, (opposite(part) for part in formula.parts))


def _joined(conjunction: bool, formulas: Iterable[Formula]) -> Formula:
    """`not conjunction` decides at once, `conjunction` adds nothing; a part that contains another is absorbed."""
    parts: dict[Literal | Compound, None] = {}
    for formula in formulas:
        if isinstance(formula, bool):
            if formula is not conjunction:
                return formula
            continue
        inner = (
            formula.parts if isinstance(formula, Compound) and formula.conjunction is conjunction else None
        )
        for part in inner if inner is not None else (formula,):
            if isinstance(part, Literal) and Literal(part.fact, not part.positive) in parts:
                return not conjunction
            parts[part] = None
    kept = tuple(
        part for part in parts if not (isinstance(part, Compound) and any(p in parts for p in part.parts))
    )
    if not kept:
        return conjunction
    return kept[0] if len(kept) == 1 else Compound(conjunction, kept)


def given(formula: Formula, known: Mapping[Fact, bool]) -> Formula:
    """What remains of the expression once some facts are known."""
    if isinstance(formula, bool):
        return formula
    if isinstance(formula, Literal):
        value = known.get(formula.fact)
        return formula if value is None else value is formula.positive
    return _joined(formula.conjunction, (given(part, known) for part in formula.parts))


def facts(formula: Formula) -> dict[Fact, None]:
    """The facts of the expression, in the order of their first appearance."""
    found: dict[Fact, None] = {}
    pending = [formula]
    while pending:
        item = pending.pop()
        if isinstance(item, Literal):
            found[item.fact] = None
        elif isinstance(item, Compound):
            pending.extend(reversed(item.parts))
    return found
