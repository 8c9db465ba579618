"""Everybody is asked about as one would be oneself; the short way to a no says no only where the long way does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_access.access.distinctions import touches
from sm_access.access.evidence import BucketEvidence, Unread
from sm_access.access.holder import AccountHolders, HeldPolicy, Holder, HolderKind, PolicyReader
from sm_access.access.instant import format_instant
from sm_access.access.level import Level
from sm_access.access.planner import inline_name, managed_name
from sm_access.access.target import S3Target
from sm_access.access.verdict import judge
from sm_access.access.who import Entry, Named, Standing, WhoCan, who_can
from sm_access.policy import UNREADABLE, Decision, NamedPolicy, parse_policy

ACCOUNT, OTHER = "111122223333", "444455556666"
NOW = datetime(2026, 11, 24, 21, tzinfo=timezone.utc)
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
RAW, ONE, WHOLE = S3Target("lake", "raw/"), S3Target("lake", "raw/x.csv"), S3Target("lake")
Statement = Mapping[str, Any]


def statement(effect: str, action: Any, resource: Any = "*", **more: Any) -> Statement:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def document(*statements: Statement) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def role(name: str, *statements: Statement, **changes: Any) -> Holder:
    held = (HeldPolicy("inline", "inline", document(*statements)),) if statements else ()
    return replace(Holder(HolderKind.ROLE, f"arn:aws:iam::{ACCOUNT}:role/{name}", held), **changes)


def bucket(*statements: Statement, **changes: Any) -> BucketEvidence:
    policy = None
    if statements:
        policy = (NamedPolicy("bucket policy", parse_policy(document(*statements)), "resource"),)
    found = BucketEvidence("lake", ACCOUNT, policy, True, None, None, "eu-central-1", NOW)
    return replace(found, **changes)


def everybody(*holders: Holder, unread: tuple[Unread, ...] = ()) -> AccountHolders:
    return AccountHolders(ACCOUNT, holders, NOW, unread)


def ask(
    *holders: Holder,
    where: BucketEvidence | None = None,
    target: S3Target = RAW,
    what: Level | str = Level.READ,
) -> WhoCan:
    return who_can(everybody(*holders), where or bucket(), target, what, now=NOW, used_by=lambda _: ())


def one(*statements: Statement, **given: Any) -> Entry:
    (entry,) = ask(role("r", *statements), **given).entries
    return entry


ALL = statement("Allow", "s3:*")


def test_each_standing() -> None:
    vpce = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    assert one(ALL).standing is Standing.YES
    assert one().standing is Standing.NO
    assert one().verdict is None
    assert one(ALL, statement("Deny", "s3:GetObject")).standing is Standing.NO
    assert one(ALL, statement("Deny", "s3:GetObject", "arn:aws:s3:::*/secret/*")).standing is Standing.IN_PART
    assert one(ALL, statement("Deny", "s3:*", Condition=vpce)).standing is Standing.DEPENDS
    assert one(ALL, where=bucket(policy=UNREADABLE)).standing is Standing.UNKNOWN
    assert one(ALL, where=bucket(encryption_read=False)).standing is Standing.UNKNOWN
    torn = role("r", policies=(HeldPolicy("x", "inline", None, "iam:GetRolePolicy"),))
    assert ask(torn).entries[0].standing is Standing.UNKNOWN


def test_a_part_of_the_place_counts_in_part() -> None:
    narrow = statement("Allow", "s3:GetObject", "arn:aws:s3:::lake/raw/2026/*")
    found = one(narrow, target=WHOLE)
    assert found.standing is Standing.IN_PART
    assert found.part is not None
    assert found.part.check.resource_arn.startswith("arn:aws:s3:::lake/raw/2026/")
    assert one(narrow, target=S3Target("lake", "curated/")).standing is Standing.NO
    assert (
        one(narrow, statement("Deny", "*", "arn:aws:s3:::lake/raw/*"), target=WHOLE).standing is Standing.NO
    )


def test_a_closed_key_closes_every_part() -> None:
    narrow = statement("Allow", "s3:GetObject", "arn:aws:s3:::lake/raw/2026/*")
    trusts = statement("Allow", "kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    key = NamedPolicy("key policy", parse_policy(document(trusts)), "resource")
    encrypted = bucket(kms_key_arn=KEY, kms_policy=(key,))
    assert one(narrow, where=encrypted).standing is Standing.NO
    assert one(narrow, statement("Allow", "kms:*"), where=encrypted).standing is Standing.IN_PART
    assert one(ALL, where=encrypted).standing is Standing.NO
    unread = replace(encrypted, kms_policy=UNREADABLE)
    assert one(narrow, statement("Allow", "kms:*"), where=unread).standing is Standing.UNKNOWN


def test_what_may_be_about_a_place() -> None:
    def about(place: str, **element: Any) -> bool:
        found = parse_policy(document({"Effect": "Allow", "Action": "*", **element}), name="x")
        return touches(place, found.statements[0])

    assert about("arn:aws:s3:::lake/raw/*", Resource="arn:aws:s3:::lake/raw/2026/*")
    assert about("arn:aws:s3:::lake/raw/*", Resource="arn:aws:s3:::lake/r*/x")
    assert about("arn:aws:s3:::lake/raw/*", Resource="arn:aws:s3:::lake/${aws:username}/*")
    assert about("arn:aws:s3:::lake/raw/*", Resource="arn:aws:s3:::lake/${aws:/*")  # not understood
    assert about("arn:aws:s3:::lake/raw/*", NotResource="*")
    assert about("arn:aws:s3:::lake", Principal="*")
    assert not about("arn:aws:s3:::lake", Resource="arn:aws:s3:::lake/*")
    assert not about("arn:aws:s3:::lake/raw/*", Resource=["arn:aws:s3:::lake", "arn:aws:s3:::lake/raw"])


def test_more_parts_than_can_be_gone_through_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sm_access.policy.partition.MOST_STATES", 1)
    narrow = statement("Allow", "s3:GetObject", "arn:aws:s3:::lake/raw/2026/*")
    assert one(narrow, target=WHOLE).standing is Standing.NO


def test_the_buckets_policy_may_let_in_who_has_nothing() -> None:
    granting = bucket(
        statement(
            "Allow",
            "s3:*",
            ["arn:aws:s3:::lake", "arn:aws:s3:::lake/*"],
            Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/r"},
        )
    )
    assert one(where=granting).standing is Standing.YES


def test_boundary_groups_and_users() -> None:
    fence = HeldPolicy("fence", "boundary", document(statement("Allow", "ec2:*")))
    group = Holder(HolderKind.GROUP, f"arn:aws:iam::{ACCOUNT}:group/Team", role("x", ALL).policies)
    user = Holder(HolderKind.USER, f"arn:aws:iam::{ACCOUNT}:user/ada", groups=("Team",))
    fenced = replace(user, arn=f"{user.arn}2", boundary=fence)
    found = {entry.holder.name: entry.standing for entry in ask(group, user, fenced).entries}
    assert found == {"Team": Standing.YES, "ada": Standing.YES, "ada2": Standing.NO}


def test_a_member_of_a_group_has_no_name() -> None:
    mine = statement("Allow", "s3:*", Condition={"StringEquals": {"aws:username": "ada"}})
    group = Holder(HolderKind.GROUP, f"arn:aws:iam::{ACCOUNT}:group/Team", role("x", mine).policies)
    ada, bob = (
        Holder(HolderKind.USER, f"arn:aws:iam::{ACCOUNT}:user/{n}", groups=("Team",)) for n in ("ada", "bob")
    )
    found = {entry.holder.name: entry.standing for entry in ask(group, ada, bob).entries}
    assert found == {"Team": Standing.DEPENDS, "ada": Standing.YES, "bob": Standing.NO}


def test_who_is_named_from_elsewhere() -> None:
    lets_in = [
        statement(
            "Allow",
            "s3:GetObject",
            "arn:aws:s3:::lake/*",
            Sid="Partner",
            Principal={"AWS": [f"arn:aws:iam::{OTHER}:root", OTHER]},
        ),
        statement("Allow", "s3:GetObject", "arn:aws:s3:::lake/*", Principal={"Service": "x.amazonaws.com"}),
        statement("Allow", "s3:GetObject", "arn:aws:s3:::lake/raw/2026/*", Principal="*"),
        statement(
            "Allow",
            "s3:GetObject",
            "arn:aws:s3:::lake/*",
            NotPrincipal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/x"},
        ),
        statement("Allow", "s3:PutObject", "arn:aws:s3:::lake/*", Principal={"AWS": "777788889999"}),
        statement("Allow", "s3:GetObject", "arn:aws:s3:::lake/else/*", Principal={"AWS": "777788889999"}),
        statement("Deny", "s3:GetObject", "arn:aws:s3:::lake/*", Principal={"AWS": "777788889999"}),
        statement(
            "Allow",
            "s3:GetObject",
            "arn:aws:s3:::lake/*",
            Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/r"},
        ),
    ]
    found = ask(where=bucket(*lets_in)).named
    assert [each.name for each in found] == [
        f"arn:aws:iam::{OTHER}:root",
        OTHER,
        "x.amazonaws.com (Service)",
        "*",
        f"everybody but arn:aws:iam::{ACCOUNT}:user/x",
    ]
    assert found[0] == Named(f"arn:aws:iam::{OTHER}:root", "bucket policy", "Partner")
    key = parse_policy(document(statement("Allow", "kms:*", Principal={"AWS": OTHER})), name="key policy")
    by_key = bucket(kms_key_arn=KEY, kms_policy=(NamedPolicy("key policy", key, "resource"),))
    assert [each.name for each in ask(where=by_key).named] == [OTHER]
    assert ask(where=bucket(kms_key_arn=KEY, kms_policy=UNREADABLE, policy=UNREADABLE)).named == ()


def test_root_is_bound_by_the_buckets_policy_alone() -> None:
    assert ask().root is Decision.ALLOW
    closed = bucket(statement("Deny", "s3:*", Principal="*"))
    assert ask(where=closed).root is Decision.EXPLICIT_DENY


def test_service_linked_roles_stand_apart() -> None:
    linked = role("x", ALL, arn=f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x.amazonaws.com/AWSX")
    found = ask(linked, role("r", ALL))
    assert [entry.holder.name for entry in found.of(HolderKind.ROLE, Standing.YES)] == ["r"]
    assert [e.holder.name for e in found.of(HolderKind.ROLE, Standing.YES, service_linked=True)] == ["AWSX"]


def test_grants_of_ours_are_told_with_their_end() -> None:
    def until(moment: datetime) -> dict[str, Any]:
        return document(
            {
                **ALL,
                "Condition": {
                    "StringLike": {"s3:prefix": "raw/*"},
                    "DateLessThan": {"aws:CurrentTime": format_instant(moment)},
                },
            }
        )

    end, past = NOW + timedelta(days=3), NOW - timedelta(days=3)
    held = (
        HeldPolicy(inline_name(end), "inline", until(end)),
        HeldPolicy(inline_name(past), "inline", until(past)),
        HeldPolicy(managed_name(role("r").arn, 1), "customer-managed", until(end)),
        HeldPolicy("sm-access-guardrail", "inline", until(end)),
        HeldPolicy(
            "sm-access-until-20261127T210001Z",
            "inline",
            document(statement("Allow", "s3:*", Condition={"DateLessThan": {"aws:CurrentTime": "soon"}})),
        ),
    )
    (entry,) = ask(role("r", policies=held)).entries
    assert entry.grants == {inline_name(end): end, managed_name(role("r").arn, 1): end}
    torn = role("r", policies=(*held, HeldPolicy("x", "inline", None)))
    assert ask(torn).entries[0].grants == {}


def test_progress_and_what_runs_on_a_role() -> None:
    told: list[tuple[int, int]] = []
    found = who_can(
        everybody(role("a", ALL), role("b"), unread=(Unread("x", "y:Z"),)),
        bucket(),
        RAW,
        "s3:GetObject",
        now=NOW,
        used_by=lambda arn: ("notebook n",) if arn.endswith("/a") else (),
        told=lambda done, of: told.append((done, of)),
    )
    assert told == [(1, 2), (2, 2)]
    assert found.asked == "s3:GetObject"
    assert [entry.used_by for entry in found.entries] == [("notebook n",), ()]
    assert found.unread == (Unread("x", "y:Z"),)


ELEMENTS = st.builds(
    lambda effect, action, place, negated: {
        "Effect": effect,
        ("NotAction" if negated == 1 else "Action"): action,
        ("NotResource" if negated == 2 else "Resource"): place,
    },
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.sampled_from(["*", "s3:*", "s3:Get*", "s3:ListBucket", "ec2:*", "s3:PutObject"]),
    st.sampled_from(
        [
            "*",
            "arn:aws:s3:::lake*",
            "arn:aws:s3:::lake/raw/*",
            "arn:aws:s3:::lake/raw/${aws:PrincipalTag/team}/*",
            "arn:aws:s3:::${aws:username}/x",
            "arn:aws:s3:::other/*",
            "arn:aws:s3:::lake",
        ]
    ),
    st.sampled_from([0, 0, 0, 1, 2]),
)


@given(
    st.lists(ELEMENTS, max_size=3),
    st.lists(ELEMENTS, max_size=1),
    st.sampled_from([RAW, ONE, WHOLE]),
    st.sampled_from(Level),
)
def test_the_short_way_says_no_only_where_the_long_way_does(
    mine: list[Statement], theirs: list[Statement], target: S3Target, level: Level
) -> None:
    where = bucket(*({**each, "Principal": "*"} for each in theirs))
    entry = ask(role("r", *mine), where=where, target=target, what=level).entries[0]
    evidence = PolicyReader().evidence(role("r", *mine), NOW)
    decision = judge(evidence, where, target, level, now=NOW).decision
    if entry.verdict is None:
        assert decision in {Decision.IMPLICIT_DENY, Decision.EXPLICIT_DENY}
    else:
        assert entry.verdict.decision is decision
    assert (entry.standing is Standing.YES) is (decision is Decision.ALLOW)
