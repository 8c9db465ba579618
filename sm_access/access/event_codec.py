"""Events as JSON and back, strictly: what is not exactly an event of this version is not read as one.

A field that is unknown, missing or of another type raises LedgerUnavailable. A ledger that a newer version
wrote is not half understood.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sm_access.access import events as kinds
from sm_access.access.caller import Caller
from sm_access.access.duration import LONGEST
from sm_access.access.events import Event
from sm_access.access.instant import format_instant, parse_instant
from sm_access.access.level import Extra, Level
from sm_access.access.levels import Statement
from sm_access.access.probe import Outcome, Probe, ProbeKind, ProbeResult, ProofFinding, ProofStep
from sm_access.access.target import S3Target
from sm_access.errors import InvalidInput, LedgerUnavailable

KINDS: Mapping[str, type[Event]] = {
    "submitted": kinds.Submitted,
    "narrowed": kinds.Narrowed,
    "endorsed": kinds.Endorsed,
    "approved": kinds.Approved,
    "auto-approved": kinds.AutoApproved,
    "glass-broken": kinds.GlassBroken,
    "rejected": kinds.Rejected,
    "withdrawn": kinds.Withdrawn,
    "applied": kinds.Applied,
    "proven": kinds.Proven,
    "not-provable": kinds.NotProvable,
    "end-probed": kinds.EndProbed,
    "revoked": kinds.Revoked,
    "released": kinds.Released,
    "collected": kinds.Collected,
}
_NAMES = {kind: name for name, kind in KINDS.items()}


def kind_of(event: Event) -> str:
    """The name of an event's kind, e.g. `submitted`."""
    return _NAMES[type(event)]


def encode_event(event: Event) -> dict[str, Any]:
    """The fields of an event as JSON values, without its kind."""
    return {name: _encode(getattr(event, name)) for name in type(event).__dataclass_fields__}


def decode_event(kind: str, body: Any) -> Event:
    """The inverse of `encode_event`. Raises LedgerUnavailable."""
    try:
        return _decode_event(kind, body)
    except (ValueError, TypeError, KeyError, InvalidInput) as fault:
        raise LedgerUnavailable(
            f"The ledger holds an event of kind {kind!r} that this version of sm-access cannot read: {fault}",
            remedy="Upgrade: pip install --upgrade sm-access. If it is the newest, compare the ledger with a backup.",
        ) from fault


def _decode_event(kind: str, body: Any) -> Event:
    if kind not in KINDS:
        raise ValueError("no such kind.")
    made = KINDS[kind]
    readers = {name: _READERS[field.type] for name, field in made.__dataclass_fields__.items()}
    return made(**_record(body, readers))


def _encode(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    if isinstance(value, S3Target):
        return {"bucket": value.bucket, "path": value.path}
    if isinstance(value, Level | Extra | Outcome | ProbeKind | ProofFinding):
        return value.value
    if isinstance(value, Caller | ProofStep | Probe | ProbeResult):
        return {name: _encode(getattr(value, name)) for name in type(value).__dataclass_fields__}
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    return value


def _record(body: Any, readers: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise TypeError("an object was expected.")
    if body.keys() != readers.keys():
        raise ValueError(f"the fields {sorted(body.keys() ^ readers.keys())} are unknown or missing.")
    return {name: read(body[name]) for name, read in readers.items()}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text was expected.")
    return value


def _optional_text(value: Any) -> str | None:
    return None if value is None else _text(value)


def _moment(value: Any) -> datetime:
    return parse_instant(_text(value))


def _duration(value: Any) -> timedelta:
    if type(value) is not int or not 0 < value <= LONGEST.total_seconds():
        raise TypeError("a number of seconds was expected.")
    return timedelta(seconds=value)


def _caller(value: Any) -> Caller:
    return Caller(**_record(value, {"arn": _text, "account": _text, "user_id": _text}))


def _target(value: Any) -> S3Target:
    return S3Target(**_record(value, {"bucket": _text, "path": _text}))


def _level(value: Any) -> Level:
    return Level(_text(value))


def _extras(value: Any) -> tuple[Extra, ...]:
    found = tuple(Extra(_text(item)) for item in _list(value))
    if found != tuple(extra for extra in Extra if extra in found):
        raise ValueError("extras stand in their order, each once.")
    return found


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("a list was expected.")
    return value


def _statements(value: Any) -> tuple[Statement, ...]:
    if not all(isinstance(item, dict) for item in _list(value)):
        raise TypeError("statements were expected.")
    return tuple(value)


def _steps(value: Any) -> tuple[ProofStep, ...]:
    return tuple(
        ProofStep(**_record(item, {"result": _result, "finding": _finding, "attempts": _count}))
        for item in _list(value)
    )


def _count(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise TypeError("a number was expected.")
    return value


def _finding(value: Any) -> ProofFinding:
    return ProofFinding(_text(value))


def _result(value: Any) -> ProbeResult:
    return ProbeResult(**_record(value, {"probe": _probe, "outcome": _outcome, "detail": _text}))


def _outcome(value: Any) -> Outcome:
    return Outcome(_text(value))


def _kind(value: Any) -> ProbeKind:
    return ProbeKind(_text(value))


def _probe(value: Any) -> Probe:
    return Probe(**_record(value, {"kind": _kind, "bucket": _text, "prefix": _text, "expected": _outcome}))


_READERS: Mapping[Any, Any] = {
    "datetime": _moment,
    "timedelta": _duration,
    "str": _text,
    "str | None": _optional_text,
    "Caller": _caller,
    "S3Target": _target,
    "Level": _level,
    "tuple[Extra, ...]": _extras,
    "tuple[Statement, ...]": _statements,
    "ProofFinding": _finding,
    "tuple[ProofStep, ...]": _steps,
}
