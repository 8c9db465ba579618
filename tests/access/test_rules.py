from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from doubles import ACCOUNT, OTHER_ROLE, ROLE, RULES, SCIENTIST, STEWARD, WEEK, desk, session, submit

from sm_access.access import Caller, Level, Reviewer, Rules, S3Target, Terms
from sm_access.errors import BeyondCeiling, InvalidSetting, NotAReviewer, SelfReview

IAM = f"arn:aws:iam::{ACCOUNT}"


def terms(
    uri: str = "s3://lake/raw/", level: Level = Level.READ, duration: timedelta = WEEK, **more: Any
) -> Terms:
    return Terms(more.pop("role", ROLE), S3Target.parse(uri), level, duration, **more)


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "Stewards",
        f"{IAM}:*",
        f"{IAM}:root",
        f"{IAM}:group/Stewards",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/Stewards/ann",
        "arn:aws:iam::*:role/Stewards",
        f"{IAM}:role/*/Stewards",
        f"{IAM}:role/data/Stew*",
        f"{IAM}:role/",
        f"{IAM}:role/Stewards\n",
    ],
)
def test_what_cannot_name_a_reviewer(pattern: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        Reviewer(pattern)
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("pattern", "arn", "named"),
    [
        (f"{IAM}:role/Stewards", STEWARD.arn, True),
        (f"{IAM}:role/data/Stewards", STEWARD.arn, True),
        (f"{IAM}:role/Stew*", STEWARD.arn, True),
        (f"{IAM}:role/*", STEWARD.arn, True),
        (f"{IAM}:role/Steward", STEWARD.arn, False),
        (f"{IAM}:role/Ste.ards", STEWARD.arn, False),
        (f"{IAM}:user/*", STEWARD.arn, False),
        (f"{IAM}:user/ann", f"{IAM}:user/data/ann", True),
        (f"{IAM}:role/*", "arn:aws:sts::999988887777:assumed-role/Stewards/ann", False),
        (f"{IAM}:role/Stewards", f"arn:aws:sts::{ACCOUNT}:assumed-role/Other/Stewards", False),
        (f"{IAM}:role/*", f"{IAM}:root", False),
        (f"{IAM}:role/*", f"arn:aws:sts::{ACCOUNT}:federated-user/ann", False),
    ],
)
def test_whom_a_reviewer_pattern_names(pattern: str, arn: str, named: bool) -> None:
    assert Reviewer(pattern).names(arn) is named


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"reviewer": []}, "reviewer"),
        ({"reviewers": "arn"}, "reviewers"),
        ({"reviewers": [1]}, "reviewers"),
        ({"reviewers": ["ann"]}, "reviewers"),
        ({"max_duration": 7}, "max_duration"),
        ({"max_duration": "7 days"}, "max_duration"),
        ({"levels": ["admin"]}, "levels"),
        ({"bucket": []}, "bucket"),
        ({"bucket": {"acme-hr": "x"}}, 'bucket."acme-hr"'),
        ({"bucket": {"acme-*": {}}}, r'bucket."acme-\*"'),
        ({"bucket": {"acme-hr": {"quorum": 0}}}, 'bucket."acme-hr".quorum'),
        ({"bucket": {"acme-hr": {"levels": [1]}}}, 'bucket."acme-hr".levels'),
    ],
)
def test_what_is_not_a_rule_is_named(table: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidSetting, match=f"^{key} ") as refused:
        Rules.from_dict(table)
    assert refused.value.remedy


def test_a_bucket_replaces_what_it_names_and_nothing_else() -> None:
    rules = Rules.from_dict(
        {**RULES, "levels": ["list", "read"], "bucket": {"acme-hr": {"max_duration": "1h", "levels": []}}}
    )
    hr = rules.of("acme-hr")
    assert hr.reviewers == rules.of("lake").reviewers
    assert (hr.ceiling.max_duration, hr.ceiling.levels) == (timedelta(hours=1), ())
    assert rules.of("lake").ceiling.levels == (Level.LIST, Level.READ)
    with pytest.raises(BeyondCeiling, match="read on bucket acme-hr"):
        rules.check_ceiling(terms("s3://acme-hr", duration=timedelta(minutes=1)))


def test_ceilings() -> None:
    rules = Rules()
    rules.check_ceiling(terms(level=Level.WRITE))
    with pytest.raises(BeyondCeiling, match="7 days 1 second"):
        rules.check_ceiling(terms(duration=timedelta(days=7, seconds=1)))
    with pytest.raises(BeyondCeiling, match="delete"):
        rules.check_ceiling(terms(level=Level.DELETE, duration=timedelta(hours=1)))


def test_nobody_is_named_nobody_may_review() -> None:
    request = submit(desk())
    with pytest.raises(NotAReviewer) as refused:
        Rules().check_reviewer(STEWARD, request)
    assert '[bucket."lake"]' in refused.value.remedy
    assert not Rules().may_review(STEWARD, request)


def test_who_is_not_named_may_not_review() -> None:
    with pytest.raises(NotAReviewer) as refused:
        Rules.from_dict(RULES).check_reviewer(session("training"), submit(desk()))
    assert "Steward*" in refused.value.remedy


EVERYBODY = Rules.from_dict({"reviewers": [f"{IAM}:role/*", f"{IAM}:user/*"]})


@pytest.mark.parametrize("name", ["SageMaker", "ann", "Stewards"])
def test_no_session_of_the_role_that_asked_may_review(name: str) -> None:
    request = submit(desk(rules={}))
    with pytest.raises(SelfReview):
        EVERYBODY.check_reviewer(session("notebooks", name), request)
    assert EVERYBODY.may_review(session("another", name), request)


def test_the_role_that_gains_may_not_review_either() -> None:
    request = submit(desk(), role=OTHER_ROLE, requester=SCIENTIST)
    with pytest.raises(SelfReview):
        EVERYBODY.check_reviewer(session("training"), request)


def test_a_user_may_not_review_their_own() -> None:
    ann = Caller(f"{IAM}:user/data/ann", ACCOUNT)
    with pytest.raises(SelfReview):
        EVERYBODY.check_reviewer(ann, submit(desk(), requester=ann))
