"""What is offered while a line is typed: places as the role may see them, in time, and nothing that could run."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from sm_access.bootstrap import Services
from sm_access.commands import completion
from sm_access.commands.completion import completions
from sm_access.commands.grammar import loop
from sm_access.config import Settings
from sm_access.sandbox.world import Sandbox

Of = Callable[[str], Services]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine under load is no reason to fail."""
    monkeypatch.setattr(completion, "PATIENCE", 30)


@pytest.fixture
def offered(services_of: Of) -> Callable[[str], list[str]]:
    """`offered("can read s3://")` as the notebook's role."""
    notebook = services_of("notebook")
    return lambda line: completions(loop, line, notebook)[0]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("perm", ["permissions"]),
        ("can ", ["list", "read", "write", "delete"]),
        ("can R", ["read"]),
        ("can s", ["s3:"]),
        ("can kms:decr", ["kms:Decrypt"]),
        ("can nonsense", []),
        ("can ec2:", []),
        ("permissions --can wr", ["write"]),
        ("permissions --service sagemaker-g", ["sagemaker-geospatial"]),
        ("require --unknown ", ["raise", "warn", "allow"]),
        ("request s3://b/ read --wh", ["--why"]),
        ("no-such-command x", []),
        ("can read https://", []),
    ],
)
def test_words(line: str, expected: list[str]) -> None:
    assert completions(loop, line)[0] == expected


def test_buckets_are_those_of_the_account_and_of_the_policies(offered: Callable[[str], list[str]]) -> None:
    every = offered("can read ")
    assert {"s3://acme-lake/", "s3://acme-models/", "s3://partner-exchange/"} <= set(every)
    assert offered("can read s") == offered("can read s3://") == every
    assert offered("can read s3://acme-m") == ["s3://acme-models/"]
    assert offered("permissions s3://acme-models/ s3://acme-v") == ["s3://acme-vault/"]
    assert offered("require --write=s3://acme-m") == ["s3://acme-models/"]


def test_what_is_beneath_is_what_the_role_may_list_or_its_policies_name(
    offered: Callable[[str], list[str]],
) -> None:
    beneath = offered("can read s3://acme-models/")  # other tests write there, too
    assert set(beneath) >= {"s3://acme-models/churn/", "s3://acme-models/vision/"}
    assert all(place.startswith("s3://acme-models/") for place in beneath)
    assert offered("can read s3://acme-models/churn/2026-10/me") == [
        "s3://acme-models/churn/2026-10/metrics.csv"
    ]
    # The bucket may not be listed as a whole; the policy that allows a part of it names that.
    assert offered("can read s3://acme-lake/") == ["s3://acme-lake/public/"]
    assert offered("can read s3://acme-lake/raw") == []
    assert offered("can read s3://acme-nothing/") == []


def test_a_role_that_may_read_nothing_of_iam_is_offered_what_it_may_list(services_of: Of) -> None:
    engineer = services_of("engineer-1")
    assert "s3://acme-models/" in completions(loop, "can read s3://", engineer)[0]


HOSTILE = (
    "$(touch x)/a", "`id`/a", "a b/c", "a;b/c", "a&b/c", "a'b/c", 'a"b/c', "a|b/c", "a>b/c", "a*b/c", "a\\b/c",
    "~root/c", "a\nb/c", "../up", "é/c",
)  # fmt: skip


def test_nothing_is_offered_that_a_shell_would_run_or_read_otherwise(
    sandbox: Sandbox, services_of: Of
) -> None:
    s3 = sandbox.root_session.client("s3")
    keys = [f"typed/{key}" for key in (*HOSTILE, "plain/x.csv", "a+b=c@d%2F/x")]
    for key in keys:
        s3.put_object(Bucket="acme-models", Key=key, Body=b"")
    try:
        found = completions(loop, "can read s3://acme-models/typed/", services_of("notebook"))[0]
        assert found == ["s3://acme-models/typed/a+b=c@d%2F/", "s3://acme-models/typed/plain/"]
    finally:
        for key in keys:
            s3.delete_object(Bucket="acme-models", Key=key)


def test_a_folder_of_thousands_is_looked_at_where_one_types(
    sandbox: Sandbox, services_of: Of, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completion, "MOST", 1)
    found = completions(loop, "can read s3://acme-models/vi", services_of("notebook"))[0]
    assert found == ["s3://acme-models/vision/"]


def test_what_was_looked_up_is_not_looked_up_again(services_of: Of, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = services_of("notebook")
    first = completions(loop, "can read s3://acme-models/", notebook)[0]
    monkeypatch.setattr(notebook.aws, "client", None)  # a second look would fail
    assert completions(loop, "can read s3://acme-models/", notebook)[0] == first


@pytest.fixture
def silent() -> Iterator[str]:
    """An endpoint that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_an_endpoint_that_hangs_costs_a_moment_and_nothing_is_said(
    silent: str,
    clean_environment: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", silent)
    monkeypatch.setattr(completion, "PATIENCE", 0.3)
    session = boto3.session.Session("ASIAX", "x", "x", region_name="us-east-1")
    hanging = Services(Settings.load({"SM_ACCESS_TIMEOUT_SECONDS": "1"}), session=session)
    began = time.monotonic()
    assert completions(loop, "can read s3://", hanging)[0] == []
    assert completions(loop, "can read s3://bucket/", hanging)[0] == []
    assert time.monotonic() - began < 5
    assert capsys.readouterr() == ("", "")


def test_without_credentials_or_with_broken_settings_nothing_is_offered(
    clean_environment: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert completions(loop, "can read s3://")[0] == []
    monkeypatch.setenv("SM_ACCESS_CONFIG", "/no/such/file")
    assert completions(loop, "can read s3://")[0] == []
    assert capsys.readouterr() == ("", "")
