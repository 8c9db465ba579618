"""Documents that AWS accepts, documents that it refuses, and documents that are garbage."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_access.errors import PolicySyntaxError
from sm_access.policy import Decision, NamedPolicy, PolicySet, Request, authorize, parse_policy

PRINCIPAL = "arn:aws:iam::111122223333:role/ds"
GET = Request(PRINCIPAL, "s3:GetObject", "arn:aws:s3:::lake/x")
ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


@pytest.mark.parametrize(
    "document",
    [
        {"Statement": ALLOW},
        {"Statement": [ALLOW]},
        {"Version": "2008-10-17", "Id": "one", "Statement": [ALLOW]},
        {"Version": "2012-10-17", "Statement": [{**ALLOW, "Sid": "", "Condition": {}}]},
        {"Statement": [{**ALLOW, "Action": ["s3:GetObject"], "Resource": ["*"]}]},
        {"Statement": [{**ALLOW, "Condition": {"StringEquals": {}}}]},
    ],
)
@pytest.mark.parametrize("encode", [lambda d: d, json.dumps])
def test_oddities_that_aws_accepts(document: Any, encode: Any) -> None:
    policy = NamedPolicy("p", parse_policy(encode(document)))
    assert authorize(PolicySet(identity=(policy,)), GET).decision is Decision.ALLOW


def test_a_document_without_version_is_of_the_older_one() -> None:
    assert parse_policy({"Statement": []}).version == "2008-10-17"


def test_paths_of_statements() -> None:
    assert parse_policy({"Statement": ALLOW}).statements[0].path == "$.Statement"
    assert [s.path for s in parse_policy({"Statement": [ALLOW, ALLOW]}).statements] == [
        "$.Statement[0]",
        "$.Statement[1]",
    ]


def test_scalars_of_conditions_become_text() -> None:
    found = parse_policy({"Statement": {**ALLOW, "Condition": {"X": {"k": [True, False, 1, 1.5, "s"]}}}})
    assert found.statements[0].conditions[0].values == ("true", "false", "1", "1.5", "s")


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ("", "$"),
        ("{", "$"),
        ("[]", "$"),
        ("null", "$"),
        ('{"Statement": NaN}', "$"),
        ('{"Statement": [], "Statement": []}', "$"),
        ("[" * 100_000, "$"),
        ({1: 2}, "$"),
        ({}, "$.Statement"),
        ({"Statement": None}, "$.Statement"),
        ({"Statement": "x"}, "$.Statement"),
        ({"Statement": ["x"]}, "$.Statement[0]"),
        ({"Statement": {1: 2}}, "$.Statement"),
        ({"Statement": [], "Version": "2020-01-01"}, "$.Version"),
        ({"Statement": [], "Version": ["2012-10-17"]}, "$.Version"),
        ({"Statement": [], "Id": 1}, "$.Id"),
        ({"Statement": [], "Extra": 1}, "$.Extra"),
        ({"Statement": [ALLOW, {**ALLOW, "Effect": "allow"}]}, "$.Statement[1].Effect"),
        ({"Statement": {"Action": "*", "Resource": "*"}}, "$.Statement.Effect"),
        ({"Statement": {**ALLOW, "Sid": 1}}, "$.Statement.Sid"),
        ({"Statement": {"Effect": "Allow", "Resource": "*"}}, "$.Statement"),
        ({"Statement": {**ALLOW, "NotAction": "*"}}, "$.Statement"),
        ({"Statement": {**ALLOW, "NotResource": "*"}}, "$.Statement"),
        ({"Statement": {**ALLOW, "Principal": "*", "NotPrincipal": "*"}}, "$.Statement"),
        ({"Statement": {**ALLOW, "Action": 1}}, "$.Statement.Action"),
        ({"Statement": {**ALLOW, "Action": ["s3:GetObject", 1]}}, "$.Statement.Action[1]"),
        ({"Statement": {**ALLOW, "Action": "GetObject"}}, "$.Statement.Action"),
        ({"Statement": {**ALLOW, "Action": ""}}, "$.Statement.Action"),
        ({"Statement": {**ALLOW, "Resource": "lake/x"}}, "$.Statement.Resource"),
        ({"Statement": {**ALLOW, "Resource": {"a": 1}}}, "$.Statement.Resource"),
        ({"Statement": {**ALLOW, "Principal": "111122223333"}}, "$.Statement.Principal"),
        ({"Statement": {**ALLOW, "Principal": {"Google": "*"}}}, "$.Statement.Principal"),
        ({"Statement": {**ALLOW, "Principal": {"AWS": 1}}}, "$.Statement.Principal.AWS"),
        ({"Statement": {**ALLOW, "Condition": []}}, "$.Statement.Condition"),
        ({"Statement": {**ALLOW, "Condition": {"Bool": "x"}}}, "$.Statement.Condition.Bool"),
        ({"Statement": {**ALLOW, "Condition": {"Bool": {"": "x"}}}}, "$.Statement.Condition.Bool."),
        ({"Statement": {**ALLOW, "Condition": {"Bool": {"k": None}}}}, "$.Statement.Condition.Bool.k"),
        ({"Statement": {**ALLOW, "Condition": {"Bool": {"k": [{}]}}}}, "$.Statement.Condition.Bool.k"),
    ],
)
def test_errors_carry_the_path(document: Any, path: str) -> None:
    with pytest.raises(PolicySyntaxError) as caught:
        parse_policy(document, name="team policy")
    assert caught.value.path == path
    assert "team policy" in str(caught.value)
    assert caught.value.expected


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["*", "Allow"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Effect", "Action", "Resource", "Condition", "Principal", "Sid", "StringLike", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
broken_statements = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny", 1])},
    optional={
        "Action": st.sampled_from(["s3:*", "*", ["s3:GetObject"], "x", {}]),
        "Resource": st.sampled_from(["*", "arn:aws:s3:::lake/${", "arn:aws:s3:::lake/*", 1]),
        "Condition": json_values,
        "Principal": json_values,
        "Whatever": json_values,
    },
)


@given(
    st.one_of(json_values, st.builds(lambda s: {"Version": "2012-10-17", "Statement": s}, broken_statements))
)
@settings(deadline=None, max_examples=400)
def test_malformed_documents_neither_crash_nor_allow(document: Any) -> None:
    """Whatever comes, it is refused with a path - or decided, and then only a plain Allow allows."""
    try:
        policy = NamedPolicy("p", parse_policy(document))
    except PolicySyntaxError:
        return
    response = authorize(PolicySet(identity=(policy,)), GET)
    if response.decision is Decision.ALLOW:
        (statement,) = policy.document.statements
        assert statement.effect == "Allow"
        assert not statement.unrecognised
        assert statement.principal is None
        assert statement.resource is not None


@given(st.text(max_size=60))
def test_any_text_is_a_document_or_an_error(text: str) -> None:
    with pytest.raises(PolicySyntaxError):
        parse_policy(text)
