"""Given policies and a request: what is decided, and why. Pure - no client, clock, environment or log."""

from __future__ import annotations

from sm_access.policy.arn import Arn
from sm_access.policy.authorizer import authorize
from sm_access.policy.compiled import compile_policies
from sm_access.policy.decision import Decision, Layer, LayerResult, NearMiss, Response, StatementRef
from sm_access.policy.difference import Change, Difference, diff
from sm_access.policy.document import NamedPolicy, PolicyDocument
from sm_access.policy.finding import Finding, PolicyKind, Severity
from sm_access.policy.linter import lint
from sm_access.policy.parser import parse_policy
from sm_access.policy.policy_set import UNREADABLE, PolicySet, PublicAccessBlock
from sm_access.policy.principal import canonical_principal
from sm_access.policy.request import Request
from sm_access.policy.scenario import Scenario

__all__ = [
    "UNREADABLE",
    "Arn",
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
