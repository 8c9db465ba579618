"""The four words in which people ask for access to S3."""

from __future__ import annotations

from enum import Enum

from sm_access.errors import UnknownLevel


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
