"""Read everybody in an account - roles, users, groups - and every policy they hold.

`iam:GetAccountAuthorizationDetails` tells all of it in pages of up to a thousand (IAM API Reference,
"GetAccountAuthorizationDetails"). Where that is denied, single roles can still be read one by one (`read_role`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from sm_access.access.evidence import Unread
from sm_access.access.holder import UNLISTED, AccountHolders, HeldPolicy, Holder, HolderKind
from sm_access.aws.session import WORKERS, Aws, told
from sm_access.errors import AccessDenied, CannotTell
from sm_access.policy import Arn

DETAILS = "iam:GetAccountAuthorizationDetails"
PAGE = 1000
_LISTS = {
    HolderKind.ROLE: ("RoleDetailList", "RolePolicyList"),
    HolderKind.USER: ("UserDetailList", "UserPolicyList"),
    HolderKind.GROUP: ("GroupDetailList", "GroupPolicyList"),
}


def collect_account(
    aws: Aws, account: str, *, kinds: tuple[HolderKind, ...] = tuple(HolderKind)
) -> AccountHolders:
    """Everybody in the account, page by page.

    Raises AccessDenied where `iam:GetAccountAuthorizationDetails` is missing, NoCredentials, ExpiredCredentials,
    AwsUnreachable.
    """
    iam = aws.client("iam")
    names = {HolderKind.ROLE: "Role", HolderKind.USER: "User", HolderKind.GROUP: "Group"}
    wanted = [*(names[kind] for kind in kinds), "LocalManagedPolicy", "AWSManagedPolicy"]
    details: list[tuple[HolderKind, Mapping[str, Any]]] = []
    documents: dict[str, Any] = {}
    with told("reading the policies of the whole account"):
        pages = iam.get_paginator("get_account_authorization_details").paginate(
            Filter=wanted, PaginationConfig={"PageSize": PAGE}
        )
        for page in pages:
            for kind in kinds:
                details += [(kind, detail) for detail in page.get(_LISTS[kind][0], ())]
            documents |= {policy["Arn"]: _default_version(policy) for policy in page.get("Policies", ())}
    # Which managed policies come along is AWS's choice: those that did not are read by themselves.
    lacking = sorted({arn for _, detail in details for arn in _managed(detail)} - documents.keys())
    with ThreadPoolExecutor(WORKERS) as pool:
        read = dict(zip(lacking, pool.map(lambda arn: _read_managed(iam, arn), lacking), strict=True))
    return AccountHolders(
        account=account,
        holders=tuple(_holder(kind, detail, documents, read) for kind, detail in details),
        read_at=datetime.now(timezone.utc),
    )


def read_role(aws: Aws, name: str) -> Holder:
    """One role with everything it holds, by single calls. What is denied stands there as unread.

    Raises CannotTell where there is no such role; AccessDenied where the role itself may not be read.
    """
    iam = aws.client("iam")
    with told(f"reading the role {name}"):
        try:
            role = iam.get_role(RoleName=name)["Role"]
        except iam.exceptions.NoSuchEntityException:
            raise CannotTell(
                f"There is no role named {name}.", remedy="Give the name alone, without path or ARN."
            ) from None
    policies: list[HeldPolicy] = []
    permission = "iam:ListAttachedRolePolicies"
    try:
        with told(f"listing the policies of the role {name}"):
            pages = iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
            attached = [policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]]
            permission = "iam:ListRolePolicies"
            pages = iam.get_paginator("list_role_policies").paginate(RoleName=name)
            inline = [policy for page in pages for policy in page["PolicyNames"]]
    except AccessDenied:
        attached, inline = [], []
        policies.append(HeldPolicy(f"the policies of the role {name}", UNLISTED, None, permission))
    with ThreadPoolExecutor(WORKERS) as pool:
        policies += pool.map(lambda arn: _read_managed(iam, arn), attached)
        policies += pool.map(lambda policy: _read_inline(iam, name, policy), inline)
    boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return Holder(
        HolderKind.ROLE,
        role["Arn"],
        tuple(policies),
        replace(_read_managed(iam, boundary), kind="boundary") if boundary else None,
        id=role["RoleId"],
    )


def _default_version(policy: Mapping[str, Any]) -> Any:
    return next(
        (version["Document"] for version in policy["PolicyVersionList"] if version.get("IsDefaultVersion")),
        None,
    )


def _managed(detail: Mapping[str, Any]) -> Iterator[str]:
    yield from (policy["PolicyArn"] for policy in detail.get("AttachedManagedPolicies", ()))
    boundary = detail.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    if boundary:
        yield boundary


def _holder(
    kind: HolderKind, detail: Mapping[str, Any], documents: Mapping[str, Any], read: Mapping[str, HeldPolicy]
) -> Holder:
    def managed(arn: str, of: str) -> HeldPolicy:
        if arn in read:
            return replace(read[arn], kind=of)
        return HeldPolicy(arn.rsplit("/", 1)[-1], of, documents[arn], "iam:GetPolicyVersion")

    attached = [
        managed(policy["PolicyArn"], _kind_of(policy["PolicyArn"]))
        for policy in detail.get("AttachedManagedPolicies", ())
    ]
    inline = [
        HeldPolicy(policy["PolicyName"], "inline", policy["PolicyDocument"])
        for policy in detail.get(_LISTS[kind][1], ())
    ]
    boundary = detail.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return Holder(
        kind,
        detail["Arn"],
        (*attached, *inline),
        managed(boundary, "boundary") if boundary else None,
        tuple(detail.get("GroupList", ())),
        str(detail.get("RoleId", "")),
    )


def _kind_of(arn: str) -> str:
    return "aws-managed" if Arn.parse(arn).account == "aws" else "customer-managed"


def _read_managed(iam: Any, arn: str) -> HeldPolicy:
    name, permission = arn.rsplit("/", 1)[-1], "iam:GetPolicy"
    try:
        with told(f"reading the policy {name}"):
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            permission = "iam:GetPolicyVersion"
            answer = iam.get_policy_version(PolicyArn=arn, VersionId=version)
    except AccessDenied:
        return HeldPolicy(name, _kind_of(arn), None, permission)
    return HeldPolicy(name, _kind_of(arn), answer["PolicyVersion"]["Document"])


def _read_inline(iam: Any, role: str, name: str) -> HeldPolicy:
    try:
        with told(f"reading the inline policy {name}"):
            answer = iam.get_role_policy(RoleName=role, PolicyName=name)
    except AccessDenied:
        return HeldPolicy(name, "inline", None, "iam:GetRolePolicy")
    return HeldPolicy(name, "inline", answer["PolicyDocument"])


def collect_roles(aws: Aws, account: str) -> AccountHolders:
    """The account's roles one by one, where the details of everybody may not be read: slower, and without users and
    groups, which is named. Raises AccessDenied where `iam:ListRoles` is missing too.
    """
    iam = aws.client("iam")
    with told("listing the account's roles"):
        names = [
            role["RoleName"] for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]
        ]

    def read(name: str) -> Holder | Unread:
        try:
            return read_role(aws, name)
        except (AccessDenied, CannotTell):
            return Unread(f"the role {name}", "iam:GetRole")

    with ThreadPoolExecutor(WORKERS) as pool:
        found = list(pool.map(read, names))
    return AccountHolders(
        account=account,
        holders=tuple(each for each in found if isinstance(each, Holder)),
        read_at=datetime.now(timezone.utc),
        unread=(
            Unread("users and groups", DETAILS),
            *(each for each in found if isinstance(each, Unread)),
        ),
    )
