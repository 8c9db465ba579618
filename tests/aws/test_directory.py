"""What the rules of review are told about people and buckets, asked of the embedded AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sm_access.access.caller import Caller
from sm_access.aws.directory import AwsDirectory
from sm_access.aws.session import Aws
from sm_access.sandbox.world import Sandbox

ACCOUNT = "111122223333"
TEAM = f"arn:aws:iam::{ACCOUNT}:role/acme-ds-notebooks"
OWNER = Caller(f"arn:aws:sts::{ACCOUNT}:assumed-role/acme-data-owner/dana", ACCOUNT)


@pytest.fixture
def directory(sandbox: Sandbox) -> AwsDirectory:
    return AwsDirectory(Aws(sandbox.session("admin")))


@contextmanager
def policy_on(sandbox: Sandbox, role: str, *statements: dict[str, Any]) -> Iterator[None]:
    iam = sandbox.root_session.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.put_role_policy(RoleName=role, PolicyName="for-the-test", PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="for-the-test")


def test_a_user_is_in_groups_and_a_role_in_none(directory: AwsDirectory) -> None:
    user = Caller(f"arn:aws:iam::{ACCOUNT}:user/analyst-1", ACCOUNT)
    assert directory.facts(user, [TEAM], "acme-lake", "").groups == frozenset({"Analysts"})
    assert directory.facts(user, [TEAM], "acme-lake", "").reachable is False
    assert directory.facts(OWNER, [TEAM], "acme-lake", "").groups == frozenset()


def test_the_owner_s_tag(sandbox: Sandbox, directory: AwsDirectory) -> None:
    s3 = sandbox.root_session.client("s3")
    assert directory.facts(OWNER, [TEAM], "acme-models", "data-owner").owner == ""
    tags = [{"Key": "data-owner", "Value": OWNER.principal}, {"Key": "x", "Value": "y"}]
    s3.put_bucket_tagging(Bucket="acme-models", Tagging={"TagSet": tags})
    try:
        again = AwsDirectory(Aws(sandbox.session("admin")))
        assert again.facts(OWNER, [TEAM], "acme-models", "data-owner").owner == OWNER.principal
        assert again.facts(OWNER, [TEAM], "acme-models", "other").owner == ""
        assert again.facts(OWNER, [TEAM], "acme-models", "").owner is None
    finally:
        s3.delete_bucket_tagging(Bucket="acme-models")


def test_what_may_not_be_read_is_not_known(sandbox: Sandbox) -> None:
    blind = AwsDirectory(Aws(sandbox.session("analyst-1")))
    user = Caller(f"arn:aws:iam::{ACCOUNT}:user/engineer-1", ACCOUNT)
    found = blind.facts(user, [TEAM], "acme-hr", "data-owner")
    assert (found.groups, found.owner) == (None, None)
    unread = blind.facts(OWNER, [TEAM], "acme-hr", "")
    assert unread.reachable is False
    assert OWNER.principal in unread.unread


def test_who_may_become_the_reviewer(sandbox: Sandbox, directory: AwsDirectory) -> None:
    """The reviewer's role trusts the account; so whether the team's role may assume it is up to its own policies."""
    assert directory.facts(OWNER, [TEAM], "acme-lake", "").reachable is False
    allow = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    with policy_on(sandbox, "acme-ds-notebooks", allow, {**allow, "Effect": "Deny"}):
        assert (
            AwsDirectory(Aws(sandbox.session("admin"))).facts(OWNER, [TEAM], "acme-lake", "").reachable
            is False
        )
    with policy_on(sandbox, "legacy-notebook-role", allow):
        legacy = f"arn:aws:iam::{ACCOUNT}:role/legacy-notebook-role"
        assert (
            AwsDirectory(Aws(sandbox.session("admin"))).facts(OWNER, [legacy], "acme-lake", "").reachable
            is True
        )
    asked = {**allow, "Condition": {"StringEquals": {"sts:ExternalId": "open sesame"}}}
    with policy_on(sandbox, "legacy-notebook-role", asked):
        assert (
            AwsDirectory(Aws(sandbox.session("admin"))).facts(OWNER, [legacy], "acme-lake", "").reachable
            is True
        )
