from __future__ import annotations

from datetime import timedelta

import pytest
from doubles import KEY, START, WEEK, allowed, approve, desk, submit
from hypothesis import given
from hypothesis import strategies as st

from sm_access.access import Grant, Level, plan
from sm_access.access.planner import INLINE_LIMIT, characters, documents, merge
from sm_access.errors import QuotaExceeded


def grant(
    uri: str, level: Level = Level.READ, duration: timedelta = WEEK, key: str | None = None, number: int = 1
) -> Grant:
    at = desk()
    for _ in range(number - 1):
        submit(at)
    made = approve(at, submit(at, uri, level, duration, key=key)).grant
    assert made is not None
    return made


def test_one_grant_is_put_on_its_role_to_the_letter() -> None:
    one = grant("s3://lake/raw/", key=KEY)
    planned = plan([one], START)
    assert planned.documents == {
        "sm-access-until-20261130T170000Z": {"Version": "2012-10-17", "Statement": list(one.statements)}
    }
    assert planned.characters == sum(map(characters, planned.documents.values()))
    assert planned.room == INLINE_LIMIT - planned.characters


def test_what_has_ended_is_not_planned() -> None:
    one = grant("s3://lake/raw/", duration=timedelta(hours=1))
    assert plan([one], START + timedelta(seconds=3599)).documents
    assert not plan([one], START + timedelta(hours=1)).documents


def test_each_end_has_its_document_whatever_the_order_of_grants() -> None:
    day = timedelta(days=1)
    grants = [grant("s3://a-1/"), grant("s3://a-2/", number=2), grant("s3://a-3/", duration=day, number=3)]
    made = documents(grants)
    assert sorted(made) == ["sm-access-until-20261124T170000Z", "sm-access-until-20261130T170000Z"]
    assert documents(reversed(grants)) == made


def test_statements_that_differ_only_in_resource_are_one() -> None:
    made = documents([grant("s3://lake/raw/"), grant("s3://lake/silver/", number=2)])
    (document,) = made.values()
    listing, reading = document["Statement"]
    assert listing["Condition"]["StringLike"] == {"s3:prefix": ["raw/", "raw/*", "silver/", "silver/*"]}
    assert reading["Resource"] == ["arn:aws:s3:::lake/raw/*", "arn:aws:s3:::lake/silver/*"]


def test_a_plan_that_does_not_fit_is_refused_with_its_figures() -> None:
    one = grant("s3://lake/raw/")
    size = plan([one], START).characters
    assert plan([one], START, INLINE_LIMIT - size).room == 0
    with pytest.raises(QuotaExceeded, match=f"need {size} .* room for {size - 1} of AWS's 10,240") as refused:
        plan([one], START, INLINE_LIMIT - size + 1)
    assert "evoke" in refused.value.remedy


def test_dozens_of_small_grants_fit() -> None:
    ends = [
        grant(f"s3://lake/raw-{n}/", duration=timedelta(days=1, seconds=n), number=n) for n in range(1, 20)
    ]
    assert plan(ends, START).room >= 0


BUCKETS = st.sampled_from(["lake", "pond"])
PREFIXES = st.sampled_from(["", "a/", "a-b/", "a", "a/b/"])
GRANTS = st.lists(st.tuples(BUCKETS, PREFIXES, st.sampled_from(Level), st.booleans()), min_size=1, max_size=4)
OBJECTS = st.tuples(BUCKETS, st.sampled_from(["a", "a/x", "a/b/x", "a-b/x", "b"]))
ACTIONS = st.sampled_from(["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"])


@given(GRANTS, OBJECTS, ACTIONS)
def test_merging_neither_widens_nor_narrows(
    asked: list[tuple[str, str, Level, bool]], what: tuple[str, str], action: str
) -> None:
    every_level = {"levels": [level.value for level in Level]}
    at = desk(rules={"reviewers": ["arn:aws:iam::111122223333:role/Stewards"], **every_level})
    grants = [
        approve(at, submit(at, f"s3://{bucket}/{path}", level, key=KEY if key else None)).grant
        for bucket, path, level, key in asked
    ]
    apart = [statement for one in grants if one is not None for statement in one.statements]
    together = merge(apart)
    assert len({statement["Sid"] for statement in together}) == len(together) <= len(apart)
    bucket, key = what
    if action == "s3:ListBucket":
        question = (action, f"arn:aws:s3:::{bucket}", {"s3:prefix": key})
    else:
        question = (action, f"arn:aws:s3:::{bucket}/{key}", {})
    assert allowed(together, *question) == allowed(apart, *question)
    assert merge(together) == together
