"""The audit log in words: who did what when, and whether that is proven; and what checking it came to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sm_access.access.audit_trail import Audit, Authorship, Entry, Head
from sm_access.access.duration import duration_words
from sm_access.access.event_codec import encode_event
from sm_access.presentation.identity import name_of
from sm_access.presentation.moments import instant, iso
from sm_access.presentation.page import (
    Block,
    Command,
    Facts,
    Fold,
    Line,
    Page,
    Paragraph,
    Span,
    Table,
    Tone,
    code,
    line,
    quiet,
    strong,
)
from sm_access.presentation.spreadsheet import to_csv

COLUMNS = (
    "at",
    "request",
    "version",
    "what",
    "detail",
    "author",
    "user_id",
    "authorship",
    "claimed_person",
    "position",
    "hash",
)
"""Of the export for spreadsheets."""

_AUTHORSHIP = {
    Authorship.PROVEN: "proven by IAM",
    Authorship.RECORDED: "as recorded",
    Authorship.UNKNOWN: "not recorded",
}
_TONES = {
    "approved": Tone.OK,
    "auto-approved": Tone.WARN,
    "glass-broken": Tone.NO,
    "rejected": Tone.NO,
    "revoked": Tone.WARN,
    "not-provable": Tone.WARN,
}
_SHOWN_OF_HASH = 12


def trail_page(entries: Sequence[Entry], total: int) -> Page:
    """A readable trail. total: how many entries there are, shown or not."""
    data = {"entries": [entry_view(entry) for entry in entries], "total": total}
    if not entries:
        words = "Nothing has happened yet." if not total else f"None of {total} entries is like that."
        return Page(line(words), Tone.PLAIN, (), data)
    table = Table(
        ("when (UTC)", "request", "what", "who"),
        tuple(
            (
                line(quiet(instant(entry.at).removesuffix(" UTC"))),
                line(code(entry.request_id)),
                _what(entry),
                _who(entry),
            )
            for entry in entries
        ),
    )
    shown = (
        f"{len(entries)} of {total} entries" if len(entries) != total else _count(total, "entry", "entries")
    )
    blocks: tuple[Block, ...] = (table,)
    if any(entry.authorship is not Authorship.PROVEN for entry in entries):
        told = (
            "Who wrote an entry is what STS told the writer: a file proves no authors, a team's ledger does."
        )
        blocks += (Paragraph(line(quiet(told))),)
    return Page(
        line(strong(shown)), Tone.PLAIN, (*blocks, Command("Check it", "sm-access audit-log verify")), data
    )


def verified_page(
    audit: Audit,
    known: frozenset[str],
    *,
    noted: Head | None,
    note: str | None,
) -> Page:
    """Nothing was changed. known: rows that count for nothing and were noted before."""
    entries, head, uncounted = audit.entries, audit.head, audit.uncounted
    requests = len({entry.request_id for entry in entries})
    new = [row for row in uncounted if row not in known]
    facts: list[tuple[str, Line]] = [
        (
            "checked",
            line(
                f"{_count(len(entries), 'event', 'events')} of "
                f"{_count(requests, 'access request', 'access requests')}, each hash"
            ),
        ),
        ("head", line(code(head_text(head)))),
    ]
    if head.pending:
        events = _count(len(head.pending), "event", "events")
        told = f"{events} of requesters since the last decision: --note keeps them as well"
        facts.append(("not in the head", line(told)))
    if noted is not None:
        facts.append(("noted earlier", line(code(head_text(noted)), " is found again")))
    if note is not None:
        facts.append(
            ("noted now", line("in ", code(note), ": keep it where the ledger's writers cannot write"))
        )
    blocks: list[Block] = [Facts(tuple(facts))]
    if uncounted:
        rows = tuple((line(code(row)), line(why)) for row, why in uncounted.items())
        summary = f"{_count(len(uncounted), 'row', 'rows')} written past sm-access, which count for nothing"
        blocks.append(Fold(summary, (Table(("row", "why it does not count"), rows),), open=bool(new)))
    if noted is None and note is None:
        blocks.append(
            Command("To see later that nothing was cut off, keep this elsewhere", f"--head {head_text(head)}")
        )
    data = {
        "verified": True,
        "events": len(entries),
        "requests": requests,
        "rows": head.rows,
        "hash": head.hash,
        "pending": len(head.pending),
        "uncounted": dict(uncounted),
        "new_uncounted": new,
        "noted": None if noted is None else head_text(noted),
        "note": note,
    }
    if new:
        words = f"; but {_count(len(new), 'row was', 'rows were')} written past sm-access."
        return Page(line(strong("Nothing was changed"), words), Tone.WARN, tuple(blocks), data)
    return Page(line(strong("Nothing was changed.")), Tone.OK, tuple(blocks), data)


def tampered_page(problem: str, remedy: str, noted: Head | None) -> Page:
    data = {
        "verified": False,
        "problem": problem,
        "remedy": remedy,
        "noted": None if noted is None else head_text(noted),
    }
    return Page(line(strong(problem)), Tone.NO, (Paragraph(line(remedy)),), data)


def exported_page(count: int, file: str) -> Page:
    words = line(f"Wrote {_count(count, 'entry', 'entries')} to ", code(file), ".")
    return Page(words, Tone.OK, data={"file": file, "entries": count})


def head_text(head: Head) -> str:
    """`ROWS:HASH`."""
    return f"{head.rows}:{head.hash}"


def entry_view(entry: Entry) -> dict[str, Any]:
    """One entry for programs: everything that is recorded."""
    return {
        "at": iso(entry.at),
        "request": entry.request_id,
        "version": entry.version,
        "what": entry.kind,
        "author": entry.author or None,
        "user_id": entry.user_id or None,
        "authorship": entry.authorship.value,
        "claimed_person": getattr(entry.event, "claimed_person", None),
        "event": encode_event(entry.event),
        "position": entry.position,
        "hash": entry.hash,
    }


def entries_csv(entries: Sequence[Entry]) -> str:
    """For spreadsheets; no cell of it is taken for a formula."""
    return to_csv(COLUMNS, [_cells(entry) for entry in entries])


def _cells(entry: Entry) -> dict[str, str]:
    view = {**entry_view(entry), "detail": "".join(span.text for span in _detail(entry))}
    return {column: "" if view[column] is None else str(view[column]) for column in COLUMNS}


def _what(entry: Entry) -> Line:
    detail = _detail(entry)
    words = Span(entry.kind.replace("-", " "), _TONES.get(entry.kind, Tone.PLAIN))
    return (words, *line(" "), *detail) if detail else (words,)


def _detail(entry: Entry) -> Line:
    """What the event adds, whatever kind it is: a kind that is new here is still told in full."""
    event = entry.event
    parts: list[str | Span] = []

    def add(*more: str | Span) -> None:
        parts.extend((", ", *more) if parts else more)

    if hasattr(event, "level") and hasattr(event, "target"):
        add(f"{event.level.value} ", code(str(event.target)))
    if hasattr(event, "duration"):
        add(f"for {duration_words(event.duration)}")
    if hasattr(event, "role_arn"):
        add(f"for the role {name_of(event.role_arn)}")
    if hasattr(event, "rule"):
        add(f"by the rule {event.rule}")
    if hasattr(event, "ends_at"):
        add(f"until {instant(event.ends_at)}")
    if hasattr(event, "grant_sha256"):
        add("statements ", code(event.grant_sha256[:_SHOWN_OF_HASH]))
    elif hasattr(event, "terms_sha256"):
        add("terms ", code(event.terms_sha256[:_SHOWN_OF_HASH]))
    if hasattr(event, "steps"):
        add(_count(len(event.steps), "call", "calls"))
    for words in (getattr(event, name, None) for name in ("reason", "words")):
        if words:
            add(quiet(f"“{words}”"))
    return line(*parts)


def _who(entry: Entry) -> Line:
    if not entry.author:
        return line(quiet(_AUTHORSHIP[entry.authorship]))
    parts: list[str | Span] = [name_of(entry.author)]
    session = entry.user_id.partition(":")[2]
    if session:
        parts.append(f" · {session}")
    parts.append(quiet(f", {_AUTHORSHIP[entry.authorship]}"))
    person = getattr(entry.event, "claimed_person", None)
    if person:
        parts += [f"; person “{person}”", quiet(", claimed")]
    return line(*parts)


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
