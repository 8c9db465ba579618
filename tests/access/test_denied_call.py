"""What a refused call was about, and what one would ask for: never wider than anybody meant."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_access.access.call import Call
from sm_access.access.decoded_message import read_decoded
from sm_access.access.denial_message import DenialMessage
from sm_access.access.denied_call import Ask, denied_call, sensible_target
from sm_access.access.level import Level
from sm_access.access.rules import Rules
from sm_access.access.target import S3Target

KEY = "arn:aws:kms:eu-central-1:111122223333:key/1"
JOB = "arn:aws:sagemaker:eu-central-1:1:training-job/x"
OWNER = "arn:aws:iam::111122223333:role/owner"
ME = "arn:aws:sts::111122223333:assumed-role/ds/SageMaker"


def call(operation: str, message: str = "", service: str = "s3", **parameters: str) -> Call:
    return Call(service, operation, parameters, "eu-central-1", 403, "AccessDenied", message)


def sentence(action: str, resource: str) -> str:
    why = "because no identity-based policy allows it"
    return f'User: {ME} is not authorized to perform: {action} on resource: "{resource}" {why}'


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("raw/customers.csv", "s3://lake/raw/"),
        ("raw/events/2026/11/x.json", "s3://lake/raw/events/2026/11/"),
        ("sales/year=2026/month=11/part-0.parquet", "s3://lake/sales/"),
        ("table/_delta_log/0001.json", "s3://lake/table/"),
        ("table/_temporary/0/part-0", "s3://lake/table/"),
        ("top.csv", "s3://lake/top.csv"),
        ("raw/what*/x.csv", "s3://lake/raw/"),
        ("raw/läger/x.csv", "s3://lake/raw/läger/"),
        ("raw/倉庫/x.csv", "s3://lake/raw/"),
        ("year=2026/x.csv", None),
        ("what*/x.csv", None),
        ("what*.csv", None),
        ("", None),
    ],
)
def test_the_folder_of_a_key_is_asked_for(path: str, target: str | None) -> None:
    found = sensible_target("lake", path)
    assert (str(found) if found else None) == target


@pytest.mark.parametrize(
    ("prefix", "target"),
    [("raw/", "s3://lake/raw/"), ("raw", "s3://lake/raw/"), ("raw/ev", "s3://lake/raw/"), ("", "s3://lake")],
)
def test_of_a_listing_what_lies_beneath(prefix: str, target: str) -> None:
    assert str(sensible_target("lake", prefix, listing=True)) == target


@given(st.text(max_size=60), st.booleans())
def test_what_is_asked_for_holds_the_key_and_is_never_the_whole_bucket(path: str, listing: bool) -> None:
    found = sensible_target("lake", path, listing=listing)
    if found is None:
        return
    assert path.startswith(found.stem)
    assert found.is_bucket is (path == "" and listing)


@pytest.mark.parametrize(
    ("made", "action", "place", "ask"),
    [
        (call("GetObject", Bucket="lake", Key="raw/x"), "s3:GetObject", "s3://lake/raw/x", "read s3://lake/raw/"),
        (call("HeadObject", Bucket="lake", Key="raw/x"), "s3:GetObject", "s3://lake/raw/x", "read s3://lake/raw/"),
        (call("ListObjectsV2", Bucket="lake", Prefix="raw/"), "s3:ListBucket", "s3://lake/raw/", "list s3://lake/raw/"),
        (call("ListObjectsV2", Bucket="lake"), "s3:ListBucket", "s3://lake", "list s3://lake"),
        (call("UploadPart", Bucket="lake", Key="raw/x"), "s3:PutObject", "s3://lake/raw/x", "write s3://lake/raw/"),
        (call("GetObjectTagging", Bucket="lake", Key="raw/x"), "s3:GetObjectTagging", "s3://lake/raw/x", None),
        (call("ListBuckets"), "s3:ListAllMyBuckets", "", None),
        (call("NoSuchOperation"), "", "", None),
        # AWS names another place than the call: the source of a copy
        (call("CopyObject", sentence("s3:GetObject", "arn:aws:s3:::src/in/x"), Bucket="lake", Key="raw/x",
              CopySource="src/in/x"), "s3:GetObject", "s3://src/in/x", "read s3://src/in/"),
        (call("CopyObject", sentence("s3:GetObject", "arn:aws:s3:::lake/in/x"), Bucket="lake", Key="raw/x",
              CopySource="lake/in/x"), "s3:GetObject", "s3://lake/in/x", "read s3://lake/in/"),
        # the key of the bucket was refused: the place stays that of the call
        (call("GetObject", sentence("kms:Decrypt", KEY), Bucket="lake", Key="raw/x"),
         "kms:Decrypt", "s3://lake/raw/x", "read s3://lake/raw/"),
        # only a message
        (call("", sentence("s3:PutObject", "arn:aws:s3:::lake/raw/x y.csv"), service=""), "s3:PutObject",
         "s3://lake/raw/x y.csv", "write s3://lake/raw/"),
        (call("", sentence("S3:getobject", "arn:aws:s3:::lake/raw/x"), service=""), "s3:GetObject", "s3://lake/raw/x",
         "read s3://lake/raw/"),
        (call("", sentence("sagemaker:CreateTrainingJob", JOB), service=""),
         "sagemaker:CreateTrainingJob", JOB, None),
        (call("", sentence("new:DoesNotExist", "*"), service=""), "new:DoesNotExist", "*", None),
    ],
)  # fmt: skip
def test_place_and_request_of_a_call(made: Call, action: str, place: str, ask: str | None) -> None:
    found = denied_call(made)
    asked = found.ask
    assert found.action == action
    assert found.place == place
    assert (f"{asked.level.value} {asked.target}" if asked else None) == ask


def test_of_many_keys_the_folder_that_all_are_in() -> None:
    many = Call("s3", "DeleteObjects", {"Bucket": "lake"}, keys=("raw/a/1", "raw/a/2", "raw/b/3"))
    one = Call("s3", "DeleteObjects", {"Bucket": "lake"}, keys=("raw/a/1",))
    assert denied_call(many).place == "s3://lake/raw/"
    assert denied_call(many).ask == Ask(S3Target("lake", "raw/"), Level.DELETE)
    assert denied_call(one).place == "s3://lake/raw/a/1"


def test_iam_names_a_role_by_name_and_the_parameters_by_arn() -> None:
    message = f"User: {ME} is not authorized to perform: iam:GetRole on resource: role ds"
    named = denied_call(call("GetRole", message, "iam", RoleName="ds"), account="111122223333")
    assert named.resource == "arn:aws:iam::111122223333:role/ds"
    assert denied_call(call("", message, "")).resource == "role ds"


def test_what_aws_names_fills_in_what_the_call_does_not_say() -> None:
    found = denied_call(call("GetObject", sentence("s3:GetObject", "arn:aws:s3:::lake/raw/x")))
    assert [(need.resource, need.exact) for need in found.needed] == [("arn:aws:s3:::lake/raw/x", True)]
    other = denied_call(call("GetObject", sentence("s3:PutObject", "arn:aws:s3:::lake/raw/x")))
    assert [need.exact for need in other.needed] == [False]


def test_a_listing_that_hides_a_missing_key_is_seen() -> None:
    hidden = call("HeadObject", sentence("s3:ListBucket", "arn:aws:s3:::lake"), Bucket="lake", Key="raw/x")
    assert denied_call(hidden).of_hidden_listing
    assert denied_call(hidden).asked_action == "s3:GetObject"
    plain = call("ListObjectsV2", sentence("s3:ListBucket", "arn:aws:s3:::lake"), Bucket="lake")
    assert not denied_call(plain).of_hidden_listing
    pasted = call("", sentence("s3:ListBucket", "arn:aws:s3:::lake"), service="")
    assert not denied_call(pasted).of_hidden_listing


def test_a_request_keeps_to_the_rules() -> None:
    rules = Rules.from_dict(
        {
            "reviewers": [OWNER],
            "max_duration": "1d",
            "bucket": {"acme-hr": {"levels": ["list"]}},
        }
    )
    lake, hr = Ask(S3Target("lake", "raw/"), Level.READ), Ask(S3Target("acme-hr"), Level.READ)
    assert lake.under(rules) == Ask(lake.target, lake.level, timedelta(days=1), (OWNER,))
    assert not hr.under(rules).within_rules


DECODED = (
    '{"allowed": false, "explicitDeny": true, "matchedStatements": {"items": []}, "context": {"principal": {'
    '"arn": "arn:aws:iam::111122223333:user/ada"}, "action": "ec2:StopInstances", "resource": '
    '"arn:aws:ec2:us-east-1:111122223333:instance/i-1", "conditions": {"items": []}}}'
)


def test_a_decoded_message_takes_the_place_of_the_sentence() -> None:
    decoded = read_decoded(DECODED)
    encoded = call(
        "StopInstances",
        "You are not authorized to perform this operation. Encoded authorization failure message: Zx9",
        "ec2",
    )
    found = denied_call(encoded, decoded=decoded)
    assert found.said == DenialMessage(
        "arn:aws:iam::111122223333:user/ada",
        "ec2:StopInstances",
        "arn:aws:ec2:us-east-1:111122223333:instance/i-1",
        explicit=True,
        encoded="Zx9",
    )
    assert denied_call(encoded).action == "ec2:StopInstances"
    assert (
        denied_call(call("GetObject", sentence("s3:GetObject", "r"), Bucket="b"), decoded=decoded).action
        == "s3:GetObject"
    )


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[]", "1", '{"context": 1}', '{"context": {"action": 7}}',
                                  DECODED.replace("false", "true", 1)])  # fmt: skip
def test_anything_else_is_no_decoded_denial(text: str) -> None:
    assert read_decoded(text) is None


NAMES = ["Bucket", "Key", "Prefix", "CopySource", "KeyId", "RoleArn", "VersionId"]


@given(st.dictionaries(st.sampled_from(NAMES), st.text()),
       st.sampled_from(["GetObject", "CopyObject", "ListObjectsV2", "DeleteObjects", "", "Nope"]),
       st.text())  # fmt: skip
def test_no_call_raises(parameters: dict[str, Any], operation: str, message: str) -> None:
    found = denied_call(Call("s3", operation, parameters, message=message))
    assert isinstance(found.place, str)
    assert found.ask is None or found.level is not None
