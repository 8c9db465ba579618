"""Everything that is wrong with a policy at once, where the parser stops at the first thing.

Errors are what AWS refuses, warnings what is legal and surely not meant. Source: IAM User Guide, "Grammar of the
IAM JSON policy language" and "IAM Access Analyzer policy check reference". Rules that need to know AWS's
actions are in `catalog.lint`, which says these as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sm_access.errors import InvalidInput, PolicySyntaxError
from sm_access.policy.document import VARIABLES_SINCE, VERSIONS
from sm_access.policy.finding import Finding, PolicyKind, Severity
from sm_access.policy.lint_conditions import condition_findings
from sm_access.policy.lint_elements import action_findings, principal_findings, resource_findings
from sm_access.policy.parser import parse_policy

_DOCUMENT = ("Version", "Id", "Statement")
_STATEMENT = (
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
_SID = re.compile(r"[A-Za-z0-9]*")
_OUTSIDE = re.compile(r"[^\t\n\r\u0020-\u00ff]")


def lint(document: str | Mapping[str, Any], *, kind: PolicyKind | str | None = None) -> tuple[Finding, ...]:
    """All findings, errors first, then in the order of the document.

    `document`: JSON text or decoded. `kind`: where it is to be attached; None: a resource policy if it names a
    principal (a trust policy if all it allows is to assume a role), else an identity policy. Raises InvalidInput
    for an unknown kind.
    """
    try:
        body = decoded(document)
    except PolicySyntaxError as problem:
        return (Finding(Severity.ERROR, problem.path, _sentence(problem.expected), "json"),)
    chosen = kind_of(body) if kind is None else _kind(kind)
    found = list(_document(body, chosen))
    if not any(finding.severity is Severity.ERROR for finding in found):
        found += _unparsed(body)
    return in_order(found)


def in_order(found: list[Finding]) -> tuple[Finding, ...]:
    """Errors before warnings, each finding once."""
    return tuple(dict.fromkeys(sorted(found, key=lambda finding: finding.severity is Severity.WARNING)))


def decoded(document: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """The document as an object; raises PolicySyntaxError."""
    if not isinstance(document, str):
        if not isinstance(document, Mapping):
            raise PolicySyntaxError("$", "expected an object")
        return document
    try:
        body = json.loads(document, object_pairs_hook=_without_duplicates)
    except RecursionError as problem:
        raise PolicySyntaxError("$", "expected JSON that is nested less deeply") from problem
    except json.JSONDecodeError as problem:
        raise PolicySyntaxError("$", f"expected JSON (line {problem.lineno}: {problem.msg})") from problem
    except ValueError as problem:
        raise PolicySyntaxError("$", str(problem)) from problem
    if not isinstance(body, Mapping):
        raise PolicySyntaxError("$", "expected an object")
    return body


def kind_of(body: Mapping[str, Any]) -> PolicyKind:
    """The kind that a document looks like."""
    statements = [item for item in _listed(body.get("Statement")) if isinstance(item, Mapping)]
    if not any("Principal" in item or "NotPrincipal" in item for item in statements):
        return PolicyKind.IDENTITY
    actions = [action for item in statements for action in _listed(item.get("Action", "*"))]
    assuming = all(str(action).lower().startswith(("sts:assume", "sts:tag", "sts:set")) for action in actions)
    without_resource = not any("Resource" in item or "NotResource" in item for item in statements)
    return PolicyKind.TRUST if actions and assuming and without_resource else PolicyKind.RESOURCE


def _kind(kind: PolicyKind | str) -> PolicyKind:
    try:
        return PolicyKind(kind)
    except ValueError as problem:
        known = ", ".join(one.value for one in PolicyKind)
        raise InvalidInput(f"{kind!r} is not a kind of policy.", remedy=f"Kinds are {known}.") from problem


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the element {twice!r} stands twice in one object")
    return found


def _error(path: str, message: str, rule: str) -> Finding:
    return Finding(Severity.ERROR, path, message, rule)


def _warning(path: str, message: str, rule: str) -> Finding:
    return Finding(Severity.WARNING, path, message, rule)


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _unparsed(body: Mapping[str, Any]) -> list[Finding]:
    """What the parser refuses and no rule has said: two readers of one grammar must not part."""
    try:
        parse_policy(body)
    except PolicySyntaxError as problem:
        return [_error(problem.path, _sentence(problem.expected), "syntax")]
    return []


def _document(body: Mapping[str, Any], kind: PolicyKind) -> Iterator[Finding]:
    for name in body:
        if name not in _DOCUMENT:
            near = _same_word(str(name), _DOCUMENT)
            yield _error(f"$.{name}", f"No policy has an element {name!r}.{near}", "unknown-element")
    version = body.get("Version")
    if version is None:
        yield _warning(
            "$.Version", _OLD.format("Without Version the policy is of 2008-10-17"), "version-missing"
        )
    elif version not in VERSIONS:
        words = f"The version is {VARIABLES_SINCE!r} or {VERSIONS[0]!r}; it is not the date of the document."
        yield _error("$.Version", words, "version")
    statements = body.get("Statement")
    if not isinstance(statements, (list, Mapping)) or not statements:
        yield _error("$.Statement", "A policy needs a statement, or a list of them.", "statement-missing")
        statements = []
    single = isinstance(statements, Mapping)
    sids: set[str] = set()
    for place, statement in enumerate([statements] if single else statements):
        path = "$.Statement" if single else f"$.Statement[{place}]"
        if not isinstance(statement, Mapping):
            yield _error(path, "Expected a statement object.", "statement-type")
            continue
        yield from _sid(statement.get("Sid"), path, kind, sids)
        yield from _statement(statement, path, kind, version == VARIABLES_SINCE)
    yield from _size(body, kind)


_OLD = "{}, in which policy variables are plain text; write 2012-10-17."


def _same_word(name: str, known: tuple[str, ...]) -> str:
    near = [word for word in known if word.lower() in (name.lower(), name.lower().rstrip("s"))]
    return f" Did you mean {near[0]}?" if near else ""


def _sid(sid: object, path: str, kind: PolicyKind, seen: set[str]) -> Iterator[Finding]:
    if not isinstance(sid, str):
        if sid is not None:
            yield _error(f"{path}.Sid", "A Sid is text.", "type")
        return
    if kind.of_iam:
        if not _SID.fullmatch(sid):
            yield _error(
                f"{path}.Sid", "IAM takes only letters A-Z, a-z and digits in a Sid.", "sid-characters"
            )
        if sid and sid in seen:
            yield _error(f"{path}.Sid", f"Another statement has the Sid {sid!r} already.", "sid-duplicate")
    seen.add(sid)


def _statement(
    statement: Mapping[str, Any], path: str, kind: PolicyKind, variables: bool
) -> Iterator[Finding]:
    for name in statement:
        if name not in _STATEMENT:
            near = _same_word(str(name), _STATEMENT)
            yield _error(f"{path}.{name}", f"No statement has an element {name!r}.{near}", "unknown-element")
    effect = statement.get("Effect")
    if effect not in ("Allow", "Deny"):
        yield _error(f"{path}.Effect", "The effect is 'Allow' or 'Deny', written so.", "effect")
    for element in ("Principal", "Action", "Resource"):
        if element in statement and f"Not{element}" in statement:
            yield _error(path, f"{element} and Not{element} exclude each other.", "both-elements")
    yield from principal_findings(statement, path, kind)
    yield from action_findings(statement, path, kind)
    yield from resource_findings(statement, path, kind, variables)
    yield from condition_findings(statement, path, variables)
    yield from _combined(statement, path, kind)


def _combined(statement: Mapping[str, Any], path: str, kind: PolicyKind) -> Iterator[Finding]:
    allows = statement.get("Effect") == "Allow"
    if allows and "NotAction" in statement and "*" in _listed(statement.get("Resource")):
        words = "This allows every action there is or will be, except those that are named."
        yield _warning(f"{path}.NotAction", words, "allow-not-action")
    if allows and "NotResource" in statement:
        words = "This allows every resource there is or will be, except those that are named."
        yield _warning(f"{path}.NotResource", words, "allow-not-resource")
    if allows and "NotPrincipal" in statement:
        words = "AWS does not support NotPrincipal beside Allow; where it is taken, it allows anonymous callers too."
        yield _warning(f"{path}.NotPrincipal", words, "allow-not-principal")
    if statement.get("Effect") == "Deny" and "NotPrincipal" in statement:
        words = (
            "This denies whoever has a permissions boundary, also those that are named; deny with a condition on "
            "aws:PrincipalArn instead."
        )
        yield _warning(f"{path}.NotPrincipal", words, "deny-not-principal")
    if kind is PolicyKind.RESOURCE_CONTROL:
        if allows:
            yield _error(f"{path}.Effect", "A resource control policy can only deny.", "resource-control")
        if statement.get("Principal") != "*":
            yield _error(
                f"{path}.Principal", "In a resource control policy Principal is '*'.", "resource-control"
            )


def _size(body: Mapping[str, Any], kind: PolicyKind) -> Iterator[Finding]:
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False, default=str)
    if kind.largest is not None and len(text) > kind.largest:
        words = (
            f"{len(text):,} characters without white space are more than AWS takes here ({kind.largest:,})."
        )
        yield _error("$", words, "size")
    found = _OUTSIDE.search(text)
    if found and (kind.of_iam or kind is PolicyKind.TRUST):
        words = f"IAM takes no character beyond U+00FF and no control character: U+{ord(found[0]):04X}."
        yield _error("$", words, "characters")
