"""The law that grants rest on, asked of our own engine: what a role may do grows by what was asked for and no more."""

from __future__ import annotations

from datetime import datetime

import pytest
from doubles import ACCOUNT, KEY, ROLE, START, STEWARD, WEEK, allowed, approve, desk, session, submit
from hypothesis import given
from hypothesis import strategies as st

from sm_access.access import Grant, Level, S3Target, Terms, actions, checks, parse_duration, plan
from sm_access.access.instant import format_instant
from sm_access.errors import InvalidInput, InvalidS3Uri
from sm_access.policy import Decision, NamedPolicy, PolicySet, Request, authorize, parse_policy

SESSION = session("notebooks").arn
EVERYTHING = {"reviewers": [STEWARD.principal], "levels": [level.value for level in Level]}
PATHS = st.text(alphabet="ab/-.*?${}\n é\u0434", max_size=8)
S3_ACTIONS = sorted(
    {
        *(action for level in Level for action in actions(level)),
        "s3:GetObjectVersion",
        "s3:PutBucketPolicy",
        "s3:PutObjectAcl",
    }
)


def granted(path: str, level: Level, kms: bool = False) -> Grant:
    at = desk(rules=EVERYTHING)
    target = S3Target("lake", path)
    grant = approve(at, submit(at, str(target), level, key=KEY if kms else None)).grant
    assert grant is not None
    assert grant.target == target
    return grant


def decide(
    grant: Grant, action: str, resource: str, context: dict[str, str] | None = None, now: datetime = START
) -> Decision:
    documents = plan(ROLE, [grant], START).documents
    policies = tuple(
        NamedPolicy(name, parse_policy(document), "inline") for name, document in documents.items()
    )
    request = Request(
        principal=SESSION,
        action=action,
        resource=resource,
        resource_account=ACCOUNT,
        context={"aws:CurrentTime": format_instant(now), **(context or {})},
    )
    return authorize(PolicySet(identity=policies), request).decision


@given(path=PATHS, level=st.sampled_from(Level))
def test_all_that_was_asked_for_until_the_end(path: str, level: Level) -> None:
    try:
        grant = granted(path, level)
    except InvalidS3Uri:
        return
    for check in checks(grant.target, level):
        question = (check.action, check.resource_arn, dict(check.context))
        assert decide(grant, *question) is Decision.ALLOW
        assert decide(grant, *question, now=grant.ends_at) is Decision.IMPLICIT_DENY


@given(path=PATHS, key=PATHS.filter(bool), action=st.sampled_from(S3_ACTIONS), level=st.sampled_from(Level))
def test_and_nothing_else(path: str, key: str, action: str, level: Level) -> None:
    try:
        grant = granted(path, level)
    except InvalidS3Uri:
        return
    if action == "s3:ListBucket":
        expected = grant.target.is_bucket or key.startswith(f"{grant.target.stem}/")
        decision = decide(grant, action, "arn:aws:s3:::lake", {"s3:prefix": key})
    elif action == "s3:PutBucketPolicy":
        expected = False
        decision = decide(grant, action, "arn:aws:s3:::lake")
    else:
        expected = action in actions(level) and grant.target.covers_key(key)
        decision = decide(grant, action, f"arn:aws:s3:::lake/{key}")
    assert (decision is Decision.ALLOW) == expected


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("path", ["", "raw/", "raw/x.csv"])
@pytest.mark.parametrize("kms", [False, True])
def test_the_engine_and_the_plain_reading_agree(level: Level, path: str, kms: bool) -> None:
    grant = granted(path, level, kms)
    for check in (
        *checks(S3Target("lake", path), Level.WRITE, KEY),
        *checks(S3Target("lake"), Level.READ, KEY),
    ):
        for now in (START, START + WEEK):
            plain = allowed(grant.statements, check.action, check.resource_arn, check.context, now)
            if check.action.startswith("s3:"):
                decision = decide(grant, check.action, check.resource_arn, dict(check.context), now)
                assert (decision is Decision.ALLOW) == plain


def test_a_key_is_opened_through_s3_alone() -> None:
    grant = granted("raw/", Level.READ, kms=True)
    key_policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
    policies = tuple(
        NamedPolicy(name, parse_policy(document), "inline")
        for name, document in plan(ROLE, [grant], START).documents.items()
    )
    layers = PolicySet(
        identity=policies, resource=(NamedPolicy("key", parse_policy(key_policy), "resource"),)
    )

    def may(action: str, service: str, key: str = KEY, of: str = "arn:aws:s3:::lake") -> bool:
        context = {
            "aws:CurrentTime": format_instant(START),
            "kms:ViaService": service,
            "kms:EncryptionContext:aws:s3:arn": of,
        }
        request = Request(
            principal=SESSION, action=action, resource=key, resource_account=ACCOUNT, context=context
        )
        return authorize(layers, request).decision is Decision.ALLOW

    assert may("kms:Decrypt", "s3.eu-central-1.amazonaws.com")
    assert not may("kms:Decrypt", "ec2.eu-central-1.amazonaws.com")
    assert not may("kms:Decrypt", "s3.eu-west-1.amazonaws.com")
    assert not may("kms:GenerateDataKey", "s3.eu-central-1.amazonaws.com")
    assert not may("kms:Decrypt", "s3.eu-central-1.amazonaws.com", KEY[:-1] + "1")
    s3 = "s3.eu-central-1.amazonaws.com"
    assert may("kms:Decrypt", s3, of="arn:aws:s3:::lake/raw/x.csv")
    assert not may("kms:Decrypt", s3, of="arn:aws:s3:::lake/raw-secret/x.csv")
    assert not may("kms:Decrypt", s3, of="arn:aws:s3:::other")


@given(reason=st.text(max_size=30), person=st.none() | st.text(max_size=10))
def test_no_word_of_the_requester_reaches_a_policy(reason: str, person: str | None) -> None:
    at = desk(rules=EVERYTHING)
    target, week = S3Target("lake", "raw/"), parse_duration("7d")
    try:
        asked = at.submit(session("notebooks"), Terms(ROLE, target, Level.READ, week), reason, person)
    except InvalidInput:
        return
    grant = approve(at, asked).grant
    assert grant is not None
    assert grant.statements == granted("raw/", Level.READ).statements
