"""The four words in which people ask for access to S3."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from sm_access.errors import InvalidInput, UnknownLevel


class Level(str, Enum):
    """What somebody may do in a place in S3. What each one means in S3 actions: `levels`."""

    LIST = "list"
    READ = "read"
    WRITE = "write"
    DELETE = "delete"


def parse_level(text: str) -> Level:
    """`read` -> Level.READ, whatever the case. Raises UnknownLevel."""
    try:
        return Level(text.strip().lower())
    except ValueError:
        words = ", ".join(level.value for level in Level)
        raise UnknownLevel(f"{text!r} is not a level of access.", remedy=f"Say one of: {words}.") from None


class Extra(str, Enum):
    """What may be asked for beside a level, for those who need it: earlier versions of objects, and their tags."""

    VERSIONS = "versions"
    TAGS = "tags"


def parse_extras(words: Iterable[str]) -> tuple[Extra, ...]:
    """`["tags"]` -> (Extra.TAGS,), in one order and each once. Raises InvalidInput."""
    asked = {word.strip().lower() for word in words}
    unknown = sorted(asked - {extra.value for extra in Extra})
    if unknown:
        known = ", ".join(extra.value for extra in Extra)
        raise InvalidInput(
            f"{unknown[0]!r} is nothing that can be asked for beside a level.", remedy=f"Say one of: {known}."
        )
    return tuple(extra for extra in Extra if extra.value in asked)
