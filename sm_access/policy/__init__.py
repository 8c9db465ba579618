"""Given policies and a request: what is decided, and why. Pure - no client, clock, environment or log.

No module of this room knows AWS's actions; this door alone does, for `Bound.allowed_actions`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sm_access.policy.arn import Arn
from sm_access.policy.authorizer import authorize
from sm_access.policy.compiled import Actions, Bound, bind
from sm_access.policy.decision import Decision, Layer, LayerResult, NearMiss, Response, StatementRef
from sm_access.policy.difference import Change, Difference, diff
from sm_access.policy.document import NamedPolicy, PolicyDocument
from sm_access.policy.finding import Finding, PolicyKind, Severity
from sm_access.policy.linter import lint
from sm_access.policy.parser import parse_policy
from sm_access.policy.policy_set import UNREADABLE, PolicySet, PublicAccessBlock
from sm_access.policy.principal import canonical_principal
from sm_access.policy.request import ContextValue, Request
from sm_access.policy.scenario import Scenario

__all__ = [
    "UNREADABLE",
    "Arn",
    "Bound",
    "Change",
    "Decision",
    "Difference",
    "Finding",
    "Layer",
    "LayerResult",
    "NamedPolicy",
    "NearMiss",
    "PolicyDocument",
    "PolicyKind",
    "PolicySet",
    "PublicAccessBlock",
    "Request",
    "Response",
    "Scenario",
    "Severity",
    "StatementRef",
    "authorize",
    "canonical_principal",
    "compile_policies",
    "diff",
    "lint",
    "parse_policy",
]


def compile_policies(
    policies: PolicySet,
    *,
    principal: str,
    resource_account: str | None = None,
    context: Mapping[str, ContextValue] | None = None,
    unknown: Collection[str] = (),
    actions: Actions | None = None,
) -> Bound:
    """Prepare `policies` for many requests of one principal in one context; all arguments but one as in `Request`.

    `actions`: those that `allowed_actions` of the answer chooses from, or a function that lists them; None for every
    action of the catalog, which is then read at the first such question. Raises InvalidInput where Request does.
    """
    return bind(
        policies,
        principal=principal,
        resource_account=resource_account,
        context=context,
        unknown=unknown,
        actions=_every_action if actions is None else actions,
    )


def _every_action() -> tuple[str, ...]:
    from sm_access.catalog import (
        every_action,
    )  # the one look outward, late, so that importing this stays free

    return every_action()
