"""What the workflow needs from outside, as protocols. Each has an in-memory twin that passes the same
tests."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sm_access.access.caller import Caller
from sm_access.access.events import Event
from sm_access.access.evidence import BucketEvidence, PrincipalEvidence
from sm_access.access.levels import Check
from sm_access.access.model import AccessRequest
from sm_access.access.observation import Observation
from sm_access.access.probe import Probe, ProbeResult
from sm_access.access.reviewers import Facts
from sm_access.access.simulated import Simulation

Document = dict[str, Any]
"""A policy document as JSON: {"Version": ..., "Statement": [...]}."""


class Clock(Protocol):
    """The time, aware and in UTC."""

    def now(self) -> datetime: ...


class Ledger(Protocol):
    """Streams of events, one for each access request, to which events are only ever added.

    Every method raises LedgerUnavailable when the ledger cannot be read or written, or was tampered with.
    """

    def append(self, request_id: str, expected_version: int, events: Sequence[Event]) -> None:
        """Add all of the events or none. Raises LedgerConflict unless the stream has `expected_version`
        events."""

    def events(self, request_id: str) -> tuple[Event, ...]:
        """The stream of one access request, oldest first; empty when there is none."""

    def requests(self) -> tuple[str, ...]:
        """The ids of all access requests, in order of submission."""

    def streams(self) -> Mapping[str, tuple[Event, ...]]:
        """All streams as of one moment, in order of submission."""


@dataclass(frozen=True, slots=True)
class RolePolicies:
    """What a role carries.

    inline: ALL inline policies, whoever wrote them, name -> document: their size counts into the quota.
    managed: those customer-managed policies under our path and name that are attached to it, name -> document.
    detached: names of ours for this role that exist and are not attached. shared: names of ours that are attached to
    something else as well, which nobody decided on. attached_others: how many managed policies of others it has.
    """

    inline: Mapping[str, Document]
    managed: Mapping[str, Document] = field(default_factory=dict)
    detached: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    attached_others: int = 0


class RoleWriter(Protocol):
    """The policies of roles. Every write may be repeated, and may have been cut short before.

    Errors of AWS surface as AccessDenied, AwsUnreachable and the like; QuotaExceeded when AWS counts
    otherwise than we.
    """

    def read(self, role_arn: str) -> RolePolicies: ...

    def put(self, role_arn: str, name: str, document: Document) -> None:
        """Create or replace one inline policy. The text to send is `canonical.canonical_json(document)`."""

    def delete(self, role_arn: str, name: str) -> None:
        """Delete one inline policy; nothing happens when it is gone already."""

    def put_managed(self, role_arn: str, name: str, document: Document) -> None:
        """Create one customer-managed policy or make this its default version, and attach it."""

    def delete_managed(self, role_arn: str, name: str) -> None:
        """Detach one customer-managed policy and delete it; nothing happens when it is gone already."""


class Snapshots(Protocol):
    """Where an admin publishes what notebooks may not read themselves."""

    def read(self, name: str) -> bytes:
        """The document of this name (`snapshot.file_name`). Raises UnusableSnapshot, which says why there is
        none."""

    def write(self, name: str, content: bytes) -> str:
        """Publish the document, and say where. Errors of AWS surface as AccessDenied and the like."""


class Simulator(Protocol):
    """AWS's own simulation of what a principal's policies say."""

    def simulate(
        self,
        principal: PrincipalEvidence,
        bucket: BucketEvidence,
        checks: Sequence[Check],
        now: datetime,
    ) -> Sequence[Simulation | None]:
        """The answer to each check, in their order; None where none came. Raises AccessDenied, CannotTell."""


class Observer(Protocol):
    """Calls that read and change nothing, made to see what comes of them. Nothing is raised for what AWS answers."""

    def list(self, bucket: str, prefix: str) -> Observation:
        """ListObjectsV2 of exactly this prefix, MaxKeys 0."""

    def first_key(self, bucket: str, prefix: str) -> str | None:
        """The first key beneath a prefix; None where there is none, or none is told."""

    def read(self, bucket: str, key: str) -> Observation:
        """GetObject of the first byte."""


class Prober(Protocol):
    """Calls S3 with the credentials of the role that a grant is for."""

    def attempt(self, probe: Probe) -> ProbeResult:
        """Make one call and say what it came to. Does not raise for what AWS answers: that is the result."""


class Directory(Protocol):
    """What AWS says about people and buckets, where the rules ask for it."""

    def facts(self, reviewer: Caller, askers: Collection[str], bucket: str, owner_tag: str) -> Facts:
        """About a reviewer of something that `askers` - who asked, and the role that gains - would have in a bucket.
        `owner_tag`: the key of the tag that names the bucket's owners, '' where none is asked for. What cannot be read
        is None or named in `unread`; nothing is raised."""


class Notifier(Protocol):
    """Tells people what happened. Best effort: it raises nothing, and nothing waits for it."""

    def tell(self, request: AccessRequest, event: Event) -> None: ...
