"""In-memory twins of the ports, and a handful of people."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from sm_access.access import (
    AccessRequest,
    Caller,
    Desk,
    Event,
    Facts,
    Ledger,
    Level,
    Outcome,
    Probe,
    ProbeResult,
    RolePolicies,
    Rules,
    S3Target,
    Terms,
    principal_key,
)
from sm_access.access.instant import parse_instant
from sm_access.access.planner import ATTACHED_LIMIT
from sm_access.stores import MemoryLedger

ACCOUNT = "111122223333"
START = datetime(2026, 11, 23, 17, tzinfo=timezone.utc)
WEEK = timedelta(days=7)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/notebooks"
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/training"
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
RULES = {"reviewers": [f"arn:aws:iam::{ACCOUNT}:role/Steward*"]}


def rules() -> Rules:
    return Rules.from_dict(RULES)


def session(role: str, name: str = "SageMaker", account: str = ACCOUNT) -> Caller:
    return Caller(f"arn:aws:sts::{account}:assumed-role/{role}/{name}", account, f"AROAEXAMPLE:{name}")


SCIENTIST = session("notebooks")
STEWARD = session("Stewards", "ann")


class StoppedClock:
    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def forward(self, **length: float) -> None:
        self.at += timedelta(**length)


class Killed(BaseException):
    """What a killed process does not survive: no handler of ours may catch it."""


class Roles:
    """A RoleWriter in memory, of one role. `before_call` and `after_call` may kill the process or stand for others."""

    def __init__(self, documents: Mapping[str, Any] | None = None, attached_others: int = 0) -> None:
        self.documents: dict[str, Any] = dict(documents or {})
        self.managed: dict[str, Any] = {}
        self.detached: set[str] = set()
        self.shared: set[str] = set()
        self.attached_others = attached_others
        self.calls: list[tuple[str, str]] = []
        self.before_call: Callable[[str], None] = lambda _: None
        self.after_call: Callable[[str], None] = lambda _: None

    def read(self, role_arn: str) -> RolePolicies:
        with_effect = self._call("read", role_arn)
        found = RolePolicies(
            copy.deepcopy(self.documents),
            copy.deepcopy(self.managed),
            frozenset(self.detached),
            frozenset(self.shared),
            self.attached_others,
        )
        with_effect()
        return found

    def put(self, role_arn: str, name: str, document: Any) -> None:
        done = self._call("put", name)
        self.documents[name] = copy.deepcopy(document)
        done()

    def delete(self, role_arn: str, name: str) -> None:
        done = self._call("delete", name)
        self.documents.pop(name, None)
        done()

    def put_managed(self, role_arn: str, name: str, document: Any) -> None:
        done = self._call("put_managed", name)
        self.managed[name] = copy.deepcopy(document)
        self.detached.discard(name)
        assert self.attached_others + len(self.managed) <= ATTACHED_LIMIT
        done()

    def delete_managed(self, role_arn: str, name: str) -> None:
        done = self._call("delete_managed", name)
        self.managed.pop(name, None)
        self.detached.discard(name)
        done()

    def writes(self) -> list[tuple[str, str]]:
        return [call for call in self.calls if call[0] != "read"]

    def _call(self, verb: str, name: str) -> Callable[[], None]:
        self.before_call(verb)
        self.calls.append((verb, name))
        return lambda: self.after_call(verb)


class Answers:
    """A Prober that answers each probe as a function says."""

    def __init__(self, answer: Callable[[Probe], Outcome]) -> None:
        self.answer = answer
        self.seen: list[Probe] = []

    def attempt(self, probe: Probe) -> ProbeResult:
        self.seen.append(probe)
        return ProbeResult(probe, self.answer(probe))


class People:
    """A Directory that knows what it is told. `asked` is what it was asked about."""

    def __init__(self, **facts: Facts) -> None:
        self.known = facts
        self.asked: list[tuple[str, str, str, str]] = []

    def facts(self, reviewer: Caller, askers: Collection[str], bucket: str, owner_tag: str) -> Facts:
        name = principal_key(reviewer.arn).rpartition("/")[2]
        self.asked.append((name, " ".join(askers), bucket, owner_tag))
        return self.known.get(name, Facts())


class Told:
    """A Notifier that remembers."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def tell(self, request: AccessRequest, event: Event) -> None:
        self.events.append(f"{request.id} {type(event).__name__}")


def desk(
    ledger: Ledger | None = None,
    clock: StoppedClock | None = None,
    rules: Any = None,
    directory: Any = None,
    notifier: Any = None,
) -> Desk:
    numbers = itertools.count(1)
    return Desk(
        ledger if ledger is not None else MemoryLedger(),
        Rules.from_dict(RULES if rules is None else rules),
        clock or StoppedClock(),
        directory,
        notifier,
        new_id=lambda: f"r-{next(numbers):08d}",
    )


def submit(
    at: Desk,
    uri: str = "s3://lake/raw/",
    level: Level = Level.READ,
    duration: timedelta = WEEK,
    *,
    role: str = ROLE,
    requester: Caller = SCIENTIST,
    key: str | None = None,
    **more: Any,
) -> AccessRequest:
    terms = Terms(role, S3Target.parse(uri), level, duration, key, **more)
    return at.submit(requester, terms, "churn model")


def approve(at: Desk, asked: AccessRequest) -> AccessRequest:
    return at.approve(asked.id, STEWARD, asked.terms_sha256)


def allowed(
    statements: Iterable[Mapping[str, Any]],
    action: str,
    resource: str,
    context: Mapping[str, str] | None = None,
    now: datetime = START,
) -> bool:
    """What IAM decides on statements of the few forms that a grant has, written apart from the engine."""
    return any(_matches(statement, action, resource, context or {}, now) for statement in statements)


def _matches(
    statement: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str], now: datetime
) -> bool:
    assert statement["Effect"] == "Allow"
    conditions = dict(statement["Condition"])
    (end,) = conditions.pop("DateLessThan").values()
    met = now < parse_instant(end)
    for key, values in conditions.pop("StringLike", {}).items():
        met = met and key in context and _like(values, context[key])
    for key, value in conditions.pop("StringEquals", {}).items():
        met = met and context.get(key) == value
    assert not conditions
    return met and _like(statement["Action"], action) and _like(statement["Resource"], resource)


def _like(patterns: str | list[str], value: str) -> bool:
    listed = [patterns] if isinstance(patterns, str) else patterns
    return any(
        re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), value, re.DOTALL)
        for pattern in listed
    )
