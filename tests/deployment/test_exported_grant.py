"""A grant in a repository's language is what was approved, to the letter, and names its hash."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from sm_access.access import AccessRequest, Caller, Desk, Grant, Level, Rules, S3Target, Terms
from sm_access.access.canonical import sha256
from sm_access.access.planner import is_our_managed, is_ours
from sm_access.deployment.exported_grant import FORMATS, policy_name
from sm_access.stores import MemoryLedger

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/notebooks"


class Noon:
    def now(self) -> datetime:
        return datetime(2026, 11, 24, 12, tzinfo=timezone.utc)


@pytest.fixture
def approved() -> AccessRequest:
    owner = f"arn:aws:iam::{ACCOUNT}:role/owner"
    at = Desk(MemoryLedger(), Rules.from_dict({"reviewers": [owner]}), Noon())
    asking = Caller(f"arn:aws:sts::{ACCOUNT}:assumed-role/notebooks/SageMaker", ACCOUNT)
    terms = Terms(ROLE, S3Target("lake", 'a%{b} "c"/'), Level.READ, timedelta(days=1))
    asked = at.submit(asking, terms, '*/ } resource "x" {')
    return at.approve(asked.id, Caller(f"arn:aws:sts::{ACCOUNT}:assumed-role/owner/ann", ACCOUNT))


def statements_in(form: str, made: Any) -> Any:
    if form == "json":
        return made["policy"]["Statement"]
    if form == "terraform":
        (policy,) = made["resource"]["aws_iam_role_policy"].values()
        assert policy["role"] == "notebooks"
        return json.loads(policy["policy"].replace("%%{", "%{").replace("$${", "${"))["Statement"]
    (resource,) = made["Resources"].values()
    assert resource["Type"] == "AWS::IAM::RolePolicy"
    assert resource["Properties"]["RoleName"] == "notebooks"
    return resource["Properties"]["PolicyDocument"]["Statement"]


@pytest.mark.parametrize("form", FORMATS)
def test_what_was_approved_to_the_letter(form: str, approved: AccessRequest) -> None:
    grant = approved.grant
    assert isinstance(grant, Grant)
    text = json.dumps(FORMATS[form](approved, grant))
    found = statements_in(form, json.loads(text))
    assert sha256(tuple(found)) == grant.sha256
    assert grant.sha256 in text
    assert approved.reason not in text
    assert 'resource \\"x\\"' not in text
    evaluated = json.dumps(json.loads(text).get("resource"))  # A member `//` is a comment to Terraform.
    assert "%{b}" not in evaluated.replace("%%{b}", "")


def test_its_name_is_none_that_a_reconciler_takes_for_its_own(approved: AccessRequest) -> None:
    assert approved.grant is not None
    name = policy_name(approved.grant)
    assert not is_ours(name)
    assert not is_our_managed(ROLE, name)
    assert len(name) <= 128
