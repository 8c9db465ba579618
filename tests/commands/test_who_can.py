"""Who may do this there, in the sandbox: its roles, groups and users, and what it says for each is what each finds."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import sm_access
from sm_access.bootstrap import Services
from sm_access.commands.who import who_can
from sm_access.errors import AccessDenied
from sm_access.sandbox.world import Sandbox

Of = Callable[[str], Services]
SESSIONS = {
    "acme-ds-notebooks": "notebook",
    "acme-data-owner": "approver",
    "acme-platform-admin": "admin",
    "legacy-notebook-role": "legacy",
}


def answers(services: Services, what: str, where: str) -> dict[str, str]:
    found = sm_access.who_can(what, where, services=services)
    assert found
    return {row["name"]: row["answer"] for row in found.to_dict()["principals"]}


@pytest.mark.parametrize(
    ("what", "where"),
    [
        ("read", "s3://acme-lake/raw/"),
        ("list", "s3://acme-lake/public/"),
        ("read", "s3://acme-vault/"),
        ("read", "s3://acme-hr/"),
    ],
)
def test_each_role_would_be_told_the_same(services_of: Of, what: str, where: str) -> None:
    found = answers(services_of("admin"), what, where)
    for role, name in SESSIONS.items():
        own = sm_access.can(what, where, services=services_of(name))
        if own.exit_code != 3:  # it may read less than the admin
            assert (found[role] == "yes") is bool(own), role


def test_groups_users_and_parts(services_of: Of) -> None:
    found = answers(services_of("admin"), "read", "s3://acme-lake/")
    assert found["Analysts"] == found["analyst-1"] == "in part"
    assert found["ML_Engineers"] == found["engineer-1"] == "no"
    assert found["ML_Admins"] == found["admin-1"] == "yes"


def test_a_key_that_is_closed_is_no(services_of: Of) -> None:
    found = answers(services_of("admin"), "read", "s3://acme-vault/")
    assert {name for name, answer in found.items() if answer != "no"} == {
        "acme-data-owner",
        "acme-platform-admin",
    }


def test_it_reads_well(services_of: Of) -> None:
    shown = who_can("read", "s3://acme-lake/", services=services_of("admin"))
    text = shown.to_text()
    assert "3 roles, 1 user and 1 group may read s3://acme-lake in account 111122223333." in text
    assert "notebook nb-churn, notebook nb-forecast, notebook nb-vision" in text
    assert "Statement ReadData of data-owner (inline)" in text
    assert "Statement ReadCurated of analysts (inline) allows s3:GetObject on some of it" in text
    assert "`--all` lists them" in text
    assert "engineer-1" not in text
    assert (
        "engineer-1"
        in who_can("read", "s3://acme-lake/", everybody=True, services=services_of("admin")).to_text()
    )
    assert "<table" in shown.to_html()


def test_a_grant_is_told_with_its_end(services_of: Of, sandbox: Sandbox) -> None:
    asked = sm_access.request_access(
        "s3://acme-lake/raw/", "read", duration="1h", why="churn", services=services_of("notebook")
    )
    id = str(asked.to_dict()["id"])
    assert sm_access.approve(id, services=services_of("approver"))
    try:
        found = who_can("read", "s3://acme-lake/raw/", services=services_of("admin"))
        row = next(row for row in found.records() if row["name"] == "acme-ds-notebooks")
        assert row["answer"] == "yes"
        assert row["grant_until"]
        assert "a grant of sm_access ends" in found.to_text()
    finally:
        sm_access.revoke(id, services=services_of("approver"))


def test_a_grant_to_another_account_is_named(services_of: Of, sandbox: Sandbox) -> None:
    s3 = sandbox.root_session.client("s3")
    lets_in = {
        "Sid": "Partner",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::acme-models/*",
    }
    s3.put_bucket_policy(
        Bucket="acme-models", Policy=json.dumps({"Version": "2012-10-17", "Statement": [lets_in]})
    )
    try:
        found = who_can("read", "s3://acme-models/", services=services_of("admin"))
    finally:
        s3.delete_bucket_policy(Bucket="acme-models")
    assert found.to_dict()["named_by_resource_policy"] == [
        {
            "principal": "arn:aws:iam::444455556666:root",
            "policy": "bucket policy of acme-models",
            "sid": "Partner",
        }
    ]
    assert "cannot be told from here" in " ".join(found.to_text().split())


@pytest.fixture
def without_details(sandbox: Sandbox) -> Iterator[None]:
    """The admin's role may read roles, and not the details of the whole account."""
    iam = sandbox.root_session.client("iam")
    deny = {"Effect": "Deny", "Action": "iam:GetAccountAuthorizationDetails", "Resource": "*"}
    iam.put_role_policy(
        RoleName="acme-platform-admin",
        PolicyName="not-now",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
    )
    yield
    iam.delete_role_policy(RoleName="acme-platform-admin", PolicyName="not-now")


def test_without_the_details_roles_are_read_one_by_one(services_of: Of, without_details: None) -> None:
    found = who_can("read", "s3://acme-lake/raw/", services=services_of("admin"))
    assert {row["kind"] for row in found.records()} == {"role"}
    assert {
        "what": "users and groups",
        "permission": "iam:GetAccountAuthorizationDetails",
    } in found.to_dict()["not_read"]
    assert "users and groups (needs iam:GetAccountAuthorizationDetails)" in " ".join(found.to_text().split())


def test_who_may_read_nobody_is_told_what_it_needs(services_of: Of) -> None:
    with pytest.raises(AccessDenied, match="iam:GetAccountAuthorizationDetails"):
        who_can("read", "s3://acme-lake/raw/", services=services_of("notebook"))


def test_as_a_file(enter: Callable[[str], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from sm_access.cli.main import main

    enter("admin")
    file = tmp_path / "who.csv"
    assert main(["who", "can", "read", "s3://acme-lake/raw/", "--csv", str(file)]) == 0
    assert "13 principals" in capsys.readouterr().out
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
    assert {row["name"]: row["answer"] for row in rows}["legacy-notebook-role"] == "yes"
    assert main(["who", "can", "read", "s3://acme-lake/raw/", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["account"] == "111122223333"
