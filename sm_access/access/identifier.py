"""Ids of access requests: short enough to say aloud, without letters that are mistaken for others."""

from __future__ import annotations

import secrets
from collections.abc import Callable

ALPHABET = "abcdefghjkmnpqrstvwxyz0123456789"
"""Lower-case base32 after Crockford, with the digits last: no i, l, o, u."""

Draw = Callable[[str], str]
"""One character of a string, by chance."""


def request_id(draw: Draw = secrets.choice) -> str:
    """`r-` and eight characters: 40 bits, of which the ledger's conditional append makes a unique name."""
    return "r-" + "".join(draw(ALPHABET) for _ in range(8))
