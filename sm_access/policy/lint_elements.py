"""What is wrong with the Principal, Action and Resource elements of a statement, as far as the grammar tells.

Source: IAM User Guide, "IAM JSON policy elements: Principal", "NotPrincipal", "Action", "Resource", "Variables
and tags".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sm_access.policy.arn import Arn
from sm_access.policy.finding import Finding, PolicyKind, Severity
from sm_access.policy.pattern import parse_template

_ACTION = re.compile(r"\*|[A-Za-z0-9*?-]+:[A-Za-z0-9*?]+")
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(/\S*)?")
_PARTITION = re.compile(r"aws(-[a-z]+)*")
_PRINCIPALS = ("AWS", "Service", "Federated", "CanonicalUser")
_NEEDING_RESOURCE = (PolicyKind.BUCKET, PolicyKind.KEY, PolicyKind.RESOURCE_CONTROL)


def _error(path: str, message: str, rule: str) -> Finding:
    return Finding(Severity.ERROR, path, message, rule)


def _warning(path: str, message: str, rule: str) -> Finding:
    return Finding(Severity.WARNING, path, message, rule)


def texts(statement: Mapping[str, Any], element: str, path: str) -> list[tuple[str, str]]:
    """The texts of an element, each with its path; what is no text is left out."""
    value = statement.get(element)
    listed = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
    return [
        (item, f"{path}.{element}" if place is None else f"{path}.{element}[{place}]")
        for place, item in listed
        if isinstance(item, str)
    ]


def _typed(statement: Mapping[str, Any], element: str, path: str) -> Iterator[Finding]:
    """Findings on an element that should be a text or a list of them."""
    value = statement[element]
    if isinstance(value, list):
        for place, item in enumerate(value):
            if not isinstance(item, str):
                yield _error(f"{path}.{element}[{place}]", "Expected text.", "type")
        if not value:
            yield _warning(
                f"{path}.{element}", "An empty list: the statement does nothing that is meant.", "empty"
            )
    elif not isinstance(value, str):
        yield _error(f"{path}.{element}", "Expected text, or a list of texts.", "type")


def action_findings(statement: Mapping[str, Any], path: str, kind: PolicyKind) -> Iterator[Finding]:
    """Action and NotAction."""
    names = [name for name in ("Action", "NotAction") if name in statement]
    if not names:
        yield _error(path, "A statement needs Action or NotAction.", "action-missing")
    for name in names:
        yield from _typed(statement, name, path)
        for text, place in texts(statement, name, path):
            if not _ACTION.fullmatch(text):
                words = f"{text!r} is not an action; it reads service:Name or '*', such as s3:GetObject."
                yield _error(place, words, "action-format")
            elif kind is PolicyKind.RESOURCE_CONTROL and (text == "*" or name == "NotAction"):
                words = (
                    "A resource control policy names its actions with their service, and knows no NotAction."
                )
                yield _error(place, words, "resource-control")


def resource_findings(
    statement: Mapping[str, Any], path: str, kind: PolicyKind, variables: bool
) -> Iterator[Finding]:
    """Resource and NotResource."""
    names = [name for name in ("Resource", "NotResource") if name in statement]
    if kind is PolicyKind.TRUST:
        for name in names:
            yield _error(
                f"{path}.{name}", "A trust policy is about its own role: leave it out.", "resource-in-trust"
            )
        return
    if not names and (not kind.names_principal or kind in _NEEDING_RESOURCE):
        yield _error(path, "A statement needs Resource or NotResource.", "resource-missing")
    for name in names:
        yield from _typed(statement, name, path)
        for text, place in texts(statement, name, path):
            yield from _resource(text, place, variables)


def _resource(text: str, path: str, variables: bool) -> Iterator[Finding]:
    if text == "*":
        return
    parts = text.split(":", 5)
    if parts[0] != "arn":
        yield _error(path, f"{text!r} is neither an ARN nor '*'.", "arn")
        return
    if len(parts) < 6 and not text.endswith("*"):
        words = f"{text!r} has {len(parts)} parts; arn:partition:service:region:account:resource has six."
        yield _error(path, words, "arn")
        return
    if not any(character in parts[1] for character in "*?$") and not _PARTITION.fullmatch(parts[1]):
        yield _error(path, f"{parts[1]!r} is no partition; most accounts are in 'aws'.", "partition")
    if len(parts) == 6 and not parts[5]:
        yield _warning(path, f"{text!r} names no resource.", "arn-without-resource")
    yield from variable_findings(text, path, variables)
    if variables and "${" in ":".join(parts[:5]):
        words = "AWS documents policy variables after the fifth colon only; what this one does is not said."
        yield _warning(path, words, "variable-place")


def variable_findings(text: str, path: str, variables: bool) -> Iterator[Finding]:
    """Policy variables in a text; `variables`: whether the document's version has them."""
    if "${" not in text:
        return
    if not variables:
        words = "In a document of 2008-10-17 ${...} is plain text; write Version 2012-10-17."
        yield _warning(path, words, "variable-in-old-version")
    elif parse_template(text, variables=True).malformed:
        yield _error(path, f"{parse_template(text, variables=True).malformed[:200]}.", "variable")


def principal_findings(statement: Mapping[str, Any], path: str, kind: PolicyKind) -> Iterator[Finding]:
    """Principal and NotPrincipal."""
    names = [name for name in ("Principal", "NotPrincipal") if name in statement]
    if not kind.names_principal:
        for name in names:
            words = "An identity policy is about whom it is attached to: leave it out."
            yield _error(f"{path}.{name}", words, "principal-in-identity")
        return
    if not names:
        yield _error(path, "A statement of a resource policy needs Principal.", "principal-missing")
    for name in names:
        if name == "NotPrincipal" and kind is PolicyKind.TRUST:
            yield _error(f"{path}.{name}", "A trust policy cannot have NotPrincipal.", "principal-in-trust")
        yield from _principal(statement[name], f"{path}.{name}")


def _principal(value: object, path: str) -> Iterator[Finding]:
    if value == "*":
        return
    if not isinstance(value, Mapping):
        yield _error(path, "Expected '*' or an object such as {\"AWS\": ...}.", "principal")
        return
    if not value:
        yield _warning(path, "An empty object names nobody.", "empty")
    for type_ in value:
        if type_ not in _PRINCIPALS:
            yield _error(f"{path}.{type_}", f"Expected one of {', '.join(_PRINCIPALS)}.", "principal")
            continue
        yield from _typed(value, type_, path)
        for text, place in texts(value, type_, path):
            yield from _named(type_, text, place)


def _named(type_: str, text: str, path: str) -> Iterator[Finding]:
    if type_ == "AWS" and text != "*" and not _ACCOUNT.fullmatch(text):
        arn = Arn.read(text)
        if arn is not None and ("*" in text or "?" in text):
            words = "A principal has no wildcard within: name it, or use '*' with a condition on aws:PrincipalArn."
            yield _error(path, words, "principal-wildcard")
        elif not text.startswith(("AROA", "AIDA")) and (arn is None or arn.service not in ("iam", "sts")):
            yield _error(path, f"{text!r} is neither an account nor the ARN of a principal.", "principal")
    if type_ == "Service" and not _HOST.fullmatch(text):
        yield _error(path, f"{text!r} is not a service; one reads sagemaker.amazonaws.com.", "principal")
