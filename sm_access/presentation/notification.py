"""What people are told when something happens to an access request: one line, and what matters beneath it."""

from __future__ import annotations

from sm_access.access.duration import duration_words
from sm_access.access.events import (
    Applied,
    Approved,
    AutoApproved,
    Collected,
    Endorsed,
    Event,
    GlassBroken,
    Narrowed,
    Rejected,
    Released,
    Revoked,
    Submitted,
    Withdrawn,
)
from sm_access.access.model import AccessRequest
from sm_access.presentation import typed
from sm_access.presentation.identity import name_of
from sm_access.presentation.moments import instant
from sm_access.presentation.page import visible

_TITLES: dict[type[Event], str] = {
    Submitted: "Waiting for a reviewer",
    Narrowed: "Narrowed by a reviewer",
    Endorsed: "One of several reviewers agreed",
    Approved: "Approved",
    AutoApproved: "Approved by a rule",
    GlassBroken: "EMERGENCY: taken without a reviewer",
    Rejected: "Rejected",
    Withdrawn: "Withdrawn",
    Revoked: "Revoked",
    Released: "Given back",
    Collected: "Ended, and off the role",
}


def notification(request: AccessRequest, event: Event) -> tuple[str, str] | None:
    """Title and text, of plain characters; None for what nobody has to be told.

    INVARIANT: nothing that a person typed stands outside quotation marks, and no line of the text begins with it.
    """
    title = _TITLES.get(type(event))
    if isinstance(event, Applied) and request.grant is not None and request.grant.emergency:
        title = "EMERGENCY: on the role without a reviewer"
    if title is None:
        return None
    what = f"{request.level.value} {request.target} for {name_of(request.role_arn)}"
    lines = [f"Request {request.id}, {duration_words(request.duration)}."]
    emergency = request.grant.emergency if request.grant is not None and isinstance(event, Applied) else ""
    words = (
        emergency or getattr(event, "words", "") or (request.reason if isinstance(event, Submitted) else "")
    )
    if words:
        lines.append(f"In their words: “{visible(words)}”")
    if request.grant is not None and isinstance(event, Approved | AutoApproved | GlassBroken):
        lines.append(f"Ends {instant(request.grant.ends_at)}.")
    if title.startswith("EMERGENCY"):
        lines.append(f"If it should not be: {typed.command('revoke', request.id)}")
    elif isinstance(event, Submitted | Narrowed | Endorsed):
        lines.append(f"To decide: {typed.command('show', request.id)}")
    return f"{title}: {visible(what)}", "\n".join(lines)
