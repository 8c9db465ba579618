"""What an admin publishes is what a notebook finds: with the sandbox's S3 and IAM, and files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import sm_access
from sm_access.aws.account import collect_account, read_role
from sm_access.aws.notebook_roles import collect_notebook_roles
from sm_access.aws.session import Aws
from sm_access.aws.snapshot import PARAMETER
from sm_access.bootstrap import Services
from sm_access.commands.publishing import publish_snapshot, show_snapshot
from sm_access.errors import AccessDenied, CannotTell, InvalidInput, InvalidSetting, UnusableSnapshot
from sm_access.policy import Arn
from sm_access.sandbox.world import Sandbox

Of = Callable[[str], Services]
ACCOUNT = "111122223333"
NOTEBOOK = "acme-ds-notebooks"


@pytest.fixture
def place(sandbox: Sandbox) -> Iterator[str]:
    """A bucket for snapshots that notebooks may read, and afterwards nothing of it."""
    s3, ssm = sandbox.root_session.client("s3"), sandbox.root_session.client("ssm")
    s3.create_bucket(Bucket="acme-snapshots")
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{NOTEBOOK}"},
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::acme-snapshots/*",
            }
        ],
    }
    s3.put_bucket_policy(Bucket="acme-snapshots", Policy=json.dumps(policy))
    yield "s3://acme-snapshots/of-roles"
    for found in s3.list_objects_v2(Bucket="acme-snapshots").get("Contents", ()):
        s3.delete_object(Bucket="acme-snapshots", Key=found["Key"])
    s3.delete_bucket(Bucket="acme-snapshots")
    for parameter in ssm.describe_parameters()["Parameters"]:
        ssm.delete_parameter(Name=parameter["Name"])


def settled(services: Services, **changes: Any) -> Services:
    return Services(replace(services.settings, **changes), session=services.aws.session)


def test_what_was_published_for_the_account_is_found_by_the_notebook(services_of: Of, place: str) -> None:
    done = sm_access.publish_snapshot(to=place, services=services_of("admin"))
    assert done
    roles = {row["role"] for row in done.to_dict()["published"]}
    assert roles == {f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in (NOTEBOOK, "legacy-notebook-role")}
    assert done.to_dict()["announced"] == PARAMETER
    assert "acme-snapshots/of-roles/111122223333/acme-ds-notebooks.json" in done.to_text()
    shown = show_snapshot(services=services_of("notebook"))
    assert shown
    assert shown.to_dict()["published_by"].endswith("assumed-role/acme-platform-admin/ada")
    names = {(policy["name"], policy["kind"]) for policy in shown.to_dict()["policies"]}
    assert names >= {
        ("AmazonSageMakerReadOnly", "aws-managed"),
        ("team-data", "customer-managed"),
        ("notebook-basics", "inline"),
        ("acme-boundary", "boundary"),
    }
    assert "ada" in shown.to_text()
    assert "<" not in shown.to_text()
    again = publish_snapshot(NOTEBOOK, services=services_of("admin"))  # where the parameter says
    assert [row["role"] for row in again.to_dict()["published"]] == [
        f"arn:aws:iam::{ACCOUNT}:role/{NOTEBOOK}"
    ]


def test_a_dry_run_writes_nothing(services_of: Of, place: str, sandbox: Sandbox) -> None:
    shown = publish_snapshot(NOTEBOOK, to=place, dry_run=True, services=services_of("admin"))
    assert shown
    assert "Would publish" in shown.to_text()
    assert "Contents" not in sandbox.root_session.client("s3").list_objects_v2(Bucket="acme-snapshots")
    with pytest.raises(UnusableSnapshot, match="No snapshot was published in this account"):
        show_snapshot(services=services_of("notebook"))


def test_a_directory_will_do(services_of: Of, tmp_path: Path) -> None:
    assert publish_snapshot(NOTEBOOK, to=str(tmp_path / "shared"), services=services_of("admin"))
    notebook = settled(services_of("notebook"), snapshot=str(tmp_path / "shared"))
    assert show_snapshot(services=notebook).to_dict()["usable"]
    path = tmp_path / "shared" / ACCOUNT / f"{NOTEBOOK}.json"
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(path.parent.iterdir()) == [path]
    text = path.read_text(encoding="utf-8")
    assert "ASIA" not in text
    old = settled(notebook, snapshot_max_age="1s")
    path.write_text(text.replace("x", "y"), encoding="utf-8")
    with pytest.raises(UnusableSnapshot, match="hash"):
        show_snapshot(services=old)


def test_one_that_is_too_old_says_so(
    services_of: Of, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert publish_snapshot(NOTEBOOK, to=str(tmp_path), services=services_of("admin"))
    notebook = settled(services_of("notebook"), snapshot=str(tmp_path), snapshot_max_age="1s")
    later = notebook.clock.now().replace(year=2031)
    monkeypatch.setattr(notebook.clock, "now", lambda: later)
    shown = show_snapshot(services=notebook)
    assert not shown.to_dict()["usable"]
    assert "Too old" in shown.to_text()


def test_roles_that_are_none_are_named_and_the_others_published(services_of: Of, tmp_path: Path) -> None:
    found = publish_snapshot(NOTEBOOK, "nobody", to=str(tmp_path), services=services_of("admin"))
    assert found.exit_code == 1
    assert "There is no role named nobody" in found.to_text()
    assert (tmp_path / ACCOUNT / f"{NOTEBOOK}.json").exists()


@pytest.mark.parametrize("role", ["arn:aws:iam::444455556666:role/x", f"arn:aws:iam::{ACCOUNT}:user/x"])
def test_only_roles_of_the_account(services_of: Of, tmp_path: Path, role: str) -> None:
    with pytest.raises(InvalidInput, match="is not a role of account"):
        publish_snapshot(role, to=str(tmp_path), services=services_of("admin"))


def test_it_must_be_said_where(services_of: Of) -> None:
    with pytest.raises(InvalidInput, match="not said where"):
        publish_snapshot(NOTEBOOK, services=services_of("admin"))
    with pytest.raises(InvalidSetting, match="neither s3://"):
        publish_snapshot(NOTEBOOK, to="https://example.com/x", services=services_of("admin"))


def test_somebody_who_may_not_write_there_publishes_nothing(services_of: Of, place: str) -> None:
    found = publish_snapshot(NOTEBOOK, to=place, services=services_of("notebook"))
    assert found.exit_code == 1
    assert found.to_dict()["announced"] is None


def test_somebody_who_may_read_one_role_alone_publishes_that(services_of: Of, tmp_path: Path) -> None:
    """The notebook's own role may read itself, and not the details of the whole account."""
    with pytest.raises(AccessDenied):
        collect_account(services_of("notebook").aws, ACCOUNT)
    found = publish_snapshot(
        NOTEBOOK, "legacy-notebook-role", to=str(tmp_path), services=services_of("notebook")
    )
    by_role = {row["role"].rsplit("/", 1)[-1]: row for row in found.to_dict()["published"]}
    assert by_role["legacy-notebook-role"]["problem"]
    assert set(by_role[NOTEBOOK]["policies"]) >= {
        "AmazonSageMakerReadOnly",
        "notebook-basics",
        "team-data",
    }


def test_one_by_one_and_all_at_once_read_the_same(sandbox: Sandbox) -> None:
    aws = Aws(sandbox.session("admin"))
    everybody = {holder.name: holder for holder in collect_account(aws, ACCOUNT).holders}
    for name in (NOTEBOOK, "legacy-notebook-role", "acme-platform-admin"):
        alone = read_role(aws, name)
        assert {policy.name: policy for policy in alone.policies} == {
            policy.name: replace(policy, permission="") for policy in everybody[name].policies
        }
        assert (alone.boundary is None) == (everybody[name].boundary is None)
        assert (alone.arn, alone.id) == (everybody[name].arn, everybody[name].id)
    assert everybody["engineer-1"].groups == ("ML_Engineers",)
    with pytest.raises(CannotTell, match="no role named nobody"):
        read_role(aws, "nobody")


@pytest.mark.parametrize(
    "value",
    ["/var/tmp/x", "s3://UPPER", "s3://x", "nonsense"],  # noqa: S108 - a value that is refused
)
def test_a_parameter_that_names_no_place_is_refused(sandbox: Sandbox, services_of: Of, value: str) -> None:
    ssm = sandbox.root_session.client("ssm")
    ssm.put_parameter(Name=PARAMETER, Value=value, Type="String")
    try:
        with pytest.raises((UnusableSnapshot, InvalidSetting)):
            show_snapshot(services=services_of("notebook"))
    finally:
        ssm.delete_parameter(Name=PARAMETER)


def test_a_bucket_of_somebody_else_is_not_believed(sandbox: Sandbox, services_of: Of) -> None:
    """The name of a bucket that is gone can be taken by anybody."""
    notebook = settled(services_of("notebook"), snapshot="s3://partner-exchange/snapshots")
    with pytest.raises(UnusableSnapshot, match="may not be read"):
        show_snapshot(services=notebook)


def test_the_roles_that_sagemaker_works_on(sandbox: Sandbox) -> None:
    found = collect_notebook_roles(Aws(sandbox.session("admin")))
    assert {Arn.parse(role).name: sorted(used) for role, used in found.used_by.items()} == {
        NOTEBOOK: ["notebook nb-churn", "notebook nb-forecast", "notebook nb-vision"],
        "legacy-notebook-role": ["notebook nb-legacy"],
    }
    assert found.unread == []
    assert found.on(f"arn:aws:iam::{ACCOUNT}:role/service-role/legacy-notebook-role") == (
        "notebook nb-legacy",
    )


def test_what_sagemaker_does_not_tell_is_named(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A domain whose profiles the stand-in cannot list: what was told before stays."""
    aws = Aws(sandbox.session("admin"))
    sagemaker = aws.client("sagemaker")
    real = sagemaker.get_paginator

    class Domains:
        def paginate(self) -> Iterator[dict[str, Any]]:
            yield {"Domains": [{"DomainId": "d-1"}]}

    monkeypatch.setattr(
        sagemaker, "get_paginator", lambda name: Domains() if name == "list_domains" else real(name)
    )
    monkeypatch.setattr(
        sagemaker,
        "describe_domain",
        lambda DomainId: {  # noqa: N803 - boto3's
            "DomainName": "studio",
            "DefaultUserSettings": {"ExecutionRole": f"arn:aws:iam::{ACCOUNT}:role/studio"},
        },
    )
    found = collect_notebook_roles(aws)
    assert found.used_by[f"arn:aws:iam::{ACCOUNT}:role/studio"] == ["domain studio"]
    assert [item.permission for item in found.unread] == ["sagemaker:ListDomains"]
