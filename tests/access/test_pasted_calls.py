"""Errors as people paste them: from a terminal, a chat, CloudTrail, the log of another language's SDK."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sm_access.access.denied_call import denied_call
from sm_access.access.pasted_calls import LONGEST, MOST, pasted_calls
from sm_access.access.trouble import Trouble, trouble_of

ME = "arn:aws:sts::111122223333:assumed-role/ds/SageMaker"
SENTENCE = (
    f'User: {ME} is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::lake/raw/x.csv" because no '
    "identity-based policy allows the s3:GetObject action"
)
EVENT = {
    "eventVersion": "1.10",
    "userIdentity": {"type": "AssumedRole", "arn": ME},
    "eventTime": "2026-11-24T09:30:00Z",
    "eventSource": "s3.amazonaws.com",
    "eventName": "GetObject",
    "awsRegion": "eu-central-1",
    "requestParameters": {"bucketName": "lake", "key": "raw/x.csv", "Host": "lake.s3.amazonaws.com"},
    "errorCode": "AccessDenied",
    "errorMessage": SENTENCE,
    "requestID": "4BE7",
}

CORPUS = yaml.safe_load((Path(__file__).parent / "corpus" / "pasted.yaml").read_text(encoding="utf-8"))
AS_JSON = [
    {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": SENTENCE},
    {"message": SENTENCE},
    EVENT,
    [EVENT],
    {"Records": [{"other": 1}, 7, EVENT]},
    {"Events": [{"CloudTrailEvent": json.dumps(EVENT)}]},
]


@pytest.mark.parametrize("case", CORPUS["errors"], ids=lambda case: case["text"][:40])
def test_each_form_of_an_error_is_read(case: dict[str, Any]) -> None:
    (found,) = pasted_calls(case["text"])
    denied, trouble = denied_call(found), trouble_of(found)
    assert trouble is not None
    assert {"trouble": trouble.value, "action": denied.action, "place": denied.place} == case["is"]


@pytest.mark.parametrize("body", AS_JSON, ids=str)
def test_so_is_each_form_of_json(body: Any) -> None:
    (found,) = pasted_calls(json.dumps(body))
    assert trouble_of(found) is Trouble.DENIED
    assert denied_call(found).place == "s3://lake/raw/x.csv"


def test_an_event_of_cloudtrail_says_when_and_where() -> None:
    (found,) = pasted_calls(json.dumps(EVENT))
    assert (found.service, found.operation, found.region, found.request_id) == (
        "s3",
        "GetObject",
        "eu-central-1",
        "4BE7",
    )
    assert found.at == datetime(2026, 11, 24, 9, 30, tzinfo=timezone.utc)
    for when in ("yesterday", "2026-11-24T09:30:00", 7):
        (found,) = pasted_calls(json.dumps({**EVENT, "eventTime": when}))
        assert found.at is None


def test_several_errors_are_several_calls_each_once() -> None:
    error = "An error occurred (AccessDenied) when calling the PutObject operation: Access Denied"
    two = f"upload failed: ./a to s3://lake/a {error}\nupload failed: ./b to s3://lake/b {error}\n"
    assert [call.parameters for call in pasted_calls(two * 2)] == [
        {"Bucket": "lake", "Key": "a"},
        {"Bucket": "lake", "Key": "b"},
    ]
    other = SENTENCE.replace("raw/x.csv", "raw/y.csv")
    assert [denied_call(call).path for call in pasted_calls(f"{SENTENCE}\n{other}")] == [
        "raw/x.csv",
        "raw/y.csv",
    ]
    many = json.dumps([{**EVENT, "requestParameters": {"bucketName": f"b{n}"}} for n in range(MOST + 9)])
    assert len(pasted_calls(many)) == MOST


@pytest.mark.parametrize(
    "text",
    ["", "{", "[" * LONGEST, "{}", "[]", "[1]", "null", '{"eventName": "GetObject"}', '{"message": "hello"}',
     "KeyError: 'x'", "All is well with s3://lake/x."],
)  # fmt: skip
def test_where_nothing_failed_nothing_is_found(text: str) -> None:
    assert pasted_calls(text) == ()


PIECES = st.sampled_from(
    [
        SENTENCE, "An error occurred (", "AccessDenied", ") when calling the ", "GetObject", " operation: ", "\n", " ",
        "(Service: Amazon S3; ", "Status Code: 403", "; Error Code: ", "operation error S3: ", "Records", "{", "}", '"',
        ", StatusCode: 403, RequestID: ", "api error X: ", "<Code>a</Code>", "<Message>", "</", "s3://lake/",
    ]
)  # fmt: skip
KEYS = st.sampled_from([*EVENT, "Records", "Events", "CloudTrailEvent", "message", "__type"])


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=30).map("".join)))
def test_no_text_raises(text: str) -> None:
    for found in pasted_calls(text):
        denied_call(found)


@given(
    st.recursive(
        st.one_of(st.none(), st.text(max_size=9), st.integers()),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=5)),
    )
)
def test_no_json_raises(value: object) -> None:
    pasted_calls(json.dumps(value))


@pytest.mark.parametrize(
    "piece",
    [
        "operation error S3: GetObject, ", "(Service: a", "<Code>a</Code><Message>", "User: ", "s3://lake/a ",
        "An error occurred (A) when calling the B operation ", "is expired ",
        "An error occurred (A) when calling the B operation: \n",
    ],
)  # fmt: skip
def test_a_long_text_takes_time_in_proportion_to_its_length(piece: str) -> None:
    """Of processor time; four times the text in the square is sixteen."""

    def seconds(characters: int) -> float:
        text, times = piece * (characters // len(piece)), []
        for _ in range(2):
            started = time.process_time()
            pasted_calls(text)
            times.append(time.process_time() - started)
        return min(times)

    quarter, whole = seconds(LONGEST // 4), seconds(LONGEST)
    assert whole < 10 * quarter + 0.05
