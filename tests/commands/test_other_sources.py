"""A notebook's role that may not read IAM, in the sandbox: what a snapshot, the simulation and real calls tell it.

The sandbox's simulator is the embedded one with AWS's answer (`sandbox/iam_answers.py`); the forms of AWS's own answers
are built from the SDK's service model, with botocore's Stubber, in `tests/aws/test_simulator.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sm_access.bootstrap import Services
from sm_access.commands.inspecting import can, permissions
from sm_access.commands.publishing import publish_snapshot
from sm_access.sandbox.world import Sandbox

Of = Callable[[str], Services]
ROLE = "acme-ds-notebooks"
NO_IAM = {"Effect": "Deny", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"}
SIMULATE = {"Effect": "Allow", "Action": "iam:SimulatePrincipalPolicy", "Resource": "*"}
DATA = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-lake/raw/*"}


@contextmanager
def policies(sandbox: Sandbox, *statements: dict[str, Any]) -> Iterator[None]:
    """While it lasts, the notebook's role has these statements as well."""
    iam = sandbox.root_session.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.put_role_policy(RoleName=ROLE, PolicyName="of-a-test", PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=ROLE, PolicyName="of-a-test")


@pytest.fixture
def blind(sandbox: Sandbox) -> Iterator[None]:
    """The role may read nothing of IAM, and may not simulate."""
    with policies(sandbox, NO_IAM):
        yield


@pytest.fixture
def simulating(sandbox: Sandbox) -> Iterator[None]:
    """The role may read nothing of IAM, and may simulate."""
    with policies(sandbox, NO_IAM, SIMULATE):
        yield


def with_snapshots(services: Services, place: Path, **changes: Any) -> Services:
    return Services(replace(services.settings, snapshot=str(place), **changes), session=services.aws.session)


def test_nothing_can_be_told_and_it_is_said_what_would_settle_it(services_of: Of, blind: None) -> None:
    found = can("list", "s3://acme-lake/public/", services=services_of("notebook"))
    assert found.exit_code == 3
    text = found.to_text()
    assert "no snapshot was published in this account" in text
    assert "needs iam:SimulatePrincipalPolicy" in text
    assert "sm-access can list s3://acme-lake/public/ --probe" in text
    assert "ListObjectsV2 of s3://acme-lake/public/ without its keys" in text
    assert found.to_dict()["asked_as_well"][1]["permission"] == "iam:SimulatePrincipalPolicy"


class TestSnapshot:
    @pytest.mark.parametrize(
        ("level", "place", "code"),
        [
            ("read", "s3://acme-lake/public/", 0),
            ("write", "s3://acme-models/", 0),
            ("read", "s3://acme-lake/raw/", 1),
            ("read", "s3://acme-vault/", 1),
            ("read", "s3://acme-hr/", 1),
        ],
    )
    def test_it_answers_as_the_policies_would(
        self, services_of: Of, tmp_path: Path, sandbox: Sandbox, level: str, place: str, code: int
    ) -> None:
        publish_snapshot(ROLE, to=str(tmp_path), services=services_of("admin"))
        notebook = with_snapshots(services_of("notebook"), tmp_path)
        assert can(level, place, services=notebook).exit_code == code
        with policies(sandbox, NO_IAM):
            found = can(level, place, services=notebook)
        assert found.exit_code == code
        if place not in {
            "s3://acme-hr/",
            "s3://acme-vault/",
        }:  # bucket and key close these, whatever the role has
            assert "as of the snapshot of just now" in found.to_text()
            assert "a snapshot of the role's policies that ada published" in found.to_text()
            (_, source) = found.to_dict()["sources"]
            assert source["source"] == "snapshot"

    def test_a_table_names_the_places_that_it_knows(
        self, services_of: Of, tmp_path: Path, sandbox: Sandbox
    ) -> None:
        publish_snapshot(ROLE, to=str(tmp_path), services=services_of("admin"))
        notebook = with_snapshots(services_of("notebook"), tmp_path)
        with policies(sandbox, NO_IAM):
            rows = {row["target"]: row for row in permissions(services=notebook).to_dict()["rows"]}
        assert rows["s3://acme-lake/public/"]["read"]["decision"] == "allow"
        assert rows["s3://acme-lake"]["read"]["decision"] == "implicit_deny"

    def test_too_old_is_no_answer(self, services_of: Of, tmp_path: Path, sandbox: Sandbox) -> None:
        publish_snapshot(ROLE, to=str(tmp_path), services=services_of("admin"))
        path = tmp_path / "111122223333" / f"{ROLE}.json"
        notebook = with_snapshots(services_of("notebook"), tmp_path, snapshot_max_age="1s")
        at = notebook.clock.now()
        notebook.clock.now = lambda: at.replace(year=2027)  # type: ignore[method-assign]
        with policies(sandbox, NO_IAM):
            found = can("list", "s3://acme-models/", services=notebook)
        assert path.exists()
        assert found.exit_code == 3
        assert "is too old to rely on; it says yes" in found.to_text()

    def test_one_that_was_changed_is_ignored_with_the_reason(
        self, services_of: Of, tmp_path: Path, sandbox: Sandbox
    ) -> None:
        publish_snapshot(ROLE, to=str(tmp_path), services=services_of("admin"))
        path = tmp_path / "111122223333" / f"{ROLE}.json"
        path.write_text(path.read_text("utf-8").replace('"s3:ListBucket"', '"s3:*"'), "utf-8")
        with policies(sandbox, NO_IAM):
            found = can(
                "read", "s3://acme-lake/raw/", services=with_snapshots(services_of("notebook"), tmp_path)
            )
        assert found.exit_code == 3
        assert "its hash is not that of its content" in found.to_text()


class TestSimulation:
    @pytest.mark.parametrize(
        ("what", "place", "code"),
        [
            ("list", "s3://acme-lake/public/", 0),
            ("read", "s3://acme-lake/public/countries.csv", 0),
            ("s3:GetObjectTagging", "s3://acme-models/churn/x.json", 1),
            ("list", "s3://acme-lake/raw/", 1),
            ("read", "s3://acme-lake/raw/customers.csv", 1),
            ("read", "s3://acme-models/", 3),
        ],
    )
    def test_it_settles_what_it_can(
        self, services_of: Of, simulating: None, what: str, place: str, code: int
    ) -> None:
        found = can(what, place, services=services_of("notebook"))
        assert found.exit_code == code
        assert "SimulatePrincipalPolicy" in found.to_text()
        if code == 0:
            assert found.to_text().startswith("✓") or "Yes, by AWS's own simulation" in found.to_text()
        if code == 3:
            assert "Likely, and not certain" in found.to_text()
            assert "a part of s3://acme-models" in found.to_dict()["reason"]

    def test_the_boundary_counts(self, services_of: Of, sandbox: Sandbox) -> None:
        """Allowed by a policy, not by the boundary: the embedded simulator knows both, as AWS's does."""
        iam = sandbox.root_session.client("iam")
        narrow = {
            "Version": "2012-10-17",
            "Statement": [{**SIMULATE, "Action": ["iam:Simulate*", "s3:ListAll*", "s3:Get*"]}],
        }
        made = iam.create_policy(PolicyName="narrow", PolicyDocument=json.dumps(narrow))["Policy"]["Arn"]
        iam.put_role_permissions_boundary(RoleName=ROLE, PermissionsBoundary=made)
        try:
            with policies(sandbox, NO_IAM, SIMULATE, DATA):
                found = can("list", "s3://acme-models/", services=services_of("notebook"))
                other = can(
                    "s3:GetObject", "s3://acme-lake/raw/customers.csv", services=services_of("notebook")
                )
        finally:
            iam.put_role_permissions_boundary(
                RoleName=ROLE, PermissionsBoundary="arn:aws:iam::111122223333:policy/acme-boundary"
            )
            iam.delete_policy(PolicyArn=made)
        assert found.exit_code == 1
        assert other.to_dict()["checks"][0]["decision"] == "allow"


class TestProbe:
    @pytest.mark.parametrize(
        ("level", "place", "code"),
        [
            ("list", "s3://acme-lake/public/", 0),
            ("read", "s3://acme-lake/public/countries.csv", 0),
            ("list", "s3://acme-lake/raw/", 1),
            ("read", "s3://acme-lake/raw/", 1),
            ("read", "s3://acme-lake/raw/customers.csv", 3),
            ("read", "s3://acme-lake/public/", 3),
            ("write", "s3://acme-models/churn/x", 3),
        ],
    )
    def test_what_s3_says(self, services_of: Of, blind: None, level: str, place: str, code: int) -> None:
        found = can(level, place, probe=True, services=services_of("notebook"))
        assert found.exit_code == code
        if level == "write":
            assert found.to_dict()["tried"] == [] or all(
                each["call"] == "ListObjectsV2" for each in found.to_dict()["tried"]
            )
        else:
            assert found.to_dict()["tried"]
        if place == "s3://acme-lake/public/" and level == "read":
            assert "which shows nothing of what was not tried" in found.to_dict()["reason"]
            assert found.to_dict()["tried"][-1]["on"] == "s3://acme-lake/public/README.txt"
        if code == 1:
            assert "when tried just now" in found.to_text()
            assert "S3 refused" in found.to_text()

    def test_nothing_is_tried_where_policies_answer(self, services_of: Of) -> None:
        found = can("read", "s3://acme-lake/raw/", probe=True, services=services_of("notebook"))
        assert found.exit_code == 1
        assert found.to_dict()["tried"] == []

    def test_a_table_can_be_tried_too(self, services_of: Of, blind: None) -> None:
        found = permissions(
            "s3://acme-lake/public/", "s3://acme-lake/raw/", probe=True, services=services_of("notebook")
        )
        decisions = {row["target"]: row["list"]["decision"] for row in found.to_dict()["rows"]}
        assert decisions == {"s3://acme-lake/public/": "allow", "s3://acme-lake/raw/": "implicit_deny"}
