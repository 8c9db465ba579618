"""One diagnosis for each cause; AWS's word before the engine's; nothing is promised that was not proven."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_access.access.call import Call, NoticedBy
from sm_access.access.caller import Caller
from sm_access.access.denial_message import DenialMessage
from sm_access.access.diagnosis import Basis, Cause, Circumstances, Diagnosis
from sm_access.access.evidence import BucketEvidence, Organization, PrincipalEvidence
from sm_access.access.explainer import diagnose
from sm_access.policy import UNREADABLE, NamedPolicy, parse_policy

ACCOUNT, OTHER = "111122223333", "444455556666"
NOW = datetime(2026, 11, 24, 17, tzinfo=timezone.utc)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/notebooks"
ME = f"arn:aws:sts::{ACCOUNT}:assumed-role/notebooks/SageMaker"
CALLER = Caller(ME, ACCOUNT)
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OBJECT = "arn:aws:s3:::lake/raw/x.csv"
SSE = "s3:x-amz-server-side-encryption"

Statement = Mapping[str, Any]


def policy(*statements: Statement, name: str = "own") -> tuple[NamedPolicy, ...]:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return (NamedPolicy(name, parse_policy(document, name=name), "inline"),)


def allow(action: Any = "*", resource: Any = "*", **more: Any) -> Statement:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "*", resource: Any = "*", **more: Any) -> Statement:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def principal(*statements: Statement, **changes: Any) -> PrincipalEvidence:
    given_: dict[str, Any] = {
        "arn": ME,
        "iam_arn": ROLE,
        "account": ACCOUNT,
        "identity": policy(*statements) if statements else (),
        "boundary": None,
        "read_at": NOW,
        "tags": {},
        "organization": Organization(),
    }
    return PrincipalEvidence(**{**given_, **changes})


def bucket(**changes: Any) -> BucketEvidence:
    given_: dict[str, Any] = {
        "bucket": "lake",
        "owner_account": ACCOUNT,
        "policy": None,
        "encryption_read": True,
        "kms_key_arn": None,
        "kms_policy": None,
        "region": "eu-central-1",
        "read_at": NOW,
    }
    return BucketEvidence(**{**given_, **changes})


def around(who: PrincipalEvidence | None, where: BucketEvidence | None = None, **more: Any) -> Circumstances:
    return Circumstances(NOW, CALLER, principal=who, bucket=where, **more)


def call(operation: str = "GetObject", message: str = "Access Denied", **parameters: str) -> Call:
    given_ = parameters or {"Bucket": "lake", "Key": "raw/x.csv"}
    return Call("s3", operation, given_, "eu-central-1", 403, "AccessDenied", message)


def said(
    reason: str,
    action: str = "s3:GetObject",
    resource: str = f'"{OBJECT}"',
    operation: str = "GetObject",
    who: str = ME,
) -> Call:
    return call(
        operation, f"User: {who} is not authorized to perform: {action} on resource: {resource} {reason}"
    )


def explained(made: Call, found: Circumstances) -> Diagnosis:
    diagnosis = diagnose(made, found)
    assert diagnosis is not None
    return diagnosis


def asked(made: Diagnosis) -> str | None:
    return f"{made.ask.level.value} {made.ask.target}" if made.ask else None


CLOSED = Organization("o-1", service_control=(("root", policy(deny())),))
DENIED_BY_BUCKET = "with an explicit deny in a resource-based policy"
LACKS = "because no identity-based policy allows the s3:GetObject action"


class TestAwsGaveTheReason:
    @pytest.mark.parametrize(
        ("reason", "cause"),
        [
            (LACKS, Cause.NOT_GRANTED),
            ("with an explicit deny in an identity-based policy", Cause.IDENTITY_DENY),
            ("because no permissions boundary allows the s3:GetObject action", Cause.BOUNDARY),
            ("because no session policy allows the s3:GetObject action", Cause.SESSION_POLICY),
            ("with an explicit deny in a service control policy", Cause.SERVICE_CONTROL),
            ("with an explicit deny in a resource control policy", Cause.RESOURCE_CONTROL),
            ("because no VPC endpoint policy allows the s3:GetObject action", Cause.ENDPOINT_POLICY),
            (DENIED_BY_BUCKET, Cause.RESOURCE_DENY),
            ("because no resource-based policy allows the s3:GetObject action", Cause.RESOURCE_SILENT),
            ("with an explicit deny in the role trust policy", Cause.TRUST),
            ("because public policies are prevented by the BlockPublicPolicy setting", Cause.PUBLIC_ACCESS),
            ("because this bucket has blocked upload requests that specify Server Side Encryption",
             Cause.BLOCKED_ENCRYPTION),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize(
        "found", [around(None), around(principal(), bucket())], ids=["nothing read", "read"]
    )
    def test_it_is_the_cause_whatever_was_read(self, reason: str, cause: Cause, found: Circumstances) -> None:
        made = explained(said(reason), found)
        assert made.cause is cause
        assert made.basis is Basis.AWS
        assert (made.ask is not None) is (cause is Cause.NOT_GRANTED)
        assert (
            made.helps is (None if found.principal is None else True)
            if cause is Cause.NOT_GRANTED
            else made.helps is False
        )

    def test_without_policies_a_request_is_offered_and_nothing_promised(self) -> None:
        made = explained(said(LACKS), around(None))
        assert asked(made) == "read s3://lake/raw/"
        assert made.asking(None).ask is None
        assert made.helps is None
        assert made.read_at is None
        assert made.may_be_missing

    def test_the_engine_says_when_a_grant_would_not_be_enough_and_what_would_still_refuse(self) -> None:
        limited = principal(boundary=policy(allow("s3:ListBucket"), name="boundary"))
        made = explained(said(LACKS), around(limited, bucket()))
        assert (made.helps, made.then, made.ask) == (False, Cause.BOUNDARY, None)

    def test_a_grant_that_opens_the_key_as_well_is_enough(self) -> None:
        open_key = bucket(
            kms_key_arn=KEY,
            kms_policy=policy(allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})),
        )
        assert explained(said(LACKS), around(principal(), open_key)).helps is True
        closed = bucket(kms_key_arn=KEY, kms_policy=policy(allow("kms:*", Principal={"AWS": f"{ROLE}s"})))
        made = explained(said(LACKS), around(principal(), closed))
        assert (made.helps, made.then) == (False, Cause.KMS_KEY)

    def test_a_key_that_no_grant_could_name_leaves_it_open(self) -> None:
        odd = bucket(kms_key_arn="arn:aws:kms:eu-central-1:1:key/of_a_stand-in", kms_policy=UNREADABLE)
        made = explained(said(LACKS), around(principal(), odd))
        assert (made.helps, asked(made)) == (None, "read s3://lake/raw/")
        assert explained(call(), around(principal(allow()), odd)).cause is Cause.DISAGREEMENT

    def test_what_could_not_be_read_leaves_it_open(self) -> None:
        made = explained(said(LACKS), around(principal(), bucket(policy=UNREADABLE)))
        assert (made.helps, asked(made)) == (None, "read s3://lake/raw/")
        unread = explained(said(LACKS), around(principal(identity=UNREADABLE), bucket()))
        assert (unread.helps, asked(unread)) == (None, "read s3://lake/raw/")

    def test_where_the_engine_disagrees_aws_counts_and_it_is_said(self) -> None:
        made = explained(said(LACKS), around(principal(allow()), bucket()))
        assert made.disagrees
        assert made.cause is Cause.NOT_GRANTED
        assert made.basis is Basis.AWS

    def test_the_statement_that_denies_and_the_nearest_allow_are_added(self) -> None:
        closed = bucket(
            policy=policy(deny("s3:GetObject", Principal="*", Sid="Closed"), name="bucket policy")
        )
        made = explained(said(DENIED_BY_BUCKET), around(principal(allow()), closed))
        assert made.statement is not None
        assert made.statement.sid == "Closed"
        near = principal(
            allow("s3:GetObject", "arn:aws:s3:::lake/public/*", Sid="Near"), allow("s3:PutObject", OBJECT)
        )
        miss = explained(said(LACKS), around(near, bucket())).nearest
        assert miss is not None
        assert miss.element == "Resource"

    def test_the_policies_of_somebody_else_say_nothing(self) -> None:
        other = f"arn:aws:sts::{OTHER}:assumed-role/notebooks/x"
        made = explained(said(LACKS, who=other), around(principal(allow()), bucket()))
        assert made.principal == other
        assert made.response is None
        assert not made.disagrees

    def test_the_kms_key(self) -> None:
        lacks = "because no resource-based policy allows the kms:Decrypt action"
        closed = bucket(kms_key_arn=KEY, kms_policy=policy(allow("kms:*", Principal={"AWS": f"{ROLE}s"})))
        made = explained(said(lacks, "kms:Decrypt", KEY), around(principal(allow()), closed))
        assert (made.cause, made.basis, made.helps, made.ask) == (Cause.KMS_KEY, Basis.AWS, False, None)
        assert made.response is not None
        assert made.denied.place == "s3://lake/raw/x.csv"
        assert not made.may_be_missing
        unread = explained(said(lacks, "kms:Decrypt", KEY), around(None))
        assert (unread.cause, unread.helps, unread.ask) == (Cause.KMS_KEY, None, None)

    def test_a_key_that_kms_does_not_show(self) -> None:
        words = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or"
        made = explained(call(message=words), around(None))
        assert (made.cause, made.basis) == (Cause.KMS_KEY, Basis.AWS)

    def test_a_listing_that_hides_a_missing_key(self) -> None:
        hidden = said("because no identity-based policy allows it", "s3:ListBucket", '"arn:aws:s3:::lake"')
        made = explained(hidden, around(None))
        assert (made.cause, made.basis) == (Cause.MAY_BE_MISSING, Basis.AWS)
        assert asked(made) == "list s3://lake/raw/"
        lists = principal(
            allow("s3:GetObject"), allow("s3:ListBucket", Condition={"StringLike": {"s3:prefix": "raw/*"}})
        )
        look = explained(hidden, around(lists, bucket()))
        assert str(look.look) == "s3://lake/raw/"
        assert (look.ask, look.helps) == (None, False)
        top = Call(
            "s3", "HeadObject", {"Bucket": "lake", "Key": "year=1/x"}, None, 403, "403", hidden.message
        )
        assert explained(top, around(lists, bucket())).ask is None

    def test_a_listing_that_a_write_was_refused_for_is_just_that(self) -> None:
        made = explained(
            said(
                "because no identity-based policy allows it",
                "s3:ListBucket",
                '"arn:aws:s3:::lake"',
                "PutObject",
            ),
            around(None),
        )
        assert made.cause is Cause.NOT_GRANTED

    def test_no_resource_policy_of_another_account(self) -> None:
        lacks = "because no resource-based policy allows the s3:GetObject action"
        made = explained(said(lacks), around(principal(allow()), bucket(owner_account=OTHER)))
        assert made.cause is Cause.OTHER_ACCOUNT

    def test_the_policy_that_aws_names(self) -> None:
        arn = "arn:aws:organizations::1:policy/o-a/service_control_policy/p-b"
        made = explained(said(f"with an explicit deny in a service control policy: {arn}"), around(None))
        assert (made.policy, made.explicit) == (arn, True)


class TestAwsGaveNone:
    def test_without_policies_there_is_no_reason_and_a_request_might_help(self) -> None:
        made = explained(call(), around(None))
        assert (made.cause, made.basis, made.helps) == (Cause.UNEXPLAINED, Basis.GUESS, None)
        assert asked(made) == "read s3://lake/raw/"
        assert explained(call(), around(principal(), None)).principal == ME
        assert explained(call(), Circumstances(NOW)).principal == ""

    @pytest.mark.parametrize(
        ("who", "where", "cause", "basis"),
        [
            (principal(), bucket(), Cause.NOT_GRANTED, Basis.ENGINE),
            (principal(), bucket(policy=UNREADABLE), Cause.NOT_GRANTED, Basis.ENGINE),
            (principal(), bucket(owner_account=OTHER), Cause.NOT_GRANTED, Basis.ENGINE),
            (principal(allow(), deny("s3:GetObject")), bucket(), Cause.IDENTITY_DENY, Basis.ENGINE),
            (principal(allow(), boundary=policy(allow("ec2:*"))), bucket(), Cause.BOUNDARY, Basis.ENGINE),
            (principal(allow(), boundary=policy(allow(), deny())), bucket(), Cause.BOUNDARY, Basis.ENGINE),
            (principal(allow()), bucket(policy=policy(deny(Principal="*"))), Cause.RESOURCE_DENY, Basis.ENGINE),
            (principal(allow()), bucket(owner_account=OTHER), Cause.OTHER_ACCOUNT, Basis.ENGINE),
            (principal(allow()), bucket(owner_account=OTHER, policy=UNREADABLE), Cause.OTHER_ACCOUNT, Basis.GUESS),
            (principal(allow()), bucket(owner_account=None, policy=UNREADABLE, is_foreign=True), Cause.OTHER_ACCOUNT,
             Basis.GUESS),
            (principal(allow()), bucket(owner_account=None, policy=UNREADABLE), Cause.UNEXPLAINED, Basis.GUESS),
            (principal(allow()), bucket(policy=UNREADABLE), Cause.UNEXPLAINED, Basis.GUESS),
            (principal(identity=UNREADABLE), bucket(), Cause.UNEXPLAINED, Basis.GUESS),
            (principal(allow()), bucket(), Cause.DISAGREEMENT, Basis.ENGINE),
            (principal(allow(), organization=CLOSED), bucket(), Cause.SERVICE_CONTROL, Basis.ENGINE),
        ],
    )  # fmt: skip
    def test_the_engine_finds_the_layer(
        self, who: PrincipalEvidence, where: BucketEvidence, cause: Cause, basis: Basis
    ) -> None:
        made = explained(call(), around(who, where))
        assert (made.cause, made.basis) == (cause, basis)
        assert made.read_at == NOW
        assert made.disagrees is (cause is Cause.DISAGREEMENT)
        grantable = cause is Cause.NOT_GRANTED or (cause is Cause.UNEXPLAINED and who.identity is UNREADABLE)
        assert (made.ask is not None or made.then is not None) is grantable

    def test_what_the_roles_own_policies_allow_cannot_be_asked_for(self) -> None:
        made = explained(call(), around(principal(allow()), bucket(policy=UNREADABLE)))
        assert (made.helps, made.ask) == (False, None)
        assert made.depends_on

    def test_the_key_of_the_bucket_is_asked_last(self) -> None:
        closed = bucket(kms_key_arn=KEY, kms_policy=policy(allow("kms:*", Principal={"AWS": f"{ROLE}s"})))
        made = explained(call(), around(principal(allow()), closed))
        assert (made.cause, made.basis, made.denied.action) == (Cause.KMS_KEY, Basis.ENGINE, "kms:Decrypt")
        assert not made.may_be_missing
        head = explained(call("HeadObject"), around(principal(allow()), closed))
        assert (head.cause, head.basis) == (Cause.KMS_KEY, Basis.GUESS)
        put = explained(call("PutObject"), around(principal(allow()), closed))
        assert put.denied.action == "kms:GenerateDataKey"
        listing = explained(call("ListObjectsV2", Bucket="lake"), around(principal(allow()), closed))
        assert listing.cause is Cause.DISAGREEMENT

    def test_a_key_may_be_missing_where_the_bucket_may_not_be_listed(self) -> None:
        made = explained(call("HeadObject"), around(principal(allow("s3:GetObject")), bucket()))
        assert (made.cause, made.basis) == (Cause.MAY_BE_MISSING, Basis.ENGINE)
        assert asked(made) == "list s3://lake/raw/"
        assert not explained(call(), around(principal(allow()), bucket())).may_be_missing

    def test_another_owner_than_expected(self) -> None:
        expects = call(Bucket="lake", Key="raw/x", ExpectedBucketOwner=OTHER)
        assert explained(expects, around(principal(allow()), bucket())).cause is Cause.OWNER_MISMATCH
        right = call(Bucket="lake", Key="raw/x", ExpectedBucketOwner=ACCOUNT)
        assert explained(right, around(principal(), bucket())).cause is Cause.NOT_GRANTED

    def test_the_key_that_the_call_names_is_asked(self) -> None:
        put = call(
            "PutObject", Bucket="lake", Key="raw/x", ServerSideEncryption="aws:kms", SSEKMSKeyId=f"{KEY}9"
        )
        may_write = principal(allow("s3:*"))
        made = explained(put, around(may_write, bucket()))
        assert (made.denied.action, made.denied.resource) == ("kms:GenerateDataKey", f"{KEY}9")
        assert made.cause is Cause.KMS_KEY

    def test_each_permission_that_a_call_needs_is_asked(self) -> None:
        role = f"arn:aws:iam::{ACCOUNT}:role/train"
        job = Call("sagemaker", "CreateTrainingJob", {"TrainingJobName": "j", "RoleArn": role}, "eu-central-1", 400,
                   "AccessDeniedException", "not allowed")  # fmt: skip
        made = explained(job, around(principal(allow("sagemaker:*"))))
        assert (made.denied.action, made.cause, made.basis) == (
            "iam:PassRole",
            Cause.NOT_GRANTED,
            Basis.ENGINE,
        )
        assert made.ask is None
        assert made.helps is None

    def test_elsewhere_the_resources_policy_is_not_known(self) -> None:
        send = Call(
            "sqs",
            "SendMessage",
            {"QueueUrl": f"https://sqs/{ACCOUNT}/q"},
            "eu-central-1",
            403,
            "AccessDenied",
            "no",
        )
        assert explained(send, around(principal())).cause is Cause.NOT_GRANTED
        made = explained(send, around(principal(allow())))
        assert (made.cause, made.basis, made.helps) == (Cause.UNEXPLAINED, Basis.GUESS, False)
        bound = explained(
            send, around(principal(allow(), organization=UNREADABLE, boundary=policy(allow("s3:*"))))
        )
        assert bound.cause is Cause.BOUNDARY
        limited = Organization("o-1", service_control=UNREADABLE)
        assert explained(send, around(principal(organization=limited))).cause is Cause.NOT_GRANTED

    def test_a_bare_explicit_deny_is_looked_for(self) -> None:
        made = explained(said("with an explicit deny"), around(principal(allow(), deny("s3:Get*")), bucket()))
        assert (made.cause, made.basis, made.policy) == (Cause.IDENTITY_DENY, Basis.ENGINE, "own")

    def test_an_action_with_a_wildcard_or_none_is_not_asked(self) -> None:
        pattern = Call("", "", message=f"User: {ME} is not authorized to perform: s3:Get* on resource: x")
        assert explained(pattern, around(principal())).cause is Cause.UNEXPLAINED
        bare = Call("", "", status=403)
        assert explained(bare, around(principal())).cause is Cause.UNEXPLAINED

    def test_a_name_that_the_engine_refuses_leaves_aws_words_alone(self) -> None:
        odd = Call(
            "", "", message=f"User: {ME} is not authorized to perform: s3:GetObject on resource: arn:aws:s3"
        )
        assert explained(odd, around(principal())).cause in {Cause.UNEXPLAINED, Cause.NOT_GRANTED}

    def test_what_was_decoded_is_as_good_as_words(self) -> None:
        words = "You are not authorized to perform this operation. Encoded authorization failure message: Zx9"
        encoded = Call("ec2", "StopInstances", {}, "eu-central-1", 403, "UnauthorizedOperation", words)
        told = DenialMessage(
            ME, "ec2:StopInstances", f"arn:aws:ec2:eu-central-1:{ACCOUNT}:instance/i-1", explicit=False
        )
        made = explained(encoded, around(principal(), decoded=told))
        assert (made.denied.resource, made.cause) == (told.resource, Cause.NOT_GRANTED)


class TestConditionsOfABucket:
    """A bucket that is closed only to requests of a kind."""

    DENY_UNENCRYPTED = deny(
        "s3:PutObject", Principal="*", Sid="Encrypt", Condition={"StringNotEquals": {SSE: "aws:kms"}}
    )
    DENY_ELSEWHERE = deny(
        "s3:*", Principal="*", Sid="Here", Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}
    )

    def test_an_upload_without_the_header_that_the_policy_asks_for(self) -> None:
        found = around(principal(allow()), bucket(policy=policy(self.DENY_UNENCRYPTED)))
        made = explained(call("PutObject"), found)
        assert (made.cause, made.basis, made.header) == (
            Cause.ENCRYPTION_HEADER,
            Basis.ENGINE,
            {SSE: "aws:kms"},
        )
        assert made.statement is not None
        assert made.statement.sid == "Encrypt"
        assert (made.helps, made.ask) == (False, None)
        by_aws = explained(
            said(DENIED_BY_BUCKET, "s3:PutObject", operation="PutObject"),
            found,
        )
        assert (by_aws.cause, by_aws.basis) == (Cause.ENCRYPTION_HEADER, Basis.AWS)

    def test_where_the_headers_were_not_seen_it_is_a_guess(self) -> None:
        seen = call("PutObject")
        unseen = Call(
            "s3", "PutObject", seen.parameters, None, 403, "AccessDenied", noticed_by=NoticedBy.OUTPUT
        )
        made = explained(unseen, around(principal(allow()), bucket(policy=policy(self.DENY_UNENCRYPTED))))
        assert (made.cause, made.basis) == (Cause.ENCRYPTION_HEADER, Basis.GUESS)

    def test_an_upload_with_the_header_is_refused_for_something_else(self) -> None:
        sent = call("PutObject", Bucket="lake", Key="raw/x", ServerSideEncryption="AES256")
        made = explained(sent, around(principal(allow()), bucket(policy=policy(self.DENY_UNENCRYPTED))))
        assert made.cause is Cause.RESOURCE_DENY

    def test_a_policy_that_asks_for_the_buckets_own_key(self) -> None:
        name = f"{SSE}-aws-kms-key-id"
        wants = deny("s3:PutObject", Principal="*", Condition={"StringNotEquals": {name: KEY}})
        key = policy(allow("kms:*", Principal={"AWS": ROLE}))
        made = explained(
            call("PutObject"),
            around(principal(allow()), bucket(policy=policy(wants), kms_key_arn=KEY, kms_policy=key)),
        )
        assert made.header == {SSE: "aws:kms", name: KEY}
        other = deny("s3:PutObject", Principal="*", Condition={"StringNotEquals": {name: f"{KEY}9"}})
        assert (
            explained(call("PutObject"), around(principal(allow()), bucket(policy=policy(other)))).cause
            is Cause.RESOURCE_DENY
        )

    def test_a_bucket_that_is_open_to_one_network_only(self) -> None:
        found = around(principal(allow()), bucket(policy=policy(self.DENY_ELSEWHERE)))
        made = explained(call(), found)
        assert (made.cause, made.basis) == (Cause.NETWORK, Basis.GUESS)
        assert made.statement is not None
        assert made.statement.sid == "Here"
        by_aws = explained(said(DENIED_BY_BUCKET), found)
        assert (by_aws.cause, by_aws.basis) == (Cause.NETWORK, Basis.AWS)

    def test_a_bucket_that_is_closed_anyhow_is_not(self) -> None:
        found = around(principal(allow()), bucket(policy=policy(deny(Principal="*"))))
        assert explained(call("PutObject"), found).cause is Cause.RESOURCE_DENY
        pasted = Call("", "", message=said(DENIED_BY_BUCKET).message)
        assert explained(pasted, found).cause is Cause.RESOURCE_DENY


class TestNear:
    """Troubles that are no denial."""

    def near(self, code: str, status: int = 400, operation: str = "HeadObject", **found: Any) -> Diagnosis:
        made = Call(
            "s3", operation, {"Bucket": "lake", "Key": "raw/x"}, "us-east-1", status, code, "Bad Request"
        )
        return explained(made, Circumstances(NOW, CALLER, **found))

    def test_each_is_its_own_cause_and_has_no_request(self) -> None:
        for code, cause in [("ExpiredToken", Cause.EXPIRED), ("RequestTimeTooSkewed", Cause.CLOCK)]:
            made = self.near(code)
            assert (made.cause, made.basis, made.ask, made.helps) == (cause, Basis.AWS, None, None)

    def test_a_bad_request_on_head_is_expired_credentials_or_the_wrong_region_or_not_known(self) -> None:
        expired = self.near("400", credentials_expired=True)
        assert (expired.cause, expired.basis) == (Cause.EXPIRED, Basis.ENGINE)
        region = self.near("400", bucket=bucket())
        assert (region.cause, region.basis, region.region) == (
            Cause.WRONG_REGION,
            Basis.ENGINE,
            "eu-central-1",
        )
        open_ = self.near("400", bucket=bucket(region="us-east-1"))
        assert (open_.cause, open_.basis) == (Cause.BAD_REQUEST, Basis.GUESS)

    def test_the_right_region_is_that_of_awss_words_or_of_the_bucket(self) -> None:
        words = (
            "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'"
        )
        malformed = Call(
            "s3", "GetObject", {"Bucket": "lake"}, "us-east-1", 400, "AuthorizationHeaderMalformed", words
        )
        assert explained(malformed, Circumstances(NOW)).region == "eu-west-1"
        assert self.near("301", 301, bucket=bucket()).region == "eu-central-1"
        assert self.near("301", 301).region == ""

    def test_a_bucket_that_is_not_there_is_named_without_the_key(self) -> None:
        assert self.near("NoSuchBucket", 404, "GetObject").denied.place == "s3://lake"

    def test_what_is_none_of_ours_is_nothing(self) -> None:
        assert diagnose(Call("s3", "GetObject", status=404, code="NoSuchKey"), Circumstances(NOW)) is None


ANY_TEXT = st.one_of(
    st.text(max_size=40), st.sampled_from(["lake", "raw/x.csv", ME, KEY, OBJECT, "s3:GetObject", "*"])
)


@given(
    st.builds(
        Call,
        st.sampled_from(["s3", "kms", "sts", "sagemaker", "", "nope"]),
        st.sampled_from(["GetObject", "PutObject", "HeadObject", "ListObjectsV2", "CopyObject", "Decrypt", "", "Nope"]),
        st.dictionaries(st.sampled_from(["Bucket", "Key", "Prefix", "CopySource", "ServerSideEncryption"]), ANY_TEXT),
        st.sampled_from([None, "eu-central-1", "cn-north-1", "\n"]),
        st.sampled_from([None, 403, 400, 301, 200]),
        st.sampled_from(["", "AccessDenied", "403", "ExpiredToken", "PermanentRedirect"]),
        st.one_of(
            ANY_TEXT,
            st.builds(lambda a, b, c: f"User: {a} is not authorized to perform: {b} on resource: {c} {LACKS}",
                      ANY_TEXT, ANY_TEXT, ANY_TEXT),
        ),
    ),
    st.sampled_from([None, principal(), principal(allow()), principal(identity=UNREADABLE)]),
    st.sampled_from(
        [None, bucket(), bucket(policy=UNREADABLE, owner_account=None), bucket(kms_key_arn=KEY, kms_policy=UNREADABLE)]
    ),
)  # fmt: skip
def test_no_call_raises_and_no_request_is_promised_unproven(
    made: Call, who: PrincipalEvidence | None, where: BucketEvidence | None
) -> None:
    found = diagnose(made, around(who, where))
    if found is not None and found.helps:
        assert found.response is not None
        assert found.ask is not None


SOME = (allow("s3:*", "arn:aws:s3:::lake"), allow("s3:GetObject", "arn:aws:s3:::lake/public/*"))


def test_a_listing_of_nobody_knows_what_is_not_said_to_be_covered_by_nothing() -> None:
    bare = Call("s3", "ListObjectsV2", {}, None, 403, "AccessDenied", "Access Denied")
    made = explained(bare, around(principal(*SOME)))
    assert (made.cause, made.basis, made.ask) == (Cause.UNEXPLAINED, Basis.GUESS, None)
    there = Call("s3", "ListObjectsV2", {"Bucket": "other"}, None, 403, "AccessDenied", "Access Denied")
    assert explained(there, around(principal(*SOME), bucket(bucket="other"))).cause is Cause.NOT_GRANTED
    nowhere = explained(bare, around(principal(allow("sqs:*"))))
    assert nowhere.cause is Cause.NOT_GRANTED  # the role may do it at no place at all


@pytest.mark.parametrize(
    "who",
    [
        f"arn:aws:sts::{ACCOUNT}:assumed-role/training/job",
        f"arn:aws:sts::{OTHER}:assumed-role/notebooks/SageMaker",
    ],
)
def test_what_was_refused_to_another_is_not_asked_for_for_this_role(who: str) -> None:
    mine, theirs = (
        explained(said(LACKS), around(principal())),
        explained(said(LACKS, who=who), around(principal())),
    )
    assert asked(mine) == "read s3://lake/raw/"
    assert theirs.cause is Cause.NOT_GRANTED
    assert theirs.ask is None
