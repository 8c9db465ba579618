"""What a level means: the narrowest statements that grant it, and the checks that tell whether it is there
already.

    list    s3:ListBucket
    read    list + s3:GetObject
    write   list + s3:PutObject, s3:AbortMultipartUpload, s3:ListMultipartUploadParts
    delete  list + s3:DeleteObject

Every level lists: s3fs, pandas, awswrangler and the AWS command line list a prefix before they touch an
object, and without s3:ListBucket a missing key answers 403 instead of 404 (Amazon S3 API Reference,
"GetObject"). Nothing else is implied: write is not read (an upload needs no GetObject), nor delete (an
overwrite needs no DeleteObject). Left out on purpose: ACLs, and s3:ListBucketMultipartUploads, which would show the
names of other people's uploads. Only where asked for:

    versions   s3:ListBucketVersions, and of the level s3:GetObjectVersion or s3:DeleteObjectVersion
    tags       of the level s3:GetObjectTagging, s3:PutObjectTagging or s3:DeleteObjectTagging, and the same of
               versions where they are asked for too

Listing is held to the target by `s3:prefix` (S3 User Guide, "Bucket policy examples using condition keys").
The bare stem is never an allowed prefix: listing `raw` shows `raw-secret/` as well.

A bucket with default encryption under a KMS key needs the key too (S3 User Guide, "Using server-side
encryption with AWS KMS keys"): kms:Decrypt to read; kms:GenerateDataKey, and kms:Decrypt for the parts of a
multipart upload, to write; nothing to list or delete. Held to S3 in the key's Region by `kms:ViaService`, and to this
target by the encryption context that S3 sends with every such call: the object's ARN or, where the bucket uses an S3
Bucket Key, the bucket's (S3 User Guide, "Using server-side encryption with AWS KMS keys: Encryption context"; "Reducing
the cost of SSE-KMS with Amazon S3 Bucket Keys"). Both are written, since objects keep what they were stored with.

A grant for one person carries `aws:SourceIdentity`, which nobody can change in a session or by assuming another role
from it (IAM User Guide, "Monitor and control actions taken with assumed roles").

Every statement ends by itself: `DateLessThan aws:CurrentTime` is evaluated at each call, so a live session
loses the access at that second with nothing running anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sm_access.access.caller import PARTITIONS
from sm_access.access.instant import format_instant
from sm_access.access.level import Extra, Level
from sm_access.access.target import S3Target
from sm_access.errors import InvalidInput

Statement = dict[str, Any]
Conditions = Mapping[str, Mapping[str, Any]]

LIST_ACTION = "s3:ListBucket"
ENDS = ("DateLessThan", "aws:CurrentTime")
"""Operator and context key by which every statement ends."""
ENCRYPTION_CONTEXT = "kms:EncryptionContext:aws:s3:arn"
"""What S3 tells KMS about the object: its ARN, or its bucket's where an S3 Bucket Key is used."""
SOURCE_IDENTITY = "aws:SourceIdentity"
"""The context key of a person behind a shared role."""

_OBJECT_ACTIONS: Mapping[Level, tuple[str, ...]] = {
    Level.LIST: (),
    Level.READ: ("s3:GetObject",),
    Level.WRITE: ("s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"),
    Level.DELETE: ("s3:DeleteObject",),
}
_EXTRA_ACTIONS: Mapping[tuple[Level, Extra], tuple[str, ...]] = {
    (Level.READ, Extra.VERSIONS): ("s3:GetObjectVersion",),
    (Level.DELETE, Extra.VERSIONS): ("s3:DeleteObjectVersion",),
    (Level.READ, Extra.TAGS): ("s3:GetObjectTagging",),
    (Level.WRITE, Extra.TAGS): ("s3:PutObjectTagging",),
    (Level.DELETE, Extra.TAGS): ("s3:DeleteObjectTagging",),
}
_TAGS_OF_VERSIONS: Mapping[Level, tuple[str, ...]] = {
    Level.READ: ("s3:GetObjectVersionTagging",),
    Level.WRITE: ("s3:PutObjectVersionTagging",),
    Level.DELETE: ("s3:DeleteObjectVersionTagging",),
}
_KEY_ACTIONS: Mapping[Level, tuple[str, ...]] = {
    Level.LIST: (),
    Level.READ: ("kms:Decrypt",),
    Level.WRITE: ("kms:GenerateDataKey", "kms:Decrypt"),
    Level.DELETE: (),
}
_KEY_ARN = re.compile(rf"arn:(?:{PARTITIONS}):kms:([a-z]{{2,}}(?:-[a-z]+)+-\d):\d{{12}}:key/[A-Za-z0-9-]+")
_SID = re.compile(r"[A-Za-z0-9]+")
# AWS STS API Reference, "AssumeRole", SourceIdentity.
_SOURCE_IDENTITY = re.compile(r"(?!aws:)[\w+=,.@-]{2,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Check:
    """One call that must be allowed. `context`: the context keys that such a call carries, besides the
    global ones."""

    action: str
    resource_arn: str
    context: Mapping[str, str] = field(default_factory=dict)


def actions(level: Level, extras: Collection[Extra] = ()) -> tuple[str, ...]:
    """The S3 actions that a level means, and what was asked for beside it."""
    return (*_listing_actions(extras), *_object_actions(level, extras))


def _listing_actions(extras: Collection[Extra]) -> tuple[str, ...]:
    return (LIST_ACTION, "s3:ListBucketVersions") if Extra.VERSIONS in extras else (LIST_ACTION,)


def _object_actions(level: Level, extras: Collection[Extra]) -> tuple[str, ...]:
    beside = [name for extra in Extra if extra in extras for name in _EXTRA_ACTIONS.get((level, extra), ())]
    if set(Extra) <= set(extras):
        beside += _TAGS_OF_VERSIONS.get(level, ())
    return (*_OBJECT_ACTIONS[level], *beside)


def key_region(kms_key_arn: str, region: str | None = None) -> str:
    """The Region of a KMS key, which is that of the buckets it encrypts. Raises InvalidInput.

    Aliases are refused: IAM matches the resource of kms:Decrypt against the key's own ARN (AWS KMS
    Developer Guide, "Using aliases to control access").
    """
    match = _KEY_ARN.fullmatch(kms_key_arn)
    if not match:
        raise InvalidInput(
            f"{kms_key_arn!r} is not the ARN of a KMS key.",
            remedy="Pass the key's own ARN, arn:aws:kms:REGION:ACCOUNT:key/ID; an alias cannot be granted.",
        )
    if region is not None and region != match.group(1):
        raise InvalidInput(
            f"The KMS key {kms_key_arn} is not in {region}; S3 takes keys of the bucket's Region alone.",
            remedy="Pass the key that the bucket's default encryption names.",
        )
    return match.group(1)


def statements(
    target: S3Target,
    level: Level,
    *,
    ends_at: datetime,
    kms_key_arn: str | None = None,
    region: str | None = None,
    sid_prefix: str,
    partition: str = "aws",
    extras: Collection[Extra] = (),
    source_identity: str | None = None,
) -> tuple[Statement, ...]:
    """The narrowest statements that grant a level on a target until a moment.

    `ends_at` is aware and cut to the second. `region` is that of the bucket; when None, the KMS key's own.
    `source_identity`: only for sessions with it. Raises InvalidInput for a key ARN that is none, or a source identity
    that STS would not set; ValueError for a naive `ends_at` or a Sid that IAM would refuse.
    """
    return statements_until(
        target,
        level,
        end=format_instant(ends_at),
        kms_key_arn=kms_key_arn,
        region=region,
        sid_prefix=sid_prefix,
        partition=partition,
        extras=extras,
        source_identity=source_identity,
    )


def statements_until(
    target: S3Target,
    level: Level,
    *,
    end: str,
    kms_key_arn: str | None,
    region: str | None,
    sid_prefix: str,
    partition: str,
    extras: Collection[Extra],
    source_identity: str | None,
) -> tuple[Statement, ...]:
    """As `statements`, with the end as text: what is reviewed names the duration where the grant names the
    moment."""
    if not _SID.fullmatch(sid_prefix):
        raise ValueError(f"a Sid is of letters and digits, not {sid_prefix!r}")
    person = _only_for(source_identity)
    bucket, objects = target.bucket_arn(partition), target.object_arns(partition)

    def statement(
        name: str, names: tuple[str, ...], resources: tuple[str, ...], conditions: Conditions
    ) -> Statement:
        return _statement(f"{sid_prefix}{name}", names, resources, end, conditions, person)

    made = [statement("List", _listing_actions(extras), (bucket,), _listing(target))]
    if on_objects := _object_actions(level, extras):
        made.append(statement(level.value.capitalize(), on_objects, objects, {}))
    if kms_key_arn is not None:
        through_s3: Conditions = {
            "StringLike": {
                ENCRYPTION_CONTEXT: [bucket, *objects],
                "kms:ViaService": _via_service(kms_key_arn, region),
            },
        }
        if _KEY_ACTIONS[level]:
            made.append(statement("Key", _KEY_ACTIONS[level], (kms_key_arn,), through_s3))
    return tuple(made)


def checks(
    target: S3Target,
    level: Level,
    kms_key_arn: str | None = None,
    *,
    partition: str = "aws",
    bucket_key: bool | None = None,
    extras: Collection[Extra] = (),
) -> tuple[Check, ...]:
    """The calls that must ALL be allowed for "level on target" to be yes.

    `bucket_key`: whether the bucket uses an S3 Bucket Key, which decides what S3 tells KMS; None asks for both.
    An object beneath a prefix is stood for by the key `*`, which in a request is a plain character: only a
    statement that matches any name matches it. A path without a closing slash is asked as the key itself
    and as a prefix. Raises InvalidInput for a key ARN that is none.
    """
    listing = {} if target.is_bucket else {"s3:prefix": target.listing_prefix}
    bucket, objects = target.bucket_arn(partition), target.object_arns(partition)
    made = [Check(action, bucket, listing) for action in _listing_actions(extras)]
    for action in _object_actions(level, extras):
        made.extend(Check(action, arn) for arn in objects)
    if kms_key_arn is not None:
        via = _via_service(kms_key_arn, None)
        told = {True: (bucket,), False: objects, None: (bucket, *objects)}[bucket_key]
        made.extend(
            Check(action, kms_key_arn, {"kms:ViaService": via, ENCRYPTION_CONTEXT: arn})
            for action in _KEY_ACTIONS[level]
            for arn in told
        )
    return tuple(made)


def _only_for(source_identity: str | None) -> Conditions:
    if source_identity is None:
        return {}
    if not _SOURCE_IDENTITY.fullmatch(source_identity):
        raise InvalidInput(
            f"{source_identity!r} cannot be a source identity.",
            remedy="It has 2 to 64 letters, digits and any of +=,.@-_; a SageMaker user profile's name is one.",
        )
    return {"StringEquals": {SOURCE_IDENTITY: source_identity}}


def _via_service(kms_key_arn: str, region: str | None) -> str:
    return f"s3.{key_region(kms_key_arn, region)}.amazonaws.com"


def _listing(target: S3Target) -> Conditions:
    if target.is_bucket:
        return {}
    # `*` matches nothing as well: one pattern is for the prefix itself and for all beneath it.
    return {"StringLike": {"s3:prefix": f"{target.listing_prefix}*"}}


def _statement(
    sid: str,
    names: tuple[str, ...],
    resources: tuple[str, ...],
    end: str,
    conditions: Conditions,
    person: Conditions,
) -> Statement:
    operator, key = ENDS
    condition = {name: dict(keys) for name, keys in conditions.items()}
    for name, keys in person.items():
        condition.setdefault(name, {}).update(keys)
    # INVARIANT: no statement leaves this module without an end.
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": one_or_many(names),
        "Resource": one_or_many(resources),
        "Condition": {**condition, operator: {key: end}},
    }


def one_or_many(values: tuple[str, ...]) -> str | list[str]:
    """One value as itself, more as a list: the shorter of IAM's two spellings."""
    return values[0] if len(values) == 1 else list(values)
