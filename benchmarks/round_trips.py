"""How long reading takes when every round trip costs 50 ms: the collectors beside one call after another, in one run.

    python benchmarks/round_trips.py [--write]    --write puts the results into benchmarks/README.md

Both read the same from the same stand-in, which adds the delay and runs in a process of its own. What is claimed is
the number of round trips that wait for each other, which no machine changes, and the ratio of the two times.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from stand_in import Rounds, StandIn, seed

from sm_access.aws.cache import Cache
from sm_access.aws.collector import Collector
from sm_access.aws.session import Aws

HERE = Path(__file__).parent
README = HERE / "README.md"
BEGIN, END = "<!-- round trips -->\n", "<!-- end of round trips -->"
DELAY = 0.05
ROUNDS = 5
MOST_TRIPS = 5


class Remote(StandIn):
    """A stand-in in another process, as far as a session needs to know it."""

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def url(self) -> str:
        return self._url

    def count(self) -> int:
        """How many requests came since the last time."""
        with urllib.request.urlopen(f"{self._url}/-/requests", timeout=10) as answer:  # noqa: S310 - loopback
            return len(json.load(answer))


def in_parallel(aws: Aws) -> None:
    """What `permissions` reads, with nothing remembered."""
    collector = Collector(aws, Cache(), keep_seconds=300)
    collector.buckets(collector.overview().listed)


def one_by_one(aws: Aws) -> None:
    """The same, as one would write it down: a call, then the next."""
    iam, s3, kms = (aws.client(service) for service in ("iam", "s3", "kms"))
    aws.client("sts").get_caller_identity()
    role = iam.get_role(RoleName="notebooks")["Role"]
    attached = iam.list_attached_role_policies(RoleName="notebooks")["AttachedPolicies"]
    for arn in (
        role["PermissionsBoundary"]["PermissionsBoundaryArn"],
        *(one["PolicyArn"] for one in attached),
    ):
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        iam.get_policy_version(PolicyArn=arn, VersionId=version)
    for name in iam.list_role_policies(RoleName="notebooks")["PolicyNames"]:
        iam.get_role_policy(RoleName="notebooks", PolicyName=name)
    try:
        aws.client("organizations").describe_organization()
    except aws.client("organizations").exceptions.AWSOrganizationsNotInUseException:
        pass
    for bucket in s3.list_buckets()["Buckets"]:
        s3.head_bucket(Bucket=bucket["Name"])
        s3.get_bucket_policy(Bucket=bucket["Name"])
        rule = s3.get_bucket_encryption(Bucket=bucket["Name"])["ServerSideEncryptionConfiguration"]["Rules"][
            0
        ]
        key = rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
        if not key.startswith("arn:"):
            key = kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]
        kms.get_key_policy(KeyId=key, PolicyName="default")


def trips_that_wait() -> int:
    """The fewest rounds in which the collectors' requests arrive, when each round is held until it is complete."""
    with StandIn() as stand_in:
        aws = made(Aws(seed(stand_in), timeout_seconds=120))
        fewest = 1000
        for _ in range(ROUNDS):
            stand_in.rounds = Rounds()
            in_parallel(aws)
            fewest = min(fewest, stand_in.rounds.count)
            stand_in.rounds = None
        return fewest


def made(aws: Aws) -> Aws:
    """With its clients made, on both sides: that takes time of the processor, and no round trip."""
    aws.endpoints()
    aws.client("organizations")
    return aws


def fastest(work: Callable[[], None], remote: Remote) -> tuple[float, int]:
    """Seconds of the fastest round, and the requests of each."""
    best, requests = float("inf"), 0
    for _ in range(ROUNDS):
        remote.count()
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
        requests = remote.count()
    return best, requests


def measured() -> Iterator[str]:
    """The results as the lines of a table."""
    trips = trips_that_wait()
    command = [sys.executable, str(HERE / "stand_in.py"), "--delay", str(DELAY)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        told = json.loads(child.stdout.readline())
        remote = Remote(told["url"])
        aws = made(Aws(remote.session(*told["credentials"]), timeout_seconds=120))
        ours, our_requests = fastest(lambda: in_parallel(aws), remote)
        theirs, their_requests = fastest(lambda: one_by_one(aws), remote)
        remembered = Cache()

        def again() -> None:
            collector = Collector(aws, remembered, keep_seconds=300)
            collector.buckets(collector.overview().listed)

        again()
        later, later_requests = fastest(again, remote)
        assert child.stdin is not None
        child.stdin.close()
    yield "| what | requests | round trips that wait for each other | time | times one by one |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    yield row("one call after another", their_requests, str(their_requests), theirs, theirs)
    target = f"{trips} (target {MOST_TRIPS})"
    yield row("the collectors, nothing remembered", our_requests, target, ours, theirs)
    yield row("the collectors, within five seconds of that", later_requests, "1", later, theirs)
    yield ""
    yield (
        f"Python {platform.python_version()} on {platform.machine()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}."
    )
    if trips > MOST_TRIPS:
        raise SystemExit(f"{trips} round trips wait for each other; at most {MOST_TRIPS} may.")


def row(what: str, requests: int, trips: str, seconds: float, sequential: float) -> str:
    return f"| {what} | {requests} | {trips} | {seconds * 1000:,.0f} ms | {sequential / seconds:.1f} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--write", action="store_true", help="put the results into benchmarks/README.md")
    arguments = parser.parse_args()
    table = "\n".join(measured())
    print(table)
    if arguments.write:
        text: Any = README.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN, 1)
        README.write_text(before + BEGIN + table + "\n" + END + rest.split(END, 1)[1], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
