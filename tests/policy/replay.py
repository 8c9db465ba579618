"""Policies for S3 by chance, calls to make under each, and what the engine says. Seeded: the same in every run."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from sm_access.policy import Decision, PolicySet, Request, authorize

ACCOUNT = "111122223333"
BUCKETS = ("replay-lake", "replay-gold")
KEYS = ("raw/x.csv", "raw-secret/y.csv", "public/z [1].csv")
ACTIONS: list[Any] = [
    "*",
    "s3:*",
    "s3:GetObject",
    "S3:getobject",
    "s3:Get*",
    "s3:?etObject",
    ["s3:ListBucket", "s3:PutObject"],
    ["s3:ListBucket", "s3:GetObject"],
    "s3:List*",
    "s3:PutObject",
    "s3:*Object",
    "iam:*",
]
RESOURCES: list[Any] = [
    "*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::replay-lake",
    "arn:aws:s3:::replay-lake/*",
    "arn:aws:s3:::replay-lake*",
    "arn:aws:s3:::replay-*/raw*",
    "arn:aws:s3:::replay-lake/raw/*",
    "arn:aws:s3:::replay-lake/raw/x.csv",
    "arn:aws:s3:::replay-lake/RAW/*",
    "arn:aws:s3:::replay-????/*.csv",
    ["arn:aws:s3:::replay-lake", "arn:aws:s3:::replay-lake/public/*"],
    ["arn:aws:s3:::replay-gold", "arn:aws:s3:::replay-lake/raw*"],
    "arn:aws:sqs:*:*:*",
]
CONDITIONS: list[dict[str, Any]] = [
    {"StringLike": {"s3:prefix": "raw/*"}},
    {"StringLike": {"S3:Prefix": ["raw*", ""]}},
    {"StringEquals": {"s3:prefix": ["raw/", "public/"]}},
    {"StringNotEquals": {"s3:prefix": "raw/"}},
    {"StringNotLike": {"s3:prefix": "raw*"}},
    {"StringEqualsIfExists": {"s3:prefix": "raw/"}},
    {"StringEqualsIgnoreCase": {"s3:prefix": "RAW/"}},
    {"Null": {"s3:prefix": "true"}},
    {"Null": {"s3:prefix": "false"}},
    {"StringEquals": {"s3:delimiter": "/"}},
    {"NumericLessThanEquals": {"s3:max-keys": "10"}},
    {"NumericGreaterThan": {"s3:max-keys": 10}},
    {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
    {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
    {"DateLessThanEquals": {"aws:CurrentTime": "2099-01-01"}},
    {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}},
    {"NotIpAddress": {"aws:SourceIp": ["127.0.0.0/8", "10.0.0.0/8"]}},
    {"Bool": {"aws:SecureTransport": "false"}},
    {"Bool": {"aws:SecureTransport": "true"}},
    {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/re*"}},
    {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/replay"}},
    {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
    {"StringEquals": {"aws:PrincipalAccount": ACCOUNT, "s3:prefix": "raw/"}},
    {"StringLike": {"s3:prefix": "raw*"}, "IpAddress": {"aws:SourceIp": "127.0.0.1"}},
    {"Bogus": {"s3:prefix": "raw/"}},
]


@dataclass(frozen=True)
class Call:
    """One request: the action, the resource, and the context keys that come with it."""

    action: str
    bucket: str
    key: str = ""
    listing: tuple[tuple[str, Any], ...] = ()

    @property
    def resource(self) -> str:
        return f"arn:aws:s3:::{self.bucket}{f'/{self.key}' if self.key else ''}"

    @property
    def context(self) -> dict[str, str]:
        names = {"Prefix": "s3:prefix", "Delimiter": "s3:delimiter", "MaxKeys": "s3:max-keys"}
        return {names[name]: str(value) for name, value in self.listing}

    def make(self, s3: Any) -> None:
        if self.action == "s3:ListBucket":
            s3.list_objects_v2(Bucket=self.bucket, **dict(self.listing))
        elif self.action == "s3:GetObject":
            s3.get_object(Bucket=self.bucket, Key=self.key)["Body"].read()
        else:
            s3.put_object(Bucket=self.bucket, Key=self.key, Body=b"replayed")


CALLS = (
    Call("s3:ListBucket", "replay-lake"),
    Call("s3:ListBucket", "replay-lake", listing=(("Prefix", "raw/"),)),
    Call(
        "s3:ListBucket",
        "replay-lake",
        listing=(("Prefix", "raw-secret/"), ("Delimiter", "/"), ("MaxKeys", 5)),
    ),
    Call("s3:ListBucket", "replay-gold", listing=(("MaxKeys", 50),)),
    *(Call("s3:GetObject", "replay-lake", key) for key in KEYS),
    Call("s3:GetObject", "replay-gold", KEYS[0]),
    Call("s3:PutObject", "replay-lake", KEYS[1]),
)


def statement(dice: random.Random) -> dict[str, Any]:
    return {
        "Effect": dice.choice(["Allow", "Allow", "Allow", "Deny"]),
        dice.choice(["Action"] * 5 + ["NotAction"]): dice.choice(ACTIONS),
        dice.choice(["Resource"] * 5 + ["NotResource"]): dice.choice(RESOURCES),
        **({"Condition": dice.choice(CONDITIONS)} if dice.random() < 0.5 else {}),
    }


def generated(seed: int) -> dict[str, Any]:
    dice = random.Random(seed)  # noqa: S311 - the same ones in every run
    return {"Version": "2012-10-17", "Statement": [statement(dice) for _ in range(dice.randint(1, 4))]}


def happened(call: Call, s3: Any) -> bool:
    from botocore.exceptions import ClientError

    try:
        call.make(s3)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 403:
            raise
        return False
    return True


def decided(call: Call, policy: dict[str, Any], context: Mapping[str, str] | None = None) -> Decision:
    """`context`: what comes with every call to this stand-in."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    context = {
        "aws:CurrentTime": now,
        "aws:SourceIp": "127.0.0.1",
        "aws:SecureTransport": "false",
        "aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/replay",
        **(context or {}),
        **call.context,
    }
    principal = f"arn:aws:sts::{ACCOUNT}:assumed-role/replay/replay"
    request = Request(principal, call.action, call.resource, ACCOUNT, context)
    return authorize(PolicySet.from_dict({"identity": [policy]}), request).decision


def furnish(s3: Any) -> None:
    """Two buckets with the same keys."""
    for bucket in BUCKETS:
        s3.create_bucket(Bucket=bucket)
        for key in KEYS:
            s3.put_object(Bucket=bucket, Key=key, Body=b"x")


def clear(s3: Any) -> None:
    for bucket in BUCKETS:
        for key in KEYS:
            s3.delete_object(Bucket=bucket, Key=key)
        s3.delete_bucket(Bucket=bucket)


def put(iam: Any, policy: dict[str, Any]) -> None:
    """The policy alone on the role `replay`."""
    compact = json.dumps(policy, separators=(",", ":"))
    iam.put_role_policy(RoleName="replay", PolicyName="replay", PolicyDocument=compact)
