"""Rules that know AWS's actions: what is meant, and what cannot work."""

from __future__ import annotations

from typing import Any

import pytest

from sm_access import catalog


def statement(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def said(*statements: dict[str, Any], kind: str | None = None) -> list[tuple[str, str, str]]:
    body = {"Version": "2012-10-17", "Statement": list(statements)}
    return [(found.rule, found.path, found.message) for found in catalog.lint(body, kind=kind)]


LAKE = "arn:aws:s3:::lake"


@pytest.mark.parametrize(
    "body",
    [
        statement("s3:GetObject", f"{LAKE}/*"),
        statement("s3:ListBucket", LAKE, Condition={"StringLike": {"s3:prefix": "raw/*"}}),
        statement(["s3:GetObject", "s3:ListBucket"], [LAKE, f"{LAKE}/*"]),
        statement("s3:*", LAKE),
        statement("*", LAKE),
        statement("s3:Get*", f"{LAKE}/*"),
        statement("s3:GetObject", f"{LAKE}*"),
        statement("s3:GetObject", "arn:aws:s3:::${aws:PrincipalTag/team}/x"),
        statement("s3:ListAllMyBuckets", "*"),
        statement("s3:ListAllMyBuckets", "arn:aws:s3:::*"),
        statement("kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/1234"),
        statement("sagemaker:CreateTrainingJob", "arn:aws:sagemaker:*:*:training-job/*"),
        statement("logs:PutLogEvents", "arn:aws:logs:*:*:log-group:/aws/sagemaker/*:log-stream:*"),
        statement(
            "iam:PassRole",
            "arn:aws:iam::*:role/team/x",
            Condition={"StringEquals": {"iam:PassedToService": "s"}},
        ),
        statement("s3:GetObject", f"{LAKE}/*", Condition={"StringEquals": {"aws:PrincipalTag/team": "x"}}),
        statement("s3:GetObject", f"{LAKE}/*", Condition={"StringEquals": {"accounts.google.com:aud": "x"}}),
        statement("s3:GetObject", f"{LAKE}/*", Condition={"StringEqualsIfExists": {"s3:prefix": "x"}}),
        statement("s3:GetObject", f"{LAKE}/*", Condition={"StringNotEquals": {"s3:prefix": "x"}}),
        statement("s3:GetObject", f"{LAKE}/*", Condition={"Null": {"s3:prefix": "true"}}),
        statement("*", "*", Condition={"StringEquals": {"s3:prefix": "x"}}),
        {"Effect": "Deny", "NotAction": "s3:GetObject", "Resource": LAKE},
        {"Effect": "Deny", "Action": "s3:GetObject", "NotResource": LAKE},
    ],
)
def test_what_can_work_is_left_alone(body: dict[str, Any]) -> None:
    assert said(body) == []


@pytest.mark.parametrize(
    ("body", "rule", "path", "words"),
    [
        (statement("s3:GetObjct", f"{LAKE}/*"), "unknown-action", "Action", "Did you mean s3:GetObject"),
        (
            statement(["s3:GetObject", "zzz:Do"], f"{LAKE}/*"),
            "unknown-action",
            "Action[1]",
            "no service 'zzz'.",
        ),
        (statement("s3:Gett*", f"{LAKE}/*"), "unknown-action", "Action", "no action that 's3:Gett*' covers"),
        (
            {"Effect": "Deny", "NotAction": ["s3:Lst*"], "Resource": "*"},
            "unknown-action",
            "NotAction",
            "no action that",
        ),
        (statement("s3:GetObject", LAKE), "action-without-resource", "Action", f"write {LAKE}/*."),
        (
            statement("s3:ListBucket", f"{LAKE}/*"),
            "action-without-resource",
            "Action",
            f"write {LAKE}.",
        ),
        (
            statement("s3:GetObject", "arn:aws:s3:eu-west-1::lake/x"),
            "action-without-resource",
            "Action",
            "it takes arn:aws:s3:",
        ),
        (statement("s3:ListAllMyBuckets", LAKE), "action-without-resource", "Action", "it takes *."),
        (
            statement("sagemaker:ListTrainingJobs", "arn:aws:sagemaker:*:*:training-job/*"),
            "action-without-resource",
            "Action",
            "it takes *.",
        ),
        (
            statement("s3:GetObject", [f"{LAKE}/*", "arn:aws:sqs:*:*:q"]),
            "resource-without-action",
            "Resource[1]",
            "arn:aws:sqs:*:*:q",
        ),
        (
            statement("s3:GetObject", f"{LAKE}/*", Condition={"StringLike": {"s3:prefix": "x"}}),
            "key-never-carried",
            "Condition.StringLike.s3:prefix",
            "carries s3:prefix",
        ),
        (
            statement(["s3:GetObject", "s3:ListBucket"], "*", Condition={"StringLike": {"s3:prefix": "x"}}),
            "key-not-carried",
            "Condition.StringLike.s3:prefix",
            "s3:GetObject: no such request",
        ),
    ],
)
def test_what_cannot_work(body: dict[str, Any], rule: str, path: str, words: str) -> None:
    ((found_rule, found_path, message),) = said(body)
    expected = path.removesuffix("[0]") if not isinstance(body.get("NotAction"), list) else path
    assert (found_rule, found_path) == (rule, f"$.Statement[0].{expected}")
    assert words in message


def test_in_a_deny_a_key_may_be_for_some_of_the_actions() -> None:
    deny = {
        **statement(["s3:GetObject", "s3:ListBucket"], "*", Condition={"StringLike": {"s3:prefix": "x"}}),
        "Effect": "Deny",
    }
    assert said(deny) == []


def test_set_operators_and_broken_parts_are_the_grammars_business() -> None:
    assert [rule for rule, _, _ in said(statement("s3:GetObject", "arn:aws:s3:::lake/${x"))] == ["variable"]
    body = statement("s3:GetObject", f"{LAKE}/*", Condition={"Odd": {"s3:prefix": "x"}})
    assert [rule for rule, _, _ in said(body)] == ["operator"]
    every = statement("s3:GetObject", f"{LAKE}/*", Condition={"ForAllValues:StringLike": {"s3:prefix": "x"}})
    assert [rule for rule, _, _ in said(every)] == ["for-all-values-without-null"]
    assert [rule for rule, _, _ in said(statement([], LAKE))] == ["empty"]
    assert [rule for rule, _, _ in said(statement("s3:GetObject", []))] == ["empty"]


def test_where_the_resource_is_given_by_the_place_it_is_not_looked_at() -> None:
    key = statement("kms:Decrypt", "*", Principal="*")
    assert said(key, kind="key") == []
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "111122223333"}}
    assert said(trust) == []
    assert said({**trust, "Action": ["sts:AssumRole"]})[0][0] == "unknown-action"


def test_of_two_actions_that_cannot_work_both_are_named() -> None:
    found = said(statement(["s3:GetObject", "s3:PutObject"], LAKE))
    assert [path for _, path, _ in found] == ["$.Statement[0].Action[0]", "$.Statement[0].Action[1]"]


def test_for_aws_itself_hardly_anything_is_wrong() -> None:
    """Of AWS's own policies, most have no finding of this kind: a rule that blames them all would be wrong."""
    names = catalog.managed_policies()[::10]
    blamed = [
        name
        for name in names
        if any(
            found.rule in ("action-without-resource", "key-never-carried")
            for found in catalog.lint(catalog.managed_policy(name))
        )
    ]
    assert len(blamed) < len(names) / 5
