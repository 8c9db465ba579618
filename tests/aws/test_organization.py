"""What AWS Organizations says. The answers are the stand-in's own, in AWS's words: moto knows neither paths nor
resource control policies, and makes whoever founds an organization its management account.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.stand_in import ACCOUNT, Fault, Rounds, StandIn, answers, refuses
from sm_access.access.evidence import Organization, Unread
from sm_access.aws.organization import organization_unread, read_organization
from sm_access.aws.reading import Reading
from sm_access.aws.session import Aws
from sm_access.policy import UNREADABLE
from sm_access.policy.policy_set import Unreadable

ID, ROOT, UNIT, TEAM = "o-a1b2c3d4e5", "r-ab12", "ou-ab12-11111111", "ou-ab12-22222222"
UNREAD = Unread("the organization's service and resource control policies")
DENIED = refuses("AccessDeniedException")
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def says(**answer: Any) -> Fault:
    return answers(200, json.dumps(answer), "application/x-amz-json-1.1")


def policy(id: str, *statements: dict[str, Any]) -> Fault:
    content = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return says(Policy={"PolicySummary": {"Id": id, "Name": f"name of {id}"}, "Content": content})


def attached(*ids: str) -> Fault:
    return says(Policies=[{"Id": id, "Name": f"name of {id}"} for id in ids])


def world(
    *, master: str = "999999999999", kinds: tuple[str, ...] = ("SERVICE_CONTROL_POLICY",)
) -> dict[str, Fault]:
    """An account in a team's unit, as a delegated administrator sees it."""
    return {
        "DescribeOrganization": says(Organization={"Id": ID, "FeatureSet": "ALL", "MasterAccountId": master}),
        "ListRoots": says(
            Roots=[{"Id": ROOT, "PolicyTypes": [{"Type": kind, "Status": "ENABLED"} for kind in kinds]}]
        ),
        "DescribeAccount": says(Account={"Id": ACCOUNT, "Paths": [f"{ID}/{ROOT}/{UNIT}/{TEAM}/{ACCOUNT}/"]}),
        f"ListPoliciesForTarget {ROOT}": attached("p-full"),
        f"ListPoliciesForTarget {UNIT}": attached("p-full", "p-deny"),
        f"ListPoliciesForTarget {TEAM}": attached("p-full"),
        f"ListPoliciesForTarget {ACCOUNT}": attached("p-full"),
        "DescribePolicy p-full": policy("p-full", EVERYTHING),
        "DescribePolicy p-deny": policy("p-deny", {**EVERYTHING, "Effect": "Deny"}),
    }


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture(scope="module")
def aws(stand_in: StandIn) -> Aws:
    found = Aws(stand_in.session())
    found.client("organizations")
    return found


def read(
    stand_in: StandIn, aws: Aws, answered: dict[str, Fault]
) -> tuple[Organization | Unreadable, list[Unread]]:
    unread: list[Unread] = []
    with stand_in.failing(answered):
        found = Reading(aws).run(lambda reading: read_organization(reading, ACCOUNT, unread))
    return found, unread


def names(levels: Any) -> list[tuple[str, list[str]]]:
    return [(target, [policy.name for policy in policies]) for target, policies in levels]


def test_every_level_from_the_root_to_the_account(stand_in: StandIn, aws: Aws) -> None:
    found, unread = read(stand_in, aws, world())
    assert isinstance(found, Organization)
    assert unread == []
    assert (found.id, found.path) == (ID, f"{ID}/{ROOT}/{UNIT}/{TEAM}/")
    full = ["name of p-full"]
    assert names(found.service_control) == [
        (ROOT, full),
        (UNIT, [*full, "name of p-deny"]),
        (TEAM, full),
        (ACCOUNT, full),
    ]
    assert found.resource_control is None  # not turned on at the root: it binds nobody


def test_each_policy_is_read_once_and_in_four_round_trips(stand_in: StandIn, aws: Aws) -> None:
    both = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")
    fewest = 100
    for _ in range(4):
        stand_in.take()
        stand_in.rounds = Rounds()
        found, _ = read(stand_in, aws, world(kinds=both))
        fewest = min(fewest, stand_in.rounds.count)
        stand_in.rounds = None
        if fewest <= 4:
            break
    assert fewest <= 4
    assert isinstance(found, Organization)
    assert names(found.resource_control) == names(found.service_control)
    asked = [seen.target for seen in stand_in.take() if seen.operation == "DescribePolicy"]
    assert sorted(asked) == ["p-deny", "p-full"]


def test_where_the_account_tells_no_path_its_parents_are_asked(stand_in: StandIn, aws: Aws) -> None:
    parents = iter([TEAM, UNIT, ROOT])

    def parent(door: Any) -> None:
        says(Parents=[{"Id": next(parents), "Type": "X"}])(door)

    found, unread = read(
        stand_in, aws, world() | {"DescribeAccount": says(Account={"Id": ACCOUNT}), "ListParents": parent}
    )
    assert isinstance(found, Organization)
    assert unread == []
    assert found.path == f"{ID}/{ROOT}/{UNIT}/{TEAM}/"


def test_parents_without_end_are_given_up(stand_in: StandIn, aws: Aws) -> None:
    found, unread = read(
        stand_in,
        aws,
        world()
        | {
            "DescribeAccount": says(Account={"Id": ACCOUNT}),
            "ListParents": says(Parents=[{"Id": UNIT, "Type": "ORGANIZATIONAL_UNIT"}]),
        },
    )
    assert isinstance(found, Organization)
    assert found.service_control is UNREADABLE
    assert unread == [UNREAD]


def test_the_management_account_is_bound_by_none(stand_in: StandIn, aws: Aws) -> None:
    found, unread = read(stand_in, aws, world(master=ACCOUNT))
    assert found == Organization(ID, f"{ID}/{ROOT}/{UNIT}/{TEAM}/")
    assert unread == []


def test_nor_where_it_may_not_read_the_tree(stand_in: StandIn, aws: Aws) -> None:
    found, unread = read(stand_in, aws, world(master=ACCOUNT) | {"ListRoots": DENIED})
    assert found == Organization(ID)
    assert unread == []


def test_an_organization_for_billing_alone_has_no_policies(stand_in: StandIn, aws: Aws) -> None:
    billing = says(Organization={"Id": ID, "FeatureSet": "CONSOLIDATED_BILLING", "MasterAccountId": "9" * 12})
    assert read(stand_in, aws, {"DescribeOrganization": billing}) == (Organization(ID), [])


def test_no_organization(stand_in: StandIn, aws: Aws) -> None:
    none = {"DescribeOrganization": refuses("AWSOrganizationsNotInUseException")}
    assert read(stand_in, aws, none) == (Organization(), [])
    with stand_in.failing(none):
        assert organization_unread(aws) == ()


@pytest.mark.parametrize(
    "operation", ["ListRoots", "DescribeAccount", f"ListPoliciesForTarget {UNIT}", "DescribePolicy p-deny"]
)
def test_a_member_account_knows_its_organization_and_that_it_has_not_read_it(
    stand_in: StandIn, aws: Aws, operation: str
) -> None:
    """One level that is denied may hold a Deny, and so none is told."""
    found, unread = read(stand_in, aws, world() | {operation: DENIED})
    assert found == Organization(ID, service_control=UNREADABLE, resource_control=UNREADABLE)
    assert unread == [UNREAD]


def test_a_control_policy_that_is_not_understood_is_none_that_was_read(stand_in: StandIn, aws: Aws) -> None:
    strange = policy("p-deny", {**EVERYTHING, "Effect": "Perhaps"})
    found, unread = read(stand_in, aws, world() | {"DescribePolicy p-deny": strange})
    assert isinstance(found, Organization)
    assert found.service_control is UNREADABLE
    assert unread == [UNREAD]


@pytest.mark.parametrize(
    "fault", [DENIED, answers(500, "<html>"), answers(200, "{}")], ids=["denied", "500", "{}"]
)
def test_whether_there_is_one_is_not_known(stand_in: StandIn, aws: Aws, fault: Fault) -> None:
    assert read(stand_in, aws, {"DescribeOrganization": fault}) == (UNREADABLE, [UNREAD])
    with stand_in.failing({"DescribeOrganization": fault}):
        assert organization_unread(aws) == (UNREAD,)
