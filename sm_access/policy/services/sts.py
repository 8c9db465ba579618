"""AWS STS: assuming a role needs the consent of the role's trust policy, which is its resource policy.

Source: IAM User Guide, "Methods to assume a role" and "Policy evaluation logic".
"""

from __future__ import annotations

from sm_access.policy.arn import Arn
from sm_access.policy.services.rules import ServiceRules


def _consent_required(resource: str) -> bool:
    arn = Arn.read(resource)
    return arn is not None and arn.service == "iam" and arn.resource.startswith("role/")


RULES = ServiceRules(
    resource_policy=lambda _resource: "the role's trust policy", consent_required=_consent_required
)
