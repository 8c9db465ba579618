"""A policy document as AWS hands it out, turned into what the engine takes."""

from __future__ import annotations

from typing import Any

from sm_access.access.evidence import Unread
from sm_access.errors import PolicySyntaxError
from sm_access.policy import UNREADABLE, NamedPolicy, parse_policy
from sm_access.policy.policy_set import Unreadable


def parsed_policy(document: Any, name: str, kind: str, unread: list[Unread]) -> NamedPolicy | Unreadable:
    """A policy as the engine takes it; one that it does not understand is as good as unread, and named."""
    try:
        return NamedPolicy(name, parse_policy(document, name=name), kind)
    except PolicySyntaxError as error:
        unread.append(Unread(f"{name}, which is not understood at {error.path}: {error.expected}"))
        return UNREADABLE
