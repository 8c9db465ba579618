"""The audit log: what happened, whether anything was changed since, and all of it as a file for others."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sm_access.access.audit_trail import Audit, Entry, Head, matching
from sm_access.access.duration import parse_duration
from sm_access.access.instant import parse_instant
from sm_access.bootstrap import Services
from sm_access.commands.documents import printable
from sm_access.errors import InvalidDuration, InvalidInput, LedgerTampered
from sm_access.presentation import audit_log as words
from sm_access.presentation.moments import iso
from sm_access.presentation.result import Result

FORMATS = ("jsonl", "csv")
STANDARD_OUTPUT = "-"

_HEAD = re.compile(r"(\d{1,12}):([0-9a-f]{64})", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NOTE_FORMAT = 1
_LONGEST_NOTE = 64 * 1024 * 1024


def audit_log(
    *,
    role: str | None = None,
    id: str | None = None,
    since: str | None = None,
    services: Services | None = None,
) -> Result:
    """What happened, in order of time: who, when, what, and whether that is proven or claimed.

    role: a role's name or ARN, that wrote it or that it is about. id: one access request. since: a length of time such
    as `7d`, or a date such as `2026-11-01`.
    """
    at = services or Services()
    entries = at.ledger.audit().entries
    return Result(words.trail_page(_chosen(at, entries, role, id, since), len(entries)))


def verify_audit_log(
    *, head: str | None = None, note: str | None = None, services: Services | None = None
) -> Result:
    """Check every entry of the ledger. True when nothing was changed, dropped, put in, or cut off.

    head: a head noted earlier, to be found again: a file that `note` wrote, or `ROWS:HASH`. note: a file to keep the
    head in; one that is there already is compared first, and only then written anew.
    """
    at = services or Services()
    noted, known = _noted(head)
    earlier, known_earlier = _noted(note if note is not None and Path(note).exists() else None)
    try:
        audit = at.ledger.audit(*(one for one in (noted, earlier) if one is not None))
    except LedgerTampered as problem:
        return Result(words.tampered_page(problem.message, problem.remedy, noted or earlier), 1)
    known = known | known_earlier
    if note is not None:
        _write_note(Path(note), audit, at.clock.now())
    page = words.verified_page(
        audit,
        known,
        noted=noted or earlier,
        note=None if note is None else printable(note),
    )
    return Result(page, 1 if set(audit.uncounted) - known else 0)


def export_audit_log(
    file: str,
    *,
    kind: str | None = None,
    role: str | None = None,
    id: str | None = None,
    since: str | None = None,
    services: Services | None = None,
) -> Result:
    """Write entries into a file, as JSON lines or as CSV that a spreadsheet may open.

    kind: `jsonl` or `csv`; by the file's ending where it is not given. The rest is as in `audit_log`.
    """
    at = services or Services()
    entries = _chosen(at, at.ledger.audit().entries, role, id, since)
    text = exported(entries, kind or ("csv" if file.lower().endswith(".csv") else "jsonl"))
    _write(Path(file), text)
    return Result(words.exported_page(len(entries), printable(file)))


def export_text(
    *, kind: str | None, role: str | None, id: str | None, since: str | None, services: Services
) -> str:
    """What `export_audit_log` would write, for standard output."""
    entries = services.ledger.audit().entries
    return exported(_chosen(services, entries, role, id, since), kind or FORMATS[0])


def exported(entries: Iterable[Entry], kind: str) -> str:
    """Raises InvalidInput for a format that there is not."""
    if kind not in FORMATS:
        raise InvalidInput(f"{kind!r} is no format.", remedy=f"Formats are {', '.join(FORMATS)}.")
    listed = list(entries)
    if kind == "csv":
        return words.entries_csv(listed)
    return "".join(f"{json.dumps(words.entry_view(entry))}\n" for entry in listed)


def _chosen(
    at: Services, entries: tuple[Entry, ...], role: str | None, id: str | None, since: str | None
) -> tuple[Entry, ...]:
    return matching(
        entries, role=role, request_id=id, since=None if since is None else _moment(since, at.clock.now())
    )


def _moment(text: str, now: datetime) -> datetime:
    try:
        return parse_instant(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text)
    except ValueError:
        pass
    try:
        return now - parse_duration(text)
    except InvalidDuration:
        raise InvalidInput(
            f"{text!r} is no moment.", remedy="Write it like 7d, 2026-11-01 or 2026-11-01T17:00:00Z."
        ) from None


def _noted(head: str | None) -> tuple[Head | None, frozenset[str]]:
    """A head as it was noted, and the rows that were known then to count for nothing."""
    if head is None:
        return None, frozenset()
    short = _HEAD.fullmatch(head)
    if short is not None:
        return Head(int(short[1]), short[2]), frozenset()
    try:
        with Path(head).open("rb") as file:
            content = file.read(_LONGEST_NOTE + 1)
    except (OSError, ValueError) as problem:
        raise InvalidInput(
            f"The noted head {printable(head)} cannot be read: {_why(problem)}.",
            remedy="Name a file that `sm-access audit-log verify --note FILE` wrote, or give ROWS:HASH.",
        ) from None
    try:
        return _decode(json.loads(content))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidInput(
            f"{printable(head)} is no noted head.",
            remedy="Name a file that `sm-access audit-log verify --note FILE` wrote, or give ROWS:HASH.",
        ) from None


def _decode(found: Any) -> tuple[Head, frozenset[str]]:
    if set(found) != {"format", "rows", "hash", "pending", "uncounted", "noted_at"}:
        raise ValueError("other fields")
    head = f"{found['rows']}:{found['hash']}"
    if found["format"] != _NOTE_FORMAT or type(found["rows"]) is not int or not _HEAD.fullmatch(head):
        raise ValueError("no head")
    pending = tuple((str(pk), str(sk), str(digest)) for pk, sk, digest in found["pending"])
    return Head(found["rows"], found["hash"], pending), frozenset(map(str, found["uncounted"]))


def _write_note(path: Path, audit: Audit, now: datetime) -> None:
    head = audit.head
    noted = {
        "format": _NOTE_FORMAT,
        "rows": head.rows,
        "hash": head.hash,
        "pending": [list(row) for row in head.pending],
        "uncounted": sorted(audit.uncounted),
        "noted_at": iso(now.astimezone(timezone.utc)),
    }
    _write(path, json.dumps(noted, indent=1) + "\n")


def _write(path: Path, text: str) -> None:
    """All of it or nothing: what was there stays until the new is complete."""
    made = ""
    try:
        descriptor, made = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(made).replace(path)
    except (OSError, ValueError) as problem:
        if made:
            Path(made).unlink(missing_ok=True)
        raise InvalidInput(
            f"{printable(str(path))} cannot be written: {_why(problem)}.",
            remedy="Name another file.",
        ) from None


def _why(problem: OSError | ValueError) -> str:
    """ValueError is for a name that no file can have."""
    return getattr(problem, "strerror", None) or "no file can have this name"
