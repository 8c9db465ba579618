"""The least policy that recorded calls need, as an identity policy of IAM.

The rule by which names become patterns, so that the next run works as well and no neighbour is opened:

- an object counts for its folder and what is beneath it (`raw/2026/x.csv` -> `raw/2026/*`); one at the top of its
  bucket counts for itself alone;
- a listing counts for the folder of its prefix; one without a prefix, and HeadBucket, cannot be held to any;
- a folder within another that is there is left out;
- of more than `MOST_FOLDERS` folders of a bucket for the same actions, the deepest go up one component at a time until
  they are few enough, and never above the first: the whole bucket is only there where it was listed whole.

Characters that a policy would read as more than themselves are escaped (IAM User Guide, "IAM policy elements: Variables
and tags", special characters); names that IAM accepts in no policy are told and left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sm_access.access.levels import one_or_many
from sm_access.access.operations import Need
from sm_access.access.recording import Kind, folder_of

MOST_FOLDERS = 12
_OBJECT = re.compile(r"(arn:[^:]+:s3:[^:]*:[^:]*:(?:accesspoint/[^/]+/object|[^/:]+))/(.*)", re.DOTALL)
_SPECIAL = {"*": "${*}", "?": "${?}", "$": "${$}"}
_PREFIX = "s3:prefix"
_HELD_TO = ("kms:ViaService", "iam:PassedToService")

Conditions = tuple[tuple[str, str, tuple[str, ...]], ...]
"""Operator, context key, values."""


@dataclass(frozen=True, slots=True)
class LeastPolicy:
    """document: the policy, None where nothing is needed. left_out: names that no policy can hold.
    merged: folders that stand for more than one that was seen. guessed: resources that the calls do not tell.
    unknown: operations of which it cannot be told what they need."""

    document: Mapping[str, Any] | None
    left_out: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def least_policy(kinds: Sequence[Kind]) -> LeastPolicy:
    """What all of these calls need, those that were denied included."""
    collected = _Collected()
    for kind in kinds:
        found = kind.needs
        if found is None:
            collected.unknown[f"{kind.call.service}:{kind.call.operation}"] = None
            continue
        for need in found:
            collected.add(need)
    return collected.policy()


class _Collected:
    def __init__(self) -> None:
        self.folders: dict[
            tuple[str, str], set[str]
        ] = {}  # action and bucket -> folders, and keys at the top
        self.prefixes: dict[
            tuple[str, str], set[str | None]
        ] = {}  # action and bucket -> prefixes; None: without one
        self.plain: dict[tuple[str, Conditions], set[str]] = {}  # resource and conditions -> actions
        self.left_out: dict[str, None] = {}
        self.merged: dict[str, None] = {}
        self.guessed: dict[str, None] = {}
        self.unknown: dict[str, None] = {}

    def add(self, need: Need) -> None:
        if not need.exact:
            self.guessed[f"{need.action} on {need.resource}"] = None
        match = _OBJECT.fullmatch(need.resource) if need.action.startswith("s3:") else None
        if match and need.exact:
            self._add_object(need, match[1], match[2])
        elif _accepts_prefix(need):
            self.prefixes.setdefault((need.action, need.resource), set()).add(need.context.get(_PREFIX))
        elif _writable(need.resource):
            held = tuple(
                ("StringEquals", key, (need.context[key],)) for key in _HELD_TO if key in need.context
            )
            # A call about no resource is about `*`; an object of that name is no such thing.
            plain = need.exact and need.resource != "*"
            resource = _escaped(need.resource) if plain else need.resource
            self.plain.setdefault((resource, held), set()).add(need.action)
        else:
            self.left_out[need.resource] = None

    def _add_object(self, need: Need, bucket: str, key: str) -> None:
        place = folder_of(key) or key
        if _writable(place):
            self.folders.setdefault((need.action, bucket), set()).add(place)
        else:
            self.left_out[f"{bucket}/{place}"] = None

    def policy(self) -> LeastPolicy:
        by_resource: dict[tuple[str, Conditions], set[str]] = {
            key: set(names) for key, names in self.plain.items()
        }
        for (action, bucket), places in self.folders.items():
            for place in self._few(bucket, places):
                resource = f"{bucket}/{_escaped(place)}{'*' if place.endswith('/') else ''}"
                by_resource.setdefault((resource, ()), set()).add(action)
        for (action, bucket), prefixes in self.prefixes.items():
            conditions = self._listing(bucket, prefixes)
            if conditions is not None:
                by_resource.setdefault((bucket, conditions), set()).add(action)
        statements = _statements(by_resource)
        document = {"Version": "2012-10-17", "Statement": statements} if statements else None
        told = (self.left_out, self.merged, self.guessed, self.unknown)
        return LeastPolicy(document, *(tuple(each) for each in told))

    def _listing(self, bucket: str, prefixes: set[str | None]) -> Conditions | None:
        """The prefixes that may be listed: no condition where one listing had none and so showed everything, and None
        where no policy can name any."""
        if None in prefixes:
            return ()
        named = {prefix for prefix in prefixes if prefix is not None}
        unwritable = {prefix for prefix in named if not _writable(prefix)}
        self.left_out |= dict.fromkeys(f"{bucket}, the prefix {prefix!r}" for prefix in sorted(unwritable))
        places = {folder_of(prefix) or prefix for prefix in named - unwritable}
        few = self._few(bucket, places)
        values = [f"{_escaped(place)}{'*' if place.endswith('/') else ''}" for place in few]
        return (("StringLike", _PREFIX, tuple(values)),) if values else None

    def _few(self, bucket: str, places: Iterable[str]) -> list[str]:
        """Folders without those within others; of too many, the deepest go up."""
        kept = _outermost(places)
        while sum(place.endswith("/") for place in kept) > MOST_FOLDERS:
            deepest = max(place.count("/") for place in kept if place.endswith("/"))
            if deepest < 2:
                break
            raised = {_parent(place) if place.count("/") == deepest else place for place in kept}
            self.merged |= dict.fromkeys(f"{bucket}/{place}" for place in sorted(raised - set(kept)))
            kept = _outermost(raised)
        return kept


def _outermost(places: Iterable[str]) -> list[str]:
    kept: list[str] = []
    for place in sorted(set(places)):
        if not any(folder.endswith("/") and place.startswith(folder) for folder in kept[-1:]):
            kept.append(place)
    return kept


def _parent(folder: str) -> str:
    return folder_of(folder.removesuffix("/"))


def _accepts_prefix(need: Need) -> bool:
    """Listings of a bucket: the one place where what is seen is a matter of the request, and not of the resource."""
    return (
        need.action in ("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads")
        and need.exact
    )


def _writable(text: str) -> bool:
    """IAM accepts tab, LF, CR and U+0020 to U+00FF (IAM User Guide, "IAM JSON policy elements: grammar")."""
    return all(character in "\t\n\r" or " " <= character <= "\u00ff" for character in text)


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in text)


def _statements(by_resource: Mapping[tuple[str, Conditions], set[str]]) -> list[dict[str, Any]]:
    """Resources that need the same actions under the same conditions share a statement."""
    grouped: dict[tuple[tuple[str, ...], Conditions], list[str]] = {}
    for (resource, conditions), names in by_resource.items():
        grouped.setdefault((tuple(sorted(names)), conditions), []).append(resource)
    statements: list[dict[str, Any]] = []
    for number, ((actions, conditions), resources) in enumerate(sorted(grouped.items()), 1):
        statement: dict[str, Any] = {
            "Sid": f"Recorded{number}",
            "Effect": "Allow",
            "Action": one_or_many(actions),
            "Resource": one_or_many(tuple(sorted(resources))),
        }
        if conditions:
            statement["Condition"] = {
                operator: {key: one_or_many(values)} for operator, key, values in conditions
            }
        statements.append(statement)
    return statements
