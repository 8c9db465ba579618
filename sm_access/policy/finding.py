"""What a linter says about a policy, and the kinds of policy there are: what each may hold, and how much."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(str, Enum):
    """ERROR: AWS refuses it, or could never apply it. WARNING: legal, and surely not what was meant."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """`path` is a JSON path; `rule` a stable name, to look up and to leave out."""

    severity: Severity
    path: str
    message: str
    rule: str


class PolicyKind(str, Enum):
    """Where a policy is to be attached."""

    IDENTITY = "identity"
    MANAGED = "managed"
    INLINE_ROLE = "inline-role"
    INLINE_USER = "inline-user"
    INLINE_GROUP = "inline-group"
    BOUNDARY = "boundary"
    SESSION = "session"
    RESOURCE = "resource"
    BUCKET = "bucket"
    KEY = "key"
    TRUST = "trust"
    SERVICE_CONTROL = "service-control"
    RESOURCE_CONTROL = "resource-control"
    VPC_ENDPOINT = "vpc-endpoint"

    @property
    def names_principal(self) -> bool:
        """Whether each statement says who, rather than the policy's place."""
        return self in _NAMING

    @property
    def of_iam(self) -> bool:
        """Whether IAM itself keeps it; its rules on Sids and characters are stricter."""
        return not self.names_principal and self is not PolicyKind.SERVICE_CONTROL

    @property
    def largest(self) -> int | None:
        """Characters at most, white space aside; None where no quota is known."""
        return _LARGEST.get(self)


_NAMING = frozenset(
    (
        PolicyKind.RESOURCE,
        PolicyKind.BUCKET,
        PolicyKind.KEY,
        PolicyKind.TRUST,
        PolicyKind.RESOURCE_CONTROL,
        PolicyKind.VPC_ENDPOINT,
    )
)
# IAM User Guide, "IAM and AWS STS quotas"; Amazon S3 User Guide, "Bucket policies"; AWS KMS Developer Guide,
# "Resource quotas"; AWS Organizations User Guide, "Quotas". An inline policy may be as long as all of a role's; of
# quotas that were raised, or that can be, the larger: what is refused here is refused everywhere.
_LARGEST = {
    PolicyKind.IDENTITY: 10_240,
    PolicyKind.MANAGED: 6_144,
    PolicyKind.INLINE_ROLE: 10_240,
    PolicyKind.INLINE_USER: 2_048,
    PolicyKind.INLINE_GROUP: 5_120,
    PolicyKind.BOUNDARY: 6_144,
    PolicyKind.SESSION: 2_048,
    PolicyKind.BUCKET: 20_480,
    PolicyKind.KEY: 32_768,
    PolicyKind.TRUST: 4_096,
    PolicyKind.SERVICE_CONTROL: 10_240,
    PolicyKind.RESOURCE_CONTROL: 5_120,
    PolicyKind.VPC_ENDPOINT: 20_480,
}
