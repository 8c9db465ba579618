"""No endpoint off this machine is ever used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sm_access.errors import SandboxUnavailable
from sm_access.sandbox import Sandbox, state
from sm_access.sandbox.bound_session import session_of
from sm_access.sandbox.environment import variables
from sm_access.sandbox.loopback import require_loopback
from sm_access.sandbox.seed import root_client


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "http://127.8.9.1:80", "http://[::1]:4566", "http://localhost:1"]
)
def test_this_machine(url: str) -> None:
    assert require_loopback(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "https://s3.amazonaws.com",
        "http://10.0.0.1:4566",
        "http://169.254.169.254/latest",
        "http://169.254.170.2/",
        "http://0.0.0.0:4566",
        "http://127.0.0.1.example.com/",
        "http://localhost.example.com/",
        "http://127.0.0.1@example.com/",
        "http://user@127.0.0.1/",
        "http://[::ffff:10.0.0.1]/",
        "ftp://127.0.0.1/",
        "https://127.0.0.1/",
        "http://2130706433.example/",
        "127.0.0.1:4566",
        "",
    ],
)
def test_anything_else(url: str) -> None:
    with pytest.raises(SandboxUnavailable, match="not on this machine's loopback; nothing was sent to it"):
        require_loopback(url)


@pytest.mark.parametrize("field", ["enforcer_url", "shapes_url", "credentials_url"])
def test_a_state_that_points_elsewhere_is_used_by_nobody(sandbox: Sandbox, field: str) -> None:
    elsewhere = replace(sandbox.state, **{field: "http://198.51.100.7:4566"})
    with pytest.raises(SandboxUnavailable, match="loopback"):
        variables(elsewhere, "notebook")
    if field != "credentials_url":
        service = "s3" if field == "enforcer_url" else "sagemaker"
        session = session_of(elsewhere, "notebook")
        with pytest.raises(SandboxUnavailable, match="loopback"):
            session.client(service)
    else:
        with pytest.raises(SandboxUnavailable, match="loopback"):
            session_of(elsewhere, "notebook")
    state.save(elsewhere)
    try:
        with pytest.raises(SandboxUnavailable, match="loopback"):
            state.running(sandbox.state.name)
    finally:
        state.save(sandbox.state)


def test_an_endpoint_of_the_caller_is_looked_at_too(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxUnavailable, match="loopback"):
        sandbox.session("notebook").client("s3", endpoint_url="https://s3.amazonaws.com")
    with pytest.raises(SandboxUnavailable, match="loopback"):
        root_client("s3", "https://s3.amazonaws.com")
