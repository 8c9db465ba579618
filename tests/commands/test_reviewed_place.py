"""What a reviewer's side must have seen of a bucket before anything is approved."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from sm_access.access import Caller, Desk, Level, Rules, S3Target, Terms
from sm_access.access.evidence import BucketEvidence
from sm_access.bootstrap import SystemClock
from sm_access.commands import requesting
from sm_access.errors import Refused, TermsChanged
from sm_access.stores import MemoryLedger

OWN, OTHER = "111122223333", "444455556666"
KEY = f"arn:aws:kms:eu-central-1:{OWN}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
NOW = datetime(2026, 11, 24, tzinfo=timezone.utc)
NAMED = {"bucket": {"lake": {"levels": ["read"]}}}


def check(
    monkeypatch: pytest.MonkeyPatch,
    asked_key: str | None,
    found_key: str | None,
    *,
    read: bool = True,
    owner: str | None = OWN,
    named: bool = False,
) -> None:
    rules = Rules.from_dict(NAMED if named else {})
    found = BucketEvidence("lake", owner, None, read, found_key, None, "eu-central-1", NOW)
    monkeypatch.setattr("sm_access.aws.buckets.collect_bucket", lambda *_: found)
    caller = Caller(f"arn:aws:sts::{OWN}:assumed-role/notebooks/SageMaker", OWN)
    request = Desk(MemoryLedger(), rules, SystemClock()).submit(
        caller,
        Terms(caller.principal, S3Target("lake", "raw/"), Level.READ, timedelta(days=1), asked_key),
        "churn",
    )
    at: Any = SimpleNamespace(rules=rules, aws=None)
    requesting._check_place(at, request)


def test_what_the_reviewer_sees_to_be_so_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    check(monkeypatch, KEY, KEY)
    check(monkeypatch, None, None)
    check(monkeypatch, None, None, owner=OTHER, named=True)
    check(monkeypatch, None, None, read=False, named=True)


@pytest.mark.parametrize(
    ("asked", "found"), [(KEY, None), (None, KEY), (KEY, KEY.replace("1234abcd", "deadbeef"))]
)
def test_another_key_than_the_buckets_is_refused(
    monkeypatch: pytest.MonkeyPatch, asked: str | None, found: str | None
) -> None:
    with pytest.raises(TermsChanged, match="would open the key"):
        check(monkeypatch, asked, found)


@pytest.mark.parametrize("named", [False, True])
def test_a_key_that_could_not_be_checked_is_refused_whatever_the_rules_name(
    monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    with pytest.raises(Refused, match="requester's word"):
        check(monkeypatch, KEY, None, read=False, named=named)


@pytest.mark.parametrize("owner", [OTHER, None])
def test_a_bucket_not_known_to_be_ones_own_is_refused(
    monkeypatch: pytest.MonkeyPatch, owner: str | None
) -> None:
    with pytest.raises(Refused, match="not known to belong"):
        check(monkeypatch, None, None, owner=owner)
