"""The questions a service may answer in its own way, with the answers that most services give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from sm_access.policy.truth import YES, Truth


class Trait(Enum):
    """What of an action makes a difference to its service's rules."""

    AT_HOME = "works in the owner's account alone"
    ON_ALIAS = "works on an alias itself, not on the key behind it"
    LISTS = "carries s3:max-keys, whether or not the caller asks for a number"
    LONG_TERM = "takes no temporary credentials"
    NOT_BY_ROOT = "takes no credentials of the account's root"
    UNLOCKS = "the owner's root may do it whatever the resource policy denies"


Traits = frozenset[Trait]


@dataclass(frozen=True, slots=True)
class ServiceRules:
    """What may differ between services.

    `traits(action)`: the action in lower case, as far as the rules look at it: no other may look at the action.
    `resource_for(resource)`: the resource that policies are matched against, for the one that was asked.
    `consent_required(resource)`: whether the resource policy must consent, even in the principal's own
    account; elsewhere in one account an identity policy is enough.
    `resource_policy(resource)`: what people call it. `derived(resource)`: context keys that follow from it.
    `beyond(traits, resource)`: what else must allow that no layer of policies holds.
    `marks`: every resource has one of them in its text, or is "*", where one of the above says other than here.

    # INVARIANT: actions of one service with the same traits are treated alike (`compiled.py` rests on it).
    """

    traits: Callable[[str], Traits] = lambda _action: frozenset()
    resource_for: Callable[[str], str] = lambda resource: resource
    consent_required: Callable[[str], bool] = lambda _resource: False
    resource_policy: Callable[[str], str] = lambda _resource: "the resource policy"
    derived: Callable[[str], Mapping[str, str]] = lambda _resource: {}
    beyond: Callable[[Traits, str], Truth] = lambda _traits, _resource: YES
    marks: tuple[str, ...] = ()


DEFAULT = ServiceRules()
