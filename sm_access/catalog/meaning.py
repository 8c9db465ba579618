"""`lint`: the grammar's findings, and those that need to know which actions AWS has and on what they work.

A statement is only blamed for what it names: `s3:Get*` may cover actions that a condition key or a resource does
not fit, `s3:GetObject` names one that does or does not. Source: AWS Service Authorization Reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from sm_access.catalog.actions import accepts_condition_key, closest, is_action, matching
from sm_access.catalog.archive import services
from sm_access.catalog.resources import resource_shapes
from sm_access.errors import PolicySyntaxError
from sm_access.policy.conditions.registry import Quantifier, find_operator
from sm_access.policy.context import RequestContext
from sm_access.policy.document import PolicyDocument
from sm_access.policy.finding import Finding, PolicyKind, Severity
from sm_access.policy.linter import decoded, in_order, kind_of
from sm_access.policy.linter import lint as lint_grammar
from sm_access.policy.parser import parse_policy
from sm_access.policy.partition import Run, Shape, overlaps
from sm_access.policy.pattern import Variable, Wildcard, parse_template
from sm_access.policy.statement import ALLOW, Statement

MOST_ACTIONS = 400  # a pattern that covers more is not gone through: it means whatever there is
_EVERYTHING = Shape("*", (Run(),))
_S3_BUCKETS = ("arn:aws:s3:::*", "arn:*:s3:::*")


def lint(document: str | Mapping[str, Any], *, kind: PolicyKind | str | None = None) -> tuple[Finding, ...]:
    """All findings on a policy, errors first; arguments and errors as for `policy.lint`."""
    found = list(lint_grammar(document, kind=kind))
    try:
        body = decoded(document)
        parsed = parse_policy(body)
    except PolicySyntaxError:
        return tuple(found)
    chosen = PolicyKind(kind) if kind is not None else kind_of(body)
    found += _meant(parsed, chosen)
    return in_order(found)


def _meant(document: PolicyDocument, kind: PolicyKind) -> Iterator[Finding]:
    for statement in document.statements:
        named = list(_actions(statement))
        for path, text, covered in named:
            if not covered:
                yield _unknown(text, path)
        if statement.action.negated:
            continue
        if kind not in (PolicyKind.KEY, PolicyKind.TRUST, PolicyKind.VPC_ENDPOINT):
            yield from _resources(statement, named)
        yield from _keys(statement, named)


def _warning(path: str, message: str, rule: str) -> Finding:
    return Finding(Severity.WARNING, path, message, rule)


def _paths(statement: Statement, element: str, count: int) -> list[str]:
    """Where the values of an element stand; one value may stand without a list."""
    path = f"{statement.path}.{element}"
    return [path] if count == 1 else [f"{path}[{place}]" for place in range(count)]


def _actions(statement: Statement) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Each action pattern with its path and the actions that it covers."""
    element = statement.action
    name = "NotAction" if element.negated else "Action"
    for path, text in zip(_paths(statement, name, len(element.patterns)), element.patterns, strict=True):
        yield path, text, (text,) if is_action(text) else matching(text)


def _unknown(text: str, path: str) -> Finding:
    service = text.lower().partition(":")[0]
    if "*" in text or "?" in text:
        return _warning(path, f"AWS has no action that {text!r} covers.", "unknown-action")
    near = ", ".join(closest(text))
    what = f"AWS has no action {text!r}" if service in services() else f"AWS has no service {service!r}"
    return _warning(path, f"{what}.{f' Did you mean {near}?' if near else ''}", "unknown-action")


def _resources(statement: Statement, named: list[tuple[str, str, tuple[str, ...]]]) -> Iterator[Finding]:
    """Actions on none of the resources, and resources for none of the actions."""
    element = statement.resource
    if element is None or element.negated or not element.patterns:
        return
    patterns = [_shape(text, element.variables) for text in element.patterns]
    if _EVERYTHING in patterns:
        return
    fitting: set[int] = set()
    certain = True
    for path, text, covered in named:
        if len(covered) > MOST_ACTIONS or not covered:
            certain = False
            continue
        fits = {n for n, pattern in enumerate(patterns) for action in covered if _fits(action, pattern)}
        fitting |= fits
        if not fits:
            yield _warning(path, _no_resource(text, covered, element.patterns[0]), "action-without-resource")
    for path, number in zip(_paths(statement, "Resource", len(patterns)), range(len(patterns)), strict=True):
        if certain and number not in fitting and len(patterns) > 1:
            words = f"None of the statement's actions works on {element.patterns[number]}."
            yield _warning(path, words, "resource-without-action")


@lru_cache(maxsize=65536)
def _fits(action: str, pattern: Shape) -> bool:
    shapes = resource_shapes(action, partition="", lenient=True)
    if shapes == (Shape("*", ("*",)),):
        return pattern.text in _S3_BUCKETS if action.lower().startswith("s3:") else False
    return any(overlaps(shape, pattern) for shape in shapes)


@lru_cache(maxsize=16384)
def _shape(text: str, variables: bool) -> Shape:
    """The pattern with its variables taken for anything; `*` for all of AWS is the same however it is written."""
    template = parse_template(text, variables=variables)
    if template.malformed or text == "*":
        return _EVERYTHING
    if any(isinstance(part, Variable) for part in template.parts):
        pieces = [Run() if isinstance(p, Variable) or p is Wildcard.ANY else p for p in template.parts]
        return Shape(text, tuple(pieces))
    return Shape.of(text, template.resolve(RequestContext({})))


def _no_resource(text: str, covered: tuple[str, ...], resource: str) -> str:
    if text.lower().startswith("s3:") and ":::" in resource:
        bucket, slash, _ = resource.partition(":::")[2].partition("/")
        works_on = {shape.text for shape in resource_shapes(covered[0])}
        if not slash and "arn:aws:s3:::*/*" in works_on:
            return f"{text} works on objects, and {resource} is a bucket: write {resource}/*."
        if slash and "arn:aws:s3:::*" in works_on:
            return f"{text} works on the bucket itself, and {resource} is within it: write arn:aws:s3:::{bucket}."
    expected = ", ".join(dict.fromkeys(shape.text for shape in resource_shapes(covered[0])))
    return f"{text} works on no resource of this statement; it takes {expected}."


def _keys(statement: Statement, named: list[tuple[str, str, tuple[str, ...]]]) -> Iterator[Finding]:
    """Context keys that no request for the action carries, where the condition then cannot hold."""
    for condition in statement.conditions:
        bound = find_operator(condition.operator)
        if bound is None or bound.operator is None or bound.if_exists or bound.operator.negated:
            continue
        if bound.quantifier is Quantifier.ALL:
            continue
        path = f"{statement.path}.Condition.{condition.operator}.{condition.key}"
        countable = [item for item in named if item[2] and len(item[2]) <= MOST_ACTIONS]
        carrying = [text for _, text, covered in countable if _carried(covered, condition.key)]
        if countable and not carrying and len(countable) == len(named):
            words = f"No request for these actions carries {condition.key}, so the condition never holds."
            yield _warning(path, words, "key-never-carried")
        elif statement.effect == ALLOW:
            without = [text for _, text, covered in countable if text not in carrying]
            if without:
                words = f"{', '.join(without)}: no such request carries {condition.key}, so it is never allowed here."
                yield _warning(path, words, "key-not-carried")


def _carried(covered: tuple[str, ...], key: str) -> bool:
    prefix = key.lower().partition(":")[0]
    if prefix not in services() and prefix != "aws":
        return True  # keys of identity providers, such as accounts.google.com:aud
    return any(accepts_condition_key(action, key) for action in covered)
