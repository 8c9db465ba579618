"""Who can read this, of 1,000 roles: asked as `who can` asks, beside asking the engine about each in full.

Prints both times and their ratio; the answers are compared. `python benchmarks/who.py`
"""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import datetime, timezone

from sm_access.access.evidence import BucketEvidence
from sm_access.access.holder import AccountHolders, HeldPolicy, Holder, HolderKind, PolicyReader
from sm_access.access.level import Level
from sm_access.access.target import S3Target
from sm_access.access.verdict import judge
from sm_access.access.who import Standing, who_can
from sm_access.catalog.managed import managed_policy
from sm_access.policy import Decision

ACCOUNT = "111122223333"
ROLES = 1_000
NAMES = (
    "AmazonSageMakerReadOnly",
    "AWSLambdaBasicExecutionRole",
    "CloudWatchLogsFullAccess",
    "AmazonEC2ReadOnlyAccess",
    "AmazonDynamoDBFullAccess",
    "AmazonSageMakerFullAccess",
    "AmazonS3ReadOnlyAccess",
)


def roles() -> tuple[Holder, ...]:
    """Each with two AWS managed policies, one in ten of them with one that opens S3, and with one of its own."""
    made = random.Random(7)
    documents = {name: managed_policy(name) for name in NAMES}
    found = []
    for number in range(ROLES):
        names = made.sample(NAMES[:5], 2) + ([made.choice(NAMES[5:])] if made.random() < 0.1 else [])
        own = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::b{number}"},
                {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::b{number}/*"},
            ],
        }
        held = [HeldPolicy(name, "aws-managed", documents[name]) for name in names]
        arn = f"arn:aws:iam::{ACCOUNT}:role/r{number}"
        found.append(Holder(HolderKind.ROLE, arn, (*held, HeldPolicy(f"own{number}", "inline", own))))
    return tuple(found)


def main() -> None:
    now = datetime.now(timezone.utc)
    bucket = BucketEvidence("lake", ACCOUNT, None, True, None, None, "us-east-1", now)
    target, everybody = S3Target("lake", "raw/"), AccountHolders(ACCOUNT, roles(), now)
    start = time.process_time()
    found = who_can(everybody, bucket, target, Level.READ, now=now, used_by=lambda _: ())
    ours = time.process_time() - start
    start = time.process_time()
    reader = PolicyReader()
    plain = [
        judge(reader.evidence(holder, now), bucket, target, Level.READ, now=now, weigh_grant=False).decision
        for holder in everybody.holders
    ]
    full = time.process_time() - start
    assert [entry.standing is Standing.YES for entry in found.entries] == [
        decision is Decision.ALLOW for decision in plain
    ]
    counts = Counter(entry.standing.value for entry in found.entries)
    print(f"{ROLES} roles: {dict(counts)}")
    print(f"who can {ours:.2f} s, each in full {full:.2f} s: {full / ours:.1f} times")


if __name__ == "__main__":
    main()
