"""A snapshot is believed for the role it was read from, as of then - and anything else is refused with a reason."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from sm_access.access.caller import Caller
from sm_access.access.canonical import sha256
from sm_access.access.evidence import Unread
from sm_access.access.holder import UNLISTED, HeldPolicy, Holder, HolderKind, PolicyReader
from sm_access.access.snapshot import LARGEST, decode, encode, file_name, published
from sm_access.errors import UnusableSnapshot
from sm_access.policy import UNREADABLE

ACCOUNT = "111122223333"
NOW = datetime(2026, 11, 24, 21, tzinfo=timezone.utc)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/notebooks"
CALLER = Caller(f"arn:aws:sts::{ACCOUNT}:assumed-role/notebooks/SageMaker", ACCOUNT, "AROA1:SageMaker")
DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
}
HOLDER = Holder(
    HolderKind.ROLE,
    ROLE,
    (HeldPolicy("data", "inline", DOCUMENT), HeldPolicy("text", "customer-managed", json.dumps(DOCUMENT))),
    HeldPolicy("fence", "boundary", DOCUMENT),
    id="AROA1",
)
ADA = f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/ada"


def content(**changes: Any) -> bytes:
    return encode(published(replace(HOLDER, **changes), ACCOUNT, ADA, NOW, (Unread("the organization's"),)))


def test_what_was_published_is_what_is_read() -> None:
    found = decode(content(), CALLER, NOW + timedelta(hours=2))
    assert found.published_by == ADA
    assert found.read_at == NOW
    evidence = found.evidence(CALLER.arn)
    assert evidence.arn == CALLER.arn
    assert evidence.iam_arn == ROLE
    assert isinstance(evidence.identity, tuple)
    assert [policy.name for policy in evidence.identity] == ["data", "text"]
    assert isinstance(evidence.boundary, tuple)
    assert evidence.unread == (Unread("the organization's"),)
    assert evidence.read_at == NOW


def test_a_role_without_boundary_has_none() -> None:
    assert decode(content(boundary=None), CALLER, NOW).evidence(CALLER.arn).boundary is None


def test_the_same_reading_gives_the_same_bytes() -> None:
    assert content() == content()


def test_what_the_publisher_could_not_read_is_no_empty_policy() -> None:
    held = HeldPolicy("the policies of the role", UNLISTED, None, "iam:ListRolePolicies")
    evidence = decode(content(policies=(*HOLDER.policies, held)), CALLER, NOW).evidence(CALLER.arn)
    assert evidence.identity is UNREADABLE
    assert Unread("the policies of the role", "iam:ListRolePolicies") in evidence.unread


def test_its_name_knows_no_path() -> None:
    assert file_name(ACCOUNT, ROLE) == file_name(ACCOUNT, CALLER.principal) == f"{ACCOUNT}/notebooks.json"


def resealed(**changes: Any) -> bytes:
    """A snapshot that somebody changed, with the hash made to fit again."""
    body = json.loads(content())
    del body["sha256"]
    for path, value in changes.items():
        *way, last = path.split("__")
        inner = body
        for step in way:
            inner = inner[step]
        inner[last] = value
    return json.dumps({**body, "sha256": sha256(body)}).encode()


def test_the_hash_is_over_all_of_it() -> None:
    assert decode(resealed(), CALLER, NOW) == decode(content(), CALLER, NOW)
    body = json.loads(content())
    for key in set(body) - {"sm_access_snapshot", "sha256"}:
        changed = json.dumps({**body, key: "changed"}).encode()
        with pytest.raises(UnusableSnapshot, match="its hash is not that of its content"):
            decode(changed, CALLER, NOW)


@pytest.mark.parametrize(
    ("hostile", "why"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"\x1f\x8b\x08\x00" + bytes(100), "not JSON"),
        (content()[:-40], "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b" " * (LARGEST + 1), "larger than"),
        (b"[]", "no snapshot of version 1"),
        (b"{}", "no snapshot of version 1"),
        (resealed(sm_access_snapshot=2), "no snapshot of version 1"),
        (b'{"sm_access_snapshot": 1, "a": NaN}', "not JSON"),
        (b'{"sm_access_snapshot": 1, "a": "\\ud800"}', "not JSON"),
        (b'{"sm_access_snapshot": 1}', "its hash"),
        (resealed(account="444455556666"), "of account 444455556666"),
        (resealed(role__arn="arn:aws:iam::444455556666:role/notebooks"), "of account"),
        (resealed(role__arn=f"arn:aws-cn:iam::{ACCOUNT}:role/notebooks"), "it is of arn:aws-cn"),
        (resealed(role__arn=f"arn:aws:iam::{ACCOUNT}:role/notebooks2"), "it is of arn:aws:iam"),
        (resealed(role__arn=f"arn:aws:iam::{ACCOUNT}:user/notebooks"), "it is of arn:aws:iam"),
        (resealed(role__id="AROA2"), "an earlier role of this name"),
        (resealed(read_at="2026-11-24T21:06:00Z"), "still to come"),
        (resealed(read_at="yesterday"), "has not the parts"),
        (resealed(read_at=5), "has not the parts"),
        (resealed(role=None), "has not the parts"),
        (resealed(role__policies={}), "has not the parts"),
        (resealed(role__policies=[{}] * 201), "has not the parts"),
        (resealed(role__policies=[5]), "has not the parts"),
        (resealed(role__policies=[{"name": "x"}]), "has not the parts"),
        (
            resealed(role__policies=[{"name": "x", "kind": "odd", "document": {}, "permission": ""}]),
            "has not the parts",
        ),
        (resealed(role__boundary="none"), "has not the parts"),
        (resealed(unread=5), "has not the parts"),
        (resealed(published_by="x" * 5000), "has not the parts"),
    ],
    ids=range(30),
)
def test_a_hostile_one_is_refused_with_the_reason(hostile: bytes, why: str) -> None:
    with pytest.raises(UnusableSnapshot, match=why) as refused:
        decode(hostile, CALLER, NOW)
    assert refused.value.remedy


def test_a_clock_that_is_a_little_ahead_is_no_lie() -> None:
    assert decode(content(), CALLER, NOW - timedelta(minutes=4)).read_at == NOW


def test_a_policy_in_it_that_is_not_understood_is_named_and_no_yes() -> None:
    strange = {"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps"}]}
    evidence = decode(content(policies=(HeldPolicy("odd", "inline", strange),)), CALLER, NOW).evidence(
        CALLER.arn
    )
    assert evidence.identity is UNREADABLE
    assert "odd, which is not understood at $.Statement" in evidence.unread[-1].what


class TestHolders:
    def test_a_document_that_many_hold_is_parsed_once(self) -> None:
        reader = PolicyReader()
        one, two = (reader.evidence(replace(HOLDER, arn=ROLE + end), NOW) for end in ("1", "2"))
        assert isinstance(one.identity, tuple)
        assert isinstance(two.identity, tuple)
        assert one.identity[0] is two.identity[0]

    def test_a_user_has_the_policies_of_their_groups(self) -> None:
        group = Holder(HolderKind.GROUP, f"arn:aws:iam::{ACCOUNT}:group/a/Team", HOLDER.policies)
        user = Holder(HolderKind.USER, f"arn:aws:iam::{ACCOUNT}:user/ada", groups=("Team",))
        evidence = PolicyReader([group]).evidence(user, NOW)
        assert isinstance(evidence.identity, tuple)
        assert [(policy.name, policy.kind) for policy in evidence.identity] == [
            ("data", "group"),
            ("text", "customer-managed"),
        ]
        assert evidence.unknown == frozenset()

    def test_a_group_that_was_not_read_may_deny(self) -> None:
        user = Holder(HolderKind.USER, f"arn:aws:iam::{ACCOUNT}:user/ada", HOLDER.policies, groups=("Team",))
        evidence = PolicyReader().evidence(user, NOW)
        assert evidence.identity is UNREADABLE
        assert evidence.unread == (Unread("the policies of the group Team", "iam:GetGroup"),)

    def test_a_member_of_a_group_has_no_name(self) -> None:
        group = Holder(HolderKind.GROUP, f"arn:aws:iam::{ACCOUNT}:group/Team", HOLDER.policies)
        evidence = PolicyReader().evidence(group, NOW)
        assert "aws:username" in evidence.unknown

    def test_a_policy_that_could_not_be_read_is_named(self) -> None:
        held = HeldPolicy("wide", "aws-managed", None, "iam:GetPolicyVersion")
        evidence = PolicyReader().evidence(replace(HOLDER, policies=(held,)), NOW)
        assert evidence.unread == (Unread("the policy wide", "iam:GetPolicyVersion"),)

    def test_roles_of_aws_itself(self) -> None:
        assert replace(
            HOLDER, arn=f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x.amazonaws.com/AWSX"
        ).is_service_linked
        assert not HOLDER.is_service_linked
        assert HOLDER.name == "notebooks"
