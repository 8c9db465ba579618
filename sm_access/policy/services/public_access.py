"""Amazon S3 Block Public Access: whom a public bucket policy still lets in.

Source: Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage", with its section "The meaning
of 'public'": a policy is public unless each of its Allow statements names its principals or holds one of a few
context keys to fixed values. Where AWS's text leaves it open whether a statement counts as public, so does this.
"""

from __future__ import annotations

import ipaddress

from sm_access.policy.arn import Arn
from sm_access.policy.conditions.condition import Condition
from sm_access.policy.conditions.registry import Quantifier, find_operator
from sm_access.policy.formula import Doubt
from sm_access.policy.policy_set import Policies, PublicAccessBlock, Unreadable
from sm_access.policy.principal import PrincipalKind, Reach
from sm_access.policy.request import ResolvedRequest
from sm_access.policy.statement import ALLOW, Statement
from sm_access.policy.truth import NO, YES, Truth, every, negation, possible, some, truth, undecided

_LIMITING = frozenset(
    (
        "aws:principalorgid",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    )
)
_SOURCE_IP = "aws:sourceip"
_ACCESS_POINT = "s3:dataaccesspointarn"
_PERHAPS_LIMITING = "aws:principal"  # the rest of the family is not in AWS's list
_BROADEST = {4: 8, 6: 32}
_UNREAD = Doubt(
    ("the Block Public Access settings, which could not be read",),
    "public access block",
    if_not="the Block Public Access settings, which could not be read, do not restrict public policies",
)


def within_public_access(
    reach: Reach,
    settings: PublicAccessBlock | Unreadable | None,
    policies: Policies,
    request: ResolvedRequest,
) -> Reach:
    """What is left of a bucket policy's grants: with RestrictPublicBuckets, a public policy serves nobody but
    AWS services and the bucket owner's own account, not even the accounts that it names."""
    if settings is None or request.principal.kind is PrincipalKind.SERVICE:
        return reach
    restricts = (
        possible(_UNREAD) if isinstance(settings, Unreadable) else truth(settings.restrict_public_buckets)
    )
    own = request.same_account if request.principal.account is not None else NO
    blocked = every((restricts, negation(own), is_public(policies)))
    return Reach(*(every((part, negation(blocked))) for part in (reach.direct, reach.role, reach.account)))


def is_public(policies: Policies) -> Truth:
    """Whether AWS takes the bucket policy for public."""
    if isinstance(policies, Unreadable):
        return undecided("whether the bucket policy, which could not be read, is public")
    statements = [statement for policy in policies for statement in policy.document.statements]
    return some(_opens(statement) for statement in statements if statement.effect == ALLOW)


def _opens(statement: Statement) -> Truth:
    """Whether one Allow statement opens the bucket to the public."""
    principal = statement.principal
    if principal is None or principal.negated:
        return undecided("whether AWS takes a statement without a Principal element for public")
    if not any(value == "*" for _, value in principal.entries):
        return NO
    return negation(some(_limits(condition, statement.variables) for condition in statement.conditions))


def _limits(condition: Condition, variables: bool) -> Truth:
    """Whether the condition keeps the public out."""
    bound = find_operator(condition.operator)
    key = condition.key.lower()
    known = key in _LIMITING or key in (_SOURCE_IP, _ACCESS_POINT)
    if not known and not key.startswith(_PERHAPS_LIMITING):
        return NO
    if bound is None or bound.operator is None or bound.operator.negated:
        return NO
    sure = known and bound.quantifier is Quantifier.NONE and not bound.if_exists
    if not condition.values or not all(_is_fixed(key, value, variables) for value in condition.values):
        return NO
    return YES if sure else undecided(f"whether AWS takes the condition {condition.described} for a limit")


def _is_fixed(key: str, value: str, variables: bool) -> bool:
    if key == _SOURCE_IP:
        return _is_narrow(value)
    if key == _ACCESS_POINT:  # the access point's name may be a wildcard where its account is none
        arn = Arn.read(value)
        return arn is not None and arn.account.isdigit()
    return not any(mark in value for mark in ("*", "?")) and not (variables and "${" in value)


def _is_narrow(value: str) -> bool:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= _BROADEST[network.version]
