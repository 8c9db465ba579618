"""Denials of the sandbox, as boto3 reports them, and what they are explained as: one case for each layer."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

import sm_access
from sm_access.access.call import Call
from sm_access.bootstrap import Services
from sm_access.cli.main import main
from sm_access.commands import explaining
from sm_access.commands.explaining import explain, explain_calls
from sm_access.config import Settings
from sm_access.errors import InvalidInput
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


ADMIN = "arn:aws:iam::111122223333:role/acme-platform-admin"
ELSEWHERE = [
    (("dynamodb", "get_item", {"TableName": "acme-features", "Key": {"id": {"S": "1"}}}), "permissions-boundary"),
    (("iam", "create_user", {"UserName": "eve"}), "permissions-boundary"),
    (("sts", "assume_role", {"RoleArn": ADMIN, "RoleSessionName": "me"}), LACKS),
]  # fmt: skip


@pytest.mark.parametrize(("called", "cause"), ELSEWHERE, ids=str)
def test_a_denial_of_another_service_says_who_can_change_it(
    refused: Denied,
    services_of: Callable[[str], Services],
    called: tuple[str, str, dict[str, Any]],
    cause: str,
) -> None:
    service, method, parameters = called
    (found,) = denials(
        explain_calls([refused(service, method, **parameters)], services=services_of("notebook"))
    )
    assert (found["cause"], found["decided_by"], found["request"]) == (cause, "aws", None)
    assert "administers" in found["remedy"]


def denials(result: sm_access.Result | None) -> list[dict[str, Any]]:
    assert result is not None
    found: list[dict[str, Any]] = list(result.to_dict()["denials"])
    return found


def test_another_accounts_bucket_is_told_as_a_guess(
    refused: Denied, services_of: Callable[[str], Services]
) -> None:
    call = refused("s3", "get_object", Bucket="partner-exchange", Key="outbox/prices.csv")
    (found,) = denials(explain_calls([call], services=services_of("notebook")))
    assert (found["cause"], found["decided_by"]) == ("other-account-does-not-allow-it", "guess")


def test_what_is_asked_for_is_what_then_works(
    refused: Denied, services_of: Callable[[str], Services], sandbox: Sandbox
) -> None:
    """The request of the card, made and approved: the same call is allowed, so "a grant would be enough" was true."""
    key = "raw/events/2026-11-01.json"
    notebook, approver = services_of("notebook"), services_of("approver")
    (found,) = denials(
        explain_calls([refused("s3", "head_object", Bucket="acme-lake", Key=key)], services=notebook)
    )
    assert found["grant_would_help"] is True
    asked = found["request"]
    made = sm_access.request_access(asked["where"], asked["level"], duration=asked["duration"], why="it says so",
                                    services=notebook)  # fmt: skip
    try:
        sm_access.approve(made.to_dict()["id"], services=approver)
        assert sandbox.session("notebook").client("s3").head_object(Bucket="acme-lake", Key=key)
    finally:
        sm_access.revoke(made.to_dict()["id"], services=approver)


def test_several_denials_are_told_once_each_and_counted(
    refused: Denied, services_of: Callable[[str], Services]
) -> None:
    read = refused("s3", "head_object", Bucket="acme-lake", Key="raw/customers.csv")
    listing = refused("s3", "list_objects_v2", Bucket="acme-lake", Prefix="raw/customers.csv/")
    once = denials(explain_calls([read, read, listing], services=services_of("notebook")))
    assert [each["request"]["level"] for each in once] == ["read"]
    others = [
        refused("s3", "get_object", Bucket=bucket, Key="x") for bucket in ("acme-hr", "partner-exchange")
    ]
    result = explain_calls(
        [read, *others, refused("iam", "create_user", UserName="eve")], services=services_of("notebook")
    )
    assert result is not None
    assert (len(denials(result)), result.to_dict()["more"]) == (3, 1)
    assert "4 things were refused" in result.to_text()
    assert "And 1 more." in result.to_text()


def test_nothing_is_said_of_a_call_that_is_no_denial() -> None:
    missing = Call("s3", "GetObject", {"Bucket": "b", "Key": "k"}, status=404, code="NoSuchKey")
    assert explain_calls([missing]) is None
    assert explain_calls([]) is None


WORDS = "because no identity-based policy allows the s3:GetObject action"
SENTENCE = (
    "User: arn:aws:sts::111122223333:assumed-role/acme-ds-notebooks/SageMaker is not authorized to perform: "
    f's3:GetObject on resource: "arn:aws:s3:::acme-lake/raw/customers.csv" {WORDS}'
)


class TestDoor:
    """What people hand over: a text, an exception, a recording, nothing."""

    def test_a_pasted_message_and_an_exception_come_to_the_same(
        self, services_of: Callable[[str], Services], sandbox: Sandbox
    ) -> None:
        at = services_of("notebook")
        with pytest.raises(ClientError) as raised:
            sandbox.session("notebook").client("s3").get_object(Bucket="acme-lake", Key="raw/customers.csv")
        for what in (SENTENCE, raised.value, [raised.value], Call("", "", message=SENTENCE)):
            (found,) = denials(explain(what, services=at))
            assert (found["place"], found["cause"]) == ("s3://acme-lake/raw/customers.csv", LACKS)
            assert found["grant_would_help"] is True

    def test_a_recording_tells_what_was_denied_in_it(
        self, enter: Callable[[str], None], services_of: Callable[[str], Services]
    ) -> None:
        enter("notebook")
        s3 = boto3.client("s3")
        with sm_access.record() as recorded:
            with pytest.raises(ClientError) as raised:
                s3.head_object(Bucket="acme-lake", Key="raw/customers.csv")
            s3.list_objects_v2(Bucket="acme-models")
        (found,) = denials(sm_access.explain(recorded, services=services_of("notebook")))
        assert found["place"] == "s3://acme-lake/raw/customers.csv"
        # The exception says neither bucket nor key; the recorder heard them.
        (same,) = denials(sm_access.explain(raised.value, services=services_of("notebook")))
        assert same["place"] == found["place"]

    def test_without_an_argument_it_is_the_last_denial(
        self, services_of: Callable[[str], Services], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(explaining, "_last", ())
        monkeypatch.delattr(sys, "last_value", raising=False)
        with pytest.raises(InvalidInput, match="No denial was noticed"):
            explain()
        monkeypatch.setattr(sys, "last_value", PermissionError(SENTENCE), raising=False)
        assert denials(explain(services=services_of("notebook")))[0]["cause"] == LACKS
        monkeypatch.delattr(sys, "last_value")
        assert denials(explain(services=services_of("notebook")))[0]["cause"] == LACKS

    @pytest.mark.parametrize("what", ["", "hello", KeyError("x"), 7, []], ids=repr)
    def test_where_nothing_is_a_denial_that_is_said(self, what: object) -> None:
        with pytest.raises(InvalidInput, match="No denial was found"):
            explain(what)

    def test_the_command_takes_a_text_or_standard_input(
        self, enter: Callable[[str], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:  # fmt: skip
        enter("notebook")
        assert main(["explain", SENTENCE]) == 1
        assert "A grant would be enough." in capsys.readouterr().out
        pasted = tmp_path / "pasted.txt"
        pasted.write_text(
            f"fatal error: An error occurred (AccessDenied) when calling\nthe GetObject operation: {SENTENCE}"
        )
        with pasted.open() as stream:
            monkeypatch.setattr(sys, "stdin", stream)
            assert main(["explain", "--json", "-"]) == 1
        assert json.loads(capsys.readouterr().out)["denials"][0]["level"] == "read"
        assert main(["explain", "hello"]) == 2


class TestBadDays:
    """The person's own error must not wait for us, nor be buried: a named, partial answer in bounded time."""

    @pytest.fixture
    def nowhere(self, tmp_path: Path) -> Callable[..., Services]:
        """Services whose AWS is at an address; temporary credentials that are nobody's."""

        def make(endpoint: str, seconds: float = 1.5) -> Services:
            session = boto3.session.Session("ASIAEXAMPLE", "x", "x", region_name="us-east-1")
            variables = {"SM_ACCESS_TIMEOUT_SECONDS": str(seconds), "AWS_ENDPOINT_URL": endpoint}
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("AWS_ENDPOINT_URL", endpoint)
                services = Services(
                    Settings.load(variables, ledger=f"sqlite://{tmp_path / 'l'}"), session=session
                )
                for service in ("sts", "iam", "s3", "kms", "organizations"):
                    services.aws.client(service)
            return services

        return make

    def test_no_network(self, nowhere: Callable[..., Services]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        at = nowhere(f"http://127.0.0.1:{port}")
        (found,) = denials(explain(SENTENCE, services=at))
        assert (found["cause"], found["decided_by"], found["grant_would_help"]) == (LACKS, "aws", None)
        assert found["request"]["where"] == "s3://acme-lake/raw/"
        assert any("who is calling" in item for item in found["not_read"])

    def test_an_endpoint_that_hangs(self, nowhere: Callable[..., Services]) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
            at = nowhere(f"http://127.0.0.1:{server.getsockname()[1]}")
            began = time.monotonic()
            (found,) = denials(
                explain_calls(
                    [Call("s3", "HeadObject", {"Bucket": "b", "Key": "k"}, status=403)], services=at
                )
            )
            assert (
                time.monotonic() - began < 30
            )  # the deadline is 1.5 s; what hangs is given up, not waited for
        assert (found["cause"], found["decided_by"]) == ("no-reason-given", "guess")
        assert found["not_read"]

    def test_a_role_that_may_not_read_itself(
        self, refused: Denied, services_of: Callable[[str], Services]
    ) -> None:
        call = refused("s3", "get_object", of="engineer-1", Bucket="acme-lake", Key="raw/customers.csv")
        (found,) = denials(explain_calls([call], services=services_of("engineer-1")))
        assert (found["cause"], found["decided_by"], found["grant_would_help"]) == (LACKS, "aws", None)
        assert found["request"]
        assert found["not_read"]

    def test_credentials_that_ended_in_between(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A HEAD with an expired token: S3 answers 400 and no words. STS is a double, for the sandbox's never end."""
        from sm_access.errors import ExpiredCredentials

        def expired(_: Services) -> Any:
            raise ExpiredCredentials("The temporary credentials have expired.")

        monkeypatch.setattr(Services, "caller", expired)
        head = Call(
            "s3",
            "HeadObject",
            {"Bucket": "acme-lake", "Key": "k"},
            status=400,
            code="400",
            message="Bad Request",
        )
        (found,) = denials(explain_calls([head]))
        assert (found["cause"], found["decided_by"]) == ("expired-credentials", "engine")

    def test_settings_that_cannot_be_read(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("SM_ACCESS_CONFIG", str(tmp_path / "missing.toml"))
        (found,) = denials(explain_calls([Call("", "", message=SENTENCE)]))
        assert found["cause"] == LACKS
        assert any("configuration file" in item for item in found["not_read"])

    def test_rules_that_cannot_be_read_leave_the_request_as_it_is(
        self, services_of: Callable[[str], Services]
    ) -> None:
        at = services_of("notebook")
        at.settings.rules["review"]["levels"] = 7  # type: ignore[index]
        (found,) = denials(explain(SENTENCE, services=at))
        assert found["request"]["reviewers"] == []

    def test_a_defect_of_ours_is_told_and_raises_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(explaining, "diagnose", broken)
        result = explain_calls([Call("s3", "GetObject", status=403)], services=Services())
        assert result is not None
        assert result.exit_code == 3
        assert "ZeroDivisionError" in result.to_text()

    def test_a_collector_that_fails_is_named(
        self, monkeypatch: pytest.MonkeyPatch, services_of: Callable[[str], Services]
    ) -> None:
        def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("sm_access.aws.principals.read_principal", broken)
        (found,) = denials(explain(SENTENCE, services=services_of("notebook")))
        assert any("ZeroDivisionError" in item for item in found["not_read"])

    def test_the_rules_may_let_nobody_have_it(self, services_of: Callable[[str], Services]) -> None:
        delete = SENTENCE.replace("GetObject", "DeleteObject")
        at = services_of("notebook")
        at.settings.rules["review"]["levels"] = ["list"]  # type: ignore[index]
        result = explain(delete, services=at)
        assert denials(result)[0]["request"] is None
        assert "The rules let nobody have delete on acme-lake by request." in result.to_text()


def test_an_encoded_message_is_decoded_by_who_may(
    monkeypatch: pytest.MonkeyPatch, services_of: Callable[[str], Services]
) -> None:
    """The sandbox has no such call: what AWS answers is a double, in the form of its API reference."""
    words = "You are not authorized to perform this operation. Encoded authorization failure message: Zx9"
    encoded = Call("ec2", "StopInstances", {}, "us-east-1", 403, "UnauthorizedOperation", words)
    (before,) = denials(explain_calls([encoded], services=services_of("notebook")))
    assert any("what AWS encoded" in item for item in before["not_read"])
    me = "arn:aws:sts::111122223333:assumed-role/acme-ds-notebooks/SageMaker"
    instance = "arn:aws:ec2:us-east-1:111122223333:instance/i-1"
    about = {"principal": {"arn": me}, "action": "ec2:StopInstances", "resource": instance}
    decoded = {"allowed": False, "explicitDeny": False, "context": about}
    monkeypatch.setattr(
        "sm_access.aws.authorization_messages.decode_authorization_message", lambda *_: json.dumps(decoded)
    )
    (found,) = denials(explain_calls([encoded], services=services_of("notebook")))
    assert (found["resource"], found["cause"], found["decided_by"]) == (instance, LACKS, "engine")
