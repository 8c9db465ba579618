"""What a principal may do beyond S3: services x access levels in numbers, or one service action by action."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sm_access import catalog
from sm_access.access.evidence import PrincipalEvidence
from sm_access.access.extent import Allowance, Extent
from sm_access.policy.statement import Statement
from sm_access.presentation import typed
from sm_access.presentation.identity import name_of
from sm_access.presentation.moments import ago, iso
from sm_access.presentation.page import (
    Answer,
    Block,
    Command,
    Fold,
    Matrix,
    Page,
    Paragraph,
    Tone,
    code,
    line,
    quiet,
    strong,
)
from sm_access.presentation.verdict import unread_words

LEVELS = {
    "List": "list",
    "Read": "read",
    "Write": "write",
    "Permissions management": "perm.",
    "Tagging": "tag",
}
"""AWS's access levels, and what their columns are called."""

FIRST = "sagemaker"
MOST_SERVICES = 40
_MOST_NAMES = 8
_MOST_WORDS = 3
_LIMITED = "on some resources or under conditions"
_LEGEND = (
    f"12 of 30: on every resource. +4: four more, {_LIMITED}. perm.: permissions management; tag: tagging. This is "
    "what the role's own policies say; a resource's own policy can add to it, or take away."
)

Allowed = Mapping[str, Allowance]


def beside_s3(found: Allowed) -> tuple[tuple[Block, ...], dict[str, Any]]:
    """Blocks beneath the matrix of S3, and the same for programs."""
    services = _services(found)
    silent = len([service for service in catalog.services() if service != "s3"]) - len(services)
    data = {
        "services": [{"service": service, "levels": _numbers(service, found)} for service in services],
        "without": silent,
        "actions_as_of": catalog.catalog_date().isoformat(),
    }
    if not services:
        return (Paragraph(line("Beyond S3 the role's own policies allow nothing.")),), data
    shown = services[:MOST_SERVICES]
    rows = tuple((line(code(service)), tuple(_cells(service, found))) for service in shown)
    inside: list[Block] = [Matrix(("", *LEVELS.values()), rows)]
    if len(shown) < len(services):
        inside.append(Paragraph(line(quiet(f"And {len(services) - len(shown)} more services."))))
    inside.append(Paragraph(line(quiet(f"{_LEGEND} Actions as AWS had them on {catalog.catalog_date()}."))))
    names = ", ".join(services[:_MOST_NAMES]) + (", ..." if len(services) > _MOST_NAMES else "")
    some = f"{len(services)} services" if len(services) > 1 else "one service"
    blocks = (
        Paragraph(line(f"Beyond S3, something is allowed in {some}: {names}.")),
        Fold(f"Other services by access level; nothing in {silent}", tuple(inside)),
        Command("One of them, action by action", typed.command("permissions", "--service", services[0])),
    )
    return blocks, data


def service_page(service: str, found: Allowed, principal: PrincipalEvidence, now: datetime) -> Page:
    """One service, its actions by access level, each with how far the principal's own policies reach."""
    mine = {action: allowance for action, allowance in found.items() if action.startswith(f"{service}:")}
    everywhere, somewhere = _count(mine)
    total = len(catalog.actions(service))
    counted = f"{everywhere} of {total} actions on every resource"
    counted += f", {somewhere} more {_LIMITED}." if somewhere else "."
    blocks: list[Block] = [Paragraph(line(counted))]
    for level in LEVELS:
        blocks += _level(service, level, mine)
    unread = unread_words(principal)
    if unread:
        blocks.append(Paragraph(line(quiet(f"Not read: {'; '.join(unread)}."))))
    blocks.append(
        Paragraph(
            line(
                quiet(
                    "What the role's own policies say; a resource's own policy can add to it, or take away. "
                    f"Policies read {ago(principal.read_at, now)}, actions as AWS had them on {catalog.catalog_date()}."
                )
            )
        )
    )
    actions = [
        {
            "action": action,
            "level": catalog.access_level(action),
            "extent": (mine[action].extent if action in mine else Extent.NOWHERE).value,
            "where": _where(mine[action])
            if action in mine and mine[action].extent is Extent.SOMEWHERE
            else "",
        }
        for action in catalog.actions(service)
    ]
    data = {
        "principal": principal.arn,
        "service": service,
        "actions": actions,
        "not_read": list(unread),
        "read_at": iso(principal.read_at),
    }
    headline = line("What ", strong(name_of(principal.arn)), " may do in ", code(service))
    return Page(headline, Tone.PLAIN, tuple(blocks), data)


def _services(found: Allowed) -> list[str]:
    """Those in which anything is allowed, SageMaker first, the others by name."""
    names = {action.partition(":")[0] for action in found}
    return sorted(names, key=lambda name: (name != FIRST, name))


def _numbers(service: str, found: Allowed) -> dict[str, dict[str, int]]:
    numbers = {level: {"everywhere": 0, "somewhere": 0, "of": 0} for level in LEVELS}
    for action in catalog.actions(service):
        of_level = numbers[catalog.access_level(action)]
        of_level["of"] += 1
        if action in found:
            of_level[found[action].extent.value] += 1
    return numbers


def _count(found: Allowed) -> tuple[int, int]:
    everywhere = sum(allowance.extent is Extent.EVERYWHERE for allowance in found.values())
    return everywhere, len(found) - everywhere


def _cells(service: str, found: Allowed) -> Iterator[Answer]:
    for level in LEVELS:
        mine = [action for action in catalog.actions(service) if catalog.access_level(action) == level]
        allowed = {action: found[action] for action in mine if action in found}
        everywhere, somewhere = _count(allowed)
        if not allowed:
            yield Answer("-", Tone.QUIET)
            continue
        if everywhere == len(mine):
            word, short = f"all {everywhere}", "all"
        else:
            short = f"{everywhere or ''}{f'+{somewhere}' if somewhere else ''}"
            word = f"{short} of {len(mine)}"
        yield Answer(
            word, Tone.OK if everywhere else Tone.WARN, tuple(_names(service, level, allowed)), short
        )


def _names(service: str, level: str, allowed: Allowed) -> Iterator[Block]:
    for extent, words in ((Extent.EVERYWHERE, "on every resource"), (Extent.SOMEWHERE, _LIMITED)):
        names = [action.partition(":")[2] for action, found in allowed.items() if found.extent is extent]
        if names:
            more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
            head = strong(f"{service}, {level.lower()}, {words}: ")
            yield Paragraph(line(head, f"{', '.join(names[:_MOST_NAMES])}{more}."))


def _level(service: str, level: str, mine: Allowed) -> Iterator[Block]:
    actions = [action for action in catalog.actions(service) if catalog.access_level(action) == level]
    allowed = {action: mine[action] for action in actions if action in mine}
    if not actions:
        return
    inside: list[Block] = []
    everywhere = [_name(action) for action, found in allowed.items() if found.extent is Extent.EVERYWHERE]
    if everywhere:
        inside.append(Paragraph(line(strong("On every resource: "), f"{', '.join(everywhere)}.")))
    limited: dict[str, list[str]] = {}
    for action, found in allowed.items():
        if found.extent is Extent.SOMEWHERE:
            limited.setdefault(_where(found), []).append(_name(action))
    for where, names in limited.items():
        inside.append(Paragraph(line(strong(f"{where[0].upper()}{where[1:]}: "), f"{', '.join(names)}.")))
    closed = [_name(action) for action in actions if action not in allowed]
    if closed:
        inside.append(Fold(f"Not allowed: {len(closed)}", (Paragraph(line(", ".join(closed))),)))
    yield Fold(f"{level}: {len(allowed)} of {len(actions)}", tuple(inside), open=bool(allowed))


def _name(action: str) -> str:
    return action.partition(":")[2]


def _where(found: Allowance) -> str:
    """Where and when, as the statements put it; conditions by their keys alone."""
    told = list(dict.fromkeys(words for _, statement in found.by for words in _limits(statement)))
    if not told:
        return "not everywhere: a deny, the permissions boundary, or the resource's own policy has a say"
    more = f"; and {len(told) - _MOST_WORDS} more" if len(told) > _MOST_WORDS else ""
    return "; ".join(told[:_MOST_WORDS]) + more


def _limits(statement: Statement) -> Iterator[str]:
    element = statement.resource
    keys = sorted({condition.key for condition in statement.conditions})
    when = f" under a condition on {' and '.join(keys)}" if keys else ""
    patterns: Sequence[str] = ("*",) if element is None else element.patterns
    if element is not None and element.negated:
        more = ", ..." if len(patterns) > _MOST_WORDS else ""
        yield f"on anything but {', '.join(patterns[:_MOST_WORDS])}{more}{when}"
    elif "*" not in patterns:
        yield from (f"on {pattern}{when}" for pattern in patterns)
    elif when:
        yield f"everywhere{when}"
