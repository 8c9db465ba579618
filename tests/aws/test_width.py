"""How much lies in a place is told by a few calls at most, and not at all where they are refused."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from sm_access.access import S3Target
from sm_access.aws.session import Aws
from sm_access.aws.width import PAGES, Width, collect_width
from sm_access.sandbox.world import Sandbox


def test_what_lies_there_is_counted(sandbox: Sandbox) -> None:
    aws = Aws(sandbox.session("admin"))
    found = collect_width(aws, S3Target("acme-lake", "raw/"))
    assert found is not None
    assert found.complete
    assert found.objects >= 1
    assert found.size > 0
    assert collect_width(aws, S3Target("acme-lake", "nothing/")) == Width(0, 0, True)


def test_what_may_not_be_listed_is_not_told(sandbox: Sandbox) -> None:
    assert collect_width(Aws(sandbox.session("notebook")), S3Target("acme-lake", "raw/")) is None


def test_more_than_a_few_pages_are_not_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(boto3.session.Session(region_name="us-east-1"))
    asked: list[dict[str, Any]] = []

    def page(**given: Any) -> dict[str, Any]:
        asked.append(given)
        return {
            "Contents": [{"Size": 2}] * 1000,
            "IsTruncated": True,
            "NextContinuationToken": str(len(asked)),
        }

    monkeypatch.setattr(aws.client("s3"), "list_objects_v2", page)
    assert collect_width(aws, S3Target("lake")) == Width(3000, 6000, False)
    assert [each.get("ContinuationToken") for each in asked] == [None, "1", "2"]
    assert len(asked) == PAGES
