"""How far a principal's own policies reach: never further than they say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from sm_access.access import extent
from sm_access.access.evidence import Organization, PrincipalEvidence
from sm_access.access.extent import Extent, allowances
from sm_access.errors import CannotTell
from sm_access.policy import UNREADABLE, NamedPolicy, parse_policy
from sm_access.policy.policy_set import Levels, Unreadable

NOW = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
ACCOUNT = "111122223333"
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table"
Statement = dict[str, object]


def policy(*statements: Statement, name: str = "data") -> NamedPolicy:
    document = parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, name=name)
    return NamedPolicy(name, document, "inline")


def allow(actions: str | list[str], resource: str | list[str] = "*", **more: object) -> Statement:
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def deny(actions: str | list[str], resource: str | list[str] = "*", **more: object) -> Statement:
    return {**allow(actions, resource, **more), "Effect": "Deny"}


def when(operator: str, key: str, value: str) -> Statement:
    return {"Condition": {operator: {key: value}}}


def principal(
    *statements: Statement,
    boundary: tuple[NamedPolicy, ...] | Unreadable | None = None,
    control: Levels | None = None,
    iam_arn: str | None = f"arn:aws:iam::{ACCOUNT}:role/DS",
) -> PrincipalEvidence:
    return PrincipalEvidence(
        arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/DS/SageMaker",
        iam_arn=iam_arn,
        account=ACCOUNT,
        identity=(policy(*statements),),
        boundary=boundary,
        read_at=NOW,
        organization=Organization("o-1", None, control) if control is not None else UNREADABLE,
    )


def of(action: str, who: PrincipalEvidence) -> Extent:
    found = allowances(who, NOW, action.partition(":")[0]).get(action)
    return Extent.NOWHERE if found is None else found.extent


def test_an_allow_for_everything_is_everywhere() -> None:
    who = principal(allow("sagemaker:List*"))
    assert of("sagemaker:ListModels", who) is Extent.EVERYWHERE
    assert of("sagemaker:DescribeModel", who) is Extent.NOWHERE


def test_places_in_s3_are_answered_elsewhere() -> None:
    assert not allowances(principal(allow("s3:*")), NOW)


def test_an_allow_on_one_resource_is_somewhere() -> None:
    assert of("dynamodb:GetItem", principal(allow("dynamodb:GetItem", f"{TABLE}/a"))) is Extent.SOMEWHERE


def test_a_condition_is_somewhere_and_never_everywhere() -> None:
    who = principal(allow("dynamodb:*", **when("StringEquals", "aws:SourceVpce", "vpce-1")))
    assert of("dynamodb:GetItem", who) is Extent.SOMEWHERE


def test_a_condition_that_no_such_call_can_meet_is_nowhere() -> None:
    who = principal(allow("dynamodb:ListTables", **when("StringEquals", "iam:PassedToService", "x")))
    assert of("dynamodb:ListTables", who) is Extent.NOWHERE


def test_a_resource_on_which_no_such_action_works_is_nowhere() -> None:
    """ec2:DescribeInstances takes only `*`."""
    who = principal(allow("ec2:DescribeInstances", f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/*"))
    assert of("ec2:DescribeInstances", who) is Extent.NOWHERE
    assert of("dynamodb:GetItem", principal(allow("dynamodb:*", "arn:aws:sqs:*:*:*"))) is Extent.NOWHERE


def test_a_resource_that_need_not_be_named_may_be_none() -> None:
    assert of("ec2:DescribeInstances", principal(allow("ec2:*", ["*", TABLE]))) is Extent.EVERYWHERE


@pytest.mark.parametrize(
    ("denied", "expected"),
    [
        (deny("dynamodb:*", f"{TABLE}/secret"), Extent.SOMEWHERE),
        (deny("dynamodb:*", **when("StringNotEquals", "aws:RequestedRegion", "eu-west-1")), Extent.SOMEWHERE),
        (deny("*"), Extent.NOWHERE),
        ({"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}, Extent.NOWHERE),
        ({"Effect": "Deny", "Action": "*", "NotResource": f"{TABLE}/open"}, Extent.SOMEWHERE),
        (deny("sqs:*"), Extent.EVERYWHERE),
        # What a Deny is for and the action does not work on takes nothing away.
        (deny("*", "arn:aws:sqs:*:*:queue"), Extent.EVERYWHERE),
        ({"Effect": "Deny", "NotAction": "sqs:*", "Resource": "arn:aws:sqs:*:*:queue"}, Extent.EVERYWHERE),
        (deny("dynamodb:*", f"arn:aws:dynamodb:*:{ACCOUNT}:global-table/x"), Extent.EVERYWHERE),
        (deny("*", "arn:aws:*:*:*:table/secret"), Extent.SOMEWHERE),
        (deny("*", ["arn:aws:sqs:*:*:queue", f"{TABLE}/secret"]), Extent.SOMEWHERE),
        (deny("*", "${aws:PrincipalTag/everything}"), Extent.SOMEWHERE),
    ],
)
def test_a_deny_that_names_the_action_takes_away(denied: Statement, expected: Extent) -> None:
    assert of("dynamodb:GetItem", principal(allow("*"), denied)) is expected


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (allow("dynamodb:*"), Extent.EVERYWHERE),
        (allow("dynamodb:*", f"{TABLE}/a*"), Extent.SOMEWHERE),
        (allow("sqs:*"), Extent.NOWHERE),
    ],
)
def test_the_boundary_has_to_allow_as_well(limit: Statement, expected: Extent) -> None:
    who = principal(allow("dynamodb:*"), boundary=(policy(limit, name="boundary"),))
    assert of("dynamodb:GetItem", who) is expected


def test_an_allow_and_a_boundary_for_different_tables_come_to_nothing() -> None:
    limit = (policy(allow("dynamodb:*", f"{TABLE}/sm-access-*")),)
    assert of("dynamodb:GetItem", principal(allow("dynamodb:*", f"{TABLE}/features"), boundary=limit)) is (
        Extent.NOWHERE
    )


def test_a_boundary_that_was_not_read_leaves_nothing_certain() -> None:
    assert of("dynamodb:GetItem", principal(allow("*"), boundary=UNREADABLE)) is Extent.SOMEWHERE


def test_each_level_of_the_organization_has_to_allow() -> None:
    full = policy(allow("*"), name="FullAWSAccess")
    only_sqs = policy(allow("sqs:*"), name="only-sqs")
    who = principal(allow("*"), control=(("root", (full,)), ("unit", (only_sqs,))))
    assert of("sqs:SendMessage", who) is Extent.EVERYWHERE
    assert of("dynamodb:GetItem", who) is Extent.NOWHERE
    assert of("sqs:SendMessage", principal(allow("*"), control=())) is Extent.NOWHERE
    nothing_at_the_unit = principal(allow("*"), control=(("root", (full,)), ("unit", ())))
    assert of("sqs:SendMessage", nothing_at_the_unit) is Extent.NOWHERE


def test_control_policies_that_were_not_read_are_told_elsewhere() -> None:
    assert of("sqs:SendMessage", principal(allow("*"), control=UNREADABLE)) is Extent.EVERYWHERE


@pytest.mark.parametrize("action", ["kms:Decrypt", "sts:AssumeRole"])
def test_where_the_resource_has_to_consent_nothing_is_everywhere(action: str) -> None:
    assert of(action, principal(allow("*"))) is Extent.SOMEWHERE
    assert of("kms:ListKeys", principal(allow("kms:*"))) is Extent.EVERYWHERE


def test_another_accounts_resource_is_never_certain() -> None:
    who = principal(allow("sqs:SendMessage", "arn:aws:sqs:us-east-1:444455556666:queue"))
    assert of("sqs:SendMessage", who) is Extent.SOMEWHERE


def test_statements_that_are_not_understood_open_nothing() -> None:
    assert of("sqs:SendMessage", principal({**allow("*"), "NoSuchElement": 1})) is Extent.SOMEWHERE
    empty = {"Effect": "Allow", "NotAction": [], "Resource": "*"}
    assert of("sqs:SendMessage", principal(empty)) is Extent.SOMEWHERE
    without = {"Effect": "Allow", "NotAction": "s3:*", "NotResource": f"{TABLE}/x"}
    assert of("sqs:SendMessage", principal(without)) is Extent.SOMEWHERE


def test_who_asks_counts() -> None:
    mine = when("ArnEquals", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:role/DS")
    others = when("ArnEquals", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:role/team/DS")
    assert of("sqs:SendMessage", principal(allow("sqs:*", **mine))) is Extent.SOMEWHERE
    assert of("sqs:SendMessage", principal(allow("sqs:*", **others))) is Extent.NOWHERE
    assert of("sqs:SendMessage", principal(allow("sqs:*", **others), iam_arn=None)) is Extent.SOMEWHERE


def test_a_tag_that_the_role_has_not_is_absent() -> None:
    tagged = principal(allow("sqs:*", **when("StringEquals", "aws:PrincipalTag/team", "ds")))
    assert of("sqs:SendMessage", tagged) is Extent.SOMEWHERE
    assert of("sqs:SendMessage", replace(tagged, tags={})) is Extent.NOWHERE
    assert of("sqs:SendMessage", replace(tagged, tags={"team": "ds"})) is Extent.SOMEWHERE


def test_the_statements_that_allow_are_told_with_their_policy() -> None:
    who = principal(allow("sqs:*", "arn:aws:sqs:*:*:a", Sid="A"), deny("sqs:*", "arn:aws:sqs:*:*:b", Sid="B"))
    found = allowances(who, NOW, "sqs")["sqs:SendMessage"]
    assert [(name, statement.sid) for name, statement in found.by] == [("data", "A")]


def test_policies_that_were_not_read_are_no_answer() -> None:
    who = PrincipalEvidence(f"arn:aws:iam::{ACCOUNT}:user/u", None, ACCOUNT, UNREADABLE, None, NOW)
    with pytest.raises(CannotTell, match="could not be read"):
        allowances(who, NOW)


def test_what_is_too_much_to_go_through_is_not_called_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extent, "MOST_PAIRS", 0)
    assert of("dynamodb:GetItem", principal(allow("dynamodb:GetItem", f"{TABLE}/a"))) is Extent.SOMEWHERE
    assert of("sqs:SendMessage", principal(allow("sqs:*"))) is Extent.EVERYWHERE


def test_the_order_of_statements_does_not_matter() -> None:
    statements = [allow("*"), deny("sqs:*", "arn:aws:sqs:*:*:b"), allow("sqs:Send*", "arn:aws:sqs:*:*:a")]
    one = {name: found.extent for name, found in allowances(principal(*statements), NOW).items()}
    other = {name: found.extent for name, found in allowances(principal(*statements[::-1]), NOW).items()}
    assert one == other
    assert len(one) > 15_000
