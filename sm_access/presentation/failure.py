"""An error as a page: what happened, to what, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sm_access.errors import AccessRequired, SmAccessError
from sm_access.presentation.page import Block, Command, Page, Paragraph, Span, Tone, code, line, strong


def failure_page(error: SmAccessError) -> Page:
    tone = {1: Tone.NO, 2: Tone.WARN}.get(error.exit_code, Tone.UNKNOWN)
    blocks: list[Block] = [Paragraph(line(error.remedy))] if error.remedy else []
    if isinstance(error, AccessRequired):
        for gap in error.gaps:
            blocks += _gap(gap)
    return Page(line(error.message), tone, tuple(blocks), failure_view(error))


def _gap(gap: Mapping[str, str]) -> Iterator[Block]:
    tone = Tone.NO if gap["answer"] == "no" else Tone.WARN
    words = Span(gap["answer"], tone)
    yield Paragraph(line(strong(gap["level"]), " ", code(gap["place"]), " - ", words, f": {gap['reason']}"))
    if gap["request"]:
        yield Command("Ask for it", gap["request"])


def failure_view(error: SmAccessError) -> dict[str, object]:
    """The error for programs: its class is its name."""
    view: dict[str, object] = {
        "error": type(error).__name__,
        "message": error.message,
        "remedy": error.remedy,
    }
    return {**view, "gaps": list(error.gaps)} if isinstance(error, AccessRequired) else view
