from __future__ import annotations

from datetime import timedelta

import pytest
from doubles import KEY, ROLE, START, WEEK, allowed, approve, desk, submit
from hypothesis import given
from hypothesis import strategies as st

from sm_access.access import Grant, Level, plan
from sm_access.access.canonical import canonical_json
from sm_access.access.levels import ENCRYPTION_CONTEXT
from sm_access.access.planner import (
    INLINE_LIMIT,
    MANAGED_LIMIT,
    InUse,
    arrange,
    characters,
    is_our_managed,
    is_ours,
    merge,
)
from sm_access.errors import QuotaExceeded

DAY = timedelta(days=1)
VIA = "s3.eu-central-1.amazonaws.com"


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
    planned = plan(ROLE, [one], START)
    assert planned.inline == {
        "sm-access-until-20261130T170000Z": {"Version": "2012-10-17", "Statement": list(one.statements)}
    }
    assert planned.characters == sum(map(characters, planned.documents.values()))
    assert planned.inline_characters == planned.used == planned.characters
    assert planned.room == INLINE_LIMIT - planned.characters + 10 * MANAGED_LIMIT


def test_what_has_ended_is_not_planned() -> None:
    one = grant("s3://lake/raw/", duration=timedelta(hours=1))
    assert plan(ROLE, [one], START + timedelta(seconds=3599)).documents
    assert not plan(ROLE, [one], START + timedelta(hours=1)).documents


def test_each_end_has_its_document_whatever_the_order_of_grants() -> None:
    day = timedelta(days=1)
    grants = [grant("s3://a-1/"), grant("s3://a-2/", number=2), grant("s3://a-3/", duration=day, number=3)]
    made = arrange(ROLE, grants).inline
    assert sorted(made) == ["sm-access-until-20261124T170000Z", "sm-access-until-20261130T170000Z"]
    assert arrange(ROLE, reversed(grants)).inline == made


def test_statements_that_differ_only_in_resource_are_one() -> None:
    made = arrange(ROLE, [grant("s3://lake/raw/"), grant("s3://lake/silver/", number=2)]).inline
    (document,) = made.values()
    listing, reading = document["Statement"]
    assert listing["Condition"]["StringLike"] == {"s3:prefix": ["raw/*", "silver/*"]}
    assert reading["Resource"] == ["arn:aws:s3:::lake/raw/*", "arn:aws:s3:::lake/silver/*"]


def test_a_plan_that_does_not_fit_is_refused_with_its_figures() -> None:
    one = grant("s3://lake/raw/")
    size = plan(ROLE, [one], START).characters
    assert plan(ROLE, [one], START, InUse(INLINE_LIMIT - size, 10)).room == 0
    with pytest.raises(
        QuotaExceeded, match=f"need {size} .*: {size - 1} of inline policy are free"
    ) as refused:
        plan(ROLE, [one], START, InUse(INLINE_LIMIT - size + 1, 10))
    assert "evoke" in refused.value.remedy


def test_dozens_of_small_grants_fit() -> None:
    ends = [
        grant(f"s3://lake/raw-{n}/", duration=timedelta(days=1, seconds=n), number=n) for n in range(1, 20)
    ]
    assert plan(ROLE, ends, START).room >= 0


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


# --- more than fits inline ------------------------------------------------------------------------------------------


def many(count: int, *, key: str | None = KEY) -> list[Grant]:
    """Grants of one role, each with an end and a place of its own: nothing merges."""
    at, made = desk(), []
    for number in range(count):
        asked = submit(
            at, f"s3://lake/team-{number:04d}/raw/", duration=DAY + timedelta(seconds=number), key=key
        )
        grant = approve(at, asked).grant
        assert grant is not None
        made.append(grant)
    return made


def test_a_grant_with_a_key_takes_at_most_800_characters() -> None:
    one = grant("s3://acme-lake/raw/events/", key=KEY)
    assert len(canonical_json(one.statements)) <= 800


def test_sixty_grants_with_keys_and_ends_of_their_own_fit_on_one_role() -> None:
    planned = plan(ROLE, many(60), START, InUse(attached=2))
    assert planned.room >= 0
    assert set(planned.places) == {f"g-{number:08d}" for number in range(1, 61)}
    assert planned.inline_characters <= INLINE_LIMIT
    assert all(characters(document) <= MANAGED_LIMIT for document in planned.managed.values())
    assert all(is_ours(name) and not is_our_managed(ROLE, name) for name in planned.inline)
    assert all(is_our_managed(ROLE, name) and not is_ours(name) for name in planned.managed)


def test_what_ends_soonest_is_inline_and_a_later_grant_moves_nothing() -> None:
    grants = many(30)
    before, after = arrange(ROLE, grants[:29]), arrange(ROLE, grants)
    assert before.inline == after.inline
    assert list(before.managed)[:-1] == list(after.managed)[: len(before.managed) - 1]
    assert max(g.ends_at for g in grants if after.places[g.id] in after.inline) < min(
        g.ends_at for g in grants if after.places[g.id] in after.managed
    )
    assert arrange(ROLE, reversed(grants)) == after


def test_figures_of_what_is_used_and_left() -> None:
    planned = arrange(ROLE, many(30), InUse(1000, 3))
    assert planned.capacity == INLINE_LIMIT + 7 * MANAGED_LIMIT
    assert planned.used == 1000 + planned.characters
    assert planned.attached == 3 + len(planned.managed)


def test_too_many_for_what_may_be_attached_is_refused_with_its_figures() -> None:
    grants = many(30)
    needed = len(arrange(ROLE, grants).managed)
    assert plan(ROLE, grants, START, InUse(attached=10 - needed)).attached == 10
    with pytest.raises(QuotaExceeded, match=f"{needed - 1} of AWS's 10 managed .* 1 too few"):
        plan(ROLE, grants, START, InUse(attached=11 - needed))
    assert plan(ROLE, many(1), START, InUse(attached=20)).managed == {}


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("sm-access-notebooks-1", True),
        ("sm-access-notebooks-42", True),
        ("sm-access-notebooks-0", False),
        ("sm-access-notebooks-100", False),
        ("sm-access-notebooks-1x", False),
        ("sm-access-notebooks", False),
        ("sm-access-notebooks-gpu-1", False),
        ("sm-access-training-1", False),
    ],
)
def test_which_managed_policies_are_ours(name: str, ours: bool) -> None:
    assert is_our_managed(ROLE, name) is ours


@given(
    st.lists(st.tuples(PREFIXES, st.booleans()), min_size=1, max_size=4), st.sampled_from([0, 9_000, 10_240])
)
def test_wherever_a_grant_is_put_the_role_may_the_same(places: list[tuple[str, bool]], used: int) -> None:
    at = desk()
    grants = [
        approve(at, submit(at, f"s3://lake/{path}", key=KEY if key else None)).grant for path, key in places
    ]
    planned = arrange(ROLE, [grant for grant in grants if grant is not None], InUse(used))
    together = [statement for document in planned.documents.values() for statement in document["Statement"]]
    apart = [statement for grant in grants if grant is not None for statement in grant.statements]
    for path in ("a", "a/x", "a/b/x", "a-b/x", "b"):
        for question in (
            ("s3:GetObject", f"arn:aws:s3:::lake/{path}", {}),
            ("s3:ListBucket", "arn:aws:s3:::lake", {"s3:prefix": path}),
            ("kms:Decrypt", KEY, {"kms:ViaService": VIA, ENCRYPTION_CONTEXT: f"arn:aws:s3:::lake/{path}"}),
        ):
            assert allowed(together, *question) == allowed(apart, *question)
