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
