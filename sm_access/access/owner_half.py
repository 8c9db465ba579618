"""What the owner of a bucket or key has to add, where what is put on a role is not enough.

Across accounts both sides have to allow (IAM User Guide, "Cross-account policy evaluation logic"); a key opens only by
its own policy (AWS KMS Developer Guide, "Key policies in AWS KMS"); and no grant outweighs a Deny. The patch is of the
very statements of the grant, end included, so that the owner opens exactly what was decided on and it ends by itself.

Whether the owner added it cannot be verified from the role's account, short of the grant's working (`prove`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sm_access.access.evidence import BucketEvidence, PrincipalEvidence
from sm_access.access.levels import SOURCE_IDENTITY, Statement, checks
from sm_access.access.model import Grant, Terms
from sm_access.access.terms import partition_of
from sm_access.access.verdict import decide
from sm_access.policy import Arn, Decision, NamedPolicy, StatementRef, parse_policy


@dataclass(frozen=True, slots=True)
class OwnerHalf:
    """What to add to the bucket's policy and to its key's; empty where nothing is lacking there.

    owner: the bucket's account, None where that is not known. denied_by: statements that deny it; they have to except
    the role, for adding to them helps nothing.
    """

    owner: str | None
    bucket: str
    bucket_policy: tuple[Statement, ...]
    key: str | None
    key_policy: tuple[Statement, ...]
    denied_by: tuple[StatementRef, ...]

    def __bool__(self) -> bool:
        """Whether the owner has to do anything."""
        return bool(self.bucket_policy or self.key_policy or self.denied_by)


def owner_half(terms: Terms, grant: Grant, bucket: BucketEvidence) -> OwnerHalf:
    """The owner's half of a grant on this bucket. What could not be read of the role's own account counts as
    consenting: it is named elsewhere, and no owner is bothered on a guess."""
    account = Arn.parse(terms.role_arn).account
    lacks_bucket = lacks_key = False
    denied_by: dict[StatementRef, None] = {}
    alone = only_with(grant, account)
    person = {} if terms.source_identity is None else {SOURCE_IDENTITY: terms.source_identity}
    for check in checks(
        terms.target,
        terms.level,
        terms.kms_key_arn,
        partition=partition_of(terms.role_arn),
        bucket_key=bucket.bucket_key,
        extras=terms.extras,
    ):
        of_key = ":kms:" in check.resource_arn
        asked = replace(check, context={**check.context, **person})
        response = decide(alone, bucket, asked, grant.starts_at)
        if response.decision is Decision.EXPLICIT_DENY and response.deciding is not None:
            denied_by[response.deciding] = None
        whose = Arn.parse(check.resource_arn).account if of_key else bucket.owner_account
        foreign = bucket.is_foreign if whose is None else whose != account
        no_consent = response.decision is Decision.IMPLICIT_DENY
        lacks = no_consent or (foreign and response.decision is not Decision.ALLOW)
        lacks_key |= of_key and lacks
        lacks_bucket |= not of_key and lacks
    of_bucket, of_its_key = _divided(grant.statements)
    return OwnerHalf(
        bucket.owner_account,
        terms.target.bucket,
        _named(of_bucket, terms.role_arn) if lacks_bucket else (),
        terms.kms_key_arn,
        # In a key policy `*` is the key that has it.
        tuple({**each, "Resource": "*"} for each in _named(of_its_key, terms.role_arn)) if lacks_key else (),
        tuple(denied_by),
    )


def only_with(grant: Grant, account: str) -> PrincipalEvidence:
    """The role as if the grant were all that it has: then what is lacking is the owner's to give."""
    document = parse_policy({"Version": "2012-10-17", "Statement": list(grant.statements)})
    return PrincipalEvidence(
        arn=grant.role_arn,
        iam_arn=grant.role_arn,
        account=account,
        identity=(NamedPolicy("the grant", document, "inline"),),
        boundary=None,
        read_at=grant.starts_at,
    )


def _divided(made: Sequence[Statement]) -> tuple[list[Statement], list[Statement]]:
    keys = [each for each in made if ":kms:" in str(each["Resource"])]
    return [each for each in made if each not in keys], keys


def _named(made: Iterable[Statement], role_arn: str) -> tuple[Statement, ...]:
    return tuple(
        {
            "Sid": each["Sid"],
            "Effect": each["Effect"],
            "Principal": {"AWS": role_arn},
            **{name: value for name, value in each.items() if name not in ("Sid", "Effect")},
        }
        for each in made
    )
