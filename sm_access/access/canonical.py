"""One text for one JSON value, so that a hash binds its meaning and not its spelling."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> str:
    """Sorted keys, no white space between tokens, no escapes that are not needed. ValueError for NaN and
    infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256(value: Any) -> str:
    """Hexadecimal SHA-256 of the canonical JSON of a value, in UTF-8."""
    return hashlib.sha256(canonical_json(value).encode("utf-8")).hexdigest()
