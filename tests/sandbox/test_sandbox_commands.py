"""The command group, as typed."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sm_access.errors import InvalidInput, SandboxUnavailable
from sm_access.sandbox import Sandbox, company, state, world
from sm_access.sandbox.commands import sandbox as group
from sm_access.sandbox.limits import LIMITS


def typed(*words: str) -> Result:
    """The result of a command; an error of ours is raised, as the command line's entry point gets it."""
    result = CliRunner().invoke(group, words)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("SM_ACCESS_SANDBOX_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    for name in state.names():
        world.stop(name)


def test_a_life(home: Path) -> None:
    assert typed("status").exit_code == 1
    started = typed("start", "--name", "review")
    assert started.exit_code == 0
    assert "acme-lake" in started.output
    assert f"{len(LIMITS)} known differences from AWS" in started.output
    assert 'eval "$(sm-access sandbox env --name review --as notebook)"' in started.output
    again = typed("start", "--name", "review")
    assert (again.exit_code, "is running already" in again.output) == (0, True)
    status = json.loads(typed("status", "--name", "review", "--json").output)
    assert (status["running"], status["account"]) == (True, company.ACCOUNT)
    assert "Also running: review" in typed("status").output
    found = state.require_running("review")
    for output in (started.output, again.output, json.dumps(status)):
        assert not any(token in output for token in found.tokens.values())
    exported = json.loads(typed("env", "--name", "review", "--as", "approver", "--json").output)
    assert exported["AWS_CONTAINER_AUTHORIZATION_TOKEN"] == found.tokens["approver"]
    assert exported["AWS_PROFILE"] is None
    assert json.loads(typed("stop", "--name", "review", "--json").output) == {
        "name": "review",
        "stopped": True,
    }
    assert "was not running" in typed("stop", "--name", "review").output


def test_state_is_for_this_user_alone(home: Path) -> None:
    with Sandbox() as sandbox:
        directory = Path(sandbox.state.directory)
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        for file in (*directory.iterdir(), *home.glob("*.lock"), *home.glob("*.log")):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        log = state.log_path(sandbox.state.name).read_text("utf-8")
        secrets = [*sandbox.state.tokens.values(), sandbox.session("notebook").get_credentials().token]
        assert not any(
            secret in text for secret in secrets for text in (log, repr(sandbox.state), repr(sandbox))
        )


def test_the_settings_it_writes_name_the_approver(home: Path) -> None:
    if sys.version_info < (3, 11):
        pytest.skip("tomllib is in the standard library from 3.11")
    import tomllib

    with Sandbox() as sandbox:
        settings = tomllib.loads(Path(sandbox.environment("notebook")["SM_ACCESS_CONFIG"]).read_text("utf-8"))
        assert settings["ledger"] == f"sqlite:///{sandbox.state.directory}/ledger.sqlite"
        assert settings["review"]["reviewers"] == [company.role_arn(company.APPROVER_ROLE)]


def test_foreground_ends_with_an_interrupt(home: Path) -> None:
    command = [sys.executable, "-m", "sm_access.sandbox", "start", "--foreground", "--name", "front"]
    # Tests that run behind a shell's `&` ignore interrupts, and their children would too.
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=dict(os.environ), **heard
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "Ctrl-C" in line:
                break
        assert state.is_alive("front")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert not state.is_alive("front")


def test_env_of_one_that_does_not_run_says_how_to_start_it(home: Path) -> None:
    with pytest.raises(SandboxUnavailable, match=r"'other' is not running\. Start it: .*start --name other"):
        typed("env", "--name", "other")


def test_on_its_own_an_error_is_one_paragraph_and_an_exit_code(home: Path) -> None:
    command = [sys.executable, "-m", "sm_access.sandbox", "env"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3
    assert done.stdout == "false\n"  # what `eval` runs then: a command that fails
    assert done.stderr == "The sandbox 'default' is not running. Start it: sm-access sandbox start\n"


@pytest.mark.parametrize("name", ["", "..", "../up", "A", "a/b", "-a", "a" * 32, "a.lock"])
def test_a_name_that_could_leave_the_home_is_refused(home: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot name a sandbox"):
        typed("start", "--name", name)


def test_a_directory_that_no_sandbox_made_is_left_alone(home: Path) -> None:
    own = home / "default"
    own.mkdir(parents=True)
    (own / "thesis.txt").write_text("mine")
    with pytest.raises(SandboxUnavailable, match="was not made by a sandbox; it is left as it is"):
        typed("start")
    assert (own / "thesis.txt").read_text() == "mine"


def test_a_home_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SM_ACCESS_SANDBOX_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(
        SandboxUnavailable, match=r"cannot be kept in .*Not a directory.*SM_ACCESS_SANDBOX_HOME"
    ):
        typed("start")


def test_limits_are_printed() -> None:
    output = typed("limits").output
    assert all(limit.what in output for limit in LIMITS)
    assert len(json.loads(typed("limits", "--json").output)) == len(LIMITS)
