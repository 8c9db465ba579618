"""What a bucket's or key's owner has to add is enough, and is nothing wider."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from doubles import ACCOUNT, KEY, ROLE, START, STEWARD, approve, desk, session, submit

from sm_access.access import AccessRequest, Level, checks
from sm_access.access.evidence import BucketEvidence, Policies
from sm_access.access.levels import Check
from sm_access.access.owner_half import OwnerHalf, only_with, owner_half
from sm_access.access.verdict import decide
from sm_access.policy import UNREADABLE, Decision, NamedPolicy, parse_policy

PARTNER = "444455556666"
THEIR_KEY = KEY.replace(ACCOUNT, PARTNER)
EVERYTHING = {
    "reviewers": [STEWARD.principal],
    "levels": [level.value for level in Level],
    "extras": ["versions", "tags"],
}


def granted(
    level: Level = Level.READ, key: str | None = None, uri: str = "s3://lake/raw/", **more: Any
) -> AccessRequest:
    at = desk(rules=EVERYTHING)
    return approve(at, submit(at, uri, level, key=key, **more))


def policy(name: str, *statements: dict[str, Any]) -> Policies:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return (NamedPolicy(name, parse_policy(document), "resource"),)


def bucket(owner: str | None = ACCOUNT, key: str | None = None, **more: Any) -> BucketEvidence:
    found: dict[str, Any] = {"policy": None, "kms_policy": None, "bucket_key": False, **more}
    return BucketEvidence(
        bucket="lake", owner_account=owner, encryption_read=True, kms_key_arn=key, region="eu-central-1",
        read_at=START, **found
    )  # fmt: skip


def half_of(request: AccessRequest, found: BucketEvidence) -> OwnerHalf:
    assert request.grant is not None
    return owner_half(request.terms, request.grant, found)


ROOT = {
    "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*",
}  # fmt: skip
DENY = {"Sid": "Nobody", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": ["arn:aws:s3:::lake", "arn:aws:s3:::lake/*"]}  # fmt: skip


def answer(request: AccessRequest, found: BucketEvidence, check: Check, now: datetime = START) -> Decision:
    assert request.grant is not None
    person = request.terms.source_identity
    beside = {"aws:SourceIdentity": person} if person else {}
    asked = replace(check, context={**check.context, **beside})
    return decide(only_with(request.grant, ACCOUNT), found, asked, now).decision


def test_nothing_is_asked_of_an_owner_who_consents() -> None:
    assert not half_of(granted(), bucket())
    assert not half_of(granted(key=KEY), bucket(key=KEY, kms_policy=policy("key", ROOT)))
    unread = bucket(key=KEY, policy=UNREADABLE, kms_policy=UNREADABLE)
    assert not half_of(granted(key=KEY), unread)  # Nobody is bothered on a guess.
    assert not half_of(granted(), bucket(None, policy=UNREADABLE))
    theirs = bucket(PARTNER, policy=policy("theirs", {**DENY, "Effect": "Allow"}))
    assert not half_of(granted(), theirs)


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("person", [None, "ann"])
@pytest.mark.parametrize("uri", ["s3://lake", "s3://lake/raw/", "s3://lake/raw/x.csv"])
def test_with_the_owners_half_it_is_allowed_until_the_end_and_no_wider(
    level: Level, person: str | None, uri: str
) -> None:
    request = granted(level, THEIR_KEY, uri, source_identity=person)
    assert request.grant is not None
    theirs = bucket(PARTNER, THEIR_KEY)
    half = half_of(request, theirs)
    assert half.bucket_policy
    assert bool(half.key_policy) is (level in (Level.READ, Level.WRITE))
    opened = replace(
        theirs,
        policy=policy("theirs", *half.bucket_policy),
        kms_policy=policy("their key", *half.key_policy) if half.key_policy else None,
    )
    for check in checks(request.target, level, THEIR_KEY, bucket_key=False):
        assert answer(request, theirs, check) is not Decision.ALLOW
        assert answer(request, opened, check) is Decision.ALLOW
        assert answer(request, opened, check, request.grant.ends_at) is not Decision.ALLOW
        assert answer(request, replace(opened, policy=None, kms_policy=None), check) is not Decision.ALLOW
    stranger = replace(only_with(request.grant, ACCOUNT), arn=session("training").principal, iam_arn=None)
    for check in checks(request.target, level, THEIR_KEY, bucket_key=False):
        assert decide(stranger, opened, check, START).decision is not Decision.ALLOW
    if uri == "s3://lake/raw/":
        beside = Check("s3:GetObject", "arn:aws:s3:::lake/raw-secret/x")
        assert answer(request, opened, beside) is not Decision.ALLOW
    assert not half_of(request, opened)


def test_of_a_bucket_that_is_not_ones_own_and_may_not_be_read_the_half_is_ready() -> None:
    half = half_of(granted(), bucket(None, policy=UNREADABLE, is_foreign=True))
    assert [each["Principal"] for each in half.bucket_policy] == [{"AWS": ROLE}] * 2
    assert half.key_policy == ()
    assert half.owner is None


def test_a_key_that_does_not_consent_gets_a_statement_and_the_bucket_none() -> None:
    half = half_of(
        granted(key=KEY), bucket(key=KEY, kms_policy=policy("key", {**ROOT, "Action": "kms:Describe*"}))
    )
    assert half.bucket_policy == ()
    (statement,) = half.key_policy
    assert statement["Resource"] == "*"
    assert statement["Action"] == "kms:Decrypt"
    assert "DateLessThan" in statement["Condition"]
    assert "kms:ViaService" in statement["Condition"]["StringLike"]


def test_a_deny_is_named_and_nothing_is_added_beside_it() -> None:
    half = half_of(granted(), bucket(policy=policy("bucket policy of lake", DENY)))
    assert half
    assert [(each.policy, each.sid) for each in half.denied_by] == [("bucket policy of lake", "Nobody")]
    assert half.bucket_policy == ()
    theirs = half_of(granted(), bucket(PARTNER, policy=policy("theirs", DENY)))
    assert theirs.denied_by
    assert theirs.bucket_policy  # There it takes both.
