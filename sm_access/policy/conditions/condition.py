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
from sm_access.policy.pattern import parse_template
from sm_access.policy.truth import NO, YES, Truth, every, negation, some, truth, undecided


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
        return undecided(condition.key)
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
        # Such a value matches nothing; what a negated operator makes of it, AWS leaves at "might be invalid".
        words = (
            f"the policy variable ${{{name}}}, which this request does not carry"
            for name in expected.unresolved
        )
        return undecided(*words) if operator.negated else NO
    if operator.negated and expected.holes:
        return undecided(*expected.holes)  # not known is perhaps not carried, and then the same doubt applies
    try:
        held = operator.holds(expected, actual)
    except IncomparableError as problem:
        return undecided(str(problem))
    return undecided(*expected.holes) if held and expected.holes else truth(held)
