"""What a principal may do: buckets and prefixes x {list, read, write, delete}, each cell with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sm_access.access.level import Level
from sm_access.access.target import S3Target
from sm_access.access.verdict import Verdict
from sm_access.policy import Decision
from sm_access.presentation.identity import name_of
from sm_access.presentation.moments import ago
from sm_access.presentation.page import (
    Block,
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
from sm_access.presentation.verdict import TONES, reason, unread_words

_SHORT = {Decision.ALLOW: "yes", Decision.EXPLICIT_DENY: "no", Decision.IMPLICIT_DENY: "no"}


def matrix_page(
    rows: Sequence[tuple[S3Target, Mapping[Level, Verdict | None]]], principal: str, now: datetime
) -> Page:
    """Buckets and prefixes x {list, read, write, delete}. None: the bucket could not be looked at."""
    verdicts = [verdict for _, row in rows for verdict in row.values() if verdict is not None]
    table = Table(
        ("", *(level.value for level in Level)),
        tuple(
            (line(code(str(target).removeprefix("s3://"))), *(_cell(row.get(level)) for level in Level))
            for target, row in rows
        ),
    )
    blocks: list[Block] = []
    if rows:
        blocks.append(table)
        blocks.append(
            Fold("Why", tuple(_why(target, level, row.get(level)) for target, row in rows for level in Level))
        )
    else:
        blocks.append(
            Paragraph(
                line(
                    "This account has no buckets that can be listed; name one, e.g. "
                    "`sm-access permissions s3://my-bucket/`."
                )
            )
        )
    unread = sorted({words for verdict in verdicts for words in unread_words(verdict)})
    if unread:
        blocks.append(Paragraph(line(quiet(f"Not read: {'; '.join(unread)}."))))
    if verdicts:
        oldest = min(verdict.read_at for verdict in verdicts)
        blocks.append(Paragraph(line(quiet(f"From policies read {ago(oldest, now)}."))))
    data = {
        "principal": principal,
        "rows": [
            {"target": str(target), **{level.value: _cell_view(row.get(level)) for level in Level}}
            for target, row in rows
        ],
    }
    return Page(line("What ", strong(name_of(principal)), " may do in S3"), Tone.PLAIN, tuple(blocks), data)


def _cell(verdict: Verdict | None) -> Line:
    if verdict is None:
        return line(Span("?", Tone.UNKNOWN))
    if verdict.exceptions:
        return line(Span("in part", Tone.WARN))
    if verdict.decision is Decision.UNDETERMINED:
        return line(
            Span("depends", Tone.WARN) if verdict.deciding.response.depends_on else Span("?", Tone.UNKNOWN)
        )
    return line(Span(_SHORT[verdict.decision], TONES[verdict.decision]))


def _why(target: S3Target, level: Level, verdict: Verdict | None) -> Block:
    label = quiet(f"{level.value} {str(target).removeprefix('s3://')}: ")
    if verdict is None:
        return Paragraph(line(label, "this bucket could not be looked at."))
    return Paragraph((label, *reason(verdict)))


def _cell_view(verdict: Verdict | None) -> dict[str, Any]:
    if verdict is None:
        return {"decision": Decision.UNDETERMINED.value, "reason": "This bucket could not be looked at."}
    return {"decision": verdict.decision.value, "reason": "".join(span.text for span in reason(verdict))}
