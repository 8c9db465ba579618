"""A decision under test, as data: a request, the policies that have a say, and what should come of it.

The shape, with everything that may be left out:

    {"name": "reads the lake", "request": {"principal": ..., "action": ..., "resource": ...,
     "resource_account": ..., "context": {...}, "unknown": [...]}, "policies": {layer: [...]}, "expect": "ALLOW"}

`policies` is what `PolicySet.from_dict` reads. In `context` a number or a boolean stands for its text, which is
what AWS sends. A key that the schema does not have is a mistake, not a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sm_access.errors import InvalidInput, InvalidScenario, PolicySyntaxError
from sm_access.policy.authorizer import authorize
from sm_access.policy.decision import Decision, Response
from sm_access.policy.policy_set import PolicySet
from sm_access.policy.principal import Principal
from sm_access.policy.request import Request

_KEYS = ("name", "request", "policies", "expect")
_REQUEST_KEYS = ("principal", "action", "resource", "resource_account", "context", "unknown")
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Scenario:
    """`expect` is None where nobody said; then only ALLOW is as it should be."""

    name: str
    request: Request
    policies: PolicySet
    expect: Decision | None = None

    @classmethod
    def from_dict(cls, data: object) -> Scenario:
        """Read one scenario from plain data; raises InvalidScenario, and nothing else, with the JSON path."""
        body = _object(data, "$", _KEYS, required=("request", "policies"))
        request = _request(body["request"])
        name = f"{request.action} on {request.resource}"
        if "name" in body:
            name = _text(body["name"], "$.name")
        policies = _policies(_object(body["policies"], "$.policies"))
        return cls(name, request, policies, _expectation(body.get("expect")))

    def run(self) -> Outcome:
        """Decide it. Pure, like the engine."""
        return Outcome(self, authorize(self.policies, self.request))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a scenario."""

    scenario: Scenario
    response: Response

    @property
    def met(self) -> bool:
        """Whether the decision is the expected one; without an expectation, whether it is ALLOW."""
        return self.response.decision is (self.scenario.expect or Decision.ALLOW)

    @property
    def open(self) -> bool:
        """Nobody said what to expect, and it cannot be told."""
        return self.scenario.expect is None and self.response.decision is Decision.UNDETERMINED


def _object(
    value: object, path: str, known: tuple[str, ...] = (), required: tuple[str, ...] = ()
) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidScenario(path, f"expected an object, not {_kind(value)}")
    for key in value:
        if not isinstance(key, str) or (known and key not in known):
            raise InvalidScenario(path, f"{key!r} does not belong here; expected {', '.join(known)}")
    for key in required:
        if key not in value:
            raise InvalidScenario(path, f"{key!r} is missing")
    return value


def _text(value: object, path: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidScenario(path, f"expected text, not {_kind(value)}")
    return value


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "an object",
    }
    return "empty text" if value == "" else names.get(type(value), "something else")


def _expectation(value: object) -> Decision | None:
    names = {decision.name: decision for decision in Decision}
    if value is None:
        return None
    if not isinstance(value, str) or value not in names:
        raise InvalidScenario("$.expect", f"expected one of {', '.join(names)}")
    return names[value]


def _request(value: object) -> Request:
    body = _object(value, "$.request", _REQUEST_KEYS, required=_REQUEST_KEYS[:3])
    principal, action, resource = (_text(body[key], f"$.request.{key}") for key in _REQUEST_KEYS[:3])
    account = body.get("resource_account")
    if account is not None and not _ACCOUNT.fullmatch(_text(account, "$.request.resource_account")):
        raise InvalidScenario("$.request.resource_account", "expected an account number of 12 digits")
    context = {
        _text(key, "$.request.context"): _values(values, f"$.request.context.{key}")
        for key, values in _object(body.get("context") or {}, "$.request.context").items()
    }
    unknown = body.get("unknown") or []
    if not isinstance(unknown, list):
        raise InvalidScenario("$.request.unknown", f"expected a list of context keys, not {_kind(unknown)}")
    keys = [_text(key, f"$.request.unknown[{place}]") for place, key in enumerate(unknown)]
    try:
        Principal.parse(principal)
    except InvalidInput as problem:
        raise InvalidScenario("$.request.principal", _lower(str(problem))) from problem
    try:
        return Request(principal, action, resource, account, context, keys)
    except InvalidInput as problem:
        raise InvalidScenario("$.request.action", _lower(str(problem))) from problem


def _values(value: object, path: str) -> str | list[str]:
    if isinstance(value, list):
        return [_scalar(item, f"{path}[{place}]") for place, item in enumerate(value)]
    return _scalar(value, path)


def _scalar(value: object, path: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise InvalidScenario(
        path,
        f"expected text, a number, a boolean, or a list of them, not {_kind(value)}; leave out what is not sent",
    )


def _policies(layers: Mapping[str, Any]) -> PolicySet:
    try:
        return PolicySet.from_dict(layers)
    except InvalidInput as problem:
        for layer, value in layers.items():
            path = f"$.policies.{layer}"
            for part, place in _parts(value, path):
                _check(layer, [part], part, place)
            _check(layer, value, value, path)
        raise InvalidScenario("$.policies", _lower(str(problem))) from problem


def _parts(value: object, path: str) -> Iterator[tuple[object, str]]:
    """What a layer is made of, each with its path: single policies, in control policies within their level."""
    for part, place in _numbered(value, path):
        policies = part.get("policies") if _is_level(part) else None
        if isinstance(policies, list):
            for policy, inner in _numbered(policies, f"{place}.policies"):
                yield {"target": "", "policies": [policy]}, inner
        else:
            yield part, place


def _numbered(items: object, path: str) -> list[tuple[Any, str]]:
    listed = items if isinstance(items, list) else []
    return [(item, f"{path}[{place}]") for place, item in enumerate(listed)]


def _is_level(part: object) -> bool:
    return isinstance(part, Mapping) and set(part) == {"target", "policies"}


def _check(layer: str, content: object, part: object, path: str) -> None:
    """Whether the layer could be read if this were all of it; `part` is what stands at `path`."""
    try:
        PolicySet.from_dict({layer: content})
    except PolicySyntaxError as problem:
        raise InvalidScenario(f"{path}{_wrapped(part)}{problem.path[1:]}", problem.expected) from problem
    except InvalidInput as problem:
        raise InvalidScenario(path, _lower(str(problem))) from problem


def _wrapped(part: Any) -> str:
    """`.document` where a policy's document stands beside its name."""
    if _is_level(part):
        part = part["policies"][0] if isinstance(part["policies"], list) else part["policies"]
    return ".document" if isinstance(part, Mapping) and "document" in part else ""


def _lower(sentence: str) -> str:
    return (sentence[:1].lower() + sentence[1:]).rstrip(".")
