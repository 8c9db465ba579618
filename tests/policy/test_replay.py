"""Generated S3 policies, put on a role of an S3 that enforces them, real requests made: the engine says what happens.

Twice: on the embedded AWS, and on Ceph's gateway where it is installed. What each is known to do differently from AWS
is left out of what is generated (sm_access/sandbox/limits.py - policy variables, organizations, NotPrincipal,
SourceIdentity -, and `radosgw.beyond`); everything else must agree.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import replay
from radosgw import DEFAULT_MAX_KEYS, Radosgw, beyond

from sm_access.policy import Decision

if TYPE_CHECKING:
    from sm_access.sandbox.world import Sandbox

POLICIES = 150
ON_CEPH = 400  # of which about half are within its limits


def _role(iam: Any, trusted: object) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": ["sts:AssumeRole"]}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]}, separators=(",", ":"))
    iam.create_role(RoleName="replay", AssumeRolePolicyDocument=document)


@pytest.fixture(scope="module")
def on_embedded_aws(sandbox: Sandbox) -> Iterator[tuple[Any, Any]]:
    """IAM as the root, S3 as the role `replay`."""
    import boto3

    root = sandbox.root_session
    iam, s3 = root.client("iam"), root.client("s3")
    _role(iam, replay.ACCOUNT)
    replay.furnish(s3)
    given = root.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{replay.ACCOUNT}:role/replay", RoleSessionName="replay"
    )["Credentials"]
    session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    yield iam, session.client("s3", endpoint_url=s3.meta.endpoint_url, region_name=s3.meta.region_name)
    iam.delete_role_policy(RoleName="replay", PolicyName="replay")
    iam.delete_role(RoleName="replay")
    replay.clear(s3)


def test_what_the_engine_says_is_what_happens(on_embedded_aws: tuple[Any, Any]) -> None:
    iam, s3 = on_embedded_aws
    parted = []
    counted: dict[Decision, int] = dict.fromkeys(Decision, 0)
    for seed in range(POLICIES):
        policy = replay.generated(seed)
        replay.put(iam, policy)
        for call in replay.CALLS:
            decision = replay.decided(call, policy)
            counted[decision] += 1
            if replay.happened(call, s3) is not (decision is Decision.ALLOW):
                parted.append((seed, call, decision, policy["Statement"]))
    assert parted == []
    assert min(counted[decision] for decision in Decision) >= 5, counted  # all answers are really tried


def test_ceph_says_the_same(radosgw: Radosgw) -> None:
    iam = radosgw.owner("iam")
    _role(iam, ["arn:aws:iam:::user/owner"])
    replay.furnish(radosgw.owner("s3"))
    s3 = radosgw.session("replay")
    parted = []
    counted: dict[Decision, int] = dict.fromkeys(Decision, 0)
    for seed in range(ON_CEPH):
        policy = replay.generated(seed)
        if any(map(beyond, policy["Statement"])):
            continue
        replay.put(iam, policy)
        for call in replay.CALLS:
            always = {"s3:max-keys": DEFAULT_MAX_KEYS} if call.action == "s3:ListBucket" else {}
            decision = replay.decided(call, policy, always)
            counted[decision] += 1
            if replay.happened(call, s3) is not (decision is Decision.ALLOW):
                parted.append((seed, call, decision, policy["Statement"]))
    assert parted == []
    assert counted[Decision.UNDETERMINED] == 0
    closed = counted[Decision.IMPLICIT_DENY], counted[Decision.EXPLICIT_DENY]
    assert min(counted[Decision.ALLOW], *closed) >= 50, counted
