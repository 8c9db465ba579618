"""What is wrong with policies, in words: one line for each finding, as editors read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sm_access.policy import Finding, Severity
from sm_access.presentation.page import Line, Page, Paragraph, Span, Tone, code, line, quiet, strong

_TONES = {Severity.ERROR: Tone.NO, Severity.WARNING: Tone.WARN}


@dataclass(frozen=True, slots=True)
class Located:
    """A finding with its file and line."""

    file: str
    line: int
    finding: Finding


def linting_page(located: Sequence[Located], policies: int) -> Page:
    """All findings on `policies` documents; `data` holds them one by one."""
    errors = sum(item.finding.severity is Severity.ERROR for item in located)
    warnings = len(located) - errors
    checked = f"in {policies} {'policy' if policies == 1 else 'policies'}"
    words = f"{_counted(errors, 'error')} and {_counted(warnings, 'warning')} {checked}"
    tone = Tone.NO if errors else Tone.WARN if warnings else Tone.OK
    data = {"errors": errors, "warnings": warnings, "findings": [_view(item) for item in located]}
    return Page(line(strong(words)), tone, tuple(Paragraph(_shown(item)) for item in located), data)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _shown(item: Located) -> Line:
    found = item.finding
    return line(
        f"{item.file}:{item.line}: ",
        Span(found.severity.value, _TONES[found.severity]),
        " at ",
        code(found.path),
        f": {found.message} ",
        quiet(f"[{found.rule}]"),
    )


def _view(item: Located) -> dict[str, Any]:
    found = item.finding
    return {
        "file": item.file,
        "line": item.line,
        "path": found.path,
        "severity": found.severity.value,
        "rule": found.rule,
        "message": found.message,
    }
