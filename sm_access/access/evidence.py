"""What was read from AWS about a principal and a bucket, as values the engine can be asked about.

A thing that could not be read is kept as UNREADABLE together with the one permission that would settle it: it is never
treated as empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sm_access.access.target import S3Target
from sm_access.errors import InvalidS3Uri
from sm_access.policy import UNREADABLE, Arn, NamedPolicy, PolicySet
from sm_access.policy.policy_set import Levels, PublicAccessBlock, Unreadable

Policies = tuple[NamedPolicy, ...]


@dataclass(frozen=True, slots=True)
class Unread:
    """One thing that could not be read. what: in words. permission: the action that would settle it, or ''.

    passing: it may be read when tried again - there was no answer in time, AWS was asked too often, or failed.
    """

    what: str
    permission: str = ""
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Organization:
    """What AWS Organizations says about an account. id None: the account is in no organization.

    path: of the account, as `aws:PrincipalOrgPaths` has it, e.g. `o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/`; None where it
    is not known. service_control, resource_control: from the root to the account; None: they bind it not at all, as
    in the management account (AWS Organizations User Guide, "Service control policies (SCPs)", "Resource control
    policies (RCPs)"); UNREADABLE: they may, and could not be read.
    """

    id: str | None = None
    path: str | None = None
    service_control: Levels | None = None
    resource_control: Levels | None = None


@dataclass(frozen=True, slots=True)
class PrincipalEvidence:
    """The policies that speak for a principal. `boundary` None: the principal has none.

    arn: the caller's, e.g. a session's. iam_arn: that of the role or user behind it, path included; None where IAM
    may not be asked. unknown: context keys that this principal may carry with a value not known here, beside those that
    nobody's call tells. user_id: as STS returns it; '' where it was not asked.
    tags: what the principal's requests carry as `aws:PrincipalTag`; None where they may carry others.
    trust: a role's trust policy; None for users. organization: of the principal's account. gone: the role that the
    session was made of is no more: nothing that is read or asked under its name is the session's.
    """

    arn: str
    iam_arn: str | None
    account: str
    identity: Policies | Unreadable
    boundary: Policies | Unreadable | None
    read_at: datetime
    unread: tuple[Unread, ...] = ()
    unknown: frozenset[str] = frozenset()
    user_id: str = ""
    tags: Mapping[str, str] | None = None
    trust: Policies | Unreadable | None = None
    organization: Organization | Unreadable = UNREADABLE
    gone: bool = False


@dataclass(frozen=True, slots=True)
class BucketEvidence:
    """What a bucket adds to the decision.

    owner_account: None when it is not known. is_foreign: though it is not known, it is not the principal's: the
    account's own buckets were listed, and this is none of them. policy: None when the bucket has none.
    encryption_read: default encryption is known. kms_key_arn: the key it uses, None for S3's own keys.
    kms_policy: the key's policy. region: the bucket's Region, None when not known.
    bucket_key: whether S3 Bucket Keys are on, with which the encryption context is the bucket's ARN and not the
    object's (Amazon S3 User Guide, "Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys"); None when not known.
    object_ownership: as S3 calls it; None when not known. public_access_block: bucket's and account's together.
    """

    bucket: str
    owner_account: str | None
    policy: Policies | Unreadable | None
    encryption_read: bool
    kms_key_arn: str | None
    kms_policy: Policies | Unreadable | None
    region: str | None
    read_at: datetime
    unread: tuple[Unread, ...] = ()
    bucket_key: bool | None = None
    object_ownership: str | None = None
    public_access_block: PublicAccessBlock | Unreadable | None = None
    is_foreign: bool = False


def policy_set(principal: PrincipalEvidence, bucket: BucketEvidence, *, of_key: bool) -> PolicySet:
    """The layers that decide a call on the bucket (`of_key` False) or on its key (True).

    Control policies that could not be read are left out, for a member account may never read them: who collects names
    them in `unread`, and a yes beside which something is unread is told as one with a limit. Resource control policies
    are those of the account that owns the resource, and known here for the principal's own.
    """
    owner = Arn.parse(bucket.kms_key_arn).account if of_key and bucket.kms_key_arn else bucket.owner_account
    service_control: Levels | None = None
    resource_control: Levels | None = None
    if not isinstance(principal.organization, Unreadable):
        service_control = _read(principal.organization.service_control)
        if owner == principal.account:
            resource_control = _read(principal.organization.resource_control)
    return PolicySet(
        identity=principal.identity,
        permissions_boundary=principal.boundary,
        resource=(bucket.kms_policy if of_key else bucket.policy),
        service_control=service_control,
        resource_control=resource_control,
        public_access_block=None if of_key else bucket.public_access_block,
        object_ownership=None if of_key else bucket.object_ownership,
    )


def own_policies(principal: PrincipalEvidence) -> PolicySet:
    """The layers that speak for the principal, whatever the resource; control policies as in `policy_set`."""
    organization = principal.organization
    return PolicySet(
        identity=principal.identity,
        permissions_boundary=principal.boundary,
        service_control=None if isinstance(organization, Unreadable) else _read(organization.service_control),
    )


def _read(levels: Levels | None) -> Levels | None:
    return None if isinstance(levels, Unreadable) else levels


def facts(principal: PrincipalEvidence, owner: str | None) -> Mapping[str, str | tuple[str, ...]]:
    """The context keys that follow from who asks, and from whose the resource is: `owner`, its account.

    Source: IAM User Guide, "AWS global condition context keys".
    """
    known: dict[str, str | tuple[str, ...]] = {}
    if principal.user_id:
        known["aws:userid"] = principal.user_id
    for tag, value in (principal.tags or {}).items():
        known[f"aws:PrincipalTag/{tag}"] = value
    organization = principal.organization
    if isinstance(organization, Unreadable) or organization.id is None:
        return known
    # One's own bucket is in one's own organization; whose another is, its owner knows.
    sides = ("Principal", "Resource") if owner == principal.account else ("Principal",)
    for side in sides:
        known[f"aws:{side}OrgID"] = organization.id
        if organization.path is not None:
            known[f"aws:{side}OrgPaths"] = (organization.path,)
    return known


def is_absent(key: str, principal: PrincipalEvidence, owner: str | None) -> bool:
    """Whether the request certainly does not carry a key, lower-case, that `facts` does not give.

    A tag that neither role nor session has is in no request; nor is an organization where there is none.
    """
    if key.startswith("aws:principaltag/"):
        return principal.tags is not None
    organization = principal.organization
    if isinstance(organization, Unreadable) or organization.id is not None:
        return False
    own = ("aws:resourceorgid", "aws:resourceorgpaths") if owner == principal.account else ()
    return key in {"aws:principalorgid", "aws:principalorgpaths", *own}


def named_places(principal: PrincipalEvidence) -> frozenset[S3Target]:
    """The buckets and prefixes that the principal's own Allow statements name plainly: what is worth a row in a table.

    Patterns with a wildcard anywhere but at the end name no one place and are left out.
    """
    if principal.identity is UNREADABLE:
        return frozenset()
    patterns = {
        pattern
        for policy in principal.identity
        for statement in policy.document.statements
        if statement.effect == "Allow" and statement.resource is not None and not statement.resource.negated
        for pattern in statement.resource.patterns
    }
    found = set()
    for pattern in patterns:
        _, is_s3, place = pattern.partition(":s3:::")
        bucket, _, path = place.partition("/")
        if is_s3 and "*" not in bucket:
            try:
                found.add(S3Target(bucket, path.removesuffix("*")))
            except InvalidS3Uri:
                continue  # a wildcard within, or a policy variable
    return frozenset(found)


__all__ = [
    "UNREADABLE",
    "BucketEvidence",
    "Organization",
    "PrincipalEvidence",
    "Unread",
    "facts",
    "is_absent",
    "named_places",
    "own_policies",
    "policy_set",
]
