"""What is wrong with the conditions of a statement, as far as the grammar tells.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators", "Set operators for multivalued context
keys", "IAM Access Analyzer policy check reference".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sm_access.policy.conditions.binary import octets
from sm_access.policy.conditions.boolean import boolean
from sm_access.policy.conditions.date import epoch_seconds
from sm_access.policy.conditions.ip_address import address_range
from sm_access.policy.conditions.multivalued import is_multivalued
from sm_access.policy.conditions.numeric import number
from sm_access.policy.conditions.operator import IncomparableError
from sm_access.policy.conditions.registry import BoundOperator, Quantifier, find_operator
from sm_access.policy.finding import Finding, Severity
from sm_access.policy.lint_elements import variable_findings


def _arn(text: str) -> object:
    if text != "*" and text.count(":") < 5 and not text.startswith("${"):
        raise IncomparableError(f"the value {text!r}, which is not an ARN pattern")
    return text


_READERS: tuple[tuple[str, Callable[[str], object]], ...] = (
    ("Numeric", number),
    ("Date", epoch_seconds),
    ("Bool", boolean),
    ("Binary", octets),
    ("IpAddress", address_range),
    ("NotIpAddress", address_range),
    ("Arn", _arn),
)
_STARRED = ("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase")


def _error(path: str, message: str, rule: str) -> Finding:
    return Finding(Severity.ERROR, path, message, rule)


def _warning(path: str, message: str, rule: str) -> Finding:
    return Finding(Severity.WARNING, path, message, rule)


def condition_findings(statement: Mapping[str, Any], path: str, variables: bool) -> Iterator[Finding]:
    """The Condition element."""
    if "Condition" not in statement:
        return
    block = statement["Condition"]
    path = f"{path}.Condition"
    if not isinstance(block, Mapping):
        yield _error(path, "Expected an object of operators.", "type")
        return
    if not block:
        yield _warning(path, "An empty condition always holds.", "empty")
    for operator, keys in block.items():
        yield from _operator(str(operator), keys, f"{path}.{operator}", variables)
    if statement.get("Effect") == "Allow":
        yield from _every_value(block, path)


def _operator(operator: str, keys: object, path: str, variables: bool) -> Iterator[Finding]:
    bound = find_operator(operator)
    if bound is None:
        yield _error(path, _unknown(operator), "operator")
    if not isinstance(keys, Mapping):
        yield _error(path, "Expected an object of context keys.", "type")
        return
    if not keys:
        yield _warning(path, "An operator without a key always holds.", "empty")
    lowered: set[str] = set()
    for key, value in keys.items():
        place = f"{path}.{key}"
        if ":" not in str(key).strip(":"):
            words = f"{key!r} is not a context key; one reads prefix:name, such as aws:SourceIp."
            yield _error(place, words, "key-format")
        if str(key).lower() in lowered:
            yield _error(place, "The same key stands here twice, in different case.", "key-duplicate")
        lowered.add(str(key).lower())
        if (
            bound is not None
            and bound.operator
            and bound.quantifier is Quantifier.NONE
            and is_multivalued(str(key))
        ):
            words = (
                f"{key} may have several values: it needs ForAllValues or ForAnyValue before the operator."
            )
            yield _warning(place, words, "set-operator-missing")
        yield from _values(bound, str(key), value, place, variables)


def _unknown(operator: str) -> str:
    plain = operator.rpartition(":")[2]
    if plain.startswith("Null"):
        return "Null stands alone: it takes neither IfExists nor a set operator."
    for wrong in ("ForAllValues", "ForAnyValue"):
        if operator.lower().startswith(wrong.lower()):
            return f"No condition operator is called {operator!r}; a set operator reads {wrong}:StringLike."
    return f"No condition operator is called {operator!r}."


def _values(
    bound: BoundOperator | None, key: str, value: object, path: str, variables: bool
) -> Iterator[Finding]:
    listed = value if isinstance(value, list) else [value]
    if not listed:
        yield _warning(path, "Without a value the condition never holds, or always does.", "empty")
    for item in listed:
        if not isinstance(item, (str, int, float)):
            yield _error(path, "Expected text, a number, a boolean, or a list of them.", "type")
    if bound is None:
        return
    values = [_text(item) for item in listed if isinstance(item, (str, int, float))]
    name = bound.operator.name if bound.operator else "Bool"  # Null asks with true and false as well
    if name == "Bool" and {text.lower() for text in values} >= {"true", "false"}:
        yield _warning(path, "Either value is accepted, so this says nothing.", "both-booleans")
    for text in values:
        if bound.operator is not None and not bound.operator.variables and "${" in text:
            yield _error(path, f"{name} does not know policy variables.", "variable-for-operator")
        elif bound.operator is not None and bound.operator.variables:
            yield from variable_findings(text, path, variables)
        yield from _value(name, key, text, path)


def _value(name: str, key: str, text: str, path: str) -> Iterator[Finding]:
    reader = next((read for start, read in _READERS if name.startswith(start)), None)
    if reader is not None and "${" not in text:
        try:
            found = reader(text)
        except IncomparableError as problem:
            yield _error(path, f"{name} cannot compare {problem}.", "value")
        else:
            if key.lower() == "aws:sourceip" and getattr(found, "is_private", False):
                words = f"{text} is private: aws:SourceIp holds public addresses, and is absent behind an endpoint."
                yield _warning(path, words, "private-source-ip")
    plain = text.replace("${*}", "").replace("${?}", "")
    if name in _STARRED and ("*" in plain or "?" in plain):
        words = f"{name} takes '*' and '?' for themselves; StringLike knows wildcards."
        yield _warning(path, words, "wildcard-without-like")


def _every_value(block: Mapping[str, Any], path: str) -> Iterator[Finding]:
    """ForAllValues holds without the key, so that an Allow through it is wider than it looks."""
    required = {
        str(key).lower()
        for operator, keys in block.items()
        if isinstance(keys, Mapping)
        for key, value in keys.items()
        if _requires(str(operator), value)
    }
    for operator, keys in block.items():
        bound = find_operator(str(operator))
        if bound is None or bound.quantifier is not Quantifier.ALL or not isinstance(keys, Mapping):
            continue
        for key in keys:
            if str(key).lower() not in required:
                words = 'ForAllValues also holds where the key is absent; add Null with "false" for the key.'
                yield _warning(f"{path}.{operator}.{key}", words, "for-all-values-without-null")


def _requires(operator: str, value: object) -> bool:
    """Whether a condition holds only where its key is present."""
    bound = find_operator(operator)
    if bound is None:
        return False
    if bound.operator is None:
        listed = value if isinstance(value, list) else [value]
        return [_text(item).lower() for item in listed if isinstance(item, (str, bool))] == ["false"]
    return bound.quantifier is not Quantifier.ALL and not bound.if_exists and not bound.operator.negated


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
