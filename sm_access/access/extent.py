"""How far a principal's own policies reach, for every action of AWS: everywhere, somewhere or nowhere.

A question about all of AWS, so it is about no one resource: what a resource's own policy adds or takes away is not in
it, except that a resource whose policy has to consent - a KMS key, a role to be assumed - is never taken for open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from sm_access import catalog
from sm_access.access.distinctions import keys_asked, shapes_of
from sm_access.access.evidence import PrincipalEvidence, facts, is_absent, own_policies
from sm_access.access.instant import format_instant
from sm_access.access.terms import partition_of
from sm_access.access.verdict import DERIVED
from sm_access.catalog.archive import mentions
from sm_access.errors import CannotTell
from sm_access.policy import (
    UNREADABLE,
    Arn,
    Decision,
    NamedPolicy,
    PolicyDocument,
    PolicySet,
    Request,
    authorize,
)
from sm_access.policy.action import ActionElement
from sm_access.policy.partition import Run, Shape, overlaps, partition
from sm_access.policy.policy_set import Unreadable
from sm_access.policy.services import service_rules
from sm_access.policy.statement import ALLOW, DENY, Statement

_ANY = "*"
_EVERYTHING = Shape("*", (Run(),))
_MAYBE = (Decision.ALLOW, Decision.UNDETERMINED)

MOST_PAIRS = 500
"""How many kinds of resource are held against a pattern of what is granted; what is left then cannot be told."""


class Extent(str, Enum):
    """EVERYWHERE: on every resource and without a condition. In each layer that has to allow it, an Allow for `*`
    without a condition names the action; no Deny in any layer is for it and a resource on which it works; and no
    resource has to consent.

    SOMEWHERE: on some resources or under conditions; or it cannot be told. NOWHERE: whatever could be asked is denied.
    """

    EVERYWHERE = "everywhere"
    SOMEWHERE = "somewhere"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the principal's own policies say of an action. by: the Allow statements that name it, each with its policy's
    name.
    """

    extent: Extent
    by: tuple[tuple[str, Statement], ...]


@dataclass(frozen=True, slots=True)
class _Slot:
    """A statement in its place. layer: what has to allow as one - a layer, or one level of the organization."""

    layer: int
    policy: NamedPolicy
    statement: Statement


def allowances(
    principal: PrincipalEvidence, now: datetime, service: str | None = None
) -> dict[str, Allowance]:
    """Every action that is allowed anywhere at all, those of S3 aside, sorted by service; or those of one service.

    Raises CannotTell where the principal's policies could not be read.
    """
    if isinstance(principal.identity, Unreadable):
        raise CannotTell(
            "What the role may do beyond S3 cannot be told: its own policies could not be read.",
            remedy="They need iam:ListAttachedRolePolicies, iam:ListRolePolicies, iam:GetRolePolicy, iam:GetPolicy "
            "and iam:GetPolicyVersion.",
        )
    book = _Book(principal, now, service)
    return {
        action: found
        for action in sorted(book.named)
        if (found := book.look_up(action)).extent is not Extent.NOWHERE
    }


class _Book:
    """The principal's statements, by the actions that they cover. Actions that the same statements cover are looked at
    together: bit n of a mask is slot n.
    """

    def __init__(self, principal: PrincipalEvidence, now: datetime, service: str | None) -> None:
        self._principal = principal
        self._now = now
        self._layers = own_policies(principal)
        self._slots = tuple(_slots(self._layers))
        masks: dict[str, int] = {}
        for at, slot in enumerate(self._slots):
            covered = _covered(slot.statement)
            touched = _Touched(slot.statement)
            for action in covered if service is None else covered.intersection(catalog.actions(service)):
                if touched.nothing_of(action):
                    continue  # a Deny for resources of other services
                masks[action] = masks.get(action, 0) | 1 << at
        granting = sum(
            1 << at
            for at, slot in enumerate(self._slots)
            if slot.layer == 0 and slot.statement.effect == ALLOW
        )
        #: The actions that an Allow of the principal's own names.
        self.named = {
            action: mask for action, mask in masks.items() if mask & granting and not action.startswith("s3:")
        }
        self._groups: dict[int, _Group] = {}
        self._found: dict[object, Extent] = {}
        self._parts_found: dict[object, tuple[str, ...]] = {}

    def look_up(self, action: str) -> Allowance:
        mask = self.named[action]
        if mask not in self._groups:
            slots = [slot for at, slot in enumerate(self._slots) if mask >> at & 1]
            self._groups[mask] = _Group(self._layers, slots)
        group = self._groups[mask]
        return Allowance(self._extent(action, mask, group), group.by)

    def _extent(self, action: str, mask: int, group: _Group) -> Extent:
        plain = group.only_any and not _may_need_consent(action)
        unknown = self._unknown(action, group)
        kinds = () if plain else tuple(kind.arn for kind in catalog.resource_types(action))
        alike = (mask, unknown, kinds, not plain and _may_need_consent(action))
        if alike not in self._found:
            self._found[alike] = self._decided(action, group, unknown, plain=plain)
        return self._found[alike]

    def _decided(self, action: str, group: _Group, unknown: tuple[str, ...], *, plain: bool) -> Extent:
        # INVARIANT: everywhere is the engine's word as well.
        if (
            group.open
            and not self._may_be_denied(action, group)
            and not _may_need_consent(action)
            and self._decide(action, _ANY, group, unknown) is Decision.ALLOW
        ):
            return Extent.EVERYWHERE
        try:
            examples = iter((_ANY,)) if plain else self._examples(action, group)
            found = any(self._decide(action, example, group, unknown) in _MAYBE for example in examples)
        except CannotTell:
            return Extent.SOMEWHERE
        return Extent.SOMEWHERE if found else Extent.NOWHERE

    def _may_be_denied(self, action: str, group: _Group) -> bool:
        """Whether a Deny is for resources on which the action works, under whatever condition."""
        if group.denying and not group.denied_for_any:
            shapes = catalog.resource_shapes(action, partition=partition_of(self._principal.arn))
            return any(overlaps(shape, denied) for shape in shapes for denied in group.denying)
        return bool(group.denying)

    def _examples(self, action: str, group: _Group) -> Iterator[str]:
        """Resources of the action on which an Allow may hold, one for each part that what restricts it tells apart.
        Raises CannotTell where there are too many.
        """
        if not any(kind.required for kind in catalog.resource_types(action)):
            yield _ANY
        for shape in catalog.resource_shapes(action, partition=partition_of(self._principal.arn)):
            for granted in group.granting:
                yield from self._parts(shape, granted, group.restricting)

    def _parts(self, shape: Shape, granted: Shape, restricting: tuple[Shape, ...]) -> tuple[str, ...]:
        key = (shape.text, granted.text, restricting)
        if key not in self._parts_found:
            if len(self._parts_found) >= MOST_PAIRS:
                raise CannotTell("The policies tell apart more resources than can be gone through.")
            found: tuple[str, ...] = ()
            if overlaps(shape, granted):
                near = tuple(each for each in restricting if overlaps(granted, each))
                found = tuple(
                    cell.example for cell in partition(shape, (granted, *near)) if 0 in cell.matched
                )
            self._parts_found[key] = found
        return self._parts_found[key]

    def _unknown(self, action: str, group: _Group) -> tuple[str, ...]:
        """Context keys that the statements ask for and only a call tells; keys of services that do not come with the
        action are absent, as in a verdict on S3.
        """
        given = DERIVED | {key.lower() for key in facts(self._principal, self._principal.account)}
        unknown = {
            key
            for key in group.keys
            if key not in given
            and not is_absent(key, self._principal, self._principal.account)
            and (key.startswith("aws:") or catalog.accepts_condition_key(action, key))
        }
        return tuple(sorted(unknown | self._principal.unknown))

    def _decide(self, action: str, resource: str, group: _Group, unknown: tuple[str, ...]) -> Decision:
        principal, policies = self._principal, group.policies
        arn = Arn.read(resource)
        owner = arn.account if arn is not None and arn.account else principal.account
        if owner != principal.account:
            policies = replace(policies, resource=UNREADABLE)
        context: dict[str, str | tuple[str, ...]] = {
            "aws:CurrentTime": format_instant(self._now),
            "aws:SecureTransport": "true",
            **facts(principal, owner),
        }
        if principal.iam_arn is None:
            unknown = (*unknown, "aws:PrincipalArn")
        else:
            context["aws:PrincipalArn"] = principal.iam_arn
        request = Request(principal.arn, action, resource, context=context, unknown=unknown)
        return authorize(policies, request).decision


class _Group:
    """The statements that cover an action, and what follows from them alone.

    open: each layer has an Allow for everything. denying: what a Deny is for, if there is one. only_any: no statement
    tells resources apart.
    """

    def __init__(self, layers: PolicySet, slots: list[_Slot]) -> None:
        self.policies = _only(layers, slots)
        self.keys = keys_asked(self.policies)
        self.only_any = all(_is_for_any(slot.statement) for slot in slots)
        unconditional = {
            slot.layer
            for slot in slots
            if slot.statement.effect == ALLOW
            and _is_for_any(slot.statement)
            and not slot.statement.conditions
            and not slot.statement.unrecognised
        }
        self.open = unconditional == set(range(_count(layers)))
        self.denying = _distinct(slot.statement for slot in slots if slot.statement.effect == DENY)
        self.denied_for_any = _EVERYTHING in self.denying
        grants = [slot.statement for slot in slots if slot.layer == 0 and slot.statement.effect == ALLOW]
        #: What is granted, as patterns; of a NotResource, which says what is not, anything.
        self.granting = _distinct(grants)
        self.restricting = _distinct(
            slot.statement for slot in slots if slot.layer != 0 or slot.statement.effect == DENY
        )
        self.by = tuple(
            (slot.policy.name, slot.statement)
            for slot in slots
            if slot.layer == 0 and slot.statement.effect == ALLOW
        )


class _Touched:
    """The services on whose resources a Deny statement can tell: those that its ARNs name, else all."""

    def __init__(self, statement: Statement) -> None:
        element = statement.resource
        self._services: tuple[str, ...] | None = None
        if statement.effect == DENY and element is not None and not element.negated:
            named = {_service_of(pattern) for pattern in element.patterns}
            self._services = None if None in named else tuple(name for name in named if name)
        self._found: dict[str, bool] = {}

    def nothing_of(self, action: str) -> bool:
        """Whether the statement is about no resource on which the action's service works."""
        if self._services is None:
            return False
        service = action.partition(":")[0]
        if service not in self._found:
            self._found[service] = not any(mentions(service, f":{name}:") for name in self._services)
        return self._found[service]


def _service_of(pattern: str) -> str | None:
    """The service of an ARN that names one plainly."""
    parts = pattern.split(":")
    plain = len(parts) > 5 and parts[0] == "arn" and parts[2].replace("-", "").isalnum()
    return parts[2] if plain else None


def _distinct(statements: Iterable[Statement]) -> tuple[Shape, ...]:
    found: dict[object, Shape] = {}
    for statement in statements:
        if statement.resource is None or statement.resource.negated:
            found[_EVERYTHING.pieces] = _EVERYTHING
        found |= {shape.pieces: shape for shape in shapes_of(statement)}
    return tuple(sorted(found.values(), key=lambda shape: len(shape.pieces)))


def _in_order(layers: PolicySet) -> Iterator[tuple[NamedPolicy, ...] | Unreadable]:
    """What has to allow, each by itself: identity policies, boundary, and every level of control policies."""
    yield layers.identity
    if layers.permissions_boundary is not None:
        yield layers.permissions_boundary
    for _, attached in _levels(layers):
        yield attached


def _levels(layers: PolicySet) -> tuple[tuple[str, tuple[NamedPolicy, ...]], ...]:
    levels = layers.service_control
    return () if levels is None or isinstance(levels, Unreadable) else levels


def _count(layers: PolicySet) -> int:
    return sum(1 for _ in _in_order(layers))


def _slots(layers: PolicySet) -> Iterator[_Slot]:
    for at, policies in enumerate(_in_order(layers)):
        if not isinstance(policies, Unreadable):
            for policy in policies:
                for statement in policy.document.statements:
                    yield _Slot(at, policy, statement)


def _only(layers: PolicySet, slots: list[_Slot]) -> PolicySet:
    """The same layers with these statements alone: to the engine the others say nothing of the action."""

    def kept(at: int, policies: tuple[NamedPolicy, ...] | Unreadable) -> tuple[NamedPolicy, ...] | Unreadable:
        if isinstance(policies, Unreadable):
            return policies
        found = []
        for policy in policies:
            statements = tuple(
                _covering(slot.statement) for slot in slots if slot.layer == at and slot.policy is policy
            )
            if statements:
                document = PolicyDocument(policy.document.version, statements)
                found.append(NamedPolicy(policy.name, document, policy.kind))
        return tuple(found)

    parts = [kept(at, policies) for at, policies in enumerate(_in_order(layers))]
    boundary = None if layers.permissions_boundary is None else parts[1]
    rest = parts[1 if boundary is None else 2 :]
    levels = tuple(
        (name, () if isinstance(part, Unreadable) else part)
        for (name, _), part in zip(_levels(layers), rest, strict=True)
    )
    return replace(
        layers,
        identity=parts[0],
        permissions_boundary=boundary,
        service_control=levels or layers.service_control,
    )


def _covering(statement: Statement) -> Statement:
    """The statement as it is for actions that it is known to cover: hundreds of names need not be matched again."""
    if statement.action.negated and not statement.action.patterns:
        return statement  # which the engine leaves open
    return replace(statement, action=ActionElement((_ANY,)))


def _covered(statement: Statement) -> frozenset[str] | set[str]:
    named: set[str] = set()
    for pattern in statement.action.patterns:
        named.update(catalog.matching(pattern))
    return set(catalog.matching(_ANY)) - named if statement.action.negated else named


def _is_for_any(statement: Statement) -> bool:
    """Whether the statement is about all there is, written as `*`."""
    element = statement.resource
    return element is None or (not element.negated and _ANY in element.patterns)


def _may_need_consent(action: str) -> bool:
    """Whether the action works on resources whose own policy has to agree. Asked with the resources' templates."""
    rules = service_rules(action)
    return any(rules.consent_required(pattern) for pattern in _patterns(action))


def _patterns(action: str) -> tuple[str, ...]:
    return catalog.resource_patterns(action) if action.startswith(("kms:", "sts:")) else ()
