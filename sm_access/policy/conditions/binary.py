"""BinaryEquals: byte for byte; both sides are given in base64.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators", "Binary condition operators".
"""

from __future__ import annotations

import base64
import binascii

from sm_access.policy.conditions.operator import IncomparableError, Operator, typed


def octets(text: str) -> bytes:
    """The bytes that `text` encodes; raises IncomparableError."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as problem:
        raise IncomparableError(f"the value {text!r}, which is not base64") from problem


def _same(expected: str, actual: str) -> bool:
    return octets(expected) == octets(actual)


OPERATORS = (Operator("BinaryEquals", typed(_same)),)
