"""A tag is known only where nobody can have passed another."""

from __future__ import annotations

from typing import Any

import pytest

from sm_access.access.principal_tags import carried_tags
from sm_access.policy import UNREADABLE, NamedPolicy, parse_policy

OWN = {"team": "vision"}


def trust(*actions: Any, effect: str = "Allow") -> tuple[NamedPolicy, ...]:
    statements = [
        {"Effect": effect, "Principal": {"Service": "sagemaker.amazonaws.com"}, **action}
        if isinstance(action, dict)
        else {"Effect": effect, "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": action}
        for action in actions
    ]
    document = {"Version": "2012-10-17", "Statement": statements}
    return (NamedPolicy("trust", parse_policy(document, name="trust"), "trust"),)


def test_a_users_tags_are_the_users_own() -> None:
    assert carried_tags(OWN, None, started_by_aws=False) == OWN


def test_a_role_whose_trust_policy_allows_no_tagging_has_its_own_where_aws_started_the_session() -> None:
    assert carried_tags(OWN, trust("sts:AssumeRole"), started_by_aws=True) == OWN
    assert carried_tags({}, trust("sts:AssumeRole"), started_by_aws=True) == {}
    assert carried_tags(OWN, trust("sts:TagSession", effect="Deny"), started_by_aws=True) == OWN


@pytest.mark.parametrize(
    "actions",
    [
        ("sts:AssumeRole", "sts:TagSession"),
        (["sts:AssumeRole", "STS:tagsession"],),
        ("sts:*",),
        ("*",),
        ("sts:Tag*",),
        ({"NotAction": "sts:AssumeRole"},),
    ],
)
def test_where_it_allows_tagging_others_may_have_been_passed(actions: tuple[Any, ...]) -> None:
    assert carried_tags(OWN, trust(*actions), started_by_aws=True) is None


def test_a_session_that_somebody_started_may_carry_any() -> None:
    assert carried_tags(OWN, trust("sts:AssumeRole"), started_by_aws=False) is None


def test_a_trust_policy_that_was_not_read_may_allow_it() -> None:
    assert carried_tags(OWN, UNREADABLE, started_by_aws=True) is None
