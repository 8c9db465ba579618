"""The packed data on disk: a header line, then one compressed block for each service.

The header is JSON: `{"date", "source", "dictionary": bytes, "blocks": {prefix: bytes}}`. The blocks share one
dictionary, which stands before them, so that each can be read on its own and all of them stay small.
A block is three lines: the actions' names, sorted; a digit for each, its access level; then JSON,
`[[context keys], {type: [ARN template, [key numbers]]}, [[[key numbers], [[type, required 0/1, [key numbers]]]]]]`,
whose last list is in the order of the names. Only the blocks that a question needs are decoded.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

FILE = "actions.z"
ACCESS_LEVELS = ("List", "Read", "Write", "Tagging", "Permissions management")
_WINDOW = -15  # raw deflate: a header for each of hundreds of blocks would say nothing


@dataclass(frozen=True, slots=True)
class Block:
    """One service: `names` are "GetObject ListBucket", `levels` then "10", `details` the JSON that belongs to
    them."""

    names: str
    levels: str
    details: str


@dataclass(frozen=True, slots=True)
class Archive:
    """`date` is the day of the source's last update; `packed` holds the blocks as they are on disk."""

    date: date
    source: str
    dictionary: bytes
    packed: dict[str, bytes]

    def block(self, service: str) -> Block | None:
        """One service's block; None for what is no service."""
        packed = self.packed.get(service)
        if packed is None:
            return None
        unpacker = zlib.decompressobj(_WINDOW, self.dictionary)
        return Block(*(unpacker.decompress(packed) + unpacker.flush()).decode().split("\n"))


def encode(about: dict[str, str], blocks: dict[str, Block], dictionary: bytes) -> bytes:
    """The bytes of the file; the same input gives the same bytes. `about`: date and source."""
    packed = {
        service: _packed(f"{block.names}\n{block.levels}\n{block.details}".encode(), dictionary)
        for service, block in sorted(blocks.items())
    }
    shared = zlib.compress(dictionary, 9)
    sizes = {service: len(block) for service, block in packed.items()}
    header = json.dumps({**about, "dictionary": len(shared), "blocks": sizes}, separators=(",", ":"))
    return b"".join((header.encode(), b"\n", shared, *packed.values()))


def _packed(text: bytes, dictionary: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, _WINDOW, 9, zlib.Z_DEFAULT_STRATEGY, dictionary)
    return packer.compress(text) + packer.flush()


def decode(content: bytes) -> Archive:
    """What `encode` packed, the blocks still compressed."""
    header, _, rest = content.partition(b"\n")
    about = json.loads(header)
    end = about["dictionary"]
    dictionary = zlib.decompress(rest[:end])
    packed: dict[str, bytes] = {}
    for service, size in about["blocks"].items():
        packed[service] = rest[end : end + size]
        end += size
    return Archive(date.fromisoformat(about["date"]), about["source"], dictionary, packed)


def packed_file(name: str) -> bytes:
    """A file of packed data, which stands beside this module."""
    return Path(__file__).with_name(name).read_bytes()


@cache
def _archive() -> Archive:
    return decode(packed_file(FILE))


@cache
def _block(service: str) -> Block | None:
    return _archive().block(service)


def qualified_names(service: str) -> tuple[str, ...]:
    """All actions of a service as "service:Name", sorted. One pass over the text: a question about all of AWS
    asks for every service."""
    block = _block(service)
    return tuple(f" {block.names}".replace(" ", f" {service}:").split()) if block else ()


@cache
def action_names(service: str) -> dict[str, str]:
    """The names of a service's actions by themselves in lower case, sorted; empty for what is no service.
    `service` is a prefix in lower case."""
    block = _block(service)
    return dict(zip(block.names.lower().split(), block.names.split(), strict=True)) if block else {}


@cache
def action_places(service: str) -> dict[str, tuple[int, int]]:
    """For each name in lower case: the number of its access level, and its place among the rows."""
    block = _block(service)
    if block is None:
        return {}
    return {
        name: (int(level), place)
        for place, (name, level) in enumerate(zip(action_names(service), block.levels, strict=True))
    }


@cache
def action_details(service: str) -> tuple[list[str], dict[str, Any], list[Any]]:
    """Context keys, resource types and rows of a service's block; raises KeyError for what is no service."""
    block = _block(service)
    if block is None:
        raise KeyError(service)
    keys, types, rows = json.loads(block.details)
    return keys, types, rows


def mentions(service: str, text: str) -> bool:
    """Whether `text` stands anywhere in a service's details: a look before they are decoded."""
    block = _block(service)
    return block is not None and text in block.details


@cache
def services() -> tuple[str, ...]:
    """The prefixes of all services, sorted: what stands before the colon of an action."""
    return tuple(sorted(_archive().packed))


def catalog_date() -> date:
    """The day up to which the catalog knows AWS's actions."""
    return _archive().date
