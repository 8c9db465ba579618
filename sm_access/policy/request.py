"""One question to the engine, and the same question with what follows from it filled in.

Keys that AWS derives from the principal are filled in where the caller gives none: aws:PrincipalArn,
-Account, -Type, aws:username, aws:PrincipalServiceName, aws:PrincipalIsAWSService, aws:ResourceAccount;
aws:CurrentTime and aws:EpochTime from each other. Source: IAM User Guide, "AWS global condition context
keys".

A session's ARN does not carry its role's path. A caller who has read the role gives aws:PrincipalArn itself; else all
but the path is known of it (`role_arn.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from sm_access.errors import InvalidInput
from sm_access.policy.arn import Arn
from sm_access.policy.conditions.date import epoch_seconds, iso_instant
from sm_access.policy.conditions.operator import IncomparableError
from sm_access.policy.context import RequestContext, Sketch
from sm_access.policy.formula import Doubt
from sm_access.policy.pattern import Pattern
from sm_access.policy.principal import Principal, PrincipalKind, canonical_principal
from sm_access.policy.role_arn import matches_role
from sm_access.policy.services import service_rules
from sm_access.policy.services.rules import Trait, Traits
from sm_access.policy.truth import NO, YES, Truth, every, possible, truth

ContextValue = str | list[str] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """May `principal` do `action` on `resource`?

    `resource_account`: the account that owns the resource; None takes it from the ARN, else the
    principal's own - put "aws:ResourceAccount" into `unknown` where that is not certain. `context`:
    context keys as sent with this action; give only keys that belong to it, and the time as
    aws:CurrentTime (the engine has no clock). `unknown`: keys that the real request may carry with a value
    the caller cannot know; a trailing star names a family (`aws:PrincipalTag/*`).
    """

    principal: str
    action: str
    resource: str
    resource_account: str | None = None
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    unknown: Collection[str] = ()

    def __post_init__(self) -> None:
        Principal.parse(self.principal)
        service, colon, name = self.action.partition(":")
        if not (service and colon and name) or any(c in self.action for c in "*? "):
            raise InvalidInput(
                f"{self.action!r} is not an action.",
                remedy="An action reads service:Name, such as s3:GetObject.",
            )
        if not self.resource:
            raise InvalidInput(
                "The resource is empty.", remedy="Give its ARN, or '*' for actions that have none."
            )
        frozen = {
            key: value if isinstance(value, str) else tuple(value) for key, value in self.context.items()
        }
        object.__setattr__(self, "context", frozen)
        object.__setattr__(self, "unknown", tuple(self.unknown))


@dataclass(frozen=True, slots=True)
class ResolvedRequest:
    """A request ready for evaluation. `same_account`: whether principal and resource belong to one
    account; `resource_policy`: what the policy of such a resource is called; `beyond`: what else must allow.

    `bounded`: whether a permissions boundary is set. `unlocked`: whether the resource policy's denials do not count.
    `refusal`: in words, why `beyond` refuses.
    """

    principal: Principal
    action: str
    resource: str
    context: RequestContext
    same_account: Truth
    consent_required: bool
    resource_policy: str = "the resource policy"
    beyond: Truth = YES
    bounded: bool = False
    unlocked: bool = False
    refusal: str = ""


def resolve(request: Request, *, bounded: bool = False) -> ResolvedRequest:
    """Derive what follows from the request."""
    principal = Principal.parse(request.principal)
    rules = service_rules(request.action)
    resource = rules.resource_for(request.resource)
    owner = request.resource_account or _account_of(resource)
    values = {
        key: (value,) if isinstance(value, str) else tuple(value) for key, value in request.context.items()
    }
    given = {key.lower() for key in values}
    for key, value in {**_derived(principal, owner, values), **rules.derived(resource)}.items():
        if key.lower() not in given:
            values[key] = (value,)
    known = {key.lower() for key in values}
    traits = rules.traits(request.action.lower())
    known -= {key.lower() for key in request.unknown}
    sketches = {
        key.lower(): sketch for key, sketch in _always_sent(principal, traits) if key.lower() not in known
    }
    owner_open = any(key.lower() == "aws:resourceaccount" for key in request.unknown)
    same_account = _same_account(principal, owner, owner_open, resource)
    taken, refusal = _taken(request.action, traits, principal, same_account, resource)
    return ResolvedRequest(
        principal,
        request.action,
        resource,
        RequestContext(values, request.unknown, sketches),
        same_account,
        rules.consent_required(resource),
        rules.resource_policy(resource),
        every((rules.beyond(traits, resource), taken)),
        bounded,
        Trait.UNLOCKS in traits and principal.kind is PrincipalKind.ROOT and same_account.value is True,
        refusal,
    )


_TEMPORARY = (PrincipalKind.ROLE, PrincipalKind.SESSION, PrincipalKind.FEDERATED_USER)


def _taken(
    action: str, traits: Traits, principal: Principal, same_account: Truth, resource: str
) -> tuple[Truth, str]:
    """Whether the service takes the action from such a principal at all; in words, why it does not."""
    if Trait.NOT_BY_ROOT in traits and principal.kind is PrincipalKind.ROOT:
        return NO, f"{action} takes no credentials of the account's root"
    if Trait.LONG_TERM in traits and principal.kind in _TEMPORARY:
        return NO, f"{action} takes no temporary credentials"
    if Trait.AT_HOME in traits and principal.kind is not PrincipalKind.SERVICE:
        at_home = same_account if principal.account is not None else NO
        return (
            at_home,
            "" if at_home.value is not False else f"{action} works only for the account that owns {resource}",
        )
    return YES, ""


def _same_account(principal: Principal, owner: str | None, owner_open: bool, resource: str) -> Truth:
    if owner_open and resource != "*":
        words = f"the account that owns {resource}"
        own, other = (f"{resource} belongs to {whose} account" for whose in ("the same", "another"))
        return possible(Doubt((words,), words, if_so=own, if_not=other))
    return YES if owner is None else truth(owner == principal.account)


def _account_of(resource: str) -> str | None:
    arn = Arn.read(resource)
    account = arn.account if arn is not None else ""
    return account if len(account) == 12 and account.isdigit() else None


def _always_sent(principal: Principal, traits: Traits) -> Iterator[tuple[str, Sketch]]:
    """Keys that every such request carries, so that leaving them out means "not known", never "absent"; and what is
    known of them nevertheless."""
    for key in ("aws:CurrentTime", "aws:EpochTime", "aws:ResourceAccount"):
        yield key, _anything
    if principal.kind is not PrincipalKind.ANONYMOUS:
        yield "aws:userid", _anything
    if principal.kind is PrincipalKind.SESSION:
        yield "aws:PrincipalArn", partial(matches_role, canonical_principal(principal.text))
    if Trait.LISTS in traits:
        yield "s3:max-keys", _anything


def _anything(_operator: str, _pattern: Pattern) -> None:
    """Nothing is known but that it is there."""


def _derived(principal: Principal, owner: str | None, given: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    derived = _times(given)
    if owner is not None:
        derived["aws:ResourceAccount"] = owner
    if principal.kind is PrincipalKind.ANONYMOUS:
        return derived | {"aws:PrincipalType": principal.kind.value}
    derived["aws:PrincipalIsAWSService"] = "true" if principal.kind is PrincipalKind.SERVICE else "false"
    if principal.kind is PrincipalKind.SERVICE:
        return derived | {"aws:PrincipalServiceName": principal.text}
    if principal.account is None:
        return derived
    session = PrincipalKind.SESSION
    if principal.kind is not PrincipalKind.SESSION:
        derived["aws:PrincipalArn"] = principal.text
    derived["aws:PrincipalAccount"] = principal.account
    derived["aws:PrincipalType"] = (session if principal.kind is PrincipalKind.ROLE else principal.kind).value
    if principal.kind is PrincipalKind.USER:
        derived["aws:username"] = principal.name
    return derived


def _times(given: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """aws:CurrentTime and aws:EpochTime are one instant in two notations."""
    lowered = {key.lower(): value for key, value in given.items()}
    derived: dict[str, str] = {}
    for source, target, convert in (
        ("aws:currenttime", "aws:EpochTime", lambda text: str(int(epoch_seconds(text)))),
        ("aws:epochtime", "aws:CurrentTime", iso_instant),
    ):
        values = lowered.get(source, ())
        if len(values) == 1:
            try:
                derived[target] = convert(values[0])
            except IncomparableError:
                continue
    return derived
