"""Denials of the sandbox, as boto3 reports them, and what they are explained as: one case for each layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sm_access.access.call import Call
from sm_access.bootstrap import Services
from sm_access.commands.explaining import explain_calls
from sm_access.sandbox.world import Sandbox

Denied = Callable[..., Call]


@pytest.fixture
def refused(sandbox: Sandbox) -> Denied:
    """Make a call as somebody in the sandbox that is refused, and hand over what a recorder would note of it."""

    def make(service: str, method: str, *, of: str = "notebook", **parameters: Any) -> Call:
        client = sandbox.session(of).client(service)
        with pytest.raises(ClientError) as raised:
            getattr(client, method)(**parameters)
        answer = raised.value.response
        return Call(
            service,
            raised.value.operation_name,
            {name: value for name, value in parameters.items() if isinstance(value, str)},
            client.meta.region_name,
            answer["ResponseMetadata"]["HTTPStatusCode"],
            answer["Error"]["Code"],
            answer["Error"]["Message"],
            answer["ResponseMetadata"].get("RequestId", ""),
        )

    return make


LACKS = "no-identity-policy-allows-it"
CASES = [
    # what was called; the cause; the level and place that are asked for; whether that would be enough
    (("s3", "get_object", "acme-lake", "raw/customers.csv"), LACKS, "read s3://acme-lake/raw/", True),
    (("s3", "head_object", "acme-lake", "raw/customers.csv"), LACKS, "read s3://acme-lake/raw/", True),
    (("s3", "put_object", "acme-lake", "raw/new.csv"), LACKS, "write s3://acme-lake/raw/", True),
    (("s3", "delete_object", "acme-models", "vision/labels.json"), LACKS,
     "delete s3://acme-models/vision/", True),
    (("s3", "get_object", "acme-lake", "public/no.csv"), "may-not-exist", None, False),
    (("s3", "head_object", "acme-lake", "public/no.csv"), "may-not-exist", None, False),
    (("s3", "get_object", "acme-vault", "contracts/2026.csv"), "kms-key-not-open", None, False),
    (("s3", "head_object", "acme-vault", "contracts/2026.csv"), "kms-key-not-open", None, False),
    (("s3", "get_object", "acme-hr", "people.csv"), "resource-policy-denies-it", None, False),
    (("s3", "head_object", "acme-hr", "people.csv"), "resource-policy-denies-it", None, False),
]  # fmt: skip


@pytest.mark.parametrize(("called", "cause", "asked", "enough"), CASES, ids=str)
def test_a_denial_of_s3_has_its_cause_and_its_request(
    refused: Denied,
    services_of: Callable[[str], Services],
    called: tuple[str, str, str, str],
    cause: str,
    asked: str | None,
    enough: bool | None,
) -> None:
    service, method, bucket, key = called
    result = explain_calls(
        [refused(service, method, Bucket=bucket, Key=key)], services=services_of("notebook")
    )
    assert result is not None
    (found,) = result.to_dict()["denials"]
    request = found["request"]
    assert found["cause"] == cause
    assert (f"{request['level']} {request['where']}" if request else None) == asked
    # Reading an object's headers needs no key: that it is the key is a guess there.
    engine = "guess" if bucket == "acme-vault" else "engine"
    assert found["decided_by"] == (engine if method == "head_object" else "aws")
    if enough is not None:
        assert found["grant_would_help"] is enough


def test_nothing_is_said_of_a_call_that_is_no_denial() -> None:
    missing = Call("s3", "GetObject", {"Bucket": "b", "Key": "k"}, status=404, code="NoSuchKey")
    assert explain_calls([missing]) is None
    assert explain_calls([]) is None
