"""What a role would newly be able to do with a grant, and what it can do there already: for who decides.

Both are the engine's answers from the policies that were read, before and after the very statements of the grant. What
the reviewer's side may not read makes an answer "cannot tell", never "nothing".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sm_access import catalog
from sm_access.access.distinctions import keys_asked
from sm_access.access.evidence import BucketEvidence, PrincipalEvidence, facts, policy_set
from sm_access.access.instant import format_instant
from sm_access.access.level import Level
from sm_access.access.levels import SOURCE_IDENTITY, Statement, actions, checks
from sm_access.access.model import Terms
from sm_access.access.terms import partition_of
from sm_access.access.verdict import DERIVED, judge
from sm_access.errors import CannotTell
from sm_access.policy import UNREADABLE, Arn, Change, Decision, NamedPolicy, PolicySet, diff, parse_policy
from sm_access.policy.request import ContextValue


@dataclass(frozen=True, slots=True)
class Gain:
    """`already`: the answer for each level on the whole place, before the grant. `newly`: what becomes allowed.
    `open`: what changes, and nobody can say whether to allowed. None: it could not be worked out.
    `complete`: all that has a say was read.
    """

    already: Mapping[Level, Decision]
    newly: tuple[Change, ...] | None
    open: tuple[Change, ...] = ()
    complete: bool = True


def gain(
    principal: PrincipalEvidence,
    bucket: BucketEvidence,
    terms: Terms,
    made: tuple[Statement, ...],
    now: datetime,
) -> Gain:
    """Of a role without the grant, by `made`, its statements as they would be from now on."""
    already = {level: judge(principal, bucket, terms.target, level, now=now).decision for level in Level}
    unread = UNREADABLE in (bucket.policy, bucket.kms_policy) or principal.boundary is UNREADABLE
    complete = not (principal.unread or bucket.unread or unread)
    if principal.identity is UNREADABLE or bucket.owner_account is None:
        return Gain(already, None, complete=False)
    document = parse_policy({"Version": "2012-10-17", "Statement": list(made)}, name="the grant")
    granted = replace(principal, identity=(*principal.identity, NamedPolicy("the grant", document, "inline")))
    newly: list[Change] = []
    undetermined: list[Change] = []
    try:
        for of_key in (False, True) if terms.kms_key_arn else (False,):
            before = policy_set(principal, bucket, of_key=of_key)
            after = policy_set(granted, bucket, of_key=of_key)
            context, unknown = _circumstances(principal, bucket, terms, after, now, of_key=of_key)
            found = diff(
                before,
                after,
                principal=principal.iam_arn or principal.arn,
                actions=_asked(terms, of_key=of_key),
                shapes=lambda action: catalog.resource_shapes(action, partition=partition_of(terms.role_arn)),
                resource_account=_owner(terms, bucket, of_key=of_key),
                context=context,
                unknown=unknown,
            )
            newly += found.newly_allowed
            undetermined += found.undetermined
    except CannotTell:
        return Gain(already, None, complete=False)
    return Gain(already, tuple(newly), tuple(undetermined), complete)


def _asked(terms: Terms, *, of_key: bool) -> tuple[str, ...]:
    if not of_key:
        return actions(terms.level, terms.extras)
    calls = checks(terms.target, terms.level, terms.kms_key_arn, partition=partition_of(terms.role_arn))
    return tuple(dict.fromkeys(call.action for call in calls if call.action.startswith("kms:")))


def _owner(terms: Terms, bucket: BucketEvidence, *, of_key: bool) -> str | None:
    return Arn.parse(terms.kms_key_arn).account if of_key and terms.kms_key_arn else bucket.owner_account


def _circumstances(
    principal: PrincipalEvidence,
    bucket: BucketEvidence,
    terms: Terms,
    layers: PolicySet,
    now: datetime,
    *,
    of_key: bool,
) -> tuple[dict[str, ContextValue], list[str]]:
    """The context of such a call, and the keys that nobody can know before it is made."""
    owner = _owner(terms, bucket, of_key=of_key)
    context: dict[str, ContextValue] = {
        "aws:CurrentTime": format_instant(now),
        "aws:SecureTransport": "true",
        **facts(principal, owner),
    }
    if terms.source_identity is not None:
        context[SOURCE_IDENTITY] = terms.source_identity
    if of_key:
        context["kms:CallerAccount"] = principal.account
        of_the_key = [
            check
            for check in checks(
                terms.target,
                terms.level,
                terms.kms_key_arn,
                partition=partition_of(terms.role_arn),
                bucket_key=bucket.bucket_key or False,
            )
            if check.action.startswith("kms:")
        ]
        for check in of_the_key:
            context.update(check.context)
    else:
        context["s3:ResourceAccount"] = owner or ""
        if not terms.target.is_bucket:
            context["s3:prefix"] = terms.target.listing_prefix
    known = DERIVED | {key.lower() for key in context} | {"s3:prefix"}
    unknown = [key for key in keys_asked(layers) if key not in known]
    return context, [*unknown, *principal.unknown]
