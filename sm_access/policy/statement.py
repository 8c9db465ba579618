"""One statement: its elements, and what evaluating it against a request gives.

A statement applies when its principal (where the layer has one), action, resource and all of its
conditions match. Source: IAM User Guide, "IAM JSON policy elements: Statement" and "Policy evaluation logic".
"""

from __future__ import annotations

from dataclasses import dataclass

from sm_access.policy.action import ActionElement, match_action
from sm_access.policy.conditions.condition import Condition, evaluate_condition
from sm_access.policy.principal import PrincipalElement, Reach, match_principal
from sm_access.policy.request import ResolvedRequest
from sm_access.policy.resource import ResourceElement, match_resource
from sm_access.policy.truth import YES, Truth, every, undecided

ALLOW = "Allow"
DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Statement:
    """`path` is the JSON path in the document; `unrecognised` names elements that the engine does not
    know."""

    index: int
    path: str
    effect: str
    action: ActionElement
    resource: ResourceElement | None = None
    principal: PrincipalElement | None = None
    conditions: tuple[Condition, ...] = ()
    sid: str | None = None
    variables: bool = True
    unrecognised: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """The first element that does not match. `rank`: how many matched before it; `closeness`: how near
    this one came."""

    element: str
    expected: str
    actual: str
    rank: int
    closeness: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`reach` tells, for a resource policy, as whom the principal is named; elsewhere all of it is
    `direct`."""

    statement: Statement
    reach: Reach
    failure: Failure | None

    @property
    def applies(self) -> Truth:
        return self.reach.at_all


def evaluate(statement: Statement, request: ResolvedRequest, *, names_principal: bool) -> Evaluation:
    """Evaluate one statement. `names_principal`: the layer's policies carry a Principal element.

    # INVARIANT: an element that is not understood is OPEN, for Allow and for Deny alike - so an Allow
    # through it never becomes ALLOW, and a Deny through it does not vanish.
    """
    reach = _principal(statement, request, names_principal)
    action = match_action(statement.action, request.action)
    if (
        reach.at_all.value is False or action.value is False
    ):  # most statements end here, so nothing else is looked at
        return Evaluation(statement, Reach(), _failure(statement, request, reach.at_all, action))
    resource = _resource(statement, request, names_principal)
    conditions = tuple(
        evaluate_condition(c, request.context, statement.variables) for c in statement.conditions
    )
    odd = tuple(
        undecided(f"the element {name!r}, which is not understood") for name in statement.unrecognised
    )
    rest = every((action, resource, *conditions, *odd))
    if rest.value is False:
        return Evaluation(statement, Reach(), _failure(statement, request, YES, YES, resource, conditions))
    combined = Reach(*(every((part, rest)) for part in (reach.direct, reach.role, reach.account)))
    return Evaluation(statement, combined, None)


def _principal(statement: Statement, request: ResolvedRequest, names_principal: bool) -> Reach:
    if names_principal and statement.principal is None:
        return Reach(direct=undecided("a statement of a resource policy without Principal"))
    if not names_principal and statement.principal is not None:
        return Reach(direct=undecided("a Principal element where none belongs"))
    if statement.principal is None:
        return Reach(direct=YES)
    denies = statement.effect == DENY
    return match_principal(statement.principal, request.principal, denies=denies, bounded=request.bounded)


def _resource(statement: Statement, request: ResolvedRequest, names_principal: bool) -> Truth:
    if statement.resource is not None:
        return match_resource(statement.resource, request.resource, request.context)
    if names_principal:
        return YES  # the resource is the one that the policy is attached to, as in a role's trust policy
    return undecided("a statement without Resource")


def _failure(
    statement: Statement,
    request: ResolvedRequest,
    principal: Truth,
    action: Truth,
    resource: Truth = YES,
    conditions: tuple[Truth, ...] = (),
) -> Failure:
    """The first element that does not match, in the order principal, action, resource, condition."""
    if principal.value is False and statement.principal is not None:
        expected = statement.principal.described
        return Failure("Principal", expected, request.principal.text, 0, 0)
    if action.value is False:
        service = request.action.partition(":")[0].lower()
        same_service = any(p.lower().startswith(service + ":") for p in statement.action.patterns)
        shared = _nearest(statement.action.patterns, request.action)
        expected = _listed(statement.action.patterns, statement.action.negated)
        return Failure("Action", expected, request.action, 1, shared + 1000 * same_service)
    if resource.value is False and statement.resource is not None:
        expected = _listed(statement.resource.patterns, statement.resource.negated)
        return Failure(
            "Resource", expected, request.resource, 2, _nearest(statement.resource.patterns, request.resource)
        )
    failed = next(i for i, outcome in enumerate(conditions) if outcome.value is False)
    condition = statement.conditions[failed]
    values = request.context.lookup(condition.key)
    actual = ", ".join(values) if isinstance(values, tuple) else "not in the request"
    held = sum(1 for outcome in conditions if outcome.value is True)
    return Failure("Condition", condition.described, actual, 3, held)


def _listed(patterns: tuple[str, ...], negated: bool) -> str:
    shown = ", ".join(patterns[:3]) + (f" and {len(patterns) - 3} more" if len(patterns) > 3 else "")
    return f"anything but {shown}" if negated else shown


def _nearest(patterns: tuple[str, ...], text: str) -> int:
    return max((_shared_beginning(pattern.lower(), text.lower()) for pattern in patterns), default=0)


def _shared_beginning(left: str, right: str) -> int:
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count
