"""May this principal do this there? The engine's answers to every call that the question implies, folded into one.

A level is several calls, and some of them concern the bucket's key: "read" on a bucket whose key is closed is no,
because of the key. The worst answer decides, and is the one that is explained.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sm_access import catalog
from sm_access.access.evidence import BucketEvidence, PrincipalEvidence, Unread, policy_set
from sm_access.access.instant import format_instant
from sm_access.access.level import Level
from sm_access.access.levels import LIST_ACTION, Check, actions, checks, statements
from sm_access.access.target import S3Target
from sm_access.errors import CannotTell, InvalidInput
from sm_access.policy import UNREADABLE, Decision, NamedPolicy, Request, Response, authorize, parse_policy

#: Worst first: an explicit deny cannot be granted away, so it is what a person must hear first.
_SEVERITY = (Decision.EXPLICIT_DENY, Decision.IMPLICIT_DENY, Decision.UNDETERMINED, Decision.ALLOW)

#: Global context keys that a real call may carry with a value that nothing here can know: where from it comes, how the
#: session is tagged and was assumed. A policy that asks for one makes the answer "depends", never a guess
#: (IAM User Guide, "AWS global condition context keys").
_NOT_KNOWN_HERE = (
    "aws:CalledVia*",
    "aws:ChatbotSourceArn",
    "aws:Ec2InstanceSource*",
    "aws:FederatedProvider",
    "aws:MultiFactorAuth*",
    "aws:PrincipalOrg*",
    "aws:PrincipalTag/*",
    "aws:Referer",
    "aws:RequestTag/*",
    "aws:RequestedRegion",
    "aws:ResourceOrg*",
    "aws:ResourceTag/*",
    "aws:SourceIdentity",
    "aws:SourceIp",
    "aws:SourceVpc*",
    "aws:TagKeys",
    "aws:TokenIssueTime",
    "aws:UserAgent",
    "aws:ViaAWSService",
    "aws:VpcSourceIp",
    "identitystore:*",
    "saml:*",
    "sts:*",
)


#: The resource of a call that is about none, such as s3:ListAllMyBuckets.
_NO_RESOURCE = "*"

#: What stands for the rest of a key's name in the catalog: `aws:ResourceTag/${TagKey}`, `s3:ExistingObjectTag/<key>`.
_PLACEHOLDER = re.compile(r"\$\{|<")


@dataclass(frozen=True, slots=True)
class Finding:
    """One call that the question implies, and the engine's answer to it."""

    check: Check
    response: Response


@dataclass(frozen=True, slots=True)
class Verdict:
    """The folded answer.

    asked: a level or an action, as the person put it. read_at: the oldest reading used.
    with_grant: what the answer would be if the role were granted this level there; None where nothing lacks.
    unsettled: what makes a yes uncertain although each finding says yes, in words; '' where nothing does.
    """

    principal: str
    target: S3Target
    asked: str
    findings: tuple[Finding, ...]
    read_at: datetime
    unread: tuple[Unread, ...]
    unsettled: str = ""
    with_grant: Decision | None = None

    @property
    def deciding(self) -> Finding:
        """The finding that decides: the worst; among equals, what the level is about before listing or key."""
        return min(
            self.findings, key=lambda finding: (_SEVERITY.index(finding.response.decision), _rank(finding))
        )

    @property
    def decision(self) -> Decision:
        decision = self.deciding.response.decision
        # INVARIANT: what could not be read never turns into a yes.
        return Decision.UNDETERMINED if self.unsettled and decision is Decision.ALLOW else decision


def _rank(finding: Finding) -> int:
    action = finding.check.action
    return 2 if action.startswith("kms:") else 1 if action == LIST_ACTION else 0


def judge(
    principal: PrincipalEvidence,
    bucket: BucketEvidence,
    target: S3Target,
    asked: Level | str,
    *,
    now: datetime,
) -> Verdict:
    """Answer for a level, or for an action of S3 or KMS. `now` becomes `aws:CurrentTime`."""
    verdict = _judge(principal, bucket, target, asked, now)
    level = asked if isinstance(asked, Level) else level_of(asked)
    if verdict.decision is Decision.ALLOW or level is None:
        return verdict
    granted = _with_grant(principal, bucket, target, level, now)
    return replace(verdict, with_grant=_judge(granted, bucket, target, asked, now).decision)


def level_of(action: str) -> Level | None:
    """The narrowest level that includes an action; None for an action that no level means."""
    return next((level for level in Level if action.lower() in map(str.lower, actions(level))), None)


def _judge(
    principal: PrincipalEvidence, bucket: BucketEvidence, target: S3Target, asked: Level | str, now: datetime
) -> Verdict:
    implied = (
        _calls_for(asked, target, bucket) if isinstance(asked, Level) else _calls_of(asked, target, bucket)
    )
    return Verdict(
        principal=principal.arn,
        target=target,
        asked=asked.value if isinstance(asked, Level) else asked,
        findings=tuple(Finding(check, _decide(principal, bucket, check, now)) for check in implied),
        read_at=min(principal.read_at, bucket.read_at),
        unread=(*principal.unread, *bucket.unread),
        unsettled=""
        if bucket.encryption_read
        else f"the encryption of {bucket.bucket}, which could not be read",
    )


def _calls_for(level: Level, target: S3Target, bucket: BucketEvidence) -> tuple[Check, ...]:
    """The calls of a level. Of one key, they are about that key alone: no listing, and nothing that lies beneath."""
    implied = checks(target, level, bucket.kms_key_arn)
    if target.is_bucket or target.is_prefix or level is Level.LIST:
        return implied
    key = target.object_arns()[0]
    return tuple(check for check in implied if check.resource_arn == key or check.action.startswith("kms:"))


def _calls_of(action: str, target: S3Target, bucket: BucketEvidence) -> tuple[Check, ...]:
    """An action as the calls that a level would make of it, the key's included; any other on what it is about: the
    bucket, its objects, its key, or nothing in particular. Raises InvalidInput for an action on anything else.
    """
    level = level_of(action)
    if level is None:
        (name,) = catalog.matching(action)  # in AWS's own spelling
        kinds = {kind.name for kind in catalog.resource_types(name)}
        return (_call_on_key(name, bucket) if "key" in kinds else _call_on_place(name, kinds, target),)
    wanted = {action.lower()} | ({"kms:decrypt", "kms:generatedatakey"} if level is not Level.LIST else set())
    return tuple(
        check for check in checks(target, level, bucket.kms_key_arn) if check.action.lower() in wanted
    )


def _call_on_key(action: str, bucket: BucketEvidence) -> Check:
    if bucket.kms_key_arn is None:
        if not bucket.encryption_read:
            raise CannotTell(
                f"Which key encrypts {bucket.bucket} could not be read, and {action} is about a key.",
                remedy="It needs s3:GetEncryptionConfiguration and, for an alias, kms:DescribeKey.",
            )
        raise InvalidInput(
            f"{bucket.bucket} is not encrypted with a KMS key, and {action} is about one.",
            remedy="Ask about an action on S3, such as s3:GetObject.",
        )
    through_s3 = checks(S3Target(bucket.bucket), Level.READ, bucket.kms_key_arn)[-1].context
    return Check(action, bucket.kms_key_arn, through_s3)


def _call_on_place(action: str, kinds: set[str], target: S3Target) -> Check:
    if "object" in kinds:
        return Check(action, target.object_arns()[0])
    if "bucket" in kinds:
        return Check(action, target.bucket_arn())
    if not kinds:
        return Check(action, _NO_RESOURCE)
    raise InvalidInput(
        f"{action} is not about buckets or objects, but about: {', '.join(sorted(kinds))}.",
        remedy="Ask about a level (list, read, write, delete) or an action such as s3:GetObject.",
    )


def _with_grant(
    principal: PrincipalEvidence, bucket: BucketEvidence, target: S3Target, level: Level, now: datetime
) -> PrincipalEvidence:
    """The same principal, had it the grant: the engine itself says whether asking would help."""
    if principal.identity is UNREADABLE:
        return principal
    key = None if bucket.kms_policy is None else bucket.kms_key_arn
    made = statements(target, level, ends_at=now + timedelta(hours=1), kms_key_arn=key, sid_prefix="WhatIf")
    document = parse_policy({"Version": "2012-10-17", "Statement": list(made)}, name="the grant")
    return replace(principal, identity=(*principal.identity, NamedPolicy("the grant", document, "inline")))


def _keys_of(check: Check, context: Mapping[str, str]) -> Iterator[str]:
    """The service's own context keys that such a call may carry and that the check says nothing about."""
    for key in catalog.condition_keys(check.action):
        name = _PLACEHOLDER.split(key)[0]
        # A listing of a whole bucket is one without a prefix: there the key's absence is the fact.
        if not name.lower().startswith("aws:") and name not in context and name != "s3:prefix":
            yield f"{name}*" if name != key else key


def _decide(principal: PrincipalEvidence, bucket: BucketEvidence, check: Check, now: datetime) -> Response:
    of_key = ":kms:" in check.resource_arn
    owner = check.resource_arn.split(":")[4] if of_key else bucket.owner_account
    layers = policy_set(principal, bucket, of_key=of_key)
    if check.resource_arn == _NO_RESOURCE:
        owner, layers = principal.account, replace(layers, resource=None)
    context = {"aws:CurrentTime": format_instant(now), "aws:SecureTransport": "true", **check.context}
    if of_key:
        context["kms:CallerAccount"] = principal.account
    if not of_key and owner is not None:
        context["s3:ResourceAccount"] = owner
    unknown = [*_NOT_KNOWN_HERE, *_keys_of(check, context)]
    if principal.iam_arn is None:
        unknown.append("aws:PrincipalArn")
    else:
        context["aws:PrincipalArn"] = principal.iam_arn
    if owner is None:
        unknown.append("aws:ResourceAccount")
    request = Request(
        principal=principal.arn,
        action=check.action,
        resource=check.resource_arn,
        resource_account=owner,
        context=context,
        unknown=unknown,
    )
    return authorize(layers, request)
