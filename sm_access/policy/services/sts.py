"""AWS STS: assuming a role needs the consent of the role's trust policy, which is its resource policy.

Source: IAM User Guide, "Methods to assume a role" and "Policy evaluation logic". Whose credentials may be used: AWS STS
API Reference, "AssumeRole" (not those of the account's root), "GetSessionToken" and "GetFederationToken" (long-term
ones alone).
"""

from __future__ import annotations

from sm_access.policy.arn import Arn
from sm_access.policy.services.rules import ServiceRules, Trait, Traits


def _consent_required(resource: str) -> bool:
    arn = Arn.read(resource)
    return arn is not None and arn.service == "iam" and arn.resource.startswith("role/")


_TRAITS = {
    "sts:assumerole": frozenset((Trait.NOT_BY_ROOT,)),
    "sts:getfederationtoken": frozenset((Trait.LONG_TERM,)),
    "sts:getsessiontoken": frozenset((Trait.LONG_TERM,)),
}


def _traits(action: str) -> Traits:
    return _TRAITS.get(action, frozenset())


RULES = ServiceRules(
    traits=_traits,
    resource_policy=lambda _resource: "the role's trust policy",
    consent_required=_consent_required,
    marks=(":role/",),
)
