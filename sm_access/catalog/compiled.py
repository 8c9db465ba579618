"""The fast engine with all of AWS's actions: which of them are allowed on one resource, all at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sm_access.catalog.actions import actions
from sm_access.catalog.archive import services
from sm_access.policy import PolicySet
from sm_access.policy.compiled import Bound
from sm_access.policy.compiled import compile_policies as compile_for
from sm_access.policy.request import ContextValue


def compile_policies(
    policies: PolicySet,
    *,
    principal: str,
    resource_account: str | None = None,
    context: Mapping[str, ContextValue] | None = None,
    unknown: Collection[str] = (),
) -> Bound:
    """`sm_access.policy.compile_policies`, knowing every action: `allowed_actions` of the answer lists those of
    the catalog, sorted by service. The catalog is read at the first such question."""
    return compile_for(
        policies,
        principal=principal,
        resource_account=resource_account,
        context=context,
        unknown=unknown,
        actions=every_action,
    )


def every_action() -> tuple[str, ...]:
    """All actions of all services, sorted within each service."""
    return tuple(action for service in services() for action in actions(service))
