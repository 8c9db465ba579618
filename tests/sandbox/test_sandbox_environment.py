"""What the exported variables do to a process: who it is, and where its calls go."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import boto3
import pytest

from sm_access.errors import InvalidInput
from sm_access.sandbox import Sandbox, company
from sm_access.sandbox.environment import merged, shell_exports, variables

WHO = """
import json, boto3
session = boto3.Session()
held = session.get_credentials()
print(json.dumps({
    "arn": session.client("sts").get_caller_identity()["Arn"],
    "method": held.method, "key": held.access_key[:4],
    "region": session.region_name,
    "endpoints": {s: session.client(s).meta.endpoint_url for s in ("s3", "kms", "sagemaker", "ec2")},
}))
"""

LEFT_OVER = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "left-over",
    "AWS_SESSION_TOKEN": "left-over",
    "AWS_PROFILE": "not-in-any-file",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/left-over",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nowhere",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_ENDPOINT_URL_SAGEMAKER": "https://sagemaker.example.com",
    "AWS_ROLE_ARN": "arn:aws:iam::999999999999:role/left-over",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "NO_PROXY": "example.com",
    "SM_ACCESS_RESOURCE_METADATA": "/left-over",
}


def run(environment: dict[str, str], program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", company.PRINCIPALS)
def test_the_default_credential_chain_is_that_principal(sandbox: Sandbox, name: str) -> None:
    answer = json.loads(run(sandbox.environment(name), WHO))
    assert answer["arn"] == company.PRINCIPALS[name].arn
    assert answer["method"] == "container-role"
    assert answer["key"] == "ASIA"
    assert answer["region"] == company.REGION


def test_nothing_left_over_leads_out_of_the_sandbox(sandbox: Sandbox) -> None:
    current = {**os.environ, **LEFT_OVER}
    changes = variables(sandbox.state, "notebook", current)
    answer = json.loads(run(merged(changes, current), WHO))
    assert answer["arn"] == company.PRINCIPALS["notebook"].arn
    enforcer, shapes = sandbox.state.enforcer_url, sandbox.state.shapes_url
    assert answer["endpoints"] == {"s3": enforcer, "kms": enforcer, "sagemaker": shapes, "ec2": shapes}


def test_a_shell_can_take_them_in(sandbox: Sandbox) -> None:
    current = {**os.environ, **LEFT_OVER}
    exports = shell_exports(variables(sandbox.state, "approver", current))
    script = f'{exports}\nexec "$0" -c "$1"'
    done = subprocess.run(
        ["/bin/sh", "-c", script, sys.executable, WHO],
        env=current,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["arn"] == company.PRINCIPALS["approver"].arn


def test_a_value_with_shell_signs_stays_one_word() -> None:
    exports = shell_exports({"A": "it's $(touch /nowhere) `x`", "B": None})
    done = subprocess.run(
        ["/bin/sh", "-c", f'{exports}\nprintf %s "$A$B"'],
        env={"B": "left"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "it's $(touch /nowhere) `x`"


def test_a_proxy_of_the_person_is_kept_and_gone_round(sandbox: Sandbox) -> None:
    changes = variables(sandbox.state, "notebook", {"NO_PROXY": "example.com"})
    assert changes["NO_PROXY"] == "example.com,127.0.0.1,localhost"


def test_only_the_notebook_gets_a_notebooks_metadata(sandbox: Sandbox) -> None:
    path = sandbox.environment("notebook")["SM_ACCESS_RESOURCE_METADATA"]
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a path as people get it
        assert json.load(file)["ResourceName"] == company.OWN_NOTEBOOK
    assert sandbox.variables("approver")["SM_ACCESS_RESOURCE_METADATA"] is None


def test_an_unknown_principal_is_answered_with_those_that_exist(sandbox: Sandbox) -> None:
    with pytest.raises(InvalidInput, match=r"no principal 'nobody'.*notebook, approver, admin, legacy"):
        sandbox.environment("nobody")
    with pytest.raises(InvalidInput, match="nobody"):
        sandbox.session("nobody")


def test_s3fs_reads_what_is_allowed_and_is_denied_the_rest(sandbox: Sandbox) -> None:
    program = """
import s3fs
files = s3fs.S3FileSystem()
print(files.ls("acme-models/vision"))
print(files.open("s3://acme-lake/public/countries.csv").read().decode().splitlines()[0])
try:
    files.open("s3://acme-lake/raw/customers.csv").read()
except PermissionError:
    print("denied")
"""
    lines = run(sandbox.environment("notebook"), program).splitlines()
    assert lines == ["['acme-models/vision/labels.json']", "code,name", "denied"]


def test_the_fixture_puts_this_process_into_the_sandbox(
    sandbox: Sandbox, sandbox_environment: Callable[[str], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "not-in-any-file")
    sandbox_environment("analyst-1")
    assert boto3.Session().client("sts").get_caller_identity()["Arn"] == company.PRINCIPALS["analyst-1"].arn


def test_a_bound_session_stays_in_whatever_the_environment_says(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(key, LEFT_OVER[key])
    session = sandbox.session("legacy")
    assert session.client("sts").get_caller_identity()["Arn"] == company.PRINCIPALS["legacy"].arn
    keys = [
        one.key for one in session.resource("s3").Bucket("acme-lake").objects.filter(Prefix="raw-secret/")
    ]
    assert keys == ["raw-secret/salaries.csv"]
