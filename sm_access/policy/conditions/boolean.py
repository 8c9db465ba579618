"""Bool: true or false, in any case.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators", "Boolean condition operators".
"""

from __future__ import annotations

from sm_access.policy.conditions.operator import IncomparableError, Operator, typed


def boolean(text: str) -> bool:
    """The truth value that `text` writes; raises IncomparableError."""
    lowered = text.lower()
    if lowered not in ("true", "false"):
        raise IncomparableError(f"the value {text!r}, which is neither true nor false")
    return lowered == "true"


def _same(expected: str, actual: str) -> bool:
    return boolean(expected) == boolean(actual)


OPERATORS = (Operator("Bool", typed(_same), example="true"),)
