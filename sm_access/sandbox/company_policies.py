"""The policy documents of the seeded company, and the names they speak of."""

from __future__ import annotations

from typing import Any

from sm_access.stores.dynamodb_table import approver_statements, requester_statements

ACCOUNT = "111122223333"
PARTNER_ACCOUNT = "444455556666"
REGION = "us-east-1"
KEY_ALIAS = "alias/acme-vault"

NOTEBOOK_ROLE = "acme-ds-notebooks"
APPROVER_ROLE = "acme-data-owner"
ADMIN_ROLE = "acme-platform-admin"
LEGACY_ROLE = "legacy-notebook-role"

LEDGER_TABLE = "sm-access-ledger"
LEDGER_ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{LEDGER_TABLE}"

Document = dict[str, Any]


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def policy_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


def bucket_arn(name: str) -> str:
    """Of a bucket, or of objects when `name` goes on with a slash."""
    return f"arn:aws:s3:::{name}"


def aws_managed_arn(name: str) -> str:
    return f"arn:aws:iam::aws:policy/{name}"


def document(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(
    sid: str, actions: str | list[str], on: str | list[str], condition: Document | None = None
) -> Document:
    statement: Document = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": on}
    return {**statement, "Condition": condition} if condition else statement


_INSPECT_BUCKET = [
    "s3:GetBucketPolicy",
    "s3:GetBucketPolicyStatus",
    "s3:GetEncryptionConfiguration",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketAcl",
    "s3:GetBucketVersioning",
    "s3:GetBucketTagging",
]
_READ_ROLE = [
    "iam:GetRole",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
    "iam:GetRolePolicy",
    "iam:ListRoleTags",
]
_READ_POLICY = ["iam:GetPolicy", "iam:GetPolicyVersion"]
_OWN_POLICIES = [policy_arn("*"), aws_managed_arn("*")]
_OBJECTS_IN_PARTS = ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]


TEAM_DATA = document(
    allow("ListOwnBuckets", ["s3:ListAllMyBuckets", "kms:ListAliases"], "*"),
    allow("LocateBuckets", "s3:GetBucketLocation", [bucket_arn("acme-*"), bucket_arn("partner-exchange")]),
    allow(
        "ListPublic",
        "s3:ListBucket",
        bucket_arn("acme-lake"),
        {"StringLike": {"s3:prefix": ["public", "public/", "public/*"]}},
    ),
    allow("ReadPublic", "s3:GetObject", bucket_arn("acme-lake/public/*")),
    allow("ModelsList", "s3:ListBucket", bucket_arn("acme-models")),
    allow(
        "ModelsReadWrite", ["s3:GetObject", "s3:PutObject", *_OBJECTS_IN_PARTS], bucket_arn("acme-models/*")
    ),
    allow("VaultList", "s3:ListBucket", bucket_arn("acme-vault")),
    allow("VaultRead", "s3:GetObject", bucket_arn("acme-vault/*")),
    allow(
        "VaultKey",
        ["kms:Decrypt", "kms:DescribeKey", "kms:GetKeyPolicy"],
        f"arn:aws:kms:{REGION}:{ACCOUNT}:*",
    ),
    allow("HrRead", ["s3:ListBucket", "s3:GetObject"], [bucket_arn("acme-hr"), bucket_arn("acme-hr/*")]),
    allow(
        "ExchangeRead",
        ["s3:ListBucket", "s3:GetObject"],
        [bucket_arn("partner-exchange"), bucket_arn("partner-exchange/*")],
    ),
    allow("InspectBuckets", _INSPECT_BUCKET, [bucket_arn("acme-*"), bucket_arn("partner-exchange")]),
    allow("ReadOwnRole", _READ_ROLE, role_arn(NOTEBOOK_ROLE)),
    allow("ReadOwnPolicies", _READ_POLICY, _OWN_POLICIES),
    allow("InspectSageMaker", ["sagemaker:List*", "sagemaker:Describe*"], "*"),
)

NOTEBOOK_BASICS = document(
    allow(
        "Logs",
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker/*",
    ),
    allow(
        "PassOwnRoleToTraining",
        "iam:PassRole",
        role_arn(NOTEBOOK_ROLE),
        {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    ),
    allow(
        "FeatureTable",
        ["dynamodb:GetItem", "dynamodb:Query"],
        f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/acme-features",
    ),
)

BOUNDARY = document(
    allow("WorkOfTheTeam", ["s3:*", "kms:*", "sagemaker:*", "logs:*", "sts:*", "ecr:*", "cloudwatch:*"], "*"),
    allow("RequestStore", "dynamodb:*", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/sm-access-*"),
    # What ministack takes every transaction of PartiQL for; AWS has no such action.
    allow("RequestStoreHere", "dynamodb:ExecuteTransaction", "*"),
    allow("ReadIam", ["iam:Get*", "iam:List*", "iam:SimulatePrincipalPolicy", "iam:PassRole"], "*"),
    {
        "Sid": "NeverWriteIam",
        "Effect": "Deny",
        "Resource": "*",
        "Action": [
            "iam:Add*",
            "iam:Attach*",
            "iam:Create*",
            "iam:Delete*",
            "iam:Detach*",
            "iam:Put*",
            "iam:Remove*",
            "iam:Set*",
            "iam:Update*",
        ],
    },
)

DATA_OWNER = document(
    allow(
        "GrantOnTheTeamsRole",
        [
            *_READ_ROLE,
            "iam:PutRolePolicy",
            "iam:DeleteRolePolicy",
            "iam:AttachRolePolicy",
            "iam:DetachRolePolicy",
        ],
        role_arn(NOTEBOOK_ROLE),
    ),
    allow(
        "GrantsThatDoNotFitInline",
        [
            *_READ_POLICY,
            "iam:ListPolicyVersions",
            "iam:CreatePolicy",
            "iam:CreatePolicyVersion",
            "iam:DeletePolicyVersion",
            "iam:DeletePolicy",
        ],
        policy_arn("sm-access/*"),
    ),
    allow("ListPolicies", ["iam:ListPolicies"], "*"),
    allow("ReadOwnRole", _READ_ROLE, role_arn(APPROVER_ROLE)),
    allow("ReadPolicies", _READ_POLICY, _OWN_POLICIES),
    allow("SeeBuckets", ["s3:ListAllMyBuckets", "kms:ListAliases"], "*"),
    allow(
        "ReadData",
        ["s3:ListBucket", "s3:GetObject", "s3:GetBucketLocation", *_INSPECT_BUCKET],
        [bucket_arn("acme-*"), bucket_arn("acme-*/*"), bucket_arn("partner-exchange")],
    ),
    allow(
        "VaultKey",
        ["kms:Decrypt", "kms:DescribeKey", "kms:GetKeyPolicy"],
        f"arn:aws:kms:{REGION}:{ACCOUNT}:*",
    ),
    allow("SeeNotebooks", ["sagemaker:List*", "sagemaker:Describe*"], "*"),
)

PLATFORM_ADMINISTRATION = document(
    allow(
        "Administer",
        [
            "iam:*",
            "s3:*",
            "kms:*",
            "sagemaker:*",
            "sts:*",
            "dynamodb:*",
            "logs:*",
            "cloudtrail:*",
            "organizations:Describe*",
            "organizations:List*",
            "access-analyzer:*",
        ],
        "*",
    )
)


def _ledger(*statements: Document) -> Document:
    """What a role may do with the team's ledger, and for ministack that it may insert at all."""
    return document(*statements, allow("SmAccessHere", "dynamodb:ExecuteTransaction", "*"))


LEDGER_REQUESTER = _ledger(*requester_statements(LEDGER_ARN, role_arn(NOTEBOOK_ROLE)))
LEDGER_APPROVER = _ledger(*approver_statements(LEDGER_ARN, role_arn(APPROVER_ROLE), applies=True))

VAULT_KEY_POLICY = document(
    {
        "Sid": "Administrators",
        "Effect": "Allow",
        "Principal": {"AWS": role_arn(ADMIN_ROLE)},
        "Action": "kms:*",
        "Resource": "*",
    },
    {
        "Sid": "DataOwner",
        "Effect": "Allow",
        "Principal": {"AWS": role_arn(APPROVER_ROLE)},
        "Resource": "*",
        "Action": ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:GetKeyPolicy"],
    },
    {
        "Sid": "TeamSeesMetadata",
        "Effect": "Allow",
        "Principal": {"AWS": role_arn(NOTEBOOK_ROLE)},
        "Resource": "*",
        "Action": ["kms:DescribeKey", "kms:GetKeyPolicy"],
    },
)

LEGACY_EVERYTHING = document(
    allow("EveryBucket", "s3:*", "*"),
    allow("PassAnyRole", "iam:PassRole", "*"),
    allow("ReadOwnRole", _READ_ROLE, role_arn(LEGACY_ROLE)),
    allow("ReadPolicies", _READ_POLICY, _OWN_POLICIES),
    allow("Notebooks", "sagemaker:*", "*"),
)

ML_ENGINEERS = document(
    allow("UseTheNotebookRole", "sts:AssumeRole", role_arn(NOTEBOOK_ROLE)),
    allow("SeeBuckets", "s3:ListAllMyBuckets", "*"),
    allow("ListModels", "s3:ListBucket", bucket_arn("acme-models")),
    allow("ReadModels", "s3:GetObject", bucket_arn("acme-models/*")),
)

ANALYSTS = document(
    allow("SeeBuckets", "s3:ListAllMyBuckets", "*"),
    allow(
        "ListCurated",
        "s3:ListBucket",
        bucket_arn("acme-lake"),
        {"StringLike": {"s3:prefix": ["curated", "curated/", "curated/*"]}},
    ),
    allow("ReadCurated", "s3:GetObject", bucket_arn("acme-lake/curated/*")),
)

HR_BUCKET_POLICY = document(
    {
        "Sid": "NotForTheTeam",
        "Effect": "Deny",
        "Principal": {"AWS": role_arn(NOTEBOOK_ROLE)},
        "Action": ["s3:ListBucket", "s3:GetObject*", "s3:PutObject*", "s3:DeleteObject*"],
        "Resource": [bucket_arn("acme-hr"), bucket_arn("acme-hr/*")],
    }
)

PARTNER_BUCKET_POLICY = document(
    {
        "Sid": "Reseller",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::777788889999:root"},
        "Action": "s3:GetObject",
        "Resource": bucket_arn("partner-exchange/*"),
    }
)
