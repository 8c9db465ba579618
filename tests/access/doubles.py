"""In-memory twins of the ports, and a handful of people."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from sm_access.access import (
    AccessRequest,
    Caller,
    Desk,
    Ledger,
    Level,
    Outcome,
    Probe,
    ProbeResult,
    Rules,
    S3Target,
)
from sm_access.access.instant import parse_instant
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
    """A RoleWriter in memory. `fuse`: after so many calls, the process is killed - before or after the call counts."""

    def __init__(self, documents: Mapping[str, Any] | None = None) -> None:
        self.documents: dict[str, Any] = dict(documents or {})
        self.calls: list[tuple[str, str]] = []
        self.before_call: Callable[[str], None] = lambda _: None
        self.after_call: Callable[[str], None] = lambda _: None

    def read(self, role_arn: str) -> dict[str, Any]:
        with_effect = self._call("read", role_arn)
        found = copy.deepcopy(self.documents)
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


def desk(ledger: Ledger | None = None, clock: StoppedClock | None = None, rules: Any = None) -> Desk:
    numbers = itertools.count(1)
    return Desk(
        ledger if ledger is not None else MemoryLedger(),
        Rules.from_dict(RULES if rules is None else rules),
        clock or StoppedClock(),
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
) -> AccessRequest:
    return at.submit(requester, role, S3Target.parse(uri), level, duration, "churn model", kms_key_arn=key)


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
