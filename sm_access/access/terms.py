"""What a reviewer agrees to, as a hash; and whether a grant is still that.

The terms are known at submission and do not change: the role, and the statements with the duration in the
place of the end, because the clock starts at approval. The grant binds the final statements, end included.
"""

from __future__ import annotations

from datetime import datetime

from sm_access.access.caller import same_principal
from sm_access.access.canonical import sha256
from sm_access.access.instant import format_instant, whole_second
from sm_access.access.levels import Statement, statements_until
from sm_access.access.model import AccessRequest, Grant, Terms


def sid_prefix(request_id: str) -> str:
    """What the Sids of a grant begin with: the id of its access request without what a Sid may not hold, so that it
    can be found from the console. No word of the requester's."""
    return "".join(filter(str.isalnum, request_id))


def terms_sha256(request_id: str, terms: Terms) -> str:
    """The hash that a review binds: role and statements, the end written as `after 604800 seconds`."""
    return sha256({"role": terms.role_arn, "statements": terms_statements(request_id, terms)})


def terms_of(request: AccessRequest) -> tuple[Statement, ...]:
    """The statements as a reviewer is shown them and as `terms_sha256` binds them: the end is a duration."""
    return terms_statements(request.id, request.terms)


def terms_statements(request_id: str, terms: Terms) -> tuple[Statement, ...]:
    """The statements of terms, with the duration in the place of the end."""
    return _until(request_id, terms, f"after {int(terms.duration.total_seconds())} seconds")


def statements_for(request: AccessRequest, ends_at: datetime) -> tuple[Statement, ...]:
    """The exact statements that approving this access request puts on its role, ending at a moment."""
    return _until(request.id, request.terms, format_instant(ends_at))


def _until(request_id: str, terms: Terms, end: str) -> tuple[Statement, ...]:
    return statements_until(
        terms.target,
        terms.level,
        end=end,
        kms_key_arn=terms.kms_key_arn,
        region=terms.region,
        sid_prefix=sid_prefix(request_id),
        partition=partition_of(terms.role_arn),
        extras=terms.extras,
        source_identity=terms.source_identity,
    )


def would_be_grant(request: AccessRequest, now: datetime) -> Grant:
    """The grant that approving an access request now would issue: for what it would take up."""
    ends_at = whole_second(now + request.duration)
    made = statements_for(request, ends_at)
    return Grant(
        id=request.id,
        role_arn=request.role_arn,
        target=request.target,
        level=request.level,
        starts_at=whole_second(now),
        ends_at=ends_at,
        statements=made,
        sha256=statements_sha256(made),
        terms_sha256=request.terms_sha256,
        approvers=(),
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
    for approver in grant.approvers:
        if same_principal(approver.arn, request.requester.arn):
            found.append("the requester approved it")
        if same_principal(approver.arn, grant.role_arn):
            found.append("the role that gains it approved it")
    if grant.sha256 != statements_sha256(grant.statements):
        found.append("its statements are not those that were approved")
    if grant.ends_at != whole_second(grant.starts_at + request.terms.duration):
        found.append("its end is not the one that was approved")
    if grant.statements != statements_for(request, grant.ends_at):
        found.append("its statements are not those that the access request means")
    if not terms_sha256(request.id, request.terms) == request.terms_sha256 == grant.terms_sha256:
        found.append("its terms are not those that were reviewed")
    return tuple(found)
