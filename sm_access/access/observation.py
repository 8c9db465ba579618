"""Where an answer comes from when the role's policies may not be read, and what was seen when something was tried.

Sources in the order in which they are asked, each only where the one before leaves the answer open: the policies
themselves, a snapshot of them that an admin published, AWS's own simulation, and read-only calls that a person agreed
to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sm_access.access.levels import LIST_ACTION, Check
from sm_access.access.probe import Outcome
from sm_access.policy import Arn, Decision


class Source(str, Enum):
    """What an answer can rest on."""

    POLICIES = "policies"
    SNAPSHOT = "snapshot"
    SIMULATION = "simulation"
    PROBE = "probe"


@dataclass(frozen=True, slots=True)
class Origin:
    """One source that an answer rests on, beside the policies read just now. by: the ARN of who published a snapshot,
    as it says itself."""

    source: Source
    at: datetime
    by: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A source that was asked and did not help, or was not asked. why: in words. permission: what would make it help.

    would_say: what a snapshot too old to rely on comes to.
    """

    source: Source
    why: str
    permission: str = ""
    would_say: Decision | None = None


class Call(str, Enum):
    """The calls that are made to see: ListObjectsV2 with MaxKeys 0, GetObject of one byte."""

    LIST = "ListObjectsV2"
    READ = "GetObject"


@dataclass(frozen=True, slots=True)
class Observation:
    """One call and what came of it. name: the prefix that was listed, or the key that was read.

    It shows what that call did at that moment, and no more. detail: AWS's code for the outcome; message: AWS's words
    for a refusal.
    """

    call: Call
    bucket: str
    name: str
    outcome: Outcome
    at: datetime
    detail: str = ""
    message: str = ""


def seen(check: Check, observations: tuple[Observation, ...]) -> Decision | None:
    """What the observations make of a call that was asked about; None where they say nothing of it.

    # INVARIANT: ALLOW only where the very call was made and worked; a read object stands for no other.
    A refused call within a place shows that not all of it is open; which policy refuses it, S3 does not always say: it
    counts as an implicit deny.
    """
    for observation in observations:
        decision = _seen(check, observation)
        if decision is Decision.IMPLICIT_DENY:
            return decision
    found = {_seen(check, observation) for observation in observations}
    return Decision.ALLOW if Decision.ALLOW in found else None


def _seen(check: Check, observation: Observation) -> Decision | None:
    if observation.outcome not in {Outcome.ALLOWED, Outcome.DENIED} or not _is_about(check, observation):
        return None
    if observation.outcome is Outcome.DENIED:
        return Decision.IMPLICIT_DENY
    place = _place(check.resource_arn)
    exact = observation.call is Call.LIST or place == f"{observation.bucket}/{observation.name}"
    return Decision.ALLOW if exact else None


def _is_about(check: Check, observation: Observation) -> bool:
    if observation.call is Call.LIST:
        return (
            check.action == LIST_ACTION
            and _place(check.resource_arn) == observation.bucket
            and check.context.get("s3:prefix", "") == observation.name
        )
    place = _place(check.resource_arn)
    name = f"{observation.bucket}/{observation.name}"
    within = name.startswith(place[:-1]) if place.endswith("*") else name == place
    return check.action == "s3:GetObject" and within


def _place(arn: str) -> str:
    found = Arn.read(arn)
    return found.resource if found is not None and found.service == "s3" else ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The calls that would be made to see. lists: prefixes; reads: keys; finds: prefixes, to read their first key."""

    bucket: str
    lists: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    finds: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lists or self.reads or self.finds)


def plan_for(bucket: str, open_checks: Iterable[Check]) -> Plan:
    """The read-only calls that could settle checks that are open. Writing, deleting and using a key are never tried."""
    lists: dict[str, None] = {}
    reads: dict[str, None] = {}
    finds: dict[str, None] = {}
    for check in open_checks:
        if check.action == LIST_ACTION:
            lists[check.context.get("s3:prefix", "")] = None
        elif check.action == "s3:GetObject":
            key = _place(check.resource_arn).partition("/")[2]
            if key.endswith("*"):
                finds[key[:-1]] = None
            else:
                reads[key] = None
    return Plan(bucket, tuple(lists), tuple(reads), tuple(finds))
