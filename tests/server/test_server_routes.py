"""Every route: as a stranger, as another site's page, as a form without XSRF, as the person who is signed in."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

import sm_access.bootstrap
from sm_access.errors import (
    AwsUnreachable,
    ExpiredCredentials,
    IllegalTransition,
    InvalidS3Uri,
    NoCredentials,
    NotSupportedHere,
    Refused,
    SmAccessError,
    UnknownAccessRequest,
)
from sm_access.server.problem import problem_of

VIEW = {
    "name": "acme-ds-notebooks",
    "kind": "assumed-role",
    "account": "111122223333",
    "arn": "arn:aws:sts::111122223333:assumed-role/acme-ds-notebooks/SageMaker",
    "session_name": "SageMaker",
    "source": "temporary credentials from the notebook",
    "expires_at": "2026-11-23T18:00:00Z",
    "long_term_key": False,
    "tone": "ok",
    "warnings": [],
    "read_at": "2026-11-23T17:00:00Z",
}

ROUTES = [("sm-access", "identity"), ("sm-access", "nothing", "here"), ("sm-access",)]
FOREIGN = {"Origin": "https://elsewhere.example", "Host": "localhost"}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The identity collector replaced by a known view; the list grows by the thread of each call."""
    made: list[int] = []

    def identity_view() -> dict[str, object]:
        made.append(threading.get_ident())
        return dict(VIEW)

    monkeypatch.setattr(sm_access.bootstrap, "identity_view", identity_view)
    return made


async def refused(jp_fetch: Any, *path: str, **options: Any) -> tuple[int, dict[str, Any], str]:
    """Fetch what must not succeed: its status, its problem document and its media type."""
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch(*path, **options)
    response = caught.value.response
    assert response is not None
    return caught.value.code, json.loads(response.body), response.headers["Content-Type"]


async def test_identity_is_told_off_the_event_loop_and_not_cached(jp_fetch: Any, calls: list[int]) -> None:
    response = await jp_fetch("sm-access", "identity")
    assert json.loads(response.body) == VIEW
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Type"] == "application/json"
    assert calls
    assert threading.get_ident() not in calls


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("headers", [{"Authorization": ""}, {"Authorization": "token wrong"}])
async def test_a_stranger_learns_nothing(
    jp_fetch: Any, calls: list[int], path: tuple[str, ...], headers: dict[str, str]
) -> None:
    status, problem, media_type = await refused(jp_fetch, *path, headers=headers)
    assert status == 403
    assert media_type == "application/problem+json"
    assert problem["status"] == 403
    assert problem["remedy"]
    assert not calls


@pytest.mark.parametrize("path", ROUTES)
async def test_another_origin_is_refused(jp_fetch: Any, calls: list[int], path: tuple[str, ...]) -> None:
    """Signed in by cookie or by a server without a token, a foreign page is what `Origin` gives away."""
    status, problem, media_type = await refused(jp_fetch, *path, headers={**FOREIGN, "Authorization": ""})
    assert status in (403, 404)
    assert problem["status"] == status
    assert media_type == "application/problem+json"
    assert not calls


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_nothing_can_be_changed(
    jp_fetch: Any, calls: list[int], path: tuple[str, ...], method: str
) -> None:
    body = {} if method == "DELETE" else {"body": "{}"}
    status, problem, _ = await refused(jp_fetch, *path, method=method, **body)
    assert status == (405 if path == ("sm-access", "identity") else 404)
    assert problem["status"] == status
    assert not calls


async def test_what_is_not_there_is_a_problem_document(jp_fetch: Any) -> None:
    status, problem, media_type = await refused(jp_fetch, "sm-access", "nothing", "here")
    assert (status, media_type) == (404, "application/problem+json")
    assert problem["title"] == "Not Found"
    assert "/sm-access/nothing/here" in problem["detail"]


class TestAServerWithoutAToken:
    """Studio: an empty token and every origin allowed, so that authentication stops nobody."""

    @pytest.fixture
    def jp_server_config(self) -> dict[str, object]:
        return {
            "ServerApp": {"jpserver_extensions": {"sm_access.server": True}, "allow_origin": "*"},
        }

    @pytest.fixture(autouse=True)
    def _no_token(self, jp_serverapp: Any) -> None:
        jp_serverapp.identity_provider.token = ""

    @pytest.mark.parametrize("path", ROUTES)
    async def test_another_sites_page_is_refused(
        self, jp_fetch: Any, calls: list[int], path: tuple[str, ...]
    ) -> None:
        headers = {"Authorization": "", "Sec-Fetch-Site": "cross-site", **FOREIGN}
        status, problem, _ = await refused(jp_fetch, *path, headers=headers)
        assert status == 403
        assert problem["detail"] == "A page of another site asked."
        assert not calls

    async def test_its_own_page_is_answered(self, jp_fetch: Any, calls: list[int]) -> None:
        headers = {"Authorization": "", "Sec-Fetch-Site": "same-origin"}
        response = await jp_fetch("sm-access", "identity", headers=headers)
        assert json.loads(response.body) == VIEW

    @pytest.mark.parametrize("path", ROUTES)
    @pytest.mark.parametrize("cookie", ["", "_xsrf=one"])
    async def test_a_form_without_the_right_xsrf_value_is_refused(
        self, jp_fetch: Any, calls: list[int], path: tuple[str, ...], cookie: str
    ) -> None:
        headers = {"Authorization": "", "Cookie": cookie, "X-XSRFToken": "another"}
        status, problem, media_type = await refused(
            jp_fetch, *path, method="POST", body="{}", headers=headers
        )
        assert status == 403
        assert media_type == "application/problem+json"
        assert "_xsrf" in problem["remedy"]
        assert not calls


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (NoCredentials("No credentials were found.", remedy="Attach a role."), 503, "no-credentials"),
        (ExpiredCredentials("They ended."), 503, "expired-credentials"),
        (AwsUnreachable("No answer."), 504, "aws-unreachable"),
        (NotSupportedHere("No such call."), 501, "not-supported-here"),
    ],
)
async def test_what_cannot_be_told_says_why_and_what_to_do(
    jp_fetch: Any, monkeypatch: pytest.MonkeyPatch, error: SmAccessError, status: int, kind: str
) -> None:
    def fail() -> dict[str, object]:
        raise error

    monkeypatch.setattr(sm_access.bootstrap, "identity_view", fail)
    answered, problem, media_type = await refused(jp_fetch, "sm-access", "identity")
    assert media_type == "application/problem+json"
    assert answered == status
    assert problem == {
        "type": f"urn:sm-access:{kind}",
        "title": kind.replace("-", " ").capitalize(),
        "status": status,
        "detail": error.message,
        "remedy": error.remedy,
    }


async def test_an_error_of_ours_does_not_tell_what_it_holds(
    jp_fetch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> dict[str, object]:
        raise ValueError("aws_secret_access_key=CANARY")

    monkeypatch.setattr(sm_access.bootstrap, "identity_view", fail)
    status, problem, _ = await refused(jp_fetch, "sm-access", "identity")
    assert status == 500
    assert "CANARY" not in json.dumps(problem)
    assert problem["remedy"] == "See the log of the Jupyter server."


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidS3Uri("s3:/x"), 400),
        (UnknownAccessRequest("r-1"), 404),
        (IllegalTransition("already ended"), 409),
        (Refused("no"), 403),
    ],
)
def test_the_callers_fault_is_4xx(error: SmAccessError, status: int) -> None:
    assert problem_of(error)["status"] == status


def test_every_error_has_a_status_of_its_kind() -> None:
    """A new class below the three roots is never answered as a fault without a name."""
    seen = [SmAccessError]
    for kind in seen:
        seen.extend(kind.__subclasses__())
    for kind in seen[1:]:
        assert problem_of(_made(kind))["status"] != 500, kind


def _made(kind: type[SmAccessError]) -> SmAccessError:
    error = kind.__new__(kind)
    SmAccessError.__init__(error, "words")
    return error


async def test_many_tabs_ask_aws_once(jp_fetch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, calls = threading.Event(), []

    def slow() -> dict[str, object]:
        calls.append(1)
        gate.wait(10)
        return dict(VIEW)

    monkeypatch.setattr(sm_access.bootstrap, "identity_view", slow)
    fetches = [asyncio.ensure_future(jp_fetch("sm-access", "identity")) for _ in range(5)]
    await asyncio.sleep(0.5)  # all five have arrived, and the first one's call is waiting at the gate
    gate.set()
    for fetch in fetches:
        assert json.loads((await fetch).body) == VIEW
    assert len(calls) == 1


async def test_a_long_term_key_in_the_servers_environment_is_red_and_not_told(
    jp_fetch: Any, enter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real collector, on the sandbox; only the key is made up."""
    enter("notebook")
    monkeypatch.setenv("TEAM_KEY", "AKIA" + "CANARYCANARY2345")
    body = (await jp_fetch("sm-access", "identity")).body.decode()
    view = json.loads(body)
    assert view["name"] == "acme-ds-notebooks"
    assert view["tone"] == "error"
    assert "the variable TEAM_KEY" in view["warnings"][0]
    assert "CANARY" not in body


async def test_sts_that_does_not_answer_is_a_problem_in_time(
    jp_fetch: Any, enter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter("notebook")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    status, problem, _ = await refused(jp_fetch, "sm-access", "identity")
    assert status == 504
    assert "asking AWS who you are" in problem["detail"]
