"""What a reviewer agrees to, as a hash; and whether a grant is still that.

The terms are known at submission and do not change: the role, and the statements with the duration in the
place of the end, because the clock starts at approval. The grant binds the final statements, end included.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sm_access.access.caller import same_principal
from sm_access.access.canonical import sha256
from sm_access.access.instant import whole_second
from sm_access.access.level import Level
from sm_access.access.levels import Statement, statements, statements_until
from sm_access.access.model import AccessRequest, Grant
from sm_access.access.target import S3Target


def sid_prefix(request_id: str) -> str:
    """What the Sids of a grant begin with: its own id without what a Sid may not hold. No word of the
    requester's."""
    return "SmAccess" + "".join(filter(str.isalnum, request_id.removeprefix("r-")))


def terms_sha256(
    *,
    request_id: str,
    role_arn: str,
    target: S3Target,
    level: Level,
    duration: timedelta,
    kms_key_arn: str | None,
    region: str | None,
) -> str:
    """The hash that a review binds: role and statements, the end written as `after 604800 seconds`."""
    made = _statements_after(request_id, role_arn, target, level, duration, kms_key_arn, region)
    return sha256({"role": role_arn, "statements": made})


def terms_of(request: AccessRequest) -> tuple[Statement, ...]:
    """The statements as a reviewer is shown them and as `terms_sha256` binds them: the end is a duration."""
    return _statements_after(
        request.id,
        request.role_arn,
        request.target,
        request.level,
        request.duration,
        request.kms_key_arn,
        request.region,
    )


def _statements_after(
    request_id: str,
    role_arn: str,
    target: S3Target,
    level: Level,
    duration: timedelta,
    kms_key_arn: str | None,
    region: str | None,
) -> tuple[Statement, ...]:
    return statements_until(
        target,
        level,
        end=f"after {int(duration.total_seconds())} seconds",
        kms_key_arn=kms_key_arn,
        region=region,
        sid_prefix=sid_prefix(request_id),
        partition=partition_of(role_arn),
    )


def statements_for(request: AccessRequest, ends_at: datetime) -> tuple[Statement, ...]:
    """The exact statements that approving this access request puts on its role, ending at a moment."""
    return statements(
        request.target,
        request.level,
        ends_at=ends_at,
        kms_key_arn=request.kms_key_arn,
        region=request.region,
        sid_prefix=sid_prefix(request.id),
        partition=partition_of(request.role_arn),
    )


def statements_sha256(made: tuple[Statement, ...]) -> str:
    """The hash of exact final statements."""
    return sha256(made)


def partition_of(arn: str) -> str:
    """`arn:aws-cn:...` -> `aws-cn`."""
    return arn.split(":")[1]


def faults(request: AccessRequest, grant: Grant) -> tuple[str, ...]:
    """Why a grant must not be put on its role, in words; empty when it is what its reviewer agreed to.

    Everything is worked out again from the access request, so a ledger whose statements were replaced
    together with their hash is caught as well: what a level means is not the ledger's to say.
    """
    # INVARIANT: a grant reaches a role only when this is empty.
    found = []
    if same_principal(grant.approved_by.arn, request.requester.arn):
        found.append("the requester approved it")
    if same_principal(grant.approved_by.arn, grant.role_arn):
        found.append("the role that gains it approved it")
    if grant.sha256 != statements_sha256(grant.statements):
        found.append("its statements are not those that were approved")
    if grant.ends_at != whole_second(grant.starts_at + request.duration):
        found.append("its end is not the one that was approved")
    if grant.statements != statements_for(request, grant.ends_at):
        found.append("its statements are not those that the access request means")
    reviewed = terms_sha256(
        request_id=request.id,
        role_arn=request.role_arn,
        target=request.target,
        level=request.level,
        duration=request.duration,
        kms_key_arn=request.kms_key_arn,
        region=request.region,
    )
    if not reviewed == request.terms_sha256 == grant.terms_sha256:
        found.append("its terms are not those that were reviewed")
    return tuple(found)
