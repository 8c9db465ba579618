"""Errors as problem documents, mapped to HTTP once (RFC 9457, "Problem Details for HTTP APIs").

A document has `type`, `title`, `status`, `detail` and `remedy`: what happened, to what, and what to do. What
the caller can mend is 4xx; what only the server, its credentials or AWS can mend is 5xx.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from sm_access.errors import (
    AwsUnreachable,
    CannotTell,
    IllegalTransition,
    InvalidInput,
    LedgerConflict,
    NotSupportedHere,
    Refused,
    SmAccessError,
    TermsChanged,
    UnknownAccessRequest,
)

MEDIA_TYPE = "application/problem+json"

#: The first class that fits decides: narrower ones stand before wider ones.
_STATUS: tuple[tuple[type[SmAccessError], HTTPStatus], ...] = (
    (UnknownAccessRequest, HTTPStatus.NOT_FOUND),
    (InvalidInput, HTTPStatus.BAD_REQUEST),
    (LedgerConflict, HTTPStatus.CONFLICT),
    (IllegalTransition, HTTPStatus.CONFLICT),
    (TermsChanged, HTTPStatus.CONFLICT),
    (Refused, HTTPStatus.FORBIDDEN),
    (NotSupportedHere, HTTPStatus.NOT_IMPLEMENTED),
    (AwsUnreachable, HTTPStatus.GATEWAY_TIMEOUT),
    (CannotTell, HTTPStatus.SERVICE_UNAVAILABLE),
)

#: What to do about the answers that come before any of our own code runs.
_REMEDIES = {
    401: "Sign in to this Jupyter server, or send its token.",
    403: "Sign in to this Jupyter server, or send its token; a form also needs the _xsrf value of the page.",
    404: "Check the address: the routes are named in the documentation of the server extension.",
    405: "Use GET: nothing under this address can be changed.",
}


def problem_of(error: BaseException) -> dict[str, str | int]:
    """The problem document of `error`.

    Only a SmAccessError's own words are shown: another exception's text may hold anything.
    """
    if not isinstance(error, SmAccessError):
        return problem_of_status(500)
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    words = re.findall(r"[A-Z][a-z0-9]*", type(error).__name__)
    return {
        "type": "urn:sm-access:" + "-".join(words).lower(),
        "title": " ".join(words).capitalize(),
        "status": int(status),
        "detail": error.message,
        "remedy": error.remedy,
    }


def problem_of_status(status: int, detail: str = "") -> dict[str, str | int]:
    """The problem document of a bare HTTP status, as the server's own checks answer."""
    if status >= 500 and not detail:
        detail = "sm_access could not answer, and it is not your fault."
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Error"
    remedy = _REMEDIES.get(status, "See the log of the Jupyter server." if status >= 500 else "")
    return {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail or title,
        "remedy": remedy,
    }
