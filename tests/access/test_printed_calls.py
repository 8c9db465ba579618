"""What libraries without botocore and commands leave behind, as they wrote it; and texts that say nothing."""

# ruff: noqa: E501, ISC004 - what programs print is quoted as they print it

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_access.access.call import Call, NoticedBy
from sm_access.access.printed_calls import LONGEST, MOST, calls_in

WORDS = "User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: s3:GetObject"


def only(text: str, command: str = "") -> Call:
    (call,) = calls_in(text, noticed_by=NoticedBy.OUTPUT, command=command)
    return call


# --- Arrow: pyarrow 14 to 26 --------------------------------------------------------------------------------------

ARROW = [
    (
        "When getting information for key 'raw/x.parquet' in bucket 'acme-lake': AWS Error ACCESS_DENIED during "
        "HeadObject operation: No response body.",
        ("HeadObject", {"Bucket": "acme-lake", "Key": "raw/x.parquet"}, 403, "AccessDenied", ""),
    ),
    (
        f"When listing objects under key 'raw/' in bucket 'acme-lake': AWS Error ACCESS_DENIED during ListObjectsV2 "
        f"operation: {WORDS}",
        ("ListObjectsV2", {"Bucket": "acme-lake", "Prefix": "raw/"}, 403, "AccessDenied", WORDS),
    ),
    (
        f"When initiating multiple part upload for key 'it's/x' in bucket 'lake': AWS Error ACCESS_DENIED during "
        f"CreateMultipartUpload operation: {WORDS}",
        ("CreateMultipartUpload", {"Bucket": "lake", "Key": "it's/x"}, 403, "AccessDenied", WORDS),
    ),
    (
        f"When copying key 'a/b' in bucket 'from' to key 'c' in bucket 'into': AWS Error ACCESS_DENIED during CopyObject "
        f"operation: {WORDS}",
        ("CopyObject", {"Bucket": "into", "Key": "c", "CopySource": "from/a/b"}, 403, "AccessDenied", WORDS),
    ),
    (
        "When testing for existence of bucket 'lake': AWS Error ACCESS_DENIED during HeadBucket operation: No response body.",
        ("HeadBucket", {"Bucket": "lake"}, 403, "AccessDenied", ""),
    ),
    (
        "When reading information for key 'k' in bucket 'lake': AWS Error UNKNOWN (HTTP status 400) during HeadObject "
        "operation: No response body.",
        ("HeadObject", {"Bucket": "lake", "Key": "k"}, 400, "", ""),
    ),
    (
        "When listing buckets: AWS Error EXPIRED_TOKEN during ListBuckets operation: The provided token has expired.",
        ("ListBuckets", {}, None, "ExpiredToken", "The provided token has expired."),
    ),
]


@pytest.mark.parametrize(("text", "expected"), ARROW)
def test_arrow(text: str, expected: tuple[object, ...]) -> None:
    call = only(f"OSError: {text}")
    assert (call.operation, call.parameters, call.status, call.code, call.message) == expected
    assert (call.service, call.noticed_by) == ("s3", NoticedBy.OUTPUT)


# --- object_store: polars, delta-rs -------------------------------------------------------------------------------


def store(request: str, rest: str = "403 Forbidden:  (path: s3://lake/raw/x.csv)") -> str:
    return (
        "object-store error: The operation lacked the necessary privileges to complete for path raw/x.csv: Error "
        f"performing {request} in 1.493893ms - Server returned non-2xx status code: {rest}"
    )


@pytest.mark.parametrize(
    ("request_", "operation", "parameters"),
    [
        ("HEAD http://127.0.0.1:3/lake/raw/x.csv", "HeadObject", {"Bucket": "lake", "Key": "raw/x.csv"}),
        (
            "GET https://lake.s3.us-east-1.amazonaws.com/raw/x%20y.csv",
            "GetObject",
            {"Bucket": "lake", "Key": "raw/x y.csv"},
        ),
        ("GET https://a.b.s3.cn-north-1.amazonaws.com.cn/k", "GetObject", {"Bucket": "a.b", "Key": "k"}),
        ("PUT https://lake.storage.example/raw/x", "PutObject", {"Bucket": "lake", "Key": "raw/x"}),
        ("PUT http://h/lake/x?partNumber=1&uploadId=u", "UploadPart", {"Bucket": "lake", "Key": "x"}),
        ("POST http://h/lake/x?uploads", "CreateMultipartUpload", {"Bucket": "lake", "Key": "x"}),
        ("POST http://h/lake/x?uploadId=u", "CompleteMultipartUpload", {"Bucket": "lake", "Key": "x"}),
        ("DELETE http://h/lake/x", "DeleteObject", {"Bucket": "lake", "Key": "x"}),
        (
            "GET http://h/lake?list-type=2&prefix=raw%2F",
            "ListObjectsV2",
            {"Bucket": "lake", "Prefix": "raw/"},
        ),
        ("GET http://h/lake?list-type=2", "ListObjectsV2", {"Bucket": "lake", "Prefix": ""}),
    ],
)
def test_object_store(request_: str, operation: str, parameters: dict[str, str]) -> None:
    call = only(store(request_))
    assert (call.operation, call.parameters, call.status) == (operation, parameters, 403)


def test_object_store_tells_what_aws_said() -> None:
    body = '403 Forbidden: <?xml version="1.0"?>\n<Error><Code>AccessDenied</Code><Message>&quot;no&quot;</Message></Error>'
    call = only(store("GET http://h/lake/x", body))
    assert (call.code, call.message) == ("AccessDenied", '"no"')


def test_a_url_that_is_none_is_passed_over() -> None:
    assert calls_in(store("GET http://[h/lake/x"), noticed_by=NoticedBy.EXCEPTION) == ()


# --- botocore's sentence: the AWS command line, scripts, other processes -------------------------------------------


def said(operation: str, code: str = "AccessDenied") -> str:
    return f"An error occurred ({code}) when calling the {operation} operation: {WORDS}"


@pytest.mark.parametrize(
    ("command", "text", "service", "parameters"),
    [
        ("!aws s3 cp s3://lake/raw/x.csv .", f"fatal error: {said('HeadObject', '403')}", "s3", {"Bucket": "lake", "Key": "raw/x.csv"}),
        ("!aws s3 ls s3://lake/raw/", said("ListObjectsV2"), "s3", {"Bucket": "lake", "Prefix": "raw/"}),
        ("!aws s3 mb s3://lake", said("CreateBucket"), "s3", {"Bucket": "lake"}),
        ("!aws s3 cp . s3://lake/", f"upload failed: ./x.csv to s3://lake/x.csv {said('PutObject')}", "s3", {"Bucket": "lake", "Key": "x.csv"}),
        ("", f"delete failed: s3://lake/x.csv {said('DeleteObject')}", "s3", {"Bucket": "lake", "Key": "x.csv"}),
        ("", f"Failed to upload a.csv to lake/raw/a.csv: {said('PutObject')}", "s3", {"Bucket": "lake", "Key": "raw/a.csv"}),
        ("!aws s3 cp s3://from/a s3://into/b", said("CopyObject"), "s3", {"Bucket": "into", "Key": "b", "CopySource": "from/a"}),
        ("!aws s3api head-object --bucket=lake --key 'raw/x'", said("HeadObject"), "s3", {"Bucket": "lake", "Key": "raw/x"}),
        ("!aws s3api get-object --bucket lake --key a", said("HeadObject"), "s3", {}),
        ("%%bash\naws s3 ls s3://lake/a\naws s3 ls s3://lake/b", said("ListObjectsV2"), "s3", {}),
        ("%%bash\naws s3 ls s3://lake/a; aws s3 ls s3://lake/a", said("ListObjectsV2"), "s3", {"Bucket": "lake", "Prefix": "a"}),
        ("!aws dynamodb get-item --table-name t", said("GetItem"), "dynamodb", {"TableName": "t"}),
        ("!aws glue get-table --name t; aws lakeformation get-table", said("GetTable"), "", {}),
        ("%%bash\naws s3 ls s3://$BUCKET/a", said("ListObjectsV2"), "s3", {}),
        ("%%bash\naws s3api list-objects-v2 --bucket $BUCKET", said("ListObjectsV2"), "s3", {}),
        ("!python train.py", said("GetObject"), "s3", {}),
        ("!python train.py", said("CreateTrainingJob"), "", {}),
        ("!echo s3://lake/x", said("HeadObject"), "s3", {}),
    ],
)  # fmt: skip
def test_commands(command: str, text: str, service: str, parameters: dict[str, str]) -> None:
    call = only(text, command)
    assert (call.service, call.parameters, call.message) == (service, parameters, WORDS)


def test_the_region_of_a_command() -> None:
    call = only(said("ListTables"), "!aws dynamodb list-tables --region eu-west-1")
    assert (call.region, call.parameters) == ("eu-west-1", {})


def test_a_code_that_is_a_status() -> None:
    assert only(said("HeadObject", "403")).status == 403
    assert only(said("HeadObject")).status is None
    assert (
        only(said("PutObject").replace("operation:", "operation (reached max retries: 4):")).operation
        == "PutObject"
    )


# --- bad input ----------------------------------------------------------------------------------------------------


def test_the_same_refusal_is_told_once_and_not_too_many() -> None:
    assert len(calls_in(f"{said('GetObject')}\n" * 100, noticed_by=NoticedBy.OUTPUT)) == 1
    many = "\n".join(said(f"Get{number}") for number in range(200))
    assert len(calls_in(many, noticed_by=NoticedBy.OUTPUT)) == MOST


def test_of_a_huge_text_the_end_is_read() -> None:
    text = "x" * (10 * LONGEST) + said("GetObject")
    assert only(text).operation == "GetObject"


HEADS = [
    "When ",
    "key '",
    "An error occurred (",
    "Error performing GET http://",
    "s3://",
    "aws s3 ",
    "<Code>",
    "to lake/",
]


@given(st.text(max_size=200), st.sampled_from(HEADS), st.text(max_size=200))
def test_any_text_is_read(before: str, head: str, after: str) -> None:
    for text in (before + head + after, head * 50, (head + after) * 20):
        calls_in(text, noticed_by=NoticedBy.EXCEPTION, command=text)


@pytest.mark.parametrize("head", HEADS)
def test_no_text_takes_long(head: str) -> None:
    """Bounded repetitions: what would take minutes with unbounded ones is over before the test's time is."""
    for filler in ("", "a", "'", ": ", " in bucket '", "s3://lake/ "):
        calls_in(
            (head + filler) * (LONGEST // (len(head) + len(filler))),
            noticed_by=NoticedBy.OUTPUT,
            command=head * 9999,
        )
