"""The differences from AWS that can be tried, tried: one that an update has closed must leave the table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError

from sm_access.sandbox import Sandbox, company
from sm_access.sandbox.limits import LIMITS

PROBE = {"Bucket": "acme-lake", "Key": "raw/customers.csv"}


def listed(words: str) -> None:
    assert any(words in limit.what for limit in LIMITS), f"no row of the table is about {words!r}"


@pytest.fixture
def allowed(sandbox: Sandbox) -> Iterator[Callable[..., bool]]:
    """A function: with this one statement more on the team's role, can the notebook read the probe?"""
    iam, s3 = sandbox.root_session.client("iam"), sandbox.session("notebook").client("s3")
    name = {"RoleName": company.NOTEBOOK_ROLE, "PolicyName": "of-a-test"}

    def ask(condition: dict[str, Any] | None = None, on: str = "arn:aws:s3:::acme-lake/raw/*") -> bool:
        statement = company.allow("Test", "s3:GetObject", on, condition)
        iam.put_role_policy(**name, PolicyDocument=json.dumps(company.document(statement)))
        try:
            s3.get_object(**PROBE)
        except s3.exceptions.ClientError as error:
            return bool(error.response["Error"]["Code"] != "AccessDenied")
        return True

    yield ask
    iam.delete_role_policy(**name)


def test_moto_enforces_nothing(sandbox: Sandbox) -> None:
    listed("every service except S3")
    found = sandbox.session("analyst-1").client("sagemaker").list_notebook_instances()["NotebookInstances"]
    assert len(found) == len(company.NOTEBOOKS)


def test_variables_are_not_filled_in(sandbox: Sandbox, allowed: Callable[..., bool]) -> None:
    listed("policy variables")
    assert allowed()
    assert not allowed(on="arn:aws:s3:::acme-lake/raw/${aws:PrincipalTag/none, 'customers'}.csv")


@pytest.mark.parametrize(
    ("words", "condition"),
    [
        ("aws:SecureTransport", {"Bool": {"aws:SecureTransport": "true"}}),
        ("aws:UserAgent", {"StringLike": {"aws:UserAgent": "*"}}),
        ("aws:ViaAWSService", {"Bool": {"aws:ViaAWSService": "false"}}),
    ],
)
def test_keys_that_are_not_as_on_aws(
    words: str, condition: dict[str, Any], allowed: Callable[..., bool]
) -> None:
    listed(words)
    assert not allowed(condition)


def test_source_identity_is_dropped(sandbox: Sandbox) -> None:
    listed("SourceIdentity")
    answer = sandbox.root_session.client("sts").assume_role(
        RoleArn=company.role_arn(company.NOTEBOOK_ROLE), RoleSessionName="test", SourceIdentity="ada"
    )
    assert "SourceIdentity" not in answer


def test_session_length_is_not_checked(sandbox: Sandbox) -> None:
    listed("longest session")
    assert sandbox.root_session.client("sts").assume_role(
        RoleArn=company.role_arn(company.NOTEBOOK_ROLE), RoleSessionName="test", DurationSeconds=43200
    )


def test_not_principal_matches_nobody(sandbox: Sandbox) -> None:
    listed("NotPrincipal")
    s3 = sandbox.root_session.client("s3")
    statement = {
        "Effect": "Deny",
        "NotPrincipal": {"AWS": company.role_arn(company.APPROVER_ROLE)},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::acme-models/*",
    }
    s3.put_bucket_policy(Bucket="acme-models", Policy=json.dumps(company.document(statement)))
    try:
        sandbox.session("notebook").client("s3").get_object(Bucket="acme-models", Key="vision/labels.json")
    finally:
        s3.delete_bucket_policy(Bucket="acme-models")


def test_root_needs_no_signature(sandbox: Sandbox) -> None:
    listed("access key `test`")
    s3 = sandbox.root_session.client("s3", aws_access_key_id="test", aws_secret_access_key="whatever")
    assert s3.get_object(Bucket="acme-vault", Key="keys/index.json")["ContentLength"]


def test_quotas_and_characters_are_not_checked(sandbox: Sandbox) -> None:
    listed("IAM's quotas")
    listed("characters outside")
    iam = sandbox.root_session.client("iam")
    name = {"RoleName": company.LEGACY_ROLE, "PolicyName": "of-a-test"}
    many = [f"arn:aws:s3:::acme-none/{'x' * 100}{number}" for number in range(100)]
    wide = company.document(
        company.allow("Wide", "s3:GetObject", [*many, "arn:aws:s3:::acme-none/\u65e5\u672c"])
    )
    try:
        iam.put_role_policy(**name, PolicyDocument=json.dumps(wide))
    finally:
        iam.delete_role_policy(**name)


def test_what_moto_lacks_is_an_html_500(sandbox: Sandbox) -> None:
    listed("calls that moto lacks")
    once = Config(retries={"total_max_attempts": 1})
    analyzer = sandbox.session("admin").client("accessanalyzer", config=once)
    with pytest.raises(ClientError) as caught:
        analyzer.list_analyzers()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert "<html" in str(caught.value)


def test_s3_control_cannot_be_reached(sandbox: Sandbox) -> None:
    listed("S3 Control")
    once = Config(retries={"total_max_attempts": 1})
    with pytest.raises(EndpointConnectionError):
        sandbox.session("admin").client("s3control", config=once).list_access_grants(
            AccountId=company.ACCOUNT
        )
