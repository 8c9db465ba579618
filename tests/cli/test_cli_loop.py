"""The whole loop as people run it: one process for each command, each with the environment of its principal.

What is answered is compared with what the sandbox really does.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sm_access.sandbox.world import Sandbox

CLI = (sys.executable, "-m", "sm_access")
Shell = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def shell(sandbox: Sandbox, tmp_path: Path) -> Shell:
    """`shell("notebook", "can", ...)`: a process of its own; the ledger is the test's."""

    def run(principal: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = sandbox.environment(principal) | {
            "SM_ACCESS_LEDGER": f"sqlite://{tmp_path / 'ledger.sqlite'}",
            "PYTHONPATH": str(Path.cwd()),
            "PYTHONWARNINGS": "error::ResourceWarning",
            "PYTHONIOENCODING": "utf-8",
            **more,
        }
        done = subprocess.run(
            [*CLI, *arguments],
            check=False,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=90,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return run


def real_read(sandbox: Sandbox, principal: str, bucket: str, key: str) -> bool:
    s3 = sandbox.session(principal).client("s3")
    return _works(lambda: s3.get_object(Bucket=bucket, Key=key))


def real_list(sandbox: Sandbox, principal: str, bucket: str, prefix: str) -> bool:
    return _works(
        lambda: (
            sandbox.session(principal).client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
        )
    )


def test_the_loop(shell: Shell, sandbox: Sandbox) -> None:
    key = "raw/customers.csv"
    assert shell("notebook", "can", "read", "s3://acme-lake/raw/").returncode == 1
    assert not real_read(sandbox, "notebook", "acme-lake", key)

    rehearsed = shell(
        "notebook", "request", "s3://acme-lake/raw/", "read", "--why", "churn", "--dry-run", "--json"
    )
    assert json.loads(rehearsed.stdout)["dry_run"] is True
    assert json.loads(shell("notebook", "requests", "--json").stdout)["requests"] == []

    asked = shell(
        "notebook", "request", "s3://acme-lake/raw/", "read", "--for", "1h", "--why", "churn", "--json"
    )
    assert asked.returncode == 0
    id = json.loads(asked.stdout)["id"]
    assert shell("notebook", "approve", id).returncode == 1

    (waiting,) = json.loads(shell("approver", "inbox", "--json").stdout)["inbox"]
    assert waiting["id"] == id
    assert waiting["claimed_person"] is None
    assert waiting["notebooks"] == ["nb-churn", "nb-forecast", "nb-vision"]

    done = shell("approver", "approve", id, "--terms", waiting["terms_sha256"], "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["status"] == "applied"
    assert real_read(sandbox, "notebook", "acme-lake", key)
    assert not real_read(sandbox, "notebook", "acme-lake", "raw-secret/salaries.csv")
    assert shell("notebook", "can", "read", "s3://acme-lake/raw/").returncode == 0
    assert shell("notebook", "can", "read", "s3://acme-lake/raw-secret/").returncode == 1

    proven = shell("notebook", "prove", id)
    assert proven.returncode == 0
    assert "it works, and no wider" in proven.stdout
    (mine,) = json.loads(shell("notebook", "requests", "--json").stdout)["requests"]
    assert mine["status"] == "proven"

    released = shell(
        "notebook", "release", id
    )  # the role may give it back, and may not write IAM to take it off
    assert released.returncode == 0
    assert "Released: " in released.stdout
    assert "It leaves the role at the next reconcile" in " ".join(released.stdout.split())
    assert "sm-access reconcile" in released.stdout
    assert "denied" not in released.stdout.lower()
    assert shell("approver", "reconcile").returncode == 0
    assert not real_read(sandbox, "notebook", "acme-lake", key)
    assert shell("notebook", "can", "read", "s3://acme-lake/raw/").returncode == 1


def test_withdraw_and_reject(shell: Shell) -> None:
    def ask() -> str:
        asked = shell("notebook", "request", "s3://acme-lake/raw/", "list", "--why", "x", "--json")
        return str(json.loads(asked.stdout)["id"])

    first, second = ask(), ask()
    assert shell("notebook", "withdraw", first).returncode == 0
    assert shell("approver", "reject", second, "--why", "use curated/").returncode == 0
    found = json.loads(shell("notebook", "requests", "--json").stdout)["requests"]
    assert {each["id"]: each["status"] for each in found} == {first: "withdrawn", second: "rejected"}
    assert shell("approver", "approve", first).returncode == 1
    assert shell("approver", "approve", second).returncode == 1


SEEDED = [
    ("read", "s3://acme-lake/public/", 0, "allow"),
    ("read", "s3://acme-lake/public/countries.csv", 0, "allow"),
    ("read", "s3://acme-lake/raw/", 1, "implicit"),
    ("read", "s3://acme-lake/raw-secret/", 1, "implicit"),
    ("read", "s3://acme-lake/", 1, "implicit"),
    ("read", "s3://acme-models/", 0, "allow"),
    ("write", "s3://acme-models/", 0, "allow"),
    ("delete", "s3://acme-models/", 1, "implicit"),
    ("list", "s3://acme-vault/", 0, "allow"),
    ("read", "s3://acme-vault/", 1, "implicit"),
    ("read", "s3://acme-hr/", 1, "explicit"),
    ("write", "s3://acme-hr/", 1, "explicit"),
    ("read", "s3://partner-exchange/outbox/", 3, "undetermined"),
]
FIRST_KEYS = {
    "s3://acme-lake/public/": "public/countries.csv",
    "s3://acme-lake/public/countries.csv": "public/countries.csv",
    "s3://acme-lake/raw/": "raw/customers.csv",
    "s3://acme-lake/raw-secret/": "raw-secret/salaries.csv",
    "s3://acme-lake/": "raw/customers.csv",
    "s3://acme-models/": "vision/labels.json",
    "s3://acme-vault/": "contracts/2026.csv",
    "s3://acme-hr/": "people.csv",
    "s3://partner-exchange/outbox/": "outbox/prices.csv",
}


@pytest.mark.parametrize(("level", "where", "code", "decision"), SEEDED, ids=str)
def test_can_says_what_the_sandbox_does(
    sandbox: Sandbox, services_of: Callable[[str], Any], level: str, where: str, code: int, decision: str
) -> None:
    from sm_access.commands import inspecting

    found = inspecting.can(level, where, services=services_of("notebook"))
    assert found.exit_code == code
    assert decision in found.to_dict()["decision"]
    bucket, _, path = where.removeprefix("s3://").partition("/")
    s3 = sandbox.session("notebook").client("s3")
    if level == "read":
        real = real_read(sandbox, "notebook", bucket, FIRST_KEYS[where])
    elif level == "list":
        real = real_list(sandbox, "notebook", bucket, path)
    elif level == "write":
        real = _works(lambda: s3.put_object(Bucket=bucket, Key=f"{path}f-test.txt", Body=b"x"))
    else:
        real = _works(lambda: s3.delete_object(Bucket=bucket, Key=f"{path}f-test.txt"))
    if real and level == "write":
        sandbox.root_session.client("s3").delete_object(Bucket=bucket, Key=f"{path}f-test.txt")
    if where != "s3://acme-lake/":  # a whole bucket is more than one key of it
        assert real is (code == 0)


def _works(call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


def test_the_vault_is_no_because_of_the_key(services_of: Callable[[str], Any]) -> None:
    from sm_access.commands import inspecting

    found = inspecting.can("read", "s3://acme-vault/", services=services_of("notebook"))
    assert "because of the key" in found.to_text()
    assert "kms:Decrypt" in found.to_text()
    hr = inspecting.can("read", "s3://acme-hr/", services=services_of("notebook")).to_text()
    assert "NotForTheTeam" in hr
    assert "bucket policy of acme-hr" in hr


@pytest.mark.parametrize("who", ["notebook", "approver", "legacy"])
def test_each_cell_of_the_table_is_what_a_call_comes_to(
    sandbox: Sandbox, services_of: Callable[[str], Any], who: str
) -> None:
    """Listing and reading can be tried without changing anything; each row with an object is tried."""
    from sm_access.commands import inspecting

    places = [*FIRST_KEYS, "s3://acme-lake/curated/"]
    places.remove("s3://acme-lake/")
    table = inspecting.permissions(*places, services=services_of(who)).to_dict()["rows"]
    assert [row["target"].rstrip("/") for row in table] == [place.rstrip("/") for place in places]
    compared = 0
    for place, row in zip(places, table, strict=True):
        bucket, _, path = place.removeprefix("s3://").partition("/")
        key = FIRST_KEYS.get(place, "curated/churn.csv")
        listing = path if path.endswith("/") or not path else f"{path}/"
        for cell, real in (
            (row["list"], real_list(sandbox, who, bucket, listing)),
            (row["read"], real_read(sandbox, who, bucket, key)),
        ):
            if cell["decision"] == "undetermined":
                continue
            compared += 1
            assert (cell["decision"] == "allow") is real, (who, place, cell)
    assert compared >= 12


def test_the_table_without_places_names_buckets_and_prefixes(services_of: Callable[[str], Any]) -> None:
    from sm_access.commands import inspecting

    rows = inspecting.permissions(services=services_of("notebook")).to_dict()["rows"]
    targets = [row["target"] for row in rows]
    assert "s3://acme-lake/public/" in targets
    assert {"s3://acme-hr", "s3://acme-models", "s3://acme-vault", "s3://partner-exchange"} <= set(targets)


def test_a_long_term_key_is_red_and_never_printed(shell: Shell, sandbox: Sandbox, tmp_path: Path) -> None:
    iam = sandbox.root_session.client("iam")
    made = iam.create_access_key(UserName="engineer-3")["AccessKey"]
    assert made["AccessKeyId"].startswith("AKIA")
    try:
        own = {
            "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
        }
        for arguments in (
            ("whoami",),
            ("whoami", "--json"),
            ("--explain", "can", "read", "s3://acme-models/"),
        ):
            done = shell("notebook", *arguments, **own)
            assert made["SecretAccessKey"] not in done.stdout + done.stderr
            assert made["AccessKeyId"] not in done.stdout + done.stderr
        card = shell("notebook", "whoami", **own)
        assert card.stdout.startswith("✕ engineer-3")
        assert "A long-term access key is in use" in " ".join(card.stdout.split())
        view = json.loads(shell("notebook", "whoami", "--json", **own).stdout)
        assert view["long_term_key"] is True
        assert view["tone"] == "error"
    finally:
        iam.delete_access_key(UserName="engineer-3", AccessKeyId=made["AccessKeyId"])


def test_nothing_a_verb_says_holds_a_secret(shell: Shell, sandbox: Sandbox) -> None:
    """The key, secret and token of the role itself, searched in what every verb prints, errors and logs included."""
    ours = sandbox.session("notebook").get_credentials().get_frozen_credentials()
    environment = {
        "AWS_ACCESS_KEY_ID": ours.access_key,
        "AWS_SECRET_ACCESS_KEY": ours.secret_key,
        "AWS_SESSION_TOKEN": ours.token,
        "PYTHONLOGLEVEL": "DEBUG",
    }
    printed = ""
    for arguments in (
        ("whoami", "--json"),
        ("--explain", "can", "read", "s3://acme-vault/"),
        ("permissions", "s3://acme-models/", "--json"),
        ("request", "s3://acme-lake/raw/", "read", "--why", "x", "--json"),
        ("requests",),
        ("inbox",),
        ("reconcile",),
        ("approve", "r-nobody"),
        ("can", "read", "s3://acme-nothing/"),
    ):
        done = shell("notebook", *arguments, **environment)
        printed += done.stdout + done.stderr
    printed += shell("notebook", "whoami", **environment, AWS_ENDPOINT_URL_STS="http://127.0.0.1:9").stderr
    for secret in (ours.access_key, ours.secret_key, ours.token):
        assert secret not in printed


def test_a_sandbox_that_was_killed_is_cannot_tell_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SM_ACCESS_SANDBOX_HOME", str(tmp_path / "sandboxes"))
    with Sandbox() as short:
        environment = short.environment("notebook") | {"PYTHONPATH": str(Path.cwd())}
    for arguments in (("whoami",), ("can", "read", "s3://acme-lake/"), ("permissions", "--json")):
        began = time.monotonic()
        done = subprocess.run(
            [*CLI, *arguments],
            check=False,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
        )
        took = time.monotonic() - began
        assert done.returncode in {2, 3}
        assert "Traceback" not in done.stderr
        assert took < 20
