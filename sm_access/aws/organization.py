"""Read what AWS Organizations says about an account: the organization, and the control policies on the way to it.

Only the management account and delegated administrators may read those (AWS Organizations API Reference, "Reference:
API operations by account"); elsewhere it is said that they were not. In the order of what waits for what:

    1  DescribeOrganization
    2  ListRoots | DescribeAccount
    3  ListPoliciesForTarget of root, units and account
    4  DescribePolicy

Where DescribeAccount does not tell the account's path, ListParents is asked from the account upwards, unit by unit.
"""

from __future__ import annotations

from asyncio import gather
from typing import Any

from sm_access.access.evidence import Organization, Unread
from sm_access.aws.policy_documents import parsed_policy
from sm_access.aws.reading import Reading
from sm_access.aws.session import Aws
from sm_access.errors import AccessDenied, CannotTell, ExpiredCredentials, NoCredentials
from sm_access.policy import UNREADABLE, NamedPolicy
from sm_access.policy.policy_set import ControlLevel, Levels, Unreadable

_NONE = "AWSOrganizationsNotInUseException"
_UNREAD = Unread("the organization's service and resource control policies")
_SERVICE, _RESOURCE = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"
_KINDS = {_SERVICE: "service-control", _RESOURCE: "resource-control"}
_DEEPEST = 8
"""More steps from an account to the root than an organization can have: five levels of units and both ends."""


def organization_unread(aws: Aws) -> tuple[Unread, ...]:
    """That service and resource control policies were not read; nothing where there is no organization."""

    async def look(reading: Reading) -> tuple[Unread, ...]:
        return () if await _described(reading) is None else (_UNREAD,)

    return Reading(aws).run(look)


async def read_organization(
    reading: Reading, account: str, unread: list[Unread]
) -> Organization | Unreadable:
    """UNREADABLE where it is not known whether there is an organization."""
    found = await _described(reading)
    if found is None:
        return Organization()
    if isinstance(found, Unreadable):
        unread.append(_UNREAD)
        return UNREADABLE
    id = str(found["Id"])
    if found.get("FeatureSet") != "ALL":
        return Organization(id)  # consolidated billing alone: there are no policies
    try:
        roots, path = await gather(_roots(reading), _path(reading, account))
        # INVARIANT: the management account is bound by neither kind; every other by each that its root has turned on.
        is_bound = str(found["MasterAccountId"]) != account
        service, resource = await gather(
            *(
                _levels(reading, (*path, account), kind) if is_bound and kind in roots else _no_levels()
                for kind in (_SERVICE, _RESOURCE)
            )
        )
    except (NoCredentials, ExpiredCredentials):
        raise
    except (AccessDenied, CannotTell):
        if str(found["MasterAccountId"]) == account:
            return Organization(id)
        unread.append(_UNREAD)
        return Organization(id, service_control=UNREADABLE, resource_control=UNREADABLE)
    return Organization(id, "/".join((id, *path, "")), service, resource)


async def _described(reading: Reading) -> dict[str, Any] | Unreadable | None:
    """None: the account is in no organization."""
    try:
        return await reading.call(
            "asking for the organization",
            lambda: dict(reading.aws.client("organizations").describe_organization()["Organization"]),
        )
    except (NoCredentials, ExpiredCredentials):
        raise
    except (AccessDenied, CannotTell) as error:
        return None if error.code == _NONE else UNREADABLE


async def _roots(reading: Reading) -> frozenset[str]:
    """The kinds of policies that the root has turned on; where one is off, none is attached anywhere, and it binds
    nobody (AWS Organizations User Guide, "Enabling and disabling policy types").
    """
    roots = await _listed(reading, "the organization's root", "list_roots", "Roots")
    return frozenset(
        str(kind["Type"])
        for root in roots
        for kind in root.get("PolicyTypes", ())
        if kind.get("Status") == "ENABLED"
    )


async def _path(reading: Reading, account: str) -> tuple[str, ...]:
    """The ids of root and units above the account, from the root on."""
    described = await reading.call(
        "asking for the account's place in the organization",
        lambda: dict(reading.aws.client("organizations").describe_account(AccountId=account)["Account"]),
    )
    for path in described.get("Paths", ()):
        return tuple(part for part in str(path).split("/")[1:] if part and part != account)
    above: list[str] = []
    child = account
    while not child.startswith("r-"):
        (parent,) = await _listed(
            reading, "what stands above the account", "list_parents", "Parents", ChildId=child
        )
        child = str(parent["Id"])
        above.append(child)
        if len(above) > _DEEPEST:
            raise CannotTell("The organization's tree has no end.", remedy="Try again.")
    return tuple(reversed(above))


async def _levels(reading: Reading, targets: tuple[str, ...], kind: str) -> Levels:
    return tuple(await gather(*(_level(reading, target, kind) for target in targets)))


async def _no_levels() -> None:
    return None


async def _level(reading: Reading, target: str, kind: str) -> ControlLevel:
    attached = await _listed(
        reading,
        f"the policies of {target}",
        "list_policies_for_target",
        "Policies",
        TargetId=target,
        Filter=kind,
    )
    return target, tuple(await gather(*(_policy(reading, str(policy["Id"]), kind) for policy in attached)))


async def _policy(reading: Reading, id: str, kind: str) -> NamedPolicy:
    """Raises CannotTell for one that is not understood: it may deny."""
    found = await reading.once(
        ("DescribePolicy", id),
        f"reading the control policy {id}",
        lambda: dict(reading.aws.client("organizations").describe_policy(PolicyId=id)["Policy"]),
    )
    name = str(found["PolicySummary"]["Name"])
    policy = parsed_policy(found["Content"], name, _KINDS[kind], [])
    if isinstance(policy, Unreadable):
        raise CannotTell(f"The control policy {name} is not understood.", remedy="Read it with its owner.")
    return policy


async def _listed(
    reading: Reading, what: str, operation: str, field: str, **given: str
) -> list[dict[str, Any]]:
    return await reading.call(
        f"listing {what}",
        lambda: [
            item
            for page in reading.aws.client("organizations").get_paginator(operation).paginate(**given)
            for item in page[field]
        ],
    )
