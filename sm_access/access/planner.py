"""Active grants -> the policies of a role, within what AWS lets a role carry.

Grants are taken by their end, the soonest first. As many as fit go into inline policies, one for each end:
`sm-access-until-20261130T170000Z` tells a person in the console when it can go, and the end of one grant never touches
the document of another. The rest is packed into customer-managed policies of the role's own, `sm-access-ROLE-1` and so
on. Documents are a function of the grants and of what else the role carries, so any number of writers come to the same
ones.

Quotas (IAM User Guide, "IAM and AWS STS quotas"): the inline policies of a role may have 10,240 characters in all, a
managed policy 6,144, white space not counted; 10 managed policies may be attached to a role unless AWS raised that.
Ours count every character of the text that is sent, so the figures here are never below AWS's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sm_access.access.canonical import canonical_json
from sm_access.access.levels import ENCRYPTION_CONTEXT, Statement, one_or_many
from sm_access.access.model import Grant
from sm_access.access.ports import Document
from sm_access.errors import QuotaExceeded

PREFIX = "sm-access-until-"
"""What the names of our inline policies begin with; the end follows."""
MANAGED_PREFIX = "sm-access-"
"""What the names of our customer-managed policies begin with; the role's name and a number follow."""
MANAGED_PATH = "/sm-access/"
"""The IAM path of our customer-managed policies, which a permission to write them can be held to."""

_INLINE = re.compile(rf"{PREFIX}\d{{8}}T\d{{6}}Z")

INLINE_LIMIT = 10_240
"""Characters of all inline policies of one role."""
MANAGED_LIMIT = 6_144
"""Characters of one customer-managed policy."""
ATTACHED_LIMIT = 10
"""Managed policies attached to one role, unless AWS raised it."""

_AT_ONCE = 100
"""So many grants may fit into one document; of more it is not tried first."""


@dataclass(frozen=True, slots=True)
class InUse:
    """What a role carries beside our grants: characters of inline policies, and managed policies attached."""

    characters: int = 0
    attached: int = 0


NOTHING_IN_USE = InUse()


@dataclass(frozen=True, slots=True)
class RolePlan:
    """The policies a role is to carry, name -> document, and how much of the quotas they use with what else is there.

    `inline` and `managed` are ours alone. `places`: id of each grant -> name of the policy that holds it.
    """

    inline: Mapping[str, Document]
    managed: Mapping[str, Document]
    places: Mapping[str, str]
    in_use: InUse = NOTHING_IN_USE

    @property
    def documents(self) -> Mapping[str, Document]:
        """All of ours: the names of the two kinds are never the same."""
        return {**self.inline, **self.managed}

    @property
    def characters(self) -> int:
        """Of all our documents."""
        return sum(map(characters, (*self.inline.values(), *self.managed.values())))

    @property
    def inline_characters(self) -> int:
        """Of all inline policies of the role, whoever wrote them."""
        return self.in_use.characters + sum(map(characters, self.inline.values()))

    @property
    def attached(self) -> int:
        """Managed policies attached to the role, whoever attached them."""
        return self.in_use.attached + len(self.managed)

    @property
    def capacity(self) -> int:
        """Characters that the role has for inline policies and for as many managed ones as are free."""
        return INLINE_LIMIT + max(0, ATTACHED_LIMIT - self.in_use.attached) * MANAGED_LIMIT

    @property
    def used(self) -> int:
        """Of that capacity: ours, and the inline policies of others."""
        return self.in_use.characters + self.characters

    @property
    def room(self) -> int:
        """Characters that are left for more grants; below nothing when the plan does not fit."""
        spare = ATTACHED_LIMIT - self.attached
        return INLINE_LIMIT - self.inline_characters + spare * MANAGED_LIMIT


def plan(role_arn: str, grants: Iterable[Grant], now: datetime, in_use: InUse = NOTHING_IN_USE) -> RolePlan:
    """What the role carries at a moment: the grants that have begun to count and have not ended.

    `grants` are of this role and in force. Raises QuotaExceeded with the figures when they do not fit.
    """
    planned = arrange(role_arn, [grant for grant in grants if now < grant.ends_at], in_use)
    over = planned.attached - ATTACHED_LIMIT
    if planned.managed and over > 0:
        raise QuotaExceeded(
            f"The grants need {planned.characters:,} characters of policy: {INLINE_LIMIT - in_use.characters:,} of "
            f"inline policy are free, and {max(0, ATTACHED_LIMIT - in_use.attached)} of AWS's {ATTACHED_LIMIT} managed "
            f"policies of {MANAGED_LIMIT:,}; that is {over} too few.",
            remedy="Revoke grants that are no longer needed, ask for one prefix above several, or have AWS raise the "
            "quota of managed policies attached to a role.",
        )
    return planned


def arrange(role_arn: str, grants: Iterable[Grant], in_use: InUse = NOTHING_IN_USE) -> RolePlan:
    """The documents of grants, whatever the order in which they come; whether or not they fit."""
    ordered = sorted(grants, key=lambda grant: (grant.ends_at, grant.id))
    left = INLINE_LIMIT - in_use.characters
    known: dict[tuple[str, int], Document] = {}

    def inline_of(count: int) -> dict[str, Document]:
        found = _by_end(ordered[:count])
        for name, held in found.items():
            if (name, len(held)) not in known:
                known[name, len(held)] = document(held)
        return {name: known[name, len(held)] for name, held in found.items()}

    def fits(count: int) -> bool:
        return sum(map(characters, inline_of(count).values())) <= left

    count = _most(len(ordered), fits)
    inline = _by_end(ordered[:count])
    bins = enumerate(_bins(ordered[count:]), 1)
    managed = {managed_name(role_arn, number): held for number, held in bins}
    return RolePlan(
        inline_of(count),
        {name: document(held) for name, held in managed.items()},
        {grant.id: name for name, held in (*inline.items(), *managed.items()) for grant in held},
        in_use,
    )


def _by_end(grants: Sequence[Grant]) -> dict[str, list[Grant]]:
    """Name of the inline policy -> its grants, which come by their end."""
    found: dict[str, list[Grant]] = {}
    for grant in grants:
        found.setdefault(inline_name(grant.ends_at), []).append(grant)
    return found


def _bins(grants: Sequence[Grant]) -> list[list[Grant]]:
    """In their order, as many in each as a managed policy holds; one at least."""
    bins: list[list[Grant]] = []
    while grants:
        rest = grants

        def fits(count: int, rest: Sequence[Grant] = rest) -> bool:
            return characters(document(rest[:count])) <= MANAGED_LIMIT

        count = max(1, _most(len(rest), fits))
        bins.append(list(rest[:count]))
        grants = rest[count:]
    return bins


def _most(count: int, fits: Callable[[int], bool]) -> int:
    """How many of so many to take, the first ones: a number that fits where one more does not, found in few tries.

    Growing by one would write each document as often as it has grants. What merges may once make a longer list the
    shorter document; then there can be more than one such number, and it is always the same that is found.
    """
    if count <= _AT_ONCE and fits(count):
        return count
    low, step = 0, 1
    while low + step <= count and fits(low + step):
        low, step = low + step, step * 2
    high = min(count + 1, low + step)
    while high - low > 1:
        middle = (low + high) // 2
        if fits(middle):
            low = middle
        else:
            high = middle
    return low


def document(grants: Iterable[Grant]) -> Document:
    """One policy document for some grants."""
    made = merge(statement for grant in grants for statement in grant.statements)
    return {"Version": "2012-10-17", "Statement": made}


def is_ours(name: str) -> bool:
    """Whether an inline policy has a name that a plan gives. No other is ever written, deleted or called drift: by the
    whole name, so that somebody's own `sm-access-guardrail` is left alone.
    """
    return _INLINE.fullmatch(name) is not None


def is_our_managed(role_arn: str, name: str) -> bool:
    """The same for the customer-managed policies of a role, which also have a path of ours."""
    stem = managed_name(role_arn, 0)[:-1]
    return name.startswith(stem) and re.fullmatch(r"[1-9]\d?", name[len(stem) :]) is not None


def inline_name(end: datetime) -> str:
    """The name of the inline policy whose grants end at a moment."""
    return f"{PREFIX}{end.strftime('%Y%m%dT%H%M%SZ')}"


def managed_name(role_arn: str, number: int) -> str:
    """The name of a role's customer-managed policy."""
    return f"{MANAGED_PREFIX}{role_arn.rpartition('/')[2]}-{number}"


def characters(document: Mapping[str, Any]) -> int:
    """What a document counts against the quota, at most."""
    return len(canonical_json(document))


def merge(statements: Iterable[Statement]) -> list[Statement]:
    """The same permissions in fewer statements.

    Statements that differ only in Resource become one, and so do those that differ only in the values of
    s3:prefix or of the encryption context: what two such statements allow together is exactly what one with the values
    of both allows. The first Sid stays.
    """
    merged = _merge_by(list(statements), _resources, _with_resources)
    for key in _JOINED:
        # Those without the key differ in more than Resource by now, and stay as they are.
        merged = _merge_by(merged, _values_of(key), _with_values_of(key))
    return merged


_JOINED = ("s3:prefix", ENCRYPTION_CONTEXT)
"""Keys whose values may be joined; a statement has at most one of them, under StringLike."""


def _merge_by(statements: list[Statement], values: Any, with_values: Any) -> list[Statement]:
    merged: dict[str, Statement] = {}
    for statement in statements:
        # The key is the statement without its Sid and without the values that may be joined; without any, its place.
        held = values(statement)
        key = canonical_json({**with_values(statement, ()), "Sid": ""}) if held else str(len(merged))
        if key in merged:
            joined = dict.fromkeys((*values(merged[key]), *held))
            merged[key] = with_values(merged[key], tuple(joined))
        else:
            merged[key] = statement
    return list(merged.values())


def _resources(statement: Statement) -> tuple[str, ...]:
    found = statement["Resource"]
    return (found,) if isinstance(found, str) else tuple(found)


def _with_resources(statement: Statement, values: tuple[str, ...]) -> Statement:
    return {**statement, "Resource": one_or_many(values)}


def _values_of(key: str) -> Any:
    def values(statement: Statement) -> tuple[str, ...]:
        found = statement["Condition"].get("StringLike", {}).get(key, ())
        return (found,) if isinstance(found, str) else tuple(found)

    return values


def _with_values_of(key: str) -> Any:
    def with_values(statement: Statement, values: tuple[str, ...]) -> Statement:
        conditions = statement["Condition"]
        like = {**conditions["StringLike"], key: one_or_many(values)}
        return {**statement, "Condition": {**conditions, "StringLike": like}}

    return with_values
