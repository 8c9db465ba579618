"""What a program needs and whether it has it: the words of `require`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sm_access.access.level import Level
from sm_access.access.target import S3Target
from sm_access.access.verdict import Verdict
from sm_access.presentation.identity import name_of
from sm_access.presentation.moments import iso
from sm_access.presentation.page import (
    Block,
    Page,
    Paragraph,
    Span,
    Table,
    Tone,
    code,
    line,
    plain_text,
    quiet,
)
from sm_access.presentation.permissions import answer_of, reason_of, request_command
from sm_access.presentation.sources import other_sources
from sm_access.presentation.verdict import decided, unread_words

Needed = tuple[S3Target, Level]
Found = Mapping[Needed, Verdict | str]

_UNCONFIRMED = "could not be confirmed"


def gaps_of(found: Found) -> list[dict[str, str]]:
    """What is missing or could not be confirmed, for `AccessRequired.gaps`; what is surely missing first."""
    gaps = [
        {
            "level": level.value,
            "place": str(target),
            "answer": answer_of(verdict),
            "reason": plain_text(reason_of(verdict)),
            "request": request_command(target, level, verdict) or "",
        }
        for (target, level), verdict in found.items()
        if answer_of(verdict) != "yes"
    ]
    return sorted(gaps, key=lambda gap: gap["answer"] != "no")


def gap_words(gaps: Sequence[Mapping[str, str]], needed: int, principal: str) -> str:
    """`DS lacks 1 of the 3 permissions that are required; 1 more could not be confirmed.`"""
    missing = sum(gap["answer"] == "no" for gap in gaps)
    open_still = len(gaps) - missing
    what = "permission that is required" if needed == 1 else "permissions that are required"
    if not missing:
        words = f"Of the {needed} {what}" if needed > 1 else f"The one {what}"
        return f"{words}{f', {open_still}' if needed > 1 else ''} {_UNCONFIRMED} for {name_of(principal)}."
    more = f"; {open_still} more {_UNCONFIRMED}" if open_still else ""
    count = f"{missing} of the {needed}" if needed > 1 else "the one"
    return f"{name_of(principal)} lacks {count} {what}{more}."


def requirement_page(found: Found, principal: str, now: datetime) -> Page:
    """All that is required is there, or what is not is accepted by whoever asked."""
    gaps = gaps_of(found)
    if gaps:
        headline, tone = gap_words(gaps, len(found), principal), Tone.WARN
    else:
        what = (
            "permission that is required"
            if len(found) == 1
            else f"{len(found)} permissions that are required"
        )
        headline, tone = f"{name_of(principal)} has the {what}.", Tone.OK
    told = [verdict for verdict in found.values() if isinstance(verdict, Verdict)]
    limits = list(dict.fromkeys(words for verdict in told for words in unread_words(verdict)))
    if not gaps and limits:
        headline, tone = f"{headline[:-1]}, as far as could be read.", Tone.WARN
    rows = tuple(
        (line(level.value), line(code(str(target))), line(_word(verdict)), line(*_unless_yes(verdict)))
        for (target, level), verdict in found.items()
    )
    blocks: list[Block] = [Table(("needs", "where", "has it", ""), rows)]
    if limits:
        blocks.append(Paragraph(line(quiet(f"Not read: {'; '.join(limits)}."))))
    read = [verdict.read_at for verdict in told]
    if read:
        blocks += other_sources(told, now) or [decided(min(read), now)]
    data = {
        "principal": principal,
        "required": [
            {"level": level.value, "place": str(target), "answer": answer_of(verdict)}
            for (target, level), verdict in found.items()
        ],
        "gaps": gaps,
        "not_read": limits,
        "read_at": iso(min(read)) if read else None,
    }
    return Page(line(headline), tone, tuple(blocks), data)


def _word(verdict: Verdict | str) -> Span:
    said = answer_of(verdict)
    return Span(said, {"yes": Tone.OK, "no": Tone.NO}.get(said, Tone.WARN))


def _unless_yes(verdict: Verdict | str) -> list[str]:
    return [] if answer_of(verdict) == "yes" else [plain_text(reason_of(verdict))]
