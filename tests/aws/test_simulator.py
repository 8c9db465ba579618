"""SimulatePrincipalPolicy as AWS answers it. No stand-in gives these answers, so botocore's Stubber does, which refuses
whatever does not fit the SDK's own model of the call."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from sm_access.access.evidence import BucketEvidence, PrincipalEvidence
from sm_access.access.levels import Check
from sm_access.access.simulated import SimulatedDecision, Simulation
from sm_access.aws.session import Aws
from sm_access.aws.simulator import IamSimulator
from sm_access.errors import AccessDenied, AwsUnreachable, CannotTell, NotSupportedHere
from sm_access.policy import UNREADABLE

ACCOUNT = "111122223333"
NOW = datetime(2026, 11, 24, 21, tzinfo=timezone.utc)
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/notebooks/SageMaker"
BARE = f"arn:aws:iam::{ACCOUNT}:role/notebooks"
READ = Check("s3:GetObject", "arn:aws:s3:::lake/raw/*")
WRITE = Check("s3:PutObject", "arn:aws:s3:::lake/raw/*")
LIST = Check("s3:ListBucket", "arn:aws:s3:::lake", {"s3:prefix": "raw/"})
EXAMPLE = "arn:aws:s3:::lake/raw/sm-access-example"
BUCKET = BucketEvidence("lake", ACCOUNT, None, True, None, None, "eu-central-1", NOW)


def principal(iam_arn: str | None = BARE) -> PrincipalEvidence:
    return PrincipalEvidence(SESSION, iam_arn, ACCOUNT, UNREADABLE, UNREADABLE, NOW)


class Stubbed:
    """A simulator whose IAM gives prepared answers, in order."""

    def __init__(self, execution_role: str = "") -> None:
        aws = Aws(boto3.session.Session("ASIAX", "x", "x", region_name="us-east-1"))
        self.stub = Stubber(aws.client("iam"))
        self.simulator = IamSimulator(aws, execution_role)

    def answer(self, *results: dict[str, Any], expected: Any = None, **more: Any) -> None:
        body = {"EvaluationResults": list(results), "IsTruncated": False, **more}
        self.stub.add_response("simulate_principal_policy", body, expected)

    def refuse(self, code: str, status: int = 403) -> None:
        self.stub.add_client_error("simulate_principal_policy", code, http_status_code=status)

    def ask(self, *checks: Check, who: PrincipalEvidence | None = None) -> list[Simulation | None]:
        with self.stub:
            found = list(self.simulator.simulate(who or principal(), BUCKET, checks, NOW))
            self.stub.assert_no_pending_responses()
            return found


def result(action: str, decision: str, **more: Any) -> dict[str, Any]:
    return {"EvalActionName": action, "EvalDecision": decision, **more}


def row(resource: str, decision: str, **more: Any) -> dict[str, Any]:
    return {"EvalResourceName": resource, "EvalResourceDecision": decision, **more}


def test_what_is_asked() -> None:
    stubbed = Stubbed()
    entries = {
        "aws:CurrentTime": ("2026-11-24T21:00:00Z", "date"),
        "aws:PrincipalAccount": (ACCOUNT, "string"),
        "aws:PrincipalArn": (BARE, "string"),
        "aws:RequestedRegion": ("eu-central-1", "string"),
        "aws:SecureTransport": ("true", "boolean"),
        "s3:ResourceAccount": (ACCOUNT, "string"),
    }
    stubbed.answer(
        result("s3:GetObject", "allowed", ResourceSpecificResults=[row(EXAMPLE, "allowed")]),
        result("s3:PutObject", "implicitDeny", ResourceSpecificResults=[row(EXAMPLE, "implicitDeny")]),
        expected={
            "PolicySourceArn": BARE,
            "ActionNames": ["s3:GetObject", "s3:PutObject"],
            "ResourceArns": [EXAMPLE],
            "ContextEntries": [
                {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": kind}
                for key, (value, kind) in entries.items()
            ],
        },
    )
    read, write = stubbed.ask(READ, WRITE)
    assert read is not None
    assert write is not None
    assert (read.decision, write.decision) == (SimulatedDecision.ALLOWED, SimulatedDecision.IMPLICIT_DENY)
    assert read.of_example
    assert (read.by_boundary, read.by_organization, read.missing) == (None, None, ())


def test_all_that_is_answered_is_read() -> None:
    stubbed = Stubbed()
    stubbed.answer(
        result(
            "s3:GetObject",
            "explicitDeny",
            EvalResourceName="arn:${Partition}:s3:::${BucketName}/${KeyName}",
            MissingContextValues=["aws:SourceVpce"],
            OrganizationsDecisionDetail={"AllowedByOrganizations": True},
            ResourceSpecificResults=[
                row(
                    EXAMPLE,
                    "explicitDeny",
                    MatchedStatements=[
                        {"SourcePolicyId": "fence", "SourcePolicyType": "IAM Policy"},
                        {"SourcePolicyType": "none"},
                    ],
                    MissingContextValues=["aws:SourceIp", "aws:SourceVpce"],
                    PermissionsBoundaryDecisionDetail={"AllowedByPermissionsBoundary": False},
                )
            ],
        )
    )
    (found,) = stubbed.ask(READ)
    assert found == Simulation(
        SimulatedDecision.EXPLICIT_DENY,
        NOW,
        ("fence",),
        ("aws:SourceIp", "aws:SourceVpce"),
        by_boundary=False,
        by_organization=True,
        of_example=True,
    )


def test_the_former_form_with_a_result_for_each_resource() -> None:
    stubbed = Stubbed()
    stubbed.answer(
        result(
            "s3:ListBucket",
            "allowed",
            EvalResourceName="arn:aws:s3:::lake",
            MissingContextValues=["aws:SourceIp"],
            PermissionsBoundaryDecisionDetail={"AllowedByPermissionsBoundary": True},
        )
    )
    (found,) = stubbed.ask(LIST)
    assert found is not None
    assert found.decision is SimulatedDecision.ALLOWED
    assert found.by_boundary is True
    assert found.missing == ("aws:SourceIp",)
    assert not found.of_example


def test_every_page_is_read() -> None:
    stubbed = Stubbed()
    first = result("s3:GetObject", "allowed", ResourceSpecificResults=[row(EXAMPLE, "allowed")])
    second = result("s3:PutObject", "explicitDeny", ResourceSpecificResults=[row(EXAMPLE, "explicitDeny")])
    stubbed.stub.add_response(
        "simulate_principal_policy", {"EvaluationResults": [first], "IsTruncated": True, "Marker": "m"}
    )
    stubbed.answer(second)
    _, found = stubbed.ask(READ, WRITE)
    assert found is not None
    assert found.decision is SimulatedDecision.EXPLICIT_DENY


@pytest.mark.parametrize(
    "answered",
    [
        [],
        [
            result(
                "s3:GetObject", "allowed", ResourceSpecificResults=[row("arn:aws:s3:::lake/other", "allowed")]
            )
        ],
        [result("s3:GetObject", "allowed", ResourceSpecificResults=[row(EXAMPLE, "perhaps")])],
        [result("s3:GetObject", "allowed", EvalResourceName="*")],
        [result("s3:GetObject", "allowed")],
    ],
    ids=["nothing", "another resource", "a new word", "all resources", "no resource"],
)
def test_an_answer_to_another_question_is_none(answered: list[dict[str, Any]]) -> None:
    stubbed = Stubbed()
    stubbed.answer(*answered)
    assert stubbed.ask(READ) == [None]


class TestPath:
    """A session's ARN does not tell the path of its role, and the simulation needs it."""

    def test_where_the_role_was_read_it_is_known(self) -> None:
        stubbed = Stubbed()
        arn = f"arn:aws:iam::{ACCOUNT}:role/team/notebooks"
        stubbed.answer(
            expected={"PolicySourceArn": arn, "ActionNames": ANY, "ResourceArns": ANY, "ContextEntries": ANY}
        )
        stubbed.ask(READ, who=principal(arn))

    def test_sagemaker_tells_it(self) -> None:
        arn = f"arn:aws:iam::{ACCOUNT}:role/team/notebooks"
        stubbed = Stubbed(arn)
        stubbed.answer(
            expected={"PolicySourceArn": arn, "ActionNames": ANY, "ResourceArns": ANY, "ContextEntries": ANY}
        )
        stubbed.ask(READ, who=principal(None))

    @pytest.mark.parametrize("stated", ["", f"arn:aws:iam::{ACCOUNT}:role/another"])
    def test_else_the_usual_ones_are_tried(self, stated: str) -> None:
        stubbed = Stubbed(stated)
        stubbed.refuse("NoSuchEntity", 404)
        stubbed.answer(
            expected={
                "PolicySourceArn": BARE.replace("role/", "role/service-role/"),
                "ActionNames": ANY,
                "ResourceArns": ANY,
                "ContextEntries": ANY,
            }
        )
        stubbed.ask(READ, who=principal(None))

    def test_and_then_it_is_said(self) -> None:
        stubbed = Stubbed()
        stubbed.refuse("NoSuchEntity", 404)
        stubbed.refuse("NoSuchEntity", 404)
        with pytest.raises(CannotTell, match="ARN with its path"):
            stubbed.ask(READ, who=principal(None))


@pytest.mark.parametrize(
    ("code", "status", "raised"),
    [
        ("AccessDenied", 403, AccessDenied),
        ("ServiceFailure", 500, NotSupportedHere),
        ("PolicyEvaluation", 400, CannotTell),
    ],
)
def test_each_refusal_is_its_own_error(code: str, status: int, raised: type[Exception]) -> None:
    stubbed = Stubbed()
    stubbed.refuse(code, status)
    with pytest.raises(raised):
        stubbed.ask(READ)


def test_an_endpoint_that_is_not_there() -> None:
    aws = Aws(boto3.session.Session("ASIAX", "x", "x", region_name="us-east-1"), timeout_seconds=0.2)
    aws.client("iam")._endpoint.host = "http://127.0.0.1:9"
    with pytest.raises(AwsUnreachable):
        IamSimulator(aws).simulate(principal(), BUCKET, [READ], NOW)
