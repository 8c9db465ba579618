"""What a bucket has beside its policy, whose it is, and where. What moto does not do is answered in S3's words."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber

from benchmarks.stand_in import ACCOUNT, Door, Fault, StandIn, answers, refuses, seed
from sm_access.access.evidence import BucketEvidence, Unread
from sm_access.aws.buckets import Listed, collect_bucket, read_bucket
from sm_access.aws.cache import Cache
from sm_access.aws.collector import Collector
from sm_access.aws.identity import collect_caller
from sm_access.aws.principals import collect_principal
from sm_access.aws.reading import Reading
from sm_access.aws.session import Aws
from sm_access.policy import UNREADABLE
from sm_access.policy.policy_set import PublicAccessBlock

NAME = "bucket-0000"
DENIED = refuses("AccessDenied", 403)
NOT_OURS = {
    "HeadBucket": answers(403, ""),
    "ListBuckets": answers(200, "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"),
}
FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture(scope="module")
def aws(stand_in: StandIn) -> Aws:
    found = Aws(seed(stand_in, policies=2, buckets=2))
    found.endpoints()
    return found


def blocks(*on: str) -> Fault:
    flags = "".join(f"<{flag}>{str(flag in on).lower()}</{flag}>" for flag in FLAGS)
    return answers(200, f"<PublicAccessBlockConfiguration>{flags}</PublicAccessBlockConfiguration>")


def encrypted(key: str, bucket_key: str = "true") -> Fault:
    default = (
        f"<SSEAlgorithm>aws:kms</SSEAlgorithm>{f'<KMSMasterKeyID>{key}</KMSMasterKeyID>' if key else ''}"
    )
    return answers(
        200,
        "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>"
        f"{default}</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>{bucket_key}</BucketKeyEnabled></Rule>"
        "</ServerSideEncryptionConfiguration>",
    )


def read(stand_in: StandIn, aws: Aws, answered: dict[str, Fault], name: str = NAME) -> BucketEvidence:
    with stand_in.failing(answered):
        return collect_bucket(aws, name, ACCOUNT)


class TestPublicAccess:
    def of_account(self, aws: Aws, *on: str) -> Stubber:
        """The account's settings have a host of their own, which no stand-in on loopback can have: stubbed."""
        stub = Stubber(aws.client("s3control"))
        settings = {flag: flag in on for flag in FLAGS}
        stub.add_response("get_public_access_block", {"PublicAccessBlockConfiguration": settings})
        return stub

    def test_what_bucket_or_account_has_on_is_on(self, stand_in: StandIn, aws: Aws) -> None:
        with self.of_account(aws, "BlockPublicPolicy"):
            found = read(stand_in, aws, {"GetPublicAccessBlock": blocks("RestrictPublicBuckets")})
        assert found.public_access_block == PublicAccessBlock(
            block_public_policy=True, restrict_public_buckets=True
        )

    def test_a_bucket_that_has_all_on_needs_no_account(self, stand_in: StandIn, aws: Aws) -> None:
        found = read(stand_in, aws, {"GetPublicAccessBlock": blocks(*FLAGS)})
        assert found.public_access_block == PublicAccessBlock(True, True, True, True)

    def test_a_bucket_that_has_none_has_the_accounts(self, stand_in: StandIn, aws: Aws) -> None:
        none = refuses("NoSuchPublicAccessBlockConfiguration", 404)
        with self.of_account(aws, "IgnorePublicAcls"):
            found = read(stand_in, aws, {"GetPublicAccessBlock": none})
        assert found.public_access_block == PublicAccessBlock(ignore_public_acls=True)

    def test_an_account_that_has_none_leaves_the_buckets(self, stand_in: StandIn, aws: Aws) -> None:
        stub = Stubber(aws.client("s3control"))
        stub.add_client_error("get_public_access_block", "NoSuchPublicAccessBlockConfiguration", "no", 404)
        with stub:
            found = read(stand_in, aws, {"GetPublicAccessBlock": blocks("BlockPublicAcls")})
        assert found.public_access_block == PublicAccessBlock(block_public_acls=True)

    def test_an_account_that_may_not_be_asked_leaves_it_open(self, stand_in: StandIn, aws: Aws) -> None:
        stub = Stubber(aws.client("s3control"))
        stub.add_client_error("get_public_access_block", "AccessDenied", "no", 403)
        with stub:
            found = read(stand_in, aws, {"GetPublicAccessBlock": blocks()})
        assert found.public_access_block is UNREADABLE
        assert found.unread == ()

    def test_of_ones_own_bucket_it_is_not_named_where_it_is_denied(self, stand_in: StandIn, aws: Aws) -> None:
        """There it has no say in what a role does with objects, and would make every yes one with a limit."""
        found = read(stand_in, aws, {"GetPublicAccessBlock": DENIED, "GetBucketOwnershipControls": DENIED})
        assert found.public_access_block is UNREADABLE
        assert found.object_ownership is None
        assert found.unread == ()

    def test_of_anothers_bucket_it_is(self, stand_in: StandIn, aws: Aws) -> None:
        found = read(stand_in, aws, NOT_OURS | {"GetPublicAccessBlock": DENIED})
        assert found.public_access_block is UNREADABLE
        what = f"the Block Public Access settings of {NAME}"
        assert Unread(what, "s3:GetBucketPublicAccessBlock") in found.unread
        found = read(stand_in, aws, NOT_OURS | {"GetPublicAccessBlock": blocks("BlockPublicAcls")})
        assert found.public_access_block is UNREADABLE
        what = f"the Block Public Access settings of the account that owns {NAME}"
        assert Unread(what) in found.unread


class TestOwnership:
    def test_as_the_bucket_has_it(self, stand_in: StandIn, aws: Aws) -> None:
        rule = "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>"
        controls = f"<OwnershipControls>{rule}</OwnershipControls>"
        found = read(stand_in, aws, {"GetBucketOwnershipControls": answers(200, controls)})
        assert found.object_ownership == "BucketOwnerEnforced"

    def test_a_bucket_without_controls_leaves_objects_to_their_writers(
        self, stand_in: StandIn, aws: Aws
    ) -> None:
        none = refuses("OwnershipControlsNotFoundError", 404)
        assert read(stand_in, aws, {"GetBucketOwnershipControls": none}).object_ownership == "ObjectWriter"


class TestKeys:
    def test_an_alias_is_looked_up_and_the_bucket_key_kept(self, stand_in: StandIn, aws: Aws) -> None:
        found = read(stand_in, aws, {"GetBucketEncryption": encrypted("alias/bucket-0001")})
        assert (found.kms_key_arn or "").startswith(f"arn:aws:kms:us-east-1:{ACCOUNT}:key/")
        assert found.bucket_key is True
        assert found.kms_policy
        off = read(stand_in, aws, {"GetBucketEncryption": encrypted("alias/bucket-0001", "false")})
        assert off.bucket_key is False

    def test_an_id_is_of_the_owners_account_and_region(self, stand_in: StandIn, aws: Aws) -> None:
        found = read(
            stand_in, aws, {"GetBucketEncryption": encrypted("1234abcd-12ab-34cd-56ef-1234567890ab")}
        )
        assert (
            found.kms_key_arn == f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        )
        assert found.kms_policy is UNREADABLE  # there is no such key

    def test_whose_an_id_is_without_an_owner_nobody_knows(self, stand_in: StandIn, aws: Aws) -> None:
        found = read(stand_in, aws, NOT_OURS | {"GetBucketEncryption": encrypted("alias/theirs")})
        assert not found.encryption_read
        assert found.kms_key_arn is None
        assert Unread(f"which key alias/theirs of {NAME} is, as its owner is not known") in found.unread

    def test_one_that_may_not_be_described(self, stand_in: StandIn, aws: Aws) -> None:
        found = read(
            stand_in,
            aws,
            {
                "GetBucketEncryption": encrypted("alias/bucket-0001"),
                "DescribeKey": refuses("AccessDeniedException"),
            },
        )
        assert not found.encryption_read
        assert found.unread[0].permission == "kms:DescribeKey"

    def test_s3s_own(self, stand_in: StandIn, aws: Aws) -> None:
        none = refuses("ServerSideEncryptionConfigurationNotFoundError", 404)
        found = read(stand_in, aws, {"GetBucketEncryption": none})
        assert (found.encryption_read, found.kms_key_arn, found.bucket_key) == (True, None, None)


class TestWhoseAndWhere:
    def test_anothers_has_control_policies_that_nobody_here_can_read(
        self, stand_in: StandIn, aws: Aws
    ) -> None:
        found = read(stand_in, aws, NOT_OURS)
        assert found.owner_account is None
        assert Unread(f"the resource control policies of the account that owns {NAME}") in found.unread

    def test_one_in_another_region_is_asked_there(self, stand_in: StandIn, aws: Aws) -> None:
        asked: list[str] = []

        def elsewhere(door: Door) -> None:
            asked.append(str(door.headers["Authorization"]).split("/")[2])
            refuses("NoSuchBucketPolicy", 404)(door)

        with stand_in.failing({"GetBucketPolicy": elsewhere}):
            found = Reading(aws).run(
                lambda reading: read_bucket(reading, NAME, ACCOUNT, listed=Listed(NAME, "eu-central-1"))
            )
        assert asked == ["eu-central-1"]
        assert (found.region, found.owner_account) == ("eu-central-1", ACCOUNT)

    def test_where_s3_sends_the_sdk_to_another_region_it_goes(self, stand_in: StandIn, aws: Aws) -> None:
        """A 301 with the Region, as S3 answers who asks elsewhere (Amazon S3 API Reference, "HeadBucket")."""
        asked: list[str] = []

        def moved(door: Door) -> None:
            region = str(door.headers["Authorization"]).split("/")[2]
            asked.append(region)
            if region == "us-east-1":
                door.answer(
                    301,
                    b"<Error><Code>PermanentRedirect</Code><Message>m</Message></Error>",
                    [("x-amz-bucket-region", "eu-west-1")],
                )
            else:
                door.answer(200, b'{"Version":"2012-10-17","Statement":[]}')

        with stand_in.failing({"HeadBucket": answers(200, ""), "GetBucketPolicy": moved}):
            Reading(aws).run(lambda reading: read_bucket(reading, NAME, ACCOUNT, listed=Listed(NAME)))
        assert asked == ["us-east-1", "eu-west-1"]


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [("cn-north-1", "aws-cn", "amazonaws.com.cn"), ("us-gov-west-1", "aws-us-gov", "amazonaws.com")],
)
class TestOtherPartitions:
    def test_the_endpoints_are_theirs(self, region: str, partition: str, suffix: str) -> None:
        endpoints = Aws(boto3.session.Session("AKIAX", "x", region_name=region)).endpoints()
        assert all(endpoint.endswith(suffix) for endpoint in endpoints)
        assert not any("us-east-1" in endpoint for endpoint in endpoints)

    def test_the_arns_are_theirs(
        self, stand_in: StandIn, aws: Aws, region: str, partition: str, suffix: str
    ) -> None:
        managed = f"arn:{partition}:iam::aws:policy/AmazonS3ReadOnlyAccess"
        attached = (
            "<ListAttachedRolePoliciesResponse><ListAttachedRolePoliciesResult><AttachedPolicies><member>"
            f"<PolicyName>AmazonS3ReadOnlyAccess</PolicyName><PolicyArn>{managed}</PolicyArn></member>"
            "</AttachedPolicies><IsTruncated>false</IsTruncated></ListAttachedRolePoliciesResult>"
            "</ListAttachedRolePoliciesResponse>"
        )
        version = (
            "<GetPolicyResponse><GetPolicyResult><Policy><DefaultVersionId>v3</DefaultVersionId></Policy>"
            "</GetPolicyResult></GetPolicyResponse>"
        )
        document = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D"
        text = (
            "<GetPolicyVersionResponse><GetPolicyVersionResult><PolicyVersion>"
            f"<Document>{document}</Document></PolicyVersion></GetPolicyVersionResult></GetPolicyVersionResponse>"
        )
        arn = f"arn:{partition}:sts::{ACCOUNT}:assumed-role/notebooks/SageMaker"
        with stand_in.failing(
            {
                "ListAttachedRolePolicies": answers(200, attached),
                f"GetPolicy {managed}": answers(200, version),
                f"GetPolicyVersion {managed}": answers(200, text),
            }
        ):
            found = collect_principal(aws, arn)
        assert isinstance(found.identity, tuple)
        assert ("AmazonS3ReadOnlyAccess", "aws-managed") in {(p.name, p.kind) for p in found.identity}


def test_a_session_that_aws_started_carries_its_roles_tags_and_no_others(stand_in: StandIn, aws: Aws) -> None:
    """The credentials look as those of a container's endpoint do, which is all that tells who started a session."""
    caller = collect_caller(aws)
    assert collect_principal(aws, caller.arn, caller.user_id).tags is None
    issued = aws.session.get_credentials()
    started = Aws(stand_in.session(issued.access_key, issued.secret_key, issued.token))
    started.session.get_credentials().method = "container-role"
    found = collect_principal(started, caller.arn, caller.user_id)
    assert found.tags == {"team": "vision"}
    assert isinstance(found.trust, tuple)
    assert not any("session policy" in item.what for item in found.unread)
    # Of a session that is not the caller's own nobody knows who started it.
    assert collect_principal(started, caller.arn).tags is None


def test_a_trust_policy_that_is_not_there_is_none_that_was_read(stand_in: StandIn, aws: Aws) -> None:
    role = """<GetRoleResponse><GetRoleResult><Role><RoleName>notebooks</RoleName><RoleId>AROAX</RoleId>
        <Arn>arn:aws:iam::123456789012:role/notebooks</Arn><Path>/</Path></Role></GetRoleResult></GetRoleResponse>"""
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/notebooks/SageMaker"
    with stand_in.failing({"GetRole": answers(200, role)}):
        found = collect_principal(aws, arn, "AROAX:SageMaker")
    assert found.trust is UNREADABLE
    assert found.tags is None


def test_a_request_does_not_hang_on_what_it_does_not_need(stand_in: StandIn, aws: Aws) -> None:
    page = answers(500, "<html>")
    found = read(stand_in, aws, {"GetBucketOwnershipControls": page, "GetPublicAccessBlock": page})
    assert found.owner_account == ACCOUNT
    assert found.encryption_read


def test_an_overview_of_named_buckets_lists_none(stand_in: StandIn, aws: Aws) -> None:
    stand_in.take()
    collector = Collector(aws, Cache(), keep_seconds=0)
    seen = collector.overview(buckets=[NAME, NAME])
    assert seen.listed == ()
    assert "ListBuckets" not in {item.operation for item in stand_in.take()}
    assert set(collector.buckets([NAME, "not-there-at-all"])) == {NAME, "not-there-at-all"}
    assert isinstance(collector.buckets(["not-there-at-all"])["not-there-at-all"], str)
