"""Real HTTP to a small server, real SNS on the stand-in for shapes; what is told, what not, and no address anywhere."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from sm_access.access import (
    AccessRequest,
    Caller,
    Desk,
    Level,
    Reconciler,
    RolePolicies,
    Rules,
    S3Target,
    Terms,
)
from sm_access.aws.session import Aws
from sm_access.aws.sns import SnsTopic
from sm_access.bootstrap import Services
from sm_access.config import Settings
from sm_access.errors import InvalidSetting
from sm_access.notify.notifiers import Log, Notifiers
from sm_access.notify.webhook import ATTEMPTS, Webhook
from sm_access.presentation.notification import notification
from sm_access.sandbox.world import Sandbox
from sm_access.stores import MemoryLedger

ACCOUNT = "111122223333"
SECRET = "T00CANARY/B00/s3cr3t"
NOW = datetime(2026, 11, 23, 17, tzinfo=timezone.utc)
ASKER = Caller(f"arn:aws:sts::{ACCOUNT}:assumed-role/notebooks/SageMaker", ACCOUNT)
STEWARD = Caller(f"arn:aws:sts::{ACCOUNT}:assumed-role/stewards/ann", ACCOUNT)


class Roles:
    """A RoleWriter over nothing but inline policies."""

    def __init__(self) -> None:
        self.inline: dict[str, Any] = {}

    def read(self, role_arn: str) -> RolePolicies:
        return RolePolicies(dict(self.inline))

    def put(self, role_arn: str, name: str, document: Any) -> None:
        self.inline[name] = document

    def delete(self, role_arn: str, name: str) -> None:
        self.inline.pop(name, None)

    put_managed, delete_managed = put, delete


class Clock:
    def now(self) -> datetime:
        return NOW


@contextmanager
def server(*statuses: int) -> Iterator[tuple[str, list[Any]]]:
    """Answers with these in turn, and then 200. Its address, and the bodies it got."""
    got: list[Any] = []
    answers = iter(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            status = next(answers, 200)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    running = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{running.server_port}/services/{SECRET}", got
    finally:
        running.shutdown()
        running.server_close()


def still(_: float) -> None:
    """Waits for nothing."""


def desk(*channels: Any) -> Desk:
    rules = Rules.from_dict(
        {
            "reviewers": [STEWARD.principal],
            "break_glass": {
                "roles": [ASKER.principal],
                "places": ["s3://lake/"],
                "levels": ["read"],
                "max_duration": "1h",
            },
        }
    )
    return Desk(MemoryLedger(), rules, Clock(), None, Notifiers(channels, notification))


def ask(at: Desk, reason: str = "churn model") -> AccessRequest:
    terms = Terms(ASKER.principal, S3Target("lake", "raw/"), Level.READ, timedelta(hours=1))
    return at.submit(ASKER, terms, reason)


def test_a_webhook_is_told_in_order() -> None:
    with server() as (address, got):
        at = desk(Webhook(address))
        asked = ask(at)
        at.approve(asked.id, STEWARD)
        at.revoke(asked.id, STEWARD, "over")
    texts = [body["text"] for body in got]
    assert [text.splitlines()[0] for text in texts] == [
        "*Waiting for a reviewer: read s3://lake/raw/ for notebooks*",
        "*Approved: read s3://lake/raw/ for notebooks*",
        "*Revoked: read s3://lake/raw/ for notebooks*",
    ]
    assert f"sm-access show {asked.id}" in texts[0]
    assert "Ends 2026-11-23 18:00 UTC." in texts[1]
    assert "“over”" in texts[2]


def test_an_emergency_is_loud(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sm_access.requests")
    at = desk(Log())
    asked = ask(at)
    at.break_glass(asked.id, ASKER, "production is down")
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
    assert f"sm-access revoke {asked.id}" in caplog.records[1].message


def test_who_takes_it_in_an_emergency_cannot_keep_it_from_being_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The event was written past the desk; the reconciler tells of it when it puts the grant on the role."""
    caplog.set_level(logging.INFO, "sm_access.requests")
    quiet = desk()
    asked = ask(quiet)
    quiet.break_glass(asked.id, ASKER, "production is down")
    ledger, rules = quiet._ledger, quiet._rules
    Reconciler(ledger, Roles(), Clock(), rules, None, Notifiers([Log()], notification)).reconcile(
        ASKER.principal
    )
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "EMERGENCY: on the role without a reviewer" in record.message
    assert "“production is down”" in record.message


def test_words_of_people_call_nobody_and_begin_no_line() -> None:
    with server() as (address, got):
        ask(desk(Webhook(address)), "<!channel> &amp; *bold*\n*Approved: everything*")
    text = got[0]["text"]
    assert "<!channel>" not in text
    assert "&lt;!channel&gt; &amp;amp;" in text
    assert not any(line.startswith("*Approved") for line in text.splitlines())


@pytest.mark.parametrize(
    ("statuses", "calls", "why"),
    [
        ((503, 429), 3, ""),
        ((500,) * ATTEMPTS, ATTEMPTS, "it answered 500"),
        ((404,), 1, "it answered 404"),
        ((302,), 1, "it answered 302"),
    ],
)
def test_answers_that_are_none(statuses: tuple[int, ...], calls: int, why: str) -> None:
    with server(*statuses) as (address, got):
        assert Webhook(address, sleep=still).send("title", "text") == why
    assert len(got) == calls


def test_nobody_there_hinders_nothing_and_no_address_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with server() as (address, _):
        pass
    hook = Webhook(address, sleep=still)
    at = desk(hook, Log())
    caplog.set_level(logging.INFO, "sm_access.requests")
    asked = ask(at)
    assert at.get(asked.id) == asked
    assert "could not be told" in caplog.text
    assert SECRET not in caplog.text + repr(hook) + hook.send("t", "x")


@pytest.mark.parametrize(
    "address",
    [
        f"http://hooks.example.com/{SECRET}",
        f"ftp://hooks.example.com/{SECRET}",
        SECRET,
        f"https:///{SECRET}",
        f"https://169.254.169.254/{SECRET}",
        f"https://[fe80::1]/{SECRET}",
        f"https://169.254.170.2/{SECRET}",
    ],
)
def test_what_is_no_webhook_is_refused_without_being_shown(address: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        Webhook(address)
    assert SECRET not in str(refused.value)


def test_a_topic(sandbox: Sandbox) -> None:
    sns = sandbox.root_session.client("sns")
    topic = sns.create_topic(Name="access-requests")["TopicArn"]
    aws = Aws(sandbox.root_session)
    assert SnsTopic(aws, topic).send("Wartet: größer " + "x" * 200, "text") == ""
    assert SnsTopic(aws, f"{topic}-that-is-none").send("title", "text") != ""


def test_settings(services_of: Callable[[str], Services]) -> None:
    settings = Settings.load({"SM_ACCESS_CONFIG": "", "SM_ACCESS_NOTIFY": f"log https://x.example/{SECRET}"})
    assert settings.notify == ("log", f"https://x.example/{SECRET}")
    assert SECRET not in repr(settings)
    published = Settings.load({"SM_ACCESS_CONFIG": ""}).with_published('notify = ["log"]')
    assert published.notify == ("log",)
    with pytest.raises(InvalidSetting, match="notify") as refused:
        Settings.load({"SM_ACCESS_CONFIG": ""}).with_published(f'notify = [1, "https://x/{SECRET}"]')
    assert SECRET not in str(refused.value)
    at = Services(Settings.load({"SM_ACCESS_CONFIG": "", "SM_ACCESS_NOTIFY": "log"}, ledger="sqlite:///x"))
    at.workflow = at.settings
    assert isinstance(at.notifier, Notifiers)
