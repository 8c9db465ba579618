"""Every statement of every layer as one bit of an integer, so that what many of them have in common is one AND.

Two masks stand for three values: the statements of which something is certain, and those of which it is possible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import cast

from sm_access.policy.action import ActionElement
from sm_access.policy.context import RequestContext
from sm_access.policy.decision import Layer, StatementRef
from sm_access.policy.document import NamedPolicy
from sm_access.policy.pattern import Pattern, Symbol, Variable, parse_template
from sm_access.policy.pattern_index import ElementIndex
from sm_access.policy.policy_set import PolicySet, Unreadable
from sm_access.policy.request import ResolvedRequest
from sm_access.policy.resource import ResourceElement, match_resource
from sm_access.policy.statement import DENY, Statement, evaluate

LAYERS = (  # in the order in which the plain authorizer looks at them
    Layer.RESOURCE_CONTROL,
    Layer.SERVICE_CONTROL,
    Layer.VPC_ENDPOINT,
    Layer.RESOURCE,
    Layer.IDENTITY,
    Layer.PERMISSIONS_BOUNDARY,
    Layer.SESSION,
)
_NAMES_PRINCIPAL = (Layer.RESOURCE, Layer.RESOURCE_CONTROL, Layer.VPC_ENDPOINT)
_ANY_ACTION = ActionElement(("*",))
_ANY_RESOURCE = ResourceElement(("*",))
_NO_ARN = ""  # no pattern with a variable matches it: what is open of it is open of every resource
Reach = tuple[int, int, int]  # the statements that name the principal itself, its role, its account


@dataclass(frozen=True, slots=True)
class Side:
    """What has a say of its own: a layer, or one level of control policies. Its Allows and Denies as bits."""

    layer: Layer
    allows: int
    denies: int


class StatementBits:
    """All statements of a set, in order. What covers an action does not change with the context."""

    __slots__ = ("actions", "keys", "references", "sides", "statements")

    def __init__(self, policies: PolicySet) -> None:
        self.statements: list[tuple[Statement, bool]] = []  # and whether it is to name a principal
        self.references: list[StatementRef] = []
        self.sides = tuple(self._side(layer, found) for layer, found in _sides(policies))
        listed = [statement for statement, _ in self.statements]
        self.actions = _action_index(listed)
        self.keys = _context_keys(listed)

    def _side(self, layer: Layer, policies: Iterable[NamedPolicy]) -> Side:
        allows = denies = 0
        for policy in policies:
            for statement in policy.document.statements:
                bit = 1 << len(self.statements)
                if statement.effect == DENY:
                    denies |= bit
                else:
                    allows |= bit
                self.statements.append((statement, layer in _NAMES_PRINCIPAL))
                self.references.append(_reference(policy, statement))
        return Side(layer, allows, denies)

    def unread(self, layer: Layer) -> int:
        """A bit beyond the statements: whatever a layer says that could not be read."""
        return 1 << (len(self.statements) + LAYERS.index(layer))


def _sides(policies: PolicySet) -> Iterator[tuple[Layer, Iterable[NamedPolicy]]]:
    """All that could be read, in order."""
    for layer in LAYERS:
        found = getattr(policies, layer.value)
        if found is None or isinstance(found, Unreadable):
            continue
        if layer in (Layer.RESOURCE_CONTROL, Layer.SERVICE_CONTROL):
            yield from ((layer, attached) for _, attached in found)
        else:
            yield layer, found


def _reference(policy: NamedPolicy, statement: Statement) -> StatementRef:
    return StatementRef(
        policy.name, policy.kind, statement.sid, statement.index, statement.path, statement.effect
    )


def _action_index(statements: Iterable[Statement]) -> ElementIndex:
    """Of names in lower case, as actions are not case-sensitive."""
    named: dict[Pattern, int] = {}
    negated = doubtful = 0
    for at, statement in enumerate(statements):
        element, bit = statement.action, 1 << at
        if element.negated:
            negated |= bit
            doubtful |= 0 if element.patterns else bit
        for text in element.patterns:
            pattern = _without_variables(text.lower())
            named[pattern] = named.get(pattern, 0) | bit
    return ElementIndex(named, {}, negated, doubtful)


def _without_variables(text: str) -> Pattern:
    """The same as resolving the template, which would go through it once more."""
    return Pattern(cast("tuple[Symbol, ...]", parse_template(text, variables=False).parts))


def _context_keys(statements: Iterable[Statement]) -> tuple[str, ...]:
    """The context keys that the statements ask for, in conditions and in variables."""
    keys: dict[str, None] = {}
    for statement in statements:
        texts = list(statement.resource.patterns) if statement.resource is not None else []
        for condition in statement.conditions:
            keys[condition.key.lower()] = None
            texts.extend(condition.values)
        for text in texts:
            if "${" in text:
                parts = parse_template(text, variables=True).parts
                keys.update((part.name.lower(), None) for part in parts if isinstance(part, Variable))
    return tuple(keys)


class Binding:
    """The statements in one context: whom they reach - all conditions settled - and which resources they cover."""

    __slots__ = ("_last", "_resources", "lower", "upper")

    def __init__(self, statements: Iterable[tuple[Statement, bool]], request: ResolvedRequest) -> None:
        lower, upper = [0, 0, 0], [0, 0, 0]
        for at, (statement, names_principal) in enumerate(statements):
            # The plain evaluation tells of everything but action and resource.
            bare = replace(statement, action=_ANY_ACTION, resource=_ANY_RESOURCE)
            reach = evaluate(bare, request, names_principal=names_principal).reach
            for part, truth in enumerate((reach.direct, reach.role, reach.account)):
                lower[part] |= (truth.value is True) << at
                upper[part] |= (truth.value is not False) << at
        self.lower: Reach = (lower[0], lower[1], lower[2])
        self.upper: Reach = (upper[0], upper[1], upper[2])
        self._resources = _resource_index(statements, request.context)
        self._last = ("", (0, 0, 0))

    def match(self, resource: str) -> tuple[int, int, int]:
        """`ElementIndex.match`, with the last answer kept: services with other rules ask for it again."""
        text, found = self._last
        if text != resource:
            found = self._resources.match(resource)
            self._last = (resource, found)
        return found


def _resource_index(statements: Iterable[tuple[Statement, bool]], context: RequestContext) -> ElementIndex:
    named: dict[Pattern, int] = {}
    holed: dict[Pattern, int] = {}
    negated = doubtful = apart = 0
    for at, (statement, names_principal) in enumerate(statements):
        element, bit = statement.resource, 1 << at
        if element is None and names_principal:
            element = _ANY_RESOURCE  # the resource is the one that the policy is attached to
        if element is None or (element.negated and not element.patterns):
            doubtful |= bit
        if element is None:
            continue
        negated |= bit if element.negated else 0
        for text in element.patterns:
            if "${" not in text:  # most have none, and then nothing of it can be open
                pattern = _without_variables(text).within_segments()
                named[pattern] = named.get(pattern, 0) | bit
                continue
            pattern = parse_template(text, variables=element.variables).resolve(context)
            open_ = match_resource(replace(element, patterns=(text,)), _NO_ARN, context).value is None
            if open_ or (element.negated and pattern.holes):
                doubtful |= bit
                apart |= bit if element.negated and pattern.holes else 0
                continue
            if not pattern.unresolved:
                listed, pattern = holed if pattern.holes else named, pattern.within_segments()
                listed[pattern] = listed.get(pattern, 0) | bit
    return ElementIndex(named, holed, negated, doubtful, apart)
