"""Each fact of the seeded company, tried with real calls: who may do what, and what the denial says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sm_access.sandbox import Sandbox, company

ALLOWED = "allowed"
NO_IDENTITY = "because no identity-based policy allows the {} action"
NO_BOUNDARY = "because no permissions boundary allows the {} action"
NO_RESOURCE = "because no resource-based policy allows the {} action"
DENIED_BY_BOUNDARY = "with an explicit deny in a permissions boundary"
DENIED_BY_RESOURCE = "with an explicit deny in a resource-based policy"
BARE = "Access Denied"


def read(sandbox: Sandbox, who: str, bucket: str, key: str) -> Any:
    return sandbox.session(who).client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


def listing(sandbox: Sandbox, who: str, bucket: str, prefix: str) -> Any:
    return sandbox.session(who).client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["KeyCount"]


def write(sandbox: Sandbox, who: str, bucket: str, key: str) -> Any:
    return sandbox.session(who).client("s3").put_object(Bucket=bucket, Key=key, Body=b"written by a test")


def outcome(call: Callable[[], Any]) -> str:
    """ALLOWED, or the message of the denial."""
    try:
        call()
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (400, 403):
            raise
        return str(error.response["Error"]["Message"])
    return ALLOWED


READS = [
    ("notebook", "acme-lake", "public/countries.csv", ALLOWED),
    ("notebook", "acme-lake", "raw/customers.csv", NO_IDENTITY.format("s3:GetObject")),
    ("notebook", "acme-lake", "raw-secret/salaries.csv", NO_IDENTITY.format("s3:GetObject")),
    ("notebook", "acme-lake", "curated/churn.csv", NO_IDENTITY.format("s3:GetObject")),
    ("notebook", "acme-models", "vision/labels.json", ALLOWED),
    ("notebook", "acme-vault", "contracts/2026.csv", NO_RESOURCE.format("kms:Decrypt")),
    ("notebook", "acme-hr", "people.csv", DENIED_BY_RESOURCE),
    ("notebook", "partner-exchange", "outbox/prices.csv", BARE),
    ("approver", "acme-lake", "raw/customers.csv", ALLOWED),
    ("approver", "acme-vault", "contracts/2026.csv", ALLOWED),
    ("admin", "acme-vault", "contracts/2026.csv", ALLOWED),
    ("admin", "acme-hr", "people.csv", ALLOWED),
    ("legacy", "acme-lake", "raw-secret/salaries.csv", ALLOWED),
    ("legacy", "acme-vault", "contracts/2026.csv", NO_IDENTITY.format("kms:Decrypt")),
    ("engineer-1", "acme-models", "vision/labels.json", ALLOWED),
    ("engineer-2", "acme-lake", "raw/customers.csv", NO_IDENTITY.format("s3:GetObject")),
    ("analyst-1", "acme-lake", "curated/churn.csv", ALLOWED),
    ("analyst-2", "acme-models", "vision/labels.json", NO_IDENTITY.format("s3:GetObject")),
    ("admin-1", "acme-lake", "raw/customers.csv", ALLOWED),
]


@pytest.mark.parametrize(("who", "bucket", "key", "expected"), READS)
def test_reading(sandbox: Sandbox, who: str, bucket: str, key: str, expected: str) -> None:
    assert outcome(lambda: read(sandbox, who, bucket, key)).endswith(expected)


@pytest.mark.parametrize(
    ("who", "bucket", "prefix", "expected"),
    [
        ("notebook", "acme-lake", "public/", ALLOWED),
        ("notebook", "acme-lake", "raw/", NO_IDENTITY.format("s3:ListBucket")),
        ("notebook", "acme-lake", "", NO_IDENTITY.format("s3:ListBucket")),
        ("notebook", "acme-vault", "", ALLOWED),
        ("notebook", "acme-hr", "", DENIED_BY_RESOURCE),
        ("analyst-1", "acme-lake", "curated/", ALLOWED),
        ("analyst-1", "acme-lake", "public/", NO_IDENTITY.format("s3:ListBucket")),
    ],
)
def test_listing(sandbox: Sandbox, who: str, bucket: str, prefix: str, expected: str) -> None:
    assert outcome(lambda: listing(sandbox, who, bucket, prefix)).endswith(expected)


@pytest.mark.parametrize(
    ("who", "bucket", "expected"),
    [
        ("notebook", "acme-models", ALLOWED),
        ("notebook", "acme-lake", NO_IDENTITY.format("s3:PutObject")),
        ("approver", "acme-vault", NO_IDENTITY.format("s3:PutObject")),
        ("legacy", "acme-vault", NO_IDENTITY.format("kms:GenerateDataKey")),
        ("admin", "acme-vault", ALLOWED),
    ],
)
def test_writing(sandbox: Sandbox, who: str, bucket: str, expected: str) -> None:
    assert outcome(lambda: write(sandbox, who, bucket, "test/written.txt")).endswith(expected)


def test_deleting_a_model_is_not_part_of_writing_one(sandbox: Sandbox) -> None:
    s3 = sandbox.session("notebook").client("s3")
    message = outcome(lambda: s3.delete_object(Bucket="acme-models", Key="vision/labels.json"))
    assert message.endswith(NO_IDENTITY.format("s3:DeleteObject"))


def test_the_boundary_stops_what_an_inline_policy_allows(sandbox: Sandbox) -> None:
    table = sandbox.session("notebook").client("dynamodb")
    message = outcome(lambda: table.get_item(TableName="acme-features", Key={"id": {"S": "1"}}))
    assert message.endswith(NO_BOUNDARY.format("dynamodb:GetItem"))


def test_nobody_on_the_team_writes_iam(sandbox: Sandbox) -> None:
    iam = sandbox.session("notebook").client("iam")
    document = json.dumps(company.document(company.allow("All", "*", "*")))
    message = outcome(
        lambda: iam.put_role_policy(RoleName=company.NOTEBOOK_ROLE, PolicyName="x", PolicyDocument=document)
    )
    assert message.endswith(DENIED_BY_BOUNDARY)
    assert "on resource: role acme-ds-notebooks" in message


def test_the_engine_can_read_all_that_decides_for_the_team(sandbox: Sandbox) -> None:
    session = sandbox.session("notebook")
    iam, s3, kms = session.client("iam"), session.client("s3"), session.client("kms")
    role = iam.get_role(RoleName=company.NOTEBOOK_ROLE)["Role"]
    attached = iam.list_attached_role_policies(RoleName=company.NOTEBOOK_ROLE)["AttachedPolicies"]
    for arn in [
        role["PermissionsBoundary"]["PermissionsBoundaryArn"],
        *(one["PolicyArn"] for one in attached),
    ]:
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        assert iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"][
            "Statement"
        ]
    assert iam.list_role_policies(RoleName=company.NOTEBOOK_ROLE)["PolicyNames"] == ["notebook-basics"]
    inline = iam.get_role_policy(RoleName=company.NOTEBOOK_ROLE, PolicyName="notebook-basics")
    assert inline["PolicyDocument"] == company.NOTEBOOK_BASICS
    assert "NotForTheTeam" in s3.get_bucket_policy(Bucket="acme-hr")["Policy"]
    rule = s3.get_bucket_encryption(Bucket="acme-vault")["ServerSideEncryptionConfiguration"]["Rules"][0]
    key = rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    assert key == sandbox.state.vault_key_arn
    assert "DataOwner" in kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    assert s3.get_public_access_block(Bucket="acme-lake")["PublicAccessBlockConfiguration"]["BlockPublicAcls"]


def test_the_approver_changes_the_teams_role_and_no_other(sandbox: Sandbox) -> None:
    iam = sandbox.session("approver").client("iam")
    document = json.dumps(company.document(company.allow("Test", "s3:GetObject", "arn:aws:s3:::acme-none/*")))
    team = {"RoleName": company.NOTEBOOK_ROLE, "PolicyName": "sm-access-test"}
    iam.put_role_policy(**team, PolicyDocument=document)
    iam.delete_role_policy(**team)
    for role in (company.APPROVER_ROLE, company.ADMIN_ROLE, company.LEGACY_ROLE):
        own = {"RoleName": role, "PolicyName": "x", "PolicyDocument": document}
        assert outcome(lambda own=own: iam.put_role_policy(**own)).endswith(
            NO_IDENTITY.format("iam:PutRolePolicy")
        )


def test_engineers_may_take_the_notebook_role_and_analysts_not(sandbox: Sandbox) -> None:
    wanted = {"RoleArn": company.role_arn(company.NOTEBOOK_ROLE), "RoleSessionName": "test"}
    sandbox.session("engineer-3").client("sts").assume_role(**wanted)
    message = outcome(lambda: sandbox.session("analyst-1").client("sts").assume_role(**wanted))
    assert message.endswith(NO_IDENTITY.format("sts:AssumeRole"))


def test_the_notebooks_are_in_service_on_their_roles(sandbox: Sandbox) -> None:
    sagemaker = sandbox.session("notebook").client("sagemaker")
    for name, role in company.NOTEBOOKS.items():
        found = sagemaker.describe_notebook_instance(NotebookInstanceName=name)
        assert (found["NotebookInstanceStatus"], found["RoleArn"]) == ("InService", company.role_arn(role))
        assert found["NotebookInstanceArn"].split(":")[3:5] == [company.REGION, company.ACCOUNT]


@pytest.fixture
def grant(sandbox: Sandbox) -> Iterator[Callable[..., None]]:
    """A function that puts one more Allow on raw/ on the team's role, until the test ends."""
    iam = sandbox.root_session.client("iam")
    name = {"RoleName": company.NOTEBOOK_ROLE, "PolicyName": "sm-access-of-a-test"}

    def put(condition: dict[str, Any] | None = None, on: str = "raw/*") -> None:
        statement = company.allow("Test", "s3:GetObject", f"arn:aws:s3:::acme-lake/{on}", condition)
        iam.put_role_policy(**name, PolicyDocument=json.dumps(company.document(statement)))

    yield put
    iam.delete_role_policy(**name)


def _until(end: datetime) -> dict[str, Any]:
    return {"DateLessThan": {"aws:CurrentTime": end.strftime("%Y-%m-%dT%H:%M:%SZ")}}


def test_a_grant_ends_by_itself(sandbox: Sandbox, grant: Callable[..., None]) -> None:
    now = datetime.now(timezone.utc)
    grant(_until(now + timedelta(hours=1)))
    assert outcome(lambda: read(sandbox, "notebook", "acme-lake", "raw/customers.csv")) == ALLOWED
    assert outcome(lambda: read(sandbox, "notebook", "acme-lake", "raw-secret/salaries.csv")) != ALLOWED
    grant(_until(now - timedelta(seconds=2)))
    message = outcome(lambda: read(sandbox, "notebook", "acme-lake", "raw/customers.csv"))
    assert message.endswith(NO_IDENTITY.format("s3:GetObject"))


@pytest.mark.parametrize(
    ("principal", "expected"),
    [(company.role_arn(company.NOTEBOOK_ROLE), True), (company.PRINCIPALS["notebook"].arn, False)],
)
def test_principal_arn_is_the_roles(
    sandbox: Sandbox, grant: Callable[..., None], principal: str, expected: bool
) -> None:
    grant({"ArnEquals": {"aws:PrincipalArn": principal}})
    found = outcome(lambda: read(sandbox, "notebook", "acme-lake", "raw/customers.csv"))
    assert (found == ALLOWED) is expected


def test_a_missing_object_is_hidden_from_who_may_not_list(
    sandbox: Sandbox, grant: Callable[..., None]
) -> None:
    grant()
    message = outcome(lambda: read(sandbox, "notebook", "acme-lake", "raw/nothing-here.csv"))
    assert message.endswith(NO_IDENTITY.format("s3:ListBucket"))
    with pytest.raises(ClientError) as caught:
        read(sandbox, "notebook", "acme-models", "nothing-here.csv")
    assert caught.value.response["Error"]["Code"] == "NoSuchKey"


def test_a_session_policy_is_named_when_it_is_what_denies(sandbox: Sandbox) -> None:
    narrow = json.dumps(company.document(company.allow("Only", "s3:ListAllMyBuckets", "*")))
    issued = sandbox.root_session.client("sts").assume_role(
        RoleArn=company.role_arn(company.NOTEBOOK_ROLE), RoleSessionName="narrow", Policy=narrow
    )["Credentials"]
    s3 = sandbox.root_session.client(
        "s3",
        aws_access_key_id=issued["AccessKeyId"],
        aws_secret_access_key=issued["SecretAccessKey"],
        aws_session_token=issued["SessionToken"],
    )
    message = outcome(lambda: s3.get_object(Bucket="acme-lake", Key="public/countries.csv"))
    assert message.endswith("because no session policy allows the s3:GetObject action")


def test_a_wrong_signature_is_refused(sandbox: Sandbox) -> None:
    real = sandbox.session("notebook").get_credentials().get_frozen_credentials()
    s3 = sandbox.root_session.client(
        "s3", aws_access_key_id=real.access_key, aws_secret_access_key="wrong", aws_session_token=real.token
    )
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket="acme-lake", Key="public/countries.csv")
    assert caught.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
