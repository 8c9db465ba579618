"""One condition: an operator, a context key and the policy's values - and its evaluation.

Values are alternatives; a negated operator holds when none of them does. An absent key: a positive
operator does not hold, a negated one does, IfExists and ForAllValues hold, ForAnyValue does not. Source:
IAM User Guide, "IAM JSON policy elements: Condition operators", "Single-valued vs. multivalued context keys",
"Conditions with multiple context keys or values".

Left open, because AWS's documents say two things or nothing: ForAnyValue with IfExists where the key is absent (the
one says no, the other yes); a value that is an empty text under a set operator or Null ("null dataset", or a value);
a key with several values without a set operator.
"""

from __future__ import annotations

from dataclasses import dataclass

from sm_access.policy.conditions.multivalued import is_multivalued
from sm_access.policy.conditions.null import evaluate_null
from sm_access.policy.conditions.operator import IncomparableError, Operator
from sm_access.policy.conditions.registry import BoundOperator, Quantifier, find_operator
from sm_access.policy.context import UNKNOWN, RequestContext, Sketch
from sm_access.policy.filling import filled_in, not_carried, where_carried
from sm_access.policy.formula import KeyTest, Relation
from sm_access.policy.pattern import Pattern, parse_template
from sm_access.policy.truth import (
    NO,
    YES,
    Truth,
    either_way,
    every,
    negation,
    possible,
    some,
    truth,
    undecided,
)


@dataclass(frozen=True, slots=True)
class Condition:
    """As written in the policy; numbers and booleans as their text."""

    operator: str
    key: str
    values: tuple[str, ...]

    @property
    def described(self) -> str:
        """For people: `s3:prefix StringLike raw/, raw/*`."""
        return f"{self.key} {self.operator} {', '.join(self.values)}"


def evaluate_condition(condition: Condition, context: RequestContext, variables: bool) -> Truth:
    """Whether the condition holds; OPEN names the key, the operator or the value that cannot be told."""
    bound = find_operator(condition.operator)
    if bound is None:
        return undecided(f"the condition operator {condition.operator!r}, which is not understood")
    if not condition.values:
        return undecided(f"the condition {condition.operator} on {condition.key}, which has no values")
    found = context.lookup(condition.key)
    if found is UNKNOWN:
        return _of_unknown(condition, bound, context, variables)
    values = found if isinstance(found, tuple) else ()
    if not values or (any(values) or (bound.operator and bound.quantifier is Quantifier.NONE)):
        return _of_values(condition, bound, values, context, variables)
    as_none = _of_values(condition, bound, (), context, variables)
    as_values = _of_values(condition, bound, values, context, variables)
    empty = undecided(f"whether an empty {condition.key} counts as a value")
    return either_way(empty, as_values, as_none)


def _of_values(
    condition: Condition,
    bound: BoundOperator,
    values: tuple[str, ...],
    context: RequestContext,
    variables: bool,
) -> Truth:
    """The condition for the values that the request has of its key; none where it is absent."""
    if bound.operator is None:
        return evaluate_null(condition.values, absent=not values)
    if not values:
        return _on_absent(condition, bound, bound.operator)
    outcomes = [_compare(condition, bound.operator, value, context, variables) for value in values]
    if bound.quantifier is Quantifier.ALL:
        return every(outcomes)
    if bound.quantifier is Quantifier.ANY:
        return some(outcomes)
    if len(values) == 1 and not is_multivalued(condition.key):
        return outcomes[0]
    return every((some(outcomes), _of_several(condition)))


def _of_several(condition: Condition) -> Truth:
    return undecided(f"{condition.key}, which may have several values where the condition expects one")


def _of_unknown(
    condition: Condition, bound: BoundOperator, context: RequestContext, variables: bool
) -> Truth:
    """The condition as tests of a key that may be absent or have any value."""
    key = condition.key.lower()
    sketch = context.sketch(key)
    if sketch is not None:
        return _of_sketched(condition, bound, context, variables, sketch)

    def test(relation: Relation, *patterns: Pattern, operator: str = "") -> Truth:
        return possible(KeyTest(key, relation, operator, patterns, condition.key))

    absent = test(Relation.ABSENT)
    if bound.operator is None:
        if_absent, if_present = (evaluate_null(condition.values, absent=value) for value in (True, False))
        return either_way(absent, if_absent, if_present)
    if bound.quantifier is Quantifier.NONE and is_multivalued(condition.key):
        return _of_several(condition)
    operator, quantifier = bound.operator, bound.quantifier
    read = [_readable(condition, text, operator, context, variables) for text in condition.values]
    patterns = tuple(item for item in read if isinstance(item, Pattern))
    doubts = [item for item in read if isinstance(item, Truth) and item.value is None]
    # "all are" and "some is not" speak of all values together, "some is" and "none is" of each on its own
    if quantifier is (Quantifier.ANY if operator.negated else Quantifier.ALL):
        named = (
            undecided(condition.key) if doubts else test(Relation.ALL, *patterns, operator=operator.positive)
        )
        on_absent = YES
    else:
        relation = Relation.ONE if quantifier is Quantifier.NONE else Relation.SOME
        tests = [test(relation, pattern, operator=operator.positive) for pattern in patterns]
        named = some((*tests, *doubts))
        on_absent = NO
    present = negation(named) if operator.negated else named
    found = negation(on_absent) if operator.negated else on_absent
    wanted = _on_absent(condition, bound, operator)
    if found.value is wanted.value and not doubts:
        return present
    nothing = absent if quantifier is Quantifier.NONE else test(Relation.ALL)  # an empty value counts too
    return some((every((nothing, wanted)), every((negation(nothing), present))))


def _of_sketched(
    condition: Condition, bound: BoundOperator, context: RequestContext, variables: bool, sketch: Sketch
) -> Truth:
    """The condition on a key that has one value, of which a part is known."""
    operator = bound.operator
    if operator is None:
        return evaluate_null(condition.values, absent=False)

    def test(pattern: Pattern) -> Truth:
        told = sketch(operator.positive, pattern)
        fact = KeyTest(
            condition.key.lower(), Relation.ONE, operator.positive, (pattern,), shown=condition.key
        )
        return possible(fact) if told is None else truth(told)

    read = [_readable(condition, text, operator, context, variables) for text in condition.values]
    named = some(test(item) if isinstance(item, Pattern) else item for item in read)
    return negation(named) if operator.negated else named


def _readable(
    condition: Condition, text: str, operator: Operator, context: RequestContext, variables: bool
) -> Pattern | Truth:
    """One value of the policy to compare with later; NO where it matches nothing, OPEN where it cannot be
    told."""
    template = parse_template(text, variables=variables and operator.variables)
    if template.malformed:
        return undecided(template.malformed)
    expected = template.resolve(context)
    if expected.unresolved:
        return _unresolved(operator, expected)
    if expected.holes:
        return undecided(condition.key, *expected.holes)
    try:
        operator.holds(expected, operator.example)
    except IncomparableError as problem:
        return undecided(str(problem))
    return expected


def _unresolved(operator: Operator, expected: Pattern) -> Truth:
    """Such a value matches nothing."""
    return not_carried(expected.unresolved) if operator.negated else NO


def _on_absent(condition: Condition, bound: BoundOperator, operator: Operator) -> Truth:
    if bound.quantifier is Quantifier.ANY:
        return (
            undecided(f"whether {condition.operator} holds without {condition.key}")
            if bound.if_exists
            else NO
        )
    return truth(bound.if_exists or bound.quantifier is Quantifier.ALL or operator.negated)


def _compare(
    condition: Condition, operator: Operator, actual: str, context: RequestContext, variables: bool
) -> Truth:
    """One value of the request against all values of the policy."""
    named = some(_one(text, operator, actual, context, variables) for text in condition.values)
    return negation(named) if operator.negated else named


def _one(text: str, operator: Operator, actual: str, context: RequestContext, variables: bool) -> Truth:
    template = parse_template(text, variables=variables and operator.variables)
    if template.malformed:
        return undecided(template.malformed)
    expected = template.resolve(context)
    if expected.unresolved:
        return _unresolved(operator, expected)
    try:
        held = operator.holds(expected, actual)
    except IncomparableError as problem:
        return undecided(str(problem))
    named = truth(held)
    if not expected.holes:
        return named
    if held and operator.positive.endswith("IgnoreCase"):
        return undecided(*expected.holes)
    if held:
        named = filled_in(template, expected, actual, context, lambda found: operator.holds(found, actual))
    return where_carried(template, expected, named, context) if operator.negated else named
