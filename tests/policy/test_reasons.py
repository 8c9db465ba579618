"""Why: the deciding statement, the nearest misses, and the values that say it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sm_access.errors import InvalidInput
from sm_access.policy import (
    UNREADABLE,
    Arn,
    Decision,
    Layer,
    PolicySet,
    Request,
    StatementRef,
    authorize,
    canonical_principal,
)
from sm_access.policy.principal import Principal, PrincipalKind

PRINCIPAL = "arn:aws:sts::111122223333:assumed-role/ds/SageMaker"
GET = Request(PRINCIPAL, "s3:GetObject", "arn:aws:s3:::lake/raw/x.csv", context={"s3:prefix": "raw/"})


def _allow(
    action: Any = "s3:GetObject", resource: Any = "*", sid: str | None = None, **more: Any
) -> dict[str, Any]:
    named = {} if sid is None else {"Sid": sid}
    return {"Effect": "Allow", "Action": action, "Resource": resource, **named, **more}


def _set(*statements: dict[str, Any], layer: str = "identity") -> PolicySet:
    return PolicySet.from_dict(
        {layer: [{"name": "team", "kind": "inline", "document": {"Statement": list(statements)}}]}
    )


def test_the_deciding_statement() -> None:
    response = authorize(_set(_allow("sqs:*"), _allow(sid="Read")), GET)
    assert response.deciding == StatementRef("team", "inline", "Read", 1, "$.Statement[1]", "Allow")
    assert response.layers[0].deciding == response.deciding
    assert response.layers[0].misses == ()
    assert response.allowed


def test_misses_come_nearest_first_and_are_three() -> None:
    response = authorize(
        _set(
            _allow("iam:PassRole", sid="service"),
            _allow("s3:PutObject", sid="action"),
            _allow(resource="arn:aws:s3:::gold/*", sid="bucket"),
            _allow(resource="arn:aws:s3:::lake/rw/*", sid="prefix"),
            _allow(sid="condition", Condition={"StringEquals": {"s3:prefix": "gold/"}}),
        ),
        GET,
    )
    (identity,) = response.layers
    assert [miss.statement.sid for miss in identity.misses] == ["condition", "prefix", "bucket"]
    condition, prefix, _ = identity.misses
    assert (condition.element, condition.expected, condition.actual) == (
        "Condition",
        "s3:prefix StringEquals gold/",
        "raw/",
    )
    assert (prefix.element, prefix.expected, prefix.actual) == (
        "Resource",
        "arn:aws:s3:::lake/rw/*",
        "arn:aws:s3:::lake/raw/x.csv",
    )


def test_a_miss_on_the_action_prefers_the_same_service() -> None:
    response = authorize(_set(_allow("iam:*", sid="far"), _allow(["s3:PutObject"], sid="near")), GET)
    near, far = response.layers[0].misses
    assert (near.statement.sid, near.element, near.expected, near.actual) == (
        "near",
        "Action",
        "s3:PutObject",
        "s3:GetObject",
    )
    assert far.statement.sid == "far"


def test_the_condition_that_failed_is_the_one_shown() -> None:
    statement = _allow(Condition={"StringEquals": {"s3:prefix": "raw/", "s3:delimiter": "/"}})
    (miss,) = authorize(_set(statement), GET).layers[0].misses
    assert (miss.expected, miss.actual) == ("s3:delimiter StringEquals /", "not in the request")


def test_misses_speak_of_negations_and_long_lists() -> None:
    everything_but = {"Effect": "Allow", "NotAction": ["s3:*", "a:1", "a:2", "a:3"], "Resource": "*"}
    (miss,) = authorize(_set(everything_but), GET).layers[0].misses
    assert miss.expected == "anything but s3:*, a:1, a:2 and 1 more"
    empty = authorize(_set(_allow([])), GET).layers[0].misses[0]
    assert empty.expected == ""


def test_a_miss_on_the_principal() -> None:
    principals = ["111111111111", "222222222222", "333333333333", "444444444444"]
    response = authorize(_set(_allow(Principal={"AWS": principals}), layer="resource"), GET)
    (miss,) = response.layers[0].misses
    assert (miss.element, miss.actual) == ("Principal", PRINCIPAL)
    assert miss.expected == "111111111111, 222222222222, 333333333333 and 1 more"
    left_out = {"Effect": "Allow", "Action": "*", "Resource": "*", "NotPrincipal": {"AWS": "*"}}
    (miss,) = authorize(_set(left_out, layer="resource"), GET).layers[0].misses
    assert miss.expected == "anyone but *"


def test_the_level_that_blocks_shows_its_misses() -> None:
    levels = [
        {"target": "r-root", "policies": [{"Statement": _allow("*")}]},
        {"target": "ou-1", "policies": {"name": "only sqs", "document": {"Statement": _allow("sqs:*")}}},
    ]
    policies = PolicySet.from_dict({"identity": [{"Statement": _allow("*")}], "service_control": levels})
    response = authorize(policies, GET)
    assert response.decision is Decision.IMPLICIT_DENY
    control = next(result for result in response.layers if result.layer is Layer.SERVICE_CONTROL)
    assert [miss.statement.policy for miss in control.misses] == ["only sqs"]
    assert [miss.statement.kind for miss in control.misses] == ["service-control"]


def test_a_trust_policy_needs_no_resource_element() -> None:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "111122223333"}}
    policies = PolicySet.from_dict(
        {"identity": [{"Statement": _allow("sts:AssumeRole")}], "resource": [{"Statement": trust}]}
    )
    assume = Request(PRINCIPAL, "sts:AssumeRole", "arn:aws:iam::111122223333:role/other")
    assert authorize(policies, assume).decision is Decision.ALLOW


def test_layers_come_in_the_order_of_evaluation() -> None:
    everyone = [{"Statement": _allow("*", Principal="*")}]
    anyone = [{"Statement": _allow("*")}]
    policies = PolicySet.from_dict(
        {
            "session": anyone,
            "identity": anyone,
            "permissions_boundary": anyone,
            "resource": everyone,
            "vpc_endpoint": everyone,
            "service_control": [{"target": "r", "policies": anyone}],
            "resource_control": [{"target": "r", "policies": everyone}],
        }
    )
    assert [result.layer.value for result in authorize(policies, GET).layers] == [
        "resource_control",
        "service_control",
        "vpc_endpoint",
        "resource",
        "identity",
        "permissions_boundary",
        "session",
    ]


def test_an_undetermined_layer_says_on_what() -> None:
    statement = _allow(Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}})
    response = authorize(_set(statement), dataclasses.replace(GET, unknown=["aws:SourceVpce"]))
    assert response.layers[0].outcome is Decision.UNDETERMINED
    assert response.layers[0].depends_on == ("allowed if aws:SourceVpce is vpce-1",)
    assert response.depends_on == response.layers[0].depends_on
    assert response.deciding is None


def test_layers_absent_and_null_do_not_apply() -> None:
    assert PolicySet.from_dict({"session": None, "resource": None}) == PolicySet()
    assert PolicySet.from_dict({"identity": "unreadable"}).identity is UNREADABLE


@pytest.mark.parametrize(
    "data",
    [
        {"identiy": []},
        {"identity": 7},
        {"identity": [{"document": {"Statement": []}, "nmae": "x"}]},
        {"service_control": [{"policies": []}]},
        {"service_control": ["x"]},
        {"public_access_block": True},
        {"public_access_block": {"RestrictPublicBuckets": "true"}},
        {"public_access_block": {"RestrictPublic": True}},
    ],
)
def test_a_set_that_cannot_be_read(data: Any) -> None:
    with pytest.raises(InvalidInput):
        PolicySet.from_dict(data)


@pytest.mark.parametrize(
    ("principal", "action", "resource"),
    [
        ("ana", "s3:GetObject", "*"),
        ("", "s3:GetObject", "*"),
        ("arn:aws:s3:::lake", "s3:GetObject", "*"),
        ("arn:aws:sts::111122223333:assumed-role/ds", "s3:GetObject", "*"),
        ("arn:aws:iam::111122223333:role/", "s3:GetObject", "*"),
        (PRINCIPAL, "GetObject", "*"),
        (PRINCIPAL, "s3:", "*"),
        (PRINCIPAL, "s3:Get*", "*"),
        (PRINCIPAL, "s3:GetObject", ""),
    ],
)
def test_a_request_that_cannot_be_asked(principal: str, action: str, resource: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Request(principal, action, resource)
    assert caught.value.remedy


def test_values_are_frozen_and_equal_by_value() -> None:
    one, other = (Request(PRINCIPAL, "s3:GetObject", "*", context={"k": ["a"]}) for _ in range(2))
    assert one == other
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.action = "s3:PutObject"  # type: ignore[misc]
    given = {"k": "a"}
    asked = Request(PRINCIPAL, "s3:GetObject", "*", context=given)
    given["k"] = "b"
    assert asked.context == {"k": "a"}


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (PRINCIPAL, "arn:aws:iam::111122223333:role/ds"),
        ("arn:aws-cn:sts::111122223333:assumed-role/ds/x", "arn:aws-cn:iam::111122223333:role/ds"),
        ("arn:aws:iam::111122223333:role/path/ds", "arn:aws:iam::111122223333:role/path/ds"),
        ("arn:aws:iam::111122223333:user/ana", "arn:aws:iam::111122223333:user/ana"),
        ("arn:aws:sts::111122223333:federated-user/ana", "arn:aws:sts::111122223333:federated-user/ana"),
        ("arn:aws:sts::111122223333:assumed-role/ds", "arn:aws:sts::111122223333:assumed-role/ds"),
        ("anonymous", "anonymous"),
    ],
)
def test_canonical_principal(arn: str, expected: str) -> None:
    assert canonical_principal(arn) == expected


def test_arns_go_there_and_back() -> None:
    text = "arn:aws:logs:eu-west-1:111122223333:log-group:a:b"
    arn = Arn.parse(text)
    assert arn == Arn("aws", "logs", "eu-west-1", "111122223333", "log-group:a:b")
    assert str(arn) == text
    assert Arn.parse("arn:aws:iam::1:role/a/b/c").name == "c"


@pytest.mark.parametrize("text", ["", "arn", "arn:aws:s3:::", "x:aws:s3:::b", "arn::s3:::b", "arn:aws:::x:"])
def test_what_is_no_arn(text: str) -> None:
    with pytest.raises(InvalidInput):
        Arn.parse(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("sagemaker.amazonaws.com", PrincipalKind.SERVICE),
        ("cognito-identity.amazonaws.com", PrincipalKind.PROVIDER),
        ("arn:aws:iam::111122223333:oidc-provider/accounts.example.com", PrincipalKind.PROVIDER),
        ("arn:aws:iam::111122223333:root", PrincipalKind.ROOT),
    ],
)
def test_kinds_of_principals(text: str, kind: PrincipalKind) -> None:
    assert Principal.parse(text).kind is kind


def test_time_of_a_hostile_pattern_is_bounded() -> None:
    """Hundreds of stars against text that almost matches: no back-tracking."""
    pattern = "arn:aws:s3:::lake/" + "a*" * 200 + "b"
    request = dataclasses.replace(GET, resource="arn:aws:s3:::lake/" + "a" * 400)
    assert authorize(_set(_allow(resource=pattern)), request).decision is Decision.IMPLICIT_DENY
