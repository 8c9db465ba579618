"""What was read from AWS about a principal and a bucket, as values the engine can be asked about.

A thing that could not be read is kept as UNREADABLE together with the one permission that would settle it: it is never
treated as empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sm_access.access.target import S3Target
from sm_access.errors import InvalidS3Uri
from sm_access.policy import UNREADABLE, NamedPolicy, PolicySet
from sm_access.policy.policy_set import Unreadable

Policies = tuple[NamedPolicy, ...]


@dataclass(frozen=True, slots=True)
class Unread:
    """One thing that could not be read. what: in words. permission: the action that would settle it, or ''."""

    what: str
    permission: str = ""


@dataclass(frozen=True, slots=True)
class PrincipalEvidence:
    """The policies that speak for a principal. `boundary` None: the principal has none.

    arn: the caller's, e.g. a session's. iam_arn: that of the role or user behind it, path included; None where IAM
    may not be asked. unknown: context keys that this principal may carry with a value not known here, beside those that
    nobody's call tells.
    """

    arn: str
    iam_arn: str | None
    account: str
    identity: Policies | Unreadable
    boundary: Policies | Unreadable | None
    read_at: datetime
    unread: tuple[Unread, ...] = ()
    unknown: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class BucketEvidence:
    """What a bucket adds to the decision.

    owner_account: None when it is not known. policy: None when the bucket has none.
    encryption_read: default encryption is known. kms_key_arn: the key it uses, None for S3's own keys.
    kms_policy: the key's policy. region: the bucket's Region, None when not known.
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


def policy_set(principal: PrincipalEvidence, bucket: BucketEvidence, *, of_key: bool) -> PolicySet:
    """The layers that decide a call on the bucket (`of_key` False) or on its key (True)."""
    return PolicySet(
        identity=principal.identity,
        permissions_boundary=principal.boundary,
        resource=(bucket.kms_policy if of_key else bucket.policy),
    )


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


__all__ = ["UNREADABLE", "BucketEvidence", "PrincipalEvidence", "Unread", "named_places", "policy_set"]
