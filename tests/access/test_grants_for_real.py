"""Grants for random requests, on roles of an S3 that enforces policies, shown by real calls: what was asked for is
allowed, the same beside it is denied, and all of it is denied once the grant is over.

Twice: on the embedded AWS, and on Ceph's gateway where it is installed - which has no keys of KMS and no source
identities, so that neither is among what is asked for here.
"""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from doubles import ACCOUNT, STEWARD, StoppedClock, approve, session, submit

from sm_access.access import Desk, Grant, Level, Rules, plan
from sm_access.access.canonical import canonical_json
from sm_access.access.terms import statements_for
from sm_access.stores import MemoryLedger

if TYPE_CHECKING:
    from radosgw import Radosgw

    from sm_access.sandbox.world import Sandbox

GRANTS, PER_ROLE = 200, 25
BUCKET = "granted-for-real"
LETTERS = "abcxyz019 ._-=+@()'\u00e9"
RULES = {"reviewers": [STEWARD.principal], "levels": [level.value for level in Level]}
NOW = datetime.now(timezone.utc).replace(microsecond=0)


@dataclass(frozen=True)
class Asked:
    """A grant, the same one as it is once it is over, and a key in it and beside it."""

    grant: Grant
    over: Grant
    key: str
    beside: str


def generated(seed: int, count: int, letters: str = LETTERS) -> list[Asked]:
    dice, made = random.Random(seed), []  # noqa: S311 - to try, not to hide
    for number in range(count):
        path = "/".join(
            [f"{number:03d}{name(dice, letters)}", *(name(dice, letters) for _ in range(dice.randrange(3)))]
        ) + dice.choice(("/", "/", ""))
        role = f"arn:aws:iam::{ACCOUNT}:role/real-{number // PER_ROLE}"
        numbers = itertools.count(number)
        at = Desk(
            MemoryLedger(),
            Rules.from_dict(RULES),
            StoppedClock(NOW),
            new_id=lambda own=numbers: f"r-{next(own):08d}",
        )
        level = dice.choice(list(Level))
        request = approve(
            at,
            submit(
                at, f"s3://{BUCKET}/{path}", level, timedelta(days=1), role=role,
                requester=session(f"real-{number // PER_ROLE}"),
            ),
        )  # fmt: skip
        grant = request.grant
        assert grant is not None
        ended = NOW - timedelta(minutes=1)
        over = replace(grant, ends_at=ended, statements=statements_for(request, ended))
        key = f"{path}{name(dice, letters)}" if path.endswith("/") else path
        made.append(Asked(grant, over, key, f"{grant.target.stem}-{name(dice, letters)}"))
    return made


def name(dice: random.Random, letters: str) -> str:
    """Of a folder or an object; none that clients change on the way."""
    return f"n{''.join(dice.choices(letters, k=dice.randrange(1, 6)))}n"


def attempt(s3: Any, level: Level, key: str, prefix: str) -> bool:
    """Whether S3 allowed what the level is about."""
    calls: dict[Level, Callable[[], Any]] = {
        Level.LIST: lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix, MaxKeys=1),
        Level.READ: lambda: s3.get_object(Bucket=BUCKET, Key=key),
        Level.WRITE: lambda: s3.put_object(Bucket=BUCKET, Key=key, Body=b"new"),
        Level.DELETE: lambda: s3.delete_object(Bucket=BUCKET, Key=key),
    }
    try:
        calls[level]()
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 403:
            raise
        return False
    return True


def proven(
    owner: Any, on_role: Callable[[str, dict[str, Any]], Any], everything: list[Asked]
) -> Counter[str]:
    """Put them on roles, make the calls, and count. on_role: makes a role with these policies, and is it."""
    owner.create_bucket(Bucket=BUCKET)
    for asked in everything:
        if asked.grant.level in (Level.READ, Level.DELETE):
            for key in (asked.key, asked.beside):
                owner.put_object(Bucket=BUCKET, Key=key, Body=b"old")
    counted: Counter[str] = Counter()
    for first in range(0, len(everything), PER_ROLE):
        batch = everything[first : first + PER_ROLE]
        role_arn = batch[0].grant.role_arn
        planned = plan(role_arn, [asked.grant for asked in batch], NOW)
        ended = plan(role_arn, [asked.over for asked in batch], NOW - timedelta(hours=1))
        who = role_arn.rpartition("/")[2]
        over, role = on_role(f"{who}-over", dict(ended.documents)), on_role(who, dict(planned.documents))
        for asked in batch:
            level, target = asked.grant.level, asked.grant.target
            calls = {
                "over": (over, asked.key, target.listing_prefix),
                "beside": (role, asked.beside, f"{target.stem}-"),
                "granted": (role, asked.key, target.listing_prefix),
            }
            for what, (s3, key, prefix) in calls.items():
                allowed = attempt(s3, level, key, prefix)
                assert allowed is (what == "granted"), (what, level, str(target), key, asked.grant.statements)
                counted[f"{what} {level.value}"] += 1
    return counted


def enough(counted: Counter[str], count: int) -> bool:
    """Each kind of call was really made, often."""
    kinds = [f"{what} {level.value}" for what in ("over", "beside", "granted") for level in Level]
    return counted.total() == 3 * count and min(counted[kind] for kind in kinds) >= count // 8


def put_on(iam: Any, role: str, trusted: object, documents: dict[str, Any]) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": ["sts:AssumeRole"]}
    text = json.dumps({"Version": "2012-10-17", "Statement": [trust]}, separators=(",", ":"))
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=text)
    for policy, document in documents.items():
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=canonical_json(document))


def test_two_hundred_grants_on_the_embedded_aws(sandbox: Sandbox) -> None:
    root = sandbox.root_session

    def on_role(role: str, documents: dict[str, Any]) -> Any:
        put_on(root.client("iam"), role, ACCOUNT, documents)
        given = root.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}", RoleSessionName="real"
        )["Credentials"]
        return root.client(
            "s3",
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )

    assert enough(proven(root.client("s3"), on_role, generated(1, GRANTS)), GRANTS)


def test_two_hundred_grants_on_ceph(radosgw: Radosgw) -> None:
    def on_role(role: str, documents: dict[str, Any]) -> Any:
        put_on(radosgw.owner("iam"), role, ["arn:aws:iam:::user/owner"], documents)
        return radosgw.session(role)

    without_space = LETTERS.replace(" ", "")  # a space in a policy is stored there as the form's `+`
    everything = generated(2, GRANTS, without_space)
    assert enough(proven(radosgw.owner("s3"), on_role, everything), GRANTS)


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_asked_for_is_of_every_kind(seed: int) -> None:
    made = generated(seed, GRANTS)
    assert {asked.grant.level for asked in made} == set(Level)
    assert {asked.grant.target.is_prefix for asked in made} == {True, False}
    assert any("\u00e9" in asked.key for asked in made)
