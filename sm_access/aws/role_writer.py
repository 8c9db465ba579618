"""Inline policies on a role: the port `RoleWriter`, on IAM."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from sm_access.aws.identity import collect_caller
from sm_access.aws.session import Aws, told
from sm_access.errors import Refused
from sm_access.policy import Arn


class IamRoleWriter:
    """Reads, writes and deletes inline policies of roles. Every error is mapped; AccessDenied names the call."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def read(self, role_arn: str) -> dict[str, dict[str, Any]]:
        """All inline policies of the role, by name. Raises AccessDenied, CannotTell."""
        iam, role = self._aws.client("iam"), self._role_name(role_arn)
        with told(f"reading the inline policies of {role}"):
            names = [
                name
                for page in iam.get_paginator("list_role_policies").paginate(RoleName=role)
                for name in page["PolicyNames"]
            ]
            return {
                name: dict(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
                for name in names
            }

    def put(self, role_arn: str, name: str, document: Mapping[str, Any]) -> None:
        with told(f"writing the inline policy {name} of {self._role_name(role_arn)}"):
            self._aws.client("iam").put_role_policy(
                RoleName=self._role_name(role_arn),
                PolicyName=name,
                PolicyDocument=json.dumps(document, separators=(",", ":")),
            )

    def delete(self, role_arn: str, name: str) -> None:
        with told(f"deleting the inline policy {name} of {self._role_name(role_arn)}"):
            self._aws.client("iam").delete_role_policy(RoleName=self._role_name(role_arn), PolicyName=name)

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
