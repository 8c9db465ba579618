"""JSON -> PolicyDocument. What AWS's grammar refuses raises PolicySyntaxError with the JSON path; oddities
that AWS accepts are accepted: one statement instead of a list, a string instead of a list, empty lists, no
Version.

Operators and statement elements that this engine does not know are kept, and evaluated as not understood:
AWS may be ahead of us. Source: IAM User Guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from sm_access.errors import PolicySyntaxError
from sm_access.policy.action import ActionElement
from sm_access.policy.conditions.condition import Condition
from sm_access.policy.conditions.registry import find_operator
from sm_access.policy.document import VARIABLES_SINCE, VERSIONS, PolicyDocument
from sm_access.policy.principal import PrincipalElement
from sm_access.policy.resource import ResourceElement
from sm_access.policy.statement import ALLOW, DENY, Statement

_ACTION = re.compile(r"\*|[A-Za-z0-9*?-]+:[^:\s]+")
_PRINCIPAL_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")
_ELEMENTS = frozenset(
    (
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    )
)
_PREFIXES = ("arn:", "*", "?", "${")


def parse_policy(document: str | Mapping[str, Any], *, name: str = "policy") -> PolicyDocument:
    """Parse JSON text or an already decoded document. `name` is what error messages call it.

    Raises PolicySyntaxError, and nothing else, for anything that is not a policy document.
    """
    return _Parser(name).document(document)


class _DuplicateElementError(ValueError):
    pass


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    decoded: dict[str, Any] = {}
    for key, value in pairs:
        if key in decoded:
            raise _DuplicateElementError(key)
        decoded[key] = value
    return decoded


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


class _Parser:
    """One parse; holds only the name for messages."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _fail(self, path: str, expected: str) -> NoReturn:
        raise PolicySyntaxError(path, expected, policy=self._name)

    def document(self, document: str | Mapping[str, Any]) -> PolicyDocument:
        body = self._decoded(document)
        for key in body:
            if key not in ("Version", "Id", "Statement"):
                self._fail(f"$.{key}", "only Version, Id and Statement may stand here")
        version = body.get("Version", VERSIONS[0])
        if version not in VERSIONS:
            self._fail("$.Version", f"expected {VERSIONS[1]!r} or {VERSIONS[0]!r}")
        identifier = body.get("Id")
        if identifier is not None and not isinstance(identifier, str):
            self._fail("$.Id", "expected a string")
        if "Statement" not in body:
            self._fail("$.Statement", "expected a statement or a list of statements")
        found = body["Statement"]
        single = isinstance(found, Mapping)
        listed = [found] if single else found
        if not _is_list(listed):
            self._fail("$.Statement", "expected a statement or a list of statements")
        statements = tuple(
            self._statement(item, index, "$.Statement" if single else f"$.Statement[{index}]", version)
            for index, item in enumerate(listed)
        )
        return PolicyDocument(version, statements, identifier)

    def _decoded(self, document: str | Mapping[str, Any]) -> Mapping[str, Any]:
        if isinstance(document, str):
            try:
                document = json.loads(
                    document, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant
                )
            except _DuplicateElementError as problem:
                self._fail("$", f"the element {str(problem)!r} stands twice in one object")
            except (ValueError, RecursionError) as problem:
                self._fail("$", f"expected JSON ({problem})")
        if not isinstance(document, Mapping) or not all(isinstance(key, str) for key in document):
            self._fail("$", "expected an object")
        return document

    def _statement(self, body: Any, index: int, path: str, version: str) -> Statement:
        if not isinstance(body, Mapping) or not all(isinstance(key, str) for key in body):
            self._fail(path, "expected a statement object")
        sid = body.get("Sid")
        if sid is not None and not isinstance(sid, str):
            self._fail(f"{path}.Sid", "expected a string")
        if body.get("Effect") not in (ALLOW, DENY):
            self._fail(f"{path}.Effect", "expected 'Allow' or 'Deny'")
        variables = version == VARIABLES_SINCE
        return Statement(
            index=index,
            path=path,
            effect=body["Effect"],
            action=self._action(body, path),
            resource=self._resource(body, path, variables),
            principal=self._principal(body, path),
            conditions=self._conditions(body, path),
            sid=sid,
            variables=variables,
            unrecognised=(*(key for key in body if key not in _ELEMENTS), *_unknown_and_empty(body)),
        )

    def _one_of(self, body: Mapping[str, Any], path: str, element: str) -> str | None:
        """The name under which `element` or its negation stands; both together are refused."""
        names = [name for name in (element, f"Not{element}") if name in body]
        if len(names) == 2:
            self._fail(path, f"expected {element} or Not{element}, not both")
        return names[0] if names else None

    def _texts(self, value: Any, path: str) -> tuple[str, ...]:
        if isinstance(value, str):
            return (value,)
        if not _is_list(value):
            self._fail(path, "expected a string or a list of strings")
        for index, item in enumerate(value):
            if not isinstance(item, str):
                self._fail(f"{path}[{index}]", "expected a string")
        return tuple(value)

    def _action(self, body: Mapping[str, Any], path: str) -> ActionElement:
        name = self._one_of(body, path, "Action")
        if name is None:
            self._fail(path, "expected Action or NotAction")
        patterns = self._texts(body[name], f"{path}.{name}")
        for pattern in patterns:
            if not _ACTION.fullmatch(pattern):
                self._fail(f"{path}.{name}", f"expected service:Action or '*', not {pattern!r}")
        return ActionElement(patterns, negated=name == "NotAction")

    def _resource(self, body: Mapping[str, Any], path: str, variables: bool) -> ResourceElement | None:
        name = self._one_of(body, path, "Resource")
        if name is None:
            return None
        patterns = self._texts(body[name], f"{path}.{name}")
        for pattern in patterns:
            if not pattern.startswith(_PREFIXES):
                self._fail(f"{path}.{name}", f"expected an ARN or '*', not {pattern!r}")
        return ResourceElement(patterns, name == "NotResource", variables)

    def _principal(self, body: Mapping[str, Any], path: str) -> PrincipalElement | None:
        name = self._one_of(body, path, "Principal")
        if name is None:
            return None
        value, place = body[name], f"{path}.{name}"
        if value == "*":
            return PrincipalElement((("*", "*"),), negated=name == "NotPrincipal")
        if not isinstance(value, Mapping):
            self._fail(place, "expected '*' or an object")
        entries: list[tuple[str, str]] = []
        for kind, listed in value.items():
            if kind not in _PRINCIPAL_TYPES:
                self._fail(place, f"expected {', '.join(_PRINCIPAL_TYPES)}, not {kind!r}")
            entries.extend((kind, text) for text in self._texts(listed, f"{place}.{kind}"))
        return PrincipalElement(tuple(entries), negated=name == "NotPrincipal")

    def _conditions(self, body: Mapping[str, Any], path: str) -> tuple[Condition, ...]:
        block = body.get("Condition", {})
        conditions: list[Condition] = []
        if not isinstance(block, Mapping):
            self._fail(f"{path}.Condition", "expected an object of operators")
        for operator, keys in block.items():
            if not isinstance(operator, str) or not isinstance(keys, Mapping):
                self._fail(f"{path}.Condition.{operator}", "expected an object of context keys")
            for key, value in keys.items():
                place = f"{path}.Condition.{operator}.{key}"
                if not isinstance(key, str) or not key:
                    self._fail(place, "expected the name of a context key")
                conditions.append(Condition(operator, key, self._scalars(value, place)))
        return tuple(conditions)

    def _scalars(self, value: Any, path: str) -> tuple[str, ...]:
        listed = value if _is_list(value) else [value]
        return tuple(self._scalar(item, path) for item in listed)

    def _scalar(self, value: Any, path: str) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, (str, int, float)):
            self._fail(path, "expected a string, a number, a boolean, or a list of them")
        return str(value)


def _unknown_and_empty(body: Mapping[str, Any]) -> Iterator[str]:
    """Operators that are not understood and name no key: without a condition to stand for them they would vanish."""
    for operator, keys in body.get("Condition", {}).items():
        if not keys and find_operator(operator) is None:
            yield operator


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray))
