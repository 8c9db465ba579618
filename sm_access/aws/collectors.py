"""Read, in parallel, everything that decides what a principal may do in a bucket.

What may not be read is named with the one permission that would settle it, and its layer is UNREADABLE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from sm_access.access.evidence import BucketEvidence, Policies, PrincipalEvidence, Unread
from sm_access.aws.session import DENIED, Aws, error_code, told
from sm_access.errors import AccessDenied, CannotTell, PolicySyntaxError
from sm_access.policy import UNREADABLE, Arn, NamedPolicy, canonical_principal, parse_policy
from sm_access.policy.policy_set import Unreadable

T = TypeVar("T")

_WORKERS = 8
_ABSENT = frozenset(
    {
        "NoSuchBucketPolicy",
        "ServerSideEncryptionConfigurationNotFoundError",
        "NoSuchEntity",
        "NotFoundException",
    }
)
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
    with ThreadPoolExecutor(_WORKERS) as pool:
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
        read_at=_now(),
        unread=tuple(unread),
    )


def collect_bucket(aws: Aws, bucket: str, account: str) -> BucketEvidence:
    """Owner, bucket policy, default encryption and its key's policy. account: the asking principal's own.

    Raises NoCredentials, ExpiredCredentials, AwsUnreachable. What is denied is named in `unread`.
    """
    s3 = aws.client("s3")
    unread: list[Unread] = []
    with ThreadPoolExecutor(_WORKERS) as pool:
        head = pool.submit(_head, s3, bucket, account, unread)
        document = pool.submit(_bucket_policy, s3, bucket, unread)
        encryption = pool.submit(_encryption, s3, bucket, unread)
        owner, region = head.result()
        key = encryption.result()
        region = region or aws.region
        kms_key_arn = _key_arn(aws, key, region, owner or account, unread) if key else None
        return BucketEvidence(
            bucket=bucket,
            owner_account=owner,
            policy=document.result(),
            encryption_read=not isinstance(kms_key_arn, Unreadable),
            kms_key_arn=kms_key_arn if isinstance(kms_key_arn, str) else None,
            kms_policy=_key_policy(aws, kms_key_arn, unread) if isinstance(kms_key_arn, str) else None,
            region=region,
            read_at=_now(),
            unread=tuple(unread),
        )


def collect_buckets(aws: Aws) -> tuple[str, ...]:
    """The names of the account's buckets. Raises AccessDenied where `s3:ListAllMyBuckets` is missing."""
    with told("listing the account's buckets"):
        return tuple(bucket["Name"] for bucket in aws.client("s3").list_buckets().get("Buckets", ()))


def collect_prefixes(aws: Aws, bucket: str, limit: int = 20) -> tuple[str, ...]:
    """The first path components below a bucket, as far as they may be listed; none where they may not."""
    try:
        with told(f"listing {bucket}"):
            page = aws.client("s3").list_objects_v2(Bucket=bucket, Delimiter="/", MaxKeys=limit)
    except AccessDenied:
        return ()
    return tuple(prefix["Prefix"] for prefix in page.get("CommonPrefixes", ()))


def collect_role_notebooks(aws: Aws, role_arn: str) -> tuple[str, ...] | None:
    """The names of the notebook instances that work on a role; None where SageMaker may not be read."""
    sagemaker = aws.client("sagemaker")
    try:
        with told("asking SageMaker which notebooks use the role"):
            names = [
                instance["NotebookInstanceName"]
                for page in sagemaker.get_paginator("list_notebook_instances").paginate()
                for instance in page["NotebookInstances"]
            ]
            with ThreadPoolExecutor(_WORKERS) as pool:
                details = pool.map(
                    lambda name: sagemaker.describe_notebook_instance(NotebookInstanceName=name), names
                )
                return tuple(
                    name
                    for name, detail in zip(names, details, strict=True)
                    if detail.get("RoleArn") == role_arn
                )
    except (AccessDenied, CannotTell):
        return None


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
    with ThreadPoolExecutor(_WORKERS) as readers:
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
    return _parsed(document, name, kind, unread)


def _inline_policy(
    iam: Any, kind: str, owner: dict[str, str], name: str, unread: list[Unread]
) -> NamedPolicy | Unreadable:
    try:
        with told(f"reading the inline policy {name}"):
            document = getattr(iam, f"get_{kind}_policy")(PolicyName=name, **owner)["PolicyDocument"]
    except AccessDenied:
        unread.append(Unread(f"the inline policy {name}", f"iam:Get{kind.capitalize()}Policy"))
        return UNREADABLE
    return _parsed(document, name, "inline" if kind != "group" else "group", unread)


def _parsed(document: Any, name: str, kind: str, unread: list[Unread]) -> NamedPolicy | Unreadable:
    """A policy as the engine takes it; one that it does not understand is as good as unread, and named."""
    try:
        return NamedPolicy(name, parse_policy(document, name=name), kind)
    except PolicySyntaxError as error:
        unread.append(Unread(f"{name}, which is not understood at {error.path}: {error.expected}"))
        return UNREADABLE


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


def _head(s3: Any, bucket: str, account: str, unread: list[Unread]) -> tuple[str | None, str | None]:
    """The bucket's owner and Region. S3 is asked to refuse unless the owner is the expected account; each of its
    answers, a refusal included, carries the Region.
    """
    owner: str | None = account
    with told(f"looking for the bucket {bucket}"):
        try:
            answer: Any = s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
        except ClientError as error:
            if error_code(error) in {"404", "NoSuchBucket"}:
                raise CannotTell(
                    f"There is no bucket named {bucket}.",
                    remedy="Check the spelling; `sm-access permissions` lists the buckets of this account.",
                ) from error
            if error_code(error) not in DENIED:
                raise
            answer = error.response
            owner = _owner_by_listing(s3, bucket, account, unread)
    region = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-bucket-region")
    return owner, str(region) if region else None


def _owner_by_listing(s3: Any, bucket: str, account: str, unread: list[Unread]) -> str | None:
    try:
        with told("listing the account's buckets"):
            names = {found["Name"] for found in s3.list_buckets().get("Buckets", ())}
    except AccessDenied:
        unread.append(Unread(f"which account owns {bucket}", "s3:ListAllMyBuckets"))
        return None
    if bucket in names:
        return account
    unread.append(Unread(f"which account owns {bucket}; it is none of {account}'s"))
    return None


def _bucket_policy(s3: Any, bucket: str, unread: list[Unread]) -> Policies | Unreadable | None:
    with told(f"reading the bucket policy of {bucket}"):
        try:
            document = s3.get_bucket_policy(Bucket=bucket)["Policy"]
        except ClientError as error:
            if error_code(error) in _ABSENT:
                return None
            if error_code(error) in DENIED or error_code(error) == "MethodNotAllowed":
                unread.append(Unread(f"the bucket policy of {bucket}", "s3:GetBucketPolicy"))
                return UNREADABLE
            raise
    found = _parsed(document, f"bucket policy of {bucket}", "resource", unread)
    return found if isinstance(found, Unreadable) else (found,)


def _encryption(s3: Any, bucket: str, unread: list[Unread]) -> str | Unreadable | None:
    """The key of the bucket's default encryption as AWS names it; an object may have been written with another."""
    with told(f"reading the encryption of {bucket}"):
        try:
            found = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        except ClientError as error:
            if error_code(error) in _ABSENT:
                return None
            if error_code(error) in DENIED:
                unread.append(Unread(f"the encryption of {bucket}", "s3:GetEncryptionConfiguration"))
                return UNREADABLE
            raise
    for rule in found:
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        if str(default.get("SSEAlgorithm", "")).startswith("aws:kms"):
            return str(default.get("KMSMasterKeyID") or "alias/aws/s3")
    return None


def _key_arn(
    aws: Aws, key: str | Unreadable, region: str | None, account: str, unread: list[Unread]
) -> str | Unreadable:
    """The key's own ARN: a bucket may name its key by ARN, id or alias, and IAM matches only the first."""
    if isinstance(key, Unreadable) or (key.startswith("arn:") and ":key/" in key):
        return key
    if not key.startswith(("arn:", "alias/")):
        return f"arn:aws:kms:{region or 'us-east-1'}:{account}:key/{key}"
    try:
        with told("looking up the bucket's key"):
            return str(aws.client("kms", region).describe_key(KeyId=key)["KeyMetadata"]["Arn"])
    except (AccessDenied, CannotTell):
        unread.append(Unread(f"which key {key} is", "kms:DescribeKey"))
        return UNREADABLE


def _key_policy(aws: Aws, key_arn: str, unread: list[Unread]) -> Policies | Unreadable:
    try:
        with told("reading the key's policy"):
            document = aws.client("kms", Arn.parse(key_arn).region).get_key_policy(
                KeyId=key_arn, PolicyName="default"
            )
    except (AccessDenied, CannotTell):
        unread.append(Unread(f"the policy of the key {key_arn}", "kms:GetKeyPolicy"))
        return UNREADABLE
    found = _parsed(document["Policy"], "key policy", "resource", unread)
    return found if isinstance(found, Unreadable) else (found,)


def _now() -> datetime:
    return datetime.now(timezone.utc)
