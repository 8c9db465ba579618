"""One condition: an operator, a context key and the policy's values - and its evaluation.

Values are alternatives; a negated operator holds when none of them does. An absent key: a positive
operator does not hold, a negated one does, IfExists and ForAllValues hold, ForAnyValue does not. Source:
IAM User Guide, "IAM JSON policy elements: Condition operators", "Set operators for multivalued context
keys", "Policy elements: logic".
"""

from __future__ import annotations

from dataclasses import dataclass

from sm_access.policy.conditions.null import evaluate_null
from sm_access.policy.conditions.operator import IncomparableError, Operator
from sm_access.policy.conditions.registry import BoundOperator, Quantifier, find_operator
from sm_access.policy.context import ABSENT, UNKNOWN, RequestContext
from sm_access.policy.filling import filled_in
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
    if bound.operator is None:
        return evaluate_null(condition.values, absent=found is ABSENT or not values)
    if bound.quantifier is not Quantifier.NONE and not any(values):
        values = ()  # an empty string counts as no value for the set operators
    if not values:
        return _on_absent(bound, bound.operator)
    outcomes = [_compare(condition, bound.operator, value, context, variables) for value in values]
    if bound.quantifier is Quantifier.ALL:
        return every(outcomes)
    if bound.quantifier is Quantifier.ANY:
        return some(outcomes)
    if all(outcome.value == outcomes[0].value for outcome in outcomes):
        return every(outcomes)
    return undecided(f"{condition.key}, which has several values where the condition expects one")


def _of_unknown(
    condition: Condition, bound: BoundOperator, context: RequestContext, variables: bool
) -> Truth:
    """The condition as tests of a key that may be absent or have any value."""
    key = condition.key.lower()

    def test(relation: Relation, *patterns: Pattern, operator: str = "") -> Truth:
        return possible(KeyTest(key, relation, operator, patterns, condition.key))

    absent = test(Relation.ABSENT)
    if bound.operator is None:
        if_absent, if_present = (evaluate_null(condition.values, absent=value) for value in (True, False))
        return either_way(absent, if_absent, if_present)
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
    found, wanted = (negation(on_absent) if operator.negated else on_absent), _on_absent(bound, operator)
    if found.value is wanted.value and not doubts:
        return present
    nothing = absent if quantifier is Quantifier.NONE else test(Relation.ALL)  # an empty value counts too
    return some((nothing, present)) if wanted.value else every((negation(nothing), present))


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
    """Such a value matches nothing; what a negated operator makes of it, AWS leaves at "might be invalid"."""
    words = (
        f"the policy variable ${{{name}}}, which this request does not carry" for name in expected.unresolved
    )
    return undecided(*words) if operator.negated else NO


def _on_absent(bound: BoundOperator, operator: Operator) -> Truth:
    if bound.if_exists or bound.quantifier is Quantifier.ALL:
        return YES
    if bound.quantifier is Quantifier.ANY:
        return NO
    return truth(operator.negated)


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
    if operator.negated and expected.holes:
        return undecided(*expected.holes)  # not known is perhaps not carried, and then the same doubt applies
    try:
        held = operator.holds(expected, actual)
    except IncomparableError as problem:
        return undecided(str(problem))
    if not (held and expected.holes):
        return truth(held)
    if operator.positive.endswith("IgnoreCase"):
        return undecided(*expected.holes)
    return filled_in(template, expected, actual, context, lambda found: operator.holds(found, actual))
