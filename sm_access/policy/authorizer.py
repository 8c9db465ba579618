"""PolicySet x Request -> Response: which layers apply, how they combine, and which of them decided.

An explicit deny anywhere wins. Then every guard (resource control, service control, VPC endpoint) must
allow, and the principal must be granted the action by the identity side, the resource side, or both:

- in one account either is enough; a resource policy that names the session, the user or everyone is not
limited by an implicit deny in boundary and session policy, one that names the role is;
- where the service wants the resource policy's consent, an identity policy counts only if that policy
names the account;
- across accounts both must allow;
- services, identity providers and anonymous callers have nothing but the resource policy.

Block Public Access takes away what a public bucket policy grants to outsiders. Some actions work in the owner's account
alone, whatever is allowed (`services/`).

Source: IAM User Guide, "Policy evaluation logic", "Cross-account policy evaluation logic", "Permissions
boundaries for IAM entities"; AWS Organizations User Guide, "SCP evaluation".
"""

from __future__ import annotations

from dataclasses import replace

from sm_access.policy.context import RequestContext
from sm_access.policy.decision import Decision, Layer, Response, StatementRef
from sm_access.policy.policy_set import Levels, Policies, PolicySet
from sm_access.policy.principal import Principal, PrincipalKind, Reach
from sm_access.policy.request import Request, ResolvedRequest, resolve
from sm_access.policy.services.beside import beside_policies
from sm_access.policy.services.public_access import within_public_access
from sm_access.policy.services.resource_control import CONTROLLED, resource_controlled
from sm_access.policy.truth import NO, YES, Truth, either_way, every, some
from sm_access.policy.verdict import LayerVerdict, evaluate_layer, evaluate_levels, settle, unread

_SERVICE_LINKED = ":role/aws-service-role/"
_GUARDS = (Layer.RESOURCE_CONTROL, Layer.SERVICE_CONTROL, Layer.VPC_ENDPOINT)


def authorize(policies: PolicySet, request: Request) -> Response:
    """Decide one request. Pure: same arguments, same answer.

    # INVARIANT: ALLOW only where no completion of what is unknown, unreadable or not understood would refuse.
    """
    resolved = resolve(request, bounded=policies.permissions_boundary is not None)
    verdicts = _verdicts(policies, resolved)
    results = tuple(verdict.result for verdict in verdicts.values())
    denies = some(verdict.denies for verdict in verdicts.values())
    guards = every(verdicts[layer].allows for layer in _GUARDS if layer in verdicts)
    granted = every((guards, _principal_granted(verdicts, resolved), resolved.beyond))
    decision, words = settle(granted, denies)
    deciding = None
    if decision is Decision.EXPLICIT_DENY:
        deciding = _denying(verdicts)
    elif decision is Decision.ALLOW:
        deciding = _granting(verdicts)
    beside = () if guards.value is False else beside_policies(decision, policies, resolved)
    not_modelled = (*beside, *_not_controlled(policies, resolved, decision))
    refusal = resolved.refusal if decision is Decision.IMPLICIT_DENY else ""
    return Response(decision, results, deciding, words, not_modelled, refusal)


def _verdicts(policies: PolicySet, request: ResolvedRequest) -> dict[Layer, LayerVerdict]:
    """The layers that apply, in the order in which AWS describes them."""
    verdicts: dict[Layer, LayerVerdict] = {}

    def levels(layer: Layer, found: Levels | None) -> None:
        if found is not None:
            verdicts[layer] = evaluate_levels(layer, found, request)

    def layer(layer: Layer, found: Policies | None) -> None:
        if found is not None:
            verdicts[layer] = evaluate_layer(layer, found, request)

    if _resource_controlled(request):
        levels(Layer.RESOURCE_CONTROL, policies.resource_control)
    if _in_organization(request.principal, request.context):
        levels(Layer.SERVICE_CONTROL, policies.service_control)
    layer(Layer.VPC_ENDPOINT, policies.vpc_endpoint)
    if policies.resource is None and request.consent_required:
        verdicts[Layer.RESOURCE] = unread(
            Layer.RESOURCE, "always exists here and was not given", request.resource_policy
        )
    elif policies.resource is None and (
        request.same_account.value is not True or not request.principal.account
    ):
        layer(Layer.RESOURCE, ())  # it has a say there, and nothing is attached
    else:
        layer(Layer.RESOURCE, policies.resource)
    if Layer.RESOURCE in verdicts and policies.resource and _is_s3(request):
        verdict = verdicts[Layer.RESOURCE]
        left = within_public_access(verdict.grants, policies.public_access_block, policies.resource, request)
        verdicts[Layer.RESOURCE] = replace(verdict, grants=left)
    if Layer.RESOURCE in verdicts and request.unlocked:
        verdicts[Layer.RESOURCE] = replace(verdicts[Layer.RESOURCE], denies=NO, denying=None, may_deny=None)
    if request.principal.is_identity:
        layer(Layer.IDENTITY, policies.identity)
        layer(Layer.PERMISSIONS_BOUNDARY, policies.permissions_boundary)
        layer(Layer.SESSION, _session(policies, request.principal))
    return verdicts


def _session(policies: PolicySet, principal: Principal) -> Policies | None:
    """A federated user whose session was given no policy has no permissions of the user who made it (IAM User Guide,
    "How AWS enforcement code logic evaluates requests to allow or deny access", "Session policies")."""
    if policies.session is None and principal.kind is PrincipalKind.FEDERATED_USER:
        return ()
    return policies.session


def _in_organization(principal: Principal, context: RequestContext) -> bool:
    """Service control policies bind the accounts' own principals, except service-linked roles."""
    return principal.account is not None and not _service_linked(principal, context)


def _resource_controlled(request: ResolvedRequest) -> bool:
    """Resource control policies know some actions only, and spare service-linked roles."""
    return resource_controlled(request.action.lower()) and not _service_linked(
        request.principal, request.context
    )


def _not_controlled(policies: PolicySet, request: ResolvedRequest, decision: Decision) -> tuple[str, ...]:
    """Where a resource control policy would refuse if AWS had come to apply it to the service."""
    service = request.action.lower().partition(":")[0]
    if (
        decision not in (Decision.ALLOW, Decision.UNDETERMINED)
        or policies.resource_control is None
        or service in CONTROLLED
    ):
        return ()
    found = evaluate_levels(Layer.RESOURCE_CONTROL, policies.resource_control, request)
    if found.result.outcome is Decision.ALLOW:
        return ()
    return (f"resource control policies, which are taken not to apply to {service}",)


def _service_linked(principal: Principal, context: RequestContext) -> bool:
    arns = context.lookup("aws:PrincipalArn")
    known = arns if isinstance(arns, tuple) else ()
    return any(_SERVICE_LINKED in text for text in (principal.text, *known))


def _is_s3(request: ResolvedRequest) -> bool:
    return request.action.lower().startswith("s3:")


def _principal_granted(verdicts: dict[Layer, LayerVerdict], request: ResolvedRequest) -> Truth:
    """The formula of this module's docstring."""
    resource = verdicts[Layer.RESOURCE].grants if Layer.RESOURCE in verdicts else Reach()
    if request.principal.account is None:
        return resource.direct
    root = request.principal.kind is PrincipalKind.ROOT
    limits = every(
        verdicts[layer].allows for layer in (Layer.PERMISSIONS_BOUNDARY, Layer.SESSION) if layer in verdicts
    )
    identity = YES if root else every((verdicts[Layer.IDENTITY].allows, limits))
    consent = resource.account if request.consent_required else YES
    if root and request.consent_required:
        consent = NO  # root is the account: only a direct grant counts, never a delegation to itself
    within = some((resource.direct, every((resource.role, limits)), every((consent, identity))))
    across = every((identity, resource.at_all))
    return either_way(request.same_account, within, across)


def _denying(verdicts: dict[Layer, LayerVerdict]) -> StatementRef | None:
    """The first Deny that certainly applies; where several together leave no way out, the first of them."""
    certain = (verdict.denying for verdict in verdicts.values() if verdict.denies.value)
    may = (verdict.may_deny for verdict in verdicts.values())
    return next((found for found in (*certain, *may) if found is not None), None)


def _granting(verdicts: dict[Layer, LayerVerdict]) -> StatementRef | None:
    """The Allow to show: the identity policy's where it grants, else the resource policy's; None for root
    alone."""
    sides = [verdicts[layer] for layer in (Layer.IDENTITY, Layer.RESOURCE) if layer in verdicts]
    found = (*(side.granting for side in sides), *(side.may_grant for side in sides))
    return next((reference for reference in found if reference is not None), None)
