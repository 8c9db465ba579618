"""What the engine says of exactly the call that was refused: one answer for each permission that the call needs.

Of S3 the bucket's own policy is asked too, where it was read. Elsewhere the resource's policy is not read: it is
declared unreadable, so that an answer rests on the principal's own policies alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sm_access.access.call import NoticedBy
from sm_access.access.denied_call import DeniedCall
from sm_access.access.evidence import BucketEvidence, PrincipalEvidence
from sm_access.access.instant import format_instant
from sm_access.access.level import Level
from sm_access.access.levels import ENCRYPTION_CONTEXT, Check, checks
from sm_access.access.operations import CONTEXT, Need
from sm_access.access.target import S3Target
from sm_access.access.terms import partition_of
from sm_access.access.verdict import decide
from sm_access.errors import InvalidInput
from sm_access.policy import UNREADABLE, Decision, PolicySet, Request, Response, authorize
from sm_access.policy.policy_set import Unreadable

SSE = "s3:x-amz-server-side-encryption"
SSE_KEY = "s3:x-amz-server-side-encryption-aws-kms-key-id"
HEADERS = frozenset(key.lower() for key in CONTEXT.values())
"""What a recorder would have noted of a request on S3: not noted is not sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One permission, and the engine's answer."""

    need: Need
    response: Response

    @property
    def refuses(self) -> bool:
        return self.response.decision is not Decision.ALLOW


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine with all that was read. bucket: None where the call is not about one, or it could not be read."""

    principal: PrincipalEvidence
    bucket: BucketEvidence | None
    now: datetime

    @property
    def read_at(self) -> datetime:
        read = self.principal.read_at
        return min(read, self.bucket.read_at) if self.bucket else read

    def answers(self, denied: DeniedCall) -> tuple[Answer, ...]:
        """For all that the call needs, the bucket's key last."""
        absent = HEADERS if denied.call.noticed_by is NoticedBy.SDK and denied.needed else frozenset()
        return tuple(
            self.ask(need, absent - {key.lower() for key in need.context}) for need in self._needed(denied)
        )

    def ask(self, need: Need, absent: frozenset[str] = frozenset()) -> Answer:
        """absent: context keys, lower-case, that the call certainly does not carry."""
        return Answer(need, self._decide(need, absent))

    def _decide(self, need: Need, absent: frozenset[str]) -> Response:
        bucket = self.bucket
        if bucket is not None and _concerns(need, bucket):
            check = Check(need.action, need.resource, need.context)
            return decide(self.principal, bucket, check, self.now, absent=absent)
        named = need.resource.startswith("arn:")
        request = Request(
            principal=self.principal.arn,
            action=need.action,
            resource=need.resource if named else "*",
            context={"aws:CurrentTime": format_instant(self.now), **need.context},
            unknown=["*"],
        )
        organization = self.principal.organization
        service_control = None if isinstance(organization, Unreadable) else organization.service_control
        if isinstance(service_control, Unreadable):
            service_control = None  # a member account may never read it: named in `unread`
        layers = PolicySet(
            identity=self.principal.identity,
            permissions_boundary=self.principal.boundary,
            service_control=service_control,
            resource=UNREADABLE if named else None,
        )
        return authorize(layers, request)

    def _needed(self, denied: DeniedCall) -> Iterator[Need]:
        needed = denied.needed
        if not needed and denied.action and "*" not in denied.action:
            needed = (Need(denied.action, denied.resource or "*"),)
        yield from needed
        if not any(need.action.startswith("kms:") for need in needed):
            yield from self._key(denied)

    def _key(self, denied: DeniedCall) -> Iterator[Need]:
        """The key of the bucket's default encryption; the object may have been written with another."""
        bucket, level = self.bucket, denied.level
        if bucket is None or bucket.kms_key_arn is None or level is None:
            return
        try:
            implied = checks(S3Target(bucket.bucket), level, bucket.kms_key_arn, bucket_key=True)
        except InvalidInput:
            return  # a stand-in for AWS names its keys as it likes
        of_bucket = f"arn:{partition_of(self.principal.arn)}:s3:::{bucket.bucket}"
        of_object = f"{of_bucket}/{denied.path}"
        # With an S3 Bucket Key S3 names the bucket to KMS, without one the object; where it is not known, either.
        told = {True: (of_bucket,), False: (of_object,), None: (of_bucket, of_object)}[bucket.bucket_key]
        for check in implied:
            of_parts = level is Level.WRITE and check.action == "kms:Decrypt"
            if check.action.startswith("kms:") and not of_parts:
                for arn in told:
                    context = {**check.context, ENCRYPTION_CONTEXT: arn}
                    yield Need(check.action, check.resource_arn, context, exact=False)


def _concerns(need: Need, bucket: BucketEvidence) -> bool:
    """Whether it is about this bucket, its objects or its key."""
    _, is_s3, place = need.resource.partition(":s3:::")
    if is_s3:
        return place.partition("/")[0] == bucket.bucket
    return need.resource == bucket.kms_key_arn
