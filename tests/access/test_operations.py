"""Which permissions a call needs, held against AWS's own tables, and against the service models of the SDK here."""

from __future__ import annotations

from collections.abc import Mapping

import botocore.session
import pytest

from sm_access import catalog
from sm_access.access.call import Call
from sm_access.access.call_parameters import LONGEST, MOST_KEYS, kept_keys, kept_parameters
from sm_access.access.operation_names import ACTIONS, ASKED_BY_A_PARAMETER, OF_A_VERSION, PREFIXES
from sm_access.access.operations import Need, needs, service_prefix

ACCOUNT = "111122223333"
REGION = "eu-west-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/Trainer"


def needed(
    service: str, operation: str, keys: tuple[str, ...] = (), **parameters: str
) -> list[tuple[str, str]]:
    """Action and resource of each need that is certain."""
    found = needs(Call(service, operation, parameters, keys=keys, region=REGION), account=ACCOUNT)
    assert found is not None
    return [(need.action, need.resource) for need in found if need.exact]


def only(service: str, operation: str, **parameters: str) -> Need:
    found = needs(Call(service, operation, parameters, region=REGION), account=ACCOUNT)
    assert found is not None
    (need,) = found
    return need


# --- S3 ---------------------------------------------------------------------------------------------------------

#: Amazon S3 User Guide, "Required permissions for Amazon S3 API operations".
ON_OBJECTS = {
    "GetObject": ["s3:GetObject"],
    "HeadObject": ["s3:GetObject"],
    "PutObject": ["s3:PutObject"],
    "CreateMultipartUpload": ["s3:PutObject"],
    "UploadPart": ["s3:PutObject"],
    "CompleteMultipartUpload": ["s3:PutObject"],
    "AbortMultipartUpload": ["s3:AbortMultipartUpload"],
    "ListParts": ["s3:ListMultipartUploadParts"],
    "DeleteObject": ["s3:DeleteObject"],
    "GetObjectAttributes": ["s3:GetObject", "s3:GetObjectAttributes"],
    "GetObjectTagging": ["s3:GetObjectTagging"],
    "PutObjectAcl": ["s3:PutObjectAcl"],
    "GetObjectLegalHold": ["s3:GetObjectLegalHold"],
    "SelectObjectContent": ["s3:GetObject"],
    "RestoreObject": ["s3:RestoreObject"],
}
ON_BUCKETS = {
    "HeadBucket": "s3:ListBucket",
    "ListObjects": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "ListObjectVersions": "s3:ListBucketVersions",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    "GetBucketPolicy": "s3:GetBucketPolicy",
    "GetBucketLocation": "s3:GetBucketLocation",
    "GetBucketCors": "s3:GetBucketCORS",
    "GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
}


@pytest.mark.parametrize("operation", sorted(ON_OBJECTS))
def test_operations_on_an_object(operation: str) -> None:
    found = needed("s3", operation, Bucket="lake", Key="raw/x.csv")
    assert found == [(action, "arn:aws:s3:::lake/raw/x.csv") for action in ON_OBJECTS[operation]]


@pytest.mark.parametrize("operation", sorted(ON_BUCKETS))
def test_operations_on_a_bucket(operation: str) -> None:
    ((action, resource),) = needed("s3", operation, Bucket="lake")
    assert (action.lower(), resource) == (ON_BUCKETS[operation].lower(), "arn:aws:s3:::lake")


def test_listing_the_buckets_is_on_no_resource() -> None:
    assert needed("s3", "ListBuckets") == [("s3:ListAllMyBuckets", "*")]


def test_a_listing_carries_what_it_lists() -> None:
    assert only("s3", "ListObjectsV2", Bucket="lake", Prefix="raw/", Delimiter="/").context == {
        "s3:prefix": "raw/",
        "s3:delimiter": "/",
    }
    assert only("s3", "ListObjectsV2", Bucket="lake").context == {}


@pytest.mark.parametrize("operation", ["CopyObject", "UploadPartCopy"])
@pytest.mark.parametrize("source", ["other/in/a.csv", "/other/in/a.csv"])
def test_a_copy_reads_and_writes(operation: str, source: str) -> None:
    assert needed("s3", operation, Bucket="lake", Key="b.csv", CopySource=source) == [
        ("s3:PutObject", "arn:aws:s3:::lake/b.csv"),
        ("s3:GetObject", "arn:aws:s3:::other/in/a.csv"),
    ]


def test_a_copy_of_a_version_and_from_an_access_point() -> None:
    point = f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/curated"
    assert needed("s3", "CopyObject", Bucket="lake", Key="b", CopySource="other/a?versionId=7")[1] == (
        "s3:GetObjectVersion",
        "arn:aws:s3:::other/a",
    )
    assert needed("s3", "CopyObject", Bucket="lake", Key="b", CopySource=f"{point}/object/in/a")[1] == (
        "s3:GetObject",
        f"{point}/object/in/a",
    )


def test_a_copy_whose_source_is_not_known() -> None:
    assert needed("s3", "CopyObject", Bucket="lake", Key="b") == [("s3:PutObject", "arn:aws:s3:::lake/b")]


@pytest.mark.parametrize("action", sorted(OF_A_VERSION))
def test_a_version_has_actions_of_its_own(action: str) -> None:
    found = needed("s3", action.removeprefix("s3:"), Bucket="lake", Key="a", VersionId="7")
    assert (OF_A_VERSION[action], "arn:aws:s3:::lake/a") in found


def test_a_deletion_of_many_is_one_need_for_each_key() -> None:
    assert needed("s3", "DeleteObjects", ("a/1", "b/2"), Bucket="lake") == [
        ("s3:DeleteObject", "arn:aws:s3:::lake/a/1"),
        ("s3:DeleteObject", "arn:aws:s3:::lake/b/2"),
    ]


@pytest.mark.parametrize("parameter", sorted(ASKED_BY_A_PARAMETER))
def test_headers_that_ask_for_more(parameter: str) -> None:
    found = needed("s3", "PutObject", Bucket="lake", Key="a", **{parameter: "given"})
    assert found == [
        ("s3:PutObject", "arn:aws:s3:::lake/a"),
        (ASKED_BY_A_PARAMETER[parameter], "arn:aws:s3:::lake/a"),
    ]


@pytest.mark.parametrize(
    ("operation", "actions"),
    [
        ("GetObject", ["kms:Decrypt"]),
        ("PutObject", ["kms:GenerateDataKey"]),
        ("UploadPart", ["kms:GenerateDataKey", "kms:Decrypt"]),
        ("CreateMultipartUpload", ["kms:GenerateDataKey", "kms:Decrypt"]),
        ("HeadObject", []),
        ("DeleteObject", []),
    ],
)
def test_an_encrypted_object_needs_its_key(operation: str, actions: list[str]) -> None:
    found = needs(Call("s3", operation, {"Bucket": "lake", "Key": "a", "EncryptedWith": KEY}, region=REGION))
    assert found is not None
    assert [need for need in found if need.action.startswith("kms:")] == [
        Need(action, KEY, {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}) for action in actions
    ]


@pytest.mark.parametrize(
    ("key", "resource", "exact"),
    [
        (KEY, KEY, True),
        (KEY.rpartition("/")[2], KEY, True),
        ("alias/lake", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*", False),
    ],
)
def test_the_key_that_an_upload_names(key: str, resource: str, exact: bool) -> None:
    call = Call("s3", "PutObject", {"Bucket": "lake", "Key": "a", "SSEKMSKeyId": key}, region=REGION)
    found = needs(call, account=ACCOUNT)
    assert found is not None
    assert (found[-1].action, found[-1].resource, found[-1].exact) == ("kms:GenerateDataKey", resource, exact)
    header = "s3:x-amz-server-side-encryption-aws-kms-key-id"
    assert found[0].context.get(header) == (key if key.startswith("arn:") else None)


def test_a_key_where_the_region_is_not_known() -> None:
    found = needs(Call("s3", "GetObject", {"Bucket": "lake", "Key": "a", "EncryptedWith": KEY}))
    assert found is not None
    assert found[-1] == Need("kms:Decrypt", KEY, {})


def test_access_points() -> None:
    point = f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/curated"
    lamb = f"arn:aws:s3-object-lambda:{REGION}:{ACCOUNT}:accesspoint/redacted"
    assert needed("s3", "GetObject", Bucket=point, Key="a/b") == [("s3:GetObject", f"{point}/object/a/b")]
    assert needed("s3", "ListObjectsV2", Bucket=point) == [("s3:ListBucket", point)]
    assert needed("s3", "GetObject", Bucket=lamb, Key="a/b") == [("s3-object-lambda:GetObject", lamb)]


def test_an_alias_of_an_access_point_does_not_tell_which_it_is() -> None:
    need = only("s3", "GetObject", Bucket="curated-abc-s3alias", Key="a")
    assert (need.resource, need.exact) == (f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/*/object/a", False)


def test_directory_buckets_ask_for_a_session() -> None:
    bucket = "lake--use1-az4--x-s3"
    arn = f"arn:aws:s3express:{REGION}:{ACCOUNT}:bucket/{bucket}"
    assert needed("s3", "GetObject", Bucket=bucket, Key="a") == [("s3express:CreateSession", arn)]
    assert needed("s3", "GetBucketPolicy", Bucket=bucket) == [("s3express:GetBucketPolicy", arn)]


def test_where_no_bucket_or_key_is_known_the_resource_is_a_pattern() -> None:
    need = only("s3", "GetObject", Bucket="lake")
    assert (need.resource, need.exact) == ("arn:aws:s3:::lake/*", False)
    assert only("s3", "HeadBucket") == Need("s3:ListBucket", "arn:aws:s3:::*", {}, exact=False)


@pytest.mark.parametrize(
    ("region", "partition"),
    [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("eu-west-1", "aws"), (None, "aws")],
)
def test_partitions(region: str | None, partition: str) -> None:
    found = needs(Call("s3", "HeadBucket", {"Bucket": "lake"}, region=region))
    assert found == (Need("s3:ListBucket", f"arn:{partition}:s3:::lake"),)


def test_a_chinese_key_is_reached_through_a_chinese_endpoint() -> None:
    call = Call("s3", "GetObject", {"Bucket": "b", "Key": "a", "EncryptedWith": "k"}, region="cn-north-1")
    found = needs(call, account=ACCOUNT)
    assert found is not None
    assert found[-1].context == {"kms:ViaService": "s3.cn-north-1.amazonaws.com.cn"}
    assert found[-1].resource == f"arn:aws-cn:kms:cn-north-1:{ACCOUNT}:key/k"


# --- others -----------------------------------------------------------------------------------------------------


def test_a_training_job_passes_its_role() -> None:
    job = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/churn"
    found = needs(
        Call(
            "sagemaker",
            "CreateTrainingJob",
            {"TrainingJobName": "churn", "RoleArn": ROLE, "VolumeKmsKeyId": KEY, "Tags": "given"},
            region=REGION,
        ),
        account=ACCOUNT,
    )
    assert found is not None
    assert {need.action: need.resource for need in found} == {
        "sagemaker:CreateTrainingJob": job,
        "sagemaker:AddTags": job,
        "kms:CreateGrant": KEY,
        "iam:PassRole": ROLE,
    }
    assert all(need.exact for need in found)
    assert found[-1].context == {"iam:PassedToService": "sagemaker.amazonaws.com"}


def test_a_key_for_a_volume_elsewhere_is_not_guessed_at() -> None:
    assert ("kms:CreateGrant", KEY) not in needed("glue", "GetDatabase", Name="d", VolumeKmsKeyId=KEY)


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("sts", "AssumeRole", {"RoleArn": ROLE}, [("sts:AssumeRole", ROLE)]),
        ("sagemaker", "DescribeTrainingJob", {"TrainingJobName": "x", "RoleArn": ROLE}, ["training-job/x"]),
        ("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "e"}, ["endpoint/e"]),
        ("lambda", "Invoke", {"FunctionName": "f"}, ["function:f"]),
        ("dynamodb", "GetItem", {"TableName": "t"}, ["table/t"]),
        ("athena", "StartQueryExecution", {"WorkGroup": "w"}, ["workgroup/w"]),
        ("ssm", "GetParameter", {"Name": "/a/b"}, ["parameter/a/b"]),
        (
            "sqs",
            "SendMessage",
            {"QueueUrl": f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/q"},
            [f"{ACCOUNT}:q"],
        ),
        ("sns", "Publish", {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:t"}, [f"{ACCOUNT}:t"]),
        ("logs", "FilterLogEvents", {"logGroupName": "/aws/x"}, ["log-group:/aws/x"]),
        (
            "glue",
            "GetTable",
            {"DatabaseName": "d", "Name": "t", "CatalogId": ACCOUNT},
            ["database/d", "table/d/t", ":catalog"],
        ),
        ("kms", "Decrypt", {"KeyId": KEY}, [("kms:Decrypt", KEY)]),
        ("kms", "ReEncrypt", {"KeyId": KEY}, [("kms:ReEncryptFrom", KEY), ("kms:ReEncryptTo", KEY)]),
    ],
)
def test_names_are_filled_into_the_templates(
    service: str, operation: str, parameters: Mapping[str, str], expected: list[str | tuple[str, str]]
) -> None:
    found = needed(service, operation, **parameters)
    assert len(found) == len(expected)
    for (action, resource), wanted in zip(found, expected, strict=True):
        assert (action, resource) == wanted if isinstance(wanted, tuple) else resource.endswith(wanted)


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "resource"),
    [
        ("iam", "GetRole", {"RoleName": "r"}, f"arn:aws:iam::{ACCOUNT}:role/r"),  # its path is not told
        (
            "secretsmanager",
            "GetSecretValue",
            {"SecretId": "s"},
            f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:s-??????",
        ),
        (
            "athena",
            "GetQueryResults",
            {"QueryExecutionId": "q"},
            f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/*",
        ),
        ("bedrock-runtime", "Converse", {"ModelId": "m"}, "*"),
    ],
)
def test_what_the_parameters_do_not_tell_is_not_certain(
    service: str, operation: str, parameters: Mapping[str, str], resource: str
) -> None:
    need = only(service, operation, **parameters)
    assert (need.resource, need.exact) == (resource, False)


def test_an_account_that_is_not_known_leaves_a_star() -> None:
    found = needs(Call("dynamodb", "GetItem", {"TableName": "t"}, region=REGION))
    assert found == (Need("dynamodb:GetItem", f"arn:aws:dynamodb:{REGION}:*:table/t", {}, exact=False),)
    glue = needs(Call("glue", "GetDatabase", {"Name": "d"}, region=REGION))
    assert glue is not None
    assert not any(need.exact for need in glue)


def test_nothing_needed_is_not_the_same_as_not_known() -> None:
    assert needs(Call("sts", "GetCallerIdentity")) == ()
    assert needs(Call("s3", "NoSuchOperation")) is None
    assert needs(Call("no-such-service", "GetObject")) is None
    assert needs(Call("apigateway", "GetRestApis")) is None


# --- the tables -------------------------------------------------------------------------------------------------


def test_the_tables_name_actions_that_exist() -> None:
    named = {
        *OF_A_VERSION.values(),
        *ASKED_BY_A_PARAMETER.values(),
        *(a for many in ACTIONS.values() for a in many),
    }
    assert [action for action in sorted(named) if not catalog.is_action(action)] == []
    assert set(PREFIXES.values()) <= set(catalog.services())


def test_the_tables_name_services_and_operations_of_the_sdk() -> None:
    session = botocore.session.get_session()
    for name in ACTIONS:
        service, _, operation = name.partition(":")
        assert operation in session.get_service_model(service).operation_names, name


def test_every_service_of_the_sdk_has_actions() -> None:
    """Those of a few have no page in the Service Authorization Reference, or are not authorized by IAM."""
    services = botocore.session.get_session().get_available_services()
    without = [name for name in services if not catalog.actions(service_prefix(name))]
    assert len(without) < 12, without
    for name in (
        "s3",
        "s3control",
        "sagemaker",
        "sagemaker-runtime",
        "athena",
        "glue",
        "kms",
        "logs",
        "cloudwatch",
        "ecr",
    ):
        assert name not in without


def test_every_operation_of_s3_and_sagemaker_is_known() -> None:
    session = botocore.session.get_session()
    for service in ("s3", "sagemaker", "sagemaker-runtime", "athena", "sts"):
        for operation in session.get_service_model(service).operation_names:
            found = needs(
                Call(service, operation, {"Bucket": "lake", "Key": "k"}, region=REGION), account=ACCOUNT
            )
            assert found is not None or operation == "RenameObject", (service, operation)


# --- what is kept of the parameters -----------------------------------------------------------------------------


def test_of_an_upload_the_address_is_kept_and_nothing_of_the_content() -> None:
    kept = kept_parameters(
        "s3",
        {
            "Bucket": "lake",
            "Key": "raw/x.csv",
            "Body": b"secret rows",
            "SSECustomerKey": "CANARY-KEY",
            "Metadata": {"owner": "CANARY-META"},
            "Tagging": "team=CANARY-TAG",
            "MaxKeys": 5,
            "Prefix": "x" * (LONGEST + 1),
        },
    )
    assert kept == {"Bucket": "lake", "Key": "raw/x.csv", "Tagging": "given", "MaxKeys": "5"}


def test_elsewhere_names_are_kept_and_no_secrets() -> None:
    kept = kept_parameters(
        "sagemaker",
        {
            "TrainingJobName": "churn",
            "AccessKeyId": "CANARY",
            "ClientRequestToken": "CANARY",
            "SessionName": "CANARY",
            "Environment": {"DB_PASSWORD": "CANARY"},
            "HyperParameters": {"a": "CANARY"},
            "QueryString": "select CANARY",
            "Tags": [],
            "ResourceConfig": {"VolumeKmsKeyId": KEY, "InstanceCount": 1},
            "TrainingJobDefinitions": [{"RoleArn": ROLE}],
            "MonitoringScheduleConfig": {"MonitoringJobDefinition": {"RoleArn": ROLE}},
            "NameOfNothing": None,
        },
    )
    assert kept == {
        "TrainingJobName": "churn",
        "VolumeKmsKeyId": KEY,
        "TrainingJobDefinitions.RoleArn": ROLE,
        "MonitoringScheduleConfig.MonitoringJobDefinition.RoleArn": ROLE,
    }


def test_nothing_is_looked_for_without_end() -> None:
    nested: dict[str, object] = {"RoleArn": ROLE}
    for _ in range(9):
        nested = {"in": [nested]}
    assert kept_parameters("sagemaker", {"Deep": nested}) == {}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("other/a b.csv", "other/a b.csv"),
        ({"Bucket": "other", "Key": "a"}, "other/a"),
        ({"Bucket": "other", "Key": "a", "VersionId": "7"}, "other/a?versionId=7"),
        (
            {"Bucket": "arn:aws:s3:eu-west-1:1:accesspoint/p", "Key": "a"},
            "arn:aws:s3:eu-west-1:1:accesspoint/p/object/a",
        ),
    ],
)
def test_the_source_of_a_copy(source: object, text: str) -> None:
    assert kept_parameters("s3", {"CopySource": source}) == {"CopySource": text}


def test_of_many_keys_the_first_of_each_folder_is_kept() -> None:
    assert kept_keys(["a/1", "a/2", "b/1", "top", "other-top"]) == ("a/1", "b/1", "top")
    assert len(kept_keys(f"{n}/x" for n in range(500))) == MOST_KEYS
