"""The questions a service may answer in its own way, with the answers that most services give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sm_access.policy.truth import YES, Truth


@dataclass(frozen=True, slots=True)
class ServiceRules:
    """What may differ between services.

    `resource_for(resource)`: the resource that policies are matched against, for the one that was asked.
    `consent_required(resource)`: whether the resource policy must consent, even in the principal's own
    account; elsewhere in one account an identity policy is enough.
    `resource_policy(resource)`: what people call it. `derived(resource)`: context keys that follow from it.
    `beyond(action, resource)`: what else must allow that no layer of policies holds.
    """

    resource_for: Callable[[str], str] = lambda resource: resource
    consent_required: Callable[[str], bool] = lambda _resource: False
    resource_policy: Callable[[str], str] = lambda _resource: "the resource policy"
    derived: Callable[[str], Mapping[str, str]] = lambda _resource: {}
    beyond: Callable[[str, str], Truth] = lambda _action, _resource: YES


DEFAULT = ServiceRules()
