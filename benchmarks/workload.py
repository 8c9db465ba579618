"""The questions that are measured: one execution role as companies have them, on one bucket of a data lake.

AmazonSageMakerFullAccess and AmazonS3ReadOnlyAccess, ten inline statements with conditions, a permissions
boundary, two levels of service control policies and a bucket policy of twenty statements; fifty S3 actions on two
hundred keys. Everything is fixed: two runs ask the same.
"""

from __future__ import annotations

from typing import Any

from sm_access import catalog

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/acme-ds-notebooks"
PRINCIPAL = f"arn:aws:sts::{ACCOUNT}:assumed-role/acme-ds-notebooks/SageMaker"
BUCKET = "arn:aws:s3:::acme-lake"
CONTEXT: dict[str, str] = {
    "aws:CurrentTime": "2026-11-23T17:00:00Z",
    "aws:PrincipalArn": ROLE,
    "aws:PrincipalOrgID": "o-acme123456",
    "aws:PrincipalTag/team": "vision",
    "aws:SecureTransport": "true",
    "aws:SourceIp": "10.1.2.3",
    "aws:SourceVpce": "vpce-0a1b2c3d",
    "aws:userid": "AROAEXAMPLEEXAMPLE123:SageMaker",
}
BUCKET_ACTIONS = (
    "s3:GetBucketAcl",
    "s3:GetBucketLocation",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    "s3:PutBucketPolicy",
)
AREAS = (
    "raw",
    "raw-secret",
    "curated",
    "features",
    "models",
    "scratch/vision",
    "scratch/audio",
    "hr",
    "intermediate",
    "x sagemaker y",
)
_ENDPOINT = {"StringEquals": {"aws:SourceVpce": "vpce-0a1b2c3d"}}
_ENDS = {"DateLessThan": {"aws:CurrentTime": "2026-12-01T00:00:00Z"}}
_ENDED = {"DateLessThan": {"aws:CurrentTime": "2026-11-01T00:00:00Z"}}


def requests() -> list[tuple[str, str]]:
    """10,000 pairs of action and resource: object actions on the keys, bucket actions on their bucket."""
    objects = [
        action
        for action in catalog.actions("s3")
        if any(kind.name == "object" for kind in catalog.resource_types(action))
    ]
    pairs = [(action, f"{BUCKET}/{key}") for key in keys() for action in objects[: 50 - len(BUCKET_ACTIONS)]]
    return pairs + [(action, BUCKET) for _ in keys() for action in BUCKET_ACTIONS]


def keys(first: int = 0, count: int = 200) -> list[str]:
    """Keys of all areas; other numbers are other keys."""
    return [
        f"{AREAS[number % len(AREAS)]}/part-{number:06d}.parquet" for number in range(first, first + count)
    ]


def policies() -> dict[str, Any]:
    """In the shape of `PolicySet.from_dict`."""
    managed = ("AmazonSageMakerFullAccess", "AmazonS3ReadOnlyAccess")
    identity = [
        {"name": name, "document": catalog.managed_policy(name), "kind": "aws-managed"} for name in managed
    ]
    return {
        "identity": [*identity, {"name": "grants", "document": _document(_inline())}],
        "permissions_boundary": [{"name": "boundary", "document": _document(_boundary())}],
        "service_control": [
            {"target": "r-acme", "policies": [{"name": "root", "document": _document(_root_level())}]},
            {"target": ACCOUNT, "policies": [{"name": "account", "document": _document(_account_level())}]},
        ],
        "resource": [{"name": "acme-lake", "document": _document(_bucket())}],
    }


def _document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    numbered = [{"Sid": f"S{number}", **statement} for number, statement in enumerate(statements)]
    return {"Version": "2012-10-17", "Statement": numbered}


def _allow(
    actions: Any, resources: Any, condition: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources, **more}
    return statement | ({"Condition": condition} if condition else {})


def _deny(
    actions: Any, resources: Any, condition: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    return {**_allow(actions, resources, condition, **more), "Effect": "Deny"}


def _inline() -> list[dict[str, Any]]:
    put = ["s3:PutObject", "s3:PutObjectTagging", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    delete = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    return [
        _allow(["s3:GetObject", "s3:GetObjectVersion"], f"{BUCKET}/raw/*", _ENDS),
        _allow(put, f"{BUCKET}/curated/*", _ENDS),
        _allow(put, f"{BUCKET}/features/*", _ENDED),
        _allow([*put, *delete], BUCKET + "/scratch/${aws:PrincipalTag/team}/*", _ENDPOINT),
        _allow(
            "s3:*Object*",
            f"{BUCKET}/models/*",
            {"StringEquals": {"aws:PrincipalTag/team": ["vision", "audio"]}},
        ),
        _allow("s3:RestoreObject", f"{BUCKET}/raw/*", {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}}),
        _allow("s3:ListBucket", BUCKET, {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/acme-*"}}),
        _allow(delete, f"{BUCKET}/intermediate/*", {"Bool": {"aws:SecureTransport": "true"}}),
        _deny("s3:*", f"{BUCKET}/raw-secret/*", {"StringNotEquals": {"aws:PrincipalTag/team": "risk"}}),
        _deny("s3:Put*Acl", "*", {"StringEquals": {"aws:PrincipalOrgID": "o-acme123456"}}),
    ]


def _boundary() -> list[dict[str, Any]]:
    return [
        _allow(["s3:*", "sagemaker:*", "logs:*", "ecr:*", "cloudwatch:*", "kms:Decrypt"], "*"),
        _deny(["s3:PutBucketPolicy", "s3:BypassGovernanceRetention"], "*"),
    ]


def _root_level() -> list[dict[str, Any]]:
    return [_allow("*", "*"), _deny(["organizations:*", "account:*"], "*")]


def _account_level() -> list[dict[str, Any]]:
    bypass = {"StringNotEquals": {"aws:PrincipalOrgID": "o-acme123456"}}
    return [
        _allow("*", "*"),
        _deny("s3:*", "*", bypass),
        _deny("s3:DeleteObjectVersion", f"{BUCKET}/models/*"),
    ]


def _bucket() -> list[dict[str, Any]]:
    teams = [f"arn:aws:iam::{ACCOUNT}:role/acme-team-{number}" for number in range(12)]
    statements = [
        _allow("s3:GetObject", f"{BUCKET}/teams/{number}/*", Principal={"AWS": team})
        for number, team in enumerate(teams)
    ]
    own, everyone = {"AWS": ROLE}, "*"
    return [
        *statements,
        _allow("s3:PutObject", f"{BUCKET}/features/*", Principal=own),
        _allow(
            "s3:GetObject*",
            f"{BUCKET}/hr/*",
            {"StringEquals": {"aws:PrincipalTag/team": "hr"}},
            Principal=own,
        ),
        _allow(
            ["s3:ListBucket", "s3:GetBucketLocation"],
            BUCKET,
            Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        ),
        _allow("s3:GetObject", f"{BUCKET}/shared/*", Principal={"AWS": "arn:aws:iam::444455556666:root"}),
        _deny(
            "s3:*", [BUCKET, f"{BUCKET}/*"], {"Bool": {"aws:SecureTransport": "false"}}, Principal=everyone
        ),
        _deny(
            "s3:*",
            f"{BUCKET}/*",
            {"StringNotEquals": {"aws:SourceVpce": "vpce-0a1b2c3d"}},
            Principal=everyone,
        ),
        _deny("s3:Delete*", f"{BUCKET}/hr/*", Principal=everyone),
        _deny("s3:PutObjectRetention", f"{BUCKET}/*", Principal=own),
    ]
