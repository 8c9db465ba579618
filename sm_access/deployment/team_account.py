"""Who does what in the account of a team, and the permissions that each of them needs - no more, as pure data.

    notebook roles   ask, in their own name; find the ledger by the account's parameter
    approver roles   read what they decide on, and write decisions in their own name; no role of anybody's
    reconciler       puts on roles what was decided: only our policies, only on the notebook roles, only while these
                     have the boundary

IAM has no condition key for the name of an inline policy, so that writing one cannot be held to ours by name. It is
held to the roles, and to those that carry the permissions boundary (`iam:PermissionsBoundary`): whatever a reconciler
wrote, no notebook could do more than the boundary allows. Managed policies are held to their path (`iam:PolicyARN`).
Sources: Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and Access
Management"; IAM User Guide, "Delegating responsibility to others using permissions boundaries".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sm_access.access.caller import principal_key
from sm_access.access.planner import MANAGED_LIMIT, MANAGED_PATH, characters
from sm_access.errors import InvalidInput
from sm_access.stores.dynamodb_table import (
    approver_statements,
    reconciler_statements,
    requester_statements,
)

Statement = dict[str, Any]

PARAMETER = "/sm-access/config"
"""The parameter of the account in which every notebook finds ledger and rules."""
RECONCILER = "sm-access-reconciler"
"""The name of the reconciler's role and of its function."""

_ROLE = re.compile(r"arn:(aws[a-z-]*):iam::(\d{12}):role/(?:[\w+=,.@-]+/)*([\w+=,.@-]{1,64})", re.ASCII)
_POLICY = re.compile(r"arn:aws[a-z-]*:iam::(?:\d{12}|aws):policy/[\w+=,.@/-]+", re.ASCII)
_TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-\d")


@dataclass(frozen=True, slots=True)
class TeamAccount:
    """One team's set-up in one account and Region. Raises InvalidInput for what cannot be one.

    notebook_roles, approver_roles: ARNs. boundary: the ARN of the permissions boundary that the notebook roles have.
    minutes: how often the reconciler runs. groups, tags: the rules name reviewers through IAM groups, or by a tag.
    """

    region: str
    notebook_roles: tuple[str, ...]
    approver_roles: tuple[str, ...]
    boundary: str
    table: str = "sm-access-ledger"
    minutes: int = 5
    groups: bool = False
    tags: bool = False
    rules: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not self.notebook_roles or not self.approver_roles:
            raise InvalidInput(
                "A team has at least one role that asks and one that decides.",
                remedy="Name both: --notebook-role and --approver-role.",
            )
        accounts = {self._account_of(arn) for arn in (*self.notebook_roles, *self.approver_roles)}
        if len(accounts) > 1:
            raise InvalidInput(
                "The roles are of more than one account.", remedy="Set up each account by itself."
            )
        # A role is one whatever the path that its ARN tells.
        both = set(map(principal_key, self.notebook_roles)) & set(map(principal_key, self.approver_roles))
        if both:
            raise InvalidInput(
                f"{min(both)} asks and decides: nobody decides on what their own role asked for.",
                remedy="Name a role of its own for those who decide.",
            )
        for found, pattern, what in (
            (self.boundary, _POLICY, "the ARN of a managed policy"),
            (self.table, _TABLE, "the name of a table"),
            (self.region, _REGION, "a Region"),
        ):
            if not pattern.fullmatch(found):
                raise InvalidInput(f"{found!r} is not {what}.", remedy="Correct it.")
        if not 1 <= self.minutes <= 1440:
            raise InvalidInput(
                f"{self.minutes} is not a number of minutes from 1 to 1440.", remedy="Say e.g. 5."
            )

        size = characters(document(self.reconciler_boundary()))
        if size > MANAGED_LIMIT:
            raise InvalidInput(
                f"The reconciler's boundary for so many roles has {size:,} characters; AWS takes {MANAGED_LIMIT:,}.",
                remedy="Set up two teams, each with a table of its own.",
            )

    @property
    def partition(self) -> str:
        return self.boundary.split(":")[1]

    @property
    def account(self) -> str:
        return self._account_of(self.notebook_roles[0])[1]

    @property
    def table_arn(self) -> str:
        return f"arn:{self.partition}:dynamodb:{self.region}:{self.account}:table/{self.table}"

    @property
    def reconciler_arn(self) -> str:
        return f"arn:{self.partition}:iam::{self.account}:role/{RECONCILER}"

    @property
    def parameter_arn(self) -> str:
        return f"arn:{self.partition}:ssm:{self.region}:{self.account}:parameter{PARAMETER}"

    @property
    def parameter(self) -> str:
        """What the account's parameter says: where the ledger is, and the rules, as a settings file would."""
        return f'ledger = "dynamodb://{self.table}?region={self.region}"\n\n{self.rules.strip()}\n'

    def notebook_statements(self, role_arn: str) -> list[Statement]:
        """What a notebook's role needs to ask; it decides on nothing and changes no role."""
        return [
            self._finds_the_ledger(),
            self._keeps_off(),
            *requester_statements(self.table_arn, role_arn),
        ]

    def approver_statements(self, role_arn: str) -> list[Statement]:
        """What a role needs to decide; it changes no role: the reconciler does."""
        return [
            self._finds_the_ledger(),
            self._keeps_off(),
            *approver_statements(self.table_arn, role_arn),
            *self._reads_roles("SmAccessSeeWhoGains"),
            {
                "Sid": "SmAccessSeeNotebooks",
                "Effect": "Allow",
                "Action": ["sagemaker:ListNotebookInstances", "sagemaker:DescribeNotebookInstance"],
                "Resource": "*",
            },
            {
                "Sid": "SmAccessSeeTheBucket",
                "Effect": "Allow",
                "Action": ["s3:GetEncryptionConfiguration", "s3:GetBucketPolicy", "kms:DescribeKey"],
                "Resource": "*",
            },
            *self._asked_by_rules(),
        ]

    def reconciler_statements(self) -> list[Statement]:
        """What the reconciler needs; see this module's first words for what it is held to."""
        policies = f"arn:{self.partition}:iam::{self.account}:policy{MANAGED_PATH}*"
        bound = {"StringEquals": {"iam:PermissionsBoundary": self.boundary}}
        roles = list(self.notebook_roles)
        return [
            self._finds_the_ledger(),
            *reconciler_statements(self.table_arn, self.reconciler_arn),
            *self._reads_roles("SmAccessReadRoles"),
            {
                "Sid": "SmAccessWriteGrants",
                "Effect": "Allow",
                "Action": ["iam:PutRolePolicy", "iam:DeleteRolePolicy"],
                "Resource": roles,
                "Condition": bound,
            },
            {
                "Sid": "SmAccessAttachGrants",
                "Effect": "Allow",
                "Action": ["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
                "Resource": roles,
                "Condition": {**bound, "ArnLike": {"iam:PolicyARN": policies}},
            },
            {
                "Sid": "SmAccessOwnPolicies",
                "Effect": "Allow",
                "Action": [
                    "iam:CreatePolicy",
                    "iam:CreatePolicyVersion",
                    "iam:DeletePolicy",
                    "iam:DeletePolicyVersion",
                    "iam:GetPolicy",
                    "iam:GetPolicyVersion",
                    "iam:ListPolicyVersions",
                ],
                "Resource": policies,
            },
            {"Sid": "SmAccessListPolicies", "Effect": "Allow", "Action": "iam:ListPolicies", "Resource": "*"},
            *self._asked_by_rules(),
        ]

    def reconciler_boundary(self) -> list[Statement]:
        """The most that the reconciler's role may ever be able to do, whoever changes its policies: what it needs, and
        to write its log."""
        logs = f"arn:{self.partition}:logs:{self.region}:{self.account}:log-group:/aws/lambda/{RECONCILER}"
        return [
            *self.reconciler_statements(),
            {
                "Sid": "SmAccessLog",
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": [logs, f"{logs}:*"],
            },
        ]

    def _finds_the_ledger(self) -> Statement:
        return {
            "Sid": "SmAccessFindTheLedger",
            "Effect": "Allow",
            "Action": "ssm:GetParameter",
            "Resource": self.parameter_arn,
        }

    def _keeps_off(self) -> Statement:
        """Rules and reconciler are the platform's: no wide policy beside this one makes a requester their author."""
        where = f"{self.region}:{self.account}"
        return {
            "Sid": "SmAccessRulesAreNotTheirs",
            "Effect": "Deny",
            "Action": [
                "events:DeleteRule",
                "events:DisableRule",
                "events:PutRule",
                "events:PutTargets",
                "events:RemoveTargets",
                "lambda:AddPermission",
                "lambda:DeleteFunction",
                "lambda:InvokeFunction",
                "lambda:UpdateFunctionCode",
                "lambda:UpdateFunctionConfiguration",
                "ssm:DeleteParameter",
                "ssm:DeleteParameters",
                "ssm:PutParameter",
            ],
            "Resource": [
                self.parameter_arn,
                f"arn:{self.partition}:lambda:{where}:function:{RECONCILER}",
                f"arn:{self.partition}:events:{where}:rule/{RECONCILER}",
            ],
        }

    def _reads_roles(self, sid: str) -> list[Statement]:
        """Who decides and who applies look whether who asks could become who decides: all policies of both."""
        policies = {
            "Sid": f"{sid}Policies",
            "Effect": "Allow",
            "Action": ["iam:GetPolicy", "iam:GetPolicyVersion"],
            "Resource": "*",
        }
        return [self._reads(sid), policies]

    def _reads(self, sid: str) -> Statement:
        return {
            "Sid": sid,
            "Effect": "Allow",
            "Action": [
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies",
            ],
            "Resource": [*self.notebook_roles, *self.approver_roles],
        }

    def _asked_by_rules(self) -> Sequence[Statement]:
        made: list[Statement] = []
        if self.groups:
            action = "iam:ListGroupsForUser"
            made.append(
                {"Sid": "SmAccessReviewersGroups", "Effect": "Allow", "Action": action, "Resource": "*"}
            )
        if self.tags:
            action = "s3:GetBucketTagging"
            made.append({"Sid": "SmAccessOwnersTag", "Effect": "Allow", "Action": action, "Resource": "*"})
        return made

    @staticmethod
    def _account_of(arn: str) -> tuple[str, str]:
        match = _ROLE.fullmatch(arn)
        if match is None:
            raise InvalidInput(
                f"{arn!r} is not the ARN of an IAM role.", remedy="Write arn:aws:iam::ACCOUNT:role/NAME."
            )
        return match[1], match[2]


def role_name(arn: str) -> str:
    """The name of a role, without its path."""
    return arn.rpartition("/")[2]


def document(statements: Sequence[Statement]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
