"""botocore's errors, one by one, as ours; clients that end in time; nothing secret in what is shown."""

from __future__ import annotations

import socket
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError
from botocore.stub import Stubber

from sm_access import errors
from sm_access.access.identity import CredentialSource
from sm_access.aws.buckets import collect_bucket
from sm_access.aws.identity import collect_caller, collect_identity
from sm_access.aws.role_writer import IamRoleWriter
from sm_access.aws.sagemaker_site import read_metadata
from sm_access.aws.session import Aws, told
from sm_access.sandbox.world import Sandbox

CANARY_KEY = "ASIACANARYCANARY1234"
CANARY_SECRET = "canary/secret/that/never/comes/out/0000000"
CANARY_TOKEN = "canary-token-that-never-comes-out"


def answer(code: str, status: int = 400) -> boto.ClientError:
    return boto.ClientError(
        {
            "Error": {"Code": code, "Message": f"message with {CANARY_SECRET}"},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },
        "ListBuckets",
    )


MAPPED: list[tuple[Exception, type[errors.SmAccessError]]] = [
    (boto.NoCredentialsError(), errors.NoCredentials),
    (boto.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), errors.NoCredentials),
    (boto.TokenRetrievalError(provider="sso", error_msg="expired"), errors.NoCredentials),
    (boto.CredentialRetrievalError(provider="container", error_msg="gone"), errors.NoCredentials),
    (boto.UnauthorizedSSOTokenError(), errors.NoCredentials),
    (boto.ProfileNotFound(profile="nobody"), errors.InvalidSetting),
    (boto.NoRegionError(), errors.InvalidSetting),
    (boto.ParamValidationError(report="bad"), errors.InvalidSetting),
    (boto.EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), errors.AwsUnreachable),
    (boto.ConnectTimeoutError(endpoint_url="http://127.0.0.1:1"), errors.AwsUnreachable),
    (boto.ReadTimeoutError(endpoint_url="http://127.0.0.1:1"), errors.AwsUnreachable),
    (boto.ConnectionClosedError(endpoint_url="http://127.0.0.1:1"), errors.AwsUnreachable),
    (boto.SSLError(endpoint_url="https://127.0.0.1:1", error="bad"), errors.AwsUnreachable),
    (boto.ProxyConnectionError(proxy_url="http://127.0.0.1:1"), errors.AwsUnreachable),
    (boto.UnknownServiceError(service_name="x", known_service_names="y"), errors.CannotTell),
    (ResponseParserError("not XML"), errors.NotSupportedHere),
    *((answer(code, 403), errors.AccessDenied) for code in ("AccessDenied", "AccessDeniedException", "403")),
    (answer("UnauthorizedOperation", 403), errors.AccessDenied),
    (answer("AllAccessDisabled", 403), errors.AccessDenied),
    *((answer(code), errors.ExpiredCredentials) for code in ("ExpiredToken", "ExpiredTokenException")),
    (answer("RequestExpired"), errors.ExpiredCredentials),
    *(
        (answer(code, 403), errors.NoCredentials)
        for code in (
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "InvalidAccessKeyId",
            "InvalidToken",
        )
    ),
    (answer("InternalError", 500), errors.NotSupportedHere),
    (answer("", 501), errors.NotSupportedHere),
    (answer("NoSuchEntity", 404), errors.CannotTell),
    (answer("Throttling"), errors.CannotTell),
]


@pytest.mark.parametrize(("theirs", "ours"), MAPPED, ids=lambda value: repr(value)[:60])
def test_each_error_is_mapped_once(theirs: Exception, ours: type[errors.SmAccessError]) -> None:
    with pytest.raises(errors.SmAccessError) as caught, told("trying"):
        raise theirs
    assert type(caught.value) is ours
    assert "trying" in caught.value.message or ours is errors.InvalidSetting
    assert caught.value.remedy
    assert caught.value.__suppress_context__
    assert caught.value.__cause__ is None
    assert CANARY_SECRET not in str(caught.value)


def test_what_is_no_answer_of_aws_stays_what_it_is() -> None:
    with pytest.raises(ZeroDivisionError), told("trying"):
        raise ZeroDivisionError


def test_a_value_error_of_our_own_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="invalid literal"), told("trying"):
        int("x")


class TestWhatIsSetForTheSdk:
    """A secret that is malformed, or stands in an address, is in no traceback: notebooks are saved with those."""

    def told_of(self, work: Callable[[], object]) -> errors.SmAccessError:
        with pytest.raises(errors.SmAccessError) as caught:
            work()
        shown = "".join(traceback.format_exception(caught.value))
        assert "canary" not in shown
        return caught.value

    def test_a_session_token_with_a_newline(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        aws = Aws(boto3.session.Session("AKIA", "canary-secret", "canary-token\nX: y", "us-east-1"))
        found = self.told_of(lambda: collect_caller(aws))
        assert isinstance(found, errors.AwsUnreachable)

    @pytest.mark.parametrize("url", ["foo", "user:canary@host", "http://canary@host:port"])
    def test_an_endpoint_that_is_none(self, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        found = self.told_of(lambda: collect_identity(Aws(session()), Path("/nonexistent")))
        assert isinstance(found, errors.InvalidSetting)
        assert "AWS_ENDPOINT_URL_*" in found.remedy

    @pytest.mark.parametrize(
        ("uri", "token"),
        [("http://canary.example.com/x", "t"), ("http://127.0.0.1:9/canary", "canary\r\nX: y")],
    )
    def test_container_credentials_from_elsewhere_or_with_a_broken_token(
        self, clean_environment: Path, monkeypatch: pytest.MonkeyPatch, uri: str, token: str
    ) -> None:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", token)
        found = self.told_of(lambda: collect_identity(Aws(), Path("/nonexistent")))
        assert isinstance(found, errors.InvalidSetting)
        assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" in found.remedy


def test_a_stubbed_refusal_names_the_call() -> None:
    aws = Aws(session())
    iam = aws.client("iam")
    with Stubber(iam) as stub, Stubber(aws.client("sts")) as sts:
        sts.add_response(
            "get_caller_identity",
            {
                "Arn": "arn:aws:sts::111122223333:assumed-role/approvers/x",
                "Account": "111122223333",
                "UserId": "AROAX:x",
            },
        )
        stub.add_client_error("put_role_policy", "AccessDenied", "no", 403)
        with pytest.raises(
            errors.AccessDenied, match="PutRolePolicy while writing the inline policy sm-access-x"
        ):
            IamRoleWriter(aws).put("arn:aws:iam::111122223333:role/team/notebooks", "sm-access-x", {})


def session(**given: Any) -> boto3.session.Session:
    return boto3.session.Session(
        aws_access_key_id=CANARY_KEY,
        aws_secret_access_key=CANARY_SECRET,
        aws_session_token=CANARY_TOKEN,
        region_name="us-east-1",
        **given,
    )


def test_nothing_shown_of_a_session_is_secret() -> None:
    aws = Aws(session())
    aws.client("s3")
    shown = f"{aws!r} {aws} {vars(aws)!r}"
    assert not any(secret in shown for secret in (CANARY_KEY, CANARY_SECRET, CANARY_TOKEN))


def test_a_client_is_made_once_for_all_threads() -> None:
    from concurrent.futures import ThreadPoolExecutor

    aws = Aws(session())
    with ThreadPoolExecutor(8) as pool:
        assert len({id(client) for client in pool.map(lambda _: aws.client("s3"), range(16))}) == 1


class TestAnEndpoint:
    @pytest.fixture
    def silent(self) -> Iterator[str]:
        """Takes connections and never answers."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"

    def test_that_never_answers_is_given_up_in_time(
        self, silent: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", silent)
        began = time.monotonic()
        with pytest.raises(errors.AwsUnreachable):
            collect_caller(Aws(session(), timeout_seconds=0.3))
        assert time.monotonic() - began < 10  # three attempts of 0.3 s, and the pauses between them

    def test_where_nobody_listens_is_given_up_in_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        began = time.monotonic()
        with pytest.raises(errors.AwsUnreachable, match="did not answer"):
            collect_bucket(Aws(session()), "acme-lake", "111122223333")
        assert time.monotonic() - began < 10

    def test_that_answers_html_lacks_the_call(self, sandbox: Sandbox) -> None:
        """moto answers a call that it does not have with a page and status 500."""
        analyzer = Aws(sandbox.session("admin")).client("accessanalyzer")
        with pytest.raises(errors.NotSupportedHere), told("asking the access analyzer"):
            analyzer.list_findings_v2(analyzerArn="arn:aws:access-analyzer:us-east-1:111122223333:analyzer/x")


class TestIdentity:
    def test_of_the_notebook(self, sandbox: Sandbox, tmp_path: Path) -> None:
        before = datetime.now(timezone.utc)
        found = collect_identity(Aws(sandbox.session("notebook")), tmp_path / "none")
        assert found.caller is not None
        assert found.caller.arn == "arn:aws:sts::111122223333:assumed-role/acme-ds-notebooks/SageMaker"
        assert found.source is CredentialSource.CONTAINER
        assert not found.long_term_key
        assert found.expires_at is not None
        assert found.expires_at > before + timedelta(minutes=1)
        assert found.metadata == {}

    @pytest.mark.parametrize("text", ["", "[]", "{", "null", '"x"', "\x00", '{"ResourceName": 5}'])
    def test_metadata_that_is_none_is_empty(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "resource-metadata.json"
        path.write_text(text)
        assert read_metadata(path) == {}
        path.write_bytes(b"\xff\xfe\x00")
        assert read_metadata(path) == {}
        assert read_metadata(tmp_path) == {}
