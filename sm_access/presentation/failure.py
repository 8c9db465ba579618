"""An error as a page: what happened, to what, and what to do."""

from __future__ import annotations

from sm_access.errors import SmAccessError
from sm_access.presentation.page import Page, Paragraph, Tone, line


def failure_page(error: SmAccessError) -> Page:
    tone = {1: Tone.NO, 2: Tone.WARN}.get(error.exit_code, Tone.UNKNOWN)
    blocks = (Paragraph(line(error.remedy)),) if error.remedy else ()
    return Page(line(error.message), tone, blocks, failure_view(error))


def failure_view(error: SmAccessError) -> dict[str, object]:
    """The error for programs: its class is its name."""
    return {"error": type(error).__name__, "message": error.message, "remedy": error.remedy}
