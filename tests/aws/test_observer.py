"""What is tried shows what came of it, in the sandbox and on bad days; nothing is raised, and nothing waits."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from sm_access.access.probe import Outcome
from sm_access.aws.deadline import Deadline
from sm_access.aws.observer import S3Observer
from sm_access.aws.session import Aws
from sm_access.aws.snapshot import SnapshotStore
from sm_access.bootstrap import SystemClock
from sm_access.errors import UnusableSnapshot
from sm_access.sandbox.world import Sandbox


def test_what_s3_says_is_what_was_seen(sandbox: Sandbox) -> None:
    notebook = S3Observer(Aws(sandbox.session("notebook")), SystemClock())
    assert notebook.list("acme-models", "churn/").outcome is Outcome.ALLOWED
    refused = notebook.list("acme-lake", "raw/")
    assert (refused.outcome, refused.detail) == (Outcome.DENIED, "AccessDenied")
    assert "is not authorized to perform: s3:ListBucket" in refused.message
    assert notebook.first_key("acme-models", "vision/") == "vision/labels.json"
    assert notebook.first_key("acme-models", "nothing/") is None
    assert notebook.first_key("acme-lake", "raw/") is None
    assert notebook.read("acme-models", "vision/labels.json").outcome is Outcome.ALLOWED
    assert notebook.read("acme-models", "vision/none.json").outcome is Outcome.NOTHING_THERE


@pytest.mark.parametrize(
    "raised",
    [
        boto.EndpointConnectionError(endpoint_url="http://user:hunter2@127.0.0.1:9"),
        boto.NoCredentialsError(),
        ResponseParserError("HTML hunter2"),
        boto.ClientError({"Error": {"Code": "SlowDown", "Message": "hunter2"}}, "ListObjectsV2"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_no_answer_shows_nothing(raised: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(boto3.session.Session(region_name="us-east-1"))

    def refuse(**_: Any) -> None:
        raise raised

    monkeypatch.setattr(aws.client("s3"), "list_objects_v2", refuse)
    observer = S3Observer(aws, SystemClock())
    found = observer.list("acme-lake", "")
    assert found.outcome is Outcome.FAILED
    assert "hunter2" not in repr(found)
    assert observer.first_key("acme-lake", "") is None


def test_what_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(boto3.session.Session(region_name="us-east-1"))
    for call in ("list_objects_v2", "get_object"):
        monkeypatch.setattr(aws.client("s3"), call, lambda **_: time.sleep(5))
    observer = S3Observer(aws, SystemClock(), Deadline(0.05))
    start = time.monotonic()
    assert observer.list("acme-lake", "").outcome is Outcome.FAILED
    assert observer.read("acme-lake", "k").detail == "AwsUnreachable"
    assert observer.first_key("acme-lake", "") is None
    assert time.monotonic() - start < 4


def test_a_pipe_in_the_place_of_a_snapshot_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    os.mkfifo(tmp_path / "1" / "role.json")
    store = SnapshotStore(Aws(boto3.session.Session(region_name="us-east-1")), "1", str(tmp_path))
    with pytest.raises(UnusableSnapshot, match="No snapshot of this role"):
        store.read("1/role.json")


def test_one_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read every file")
    path = tmp_path / "role.json"
    path.write_text("{}", encoding="utf-8")
    path.chmod(0)
    store = SnapshotStore(Aws(boto3.session.Session(region_name="us-east-1")), "1", str(tmp_path))
    with pytest.raises(UnusableSnapshot, match="cannot be read"):
        store.read("role.json")
