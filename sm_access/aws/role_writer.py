"""The policies of a role that are ours to write: the port `RoleWriter`, on IAM.

Customer-managed policies have a path of ours, `/sm-access/`, and the role's name in theirs: a permission to write
policies can be held to `arn:aws:iam::ACCOUNT:policy/sm-access/*`, and one to attach them by `iam:PolicyARN`. IAM keeps
five versions of a policy (IAM User Guide, "IAM and AWS STS quotas"); the oldest that is not in use makes room.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from sm_access.access.canonical import canonical_json
from sm_access.access.planner import ATTACHED_LIMIT, MANAGED_PATH, is_our_managed
from sm_access.access.ports import RolePolicies
from sm_access.aws.identity import collect_caller
from sm_access.aws.session import DENIED, WORKERS, Aws, error_code, told
from sm_access.errors import QuotaExceeded, Refused
from sm_access.policy import Arn

MOST_VERSIONS = 5
_GONE = "NoSuchEntity"
_FULL = "LimitExceeded"


class IamRoleWriter:
    """Reads, writes and deletes policies of roles. Every error is mapped; AccessDenied names the call."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def read(self, role_arn: str) -> RolePolicies:
        """All inline policies of the role, and those managed ones that are ours. Raises AccessDenied, CannotTell.

        Who may not list what is attached has no room for managed policies; who may not list policies does not see what
        an interrupted run left behind, which nobody is given anything by.
        """
        iam, role = self._aws.client("iam"), self._role_name(role_arn)
        with told(f"reading the policies of {role}"), ThreadPoolExecutor(WORKERS) as pool:
            inline = pool.submit(_items, iam, "list_role_policies", "PolicyNames", RoleName=role)
            attached = pool.submit(
                _unless_denied, iam, "list_attached_role_policies", "AttachedPolicies", RoleName=role
            )
            existing = pool.submit(
                _unless_denied, iam, "list_policies", "Policies", Scope="Local", PathPrefix=MANAGED_PATH
            )
            documents = pool.map(
                lambda name: (name, iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]),
                inline.result(),
            )
            found = attached.result()
            names = [policy["PolicyName"] for policy in found or () if self._is_ours(role_arn, policy)]
            managed = list(pool.map(lambda name: (name, *_default(iam, self._policy_arn(name))), names))
            return RolePolicies(
                inline={name: dict(document) for name, document in documents},
                managed={name: dict(document) for name, document, _ in managed},
                detached=frozenset(
                    policy["PolicyName"]
                    for policy in existing.result() or ()
                    if is_our_managed(role_arn, policy["PolicyName"]) and policy["PolicyName"] not in names
                ),
                shared=frozenset(name for name, _, attachments in managed if attachments > 1),
                attached_others=ATTACHED_LIMIT if found is None else len(found) - len(names),
            )

    def _is_ours(self, role_arn: str, policy: Mapping[str, Any]) -> bool:
        name = policy["PolicyName"]
        return is_our_managed(role_arn, name) and policy["PolicyArn"] == self._policy_arn(name)

    def put(self, role_arn: str, name: str, document: Mapping[str, Any]) -> None:
        with told(f"writing the inline policy {name} of {self._role_name(role_arn)}"), _within_quota():
            self._aws.client("iam").put_role_policy(
                RoleName=self._role_name(role_arn), PolicyName=name, PolicyDocument=canonical_json(document)
            )

    def delete(self, role_arn: str, name: str) -> None:
        with told(f"deleting the inline policy {name} of {self._role_name(role_arn)}"), _unless(_GONE):
            self._aws.client("iam").delete_role_policy(RoleName=self._role_name(role_arn), PolicyName=name)

    def put_managed(self, role_arn: str, name: str, document: Mapping[str, Any]) -> None:
        """Create it, or add a version and make that the default; then attach it, which may be repeated."""
        iam, role, arn = self._aws.client("iam"), self._role_name(role_arn), self._policy_arn(name)
        text = canonical_json(document)
        with told(f"writing the policy {name} of {role}"), _within_quota():
            try:
                iam.create_policy(PolicyName=name, Path=MANAGED_PATH, PolicyDocument=text)
            except ClientError as error:
                if error_code(error) != "EntityAlreadyExists":
                    raise
                _make_room(iam, arn)
                iam.create_policy_version(PolicyArn=arn, PolicyDocument=text, SetAsDefault=True)
            iam.attach_role_policy(RoleName=role, PolicyArn=arn)

    def delete_managed(self, role_arn: str, name: str) -> None:
        """Detach it from the role, and delete it unless something else holds it."""
        iam, role, arn = self._aws.client("iam"), self._role_name(role_arn), self._policy_arn(name)
        with told(f"deleting the policy {name} of {role}"):
            with _unless(_GONE):
                iam.detach_role_policy(RoleName=role, PolicyArn=arn)
            # Held by something else as well, it stays, detached from this role; `read` names it as shared.
            with _unless(_GONE, "DeleteConflict"):
                for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
                    if not version["IsDefaultVersion"]:
                        iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
                iam.delete_policy(PolicyArn=arn)

    def _policy_arn(self, name: str) -> str:
        partition, account = self._own
        return f"arn:{partition}:iam::{account}:policy{MANAGED_PATH}{name}"

    def _role_name(self, role_arn: str) -> str:
        """The name by which IAM knows the role - in the caller's account, and no other. Raises Refused."""
        # INVARIANT: IAM takes names, and each account has its own roles of a name: only the caller's own are written.
        role = Arn.parse(role_arn)
        if (role.partition, role.account) != self._own:
            raise Refused(
                f"{role_arn} is a role of another account than {self._own[1]}, which these credentials belong to.",
                remedy="Reconcile it with credentials of its own account.",
            )
        return role.resource.rsplit("/", 1)[-1]

    @cached_property
    def _own(self) -> tuple[str, str]:
        caller = Arn.parse(collect_caller(self._aws).arn)
        return caller.partition, caller.account


def _items(iam: Any, operation: str, key: str, **arguments: str) -> list[Any]:
    return [item for page in iam.get_paginator(operation).paginate(**arguments) for item in page[key]]


def _unless_denied(iam: Any, operation: str, key: str, **arguments: str) -> list[Any] | None:
    try:
        return _items(iam, operation, key, **arguments)
    except ClientError as error:
        if error_code(error) in DENIED:
            return None
        raise


def _default(iam: Any, arn: str) -> tuple[Any, int]:
    """The document of a policy's default version, and to how many principals it is attached."""
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    version = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    return version["Document"], int(policy.get("AttachmentCount", 0))


def _make_room(iam: Any, arn: str) -> None:
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    spare = sorted(
        (version for version in versions if not version["IsDefaultVersion"]),
        key=lambda version: (version["CreateDate"], int(version["VersionId"].lstrip("v"))),
    )
    for version in spare[: max(0, len(versions) - MOST_VERSIONS + 1)]:
        iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])


@contextmanager
def _unless(*codes: str) -> Iterator[None]:
    """Deleting what is gone already is done."""
    try:
        yield
    except ClientError as error:
        if error_code(error) not in codes:
            raise


@contextmanager
def _within_quota() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error_code(error) != _FULL:
            raise
        raise QuotaExceeded(
            f"AWS counts more than it lets a role carry: it refused {error.operation_name}.",
            remedy="Revoke grants that are no longer needed, or have AWS raise the quota.",
        ) from None
