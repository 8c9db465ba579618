"""The packed data on disk: one compressed text, a header line, then one line for each service.

A line is the service's prefix, a tab and JSON:
`{"keys": [context keys], "types": {name: [ARN template, [key numbers]]}, "actions": [[name, access level
number, [key numbers], [[type name, required 0/1, [key numbers]]]]]}`.
Only the line that a question needs is decoded.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

FILE = "actions.z"
ACCESS_LEVELS = ("List", "Read", "Write", "Tagging", "Permissions management")


@dataclass(frozen=True, slots=True)
class Archive:
    """The decompressed text, cut into lines. `date` is the day of the source's last update."""

    date: date
    source: str
    lines: dict[str, str]


def encode(header: dict[str, str], lines: dict[str, str]) -> bytes:
    """The bytes of the file; the same input gives the same bytes."""
    text = "\n".join([json.dumps(header), *(f"{service}\t{lines[service]}" for service in sorted(lines))])
    return zlib.compress(text.encode(), 9)


def decode(packed: bytes) -> Archive:
    """What `encode` packed."""
    header, *rest = zlib.decompress(packed).decode().split("\n")
    about = json.loads(header)
    return Archive(
        date.fromisoformat(about["date"]), about["source"], dict(line.split("\t", 1) for line in rest)
    )


@cache
def _archive() -> Archive:
    return decode(files("sm_access.catalog").joinpath(FILE).read_bytes())


@cache
def service_data(service: str) -> dict[str, Any] | None:
    """The decoded line of one service; None for what is no service. `service` is a prefix in lower case."""
    line = _archive().lines.get(service)
    return None if line is None else json.loads(line)


def services() -> tuple[str, ...]:
    """The prefixes of all services, sorted: what stands before the colon of an action."""
    return tuple(sorted(_archive().lines))


def catalog_date() -> date:
    """The day up to which the catalog knows AWS's actions."""
    return _archive().date
