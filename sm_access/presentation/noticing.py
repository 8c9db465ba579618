"""That calls were refused, in a line: where the cell went on all the same, or where the reason did not come in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sm_access.access.call import Call
from sm_access.presentation.page import Command, Line, Page, Paragraph, Span, Tone, code, line, quiet

MOST_NAMED = 2
_WHY = Command("Why", "sm-access explain")


def in_passing_page(calls: Sequence[Call]) -> Page:
    """The cell did not fail of them: one quiet line."""
    count = len(calls)
    words = f"{count} call{'s' if count > 1 else ''} to AWS {'were' if count > 1 else 'was'} denied in this cell: "
    more = count - MOST_NAMED
    rest = [quiet(f" and {more} more")] if more > 0 else []
    headline = line(quiet(words), *_named(calls), *rest, quiet(". Why: "), code("%sm_access explain"))
    return Page(headline, Tone.PLAIN, (), {"denied_in_passing": [call_view(call) for call in calls]})


def late_page(calls: Sequence[Call], seconds: float) -> Page:
    """What is known when the reason was not found in time."""
    why = f"The reason could not be found out within {seconds:.0f} seconds."
    return Page(
        line("Denied: ", *_named(calls)),
        Tone.NO,
        (Paragraph(line(why)), _WHY),
        {"denied": [call_view(call) for call in calls]},
    )


def denials_page(on: bool) -> Page:
    """Whether refusals are explained under the cells."""
    words = "explained under the cell that meets them" if on else "left to their tracebacks"
    other = Command("Change it", f"%sm_access denials {'off' if on else 'on'}")
    return Page(line(f"Denials are {words}"), Tone.PLAIN, (other,), {"denials": "on" if on else "off"})


def _named(calls: Sequence[Call]) -> Line:
    spans: list[Span] = []
    for call in calls[:MOST_NAMED]:
        spans += [quiet(", ")] if spans else []
        spans += (
            [code(call.operation or "a call"), quiet(" on "), code(place_of(call))]
            if place_of(call)
            else [code(call.operation or "a call")]
        )
    return tuple(spans)


def place_of(call: Call) -> str:
    """Where a call was, in the words that people use; empty where nothing says it."""
    bucket = call.parameters.get("Bucket", "")
    if bucket:
        path = (
            call.parameters.get("Key") or call.parameters.get("Prefix") or (call.keys[0] if call.keys else "")
        )
        return f"s3://{bucket}/{path}" if path else f"s3://{bucket}"
    return next((value for name, value in call.parameters.items() if name not in ("Tags", "Tagging")), "")


def call_view(call: Call) -> dict[str, Any]:
    """A call for programs."""
    return {
        "service": call.service or None,
        "operation": call.operation or None,
        "parameters": dict(call.parameters),
        "region": call.region,
        "status": call.status,
        "code": call.code or None,
        "request_id": call.request_id or None,
    }
