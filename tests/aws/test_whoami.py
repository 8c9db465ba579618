"""Who a process is, by every link of the credential chain, and on the days when somebody does not answer."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from sm_access import errors
from sm_access.access.identity import Authority, Certainty, Identity, Propagation, RoleStatement, Site
from sm_access.access.key_scanner import KeySearch
from sm_access.aws.identity import collect_identity
from sm_access.aws.sagemaker_site import SiteFacts, collect_sdk_role, read_site
from sm_access.aws.session import Aws

if TYPE_CHECKING:
    from sm_access.sandbox.world import Sandbox

ROLE = "acme-ds-notebooks"
SESSION = f"arn:aws:sts::111122223333:assumed-role/{ROLE}/SageMaker"
Answer = Callable[[str, str, Mapping[str, str]], tuple[int, str]]


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """A real HTTP server; `answer` is told method, path and headers, and gives status and body."""

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, text = answer(self.command, self.path, dict(self.headers))
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json" if text[:1] == "{" else "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = _serve  # noqa: N815 as http.server calls them

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@dataclass(frozen=True)
class Shell:
    """A shell that knows the sandbox's endpoints and has no credentials, in an empty home."""

    variables: dict[str, str]
    home: Path

    def whoami(self, **more: str) -> dict[str, Any]:
        """What `whoami --json` of a process of its own says: the SDK's caches belong to the process."""
        done = subprocess.run(
            [sys.executable, "-m", "sm_access", "whoami", "--json"],
            env=self.variables | more,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found | {"exit_code": done.returncode}

    def write(self, name: str, text: str) -> None:
        path = self.home / ".aws" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def shell(sandbox: Sandbox, tmp_path: Path) -> Shell:
    home = tmp_path / "home"
    home.mkdir()
    own = {name: value for name, value in sandbox.variables("notebook").items() if value is not None}
    gone = ("AWS_CONTAINER", "AWS_CONFIG_FILE", "AWS_SHARED", "SM_ACCESS")
    kept = {name: value for name, value in own.items() if not name.startswith(gone)}
    base = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return Shell(base | kept | {"HOME": str(home)}, home)


@pytest.fixture
def temporary(sandbox: Sandbox) -> Any:
    """Temporary credentials of the notebook's role, which STS of the sandbox issued."""
    return sandbox.session("notebook").get_credentials().get_frozen_credentials()


def in_an_hour() -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0) + timedelta(hours=1)


class TestWhereTheCredentialsComeFrom:
    """The STS that is asked is the sandbox's, so each of these is who it says it is."""

    def test_the_container_endpoint(self, shell: Shell, sandbox: Sandbox) -> None:
        """As in a notebook, and as in a training container: no IPython, a plain process."""
        own = {name: value for name, value in sandbox.variables("notebook").items() if value}
        found = shell.whoami(
            **{name: value for name, value in own.items() if name.startswith("AWS_CONTAINER")},
            TRAINING_JOB_NAME="churn-2026-11-24",
        )
        assert (found["arn"], found["source_kind"], found["exit_code"]) == (SESSION, "container", 0)
        assert found["expires_at"] > iso(datetime.now(timezone.utc))
        assert found["site"] == "training-job"

    def test_instance_metadata(self, shell: Shell, temporary: Any) -> None:
        """The endpoint is ours and real HTTP, session token and all (EC2 User Guide, IMDSv2); EC2's own is not here."""
        base, end = "/latest/meta-data/iam/security-credentials/", in_an_hour()
        credentials = {
            "Code": "Success",
            "AccessKeyId": temporary.access_key,
            "SecretAccessKey": temporary.secret_key,
            "Token": temporary.token,
            "Expiration": iso(end),
        }

        def imds(method: str, path: str, headers: Mapping[str, str]) -> tuple[int, str]:
            if (method, path) == ("PUT", "/latest/api/token"):
                return 200, "canary-imds-token"
            if {name.lower(): value for name, value in headers.items()}.get("x-aws-ec2-metadata-token") != (
                "canary-imds-token"
            ):
                return 401, ""
            return (200, json.dumps(credentials)) if path == f"{base}{ROLE}" else (200, ROLE)

        with serving(imds) as url:
            found = shell.whoami(AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT=url)
        assert (found["arn"], found["source_kind"]) == (SESSION, "instance-metadata")
        assert found["expires_at"] == iso(end)

    def test_environment_variables(self, shell: Shell, temporary: Any) -> None:
        found = shell.whoami(**variables_of(temporary))
        assert (found["arn"], found["source_kind"], found["expires_at"]) == (SESSION, "environment", None)
        assert not found["long_term_key"]
        assert found["long_term_keys"]["found"] == []

    def test_a_file(self, shell: Shell, temporary: Any) -> None:
        shell.write("credentials", f"[team]\n{section_of(temporary)}")
        found = shell.whoami(AWS_PROFILE="team")
        assert (found["arn"], found["source_kind"]) == (SESSION, "file")
        assert found["profile"]["name"] == "team"
        assert found["source"].endswith("(profile team)")

    def test_a_profile_that_assumes_a_role(self, shell: Shell, sandbox: Sandbox) -> None:
        """From a real user's long-term key: the session is the role's, and the key is found in the file."""
        iam = sandbox.root_session.client("iam")
        key = iam.create_access_key(UserName="admin-1")["AccessKey"]
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": "sts:AssumeRole",
        }
        iam.create_role(
            RoleName="assumed-by-profile",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
        try:
            shell.write(
                "credentials",
                f"[keys]\naws_access_key_id = {key['AccessKeyId']}\naws_secret_access_key = {key['SecretAccessKey']}\n",
            )
            shell.write(
                "config",
                "[profile work]\nrole_arn = arn:aws:iam::111122223333:role/assumed-by-profile\n"
                "source_profile = keys\nrole_session_name = ann\nregion = eu-west-1\n",
            )
            del shell.variables["AWS_DEFAULT_REGION"]
            found = shell.whoami(AWS_PROFILE="work")
        finally:
            iam.delete_access_key(UserName="admin-1", AccessKeyId=key["AccessKeyId"])
            iam.delete_role(RoleName="assumed-by-profile")
        assert found["arn"] == "arn:aws:sts::111122223333:assumed-role/assumed-by-profile/ann"
        assert (found["source_kind"], found["long_term_key"]) == ("assume-role", False)
        assert found["profile"]["source_profile"] == "keys"
        assert (
            "profile work, which assumes assumed-by-profile with the credentials of profile keys"
            in found["source"]
        )
        assert found["expires_at"] is not None
        assert (found["region"], found["region_from"]) == ("eu-west-1", "profile work")
        places = {(each["profile"], each["line"]) for each in found["long_term_keys"]["found"]}
        assert places == {("keys", 2), ("keys", 3)}
        assert found["tone"] == "error"
        assert key["AccessKeyId"][4:] not in json.dumps(found)

    def test_single_sign_on(self, shell: Shell, temporary: Any) -> None:
        """The portal that turns a sign-in into credentials is ours (IAM Identity Center Portal API Reference,
        GetRoleCredentials), and the sign-in a file such as `aws sso login` writes: the browser's half is not here."""
        end = in_an_hour()

        def portal(_: str, path: str, headers: Mapping[str, str]) -> tuple[int, str]:
            assert path.startswith("/federation/credentials?")
            assert {name.lower(): value for name, value in headers.items()}[
                "x-amz-sso_bearer_token"
            ] == "canary-sign-in"
            credentials = {
                "accessKeyId": temporary.access_key,
                "secretAccessKey": temporary.secret_key,
                "sessionToken": temporary.token,
                "expiration": int(end.timestamp() * 1000),
            }
            return 200, json.dumps({"roleCredentials": credentials})

        start = "https://acme.awsapps.com/start"
        shell.write(
            "config",
            f"[profile sso]\nsso_start_url = {start}\nsso_region = us-east-1\nsso_account_id = 111122223333\n"
            f"sso_role_name = {ROLE}\n",
        )
        cache = shell.home / ".aws" / "sso" / "cache"
        cache.mkdir(parents=True)
        token = {
            "startUrl": start,
            "region": "us-east-1",
            "accessToken": "canary-sign-in",
            "expiresAt": iso(end),
        }
        (cache / f"{hashlib.sha1(start.encode(), usedforsecurity=False).hexdigest()}.json").write_text(
            json.dumps(token)
        )
        with serving(portal) as url:
            found = shell.whoami(AWS_PROFILE="sso", AWS_ENDPOINT_URL_SSO=url)
        assert (found["arn"], found["source_kind"], found["expires_at"]) == (SESSION, "sso", iso(end))
        assert (found["profile"]["sso_account"], found["profile"]["sso_role"]) == ("111122223333", ROLE)
        assert "canary" not in json.dumps(found)

    def test_a_process(self, shell: Shell, temporary: Any) -> None:
        issued = shell.home / "issued.json"
        issued.write_text(
            json.dumps(
                {
                    "Version": 1,
                    "AccessKeyId": temporary.access_key,
                    "SecretAccessKey": temporary.secret_key,
                    "SessionToken": temporary.token,
                    "Expiration": iso(in_an_hour()),
                }
            )
        )
        shell.write("config", f"[default]\ncredential_process = cat {issued}\n")
        found = shell.whoami()
        assert (found["arn"], found["source_kind"]) == (SESSION, "process")
        assert "cat " not in json.dumps(found)


class TestWhereInSageMaker:
    @pytest.mark.parametrize(
        ("metadata", "variables", "site"),
        [
            ({}, {}, Site.ELSEWHERE),
            ({"ResourceName": "nb-churn"}, {}, Site.NOTEBOOK_INSTANCE),
            ({"ResourceName": "default", "DomainId": "d-1"}, {}, Site.STUDIO),
            ({}, {"SAGEMAKER_APP_TYPE": "JupyterLab"}, Site.STUDIO),
            ({}, {"TRAINING_JOB_ARN": "arn"}, Site.TRAINING_JOB),
            ({}, {"SAGEMAKER_BATCH": "true"}, Site.TRANSFORM_JOB),
            ({}, {"TRAINING_JOB_NAME": ""}, Site.ELSEWHERE),
        ],
    )
    def test_by_metadata_and_variables(
        self, tmp_path: Path, metadata: dict[str, str], variables: dict[str, str], site: Site
    ) -> None:
        path = tmp_path / "resource-metadata.json"
        path.write_text(json.dumps(metadata))
        found = read_site(path, variables | {"SECRET": "canary"}, tmp_path / "none")
        assert found.site is site
        assert found.metadata == metadata
        assert "canary" not in repr(found)

    def test_a_processing_job_by_its_own_description(self, tmp_path: Path) -> None:
        job = tmp_path / "processingjobconfig.json"
        job.write_text(
            json.dumps(
                {
                    "ProcessingJobArn": "arn:x",
                    "ProcessingJobName": "clean",
                    "RoleArn": "arn:aws:iam::1:role/r",
                }
            )
        )
        found = read_site(tmp_path / "none", {}, job)
        assert (found.site, found.told_by) == (Site.PROCESSING_JOB, "processingjobconfig.json")
        assert found.metadata["ExecutionRoleArn"] == "arn:aws:iam::1:role/r"
        assert found.metadata["ResourceName"] == "clean"


@pytest.fixture
def collect(sandbox: Sandbox, tmp_path: Path, clean_environment: Path) -> Callable[..., Identity]:
    """Collect as a principal of the sandbox, on a machine with this metadata."""

    def work(
        principal: str = "notebook", metadata: Mapping[str, str] | None = None, **given: Any
    ) -> Identity:
        path = tmp_path / "resource-metadata.json"
        path.write_text(json.dumps(metadata or {}))
        return collect_identity(Aws(sandbox.session(principal)), path, search=KeySearch, **given)

    return work


def roles_of(identity: Identity) -> dict[str, str | None]:
    return {role.by.value: role.arn.rsplit("/", 1)[-1] if role.arn else None for role in identity.roles}


class TestTheThreeRoles:
    def test_outside_sagemaker_the_sdk_asks_sts(self, collect: Callable[..., Identity]) -> None:
        found = collect()
        assert roles_of(found) == {"sts": ROLE, "sdk": ROLE}
        assert found.other_roles == ()

    def test_metadata_that_names_another(self, collect: Callable[..., Identity]) -> None:
        for thorough in (True, False):
            found = collect(
                metadata={"ExecutionRoleArn": "arn:aws:iam::111122223333:role/other"}, thorough=thorough
            )
            assert roles_of(found) == {"sts": ROLE, "metadata": "other", "sdk": "other"}
            assert [role.by for role in found.other_roles] == [Authority.METADATA, Authority.SDK]

    def test_of_a_notebook_instance_the_sdk_asks_sagemaker(self, collect: Callable[..., Identity]) -> None:
        found = collect(metadata={"ResourceName": "nb-legacy"})
        assert roles_of(found)["sdk"] == "legacy-notebook-role"
        (sdk,) = found.other_roles
        assert sdk.told_by == "SageMaker DescribeNotebookInstance"
        assert "sdk" not in roles_of(collect(metadata={"ResourceName": "nb-legacy"}, thorough=False))

    def test_what_sagemaker_refuses_the_sdk_asks_sts(self, collect: Callable[..., Identity]) -> None:
        for metadata, call in (
            ({"ResourceName": "nb-gone"}, "DescribeNotebookInstance"),
            (
                {"ResourceName": "default", "DomainId": "d-gone", "UserProfileName": "ann"},
                "DescribeUserProfile",
            ),
        ):
            found = collect(metadata=metadata)
            (sdk,) = [role for role in found.roles if role.by is Authority.SDK]
            assert sdk.told_by == f"STS, since SageMaker refused {call}"
            assert roles_of(found)["sdk"] == ROLE

    @pytest.mark.parametrize(("of_profile", "answer"), [("of-profile", "of-profile"), (None, "of-domain")])
    def test_in_studio_the_sdk_asks_for_the_profile_then_the_domain(
        self, sandbox: Sandbox, of_profile: str | None, answer: str
    ) -> None:
        """The answers are stubs of botocore's, in the shapes of its model."""
        from botocore.stub import Stubber

        arn = "arn:aws:iam::111122223333:role/"
        facts = SiteFacts(
            Site.STUDIO, {"DomainId": "d-1", "ResourceName": "default", "UserProfileName": "ann"}, "x", {}
        )
        aws = Aws(sandbox.session("notebook"))
        with Stubber(aws.client("sagemaker")) as stub:
            settings = {"ExecutionRole": arn + of_profile} if of_profile else {}
            stub.add_response("describe_user_profile", {"UserSettings": settings})
            stub.add_response(
                "describe_domain", {"DefaultUserSettings": {"ExecutionRole": f"{arn}of-domain"}}
            )
            of_sts = RoleStatement(Authority.STS, arn + ROLE, "STS GetCallerIdentity")
            assert collect_sdk_role(aws, facts, of_sts).arn == arn + answer

    def test_of_a_user_the_sdk_makes_an_error(self, collect: Callable[..., Identity]) -> None:
        found = collect("engineer-1")
        (sdk,) = [role for role in found.roles if role.by is Authority.SDK]
        assert (sdk.arn, sdk.unread) == (None, None)
        assert "not a role" in sdk.told_by
        assert found.source_identity.certainty is Certainty.NONE

    def test_roles_of_jobs_in_the_sdks_defaults(
        self, collect: Callable[..., Identity], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        defaults = tmp_path / "config.yaml"
        defaults.write_text(
            "SchemaVersion: '1.0'\nSageMaker:\n  TrainingJob:\n    RoleArn: 'arn:aws:iam::111122223333:role/train'\n"
            "  Model:\n    ExecutionRoleArn: arn:aws:iam::111122223333:role/serve\n"
        )
        monkeypatch.setenv("SAGEMAKER_USER_CONFIG_OVERRIDE", str(tmp_path))
        monkeypatch.setenv("SAGEMAKER_ADMIN_CONFIG_OVERRIDE", "s3://bucket/config.yaml")
        found = collect()
        assert [role.arn.rsplit("/", 1)[-1] for role in found.job_roles if role.arn] == ["train", "serve"]
        assert {role.told_by for role in found.job_roles} == {str(defaults)}

    def test_a_role_deleted_and_made_again_is_noticed(
        self, sandbox: Sandbox, enter: Callable[[str], None], tmp_path: Path
    ) -> None:
        enter("notebook")  # its endpoints; the credentials are those that STS issues below
        iam = sandbox.root_session.client("iam")
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": "sts:AssumeRole",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        read = json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "iam:GetRole", "Resource": "*"}],
            }
        )

        def make() -> str:
            made = iam.create_role(RoleName="short-lived", AssumeRolePolicyDocument=document)
            iam.put_role_policy(RoleName="short-lived", PolicyName="read", PolicyDocument=read)
            return str(made["Role"]["Arn"])

        def delete() -> None:
            iam.delete_role_policy(RoleName="short-lived", PolicyName="read")
            iam.delete_role(RoleName="short-lived")

        arn = make()
        try:
            issued = (
                sandbox.session("admin")
                .client("sts")
                .assume_role(RoleArn=arn, RoleSessionName="ann")["Credentials"]
            )
            keys = issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"]
            aws = Aws(boto3.session.Session(*keys, region_name="us-east-1"))
            assert not collect_identity(aws, tmp_path / "none", search=KeySearch).made_anew
            delete()
            make()
            found = collect_identity(aws, tmp_path / "none", search=KeySearch)
            assert found.made_anew
            assert found.role_id is not None
        finally:
            delete()


class TestTheDomain:
    """Settings of a Studio domain. DescribeDomain's answers are stubs of botocore's, in the shapes of its model: the
    embedded SageMaker does not keep these settings."""

    @pytest.mark.parametrize(
        ("settings", "profile", "certainty", "value", "propagation"),
        [
            ({}, "ann", Certainty.NONE, None, Propagation.OFF),
            ({"ExecutionRoleIdentityConfig": "DISABLED"}, "ann", Certainty.NONE, None, Propagation.OFF),
            (
                {
                    "ExecutionRoleIdentityConfig": "USER_PROFILE_NAME",
                    "TrustedIdentityPropagationSettings": {"Status": "ENABLED"},
                },
                "ann",
                Certainty.CLAIMED,
                "ann",
                Propagation.ON,
            ),
            (
                {"ExecutionRoleIdentityConfig": "USER_PROFILE_NAME"},
                None,
                Certainty.NONE,
                None,
                Propagation.OFF,
            ),
        ],
    )
    def test_says_what_sagemaker_does(
        self,
        sandbox: Sandbox,
        tmp_path: Path,
        settings: dict[str, Any],
        profile: str | None,
        certainty: Certainty,
        value: str | None,
        propagation: Propagation,
    ) -> None:
        from botocore.stub import Stubber

        path = tmp_path / "resource-metadata.json"
        metadata = {
            "DomainId": "d-1",
            "ResourceName": "default",
            "ExecutionRoleArn": f"arn:aws:iam::111122223333:role/{ROLE}",
        }
        path.write_text(json.dumps(metadata | ({"UserProfileName": profile} if profile else {})))
        aws = Aws(sandbox.session("notebook"))
        with Stubber(aws.client("sagemaker")) as stub:
            stub.add_response(
                "describe_domain", {"DomainId": "d-1", "DomainSettings": settings}, {"DomainId": "d-1"}
            )
            found = collect_identity(aws, path, search=KeySearch)
        assert (found.source_identity.certainty, found.source_identity.value) == (certainty, value)
        assert found.propagation is propagation

    def test_that_may_not_be_read_is_named_with_the_permission(
        self, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        from botocore.stub import Stubber

        path = tmp_path / "resource-metadata.json"
        path.write_text(json.dumps({"DomainId": "d-1", "ResourceName": "default", "UserProfileName": "ann"}))
        aws = Aws(sandbox.session("notebook"))
        with Stubber(aws.client("sagemaker")) as stub:
            for _ in range(2):  # in whichever order they come, each is denied
                stub.add_client_error("describe_domain", "AccessDeniedException", http_status_code=400)
            found = collect_identity(aws, path, search=KeySearch, thorough=True)
        assert found.propagation is Propagation.UNKNOWN
        assert found.source_identity.certainty is Certainty.UNKNOWABLE
        for unread in (found.propagation_unread, found.source_identity.unread):
            assert unread is not None
            assert unread.permission == "sagemaker:DescribeDomain"

    def test_is_not_asked_for_one_line(self, collect: Callable[..., Identity]) -> None:
        found = collect(metadata={"DomainId": "d-1", "ResourceName": "default"}, thorough=False)
        assert found.propagation is Propagation.UNKNOWN
        assert found.propagation_unread is None


class TestBadDays:
    """What is known here is told, the reason is named, and it is over in time."""

    @pytest.fixture
    def silent(self) -> Iterator[str]:
        """Takes connections and never answers."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"

    def partial(self, found: dict[str, Any], error: str) -> None:
        assert found["exit_code"] == 3
        assert found["error"] == error
        assert found["message"]
        assert found["remedy"]
        assert found["arn"] is None
        assert found["region"] == "us-east-1"

    def test_sts_hangs(self, shell: Shell, temporary: Any, silent: str) -> None:
        began = time.monotonic()
        found = shell.whoami(
            **variables_of(temporary), AWS_ENDPOINT_URL_STS=silent, SM_ACCESS_TIMEOUT_SECONDS="1"
        )
        assert time.monotonic() - began < 20  # a second, and the start of a process
        self.partial(found, "AwsUnreachable")
        assert found["source_kind"] == "environment"

    def test_nobody_listens(self, shell: Shell, temporary: Any) -> None:
        found = shell.whoami(**variables_of(temporary), AWS_ENDPOINT_URL_STS="http://127.0.0.1:9")
        self.partial(found, "AwsUnreachable")

    def test_sts_is_down(self, shell: Shell, temporary: Any) -> None:
        with serving(lambda *_: (503, "<html>sorry</html>")) as url:
            found = shell.whoami(**variables_of(temporary), AWS_ENDPOINT_URL_STS=url)
        assert found["exit_code"] == 3
        assert found["source_kind"] == "environment"

    def test_the_credentials_endpoint_hangs(self, shell: Shell, silent: str) -> None:
        found = shell.whoami(
            AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{silent}/x", SM_ACCESS_TIMEOUT_SECONDS="0.5"
        )
        self.partial(found, "AwsUnreachable")
        assert found["source_kind"] == "unknown"

    @pytest.mark.parametrize("body", ["{}", "[]", "not JSON", '{"AccessKeyId": "x"}'])
    def test_the_credentials_endpoint_answers_nonsense(self, shell: Shell, body: str) -> None:
        with serving(lambda *_: (200, body)) as url:
            found = shell.whoami(AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{url}/x", SM_ACCESS_TIMEOUT_SECONDS="5")
        assert found["exit_code"] == 3
        assert found["error"] == "NoCredentials"

    def test_the_credentials_endpoint_gives_what_has_ended(self, shell: Shell, temporary: Any) -> None:
        ended = {
            "AccessKeyId": temporary.access_key,
            "SecretAccessKey": "canary-secret",
            "Token": "canary-token",
            "Expiration": "2020-01-01T00:00:00Z",
        }
        with serving(lambda *_: (200, json.dumps(ended))) as url:
            found = shell.whoami(AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{url}/x")
        self.partial(found, "ExpiredCredentials")
        assert (found["source_kind"], found["expires_at"]) == ("container", "2020-01-01T00:00:00Z")
        assert "canary" not in json.dumps(found)

    def test_a_profile_that_may_not_assume_its_role(self, shell: Shell, temporary: Any) -> None:
        shell.write("credentials", f"[keys]\n{section_of(temporary)}")
        shell.write(
            "config",
            "[profile w]\nrole_arn = arn:aws:iam::111122223333:role/acme-admins\nsource_profile = keys\n",
        )
        found = shell.whoami(AWS_PROFILE="w")
        self.partial(found, "AccessDenied")
        assert (found["source_kind"], found["profile"]["source_profile"]) == ("assume-role", "keys")

    @pytest.mark.parametrize(
        ("config", "words"),
        [
            ("[profile w]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = gone\n", "source_profile"),
            (
                (
                    "[profile w]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = v\n"
                    "[profile v]\nrole_arn = arn:aws:iam::1:role/y\nsource_profile = w\n"
                ),
                "source_profile",
            ),
            ("[profile w\nx", "cannot be read"),
            ("[profile w]\nsso_account_id = 1\nsso_role_name = x\nsso_session = gone\n", "sso_session"),
        ],
    )
    def test_a_configuration_that_cannot_be_used(self, shell: Shell, config: str, words: str) -> None:
        shell.write("config", config)
        found = shell.whoami(AWS_PROFILE="w")
        assert (found["exit_code"], found["error"]) == (2, "InvalidSetting")
        assert words in found["message"] + found["remedy"]

    def test_iam_and_sagemaker_do_not_answer(
        self, shell: Shell, temporary: Any, silent: str, tmp_path: Path
    ) -> None:
        (tmp_path / "m.json").write_text(json.dumps({"ResourceName": "nb-churn"}))
        began = time.monotonic()
        found = shell.whoami(
            **variables_of(temporary),
            AWS_ENDPOINT_URL_IAM=silent,
            AWS_ENDPOINT_URL=silent,
            SM_ACCESS_RESOURCE_METADATA=str(tmp_path / "m.json"),
            SM_ACCESS_TIMEOUT_SECONDS="2",
        )
        assert time.monotonic() - began < 20
        assert (found["exit_code"], found["arn"]) == (0, SESSION)
        assert found["role_made_anew"] is None
        (sdk,) = [role for role in found["roles"] if role["by"] == "sdk"]
        assert (sdk["arn"], sdk["told_by"]) == (None, "SageMaker")


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_another_partition(tmp_path: Path, partition: str, clean_environment: Path) -> None:
    """The answer of another partition's STS is a stub of botocore's: the sandbox is of `aws`."""
    from botocore.stub import Stubber

    arn = f"arn:{partition}:sts::111122223333:assumed-role/notebooks/SageMaker"
    aws = Aws(boto3.session.Session("ASIAX", "canary-secret", "canary-token", "cn-north-1"))
    with Stubber(aws.client("sts")) as stub:
        stub.add_response(
            "get_caller_identity", {"Arn": arn, "Account": "111122223333", "UserId": "AROAX:SageMaker"}
        )
        found = collect_identity(aws, tmp_path / "none", thorough=False, search=KeySearch)
    assert found.caller is not None
    assert found.caller.arn == arn
    assert roles_of(found) == {"sts": "notebooks", "sdk": "notebooks"}
    assert all(role.arn is not None and role.arn.startswith(f"arn:{partition}:") for role in found.roles)


def test_what_nobody_can_mend_is_raised(clean_environment: Path, tmp_path: Path) -> None:
    with pytest.raises(errors.NoCredentials, match="No AWS credentials were found"):
        collect_identity(Aws(), tmp_path / "none")


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def variables_of(credentials: Any) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        "AWS_SESSION_TOKEN": credentials.token,
    }


def section_of(credentials: Any) -> str:
    return (
        f"aws_access_key_id = {credentials.access_key}\naws_secret_access_key = {credentials.secret_key}\n"
        f"aws_session_token = {credentials.token}\n"
    )
