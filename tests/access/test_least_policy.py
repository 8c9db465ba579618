"""The least policy allows every call that was recorded, by the engine's word, and nothing beside them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_access import catalog
from sm_access.access import recording
from sm_access.access.call import Call
from sm_access.access.least_policy import MOST_FOLDERS, LeastPolicy, least_policy
from sm_access.access.operations import Need
from sm_access.access.recording import CallLog, account_of
from sm_access.policy import Decision, NamedPolicy, PolicySet, Request, authorize, parse_policy

REGION = "eu-west-1"
ACCOUNT = "111122223333"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Trainer"


def s3(operation: str, **parameters: str) -> Call:
    return Call("s3", operation, parameters, region=REGION)


def log_of(*calls: Call) -> CallLog:
    log = CallLog()
    for call in calls:
        log.add(call)
    return log


def least(*calls: Call) -> LeastPolicy:
    return least_policy(log_of(*calls).kinds)


def statements(*calls: Call) -> list[tuple[Any, Any, Any]]:
    document = least(*calls).document
    assert document is not None
    return [(each["Action"], each["Resource"], each.get("Condition")) for each in document["Statement"]]


#: A key whose own policy leaves it to IAM (AWS KMS Developer Guide, "Default key policy").
KEY_POLICY = NamedPolicy(
    "key",
    parse_policy(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                    "Action": "kms:*",
                    "Resource": "*",
                }
            ],
        }
    ),
    "resource",
)


def decision(document: Any, need: Need) -> Decision:
    layers = PolicySet(
        identity=(NamedPolicy("least", parse_policy(document)),),
        resource=(KEY_POLICY,) if need.action.startswith("kms:") else None,
    )
    request = Request(
        f"arn:aws:sts::{ACCOUNT}:assumed-role/Notebook/s",
        need.action,
        need.resource,
        resource_account=ACCOUNT,
        context=dict(need.context),
    )
    return authorize(layers, request).decision


# --- the laws -----------------------------------------------------------------------------------------------------

NAMES = st.text(st.sampled_from("ab*?$${}é /日."), min_size=1, max_size=6)
KEYS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
BUCKETS = st.sampled_from(["lake", "models", "vault"])
ON_OBJECTS = st.sampled_from(
    [
        "GetObject",
        "HeadObject",
        "PutObject",
        "DeleteObject",
        "UploadPart",
        "GetObjectTagging",
        "GetObjectAttributes",
    ]
)
CALLS = st.one_of(
    st.builds(
        lambda operation, bucket, key, more: s3(operation, Bucket=bucket, Key=key, **more),
        ON_OBJECTS,
        BUCKETS,
        KEYS,
        st.sampled_from([{}, {"EncryptedWith": KEY}, {"VersionId": "7"}, {"Tagging": "given"}]),
    ),
    st.builds(
        lambda bucket, prefix: s3("ListObjectsV2", Bucket=bucket, Prefix=prefix), BUCKETS, st.just("") | KEYS
    ),
    st.builds(lambda bucket: s3("HeadBucket", Bucket=bucket), BUCKETS),
    st.builds(
        lambda key, source: s3("CopyObject", Bucket="lake", Key=key, CopySource=f"models/{source}"),
        KEYS,
        KEYS,
    ),
    st.builds(
        lambda keys: Call("s3", "DeleteObjects", {"Bucket": "lake"}, keys=tuple(keys)),
        st.lists(KEYS, max_size=4),
    ),
    st.sampled_from(
        [
            s3("ListBuckets"),
            s3("GetBucketPolicy", Bucket="lake"),
            Call("sts", "GetCallerIdentity"),
            Call(
                "sagemaker", "CreateTrainingJob", {"TrainingJobName": "churn", "RoleArn": ROLE}, region=REGION
            ),
            Call("athena", "GetQueryResults", {"QueryExecutionId": "q"}, region=REGION),
            Call("dynamodb", "GetItem", {"TableName": "features"}, region=REGION),
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(CALLS, min_size=1, max_size=25))
def test_every_recorded_call_is_allowed_and_lint_finds_nothing(calls: list[Call]) -> None:
    log = log_of(*calls)
    made = least_policy(log.kinds)
    needed = [need for kind in log.kinds for need in kind.needs or ()]
    if made.document is None:
        assert not needed or made.left_out
        return
    assert json.loads(json.dumps(made.document)) == made.document
    assert catalog.lint(made.document, kind="inline-role") == ()
    for need in needed:
        found = decision(made.document, need)
        if found is not Decision.ALLOW:
            assert made.left_out, need
            assert not (need.resource + need.context.get("s3:prefix", "")).isascii()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.builds(lambda b, k: (b, k), BUCKETS, KEYS), min_size=1, max_size=40), BUCKETS, KEYS)
def test_nothing_outside_of_the_folders_that_were_seen_is_allowed(
    seen: list[tuple[str, str]], bucket: str, key: str
) -> None:
    made = least(*[s3("GetObject", Bucket=where, Key=each) for where, each in seen])
    need = Need("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
    if made.document is None or decision(made.document, need) is not Decision.ALLOW:
        return
    top = key.partition("/")[0]
    assert any(where == bucket and (each == key or each.startswith(f"{top}/")) for where, each in seen)


# --- the rule -----------------------------------------------------------------------------------------------------


def test_an_object_counts_for_its_folder_and_one_at_the_top_for_itself() -> None:
    assert statements(
        s3("GetObject", Bucket="lake", Key="raw/2026/a.csv"),
        s3("GetObject", Bucket="lake", Key="raw/2026/b.csv"),
        s3("GetObject", Bucket="lake", Key="README"),
    ) == [("s3:GetObject", ["arn:aws:s3:::lake/README", "arn:aws:s3:::lake/raw/2026/*"], None)]


def test_a_folder_within_another_is_left_out() -> None:
    assert statements(
        s3("GetObject", Bucket="lake", Key="raw/a/b/x"),
        s3("GetObject", Bucket="lake", Key="raw/x"),
        s3("GetObject", Bucket="lake", Key="raw-secret/x"),
    ) == [("s3:GetObject", ["arn:aws:s3:::lake/raw-secret/*", "arn:aws:s3:::lake/raw/*"], None)]


def test_resources_with_the_same_needs_share_a_statement() -> None:
    assert statements(
        *[
            s3(operation, Bucket=bucket, Key="a/x")
            for operation in ("GetObject", "PutObject")
            for bucket in ("b1b", "b2b")
        ]
    ) == [(["s3:GetObject", "s3:PutObject"], ["arn:aws:s3:::b1b/a/*", "arn:aws:s3:::b2b/a/*"], None)]


def test_a_listing_is_held_to_its_prefix() -> None:
    held = {"StringLike": {"s3:prefix": ["", "out/*", "raw/*", "top"]}}
    assert statements(
        *[s3("ListObjectsV2", Bucket="lake", Prefix=prefix) for prefix in ("raw/", "out/a.csv", "top", "")]
    ) == [("s3:ListBucket", "arn:aws:s3:::lake", held)]


@pytest.mark.parametrize("call", [s3("ListObjectsV2", Bucket="lake"), s3("HeadBucket", Bucket="lake")])
def test_a_listing_without_a_prefix_cannot_be_held_to_one(call: Call) -> None:
    listed = s3("ListObjectsV2", Bucket="lake", Prefix="raw/")
    assert statements(listed, call) == [("s3:ListBucket", "arn:aws:s3:::lake", None)]


def test_too_many_folders_go_up_one_component_and_it_is_said() -> None:
    calls = [s3("GetObject", Bucket="lake", Key=f"y{n % 3}/m{n}/d/x") for n in range(MOST_FOLDERS + 1)]
    made = least(*calls)
    assert made.document is not None
    assert made.document["Statement"][0]["Resource"] == [f"arn:aws:s3:::lake/y{n}/*" for n in range(3)]
    assert "arn:aws:s3:::lake/y0/" in made.merged


def test_they_never_go_up_to_the_bucket() -> None:
    made = least(*[s3("GetObject", Bucket="lake", Key=f"{n:02}/x") for n in range(MOST_FOLDERS * 2)])
    assert made.document is not None
    found = [f"arn:aws:s3:::lake/{n:02}/*" for n in range(MOST_FOLDERS * 2)]
    assert made.document["Statement"][0]["Resource"] == found
    assert made.merged == ()


def test_keys_and_roles_are_held_to_the_service_they_go_through() -> None:
    found = statements(
        s3("GetObject", Bucket="vault", Key="a/x", EncryptedWith=KEY),
        Call("sagemaker", "CreateTrainingJob", {"TrainingJobName": "churn", "RoleArn": ROLE}, region=REGION),
    )
    assert ("kms:Decrypt", KEY, {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}) in found
    assert (
        "iam:PassRole",
        ROLE,
        {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    ) in found
    assert (
        "sagemaker:CreateTrainingJob",
        f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/churn",
        None,
    ) in found


def test_wildcards_in_names_are_no_wildcards_in_the_policy() -> None:
    ((_, resource, _),) = statements(s3("GetObject", Bucket="lake", Key="a*/${b}?/x"))
    assert resource == "arn:aws:s3:::lake/a${*}/${$}{b}${?}/*"


def test_names_that_no_policy_takes_are_told() -> None:
    made = least(
        s3("GetObject", Bucket="lake", Key="日本/x"),
        s3("ListObjectsV2", Bucket="lake", Prefix="日本/"),
        Call("dynamodb", "GetItem", {"TableName": "日"}, region=REGION),
    )
    assert made.document is None or made.document["Statement"][0]["Condition"] == {
        "StringLike": {"s3:prefix": []}
    }
    assert len(made.left_out) == 3


def test_what_is_guessed_and_what_is_not_known_is_told() -> None:
    made = least(Call("athena", "GetQueryResults", {"QueryExecutionId": "q"}, region=REGION), Call("x", "Y"))
    assert made.guessed == (f"athena:GetQueryResults on arn:aws:athena:{REGION}:*:workgroup/*",)
    assert made.unknown == ("x:Y",)
    assert least(Call("sts", "GetCallerIdentity")).document is None


# --- the log ------------------------------------------------------------------------------------------------------


def test_calls_that_need_the_same_are_one_kind() -> None:
    log = log_of(
        *[s3("GetObject", Bucket="lake", Key=f"raw/{n}.csv") for n in range(1000)],
        Call(
            "s3",
            "GetObject",
            {"Bucket": "lake", "Key": "raw/z"},
            region=REGION,
            status=403,
            code="AccessDenied",
        ),
        Call(
            "s3",
            "GetObject",
            {"Bucket": "lake", "Key": "raw/y"},
            region=REGION,
            status=403,
            code="AccessDenied",
        ),
        s3("CopyObject", Bucket="lake", Key="a/1", CopySource="b/c/1"),
        s3("CopyObject", Bucket="lake", Key="a/2", CopySource="b/c/2"),
        s3("GetObject", Bucket="lake", Key="raw/1", VersionId="1"),
        s3("GetObject", Bucket="lake", Key="raw/1", VersionId="2"),
        s3("ListObjectsV2", Bucket="lake", Prefix="raw/", MaxKeys="1"),
        s3("ListObjectsV2", Bucket="lake", Prefix="raw/"),
    )
    assert [(kind.call.operation, kind.count, kind.denied) for kind in log.kinds] == [
        ("GetObject", 1002, 2),
        ("CopyObject", 2, 0),
        ("GetObject", 2, 0),
        ("ListObjectsV2", 2, 0),
    ]
    assert log.kinds[0].call.code == "AccessDenied"  # the one that tells why


def test_a_deletion_of_many_is_one_for_each_folder() -> None:
    log = log_of(Call("s3", "DeleteObjects", {"Bucket": "lake"}, keys=("a/1", "b/1")))
    assert [kind.call.keys for kind in log.kinds] == [("a/1",), ("b/1",)]


def test_there_is_an_end_to_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_KINDS", 3)
    log = log_of(*[s3("GetObject", Bucket="lake", Key=f"{n}/x") for n in range(10)])
    assert (len(log.kinds), log.left_out) == (3, 7)


@pytest.mark.parametrize(
    ("call", "account"),
    [
        (Call("sagemaker", "X", {"RoleArn": ROLE}), ACCOUNT),
        (Call("s3", "X", {"Bucket": "arn:aws:s3:eu-west-1:1:accesspoint/p"}), ""),
        (
            Call("s3", "X", message=f"User: arn:aws:sts::{ACCOUNT}:assumed-role/r/s is not authorized"),
            ACCOUNT,
        ),
        (Call("s3", "X", message="User: arn:aws:sts is not authorized"), ""),
        (Call("s3", "X", message="User: anonymous is not authorized"), ""),
    ],
)
def test_the_account_where_an_arn_tells_it(call: Call, account: str) -> None:
    assert account_of(call) == account


def test_an_object_that_is_called_like_a_wildcard_is_that_object_alone() -> None:
    assert statements(s3("GetObject", Bucket="lake", Key="*")) == [
        ("s3:GetObject", "arn:aws:s3:::lake/${*}", None)
    ]
