"""Long-term access keys in text: where they stand, never what they are.

An access key's id begins with `AKIA` when it is an IAM user's or the root user's own and has no end, and with `ASIA`
when it is temporary (IAM User Guide, "IAM identifiers", on prefixes). A secret has no such mark: it is 40 characters of
base64, and is only recognised by the name it is given to.

INVARIANT: nothing that is returned holds a character of a key beyond the four letters that all of them share.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

_ID = re.compile(r"(?<![A-Za-z0-9])AKIA[A-Z0-9]{16}(?![A-Za-z0-9])")
_TEMPORARY = re.compile(r"(?<![A-Za-z0-9])ASIA[A-Z0-9]{16}(?![A-Za-z0-9])")
#: A name that ends in "secret access key" or "AWS secret key", also quoted or subscripted, and its value.
_SECRET = re.compile(
    r"(?:secret_?access|aws_?secret)_?key[\"'\\)\]]{0,4}\s{0,8}(?:=>|[:=,])\s{0,8}\\?[\"']?"
    r"(?=[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=]))(?![A-Za-z0-9/+]{0,33}EXAMPLE)",
    re.IGNORECASE,
)
_SECTION = re.compile(r"\s*\[\s*(?:profile\s+)?([^\]\n]{1,128}?)\s*\]")


class PlaceKind(str, Enum):
    """What a key was found in, which decides how one gets rid of it."""

    VARIABLE = "environment-variable"
    FILE = "file"
    CELL = "cell"
    OUTPUT = "cell-output"
    EXECUTED = "executed-cell"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands.

    name: of the variable, or the path of the file or notebook; "" for what the running kernel has executed.
    cell: the number of a notebook's cell, from 1, or the execution count of an executed one. profile: the section of a
    file of the AWS SDK. line: from 1, within the file or cell.
    """

    kind: PlaceKind
    name: str = ""
    cell: int | None = None
    profile: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class FoundKey:
    """Long-term keys on one line. ids: how many begin `AKIA`; secrets: how many values look like secrets."""

    place: Place
    ids: int
    secrets: int


@dataclass(frozen=True, slots=True)
class Unsearched:
    """What could not be searched, and why, in a few words."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class KeySearch:
    """What a search came to. Nothing found is only as good as `unsearched` is empty."""

    found: tuple[FoundKey, ...] = ()
    unsearched: tuple[Unsearched, ...] = ()


def scan_text(text: str, place: Place, *, sections: bool = False) -> tuple[FoundKey, ...]:
    """Each line of `text` that holds a long-term key's id or secret, as a place within `place`.

    sections: the text is a file of the AWS SDK, whose profiles are told apart by their `[headings]`.
    The keys of AWS's documentation, which end in EXAMPLE, are no keys. A secret beside a temporary key's id, with no
    long-term one in the same section, is that temporary key's.
    """
    found = []
    for profile, first, lines in _sections(text) if sections else [(place.profile, 1, text.split("\n"))]:
        whole = "\n".join(lines)
        ids = any(map(_counts, _ID.findall(whole)))
        secrets_count = ids or not _TEMPORARY.search(whole)
        for number, line in enumerate(lines, first):
            here = sum(map(_counts, _ID.findall(line)))
            secrets = len(_SECRET.findall(line)) if secrets_count else 0
            if here or secrets:
                at = Place(place.kind, place.name, place.cell, profile, number)
                found.append(FoundKey(at, here, secrets))
    return tuple(found)


def scan_variables(variables: Iterable[tuple[str, str]]) -> tuple[FoundKey, ...]:
    """The environment variables that hold a long-term key, whatever they are called."""
    given = sorted(variables)
    text = "\n".join(f"{name}={_one_line(value)}" for name, value in given)
    return tuple(
        FoundKey(Place(PlaceKind.VARIABLE, given[found.place.line - 1][0]), found.ids, found.secrets)
        for found in scan_text(text, Place(PlaceKind.VARIABLE))
        if found.place.line is not None
    )


def _counts(key_id: str) -> bool:
    return not key_id.endswith("EXAMPLE")


def _one_line(value: str) -> str:
    return value.replace("\n", " ")


def _sections(text: str) -> Iterable[tuple[str | None, int, list[str]]]:
    """Heading, number of the first line, lines; the heading's own line belongs to its section."""
    profile: str | None = None
    first, lines = 1, list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        heading = _SECTION.match(line)
        if heading:
            if lines:
                yield profile, first, lines
            profile, first, lines = heading[1], number, []
        lines.append(line)
    yield profile, first, lines
