"""What happens to an access request, one frozen value for each thing that can happen.

The ledger holds these and nothing else; the state of an access request is a fold over them (`model`), never
a column. All moments are aware, in UTC and of whole seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sm_access.access.caller import Caller
from sm_access.access.level import Extra, Level
from sm_access.access.levels import Statement
from sm_access.access.probe import ProofFinding, ProofStep
from sm_access.access.target import S3Target


@dataclass(frozen=True, slots=True)
class Submitted:
    """Somebody asked. `claimed_person` and `reason` are the requester's words and prove nothing.

    `source_identity`: the grant is for sessions with this `aws:SourceIdentity` alone; None: for everyone on the
    role. `extends`: the access request that this one renews.
    """

    at: datetime
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
    extras: tuple[Extra, ...]
    source_identity: str | None
    extends: str | None
    terms_sha256: str


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A reviewer took away from what is asked for, and why. What others had agreed to before counts no more."""

    at: datetime
    reviewer: Caller
    target: S3Target
    level: Level
    duration: timedelta
    extras: tuple[Extra, ...]
    words: str
    terms_sha256: str


@dataclass(frozen=True, slots=True)
class Endorsed:
    """A reviewer agreed to the terms of this hash where more than one has to."""

    at: datetime
    reviewer: Caller
    terms_sha256: str


@dataclass(frozen=True, slots=True)
class Approved:
    """The last reviewer that it takes agreed to the terms of this hash. The clock starts here: `at` is the
    start, `ends_at` the end."""

    at: datetime
    reviewer: Caller
    terms_sha256: str
    ends_at: datetime
    statements: tuple[Statement, ...]
    grant_sha256: str


@dataclass(frozen=True, slots=True)
class AutoApproved:
    """No person agreed, but a rule of this name that somebody wrote for just this. `caller`: who had it applied."""

    at: datetime
    caller: Caller
    rule: str
    terms_sha256: str
    ends_at: datetime
    statements: tuple[Statement, ...]
    grant_sha256: str


@dataclass(frozen=True, slots=True)
class GlassBroken:
    """The requester took it in an emergency, within what the rules leave for that, and said why. The loudest of
    events: everyone who could have decided is told."""

    at: datetime
    caller: Caller
    words: str
    terms_sha256: str
    ends_at: datetime
    statements: tuple[Statement, ...]
    grant_sha256: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A reviewer said no, and why."""

    at: datetime
    reviewer: Caller
    words: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The requester's own role took it back before a decision."""

    at: datetime
    caller: Caller


@dataclass(frozen=True, slots=True)
class Applied:
    """The role carries the statements: they were read back."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Proven:
    """Every probe against AWS came to what the grant promises."""

    at: datetime
    steps: tuple[ProofStep, ...]


@dataclass(frozen=True, slots=True)
class NotProvable:
    """At least one probe did not, or told nothing."""

    at: datetime
    steps: tuple[ProofStep, ...]


@dataclass(frozen=True, slots=True)
class EndProbed:
    """After the end: whether AWS denies what the grant had allowed. The grant is over whatever this says."""

    at: datetime
    finding: ProofFinding
    steps: tuple[ProofStep, ...]


@dataclass(frozen=True, slots=True)
class Revoked:
    """A reviewer ended it before its time, and why."""

    at: datetime
    caller: Caller
    words: str


@dataclass(frozen=True, slots=True)
class Released:
    """The requester's own role needs it no longer."""

    at: datetime
    caller: Caller


@dataclass(frozen=True, slots=True)
class Collected:
    """The role carries nothing of it any more: that was read back."""

    at: datetime


Event = (
    Submitted
    | Narrowed
    | Endorsed
    | Approved
    | AutoApproved
    | GlassBroken
    | Rejected
    | Withdrawn
    | Applied
    | Proven
    | NotProvable
    | EndProbed
    | Revoked
    | Released
    | Collected
)
