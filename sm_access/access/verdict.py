"""May this principal do this there? The engine's answers to every call that the question implies, folded into one.

A level is several calls, and some of them concern the bucket's key: "read" on a bucket whose key is closed is no,
because of the key. The worst answer decides, and is the one that is explained.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sm_access import catalog
from sm_access.access.distinctions import keys_asked, parts_of, unknown_parts
from sm_access.access.evidence import (
    BucketEvidence,
    PrincipalEvidence,
    Unread,
    facts,
    is_absent,
    policy_set,
)
from sm_access.access.instant import format_instant
from sm_access.access.level import Level
from sm_access.access.levels import ENCRYPTION_CONTEXT, LIST_ACTION, Check, actions, checks, statements
from sm_access.access.observation import Attempt, Observation, Origin, Plan, seen
from sm_access.access.relevance import about
from sm_access.access.target import S3Target
from sm_access.access.terms import partition_of
from sm_access.errors import CannotTell, InvalidInput
from sm_access.policy import (
    UNREADABLE,
    Decision,
    NamedPolicy,
    PolicySet,
    Request,
    Response,
    authorize,
    parse_policy,
)
from sm_access.policy.request import resolve

#: Worst first: an explicit deny cannot be granted away, so it is what a person must hear first.
_SEVERITY = (Decision.EXPLICIT_DENY, Decision.IMPLICIT_DENY, Decision.UNDETERMINED, Decision.ALLOW)

#: What the engine derives from the request itself, lower-case.
DERIVED = frozenset(
    {
        "aws:currenttime",
        "aws:epochtime",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalisawsservice",
        "aws:principalservicename",
        "aws:principaltype",
        "aws:resourceaccount",
        "aws:securetransport",
        "aws:username",
    }
)
#: The resource of a call that is about none, such as s3:ListAllMyBuckets.
_NO_RESOURCE = "*"
#: Stands for the name of any object in what S3 tells a key.
_ANY_NAME = "(any name)"


@dataclass(frozen=True, slots=True)
class Finding:
    """One call that the question implies, and the engine's answer to it."""

    check: Check
    response: Response


@dataclass(frozen=True, slots=True)
class Verdict:
    """The folded answer.

    asked: a level or an action, as the person put it. read_at: the oldest reading used. at: the moment it is for.
    with_grant: what the answer would be if the role were granted this level there; None where nothing lacks.
    unsettled: what makes a yes uncertain although each finding says yes, in words; '' where nothing does.
    exceptions: one finding for each part of the place for which the answer is not the yes of the rest.
    origins: what it rests on beside the policies read now. attempts: sources that were of no help.
    observations: calls that were made to see, and what came of them. plan: calls that could be made to see.
    """

    principal: str
    target: S3Target
    asked: str
    findings: tuple[Finding, ...]
    read_at: datetime
    unread: tuple[Unread, ...]
    at: datetime
    unsettled: str = ""
    with_grant: Decision | None = None
    exceptions: tuple[Finding, ...] = ()
    origins: tuple[Origin, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    observations: tuple[Observation, ...] = ()
    plan: Plan | None = None

    @property
    def deciding(self) -> Finding:
        """The finding that decides: the worst; among equals, what the level is about before listing or key."""
        return min(self.findings, key=lambda finding: (_SEVERITY.index(self.of(finding)), _rank(finding)))

    @property
    def decision(self) -> Decision:
        decision = self.of(self.deciding)
        # INVARIANT: what could not be read never turns into a yes; only having seen all of it does.
        open_still = self.exceptions or (self.unsettled and not self.all_seen)
        return Decision.UNDETERMINED if open_still and decision is Decision.ALLOW else decision

    def of(self, finding: Finding) -> Decision:
        """The answer to one call: the policies', unless they leave it open or something else was seen.

        # INVARIANT: what was seen opens nothing that the policies close; a refusal counts whatever they say.
        """
        told, observed = finding.response.decision, self._seen(finding.check)
        if observed is None or (observed is Decision.ALLOW and told is not Decision.UNDETERMINED):
            return told
        return told if told is Decision.EXPLICIT_DENY else observed

    @property
    def all_seen(self) -> bool:
        """Whether every call that the question implies was made, and worked."""
        return all(self._seen(finding.check) is Decision.ALLOW for finding in self.findings)

    def _seen(self, check: Check) -> Decision | None:
        if check.action == "kms:Decrypt":
            # A read object was decrypted: so was what the question is about, where it is about that object alone.
            reads = [each.check for each in self.findings if each.check.action == "s3:GetObject"]
            whole = all(seen(read, self.observations) is Decision.ALLOW for read in reads)
            return Decision.ALLOW if reads and whole else None
        return seen(check, self.observations)


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
    weigh_grant: bool = True,
) -> Verdict:
    """Answer for a level, or for an action of S3 or KMS. `now` becomes `aws:CurrentTime`.

    weigh_grant: also say whether a grant would help.
    """
    principal = about(principal, bucket.bucket)
    verdict = _judge(principal, bucket, target, asked, now)
    level = asked if isinstance(asked, Level) else level_of(asked)
    if verdict.decision is Decision.ALLOW or level is None or not weigh_grant:
        return verdict
    granted = with_the_grant(principal, bucket, target, level, now)
    return replace(verdict, with_grant=_judge(granted, bucket, target, asked, now).decision)


def level_of(action: str) -> Level | None:
    """The narrowest level that includes an action; None for an action that no level means."""
    return next((level for level in Level if action.lower() in map(str.lower, actions(level))), None)


def _judge(
    principal: PrincipalEvidence, bucket: BucketEvidence, target: S3Target, asked: Level | str, now: datetime
) -> Verdict:
    implied = calls_of(asked, target, bucket, partition_of(principal.arn))
    findings = tuple(Finding(check, decide(principal, bucket, check, now)) for check in implied)
    unsettled = _unsettled(asked, bucket)
    exceptions: tuple[Finding, ...] = ()
    if all(finding.response.decision is Decision.ALLOW for finding in findings):
        try:
            exceptions = tuple(_exceptions(principal, bucket, findings, now))
            unsettled = unsettled or _unknown_parts(principal, bucket, findings, target, now)
        except CannotTell:
            unsettled = f"more parts of {target} than can be gone through, which the policies tell apart"
    return Verdict(
        principal=principal.arn,
        target=target,
        asked=asked.value if isinstance(asked, Level) else asked,
        findings=findings,
        read_at=min(principal.read_at, bucket.read_at),
        unread=(*principal.unread, *bucket.unread),
        at=now,
        unsettled=unsettled,
        exceptions=exceptions,
    )


def _unsettled(asked: Level | str, bucket: BucketEvidence) -> str:
    if not bucket.encryption_read and _needs_the_key(asked):
        return f"the encryption of {bucket.bucket}, which could not be read"
    if bucket.kms_key_arn and not isinstance(asked, Level) and _may_use_the_key(asked):
        return f"whether {asked} uses the bucket's KMS key, which is not modelled"
    return ""


def _needs_the_key(asked: Level | str) -> bool:
    """Whether a bucket's key would have a say, if there is one: listing and deleting touch no content."""
    level = asked if isinstance(asked, Level) else level_of(asked)
    return level in {Level.READ, Level.WRITE} or (level is None and _may_use_the_key(asked))


def _may_use_the_key(action: str) -> bool:
    """An action on the contents of objects that no level means, such as s3:GetObjectVersion."""
    (name,) = catalog.matching(action)
    on_objects = "object" in {kind.name for kind in catalog.resource_types(name)}
    return on_objects and level_of(name) is None and catalog.access_level(name) in {"Read", "Write"}


def _exceptions(
    principal: PrincipalEvidence, bucket: BucketEvidence, findings: tuple[Finding, ...], now: datetime
) -> Iterator[Finding]:
    """Objects of the place for which the answer is another than for the rest of it."""
    for finding in findings:
        for part in parts(principal, bucket, finding.check, now):
            if part.response.decision is not Decision.ALLOW:
                yield part


def parts(
    principal: PrincipalEvidence, bucket: BucketEvidence, check: Check, now: datetime
) -> Iterator[Finding]:
    """The answers to the same call on an object of each part of its place that the policies tell apart; none for a
    single object.

    Raises CannotTell where there are too many parts to go through.
    """
    place = place_of(check)
    if not place:
        return
    layers, request = _request(principal, bucket, check, now)
    key = _told_by(check)
    for example in parts_of(place, layers, check.action, resolve(request).context, told_by=key):
        # Nothing but the object differs between the parts: what else the call carries is looked up once.
        if key:
            part = replace(check, context={**check.context, key: example})
            asked = replace(request, context={**request.context, key: example})
        else:
            part, asked = replace(check, resource_arn=example), replace(request, resource=example)
        yield Finding(part, authorize(layers, asked))


def _unknown_parts(
    principal: PrincipalEvidence,
    bucket: BucketEvidence,
    findings: tuple[Finding, ...],
    target: S3Target,
    now: datetime,
) -> str:
    for finding in findings:
        check = finding.check
        if place := place_of(check):
            layers, request = _request(principal, bucket, check, now)
            context = resolve(request).context
            names = unknown_parts(place, layers, check.action, context, told_by=_told_by(check))
            if names:
                return f"the value of {' and '.join(names)}, by which a policy may deny a part of {target}"
    return ""


def place_of(check: Check) -> str:
    """The ARN, with a star at its end, of the objects that a call stands for; '' where it is about one, a bucket or
    nothing of the kind. A call on a key is about those that S3 names to it."""
    about = check.context.get(_told_by(check), check.resource_arn)
    return about if ":::" in about and about.endswith("*") else ""


def _told_by(check: Check) -> str:
    return ENCRYPTION_CONTEXT if ENCRYPTION_CONTEXT in check.context else ""


def _spelled(check: Check) -> Mapping[str, str]:
    """The context of a call. What stands for any object of a place is not to be met by a policy that spells the star:
    StringEquals takes it for a plain character, which no object there has for a name."""
    if not _told_by(check) or not place_of(check):
        return check.context
    return {**check.context, ENCRYPTION_CONTEXT: place_of(check)[:-1] + _ANY_NAME}


def calls_of(
    asked: Level | str, target: S3Target, bucket: BucketEvidence, partition: str
) -> tuple[Check, ...]:
    """The calls that a question implies. Raises InvalidInput, CannotTell for an action that is not about the place."""
    if isinstance(asked, Level):
        return _calls_for(asked, target, bucket, partition)
    return _calls_of(asked, target, bucket, partition)


def _calls_for(level: Level, target: S3Target, bucket: BucketEvidence, partition: str) -> tuple[Check, ...]:
    """The calls of a level. Of one key, they are about that key alone: no listing, and nothing that lies beneath."""
    implied = checks(target, level, bucket.kms_key_arn, partition=partition, bucket_key=bucket.bucket_key)
    if target.is_bucket or target.is_prefix or level is Level.LIST:
        return implied
    key = target.object_arns(partition)[0]
    told = (target.bucket_arn(partition), key)
    return tuple(
        check
        for check in implied
        if check.resource_arn == key or check.context.get(ENCRYPTION_CONTEXT) in told
    )


def _calls_of(action: str, target: S3Target, bucket: BucketEvidence, partition: str) -> tuple[Check, ...]:
    """An action as the calls that a level would make of it, the key's included; any other on what it is about: the
    bucket, its objects, its key, or nothing in particular. Raises InvalidInput for an action on anything else.
    """
    level = level_of(action)
    if level is None:
        (name,) = catalog.matching(action)  # in AWS's own spelling
        kinds = {kind.name for kind in catalog.resource_types(name)}
        return (
            _call_on_key(name, bucket) if "key" in kinds else _call_on_place(name, kinds, target, partition),
        )
    wanted = {action.lower()} | ({"kms:decrypt", "kms:generatedatakey"} if level is not Level.LIST else set())
    return tuple(
        check for check in _calls_for(level, target, bucket, partition) if check.action.lower() in wanted
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
    whole, key = S3Target(bucket.bucket), bucket.kms_key_arn
    through_s3 = checks(whole, Level.READ, key, bucket_key=bucket.bucket_key)[-1].context
    return Check(action, bucket.kms_key_arn, through_s3)


def _call_on_place(action: str, kinds: set[str], target: S3Target, partition: str) -> Check:
    if "object" in kinds:
        return Check(action, target.object_arns(partition)[0])
    if "bucket" in kinds:
        listed = target.path and catalog.accepts_condition_key(action, "s3:prefix")
        return Check(action, target.bucket_arn(partition), {"s3:prefix": target.path} if listed else {})
    if not kinds:
        return Check(action, _NO_RESOURCE)
    raise InvalidInput(
        f"{action} is not about buckets or objects, but about: {', '.join(sorted(kinds))}.",
        remedy="Ask about a level (list, read, write, delete) or an action such as s3:GetObject.",
    )


def with_the_grant(
    principal: PrincipalEvidence, bucket: BucketEvidence, target: S3Target, level: Level, now: datetime
) -> PrincipalEvidence:
    """The same principal, had it the grant: the engine itself says whether asking would help."""
    if principal.identity is UNREADABLE:
        return principal
    key = None if bucket.kms_policy is None else bucket.kms_key_arn
    made = statements(
        target,
        level,
        ends_at=now + timedelta(hours=1),
        kms_key_arn=key,
        sid_prefix="WhatIf",
        partition=partition_of(principal.arn),
    )
    document = parse_policy({"Version": "2012-10-17", "Statement": list(made)}, name="the grant")
    return replace(principal, identity=(*principal.identity, NamedPolicy("the grant", document, "inline")))


def _not_known(
    check: Check,
    context: Mapping[str, str | tuple[str, ...]],
    layers: PolicySet,
    principal: PrincipalEvidence,
    owner: str | None,
) -> Iterator[str]:
    """The context keys that the policies ask for and nothing here can know: where from the call comes, how the session
    is tagged and was assumed, how the request is made. They make the answer "depends", never a guess.

    Keys of S3 and KMS that do not belong to the action are not sent with it: there absence is the fact. So it is for
    the prefix of a listing of the whole bucket.
    """
    known = DERIVED | {key.lower() for key in context}
    for key in keys_asked(layers):
        absent = (
            key == "s3:prefix"
            or (key.startswith(("s3:", "kms:")) and not catalog.accepts_condition_key(check.action, key))
            or is_absent(key, principal, owner)
        )
        # INVARIANT: a key that a policy asks for is given, derived, certainly absent, or declared unknown.
        if key not in known and not absent:
            yield key


def context_of(
    principal: PrincipalEvidence,
    bucket: BucketEvidence,
    check: Check,
    now: datetime,
    absent: Collection[str] = (),
) -> tuple[dict[str, str | tuple[str, ...]], list[str]]:
    """The context keys of a call whose values are known, and those of which only the real call knows the value."""
    owner, layers = _owner_and_layers(principal, bucket, check)
    context: dict[str, str | tuple[str, ...]] = {
        "aws:CurrentTime": format_instant(now),
        "aws:SecureTransport": "true",
        **facts(principal, owner),
        **_spelled(check),
    }
    if ":kms:" in check.resource_arn:
        context["kms:CallerAccount"] = principal.account
    elif owner is not None:
        context["s3:ResourceAccount"] = owner
    unknown = [key for key in _not_known(check, context, layers, principal, owner) if key not in absent]
    unknown += principal.unknown
    if principal.iam_arn is None:
        unknown.append("aws:PrincipalArn")
    else:
        context["aws:PrincipalArn"] = principal.iam_arn
    if owner is None:
        unknown.append("aws:ResourceAccount")
    return context, unknown


def _owner_and_layers(
    principal: PrincipalEvidence, bucket: BucketEvidence, check: Check
) -> tuple[str | None, PolicySet]:
    """Whose account the resource of a call is in - None where that is not known - and the policies that decide."""
    of_key = ":kms:" in check.resource_arn
    layers = policy_set(principal, bucket, of_key=of_key)
    if check.resource_arn == _NO_RESOURCE:
        return principal.account, replace(layers, resource=None)
    return check.resource_arn.split(":")[4] if of_key else bucket.owner_account, layers


def decide(
    principal: PrincipalEvidence,
    bucket: BucketEvidence,
    check: Check,
    now: datetime,
    *,
    absent: Collection[str] = (),
) -> Response:
    """The engine's answer to one call on a bucket, an object in it or its key.

    absent: context keys, lower-case, of which it is known that the call does not carry them.
    """
    return authorize(*_request(principal, bucket, check, now, absent))


def _request(
    principal: PrincipalEvidence,
    bucket: BucketEvidence,
    check: Check,
    now: datetime,
    absent: Collection[str] = (),
) -> tuple[PolicySet, Request]:
    owner, layers = _owner_and_layers(principal, bucket, check)
    context, unknown = context_of(principal, bucket, check, now, absent)
    request = Request(
        principal=principal.arn,
        action=check.action,
        resource=check.resource_arn,
        resource_account=owner,
        context=context,
        unknown=unknown,
    )
    return layers, request
