"""What may not be read is named, and never turns into a yes: tried with real refusals of the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sm_access.access.evidence import Unread
from sm_access.access.identity import CredentialSource
from sm_access.aws.buckets import collect_bucket, collect_buckets
from sm_access.aws.principals import asks_aws, collect_principal
from sm_access.aws.session import Aws
from sm_access.bootstrap import Services
from sm_access.commands import inspecting
from sm_access.errors import AccessDenied, CannotTell
from sm_access.policy import UNREADABLE, NamedPolicy
from sm_access.sandbox.world import Sandbox

ACCOUNT = "111122223333"
LEGACY = "legacy-notebook-role"
LEGACY_ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/{LEGACY}/SageMaker"


@contextmanager
def denied(sandbox: Sandbox, *actions: str, role: str = LEGACY) -> Iterator[None]:
    """While it lasts, the role is denied these actions."""
    iam = sandbox.root_session.client("iam")
    statement = {"Effect": "Deny", "Action": list(actions), "Resource": "*"}
    iam.put_role_policy(
        RoleName=role,
        PolicyName="not-now",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="not-now")


@pytest.fixture
def legacy(services_of: Callable[[str], Services]) -> Services:
    return services_of("legacy")


@pytest.mark.parametrize(
    ("action", "named"),
    [
        ("iam:ListAttachedRolePolicies", "iam:ListAttachedRolePolicies"),
        ("iam:ListRolePolicies", "iam:ListRolePolicies"),
        ("iam:GetPolicy", "iam:GetPolicy"),
        ("iam:GetPolicyVersion", "iam:GetPolicyVersion"),
        ("iam:GetRolePolicy", "iam:GetRolePolicy"),
        ("iam:GetRole", "iam:GetRole"),
        ("s3:GetBucketPolicy", "s3:GetBucketPolicy"),
        ("s3:GetEncryptionConfiguration", "s3:GetEncryptionConfiguration"),
    ],
)
def test_a_layer_that_may_not_be_read_is_named_and_no_yes(
    sandbox: Sandbox, legacy: Services, action: str, named: str
) -> None:
    assert inspecting.can("read", "s3://acme-models/", services=legacy).exit_code == 0
    with denied(sandbox, action):
        found = inspecting.can("read", "s3://acme-models/", services=legacy)
    assert found.exit_code == 3
    assert found.to_dict()["decision"] == "undetermined"
    assert any(f"(needs {named})" in words for words in found.to_dict()["not_read"])
    assert named in found.to_text()
    assert named in found.to_html()


def test_a_key_policy_that_may_not_be_read_is_named_and_no_yes(sandbox: Sandbox, legacy: Services) -> None:
    with denied(sandbox, "kms:GetKeyPolicy"):
        found = inspecting.can("read", "s3://acme-vault/", services=legacy)
    assert found.exit_code != 0
    assert any("kms:GetKeyPolicy" in words for words in found.to_dict()["not_read"])


def test_a_boundary_that_may_not_be_read_is_named_and_no_yes(
    sandbox: Sandbox, services_of: Callable[[str], Services]
) -> None:
    notebook = services_of("notebook")
    with denied(sandbox, "iam:GetRole", role="acme-ds-notebooks"):
        found = inspecting.can("read", "s3://acme-lake/public/", services=notebook)
    assert found.exit_code == 3
    assert "the permissions boundary (needs iam:GetRole)" in found.to_dict()["not_read"]


def test_a_deny_among_unreadable_group_policies_is_not_lost(sandbox: Sandbox) -> None:
    """A user who may read their own policies and not their groups': the groups may deny."""
    iam = sandbox.root_session.client("iam")
    own = [
        {"Effect": "Allow", "Action": ["s3:*", "iam:Get*", "iam:List*"], "Resource": "*"},
        {"Effect": "Deny", "Action": "iam:ListGroupsForUser", "Resource": "*"},
    ]
    iam.put_user_policy(
        UserName="engineer-2",
        PolicyName="own",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": own}),
    )
    try:
        aws = Aws(sandbox.session("engineer-2"))
        found = collect_principal(aws, f"arn:aws:iam::{ACCOUNT}:user/engineer-2")
        assert found.identity is UNREADABLE
        assert found.unread == (Unread("the policies of the user's groups", "iam:ListGroupsForUser"),)
    finally:
        iam.delete_user_policy(UserName="engineer-2", PolicyName="own")


def test_a_user_is_read_with_boundary_groups_and_own_policies(sandbox: Sandbox) -> None:
    found = collect_principal(Aws(sandbox.root_session), f"arn:aws:iam::{ACCOUNT}:user/engineer-1")
    assert isinstance(found.identity, tuple)
    assert [(policy.name, policy.kind) for policy in found.identity] == [("ml-engineers", "group")]
    assert found.boundary is None
    assert found.unread == ()


def test_a_role_is_read_whole(sandbox: Sandbox) -> None:
    found = collect_principal(
        Aws(sandbox.session("notebook")), f"arn:aws:sts::{ACCOUNT}:assumed-role/acme-ds-notebooks/SageMaker"
    )
    assert isinstance(found.identity, tuple)
    assert {(policy.name, policy.kind) for policy in found.identity} == {
        ("AmazonSageMakerReadOnly", "aws-managed"),
        ("team-data", "customer-managed"),
        ("ledger-requester", "customer-managed"),
        ("notebook-basics", "inline"),
    }
    assert isinstance(found.boundary, tuple)
    assert [policy.name for policy in found.boundary] == ["acme-boundary"]
    assert found.iam_arn == f"arn:aws:iam::{ACCOUNT}:role/acme-ds-notebooks"


def test_lists_of_many_pages_are_read_to_the_end(sandbox: Sandbox) -> None:
    """IAM answers in pages: a Deny on the last one counts."""
    iam = sandbox.root_session.client("iam")
    names = [f"page-{number:03}" for number in range(120)]
    document = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}],
        }
    )
    for name in names:
        iam.put_role_policy(RoleName=LEGACY, PolicyName=name, PolicyDocument=document)
    try:
        found = collect_principal(Aws(sandbox.session("legacy")), LEGACY_ARN)
        assert isinstance(found.identity, tuple)
        assert set(names) <= {policy.name for policy in found.identity}
    finally:
        for name in names:
            iam.delete_role_policy(RoleName=LEGACY, PolicyName=name)


def test_a_second_page_that_fails_is_not_the_end(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    """The first page says there is more; the second is refused: the layer is unreadable, not half of it."""
    from botocore.exceptions import ClientError

    aws = Aws(sandbox.session("legacy"))
    iam = aws.client("iam")
    real = iam.get_paginator

    class Torn:
        def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
            yield {"PolicyNames": ["legacy-everything"], "IsTruncated": True, "Marker": "x"}
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListRolePolicies")

    monkeypatch.setattr(
        iam, "get_paginator", lambda name: Torn() if name == "list_role_policies" else real(name)
    )
    found = collect_principal(aws, LEGACY_ARN)
    assert found.identity is UNREADABLE
    assert Unread(f"the policies of the role {LEGACY}", "iam:ListRolePolicies") in found.unread


def test_a_policy_that_is_not_understood_is_named_and_no_yes(
    monkeypatch: pytest.MonkeyPatch, legacy: Services
) -> None:
    iam = legacy.aws.client("iam")
    strange = {"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps", "Action": "*", "Resource": "*"}]}
    monkeypatch.setattr(iam, "get_role_policy", lambda **_: {"PolicyDocument": strange})
    found = inspecting.can("read", "s3://acme-models/", services=legacy)
    assert found.exit_code == 3
    assert any(
        "legacy-everything, which is not understood at $.Statement" in it
        for it in found.to_dict()["not_read"]
    )


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:sts::{ACCOUNT}:federated-user/eve",
        f"arn:aws:iam::{ACCOUNT}:root",
    ],
)
def test_a_principal_without_policies_is_neither_yes_nor_no(sandbox: Sandbox, arn: str) -> None:
    with pytest.raises(CannotTell, match="neither a role nor a user"):
        collect_principal(Aws(sandbox.root_session), arn)


class TestBuckets:
    def test_the_vault(self, sandbox: Sandbox) -> None:
        found = collect_bucket(Aws(sandbox.session("notebook")), "acme-vault", ACCOUNT)
        assert found.owner_account == ACCOUNT
        assert found.encryption_read
        assert (found.kms_key_arn or "").startswith(f"arn:aws:kms:us-east-1:{ACCOUNT}:key/")
        assert isinstance(found.kms_policy, tuple)
        assert isinstance(found.kms_policy[0], NamedPolicy)
        assert found.policy is None
        assert found.unread == ()

    def test_of_another_account_is_not_taken_for_ones_own(self, sandbox: Sandbox) -> None:
        found = collect_bucket(Aws(sandbox.session("notebook")), "partner-exchange", ACCOUNT)
        assert found.owner_account is None
        assert any("which account owns partner-exchange" in item.what for item in found.unread)

    def test_that_is_not_there(self, sandbox: Sandbox) -> None:
        with pytest.raises(CannotTell, match="no bucket named acme-nothing"):
            collect_bucket(Aws(sandbox.session("notebook")), "acme-nothing", ACCOUNT)

    def test_that_may_not_be_listed_leave_the_places_that_policies_name(
        self, sandbox: Sandbox, services_of: Callable[[str], Services]
    ) -> None:
        notebook = services_of("notebook")
        with denied(sandbox, "s3:ListAllMyBuckets", role="acme-ds-notebooks"):
            with pytest.raises(AccessDenied):
                collect_buckets(notebook.aws)
            found = inspecting.permissions(services=notebook)
        targets = {row["target"] for row in found.to_dict()["rows"]}
        assert "s3://acme-lake/public/" in targets
        assert "s3:ListAllMyBuckets" in found.to_text()


def test_a_session_that_somebody_started_may_have_a_policy_of_its_own(sandbox: Sandbox) -> None:
    sts = sandbox.session("notebook").client("sts")
    credentials = sandbox.root_session.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/acme-ds-notebooks", RoleSessionName="by-hand"
    )["Credentials"]
    assert collect_principal(Aws(sandbox.session("notebook")), sts.get_caller_identity()["Arn"]).unread == ()
    own = sandbox.session("notebook")
    own._session.set_credentials(
        credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"]
    )
    found = collect_principal(Aws(own), f"arn:aws:sts::{ACCOUNT}:assumed-role/acme-ds-notebooks/by-hand")
    assert Unread("the session policy, if the role was assumed with one") in found.unread


@pytest.mark.parametrize(
    ("source", "variables", "believed"),
    [
        (CredentialSource.CONTAINER, {}, True),
        (CredentialSource.CONTAINER, {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"}, True),
        (CredentialSource.CONTAINER, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2/x"}, True),
        (CredentialSource.CONTAINER, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/x"}, False),
        (
            CredentialSource.CONTAINER,
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1"},
            False,
        ),
        (
            CredentialSource.CONTAINER,
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/x", "SM_ACCESS_SANDBOX": "mine"},
            True,
        ),
        (CredentialSource.INSTANCE_METADATA, {}, True),
        (
            CredentialSource.INSTANCE_METADATA,
            {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://[fd00:ec2::254]"},
            True,
        ),
        (
            CredentialSource.INSTANCE_METADATA,
            {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9911"},
            False,
        ),
    ],
)
def test_only_aws_s_own_endpoints_are_believed_to_start_plain_sessions(
    source: CredentialSource, variables: dict[str, str], believed: bool
) -> None:
    """A helper on this machine, as for IAM Roles Anywhere, may hand out sessions with a session policy or tags."""
    assert asks_aws(source, variables) is believed
