"""May this principal do this there? The engine's answers to every call that the question implies, folded into one.

A level is several calls, and some of them concern the bucket's key: "read" on a bucket whose key is closed is no,
because of the key. The worst answer decides, and is the one that is explained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sm_access.access.evidence import BucketEvidence, PrincipalEvidence, Unread, policy_set
from sm_access.access.levels import Check, checks
from sm_access.access.model import Level
from sm_access.access.target import S3Target
from sm_access.policy import Decision, Request, Response, authorize

#: Worst first: an explicit deny cannot be granted away, so it is what a person must hear first.
_SEVERITY = (Decision.EXPLICIT_DENY, Decision.IMPLICIT_DENY, Decision.UNDETERMINED, Decision.ALLOW)


@dataclass(frozen=True, slots=True)
class Finding:
    """One call that the question implies, and the engine's answer to it."""

    check: Check
    response: Response


@dataclass(frozen=True, slots=True)
class Verdict:
    """The folded answer.

    asked: a level or an action, as the person put it. read_at: the oldest reading used.
    unsettled: what makes a yes uncertain although each finding says yes, in words; '' where nothing does.
    """

    principal: str
    target: S3Target
    asked: str
    findings: tuple[Finding, ...]
    read_at: datetime
    unread: tuple[Unread, ...]
    unsettled: str = ""

    @property
    def deciding(self) -> Finding:
        """The finding that decides: the worst, and among equals the first."""
        return min(self.findings, key=lambda finding: _SEVERITY.index(finding.response.decision))

    @property
    def decision(self) -> Decision:
        decision = self.deciding.response.decision
        # INVARIANT: what could not be read never turns into a yes.
        return Decision.UNDETERMINED if self.unsettled and decision is Decision.ALLOW else decision


def judge(
    principal: PrincipalEvidence,
    bucket: BucketEvidence,
    target: S3Target,
    asked: Level | str,
    *,
    now: datetime,
    calls: Sequence[Check] | None = None,
) -> Verdict:
    """Answer for a level, or for an action given as the calls it implies. `now` becomes `aws:CurrentTime`."""
    implied = calls if calls is not None else checks(target, Level(asked), kms_key_arn=bucket.kms_key_arn)
    return Verdict(
        principal=principal.arn,
        target=target,
        asked=asked.value if isinstance(asked, Level) else asked,
        findings=tuple(Finding(check, _decide(principal, bucket, check, now)) for check in implied),
        read_at=min(principal.read_at, bucket.read_at),
        unread=(*principal.unread, *bucket.unread),
        unsettled="" if bucket.encryption_read else f"the encryption of {bucket.bucket}, which could not be read",
    )


def _decide(principal: PrincipalEvidence, bucket: BucketEvidence, check: Check, now: datetime) -> Response:
    of_key = check.action.startswith("kms:")
    owner = check.resource_arn.split(":")[4] if of_key else bucket.owner_account
    context = {"aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "aws:SecureTransport": "true"}
    request = Request(
        principal=principal.arn,
        action=check.action,
        resource=check.resource_arn,
        resource_account=owner,
        context={**context, **check.context},
    )
    return authorize(policy_set(principal, bucket, of_key=of_key), request)
