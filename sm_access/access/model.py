"""An access request, its grant, and the transitions that are legal - as one pure fold over its events.

    SUBMITTED -> APPROVED -> APPLIED -> PROVEN | NOT_PROVABLE (and again, each way)
        |            `---------`----------`--> REVOKED -> COLLECTED
        |            `---------`----------`--> (the end comes) EXPIRED -> COLLECTED
        `-> REJECTED | WITHDRAWN

EXPIRED is not an event: it is what a grant is from its end on, whether or not anybody noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from sm_access.access.caller import Caller
from sm_access.access.events import (
    Applied,
    Approved,
    Collected,
    Event,
    NotProvable,
    Proven,
    Rejected,
    Revoked,
    Submitted,
    Withdrawn,
)
from sm_access.access.level import Level
from sm_access.access.levels import Statement
from sm_access.access.target import S3Target
from sm_access.errors import IllegalTransition

__all__ = ["AccessRequest", "Caller", "Grant", "Level", "Status", "advance", "fold"]


class Status(str, Enum):
    """Where an access request stands."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    APPLIED = "applied"
    PROVEN = "proven"
    NOT_PROVABLE = "not-provable"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    EXPIRED = "expired"
    COLLECTED = "collected"


IN_FORCE = frozenset({Status.APPROVED, Status.APPLIED, Status.PROVEN, Status.NOT_PROVABLE})
"""Statuses of a grant that has not ended. APPROVED is among them: decided, and to be put on the role."""

ON_ROLE = IN_FORCE - {Status.APPROVED}
"""Statuses of a grant that was seen on its role."""

_LEGAL: Mapping[type[Event], tuple[frozenset[Status], Status, str]] = {
    Approved: (frozenset({Status.SUBMITTED}), Status.APPROVED, "approved"),
    Rejected: (frozenset({Status.SUBMITTED}), Status.REJECTED, "rejected"),
    Withdrawn: (frozenset({Status.SUBMITTED}), Status.WITHDRAWN, "withdrawn"),
    Applied: (frozenset({Status.APPROVED}), Status.APPLIED, "applied"),
    Proven: (ON_ROLE, Status.PROVEN, "proven"),
    NotProvable: (ON_ROLE, Status.NOT_PROVABLE, "proven"),
    Revoked: (IN_FORCE, Status.REVOKED, "revoked"),
    Collected: (frozenset({Status.REVOKED, Status.EXPIRED}), Status.COLLECTED, "collected"),
}

_REMEDY: Mapping[Status, str] = {
    Status.SUBMITTED: "It waits for a reviewer: sm-access inbox.",
    Status.REJECTED: "Ask again with what the reviewer wanted to know: sm-access request.",
    Status.WITHDRAWN: "Ask again: sm-access request.",
    Status.REVOKED: "Ask again: sm-access request.",
    Status.EXPIRED: "Ask again: sm-access request.",
    Status.COLLECTED: "Ask again: sm-access request.",
    Status.APPROVED: "Put it on the role: sm-access reconcile. To end it: sm-access revoke {id}.",
    Status.APPLIED: "To end it before its time: sm-access revoke {id}.",
    Status.PROVEN: "To end it before its time: sm-access revoke {id}.",
    Status.NOT_PROVABLE: "To end it before its time: sm-access revoke {id}.",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """What an approval issues: statements on a role, from `starts_at` to `ends_at`.

    `sha256` binds the exact statements, `terms_sha256` what the reviewer was shown.
    """

    id: str
    role_arn: str
    target: S3Target
    level: Level
    starts_at: datetime
    ends_at: datetime
    statements: tuple[Statement, ...]
    sha256: str
    approved_by: Caller
    terms_sha256: str


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """An access request as its events leave it. `status` is that of the last event: ask `status_at` for
    today's.

    `version` counts its events; an append names it, so that two writers cannot both win.
    """

    id: str
    requester: Caller
    claimed_person: str | None
    role_arn: str
    target: S3Target
    level: Level
    duration: timedelta
    reason: str
    kms_key_arn: str | None
    region: str | None
    status: Status
    submitted_at: datetime
    terms_sha256: str
    grant: Grant | None
    events: tuple[Event, ...]

    @property
    def version(self) -> int:
        return len(self.events)

    def status_at(self, now: datetime) -> Status:
        """The status at a moment, the end of the grant included: at `ends_at` itself it is over."""
        if self.grant is not None and self.status in IN_FORCE and now >= self.grant.ends_at:
            return Status.EXPIRED
        return self.status

    def in_force_at(self, now: datetime) -> bool:
        """True while the role is to carry the grant."""
        return self.status_at(now) in IN_FORCE


def fold(events: Iterable[Event]) -> AccessRequest:
    """The state that a stream of events leaves. Raises IllegalTransition for a stream that cannot have
    happened."""
    stream = tuple(events)
    if not stream or not isinstance(stream[0], Submitted):
        raise IllegalTransition(
            "A stream of events in the ledger does not begin with a submission.",
            remedy="Compare the ledger with a backup before going on.",
        )
    first = stream[0]
    request = AccessRequest(
        id=first.id,
        requester=first.requester,
        claimed_person=first.claimed_person,
        role_arn=first.role_arn,
        target=first.target,
        level=first.level,
        duration=first.duration,
        reason=first.reason,
        kms_key_arn=first.kms_key_arn,
        region=first.region,
        status=Status.SUBMITTED,
        submitted_at=first.at,
        terms_sha256=first.terms_sha256,
        grant=None,
        events=(first,),
    )
    for event in stream[1:]:
        request = advance(request, event)
    return request


def advance(request: AccessRequest, event: Event) -> AccessRequest:
    """The state after one more event. Raises IllegalTransition, saying where the access request stands
    instead."""
    # INVARIANT: states come from here alone, so that no state exists which the table does not allow.
    status = request.status_at(event.at)
    if isinstance(event, Submitted):
        raise _illegal(request, status, "submitted")
    allowed, then, word = _LEGAL[type(event)]
    if status not in allowed:
        raise _illegal(request, status, word)
    grant = _granted(request, event) if isinstance(event, Approved) else request.grant
    return replace(request, status=then, grant=grant, events=(*request.events, event))


def _illegal(request: AccessRequest, status: Status, word: str) -> IllegalTransition:
    return IllegalTransition(
        f"Access request {request.id} is {status.value} and cannot be {word}.",
        remedy=_REMEDY[status].format(id=request.id),
    )


def _granted(request: AccessRequest, event: Approved) -> Grant:
    return Grant(
        id=f"g-{request.id.removeprefix('r-')}",
        role_arn=request.role_arn,
        target=request.target,
        level=request.level,
        starts_at=event.at,
        ends_at=event.ends_at,
        statements=event.statements,
        sha256=event.grant_sha256,
        approved_by=event.reviewer,
        terms_sha256=event.terms_sha256,
    )
