"""AWS's own managed policies, by name or ARN: what `AmazonS3ReadOnlyAccess` says.

Packed as one compressed text: a header line in JSON, then name, path and document of each policy, divided by
tabs. Source of the data: the PyPI package moto (Apache-2.0; its licence stands beside the data), which reads
them from AWS.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache
from typing import Any

from sm_access.catalog.archive import packed_file
from sm_access.errors import InvalidInput, MissingExtra
from sm_access.policy.arn import Arn

FILE = "managed_policies.xz"


@dataclass(frozen=True, slots=True)
class ManagedPolicies:
    """`documents`: name -> path and document, still as JSON text. `date`: the day of the newest of them."""

    date: date
    source: str
    documents: dict[str, tuple[str, str]]


def encode(about: dict[str, str], documents: dict[str, tuple[str, str]]) -> bytes:
    """The bytes of the file; the same input gives the same bytes. `about`: date and source."""
    import lzma

    lines = (f"{name}\t{documents[name][0]}\t{documents[name][1]}" for name in sorted(documents))
    text = "\n".join([json.dumps(about), *lines])
    return lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)


def decode(content: bytes) -> ManagedPolicies:
    """What `encode` packed."""
    try:
        import lzma
    except ImportError as problem:
        raise MissingExtra(
            "This Python was built without lzma, in which AWS's managed policies are packed.",
            remedy="Use a Python that has it; distributions and python.org build it in.",
        ) from problem
    header, *lines = lzma.decompress(content).decode().split("\n")
    about = json.loads(header)
    rows = (line.split("\t", 2) for line in lines)
    return ManagedPolicies(
        date.fromisoformat(about["date"]),
        about["source"],
        {name: (path, document) for name, path, document in rows},
    )


@cache
def _policies() -> ManagedPolicies:
    return decode(packed_file(FILE))


def managed_policies() -> tuple[str, ...]:
    """The names of AWS's managed policies, sorted."""
    return tuple(_policies().documents)


def managed_policies_date() -> date:
    """The day up to which these documents are known."""
    return _policies().date


def managed_policy(name_or_arn: str) -> dict[str, Any]:
    """The document of one policy; the caller's own copy. Raises InvalidInput for what AWS does not have."""
    name = name_or_arn
    arn = Arn.read(name_or_arn)
    if arn is not None and (arn.service, arn.account) == ("iam", "aws"):
        name = arn.name
    found = _policies().documents.get(name)
    if found is None or (arn is not None and arn.resource != f"policy{found[0]}{name}"):
        near = ", ".join(get_close_matches(name, managed_policies(), 3))
        raise InvalidInput(
            f"AWS has no managed policy {name_or_arn!r} (known up to {managed_policies_date()}).",
            remedy=f"Did you mean {near}?" if near else "Give its name, such as AmazonS3ReadOnlyAccess.",
        )
    document: dict[str, Any] = json.loads(found[1])
    return document
