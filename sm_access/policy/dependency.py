"""An expression over unknown facts in words: "allowed if aws:SourceVpce is vpce-1 or vpce-2".

One phrase for each alternative; what is cut off is counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from sm_access.policy.conditions.operator import text_of
from sm_access.policy.formula import Compound, Doubt, Formula, KeyTest, Literal, Relation

MOST_ALTERNATIVES = 5
MOST_PARTS = 6
MOST_VALUES = 5
_COMPARISONS = {
    "StringEquals": "",
    "StringEqualsIgnoreCase": "in any case ",
    "StringLike": "like ",
    "ArnEquals": "like ",
    "ArnLike": "like ",
    "NumericEquals": "",
    "NumericLessThan": "less than ",
    "NumericLessThanEquals": "at most ",
    "NumericGreaterThan": "more than ",
    "NumericGreaterThanEquals": "at least ",
    "DateEquals": "at ",
    "DateLessThan": "before ",
    "DateLessThanEquals": "at or before ",
    "DateGreaterThan": "after ",
    "DateGreaterThanEquals": "at or after ",
    "Bool": "",
    "BinaryEquals": "",
    "IpAddress": "in ",
}
_Part = Literal | Compound
_Group = list[_Part]  # one part, or several tests that differ in the value alone


def described(formula: Formula) -> tuple[str, ...]:
    """One phrase for each alternative under which the answer is yes; none where nothing is open."""
    if isinstance(formula, bool):
        return ()
    phrases = dict.fromkeys(f"allowed {_alternative(group)}" for group in _groups(formula, conjunction=False))
    *shown, last = _cut(list(phrases), MOST_ALTERNATIVES)
    return (*shown, last if last in phrases else f"and {last}")


def _groups(formula: _Part, *, conjunction: bool) -> list[_Group]:
    """The parts of an AND or an OR; where "is a" or "is b" - "is not a" and "is not b" - are said in one."""
    listed = (
        formula.parts if isinstance(formula, Compound) and formula.conjunction is conjunction else (formula,)
    )
    groups: dict[object, _Group] = {}
    for part in listed:
        same: object = part
        if isinstance(part, Literal) and isinstance(part.fact, KeyTest) and part.positive is not conjunction:
            test = part.fact
            if test.relation in (Relation.ONE, Relation.SOME):
                same = (test.key, test.relation, test.operator)
        groups.setdefault(same, []).append(part)
    return list(groups.values())


def _alternative(group: _Group) -> str:
    """What one alternative asks for: conditions, exceptions, and doubts of which no more can be said."""
    groups = _groups(group[0], conjunction=True) if len(group) == 1 else [group]
    conditions: list[str] = []
    exceptions: list[str] = []
    doubts: list[str] = []
    said = {doubt.words for doubt in map(_doubt, filter(_positive, groups)) if doubt is not None}
    for found in groups:
        doubt = _doubt(found)
        if doubt is None:
            conditions.append(_phrase(found))
        elif _asked(doubt, _positive(found)):
            conditions.append(_asked(doubt, _positive(found)))
        elif not doubt.unless:
            doubts.extend(doubt.words)
        elif doubt.words not in said:  # what allows it does not deny it
            exceptions.append(doubt.unless)
    words = []
    if conditions:
        words.append(f"if {' and '.join(_cut(conditions, MOST_PARTS))}")
    if exceptions:
        words.append(f"unless {' or '.join(_cut(exceptions, MOST_PARTS))}")
    if doubts:
        words.append(f"depending on {' and '.join(_cut(list(dict.fromkeys(doubts)), MOST_PARTS))}")
    return ", ".join(words)


def _doubt(group: _Group) -> Doubt | None:
    part = group[0]
    return part.fact if isinstance(part, Literal) and isinstance(part.fact, Doubt) else None


def _positive(group: _Group) -> bool:
    return all(isinstance(part, Literal) and part.positive for part in group)


def _phrase(group: _Group) -> str:
    """One condition: a test, tests that differ in the value alone, or an expression within the expression."""
    part = group[0]
    if isinstance(part, Compound):
        inner = _groups(part, conjunction=part.conjunction)
        phrases = [_inner(found) for found in inner]
        joint = " and " if part.conjunction else " or "
        return f"({joint.join(_cut(phrases, MOST_PARTS))})" if len(phrases) > 1 else phrases[0]
    tests = [item.fact for item in group if isinstance(item, Literal) and isinstance(item.fact, KeyTest)]
    return _tested(tests, part.positive)


def _inner(group: _Group) -> str:
    doubt = _doubt(group)
    if doubt is None:
        return _phrase(group)
    asked = _asked(doubt, _positive(group))
    return asked or (
        f"not that {doubt.unless}" if doubt.unless else f"what hangs on {' and '.join(doubt.words)}"
    )


def _asked(doubt: Doubt, positive: bool) -> str:
    return doubt.if_so if positive else doubt.if_not


def _tested(tests: Sequence[KeyTest], positive: bool) -> str:
    first = tests[0]
    values = [_value(text_of(pattern)) for test in tests for pattern in test.patterns]
    listed = _alternatives(values)
    if first.relation is Relation.ABSENT:
        return f"the request carries {'no ' if positive else ''}{first.shown}"
    if first.relation is Relation.ALL and not values:
        return f"{first.shown} has {'no' if positive else 'a'} value"
    compared = _COMPARISONS[first.operator]
    if first.relation is Relation.ALL:
        return f"{'' if positive else 'not '}every value of {first.shown} is {compared}{listed}"
    if first.relation is Relation.SOME:
        return f"{'a' if positive else 'no'} value of {first.shown} is {compared}{listed}"
    if positive:
        return f"{first.shown} is {compared}{listed}"
    return f"{first.shown} is not {compared}{'any of ' if len(values) > 1 else ''}{listed}"


def _value(text: str) -> str:
    return text if text.strip() == text != "" else f"{text!r}"


def _alternatives(values: Sequence[str]) -> str:
    """`a`, `a or b`, `a, b or c`; the first few, and how many more."""
    shown = list(values[:MOST_VALUES])
    if len(values) > MOST_VALUES:
        shown.append(f"{len(values) - MOST_VALUES} more")
    return " or ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))


def _cut(phrases: list[str], most: int) -> list[str]:
    rest = len(phrases) - most
    return [*phrases[:most], f"{rest} more"] if rest > 0 else phrases
