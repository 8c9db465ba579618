"""Which statements can have a say about a bucket at all: those of a role for five hundred others need not be asked.

A statement is left aside only where each of its resources names, to the letter, another bucket or what is in one: it
can match nothing of this bucket, nor a key or a call without a resource. Whatever has a wildcard or a variable before
the bucket's name ends stays, and so does everything that is not about S3. So no decision changes. What does is which
near misses are told of a role with very many statements: those about the bucket itself.
"""

from __future__ import annotations

from dataclasses import replace

from sm_access.access.evidence import Policies, PrincipalEvidence
from sm_access.policy.policy_set import Unreadable
from sm_access.policy.statement import Statement

FEW = 60
"""So many statements are all asked: then every near miss is told."""


def about(principal: PrincipalEvidence, bucket: str) -> PrincipalEvidence:
    """The principal with the policies that can have a say about a bucket."""
    return replace(
        principal,
        identity=_about(principal.identity, bucket),
        boundary=None if principal.boundary is None else _about(principal.boundary, bucket),
    )


def _about(policies: Policies | Unreadable, bucket: str) -> Policies | Unreadable:
    if isinstance(policies, Unreadable) or sum(len(each.document.statements) for each in policies) <= FEW:
        return policies
    return tuple(
        replace(
            policy,
            document=replace(
                policy.document,
                statements=tuple(each for each in policy.document.statements if _may_concern(each, bucket)),
            ),
        )
        for policy in policies
    )


def _may_concern(statement: Statement, bucket: str) -> bool:
    resource = statement.resource
    if resource is None or resource.negated or not resource.patterns or statement.unrecognised:
        return True
    return any(_bucket_of(pattern) in (None, bucket) for pattern in resource.patterns)


def _bucket_of(pattern: str) -> str | None:
    """The bucket that a resource pattern names to the letter; None where it is not plainly one."""
    head, is_s3, place = pattern.partition(":s3:::")
    bucket = place.partition("/")[0]
    plain = is_s3 and bucket and not any(sign in head or sign in bucket for sign in "*?$")
    return bucket if plain else None
