"""How many round trips wait for each other. Counted in rounds that the stand-in holds back, never by the clock.

A round is let go when nothing has come for a while: a machine that is busy can make one round look like two, never two
like one. So the fewest of some attempts is the truth, and more would be a call that waits for another.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from benchmarks.stand_in import Rounds, StandIn, seed
from sm_access.aws import collector as collector_module
from sm_access.aws.cache import PROCESS, Cache
from sm_access.aws.collector import Collector, Overview
from sm_access.aws.session import Aws
from sm_access.bootstrap import Services
from sm_access.commands import inspecting, requirements
from sm_access.config import Settings
from sm_access.errors import AccessRequired

ATTEMPTS = 4


@pytest.fixture(autouse=True)
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests may take longer than what is remembered of a role is young enough."""
    monkeypatch.setattr(collector_module, "PRINCIPAL_SECONDS", 120.0)


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture(scope="module")
def aws(stand_in: StandIn) -> Aws:
    """The role of twenty policies, its clients made: making one takes time and no round trip."""
    found = Aws(seed(stand_in, policies=20, buckets=10), timeout_seconds=60)
    found.endpoints()
    found.client("organizations")
    return found


def survey(aws: Aws, cache: Cache | None = None, *, refresh: bool = False) -> tuple[Overview, Collector]:
    collector = Collector(aws, cache or Cache(), keep_seconds=300, refresh=refresh)
    seen = collector.overview()
    collector.buckets(seen.listed)
    return seen, collector


def test_a_cold_survey_of_twenty_policies_and_ten_buckets_is_at_most_five(
    stand_in: StandIn, aws: Aws
) -> None:
    fewest = 100
    for _ in range(ATTEMPTS):
        stand_in.rounds = Rounds()
        seen, collector = survey(aws)
        fewest = min(fewest, stand_in.rounds.count)
        stand_in.rounds = None
        assert isinstance(seen.principal.identity, tuple)
        assert len(seen.principal.identity) == 20
        found = collector.buckets(seen.listed)
        assert len(found) == 10
        assert all(not isinstance(bucket, str) and bucket.kms_policy for bucket in found.values())
        if fewest <= 4:
            break
    assert fewest <= 5


def test_one_question_about_one_bucket_is_at_most_four(stand_in: StandIn, aws: Aws) -> None:
    fewest = 100
    for _ in range(ATTEMPTS):
        stand_in.rounds = Rounds()
        Collector(aws, Cache(), keep_seconds=300).question("bucket-0001")
        fewest = min(fewest, stand_in.rounds.count)
        stand_in.rounds = None
        if fewest <= 4:
            break
    assert fewest <= 4


def test_nothing_is_asked_twice(stand_in: StandIn, aws: Aws) -> None:
    stand_in.take()
    survey(aws)
    asked = Counter(
        (seen.operation, seen.target) for seen in stand_in.take() if seen.operation != "GetPolicyVersion"
    )
    assert {key: count for key, count in asked.items() if count > 1} == {}


def test_what_was_read_is_not_read_again_but_who_asks_is(stand_in: StandIn, aws: Aws) -> None:
    cache = Cache()
    first, _ = survey(aws, cache)
    stand_in.take()
    again, collector = survey(aws, cache)
    assert Counter(seen.operation for seen in stand_in.take()) == {"GetCallerIdentity": 1, "ListBuckets": 1}
    assert again.principal == first.principal  # its age too
    assert collector.is_remembered
    anew, collector = survey(aws, cache, refresh=True)
    assert len(stand_in.take()) > 50
    assert anew.principal.read_at > first.principal.read_at
    assert not collector.is_remembered


def test_what_speaks_for_the_role_is_read_again_much_sooner(
    stand_in: StandIn, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Grants come and go by others' hands."""
    monkeypatch.setattr(collector_module, "PRINCIPAL_SECONDS", 0.01)
    cache = Cache()
    survey(aws, cache)
    time.sleep(0.02)
    stand_in.take()
    survey(aws, cache)
    asked = {seen.operation for seen in stand_in.take()}
    assert {"GetRole", "GetRolePolicy", "GetPolicyVersion"} <= asked
    assert not {"GetBucketPolicy", "GetKeyPolicy"} & asked


def test_another_session_gets_nothing_of_what_one_read(stand_in: StandIn, aws: Aws) -> None:
    """Also not one of the same role and name: it may have been started with a policy that narrows it."""
    cache = Cache()
    survey(aws, cache)
    issued = (
        stand_in.session()
        .client("sts")
        .assume_role(RoleArn="arn:aws:iam::123456789012:role/notebooks", RoleSessionName="SageMaker")[
            "Credentials"
        ]
    )
    other = Aws(
        stand_in.session(issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"]),
        timeout_seconds=60,
    )
    stand_in.take()
    seen, collector = survey(other, cache)
    assert not collector.is_remembered
    assert len(stand_in.take()) > 50
    assert seen.caller.arn == "arn:aws:sts::123456789012:assumed-role/notebooks/SageMaker"


def test_two_that_ask_at_once_read_once(stand_in: StandIn, aws: Aws) -> None:
    from concurrent.futures import ThreadPoolExecutor

    cache = Cache()
    stand_in.take()
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: survey(aws, cache)[0], range(2)))
    asked = Counter(seen.operation for seen in stand_in.take())
    assert asked["GetCallerIdentity"] == 2
    assert asked["GetRole"] == 1
    assert asked["GetBucketPolicy"] == 10
    assert found[0].principal == found[1].principal


@pytest.fixture
def at(stand_in: StandIn, aws: Aws) -> Iterator[Services]:
    """The role with the cache of this process, as a notebook has it."""
    PROCESS.clear()
    PROCESS._keeps_from = 0.0
    settings = Settings.load({"SM_ACCESS_TIMEOUT_SECONDS": "60"}, ledger="sqlite:////nowhere")
    yield Services(settings, session=aws.session)
    PROCESS.clear()
    PROCESS._keeps_from = 0.0


def test_a_yes_may_be_told_from_memory_and_a_no_never_is(stand_in: StandIn, at: Services) -> None:
    """Somebody else takes a permission away, and gives it back: this process did neither."""
    iam = stand_in.session().client("iam")
    nothing = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}],
    }

    def can(*, refresh: bool = False) -> int:
        return inspecting.can("read", "s3://bucket-0000/x", refresh=refresh, services=at).exit_code

    assert can() == 0
    iam.put_role_policy(RoleName="notebooks", PolicyName="no", PolicyDocument=json.dumps(nothing))
    assert can() == 0  # from memory, and told with its age
    assert can(refresh=True) == 1
    iam.delete_role_policy(RoleName="notebooks", PolicyName="no")
    assert can() == 0
    stand_in.take()
    assert can() == 0
    assert [seen.operation for seen in stand_in.take()] == ["GetCallerIdentity"]


def test_a_gate_is_never_opened_from_memory(stand_in: StandIn, at: Services) -> None:
    iam = stand_in.session().client("iam")
    requirements.require(read="s3://bucket-0000/", services=at)
    deny = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_role_policy(RoleName="notebooks", PolicyName="no", PolicyDocument=document)
    try:
        with pytest.raises(AccessRequired):
            requirements.require(read="s3://bucket-0000/", services=at)
    finally:
        iam.delete_role_policy(RoleName="notebooks", PolicyName="no")


def test_the_age_of_what_is_remembered_is_told_with_the_way_to_read_it_anew(at: Services) -> None:
    inspecting.permissions(services=at)
    at.clock.now = lambda: datetime.now(timezone.utc) + timedelta(minutes=4)  # type: ignore[method-assign]
    assert "read 4 min ago; --refresh reads them anew" in inspecting.permissions(services=at).to_text()
    assert "read 4 min ago" in inspecting.can("read", "s3://bucket-0000/x", services=at).to_text()


def test_a_table_is_told_from_memory_until_it_is_refreshed(stand_in: StandIn, at: Services) -> None:
    inspecting.permissions(services=at)
    stand_in.take()
    inspecting.permissions(services=at)
    assert len(stand_in.take()) == 2
    inspecting.permissions(refresh=True, services=at)
    assert len(stand_in.take()) > 50
