"""Inline policies on a role: the port `RoleWriter`, on IAM."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sm_access.aws.session import Aws, told
from sm_access.policy import Arn


class IamRoleWriter:
    """Reads, writes and deletes inline policies of roles. Every error is mapped; AccessDenied names the call."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def read(self, role_arn: str) -> dict[str, dict[str, Any]]:
        """All inline policies of the role, by name. Raises AccessDenied, CannotTell."""
        iam, role = self._aws.client("iam"), _role_name(role_arn)
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
        with told(f"writing the inline policy {name} of {_role_name(role_arn)}"):
            self._aws.client("iam").put_role_policy(
                RoleName=_role_name(role_arn),
                PolicyName=name,
                PolicyDocument=json.dumps(document, separators=(",", ":")),
            )

    def delete(self, role_arn: str, name: str) -> None:
        with told(f"deleting the inline policy {name} of {_role_name(role_arn)}"):
            self._aws.client("iam").delete_role_policy(RoleName=_role_name(role_arn), PolicyName=name)


def _role_name(role_arn: str) -> str:
    return Arn.parse(role_arn).resource.rsplit("/", 1)[-1]
