"""What a reviewer is told that a role gains: what the engine newly allows, and nothing that it had."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from doubles import ACCOUNT, KEY, ROLE, START, STEWARD, desk, submit

from sm_access.access import AccessRequest, Level
from sm_access.access.evidence import BucketEvidence, Organization, PrincipalEvidence, Unread
from sm_access.access.gain import Gain, gain
from sm_access.access.terms import would_be_grant
from sm_access.errors import CannotTell
from sm_access.policy import UNREADABLE, Decision, NamedPolicy, parse_policy

EVERYTHING = {"reviewers": [STEWARD.principal], "levels": [level.value for level in Level]}
LIST_RAW = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::lake"}
READ_OLD = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::lake/raw/old/*"}
DENY_HR = {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::lake/raw/hr/*"}
ROOT = {
    "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*",
}  # fmt: skip


def named(name: str, *statements: dict[str, Any], kind: str = "inline") -> tuple[NamedPolicy, ...]:
    document = parse_policy({"Version": "2012-10-17", "Statement": list(statements)})
    return (NamedPolicy(name, document, kind),)


def role(*statements: dict[str, Any], **more: Any) -> PrincipalEvidence:
    known: dict[str, Any] = {"identity": named("own", *statements) if statements else (), **more}
    return PrincipalEvidence(
        arn=ROLE, iam_arn=ROLE, account=ACCOUNT, boundary=None, read_at=START, tags={},
        organization=Organization(), **known,
    )  # fmt: skip


def lake(**more: Any) -> BucketEvidence:
    known: dict[str, Any] = {
        "owner_account": ACCOUNT, "policy": None, "encryption_read": True, "kms_key_arn": None,
        "kms_policy": None, "bucket_key": False, **more,
    }  # fmt: skip
    return BucketEvidence(bucket="lake", region="eu-central-1", read_at=START, **known)


def asked(level: Level = Level.READ, key: str | None = None, **more: Any) -> AccessRequest:
    return submit(desk(rules=EVERYTHING), level=level, key=key, **more)


def found(request: AccessRequest, principal: PrincipalEvidence, bucket: BucketEvidence) -> Gain:
    made = would_be_grant(request, START).statements
    return gain(principal, bucket, request.terms, made, START)


def short(told: Gain) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    assert told.newly is not None
    return [(each.action, each.within, each.outside) for each in told.newly]


def test_all_of_it_is_new_to_a_role_that_has_nothing() -> None:
    told = found(asked(), role(), lake())
    assert short(told) == [
        ("s3:ListBucket", ("arn:aws:s3:::lake",), ()),
        ("s3:GetObject", ("arn:aws:s3:::lake/raw/*",), ()),
    ]
    assert set(told.already.values()) == {Decision.IMPLICIT_DENY}
    assert told.complete


def test_what_it_has_is_not_new_and_what_is_denied_stays_so() -> None:
    told = found(asked(), role(LIST_RAW, READ_OLD, DENY_HR), lake())
    ((action, within, outside),) = short(told)
    assert (action, within) == ("s3:GetObject", ("arn:aws:s3:::lake/raw/*",))
    assert set(outside) == {"arn:aws:s3:::lake/raw/hr/*", "arn:aws:s3:::lake/raw/old/*"}
    assert told.already[Level.LIST] is Decision.ALLOW
    assert told.already[Level.READ] is not Decision.ALLOW


def test_nothing_is_new_to_a_role_that_has_all_of_it() -> None:
    everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    told = found(asked(), role(everything), lake())
    assert told.newly == told.open == ()
    assert told.already[Level.DELETE] is Decision.ALLOW


def test_the_key_is_a_part_of_it() -> None:
    bucket = lake(kms_key_arn=KEY, kms_policy=named("key", ROOT, kind="resource"))
    told = found(asked(key=KEY), role(), bucket)
    assert ("kms:Decrypt", (KEY,), ()) in short(told)
    unread = found(asked(key=KEY), role(), replace(bucket, kms_policy=UNREADABLE))
    assert "kms:Decrypt" not in [action for action, *_ in short(unread)]
    assert not unread.complete


def test_for_one_person_it_is_new_in_their_sessions() -> None:
    told = found(asked(source_identity="ann"), role(), lake())
    assert [action for action, *_ in short(told)] == ["s3:ListBucket", "s3:GetObject"]


def test_a_whole_bucket_has_no_prefix() -> None:
    told = found(asked(uri="s3://lake"), role(), lake())
    assert [action for action, *_ in short(told)] == ["s3:ListBucket", "s3:GetObject"]


def test_what_hangs_on_what_nobody_knows_is_open() -> None:
    at_home = {
        "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::lake/*",
        "Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    }  # fmt: skip
    told = found(asked(), role(), lake(policy=named("bucket policy", at_home, kind="resource")))
    assert [action for action, *_ in short(told)] == ["s3:ListBucket"]
    assert [each.action for each in told.open] == ["s3:GetObject"]
    assert any("aws:SourceIp" in words or "aws:sourceip" in words for words in told.open[0].depends_on)


def test_what_could_not_be_read_is_never_told_as_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(asked(), role(identity=UNREADABLE), lake()).newly is None
    assert found(asked(), role(), lake(owner_account=None)).newly is None
    assert not found(asked(), role(unread=(Unread("control policies"),)), lake()).complete

    def too_many(*_: Any, **__: Any) -> Any:
        raise CannotTell("too many cells", remedy="")

    monkeypatch.setattr("sm_access.access.gain.diff", too_many)
    assert found(asked(), role(), lake()).newly is None
