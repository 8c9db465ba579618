"""Leaving statements aside changes no decision, and keeps a role with a thousand of them bounded."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_access.access.evidence import BucketEvidence, PrincipalEvidence
from sm_access.access.level import Level
from sm_access.access.relevance import FEW, about
from sm_access.access.target import S3Target
from sm_access.access.verdict import judge
from sm_access.policy import UNREADABLE, NamedPolicy, parse_policy

NOW = datetime(2026, 11, 23, 17, tzinfo=timezone.utc)
ACCOUNT = "111122223333"
BUCKET = BucketEvidence("lake", ACCOUNT, None, True, None, None, "eu-central-1", NOW)
FILLING = [
    {"Effect": "Allow", "Action": "s3:*", "Resource": f"arn:aws:s3:::other-{number}/*"}
    for number in range(FEW)
]


def principal(*statements: dict[str, Any], boundary: Any = None) -> PrincipalEvidence:
    document = parse_policy({"Version": "2012-10-17", "Statement": list(statements)})
    role = f"arn:aws:iam::{ACCOUNT}:role/notebooks"
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/notebooks/x"
    return PrincipalEvidence(session, role, ACCOUNT, (NamedPolicy("p", document, "inline"),), boundary, NOW)


def kept(evidence: PrincipalEvidence) -> list[Any]:
    assert not isinstance(evidence.identity, type(UNREADABLE))
    return [statement.index for policy in evidence.identity for statement in policy.document.statements]


RESOURCES = [
    "*",
    "arn:aws:s3:::lake",
    "arn:aws:s3:::lake/*",
    "arn:aws:s3:::lak?/*",
    "arn:aws:s3:::*/raw/*",
    "arn:*:s3:::lake/raw/*",
    "arn:aws:s3:::${aws:username}/*",
    "arn:aws:s3:::pond",
    "arn:aws:s3:::pond/lake/*",
    "arn:aws:s3:::lake-2/*",
    "arn:aws:kms:eu-central-1:111122223333:key/*",
    ["arn:aws:s3:::pond", "arn:aws:s3:::lake"],
    ["arn:aws:s3:::pond", "arn:aws:s3:::pond/*"],
]
STATEMENTS = st.lists(
    st.fixed_dictionaries(
        {
            "Effect": st.sampled_from(["Allow", "Allow", "Deny"]),
            "Action": st.sampled_from(["s3:*", "s3:GetObject", ["s3:ListBucket", "s3:GetObject"], "kms:*"]),
            "Resource": st.sampled_from(RESOURCES),
        },
        optional={"Condition": st.just({"StringEquals": {"aws:SourceVpce": "vpce-1"}})},
    ),
    max_size=5,
)


@given(STATEMENTS, st.sampled_from(Level), st.booleans())
def test_no_decision_changes(statements: list[dict[str, Any]], level: Level, negate: bool) -> None:
    if negate and statements:
        statements = [
            *statements[1:],
            {"NotResource" if k == "Resource" else k: v for k, v in statements[0].items()},
        ]
    few, many = principal(*statements), principal(*statements, *FILLING)
    target = S3Target("lake", "raw/")
    one, other = (judge(each, BUCKET, target, level, now=NOW) for each in (few, many))
    assert (one.decision, one.with_grant) == (other.decision, other.with_grant)
    assert [each.response.decision for each in one.findings] == [
        each.response.decision for each in other.findings
    ]


@pytest.mark.parametrize("resource", RESOURCES)
def test_what_is_left_aside(resource: Any) -> None:
    patterns = [resource] if isinstance(resource, str) else resource
    elsewhere = all(pattern.startswith(("arn:aws:s3:::pond", "arn:aws:s3:::lake-2")) for pattern in patterns)
    one = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}
    assert kept(about(principal(one, *FILLING), "lake")) == ([] if elsewhere else [0])
    assert kept(about(principal(one), "lake")) == [0]


def test_a_thousand_statements_leave_those_about_the_bucket() -> None:
    thousand = [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::bucket-{number}/*"}
        for number in range(1000)
    ]
    assert kept(about(principal(*thousand), "bucket-7")) == [7]


def test_what_could_not_be_read_stays_so() -> None:
    unread = PrincipalEvidence("arn:aws:iam::111122223333:user/x", None, ACCOUNT, UNREADABLE, UNREADABLE, NOW)
    assert about(unread, "lake") == unread
    bound = principal(*FILLING, boundary=principal(*FILLING).identity)
    narrowed = about(bound, "other-3")
    assert narrowed.boundary == narrowed.identity
