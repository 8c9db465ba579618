"""The table of a team's ledger and what each role may do with it, as data: for whatever makes real accounts.

IAM holds who writes where (`dynamodb_rows`): a role may insert into partitions that end with its own name and with the
`aws:userid` of its session, and into no other; and nobody may do anything to a row but insert and read it. The role's
name stands in its policy to the letter, because `aws:PrincipalArn` has the role's path and a caller's own ARN has not.
Attach each list of statements to its own role and to no other.

`ForAllValues` is true where the key is missing, hence the `Null` beside it (IAM User Guide, "Multivalued context
keys"). PartiQL's INSERT fails on a key that is there, and `dynamodb:PartiQLInsert` is an action apart from
`dynamodb:PutItem` (Amazon DynamoDB Developer Guide, "PartiQL insert statements for DynamoDB", "IAM security policies
with PartiQL for DynamoDB"; Service Authorization Reference: it takes `dynamodb:LeadingKeys`).
"""

from __future__ import annotations

from typing import Any

from sm_access.access.caller import principal_key
from sm_access.stores.dynamodb_rows import APPLY, ASK, CLAIM, DECIDE, LOG, ORDER

Statement = dict[str, Any]

READ = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan")
INSERT = "dynamodb:PartiQLInsert"
REWRITE = (
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
)
"""Every action that can change or remove a row, PutItem among them: it overwrites unless its caller minds."""

USER_ID = "${aws:userid}"


def table_parameters(name: str) -> dict[str, Any]:
    """What CreateTable takes: on demand, encrypted under the account's key of DynamoDB, not to be deleted by a slip."""
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        "SSESpecification": {"Enabled": True, "SSEType": "KMS"},
        "DeletionProtectionEnabled": True,
    }


def backup_parameters(name: str) -> dict[str, Any]:
    """What UpdateContinuousBackups takes: every second of the last 35 days can be brought back."""
    return {
        "TableName": name,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 35},
    }


def table_policy(table_arn: str) -> dict[str, Any]:
    """The table's own policy: nobody changes or removes a row, whatever else their role may do.

    Somebody who may write this policy can take it away; CloudTrail then says who.
    """
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "RowsAreOnlyEverAdded",
                "Effect": "Deny",
                "Principal": "*",
                "Action": list(REWRITE),
                "Resource": table_arn,
            }
        ],
    }


def requester_statements(table_arn: str, role_arn: str) -> list[Statement]:
    """For a role that notebooks run with: ask, take back, give back, in its own name. Never a decision."""
    own = f"{principal_key(role_arn)}#{USER_ID}"
    return _statements(table_arn, [f"{ASK}#{own}", f"{ORDER}#{own}", f"{CLAIM}#*"])


def approver_statements(
    table_arn: str, role_arn: str, *, applies: bool = False, asks: bool = False
) -> list[Statement]:
    """For a role that decides, in its own name. applies: it puts grants on roles as well, as where no reconciler runs.

    asks: it may ask as well; and still decides on nothing that it asked for itself.
    """
    own = f"{principal_key(role_arn)}#{USER_ID}"
    shelves = [DECIDE, APPLY] if applies else [DECIDE]
    partitions = [*(f"{shelf}#{own}" for shelf in shelves), f"{ORDER}#*", LOG]
    if asks:
        partitions += [f"{ASK}#{own}", f"{CLAIM}#*"]
    return _statements(table_arn, partitions)


def reconciler_statements(table_arn: str, role_arn: str) -> list[Statement]:
    """For the role that makes roles carry what the ledger says. Never a decision."""
    return _statements(table_arn, [f"{APPLY}#{principal_key(role_arn)}#{USER_ID}", f"{ORDER}#*", LOG])


def auditor_statements(table_arn: str) -> list[Statement]:
    """For whoever reads and verifies, and writes nothing."""
    return _statements(table_arn, [])


def _statements(table_arn: str, partitions: list[str]) -> list[Statement]:
    reads: Statement = {
        "Sid": "SmAccessReadLedger",
        "Effect": "Allow",
        "Action": list(READ),
        "Resource": table_arn,
    }
    # INVARIANT: what other policies of the role allow on this table is taken back: nobody rewrites, and nobody
    # inserts where somebody else writes.
    only: Statement = {
        "Sid": "SmAccessOnlyAddToLedger",
        "Effect": "Deny",
        "NotAction": [*READ, "dynamodb:DescribeTable", *([INSERT] if partitions else [])],
        "Resource": [table_arn, f"{table_arn}/*"],
    }
    if not partitions:
        return [reads, only]
    return [
        reads,
        {
            "Sid": "SmAccessAddToLedger",
            "Effect": "Allow",
            "Action": INSERT,
            "Resource": table_arn,
            "Condition": {
                "ForAllValues:StringLike": {"dynamodb:LeadingKeys": partitions},
                "Null": {"dynamodb:LeadingKeys": "false"},
            },
        },
        only,
        {
            "Sid": "SmAccessAddNowhereElse",
            "Effect": "Deny",
            "Action": INSERT,
            "Resource": table_arn,
            "Condition": {"ForAnyValue:StringNotLike": {"dynamodb:LeadingKeys": partitions}},
        },
        {
            "Sid": "SmAccessAddNowhereUnsaid",
            "Effect": "Deny",
            "Action": INSERT,
            "Resource": table_arn,
            "Condition": {"Null": {"dynamodb:LeadingKeys": "true"}},
        },
    ]
