"""Two answers of IAM as AWS gives them, in place of ministack's. Loaded by path into the enforcing server.

- GetAccountAuthorizationDetails tells of each role's and user's permissions boundary. Left out, a reader of it
  would take everybody for unbounded.
- SimulatePrincipalPolicy counts the boundary, every resource and the given context keys, and names the keys that
  policies ask for and nobody gave (IAM API Reference, "SimulatePrincipalPolicy", "ResourceSpecificResult").
  ministack's looks at identity policies and the first resource alone. As on AWS it knows nothing of resource
  policies, and here nothing of an organization.
"""

# ruff: noqa: SLF001 - ministack has no public interface; its version is pinned and the tests try each use.

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any
from xml.sax.saxutils import escape

Parameters = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
_DECISIONS = {"Allow": "allowed", "Deny": "explicitDeny", "ImplicitDeny": "implicitDeny"}
_WORST_FIRST = ("explicitDeny", "implicitDeny", "allowed")
#: What the simulator works out from the principal itself.
_DERIVED = frozenset({"aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:currenttime"})


def install() -> None:
    """Put both into ministack's table of actions."""
    iam: Any = import_module("ministack.services.iam")
    table: dict[str, Callable[[Parameters], Answer]] = iam._IAM_HANDLERS
    details = table["GetAccountAuthorizationDetails"]
    table["GetAccountAuthorizationDetails"] = lambda given: with_boundaries(iam, details(given))
    table["SimulatePrincipalPolicy"] = lambda given: simulate(iam, given)


def with_boundaries(iam: Any, answer: Answer) -> Answer:
    """The same details, with a PermissionsBoundary where there is one."""
    status, headers, body = answer
    text = body.decode()
    for kind, entities in (("Role", iam._roles), ("User", iam._users)):
        for name, entity in entities.items():
            if entity.get("PermissionsBoundary"):
                named = f"<member><{kind}Name>{name}</{kind}Name>"
                text = text.replace(named, f"{named}{_boundary(entity['PermissionsBoundary'])}")
    return status, headers, text.encode()


def _boundary(arn: str) -> str:
    return (
        "<PermissionsBoundary><PermissionsBoundaryType>PermissionsBoundaryPolicy</PermissionsBoundaryType>"
        f"<PermissionsBoundaryArn>{escape(arn)}</PermissionsBoundaryArn></PermissionsBoundary>"
    )


def simulate(iam: Any, given: Parameters) -> Answer:
    evaluator: Any = import_module("ministack.core.iam_evaluator")
    account = import_module("ministack.core.responses").get_account_id()
    arn = iam._p(given, "PolicySourceArn")
    kind, _, path = arn.split(":", 5)[5].partition("/")
    name = path.rsplit("/", 1)[-1]
    entities = iam._roles if kind == "role" else iam._users
    entity = entities.get(name)
    if entity is None or entity["Arn"] != arn:
        answer: Answer = iam._error(404, "NoSuchEntity", f"The {kind} {arn} does not exist.", ns="iam")
        return answer
    gather = evaluator._gather_role_policies if kind == "role" else evaluator._gather_user_policies
    policies = gather(name, account)
    limits = evaluator._permissions_boundary(entities, name, account)
    context = _context(iam, given)

    def decide(action: str, resource: str, *layers: Any) -> str:
        asked = evaluator.EvalContext(
            principal_arn=arn,
            principal_type="AssumedRole" if kind == "role" else "User",
            principal_account=account,
            action=action,
            resource_arn=resource,
            region=iam.get_region(),
            secure_transport="true" in context.get("aws:securetransport", ""),
            service_context={**context, "aws:tagkeys": None},
        )
        return _DECISIONS[evaluator.evaluate(asked, *layers).decision]

    missing = sorted(_asked(policies, *limits) - _DERIVED - context.keys())
    results = ""
    for action in _listed(iam, given, "ActionNames"):
        rows, decisions = "", []
        for resource in _listed(iam, given, "ResourceArns") or ["*"]:
            decisions.append(decide(action, resource, policies, *limits))
            bounded = decide(action, resource, *limits) if limits else None
            rows += (
                f"<member><EvalResourceName>{escape(resource)}</EvalResourceName>"
                f"<EvalResourceDecision>{decisions[-1]}</EvalResourceDecision>"
                f"<MissingContextValues>{_members(missing)}</MissingContextValues>{_bounded(bounded)}</member>"
            )
        results += (
            f"<member><EvalActionName>{escape(action)}</EvalActionName><EvalResourceName>*</EvalResourceName>"
            f"<EvalDecision>{min(decisions, key=_WORST_FIRST.index)}</EvalDecision>"
            f"<MissingContextValues>{_members(missing)}</MissingContextValues>"
            f"<ResourceSpecificResults>{rows}</ResourceSpecificResults></member>"
        )
    found: Answer = iam._xml(
        200,
        "SimulatePrincipalPolicyResponse",
        f"<SimulatePrincipalPolicyResult><EvaluationResults>{results}</EvaluationResults>"
        "<IsTruncated>false</IsTruncated></SimulatePrincipalPolicyResult>",
        ns="iam",
    )
    return found


def _bounded(decision: str | None) -> str:
    if decision is None:
        return ""
    allowed = "true" if decision == "allowed" else "false"
    return (
        "<PermissionsBoundaryDecisionDetail>"
        f"<AllowedByPermissionsBoundary>{allowed}</AllowedByPermissionsBoundary></PermissionsBoundaryDecisionDetail>"
    )


def _listed(iam: Any, given: Parameters, name: str) -> list[str]:
    found: list[str] = []
    while value := iam._p(given, f"{name}.member.{len(found) + 1}"):
        found.append(value)
    return found


def _context(iam: Any, given: Parameters) -> dict[str, str]:
    """The context entries by lower-case key; of several values the first, which is what is asked here."""
    found: dict[str, str] = {}
    for number in range(1, 100):
        entry = f"ContextEntries.member.{number}"
        key = iam._p(given, f"{entry}.ContextKeyName")
        if not key:
            break
        found[key.lower()] = iam._p(given, f"{entry}.ContextKeyValues.member.1")
    return found


def _asked(*layers: Any) -> set[str]:
    """The context keys in the conditions of all statements, lower-case."""

    def keys() -> Iterator[str]:
        for layer in layers:
            for statements in layer:
                for statement in statements:
                    for block in (statement.conditions or {}).values():
                        yield from (key.lower() for key in block)

    return set(keys())


def _members(values: list[str]) -> str:
    return "".join(f"<member>{escape(value)}</member>" for value in values)
