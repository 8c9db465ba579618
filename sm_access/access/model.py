"""An access request, its grant, and the transitions that are legal - as one pure fold over its events.

    SUBMITTED (narrowed, endorsed) -> APPROVED -> APPLIED -> PROVEN | NOT_PROVABLE (and again, each way)
        |                                 `---------`----------`--> REVOKED | RELEASED -> COLLECTED
        |                                 `---------`----------`--> (the end comes) EXPIRED -> COLLECTED
        `-> REJECTED | WITHDRAWN

A reviewer who narrows leaves the request waiting, with smaller terms; one of several whose agreement it takes leaves
it waiting for the others. A rule may approve, and in an emergency the requester may take it: both come to APPROVED,
and the grant says how. EXPIRED is not an event: it is what a grant is from its end on, whether or not anybody noticed.
That AWS denies it from then on may be shown and written down (EndProbed), which changes nothing. A renewal is an
access request of its own with a grant of its own, which names the one that it extends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from sm_access.access.caller import Caller, same_principal
from sm_access.access.events import (
    Applied,
    Approved,
    AutoApproved,
    Collected,
    Endorsed,
    EndProbed,
    Event,
    GlassBroken,
    Narrowed,
    NotProvable,
    Proven,
    Rejected,
    Released,
    Revoked,
    Submitted,
    Withdrawn,
)
from sm_access.access.level import Extra, Level
from sm_access.access.levels import Statement
from sm_access.access.target import S3Target
from sm_access.errors import IllegalTransition

__all__ = ["AccessRequest", "Caller", "Grant", "Level", "Status", "Terms", "advance", "fold"]


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
    RELEASED = "released"
    EXPIRED = "expired"
    COLLECTED = "collected"


IN_FORCE = frozenset({Status.APPROVED, Status.APPLIED, Status.PROVEN, Status.NOT_PROVABLE})
"""Statuses of a grant that has not ended. APPROVED is among them: decided, and to be put on the role."""

ON_ROLE = IN_FORCE - {Status.APPROVED}
"""Statuses of a grant that was seen on its role."""

ENDED = frozenset({Status.REVOKED, Status.RELEASED, Status.EXPIRED})
"""Statuses of a grant that is over and may still be on its role."""

_WAITING = frozenset({Status.SUBMITTED})
_LEGAL: Mapping[type[Event], tuple[frozenset[Status], Status | None, str]] = {
    Narrowed: (_WAITING, Status.SUBMITTED, "narrowed"),
    Endorsed: (_WAITING, Status.SUBMITTED, "approved"),
    Approved: (_WAITING, Status.APPROVED, "approved"),
    AutoApproved: (_WAITING, Status.APPROVED, "approved"),
    GlassBroken: (_WAITING, Status.APPROVED, "taken in an emergency"),
    Rejected: (_WAITING, Status.REJECTED, "rejected"),
    Withdrawn: (_WAITING, Status.WITHDRAWN, "withdrawn"),
    Applied: (frozenset({Status.APPROVED}), Status.APPLIED, "applied"),
    Proven: (ON_ROLE, Status.PROVEN, "proven"),
    NotProvable: (ON_ROLE, Status.NOT_PROVABLE, "proven"),
    EndProbed: (ENDED | {Status.COLLECTED}, None, "shown to be over"),  # which changes nothing
    Revoked: (IN_FORCE, Status.REVOKED, "revoked"),
    Released: (IN_FORCE, Status.RELEASED, "released"),
    Collected: (ENDED, Status.COLLECTED, "collected"),
}

_AGAIN = "Ask again: sm-access request."
_END = "To end it before its time: sm-access release {id}, or sm-access revoke {id}."
_REMEDY: Mapping[Status, str] = {
    Status.SUBMITTED: "It waits for a reviewer: sm-access inbox.",
    Status.REJECTED: "Ask again with what the reviewer wanted to know: sm-access request.",
    Status.WITHDRAWN: _AGAIN,
    Status.REVOKED: _AGAIN,
    Status.RELEASED: _AGAIN,
    Status.EXPIRED: _AGAIN,
    Status.COLLECTED: _AGAIN,
    Status.APPROVED: "Put it on the role: sm-access reconcile. To end it: sm-access revoke {id}.",
    Status.APPLIED: _END,
    Status.PROVEN: _END,
    Status.NOT_PROVABLE: _END,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What exactly is asked for: all that the statements of a grant are made of, and nothing else."""

    role_arn: str
    target: S3Target
    level: Level
    duration: timedelta
    kms_key_arn: str | None = None
    region: str | None = None
    extras: tuple[Extra, ...] = ()
    source_identity: str | None = None

    def within(self, other: Terms) -> bool:
        """True when these allow nothing that those do not: less of it, for as long or shorter. Every level lists, so
        listing is less than any; no other level includes another."""
        same = replace(
            self, target=other.target, level=other.level, duration=other.duration, extras=other.extras
        )
        return (
            same == other
            and self.level in (other.level, Level.LIST)
            and other.target.covers(self.target)
            and self.duration <= other.duration
            and set(self.extras) <= set(other.extras)
        )


@dataclass(frozen=True, slots=True)
class Grant:
    """What a decision issues: statements on a role, from `starts_at` to `ends_at`.

    `sha256` binds the exact statements, `terms_sha256` what was decided on. `approvers`: the reviewers who agreed;
    none where `rule` names the rule that did, or `emergency` says why the requester took it.
    """

    id: str
    role_arn: str
    target: S3Target
    level: Level
    starts_at: datetime
    ends_at: datetime
    statements: tuple[Statement, ...]
    sha256: str
    terms_sha256: str
    approvers: tuple[Caller, ...]
    rule: str = ""
    emergency: str = ""
    extras: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """An access request as its events leave it. `status` is that of the last event: ask `status_at` for
    today's.

    `terms`: what is asked for now, after any narrowing. `asked`: what was asked for at first. `endorsers`: who has
    agreed to the terms of now, one for each principal. `version` counts its events; an append names it, so that two
    writers cannot both win.
    """

    id: str
    requester: Caller
    claimed_person: str | None
    terms: Terms
    asked: Terms
    reason: str
    extends: str | None
    status: Status
    submitted_at: datetime
    terms_sha256: str
    endorsers: tuple[Caller, ...]
    grant: Grant | None
    events: tuple[Event, ...]

    @property
    def version(self) -> int:
        return len(self.events)

    @property
    def role_arn(self) -> str:
        return self.terms.role_arn

    @property
    def target(self) -> S3Target:
        return self.terms.target

    @property
    def level(self) -> Level:
        return self.terms.level

    @property
    def duration(self) -> timedelta:
        return self.terms.duration

    @property
    def kms_key_arn(self) -> str | None:
        return self.terms.kms_key_arn

    def status_at(self, now: datetime) -> Status:
        """The status at a moment, the end of the grant included: at `ends_at` itself it is over."""
        if self.grant is not None and self.status in IN_FORCE and now >= self.grant.ends_at:
            return Status.EXPIRED
        return self.status

    def in_force_at(self, now: datetime) -> bool:
        """True while the role is to carry the grant."""
        return self.status_at(now) in IN_FORCE


def askers(request: AccessRequest) -> tuple[str, ...]:
    """Who asked and who gains, each principal once: neither decides, and neither may become who does."""
    both = (request.role_arn, request.requester.principal)
    return both[:1] if same_principal(*both) else both


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
    terms = Terms(
        role_arn=first.role_arn,
        target=first.target,
        level=first.level,
        duration=first.duration,
        kms_key_arn=first.kms_key_arn,
        region=first.region,
        extras=first.extras,
        source_identity=first.source_identity,
    )
    request = AccessRequest(
        id=first.id,
        requester=first.requester,
        claimed_person=first.claimed_person,
        terms=terms,
        asked=terms,
        reason=first.reason,
        extends=first.extends,
        status=Status.SUBMITTED,
        submitted_at=first.at,
        terms_sha256=first.terms_sha256,
        endorsers=(),
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
    after = replace(request, status=then or request.status, events=(*request.events, event))
    if isinstance(event, Narrowed):
        return _narrowed(after, event)
    if isinstance(event, Endorsed):
        return replace(after, endorsers=_with(request, event.reviewer, event.terms_sha256))
    if isinstance(event, GlassBroken) and not same_principal(event.caller.arn, request.requester.arn):
        raise _illegal(request, status, "taken in an emergency by who did not ask for it")
    if isinstance(event, Approved | AutoApproved | GlassBroken):
        return replace(after, grant=_granted(request, event))
    return after


def _narrowed(request: AccessRequest, event: Narrowed) -> AccessRequest:
    terms = replace(
        request.terms, target=event.target, level=event.level, duration=event.duration, extras=event.extras
    )
    # INVARIANT: a reviewer can take away, and never add to what the requester asked for.
    if terms == request.terms or not terms.within(request.terms):
        raise IllegalTransition(
            f"Access request {request.id} can only be narrowed: less than it asks for, and not the same.",
            remedy="Take away from place, time or extras, or leave listing alone; reject it where it needs another.",
        )
    return replace(request, terms=terms, terms_sha256=event.terms_sha256, endorsers=())


def _with(request: AccessRequest, reviewer: Caller, terms_sha256: str) -> tuple[Caller, ...]:
    """Those who have agreed, and one more. Each principal counts once, and only for the terms of now."""
    # INVARIANT: a second session of one principal is no second pair of eyes.
    if any(same_principal(reviewer.arn, other.arn) for other in request.endorsers):
        raise IllegalTransition(
            f"{reviewer.principal} has agreed to access request {request.id} before.",
            remedy="It waits for another reviewer.",
        )
    if terms_sha256 != request.terms_sha256:
        raise IllegalTransition(
            f"An approval of access request {request.id} is of other terms than it has.",
            remedy=f"Look at it again: sm-access show {request.id}.",
        )
    return (*request.endorsers, reviewer)


def _illegal(request: AccessRequest, status: Status, word: str) -> IllegalTransition:
    return IllegalTransition(
        f"Access request {request.id} is {status.value} and cannot be {word}.",
        remedy=_REMEDY[status].format(id=request.id),
    )


def _granted(request: AccessRequest, event: Approved | AutoApproved | GlassBroken) -> Grant:
    return Grant(
        id=f"g-{request.id.removeprefix('r-')}",
        role_arn=request.role_arn,
        target=request.target,
        level=request.level,
        starts_at=event.at,
        ends_at=event.ends_at,
        statements=event.statements,
        sha256=event.grant_sha256,
        terms_sha256=event.terms_sha256,
        approvers=_with(request, event.reviewer, event.terms_sha256) if isinstance(event, Approved) else (),
        rule=event.rule if isinstance(event, AutoApproved) else "",
        emergency=event.words if isinstance(event, GlassBroken) else "",
        extras=request.terms.extras,
    )
