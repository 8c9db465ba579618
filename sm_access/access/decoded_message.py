"""What sts:DecodeAuthorizationMessage makes of an encoded authorization message: JSON, and no sentence.

It says whether a statement denied, on whom, what and on what; not in which policy that statement stands.
Source: AWS STS API Reference, "DecodeAuthorizationMessage".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sm_access.access.denial_message import MOST_CHARACTERS, DenialMessage


def read_decoded(text: str) -> DenialMessage | None:
    """The denial in a decoded message; None for anything else, whatever it is."""
    try:
        found = json.loads(text[:MOST_CHARACTERS])
    except (ValueError, RecursionError):
        return None
    context = _table(_table(found).get("context"))
    action = _text(context.get("action"))
    if not action or _table(found).get("allowed") is True:
        return None
    return DenialMessage(
        principal=_text(_table(context.get("principal")).get("arn")),
        action=action,
        resource=_text(context.get("resource")),
        explicit=_table(found).get("explicitDeny") is True,
    )


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
