"""The questions a service may answer in its own way, with the answers that most services give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceRules:
    """What may differ between services.

    `resource_for(resource)`: the resource that policies are matched against, for the one that was asked.
    `consent_required(resource)`: whether the resource policy must consent, even in the principal's own
    account; elsewhere in one account an identity policy is enough.
    `resource_policy`: what people call it.
    """

    resource_for: Callable[[str], str] = lambda resource: resource
    consent_required: Callable[[str], bool] = lambda _resource: False
    resource_policy: str = "the resource policy"


DEFAULT = ServiceRules()
