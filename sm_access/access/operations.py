"""What a call to AWS must be allowed: an API operation is not an IAM action, and is often more than one.

`HeadObject` is `s3:GetObject`, `ListObjectsV2` is `s3:ListBucket`, a copy reads and writes, a training job passes a
role. Where the tables of `operation_names` say nothing, the action has the operation's own name, if AWS has such an
action.

Sources: Service Authorization Reference; Amazon S3 User Guide, "Required permissions for Amazon S3 API operations";
Amazon S3 API Reference, "CreateMultipartUpload" and "CopyObject" (permissions); IAM User Guide, "Grant a user
permissions to pass a role to an AWS service"; Amazon SageMaker AI Developer Guide, "Amazon SageMaker AI API
Permissions".

Not told, because a call does not show it: what the service asks for in the caller's name (Athena's reads of S3 and
Glue), permissions that depend on what is stored (the source's tags in a copy), and s3:ListBucket, without which S3
hides that a key is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sm_access.access.call import Call
from sm_access.access.operation_names import ACTIONS, ASKED_BY_A_PARAMETER, OF_A_VERSION, PREFIXES
from sm_access.access.operation_resources import Place, resources
from sm_access.catalog import accepts_condition_key, access_level, is_action

CONTEXT = {
    "Prefix": "s3:prefix",
    "Delimiter": "s3:delimiter",
    "MaxKeys": "s3:max-keys",
    "VersionId": "s3:VersionId",
    "ACL": "s3:x-amz-acl",
    "StorageClass": "s3:x-amz-storage-class",
    "ServerSideEncryption": "s3:x-amz-server-side-encryption",
    "SSEKMSKeyId": "s3:x-amz-server-side-encryption-aws-kms-key-id",
}
"""What of a request on S3 becomes a context key: the parameter -> the key."""
_COPIES = ("CopyObject", "UploadPartCopy")
_WITH_HEADERS = ("PutObject", "CreateMultipartUpload", "DeleteObject", "DeleteObjects", *_COPIES)
_KEY_FOR = {
    # The parts of a multipart upload are decrypted when they are put together.
    **dict.fromkeys(
        ("CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload"),
        ("kms:GenerateDataKey", "kms:Decrypt"),
    ),
    **dict.fromkeys(("PutObject", "CopyObject"), ("kms:GenerateDataKey",)),
    **dict.fromkeys(("GetObject", "SelectObjectContent"), ("kms:Decrypt",)),
}
_CHANGES = ("Write", "Permissions management")
_ROLE = re.compile(r"arn:[^:]+:iam::\d{12}:role/.+")
_DIRECTORY_BUCKET = re.compile(r"[a-z0-9-]+--[a-z0-9-]+--x-s3")
_PARTITIONS = {
    "cn": "aws-cn",
    "us-gov": "aws-us-gov",
    "us-iso": "aws-iso",
    "us-isob": "aws-iso-b",
    "eusc": "aws-eusc",
}


@dataclass(frozen=True, slots=True)
class Need:
    """One permission that a call needs.

    resource: an ARN, or "*" where the action takes no resource. exact: False where the call does not say on which
        resource it is; then `resource` is a pattern that the resource fits, and an answer about it is a guess.
    context: the context keys that the request carries, the global ones aside.
    """

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)
    exact: bool = True


def service_prefix(service: str) -> str:
    """The SDK's name of a service -> the prefix of its actions: "sagemaker-runtime" -> "sagemaker"."""
    return PREFIXES.get(service, service)


def needs(call: Call, *, account: str = "") -> tuple[Need, ...] | None:
    """Every permission that the call needs, in the order in which it is plain to ask for them.

    account: the caller's, where known; resources that need it and lack it are not `exact`. Empty where AWS asks no
    policy (GetCallerIdentity); None where it cannot be told which action the operation is.
    """
    names = _actions(call)
    if names is None:
        return None
    place = Place(_partition(call.region), call.region or "", account)
    found = [need for name in names for need in _needs(call, name, place)]
    found += _source(call, place)
    found += _asked_by_parameters(call, place)
    found += _encryption(call, place)
    if any(access_level(name) in _CHANGES for name in names):
        found += _passed_roles(call)
    return tuple({(need.action, need.resource): need for need in found}.values())


def _actions(call: Call) -> tuple[str, ...] | None:
    listed = ACTIONS.get(f"{call.service}:{call.operation}")
    if call.service == "s3" and _DIRECTORY_BUCKET.fullmatch(call.parameters.get("Bucket", "")):
        # A session stands for all calls on objects (Amazon S3 API Reference, "CreateSession").
        own = f"s3express:{call.operation}"
        return (own,) if is_action(own) else ("s3express:CreateSession",)
    if listed is None:
        own = f"{service_prefix(call.service)}:{call.operation}"
        listed = (own,) if is_action(own) else None
    if listed and call.parameters.get("Bucket", "").split(":")[2:3] == ["s3-object-lambda"]:
        return tuple(name.replace("s3:", "s3-object-lambda:", 1) for name in listed)
    if listed and call.parameters.get("VersionId"):
        return tuple(OF_A_VERSION.get(name, name) for name in listed)
    return listed


def _needs(call: Call, action: str, place: Place) -> Iterator[Need]:
    context = {
        key: call.parameters[name]
        for name, key in CONTEXT.items()
        if name in call.parameters and accepts_condition_key(action, key)
    }
    if not context.get(CONTEXT["SSEKMSKeyId"], "arn:").startswith("arn:"):
        del context[
            CONTEXT["SSEKMSKeyId"]
        ]  # AWS puts the key's ARN there, which an id or alias does not tell
    for resource, exact in resources(action, call, place):
        yield Need(action, resource, context, exact)


def _source(call: Call, place: Place) -> Iterator[Need]:
    """A copy reads what it copies."""
    source = call.parameters.get("CopySource", "").removeprefix("/")
    if call.service != "s3" or call.operation not in _COPIES or not source:
        return
    path, _, version = source.partition("?versionId=")
    separator = "/object/" if path.startswith("arn:") else "/"
    bucket, _, key = path.partition(separator)
    action = OF_A_VERSION["s3:GetObject"] if version else "s3:GetObject"
    parameters = {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}
    yield from _needs(Call("s3", "GetObject", parameters, region=call.region), action, place)


def _asked_by_parameters(call: Call, place: Place) -> Iterator[Need]:
    if call.service == "s3" and call.operation in _WITH_HEADERS:
        for name, action in ASKED_BY_A_PARAMETER.items():
            if call.parameters.get(name):
                yield from _needs(call, action, place)
    if call.service == "sagemaker" and call.operation.startswith("Create") and "Tags" in call.parameters:
        for resource, exact in resources(f"sagemaker:{call.operation}", call, place):
            yield Need("sagemaker:AddTags", resource, {}, exact)


def _encryption(call: Call, place: Place) -> Iterator[Need]:
    """The KMS key: the one that the call names, or the one that the answer said was used."""
    if call.service == "s3":
        key = call.parameters.get("EncryptedWith") or call.parameters.get("SSEKMSKeyId")
        names, via = _KEY_FOR.get(call.operation, ()), f"s3.{call.region}"
    else:
        key = call.parameters.get("VolumeKmsKeyId")
        names, via = (
            ("kms:CreateGrant",) if call.service == "sagemaker" else (),
            f"{call.service}.{call.region}",
        )
    if not key:
        return
    context = {"kms:ViaService": f"{via}.{place.domain}"} if call.region else {}
    for name in names:
        for resource, exact in resources(name, Call("kms", "", {"KeyId": key}), place):
            yield Need(name, resource, context, exact)


def _passed_roles(call: Call) -> Iterator[Need]:
    """A role that is handed to a service is passed; one that is assumed or administered is the resource itself."""
    if call.service in ("iam", "sts"):
        return
    to = {"iam:PassedToService": f"{service_prefix(call.service)}.amazonaws.com"}
    for value in call.parameters.values():
        if _ROLE.fullmatch(value):
            yield Need("iam:PassRole", value, to)


def _partition(region: str | None) -> str:
    head = (region or "").rsplit("-", 2)[0]
    return _PARTITIONS.get(head, "aws")
