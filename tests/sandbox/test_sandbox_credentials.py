"""The credentials endpoint: who gets an answer, and when credentials are renewed."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest

from sm_access.errors import SandboxUnavailable
from sm_access.sandbox.credentials_endpoint import PATH, CredentialsEndpoint, TemporaryCredentials

CANARY = "canary-7f3a"


class Issuer:
    def __init__(self, lasting: timedelta) -> None:
        self.calls: list[str] = []
        self.lasting = lasting
        self.failing = False

    def __call__(self, name: str) -> TemporaryCredentials:
        self.calls.append(name)
        if self.failing:
            raise SandboxUnavailable("STS gave nothing.", remedy="Start anew.")
        return TemporaryCredentials("ASIAEXAMPLE", CANARY, CANARY, datetime.now(timezone.utc) + self.lasting)


@pytest.fixture
def serve() -> Callable[[Issuer], str]:
    def start(issuer: Issuer) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        CredentialsEndpoint(
            listener, {"notebook": "token-of-notebook", "admin": "token-of-admin"}, issuer
        ).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    return start


def ask(url: str, **headers: str) -> tuple[int, dict[str, str]]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_the_token_opens_its_own_path_alone(serve: Callable[[Issuer], str]) -> None:
    url = serve(Issuer(timedelta(hours=1))) + PATH
    status, body = ask(url + "notebook", Authorization="token-of-notebook")
    assert (status, body["AccessKeyId"], body["Token"]) == (200, "ASIAEXAMPLE", CANARY)
    assert datetime.fromisoformat(body["Expiration"].replace("Z", "+00:00")) > datetime.now(timezone.utc)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (PATH + "notebook", {}),
        (PATH + "notebook", {"Authorization": ""}),
        (PATH + "notebook", {"Authorization": "token-of-admin"}),
        (PATH + "nobody", {"Authorization": ""}),
        (PATH, {"Authorization": ""}),
        ("/", {"Authorization": "token-of-notebook"}),
        ("/../credentials/notebook", {"Authorization": "token-of-notebook"}),
    ],
)
def test_nothing_else_opens_anything(
    serve: Callable[[Issuer], str], path: str, headers: dict[str, str]
) -> None:
    issuer = Issuer(timedelta(hours=1))
    status, body = ask(serve(issuer) + path, **headers)
    assert status == 401
    assert CANARY not in json.dumps(body)
    assert issuer.calls == []


def test_a_page_of_another_site_gets_nothing(serve: Callable[[Issuer], str]) -> None:
    url = serve(Issuer(timedelta(hours=1))) + PATH + "notebook"
    status, body = ask(url, Authorization="token-of-notebook", Host="rebound.example.com")
    assert status == 500
    assert "not on this machine's loopback" in body["message"]


def test_credentials_are_renewed_before_clients_ask(serve: Callable[[Issuer], str]) -> None:
    lasting, ending = Issuer(timedelta(hours=1)), Issuer(timedelta(minutes=29))
    for issuer, calls in ((lasting, 1), (ending, 2)):
        url = serve(issuer) + PATH + "notebook"
        for _ in range(2):
            assert ask(url, Authorization="token-of-notebook")[0] == 200
        assert len(issuer.calls) == calls


def test_a_failing_sts_is_said(serve: Callable[[Issuer], str]) -> None:
    issuer = Issuer(timedelta(hours=1))
    issuer.failing = True
    status, body = ask(serve(issuer) + PATH + "notebook", Authorization="token-of-notebook")
    assert (status, body) == (500, {"message": "STS gave nothing. Start anew."})


def test_credentials_have_no_repr() -> None:
    assert CANARY not in repr(Issuer(timedelta(hours=1))("notebook"))
