"""What of a call's parameters is kept: what says on which resource it was, and nothing else.

Kept are names, ids and ARNs, S3's addressing and the headers that ask for a permission of their own. Everything else
is dropped unseen: bodies, messages, queries, tokens, customer-provided keys, metadata, presigned data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

MOST_KEYS = 100
"""Of a call on many objects, how many keys are kept: the first of each folder."""

LONGEST = 2048

_S3 = frozenset(
    {
        "Bucket",
        "Key",
        "Prefix",
        "Delimiter",
        "MaxKeys",
        "VersionId",
        "ACL",
        "StorageClass",
        "ServerSideEncryption",
        "SSEKMSKeyId",
        "ObjectLockMode",
        "ObjectLockLegalHoldStatus",
        "BypassGovernanceRetention",
        "ChecksumMode",
        "ExpectedBucketOwner",
        "RequestPayer",
    }
)
_NAMES = re.compile(r"(Name|Id|Arn|ARN|Identifier)$|^(name|id|QueueUrl|WorkGroup|Table|Role)$", re.ASCII)
_SECRET = re.compile(
    r"token|password|credential|accesskey|secretkey|signature|sessionname|externalid|clientsecret|private",
    re.IGNORECASE,
)
_PRESENT = ("Tagging", "Tags")  # that there are any, not which
_ROLE = re.compile(r"arn:[^:]+:iam::\d{12}:role/.+")
_DEEPEST = 5


def kept_parameters(service: str, parameters: Mapping[str, object]) -> dict[str, str]:
    """The parameters of an SDK call -> `Call.parameters`.

    Roles and volume keys are found wherever they stand; the name is then their way in, as in
    `TrainingJobDefinition.RoleArn`.
    """
    kept: dict[str, str] = {}
    for name, value in parameters.items():
        if name in _PRESENT and value:
            kept[name] = "given"
        elif name == "CopySource" and service == "s3":
            kept[name] = _copy_source(value)
        elif (name in _S3 if service == "s3" else _is_name(name)) and isinstance(value, str | int | bool):
            text = str(value)
            if len(text) <= LONGEST:
                kept[name] = text
        elif isinstance(value, Mapping | list | tuple):
            kept |= _nested(name, value, 1)
    return kept


def kept_keys(keys: Iterable[str]) -> tuple[str, ...]:
    """The first key of each folder: enough to tell which folders a call was about."""
    first: dict[str, str] = {}
    for key in keys:
        first.setdefault(key.rpartition("/")[0], key)
        if len(first) == MOST_KEYS:
            break
    return tuple(first.values())


def _is_name(name: str) -> bool:
    return bool(_NAMES.search(name)) and not _SECRET.search(name)


def _copy_source(value: object) -> str:
    if isinstance(value, Mapping):
        version = f"?versionId={value['VersionId']}" if value.get("VersionId") else ""
        bucket = str(value.get("Bucket", ""))
        return f"{bucket}{'/object/' if bucket.startswith('arn:') else '/'}{value.get('Key', '')}{version}"
    return str(value)


def _nested(path: str, value: object, depth: int) -> dict[str, str]:
    found: dict[str, str] = {}
    if isinstance(value, Mapping) and depth < _DEEPEST:
        for name, inner in value.items():
            if isinstance(inner, str) and (_ROLE.fullmatch(inner) or name == "VolumeKmsKeyId"):
                found["VolumeKmsKeyId" if name == "VolumeKmsKeyId" else f"{path}.{name}"] = inner
            elif isinstance(inner, Mapping | list | tuple):
                found |= _nested(f"{path}.{name}", inner, depth + 1)
    elif isinstance(value, list | tuple) and depth < _DEEPEST:
        for inner in value[:20]:
            found |= _nested(path, inner, depth + 1)
    return found
