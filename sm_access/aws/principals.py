"""Read, in parallel, the policies that speak for a principal.

What may not be read is named with the one permission that would settle it, and its layer is UNREADABLE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from sm_access.access.evidence import Policies, PrincipalEvidence, Unread
from sm_access.access.identity import CredentialSource
from sm_access.aws.identity import credential_source
from sm_access.aws.policy_documents import parsed_policy
from sm_access.aws.session import WORKERS, Aws, error_code, told
from sm_access.errors import AccessDenied, CannotTell
from sm_access.policy import UNREADABLE, Arn, NamedPolicy, canonical_principal
from sm_access.policy.policy_set import Unreadable

T = TypeVar("T")

#: Sources whose sessions AWS itself starts, for SageMaker, ECS and EC2: without a session policy.
_WITHOUT_SESSION_POLICY = (CredentialSource.CONTAINER, CredentialSource.INSTANCE_METADATA)
_NO_ORGANIZATION = "AWSOrganizationsNotInUseException"


def collect_principal(aws: Aws, arn: str) -> PrincipalEvidence:
    """The identity policies and boundary of a role, a session of one, or an IAM user (groups included).

    Raises NoCredentials, ExpiredCredentials, AwsUnreachable; CannotTell for a kind of principal that has no policies
    to read. What is denied is named in `unread`.
    """
    principal = Arn.parse(canonical_principal(arn))
    kind, _, path = principal.resource.partition("/")
    name = path.rsplit("/", 1)[-1]
    if kind not in {"role", "user"}:
        raise CannotTell(
            f"{arn} is neither a role nor a user, so it has no policies to read.",
            remedy="Work on an assumed role; `sm-access whoami` shows what you are now.",
        )
    iam = aws.client("iam")
    unread: list[Unread] = []
    with ThreadPoolExecutor(WORKERS) as pool:
        owner = pool.submit(_entity, iam, kind, name)
        sources = [pool.submit(_policies_of, iam, kind, name, unread)]
        groups = _groups(iam, name, unread) if kind == "user" else ()
        if not isinstance(groups, Unreadable):
            sources += [pool.submit(_policies_of, iam, "group", group, unread) for group in groups]
        organization = pool.submit(_organization, aws)
        parts = [source.result() for source in sources]
        entity = owner.result()
        boundary = _boundary(iam, entity, kind, unread)
        unread += organization.result()
    if ":assumed-role/" in arn and credential_source(aws) not in _WITHOUT_SESSION_POLICY:
        unread.append(Unread("the session policy, if the role was assumed with one"))
    identity: Policies | Unreadable
    # INVARIANT: one policy that could not be read, and the whole layer is unreadable: it may hold a Deny.
    if isinstance(groups, Unreadable) or any(isinstance(part, Unreadable) for part in parts):
        identity = UNREADABLE
    else:
        identity = tuple(policy for part in parts if not isinstance(part, Unreadable) for policy in part)
    return PrincipalEvidence(
        arn=arn,
        iam_arn=None if entity is None else str(entity["Arn"]),
        account=principal.account,
        identity=identity,
        boundary=boundary,
        read_at=datetime.now(timezone.utc),
        unread=tuple(unread),
    )


def _entity(iam: Any, kind: str, name: str) -> dict[str, Any] | None:
    """The role or user itself, for its boundary; None where it may not be read."""
    try:
        with told(f"reading the {kind} {name}"):
            if kind == "role":
                return dict(iam.get_role(RoleName=name)["Role"])
            return dict(iam.get_user(UserName=name)["User"])
    except AccessDenied:
        return None


def _boundary(
    iam: Any, entity: dict[str, Any] | None, kind: str, unread: list[Unread]
) -> Policies | Unreadable | None:
    if entity is None:
        unread.append(Unread("the permissions boundary", f"iam:Get{kind.capitalize()}"))
        return UNREADABLE
    attached = entity.get("PermissionsBoundary")
    if not attached:
        return None
    arn = attached["PermissionsBoundaryArn"]
    found = _managed_policy(iam, arn, arn.rsplit("/", 1)[-1], "boundary", unread)
    return found if isinstance(found, Unreadable) else (found,)


def _groups(iam: Any, user: str, unread: list[Unread]) -> Sequence[str] | Unreadable:
    try:
        with told(f"reading the groups of {user}"):
            return [
                group["GroupName"]
                for page in iam.get_paginator("list_groups_for_user").paginate(UserName=user)
                for group in page["Groups"]
            ]
    except AccessDenied:
        unread.append(Unread("the policies of the user's groups", "iam:ListGroupsForUser"))
        return UNREADABLE


def _policies_of(iam: Any, kind: str, name: str, unread: list[Unread]) -> Policies | Unreadable:
    """Attached and inline policies of a role, user or group: two lists, then every document at once."""
    owner = {f"{kind.capitalize()}Name": name}
    permission = f"iam:ListAttached{kind.capitalize()}Policies"
    try:
        with told(f"listing the policies of the {kind} {name}"):
            attached = [
                (policy["PolicyArn"], policy["PolicyName"])
                for page in iam.get_paginator(f"list_attached_{kind}_policies").paginate(**owner)
                for policy in page["AttachedPolicies"]
            ]
            permission = f"iam:List{kind.capitalize()}Policies"
            inline = [
                policy
                for page in iam.get_paginator(f"list_{kind}_policies").paginate(**owner)
                for policy in page["PolicyNames"]
            ]
    except AccessDenied:
        unread.append(Unread(f"the policies of the {kind} {name}", permission))
        return UNREADABLE

    reads: list[Callable[[], NamedPolicy | Unreadable]] = [
        *(_reader(_managed_policy, iam, arn, policy, _managed_kind(arn), unread) for arn, policy in attached),
        *(_reader(_inline_policy, iam, kind, owner, policy, unread) for policy in inline),
    ]
    with ThreadPoolExecutor(WORKERS) as readers:
        found = list(readers.map(lambda read: read(), reads))
    if any(isinstance(policy, Unreadable) for policy in found):
        return UNREADABLE
    return tuple(policy for policy in found if not isinstance(policy, Unreadable))


def _reader(read: Callable[..., T], *arguments: Any) -> Callable[[], T]:
    return lambda: read(*arguments)


def _managed_kind(arn: str) -> str:
    return "aws-managed" if Arn.parse(arn).account == "aws" else "customer-managed"


def _managed_policy(
    iam: Any, arn: str, name: str, kind: str, unread: list[Unread]
) -> NamedPolicy | Unreadable:
    permission = "iam:GetPolicy"
    try:
        with told(f"reading the policy {name}"):
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            permission = "iam:GetPolicyVersion"
            document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    except AccessDenied:
        what = "the permissions boundary" if kind == "boundary" else "the policy"
        unread.append(Unread(f"{what} {name}", permission))
        return UNREADABLE
    return parsed_policy(document, name, kind, unread)


def _inline_policy(
    iam: Any, kind: str, owner: dict[str, str], name: str, unread: list[Unread]
) -> NamedPolicy | Unreadable:
    try:
        with told(f"reading the inline policy {name}"):
            document = getattr(iam, f"get_{kind}_policy")(PolicyName=name, **owner)["PolicyDocument"]
    except AccessDenied:
        unread.append(Unread(f"the inline policy {name}", f"iam:Get{kind.capitalize()}Policy"))
        return UNREADABLE
    return parsed_policy(document, name, "inline" if kind != "group" else "group", unread)


def _organization(aws: Aws) -> Iterable[Unread]:
    """Service and resource control policies cannot be read from a member account: said, unless there is none."""
    unread = (Unread("the organization's service and resource control policies"),)
    try:
        aws.client("organizations").describe_organization()
    except ClientError as error:
        return () if error_code(error) == _NO_ORGANIZATION else unread
    except (BotoCoreError, ResponseParserError):
        return unread
    return unread
