"""What a principal may do: buckets and prefixes x {list, read, write, delete}, each cell with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sm_access.access.evidence import Unread
from sm_access.access.level import Level
from sm_access.access.target import S3Target
from sm_access.access.verdict import Verdict
from sm_access.policy import Decision
from sm_access.presentation import typed
from sm_access.presentation.identity import name_of
from sm_access.presentation.moments import iso
from sm_access.presentation.page import (
    Answer,
    Block,
    Command,
    Line,
    Matrix,
    Page,
    Paragraph,
    Tone,
    code,
    line,
    plain_text,
    quiet,
    strong,
)
from sm_access.presentation.result import Result
from sm_access.presentation.sources import other_sources
from sm_access.presentation.spreadsheet import to_csv
from sm_access.presentation.verdict import decided, reason, unread_words, words_of

Row = tuple[S3Target, Mapping[Level, Verdict | str]]
"""A place and the verdict for each level; words instead where its bucket could not be looked at."""

_NO = (Tone.NO, "no", "")
_LOOKS: Mapping[str, tuple[Tone, str, str]] = {
    "yes": (Tone.OK, "yes", ""),
    "no": _NO,
    "in part": (Tone.WARN, "in part", "part"),
    "depends": (Tone.WARN, "depends", "if"),
    "cannot tell": (Tone.UNKNOWN, "cannot tell", ""),
}
_UNREAD = "could not be read"
_SAID = {
    "yes": "May {}.",
    "no": "May not {}.",
    "in part": "May {}, but not everywhere there.",
    "depends": "Whether it may {} depends.",
    "cannot tell": "Cannot tell whether it may {}.",
}
_DOES = {Level.LIST: "list", Level.READ: "read", Level.WRITE: "write to", Level.DELETE: "delete in"}


class Permissions(Result):
    """A matrix of permissions; besides what every result has, its rows for tables: `records()` and `to_csv()`."""

    __slots__ = ()

    def records(self) -> list[dict[str, str]]:
        """One flat dictionary for each place, as `pandas.DataFrame` takes them: `place`; `list`, `read`, `write` and
        `delete` with yes, no, in part, depends or cannot tell; each once more with `_reason`; and `read_at`. Of one
        service: `action`, `level`, `extent` (everywhere, somewhere, nowhere) and `where`.
        """
        data = self.page.data
        return list(data["actions"]) if "actions" in data else [_record(row) for row in data["rows"]]

    def to_csv(self) -> str:
        """The records as CSV with a header, safe to open in a spreadsheet."""
        columns = _ACTION_COLUMNS if "actions" in self.page.data else _PLACE_COLUMNS
        return to_csv(columns, self.records())


_ACTION_COLUMNS = ("action", "level", "extent", "where")
_PLACE_COLUMNS = (
    "place",
    *(level.value for level in Level),
    *(f"{level.value}_reason" for level in Level),
    "read_at",
)


def _record(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "place": row["target"],
        **{level.value: row[level.value]["answer"] for level in Level},
        **{f"{level.value}_reason": row[level.value]["reason"] for level in Level},
        "read_at": row["read_at"] or "",
    }


def matrix_page(
    rows: Sequence[Row],
    principal: str,
    now: datetime,
    *,
    more: int = 0,
    asked: str = "",
    beside: Sequence[Block] = (),
    others: Mapping[str, Any] | None = None,
    unlisted: Sequence[Unread] = (),
) -> Page:
    """Buckets and prefixes x {list, read, write, delete}.

    more: how many places were left out. asked: the filter in words. beside: further blocks, and `others` their data.
    unlisted: which places there are could not be read.
    """
    verdicts = [verdict for _, row in rows for verdict in row.values() if isinstance(verdict, Verdict)]
    blocks: list[Block] = []
    if rows:
        things = tuple(
            (_place(target), tuple(_answer(target, *cell) for cell in _cells(row))) for target, row in rows
        )
        blocks.append(Matrix(("", *(level.value for level in Level)), things))
    else:
        blocks.append(Paragraph(line(_nothing(asked))))
    if more:
        shown = f"The first {len(rows)} places; there are {more:,} more. "
        blocks.append(
            Paragraph(
                line(
                    quiet(f"{shown}Narrow them down with --filter TEXT, or get all with --all or --csv FILE.")
                )
            )
        )
    unread = sorted(
        {words for verdict in verdicts for words in unread_words(verdict)} | set(words_of(unlisted))
    )
    if unread:
        blocks.append(Paragraph(line(quiet(f"Not read: {'; '.join(unread)}."))))
    untold = [
        (target, cell) for target, row in rows for cell in [row.get(Level.LIST)] if isinstance(cell, str)
    ]
    for words in dict.fromkeys(cell for _, cell in untold):
        places = [str(target).removeprefix("s3://") for target, cell in untold if cell == words]
        shown = ", ".join(places[:3]) + (f" and {len(places) - 3:,} more" if len(places) > 3 else "")
        blocks.append(Paragraph(line(quiet("Not looked at: "), shown, quiet(f". {words}"))))
    blocks += beside
    if verdicts:
        oldest = min(verdict.read_at for verdict in verdicts)
        blocks += other_sources(verdicts, now) or [decided(oldest, now)]
    data: dict[str, Any] = {
        "principal": principal,
        "filter": asked,
        "rows": [_row_view(target, row) for target, row in rows],
        "more": more,
        "not_read": unread,
        "other_services": others,
    }
    what = f" {asked}" if asked else ""
    return Page(
        line("What ", strong(name_of(principal)), f" may do in S3{what}"), Tone.PLAIN, tuple(blocks), data
    )


def answer_of(verdict: Verdict | str) -> str:
    """A verdict in one of five words: yes, no, in part, depends, cannot tell."""
    if isinstance(verdict, str):
        return "cannot tell"
    if verdict.exceptions:
        return "in part"
    if verdict.decision is Decision.UNDETERMINED:
        open_still = verdict.deciding.response.depends_on
        # What the call itself brings along is a condition; a policy that could not be read is a gap in what we know.
        return (
            "depends" if open_still and not any(_UNREAD in words for words in open_still) else "cannot tell"
        )
    return "yes" if verdict.decision is Decision.ALLOW else "no"


def reason_of(verdict: Verdict | str) -> Line:
    """Why, in a sentence or two."""
    return line(verdict) if isinstance(verdict, str) else reason(verdict)


def request_command(target: S3Target, level: Level, verdict: Verdict | str) -> str | None:
    """What to type to ask for what is missing; None where a grant would not help, or nothing is missing."""
    if isinstance(verdict, str) or verdict.with_grant is not Decision.ALLOW:
        return None
    return typed.request(str(target), level.value)


def _cells(row: Mapping[Level, Verdict | str]) -> list[tuple[Level, Verdict | str]]:
    return [(level, row[level]) for level in Level]


def _place(target: S3Target) -> Line:
    return line(code(str(target).removeprefix("s3://")))


def _answer(target: S3Target, level: Level, verdict: Verdict | str) -> Answer:
    said = answer_of(verdict)
    tone, word, short = _LOOKS[said]
    head = strong(_SAID[said].format(f"{_DOES[level]} {str(target).removeprefix('s3://')}"))
    limit = (
        "As far as could be read: "
        if said == "yes" and isinstance(verdict, Verdict) and verdict.unread
        else ""
    )
    blocks: list[Block] = [Paragraph((head, *line(f" {limit}"), *reason_of(verdict)))]
    command = request_command(target, level, verdict)
    if command is not None:
        blocks.append(Command("Ask for it", command))
    return Answer(word, tone, tuple(blocks), short)


def _nothing(asked: str) -> str:
    if asked:
        return f"No place {asked}."
    return "This account has no buckets that can be listed; name one, e.g. `sm-access permissions s3://my-bucket/`."


def _row_view(target: S3Target, row: Mapping[Level, Verdict | str]) -> dict[str, Any]:
    read = [verdict.read_at for verdict in row.values() if isinstance(verdict, Verdict)]
    cells = {level.value: _cell_view(verdict) for level, verdict in _cells(row)}
    return {"target": str(target), **cells, "read_at": iso(min(read)) if read else None}


def _cell_view(verdict: Verdict | str) -> dict[str, Any]:
    view: dict[str, Any] = {"answer": answer_of(verdict), "reason": plain_text(reason_of(verdict))}
    if isinstance(verdict, str):
        return {**view, "decision": Decision.UNDETERMINED.value, "depends_on": [], "grant_would_help": None}
    helps = None if verdict.with_grant is None else verdict.with_grant is Decision.ALLOW
    return {
        **view,
        "decision": verdict.decision.value,
        "depends_on": list(verdict.deciding.response.depends_on),
        "grant_would_help": helps,
    }
