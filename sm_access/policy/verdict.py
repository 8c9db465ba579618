"""What one layer of policies says on its own: whether it denies, whether it allows, and as whom it names
the principal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sm_access.policy.decision import Decision, Layer, LayerResult, NearMiss, StatementRef
from sm_access.policy.document import NamedPolicy
from sm_access.policy.formula import Doubt, conjoin, opposite
from sm_access.policy.partial import dependencies, settled
from sm_access.policy.policy_set import Levels, Policies, Unreadable
from sm_access.policy.principal import Reach, combine
from sm_access.policy.request import ResolvedRequest
from sm_access.policy.statement import DENY, Evaluation, evaluate
from sm_access.policy.truth import NO, YES, Truth, every, possible, some

MOST_MISSES = 3
_NAMES_PRINCIPAL = (Layer.RESOURCE, Layer.RESOURCE_CONTROL, Layer.VPC_ENDPOINT)
_WORDS = {
    Layer.IDENTITY: "the identity policies",
    Layer.PERMISSIONS_BOUNDARY: "the permissions boundary",
    Layer.SESSION: "the session policy",
    Layer.SERVICE_CONTROL: "the service control policies",
    Layer.RESOURCE_CONTROL: "the resource control policies",
    Layer.VPC_ENDPOINT: "the VPC endpoint policy",
}


@dataclass(frozen=True, slots=True)
class LayerVerdict:
    """`grants` says as whom an Allow names the principal; `allows` whether at all.

    `denying` and `granting` are the first statements that certainly apply, `may_deny` and `may_grant` the first
    that may.
    """

    layer: Layer
    denies: Truth
    grants: Reach
    denying: StatementRef | None = None
    granting: StatementRef | None = None
    misses: tuple[NearMiss, ...] = ()
    may_deny: StatementRef | None = None
    may_grant: StatementRef | None = None

    @property
    def allows(self) -> Truth:
        return self.grants.at_all

    @property
    def result(self) -> LayerResult:
        """The same as the answer shows it."""
        decision, words = settle(self.allows, self.denies)
        if decision is Decision.EXPLICIT_DENY:
            return LayerResult(self.layer, decision, self.denying or self.may_deny)
        if decision is Decision.ALLOW:
            return LayerResult(self.layer, decision, self.granting or self.may_grant)
        return LayerResult(self.layer, decision, None, self.misses, words)


def settle(granted: Truth, denies: Truth) -> tuple[Decision, tuple[str, ...]]:
    """What follows from "is granted" and "is denied", with the words for what is open where it is UNDETERMINED.

    Where nothing grants, a Deny that may apply is not looked into: the answer is no either way.
    """
    if denies.value:
        return Decision.EXPLICIT_DENY, ()
    if granted.value is False:
        return Decision.IMPLICIT_DENY, ()
    if granted.value and denies.value is False:
        return Decision.ALLOW, ()
    allowed = conjoin((granted.expression, opposite(denies.expression)))
    outcome = settled(allowed)
    if outcome is None:
        return Decision.UNDETERMINED, dependencies(allowed)
    if outcome:
        return Decision.ALLOW, ()
    return Decision.EXPLICIT_DENY if settled(denies.expression) else Decision.IMPLICIT_DENY, ()


def unread(layer: Layer, what: str = "could not be read", name: str = "") -> LayerVerdict:
    """The verdict of a layer that applies and is not known: it may deny and it may allow. `name`: what to call
    the layer instead of its own name."""
    called = name or _WORDS[layer]
    s = "" if called.endswith("policies") else "s"
    words = (f"{called}, which {what}",)
    allow = Doubt(words, (layer, "allows"), if_so=f"{words[0]}, allow{s} it")
    deny = Doubt(words, (layer, "denies"), unless=f"{words[0]}, den{'ies' if s else 'y'} it")
    allows = possible(allow)
    return LayerVerdict(layer, possible(deny), Reach(direct=allows, role=allows, account=allows))


def evaluate_layer(layer: Layer, policies: Policies, request: ResolvedRequest) -> LayerVerdict:
    """All statements of one layer."""
    if isinstance(policies, Unreadable):
        return unread(layer, name=request.resource_policy if layer is Layer.RESOURCE else "")
    pairs = [
        (policy, evaluate(statement, request, names_principal=layer in _NAMES_PRINCIPAL))
        for policy in policies
        for statement in policy.document.statements
    ]
    denials = [(policy, found) for policy, found in pairs if found.statement.effect == DENY]
    allows = [(policy, found) for policy, found in pairs if found.statement.effect != DENY]
    return LayerVerdict(
        layer,
        some(found.applies for _, found in denials),
        combine([found.reach for _, found in allows]),
        _first(denials),
        _first(allows),
        _nearest(allows),
        _possible(denials),
        _possible(allows),
    )


def evaluate_levels(layer: Layer, levels: Levels, request: ResolvedRequest) -> LayerVerdict:
    """Control policies: every level from the root to the account must allow (AWS Organizations User Guide,
    "SCP evaluation" and "RCP evaluation")."""
    if isinstance(levels, Unreadable):
        return unread(layer)
    verdicts = [evaluate_layer(layer, attached, request) for _, attached in levels]
    blocking = next((verdict for verdict in verdicts if verdict.allows.value is False), None)
    return LayerVerdict(
        layer,
        some(verdict.denies for verdict in verdicts),
        Reach(direct=every(verdict.allows for verdict in verdicts) if verdicts else NO),
        next((verdict.denying for verdict in verdicts if verdict.denying), None),
        verdicts[-1].granting if verdicts else None,
        blocking.misses if blocking else (),
        next((verdict.may_deny for verdict in verdicts if verdict.may_deny), None),
        verdicts[-1].may_grant if verdicts else None,
    )


def _reference(policy: NamedPolicy, found: Evaluation) -> StatementRef:
    statement = found.statement
    return StatementRef(
        policy.name, policy.kind, statement.sid, statement.index, statement.path, statement.effect
    )


def _first(pairs: Iterable[tuple[NamedPolicy, Evaluation]]) -> StatementRef | None:
    """The first statement that certainly applies; one that names the principal itself goes before its
    account."""
    certain = [(policy, found) for policy, found in pairs if found.applies == YES]
    certain.sort(key=lambda pair: (pair[1].reach.direct != YES, pair[1].reach.role != YES))
    return _reference(*certain[0]) if certain else None


def _possible(pairs: Iterable[tuple[NamedPolicy, Evaluation]]) -> StatementRef | None:
    """The first statement that may apply."""
    return next(
        (_reference(policy, found) for policy, found in pairs if found.applies.value is not False), None
    )


def _nearest(allows: Iterable[tuple[NamedPolicy, Evaluation]]) -> tuple[NearMiss, ...]:
    failed = [(policy, found, found.failure) for policy, found in allows if found.failure is not None]
    failed.sort(key=lambda item: (-item[2].rank, -item[2].closeness))
    return tuple(
        NearMiss(_reference(policy, found), failure.element, failure.expected, failure.actual)
        for policy, found, failure in failed[:MOST_MISSES]
    )
