"""Probes never raise for what AWS answers: whatever comes back is a result."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from sm_access.access.probe import Outcome, Probe, ProbeKind
from sm_access.aws.prober import S3Prober
from sm_access.aws.session import Aws
from sm_access.sandbox.world import Sandbox


def probe(kind: ProbeKind, bucket: str, prefix: str) -> Probe:
    return Probe(kind, bucket, prefix, Outcome.ALLOWED)


@pytest.mark.parametrize(
    ("asked", "outcome"),
    [
        (probe(ProbeKind.LIST, "acme-models", "churn/"), Outcome.ALLOWED),
        (probe(ProbeKind.LIST, "acme-models", "nothing/"), Outcome.ALLOWED),
        (probe(ProbeKind.READ_FOUND, "acme-models", "churn/"), Outcome.ALLOWED),
        (probe(ProbeKind.READ_FOUND, "acme-models", "nothing/"), Outcome.NOTHING_THERE),
        (probe(ProbeKind.READ_KEY, "acme-models", "vision/labels.json"), Outcome.ALLOWED),
        (probe(ProbeKind.READ_KEY, "acme-models", "vision/none.json"), Outcome.NOTHING_THERE),
        (probe(ProbeKind.LIST, "acme-lake", "raw/"), Outcome.DENIED),
        (probe(ProbeKind.READ_KEY, "acme-lake", "raw/customers.csv"), Outcome.DENIED),
        (probe(ProbeKind.LIST, "acme-hr", ""), Outcome.DENIED),
        (
            probe(ProbeKind.READ_FOUND, "acme-lake", "raw/"),
            Outcome.FAILED,
        ),  # the listing was denied, not the reading
        (probe(ProbeKind.WRITE, "acme-models", "churn/sm-access-probe"), Outcome.ALLOWED),
        (probe(ProbeKind.WRITE, "acme-models", "vision/labels.json"), Outcome.ALLOWED),
        (probe(ProbeKind.WRITE, "acme-lake", "raw/sm-access-probe"), Outcome.DENIED),
        (probe(ProbeKind.WRITE, "acme-lake", "public/sm-access-probe"), Outcome.DENIED),
    ],
    ids=str,
)
def test_what_aws_answers_is_the_result(sandbox: Sandbox, asked: Probe, outcome: Outcome) -> None:
    found = S3Prober(Aws(sandbox.session("notebook"))).attempt(asked)
    assert found.outcome is outcome
    assert found.probe is asked


@pytest.mark.parametrize(
    "raised",
    [
        boto.EndpointConnectionError(endpoint_url="http://127.0.0.1:9"),
        boto.NoCredentialsError(),
        ResponseParserError("HTML"),
        boto.ClientError({"Error": {"Code": "SlowDown"}}, "ListObjectsV2"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_no_answer_is_a_failure_and_proves_nothing(
    raised: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = Aws(boto3.session.Session(region_name="us-east-1"))

    def refuse(**_: Any) -> None:
        raise raised

    monkeypatch.setattr(aws.client("s3"), "list_objects_v2", refuse)
    assert S3Prober(aws).attempt(probe(ProbeKind.LIST, "acme-lake", "")).outcome is Outcome.FAILED


def test_a_probe_for_writing_writes_nothing(sandbox: Sandbox) -> None:
    def seen() -> Any:
        s3 = sandbox.root_session.client("s3")
        objects = s3.list_objects_v2(Bucket="acme-models")["Contents"]
        uploads = s3.list_multipart_uploads(Bucket="acme-models").get("Uploads", [])
        return [(each["Key"], each["ETag"], each["LastModified"]) for each in objects], uploads

    before = seen()
    prober = S3Prober(Aws(sandbox.session("notebook")))
    for key in ("churn/sm-access-probe", "vision/labels.json"):
        assert prober.attempt(probe(ProbeKind.WRITE, "acme-models", key)).outcome is Outcome.ALLOWED
    assert seen() == before


def test_what_takes_a_part_for_an_upload_that_nobody_began_proves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    aws = Aws(boto3.session.Session(region_name="us-east-1"))
    monkeypatch.setattr(aws.client("s3"), "upload_part", lambda **_: {})
    assert S3Prober(aws).attempt(probe(ProbeKind.WRITE, "acme-lake", "x")).outcome is Outcome.FAILED
    with pytest.raises(ValueError, match="never tried"):
        S3Prober(aws).attempt(probe(ProbeKind.DELETE, "acme-lake", "x"))
