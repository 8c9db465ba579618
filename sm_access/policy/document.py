"""A policy document, and a policy document with the name under which it is attached."""

from __future__ import annotations

from dataclasses import dataclass

from sm_access.policy.statement import Statement

VARIABLES_SINCE = "2012-10-17"
VERSIONS = ("2008-10-17", VARIABLES_SINCE)


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """What `parse_policy` makes of the JSON. A document without Version is of 2008-10-17 (IAM User Guide,
    "IAM JSON policy elements: Version")."""

    version: str
    statements: tuple[Statement, ...]
    id: str | None = None


@dataclass(frozen=True, slots=True)
class NamedPolicy:
    """A document where it is attached. `kind`: aws-managed, customer-managed, inline, group, boundary,
    session, resource, service-control, resource-control or vpc-endpoint."""

    name: str
    document: PolicyDocument
    kind: str = "inline"
