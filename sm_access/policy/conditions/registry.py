"""Every condition operator by its name, and how a name with a set operator and IfExists is taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from sm_access.policy.conditions import arn, binary, boolean, date, ip_address, null, numeric, string
from sm_access.policy.conditions.operator import Operator

OPERATORS: dict[str, Operator] = {
    found.name: found
    for family in (string, numeric, date, boolean, binary, ip_address, arn)
    for found in family.OPERATORS
}


class Quantifier(str, Enum):
    """How a key with several values is asked (IAM User Guide, "Set operators for multivalued context
    keys")."""

    NONE = ""
    ALL = "ForAllValues"
    ANY = "ForAnyValue"


@dataclass(frozen=True, slots=True)
class BoundOperator:
    """`operator` is None for Null."""

    operator: Operator | None
    quantifier: Quantifier = Quantifier.NONE
    if_exists: bool = False


@lru_cache(maxsize=512)
def find_operator(text: str) -> BoundOperator | None:
    """The operator that a policy writes as `text`; None for what AWS does not define."""
    if text == null.NAME:
        return BoundOperator(None)
    prefix, colon, rest = text.partition(":")
    if colon and prefix not in (Quantifier.ALL.value, Quantifier.ANY.value):
        return None
    quantifier = Quantifier(prefix) if colon else Quantifier.NONE
    name = rest if colon else text
    if_exists = name.endswith("IfExists")
    found = OPERATORS.get(name.removesuffix("IfExists"))
    return None if found is None else BoundOperator(found, quantifier, if_exists)
