"""Active grants -> the inline policies of a role, within what AWS lets a role carry.

One document for each end: `sm-access-until-20261130T170000Z` holds all grants that end then. The name tells
a person in the console when it can go, and the end of one grant never touches the document of another.
Documents are a function of the grants and of nothing else, so any number of writers come to the same ones.

Quota (IAM User Guide, "IAM and AWS STS quotas"): the inline policies of a role may have 10,240 characters
in all, white space not counted. Ours count every character of the text that is sent, so the figure here is
never below AWS's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sm_access.access.canonical import canonical_json
from sm_access.access.levels import Statement, one_or_many
from sm_access.access.model import Grant
from sm_access.access.ports import Document
from sm_access.errors import QuotaExceeded

PREFIX = "sm-access-until-"
"""What the names of our inline policies begin with; the end follows."""

_OURS = re.compile(rf"{PREFIX}\d{{8}}T\d{{6}}Z")

INLINE_LIMIT = 10_240
"""Characters of all inline policies of one role."""


@dataclass(frozen=True, slots=True)
class RolePlan:
    """The inline policies a role is to carry, name -> document, and how much of the quota they use.

    `characters`: of our documents. `in_use_characters`: of the role's other inline policies. `limit`: for
    both.
    """

    documents: Mapping[str, Document]
    characters: int
    in_use_characters: int
    limit: int = INLINE_LIMIT

    @property
    def room(self) -> int:
        """Characters that are left; below nothing when the plan does not fit."""
        return self.limit - self.in_use_characters - self.characters


def plan(grants: Iterable[Grant], now: datetime, in_use_characters: int = 0) -> RolePlan:
    """What the role carries at a moment: the grants that have begun to count and have not ended.

    `grants` are of one role and in force. Raises QuotaExceeded with the figures when they do not fit.
    """
    made = documents(grant for grant in grants if now < grant.ends_at)
    planned = RolePlan(made, sum(map(characters, made.values())), in_use_characters)
    if planned.room < 0:
        raise QuotaExceeded(
            f"The grants need {planned.characters:,} characters of inline policy; the role has room for "
            f"{max(0, planned.limit - in_use_characters):,} of AWS's {planned.limit:,}.",
            remedy="Revoke grants that are no longer needed, or ask for one prefix above several.",
        )
    return planned


def documents(grants: Iterable[Grant]) -> dict[str, Document]:
    """The documents of grants, one for each end, whatever the order in which the grants come."""
    by_end: dict[datetime, list[Grant]] = {}
    for grant in sorted(grants, key=lambda grant: (grant.ends_at, grant.id)):
        by_end.setdefault(grant.ends_at, []).append(grant)
    return {
        document_name(end): {
            "Version": "2012-10-17",
            "Statement": merge(statement for grant in ending for statement in grant.statements),
        }
        for end, ending in by_end.items()
    }


def is_ours(name: str) -> bool:
    """Whether an inline policy has a name that a plan gives. No other is ever written, deleted or called drift: by the
    whole name, so that somebody's own `sm-access-guardrail` is left alone.
    """
    return _OURS.fullmatch(name) is not None


def document_name(end: datetime) -> str:
    """The name of the inline policy whose grants end at a moment."""
    return f"{PREFIX}{end.strftime('%Y%m%dT%H%M%SZ')}"


def characters(document: Mapping[str, Any]) -> int:
    """What a document counts against the quota, at most."""
    return len(canonical_json(document))


def merge(statements: Iterable[Statement]) -> list[Statement]:
    """The same permissions in fewer statements.

    Statements that differ only in Resource become one, and so do those that differ only in the values of
    s3:prefix: what two such statements allow together is exactly what one with the values of both allows.
    The first Sid stays.
    """
    return _merge_by(_merge_by(list(statements), _resources, _with_resources), _prefixes, _with_prefixes)


def _merge_by(statements: list[Statement], values: Any, with_values: Any) -> list[Statement]:
    merged: dict[str, Statement] = {}
    for statement in statements:
        # The key is the statement without its Sid and without the values that may be joined.
        key = canonical_json({**with_values(statement, ()), "Sid": ""})
        if key in merged:
            joined = dict.fromkeys((*values(merged[key]), *values(statement)))
            merged[key] = with_values(merged[key], tuple(joined))
        else:
            merged[key] = statement
    return list(merged.values())


def _resources(statement: Statement) -> tuple[str, ...]:
    found = statement["Resource"]
    return (found,) if isinstance(found, str) else tuple(found)


def _with_resources(statement: Statement, values: tuple[str, ...]) -> Statement:
    return {**statement, "Resource": one_or_many(values)}


def _prefixes(statement: Statement) -> tuple[str, ...]:
    return tuple(statement["Condition"].get("StringLike", {}).get("s3:prefix", ()))


def _with_prefixes(statement: Statement, values: tuple[str, ...]) -> Statement:
    if not _prefixes(statement):
        return statement
    conditions = statement["Condition"]
    return {**statement, "Condition": {**conditions, "StringLike": {"s3:prefix": list(values)}}}
