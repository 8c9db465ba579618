"""What a level means: the narrowest statements that grant it, and the checks that tell whether it is there
already.

    list    s3:ListBucket
    read    list + s3:GetObject
    write   list + s3:PutObject, s3:AbortMultipartUpload, s3:ListMultipartUploadParts
    delete  list + s3:DeleteObject

Every level lists: s3fs, pandas, awswrangler and the AWS command line list a prefix before they touch an
object, and without s3:ListBucket a missing key answers 403 instead of 404 (Amazon S3 API Reference,
"GetObject"). Nothing else is implied: write is not read (an upload needs no GetObject), nor delete (an
overwrite needs no DeleteObject). Left out on purpose: versions, tags and ACLs, which nobody asked for, and
s3:ListBucketMultipartUploads, which would show the names of other people's uploads.

Listing is held to the target by `s3:prefix` (S3 User Guide, "Bucket policy examples using condition keys").
The bare stem is never an allowed prefix: listing `raw` shows `raw-secret/` as well.

A bucket with default encryption under a KMS key needs the key too (S3 User Guide, "Using server-side
encryption with AWS KMS keys"): kms:Decrypt to read; kms:GenerateDataKey, and kms:Decrypt for the parts of a
multipart upload, to write; nothing to list or delete. Held to S3 in the key's Region by `kms:ViaService`.

Every statement ends by itself: `DateLessThan aws:CurrentTime` is evaluated at each call, so a live session
loses the access at that second with nothing running anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sm_access.access.caller import PARTITIONS
from sm_access.access.instant import format_instant
from sm_access.access.level import Level
from sm_access.access.target import S3Target
from sm_access.errors import InvalidInput

Statement = dict[str, Any]

LIST_ACTION = "s3:ListBucket"
ENDS = ("DateLessThan", "aws:CurrentTime")
"""Operator and context key by which every statement ends."""

_OBJECT_ACTIONS: Mapping[Level, tuple[str, ...]] = {
    Level.LIST: (),
    Level.READ: ("s3:GetObject",),
    Level.WRITE: ("s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"),
    Level.DELETE: ("s3:DeleteObject",),
}
_KEY_ACTIONS: Mapping[Level, tuple[str, ...]] = {
    Level.LIST: (),
    Level.READ: ("kms:Decrypt",),
    Level.WRITE: ("kms:GenerateDataKey", "kms:Decrypt"),
    Level.DELETE: (),
}
_KEY_ARN = re.compile(rf"arn:(?:{PARTITIONS}):kms:([a-z]{{2,}}(?:-[a-z]+)+-\d):\d{{12}}:key/[A-Za-z0-9-]+")
_SID = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Check:
    """One call that must be allowed. `context`: the context keys that such a call carries, besides the
    global ones."""

    action: str
    resource_arn: str
    context: Mapping[str, str] = field(default_factory=dict)


def actions(level: Level) -> tuple[str, ...]:
    """The S3 actions that a level means."""
    return (LIST_ACTION, *_OBJECT_ACTIONS[level])


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
) -> tuple[Statement, ...]:
    """The narrowest statements that grant a level on a target until a moment.

    `ends_at` is aware and cut to the second. `region` is that of the bucket; when None, the KMS key's own.
    Raises InvalidInput for a key ARN that is none; ValueError for a naive `ends_at` or a Sid that IAM would
    refuse.
    """
    return statements_until(
        target,
        level,
        end=format_instant(ends_at),
        kms_key_arn=kms_key_arn,
        region=region,
        sid_prefix=sid_prefix,
        partition=partition,
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
) -> tuple[Statement, ...]:
    """As `statements`, with the end as text: what is reviewed names the duration where the grant names the
    moment."""
    if not _SID.fullmatch(sid_prefix):
        raise ValueError(f"a Sid is of letters and digits, not {sid_prefix!r}")
    made = [
        _statement(
            f"{sid_prefix}List", (LIST_ACTION,), (target.bucket_arn(partition),), end, _listing(target)
        ),
    ]
    if _OBJECT_ACTIONS[level]:
        name = f"{sid_prefix}{level.value.capitalize()}"
        made.append(_statement(name, _OBJECT_ACTIONS[level], target.object_arns(partition), end, {}))
    if kms_key_arn is not None:
        via = {"StringEquals": {"kms:ViaService": _via_service(kms_key_arn, region)}}
        if _KEY_ACTIONS[level]:
            made.append(_statement(f"{sid_prefix}Key", _KEY_ACTIONS[level], (kms_key_arn,), end, via))
    return tuple(made)


def checks(
    target: S3Target,
    level: Level,
    kms_key_arn: str | None = None,
    *,
    partition: str = "aws",
) -> tuple[Check, ...]:
    """The calls that must ALL be allowed for "level on target" to be yes.

    An object beneath a prefix is stood for by the key `*`, which in a request is a plain character: only a
    statement that matches any name matches it. A path without a closing slash is asked as the key itself
    and as a prefix. Raises InvalidInput for a key ARN that is none.
    """
    listing = {} if target.is_bucket else {"s3:prefix": target.listing_prefix}
    made = [Check(LIST_ACTION, target.bucket_arn(partition), listing)]
    for action in _OBJECT_ACTIONS[level]:
        made.extend(Check(action, arn) for arn in target.object_arns(partition))
    if kms_key_arn is not None:
        via = {"kms:ViaService": _via_service(kms_key_arn, None)}
        made.extend(Check(action, kms_key_arn, via) for action in _KEY_ACTIONS[level])
    return tuple(made)


def _via_service(kms_key_arn: str, region: str | None) -> str:
    return f"s3.{key_region(kms_key_arn, region)}.amazonaws.com"


def _listing(target: S3Target) -> dict[str, Any]:
    if target.is_bucket:
        return {}
    prefix = target.listing_prefix
    return {"StringLike": {"s3:prefix": [prefix, f"{prefix}*"]}}


def _statement(
    sid: str, names: tuple[str, ...], resources: tuple[str, ...], end: str, conditions: dict[str, Any]
) -> Statement:
    operator, key = ENDS
    # INVARIANT: no statement leaves this module without an end.
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": one_or_many(names),
        "Resource": one_or_many(resources),
        "Condition": {**conditions, operator: {key: end}},
    }


def one_or_many(values: tuple[str, ...]) -> str | list[str]:
    """One value as itself, more as a list: the shorter of IAM's two spellings."""
    return values[0] if len(values) == 1 else list(values)
