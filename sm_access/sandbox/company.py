"""The company that the sandbox is seeded with: who is there, what they may do, and what there is to reach.

Pure data, the same at every start. Account 111122223333 in us-east-1, with one bucket of a partner's account.
It is built so that each layer has a case of its own that a person can meet:

    acme-lake/public/       allowed by a customer-managed policy
    acme-lake/raw/          nothing allows it (implicit deny); the prefix that people ask for
    acme-lake/raw-secret/   its sibling: a grant on raw/ must never open it
    acme-models/            list, read and write allowed
    acme-vault/             IAM allows it, the KMS key does not
    acme-hr/                IAM allows it, the bucket's policy denies it
    partner-exchange/       IAM allows it, the other account does not
    acme-features (table)   an inline policy allows it, the permissions boundary does not
    sm-access-ledger        the table of a team's ledger: the notebooks' role asks, the data owner decides
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sm_access.sandbox.company_policies import (
    ACCOUNT,
    ADMIN_ROLE,
    ANALYSTS,
    APPROVER_ROLE,
    BOUNDARY,
    DATA_OWNER,
    HR_BUCKET_POLICY,
    KEY_ALIAS,
    LEDGER_APPROVER,
    LEDGER_REQUESTER,
    LEDGER_TABLE,
    LEGACY_EVERYTHING,
    LEGACY_ROLE,
    ML_ENGINEERS,
    NOTEBOOK_BASICS,
    NOTEBOOK_ROLE,
    PARTNER_ACCOUNT,
    PARTNER_BUCKET_POLICY,
    PLATFORM_ADMINISTRATION,
    REGION,
    TEAM_DATA,
    VAULT_KEY_POLICY,
    Document,
    allow,
    aws_managed_arn,
    document,
    policy_arn,
    role_arn,
)

__all__ = [
    "ACCOUNT",
    "ADMIN_ROLE",
    "APPROVER_ROLE",
    "BUCKETS",
    "GROUPS",
    "KEY_ALIAS",
    "LEDGER_TABLE",
    "LEGACY_ROLE",
    "MANAGED_POLICIES",
    "NOTEBOOKS",
    "NOTEBOOK_BASICS",
    "NOTEBOOK_ROLE",
    "OWN_NOTEBOOK",
    "PARTNER_ACCOUNT",
    "PRINCIPALS",
    "REGION",
    "ROLES",
    "USERS",
    "VAULT_KEY_POLICY",
    "Bucket",
    "Document",
    "Group",
    "Principal",
    "Role",
    "allow",
    "document",
    "policy_arn",
    "resource_metadata",
    "role_arn",
]


@dataclass(frozen=True, slots=True)
class Role:
    """One IAM role. `trusted` are the service principals of its trust policy, beside the account itself."""

    name: str
    description: str
    trusted: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    inline: dict[str, Document] = field(default_factory=dict)
    boundary: str | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def trust_policy(self) -> Document:
        statements: list[Document] = [
            {
                "Sid": "Account",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "sts:AssumeRole",
            }
        ]
        if self.trusted:
            statements.insert(
                0,
                {
                    "Sid": "Services",
                    "Effect": "Allow",
                    "Principal": {"Service": list(self.trusted)},
                    "Action": "sts:AssumeRole",
                },
            )
        return document(*statements)


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    inline: dict[str, Document] = field(default_factory=dict)
    attached: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket with its objects (key -> text). `encrypted` = by default under the vault's KMS key."""

    name: str
    objects: dict[str, str]
    owner: str = ACCOUNT
    policy: Document | None = None
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class Principal:
    """A name that `--as` takes: a role with a session name, or an IAM user."""

    name: str
    role: str | None = None
    session_name: str | None = None
    user: str | None = None

    @property
    def arn(self) -> str:
        if self.role is not None:
            return f"arn:aws:sts::{ACCOUNT}:assumed-role/{self.role}/{self.session_name}"
        return f"arn:aws:iam::{ACCOUNT}:user/{self.user}"


MANAGED_POLICIES: dict[str, Document] = {
    "team-data": TEAM_DATA,
    "acme-boundary": BOUNDARY,
    "platform-administration": PLATFORM_ADMINISTRATION,
    "ledger-requester": LEDGER_REQUESTER,
    "ledger-approver": LEDGER_APPROVER,
}

ROLES: tuple[Role, ...] = (
    Role(
        NOTEBOOK_ROLE,
        "The one role of all data science notebooks",
        ("sagemaker.amazonaws.com",),
        (aws_managed_arn("AmazonSageMakerReadOnly"), policy_arn("team-data"), policy_arn("ledger-requester")),
        {"notebook-basics": NOTEBOOK_BASICS},
        policy_arn("acme-boundary"),
        {"team": "data-science"},
    ),
    Role(
        APPROVER_ROLE,
        "Owns the data: decides who may use it",
        (),
        (policy_arn("ledger-approver"),),
        {"data-owner": DATA_OWNER},
    ),
    Role(ADMIN_ROLE, "Runs the platform", (), (policy_arn("platform-administration"),)),
    Role(
        LEGACY_ROLE,
        "From before the central role; far too wide",
        ("sagemaker.amazonaws.com",),
        (aws_managed_arn("AmazonS3FullAccess"),),
        {"legacy-everything": LEGACY_EVERYTHING},
    ),
)

GROUPS: tuple[Group, ...] = (
    Group("ML_Engineers", {"ml-engineers": ML_ENGINEERS}, members=("engineer-1", "engineer-2", "engineer-3")),
    Group("ML_Admins", attached=(policy_arn("platform-administration"),), members=("admin-1",)),
    Group("Analysts", {"analysts": ANALYSTS}, members=("analyst-1", "analyst-2")),
)

USERS: tuple[str, ...] = tuple(member for group in GROUPS for member in group.members)

BUCKETS: tuple[Bucket, ...] = (
    Bucket(
        "acme-lake",
        {
            "public/countries.csv": "code,name\nCH,Switzerland\nDE,Germany\nJP,Japan\n",
            "public/holidays/2026.csv": "date,name\n2026-01-01,New Year\n2026-12-25,Christmas\n",
            "public/README.txt": "Open to every team.\n",
            "raw/customers.csv": "id,country,since\n1,CH,2019-04-02\n2,DE,2021-11-30\n3,JP,2023-06-18\n",
            "raw/events/2026-11-01.json": '{"id": 1, "event": "login"}\n{"id": 2, "event": "cancel"}\n',
            "raw/events/2026-11-02.json": '{"id": 3, "event": "login"}\n',
            "raw-secret/salaries.csv": "id,salary\n1,1\n2,2\n",
            "curated/churn.csv": "id,churned\n1,0\n2,1\n3,0\n",
            "curated/features.json": '{"columns": ["country", "tenure", "churned"]}\n',
        },
    ),
    Bucket(
        "acme-models",
        {
            "churn/2026-10/model.json": '{"kind": "logistic-regression", "auc": 0.81}\n',
            "churn/2026-10/metrics.csv": "metric,value\nauc,0.81\n",
            "vision/labels.json": '["cat", "dog"]\n',
        },
    ),
    Bucket(
        "acme-vault",
        {"contracts/2026.csv": "contract,value\nA-1,100\nA-2,250\n", "keys/index.json": '{"sealed": true}\n'},
        encrypted=True,
    ),
    Bucket(
        "acme-hr",
        {"people.csv": "id,name\n1,A. Muster\n", "reviews/2026.csv": "id,score\n1,4\n"},
        policy=HR_BUCKET_POLICY,
    ),
    Bucket(
        "partner-exchange",
        {"outbox/prices.csv": "sku,price\nX-1,9.90\n"},
        owner=PARTNER_ACCOUNT,
        policy=PARTNER_BUCKET_POLICY,
    ),
)

NOTEBOOKS: dict[str, str] = {
    "nb-vision": NOTEBOOK_ROLE,
    "nb-churn": NOTEBOOK_ROLE,
    "nb-forecast": NOTEBOOK_ROLE,
    "nb-legacy": LEGACY_ROLE,
}
"""Notebook instances and the role that each runs as."""

OWN_NOTEBOOK = "nb-churn"
"""The instance on which the principal `notebook` works."""

PRINCIPALS: dict[str, Principal] = {
    principal.name: principal
    for principal in (
        Principal("notebook", role=NOTEBOOK_ROLE, session_name="SageMaker"),
        Principal("approver", role=APPROVER_ROLE, session_name="dana"),
        Principal("admin", role=ADMIN_ROLE, session_name="ada"),
        Principal("legacy", role=LEGACY_ROLE, session_name="SageMaker"),
        *(Principal(user, user=user) for user in USERS),
    )
}


def resource_metadata() -> dict[str, str]:
    """What a notebook instance of this name finds in /opt/ml/metadata/resource-metadata.json."""
    return {
        "ResourceArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:notebook-instance/{OWN_NOTEBOOK}",
        "ResourceName": OWN_NOTEBOOK,
    }
