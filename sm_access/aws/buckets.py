"""Read, in parallel, what a bucket adds to a decision: owner, Region, policy, encryption and its key's policy, Object
Ownership, Block Public Access.

In the order of what waits for what:

    1  HeadBucket | GetBucketPolicy | GetBucketEncryption | GetBucketOwnershipControls | GetPublicAccessBlock
    2  DescribeKey, where the bucket names its key by an alias | the account's GetPublicAccessBlock, where it matters
    3  GetKeyPolicy

Of a bucket that ListBuckets told of, only policy and encryption are asked for: it is the account's own, its Region is
known, and within the owner's account neither Object Ownership nor Block Public Access has a say in what a role does
with objects. What may not be read is named with the one permission that would settle it; its layer is UNREADABLE.
"""

from __future__ import annotations

from asyncio import Task, gather
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from sm_access.access.evidence import BucketEvidence, Policies, Unread
from sm_access.aws.policy_documents import parsed_policy
from sm_access.aws.reading import Reading, in_order
from sm_access.aws.session import DENIED, Aws, error_code
from sm_access.errors import AwsUnreachable, CannotTell, NotSupportedHere, SmAccessError
from sm_access.policy import UNREADABLE, Arn
from sm_access.policy.policy_set import PublicAccessBlock, Unreadable

T = TypeVar("T")

_ABSENT = frozenset(
    {
        "NoSuchBucketPolicy",
        "NoSuchPublicAccessBlockConfiguration",
        "OwnershipControlsNotFoundError",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)
_NO_BUCKET = frozenset({"404", "NoSuchBucket"})
_OF_S3 = "alias/aws/s3"
_PAGE = 1000
_FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
#: What S3 applies where a bucket has no ownership controls: the object's writer owns it, and lists may allow.
_WITHOUT_CONTROLS = "ObjectWriter"


@dataclass(frozen=True, slots=True)
class Listed:
    """A bucket as ListBuckets tells it: of the caller's own account. region: None where the endpoint does not say."""

    name: str
    region: str | None = None


def collect_bucket(aws: Aws, bucket: str, account: str) -> BucketEvidence:
    """All that a bucket adds. account: the asking principal's own.

    Raises CannotTell where there is no such bucket; NoCredentials, ExpiredCredentials; AwsUnreachable and
    NotSupportedHere where owner, policy or encryption had no answer. What is denied is named in `unread`.
    """
    return Reading(aws).run(lambda reading: read_bucket(reading, bucket, account, strict=True))


def collect_buckets(aws: Aws) -> tuple[str, ...]:
    """The names of the account's buckets. Raises AccessDenied where `s3:ListAllMyBuckets` is missing."""

    async def names(reading: Reading) -> tuple[str, ...]:
        return tuple(bucket.name for bucket in await list_buckets(reading))

    return Reading(aws).run(names)


async def list_buckets(reading: Reading, *, share: float = 1.0) -> tuple[Listed, ...]:
    """The account's buckets, page by page; asked once in a reading."""
    return await reading.once(
        "ListBuckets",
        "listing the account's buckets",
        lambda: _all_buckets(reading.aws.client("s3")),
        share=share,
    )


def _all_buckets(s3: Any) -> tuple[Listed, ...]:
    if s3.can_paginate("list_buckets"):
        # With a page size S3 tells the Regions as well (Amazon S3 API Reference, "ListBuckets").
        pages = s3.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": _PAGE})
    else:  # an SDK from before pages
        pages = [s3.list_buckets()]
    return tuple(
        Listed(bucket["Name"], bucket.get("BucketRegion"))
        for page in pages
        for bucket in page.get("Buckets", ())
    )


async def read_bucket(
    reading: Reading, bucket: str, account: str, *, listed: Listed | None = None, strict: bool = False
) -> BucketEvidence:
    """As `collect_bucket`, within a reading. listed: how the account's list has it. strict: raise AwsUnreachable and
    NotSupportedHere instead of naming what had no answer.
    """
    return await _Bucket(reading, bucket, account, listed, strict).read()


class _Bucket:
    def __init__(
        self, reading: Reading, name: str, account: str, listed: Listed | None, strict: bool
    ) -> None:
        self._reading = reading
        self._name = name
        self._account = account
        self._listed = listed
        self._strict = strict
        self._unread: list[Unread] = []
        self._is_foreign = False

    async def read(self) -> BucketEvidence:
        read_at = datetime.now(timezone.utc)
        place = self._reading.begin(self._owner_and_region())
        (owner, region), policy, (key, bucket_key, kms_policy), ownership, public_access = await gather(
            place,
            self._policy(),
            self._encryption(place),
            self._ownership() if self._listed is None else _nothing(),
            self._public_access(place) if self._listed is None else _nothing(),
        )
        if owner != self._account:
            self._unread.append(
                Unread(f"the resource control policies of the account that owns {self._name}")
            )
        return BucketEvidence(
            bucket=self._name,
            owner_account=owner,
            policy=policy,
            encryption_read=not isinstance(key, Unreadable),
            kms_key_arn=key if isinstance(key, str) else None,
            kms_policy=kms_policy,
            region=region,
            read_at=read_at,
            unread=in_order(self._unread),
            bucket_key=bucket_key,
            object_ownership=ownership,
            public_access_block=public_access,
            is_foreign=self._is_foreign,
        )

    @property
    def _s3(self) -> Any:
        """In the bucket's own Region where that is known; S3 sends the SDK there otherwise."""
        return self._reading.aws.client("s3", self._listed.region if self._listed else None)

    async def _layer(
        self, what: str, permission: str, work: Callable[[], T], unread: list[Unread] | None = None
    ) -> T | Unreadable:
        """A part of the bucket. unread: where it is named instead, if it is none that must be known. Raises CannotTell
        where the bucket is gone.
        """
        what = f"{what} of {self._name}"
        try:
            return await self._reading.layer(
                what,
                permission,
                self._reading.call(f"reading {what}", work),
                self._unread if unread is None else unread,
                is_fatal=self._is_fatal if unread is None else _is_gone,
            )
        except CannotTell as error:
            if error.code in _NO_BUCKET:
                raise self._gone() from None
            raise

    def _is_fatal(self, error: SmAccessError) -> bool:
        no_answer = isinstance(error, AwsUnreachable | NotSupportedHere)
        return _is_gone(error) or (self._strict and no_answer)

    def _gone(self) -> CannotTell:
        return CannotTell(
            f"There is no bucket named {self._name}.",
            remedy="Check the spelling; `sm-access permissions` lists the buckets of this account.",
        )

    async def _owner_and_region(self) -> tuple[str | None, str | None]:
        """S3 is asked to refuse unless the owner is the expected account; each of its answers, a refusal included,
        carries the Region.
        """
        if self._listed is not None and self._listed.region is not None:
            return self._account, self._listed.region
        headers = await self._layer("the owner", "s3:ListBucket", self._head)
        if isinstance(headers, Unreadable):
            return self._account if self._listed else None, None
        is_own, region = headers
        if is_own or self._listed is not None:
            return self._account, region
        return await self._owner_by_listing(), region

    def _head(self) -> tuple[bool, str | None]:
        try:
            answer: Any = self._s3.head_bucket(Bucket=self._name, ExpectedBucketOwner=self._account)
            is_own = True
        except ClientError as error:
            if error_code(error) not in DENIED:
                raise
            answer, is_own = error.response, False
        region = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-bucket-region")
        return is_own, str(region) if region else None

    async def _owner_by_listing(self) -> str | None:
        what = f"which account owns {self._name}"
        buckets = await self._reading.layer(
            what, "s3:ListAllMyBuckets", list_buckets(self._reading), self._unread, is_fatal=self._is_fatal
        )
        if isinstance(buckets, Unreadable):
            return None
        if any(bucket.name == self._name for bucket in buckets):
            return self._account
        self._unread.append(Unread(f"{what}; it is none of {self._account}'s"))
        self._is_foreign = True
        return None

    async def _policy(self) -> Policies | Unreadable | None:
        document = await self._layer(
            "the bucket policy",
            "s3:GetBucketPolicy",
            lambda: _unless_absent(lambda: self._s3.get_bucket_policy(Bucket=self._name)["Policy"]),
        )
        if document is None or isinstance(document, Unreadable):
            return document
        found = parsed_policy(document, f"bucket policy of {self._name}", "resource", self._unread)
        return found if isinstance(found, Unreadable) else (found,)

    async def _encryption(
        self, place: Task[tuple[str | None, str | None]]
    ) -> tuple[str | Unreadable | None, bool | None, Policies | Unreadable | None]:
        """The key's own ARN, None for S3's own keys; whether S3 Bucket Keys are on; the key's policy."""
        rules = await self._layer(
            "the encryption",
            "s3:GetEncryptionConfiguration",
            lambda: _unless_absent(
                lambda: self._s3.get_bucket_encryption(Bucket=self._name)[
                    "ServerSideEncryptionConfiguration"
                ]["Rules"]
            ),
        )
        if isinstance(rules, Unreadable):
            return UNREADABLE, None, None
        for rule in rules or ():
            default = rule.get("ApplyServerSideEncryptionByDefault", {})
            if str(default.get("SSEAlgorithm", "")).startswith("aws:kms"):
                bucket_key = bool(rule.get("BucketKeyEnabled", False))
                key = await self._key_arn(str(default.get("KMSMasterKeyID") or _OF_S3), place)
                return key, bucket_key, None if isinstance(key, Unreadable) else await self._key_policy(key)
        return None, None, None

    async def _key_arn(self, key: str, place: Task[tuple[str | None, str | None]]) -> str | Unreadable:
        """A bucket may name its key by ARN, id or alias, and IAM matches only the key's own ARN.

        An id or alias without an account is one of the bucket owner's account and Region.
        """
        if key.startswith("arn:") and ":key/" in key:
            return key
        if not key.startswith("arn:"):
            owner, region = await place
            region = region or self._reading.aws.region
            if owner is None or region is None:
                self._unread.append(Unread(f"which key {key} of {self._name} is, as its owner is not known"))
                return UNREADABLE
            partition = self._reading.aws.session.get_partition_for_region(region)
            kind = "" if key.startswith("alias/") else "key/"
            key = f"arn:{partition}:kms:{region}:{owner}:{kind}{key}"
            if kind:
                return key
        return await self._reading.layer(
            f"which key {key} is",
            "kms:DescribeKey",
            self._reading.once(
                ("DescribeKey", key),
                "looking up the bucket's key",
                lambda: str(self._kms(key).describe_key(KeyId=key)["KeyMetadata"]["Arn"]),
            ),
            self._unread,
        )

    async def _key_policy(self, key_arn: str) -> Policies | Unreadable:
        document = await self._reading.layer(
            f"the policy of the key {key_arn}",
            "kms:GetKeyPolicy",
            self._reading.once(
                ("GetKeyPolicy", key_arn),
                "reading the key's policy",
                lambda: self._kms(key_arn).get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"],
            ),
            self._unread,
        )
        if isinstance(document, Unreadable):
            return UNREADABLE
        found = parsed_policy(document, "key policy", "resource", self._unread)
        return found if isinstance(found, Unreadable) else (found,)

    def _kms(self, key_arn: str) -> Any:
        return self._reading.aws.client("kms", Arn.parse(key_arn).region)

    async def _ownership(self) -> str | None:
        """Whether access control lists have a say; not named where it is not known, for the engine says where that
        could turn an answer.
        """
        rules = await self._layer(
            "the Object Ownership",
            "s3:GetBucketOwnershipControls",
            lambda: _unless_absent(
                lambda: self._s3.get_bucket_ownership_controls(Bucket=self._name)["OwnershipControls"][
                    "Rules"
                ]
            ),
            [],
        )
        if isinstance(rules, Unreadable):
            return None
        return next((str(rule["ObjectOwnership"]) for rule in rules or ()), _WITHOUT_CONTROLS)

    async def _public_access(
        self, place: Task[tuple[str | None, str | None]]
    ) -> PublicAccessBlock | Unreadable:
        """Bucket and account together: what either has on is on (Amazon S3 API Reference, "GetPublicAccessBlock").

        Within the owner's own account it restricts nothing that a role does with objects, so there it is not named.
        """
        unread: list[Unread] = []
        permission = "s3:GetBucketPublicAccessBlock"
        settings = await self._layer(
            "the Block Public Access settings", permission, self._blocks_of_bucket, unread
        )
        if not isinstance(settings, Unreadable) and all(settings):
            return PublicAccessBlock(*settings)
        owner, _ = await place
        if owner != self._account:
            self._unread += unread or [
                Unread(f"the Block Public Access settings of the account that owns {self._name}")
            ]
            return UNREADABLE
        if isinstance(settings, Unreadable):
            return UNREADABLE
        of_account = await self._reading.layer(
            "the account's Block Public Access settings",
            "s3:GetAccountPublicAccessBlock",
            self._reading.once(
                "account's GetPublicAccessBlock",
                "reading the account's Block Public Access settings",
                self._blocks_of_account,
            ),
            unread,
        )
        if isinstance(of_account, Unreadable):
            return UNREADABLE
        return PublicAccessBlock(*(one or other for one, other in zip(settings, of_account, strict=True)))

    def _blocks_of_bucket(self) -> tuple[bool, ...]:
        return _flags(
            _unless_absent(
                lambda: self._s3.get_public_access_block(Bucket=self._name)["PublicAccessBlockConfiguration"]
            )
        )

    def _blocks_of_account(self) -> tuple[bool, ...]:
        control = self._reading.aws.client("s3control")
        return _flags(
            _unless_absent(
                lambda: control.get_public_access_block(AccountId=self._account)[
                    "PublicAccessBlockConfiguration"
                ]
            )
        )


async def _nothing() -> None:
    return None


def _is_gone(error: SmAccessError) -> bool:
    return error.code in _NO_BUCKET


def _flags(settings: dict[str, bool] | None) -> tuple[bool, ...]:
    return tuple(bool((settings or {}).get(flag, False)) for flag in _FLAGS)


def _unless_absent(work: Callable[[], T]) -> T | None:
    """None where AWS says that there is none."""
    try:
        return work()
    except ClientError as error:
        if error_code(error) in _ABSENT:
            return None
        raise
