"""Read, in parallel, what a bucket adds to a decision: owner, policy, encryption, and the key's policy.

What may not be read is named with the one permission that would settle it, and its layer is UNREADABLE.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any

from botocore.exceptions import ClientError

from sm_access.access.evidence import BucketEvidence, Policies, Unread
from sm_access.aws.policy_documents import parsed_policy
from sm_access.aws.session import DENIED, WORKERS, Aws, error_code, told
from sm_access.errors import AccessDenied, CannotTell
from sm_access.policy import UNREADABLE, Arn
from sm_access.policy.policy_set import Unreadable

_ABSENT = frozenset(
    {
        "NoSuchBucketPolicy",
        "ServerSideEncryptionConfigurationNotFoundError",
        "NoSuchEntity",
        "NotFoundException",
    }
)


def collect_bucket(aws: Aws, bucket: str, account: str) -> BucketEvidence:
    """Owner, bucket policy, default encryption and its key's policy. account: the asking principal's own.

    Raises NoCredentials, ExpiredCredentials, AwsUnreachable. What is denied is named in `unread`.
    """
    s3 = aws.client("s3")
    unread: list[Unread] = []
    with ThreadPoolExecutor(WORKERS) as pool:
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
            read_at=datetime.now(timezone.utc),
            unread=tuple(unread),
        )


def collect_buckets(aws: Aws) -> tuple[str, ...]:
    """The names of the account's buckets. Raises AccessDenied where `s3:ListAllMyBuckets` is missing."""
    with told("listing the account's buckets"):
        return tuple(bucket["Name"] for bucket in aws.client("s3").list_buckets().get("Buckets", ()))


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
    found = parsed_policy(document, f"bucket policy of {bucket}", "resource", unread)
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
        region = region or "us-east-1"
        return f"arn:{aws.session.get_partition_for_region(region)}:kms:{region}:{account}:key/{key}"
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
    found = parsed_policy(document["Policy"], "key policy", "resource", unread)
    return found if isinstance(found, Unreadable) else (found,)
