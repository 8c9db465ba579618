"""Starting, finding and stopping a sandbox, and getting into it from Python."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING

from sm_access import errors
from sm_access.errors import SandboxUnavailable
from sm_access.sandbox import company, environment, state
from sm_access.sandbox.bound_session import root_session_of, session_of
from sm_access.sandbox.installation import enforcer_python
from sm_access.sandbox.isolated_python import module_command

if TYPE_CHECKING:
    import boto3

_READY_WITHIN = 90.0  # seconds; a start takes about three


class Sandbox:
    """The embedded AWS as a context manager: `with Sandbox() as sandbox:` has one of its own, and ends with
    it.

    When this process ends, also when it is killed, the sandbox ends too. Without a name it gets one that
    nobody else has. `Sandbox.attach(name)` gives the same object for one that `sm-access sandbox start`
    started.
    """

    def __init__(self, name: str | None = None, *, progress: Callable[[str], None] | None = None) -> None:
        self._name = name or f"{state.UNNAMED}{os.getpid()}-{os.urandom(3).hex()}"
        self._progress = progress or _silently
        self._host: subprocess.Popen[bytes] | None = None
        self._state: state.State | None = None

    @classmethod
    def attach(cls, name: str = state.DEFAULT_NAME) -> Sandbox:
        """The running sandbox of this name. Raises SandboxUnavailable, saying how to start it."""
        sandbox = cls(name)
        sandbox._state = state.require_running(name)
        return sandbox

    def __enter__(self) -> Sandbox:
        self._host = launch(self._name, parent=os.getpid(), progress=self._progress)
        self._state = state.require_running(self._name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def wait(self) -> None:
        """Until the sandbox ends by itself or is stopped from elsewhere."""
        if self._host is not None:
            self._host.wait()

    def close(self) -> None:
        """End the sandbox when it is this object's own; one that was attached to is left running."""
        if self._host is None:
            return
        host, self._host = self._host, None
        if host.stdin is not None:
            host.stdin.close()
        try:
            host.wait(15)
        except subprocess.TimeoutExpired:
            host.kill()
            host.wait()
        self._state = None

    @property
    def state(self) -> state.State:
        if self._state is None:
            raise SandboxUnavailable(
                f"The sandbox {self._name!r} is not open.",
                remedy="Use it inside `with Sandbox() as sandbox:`.",
            )
        return self._state

    def variables(self, name: str) -> dict[str, str | None]:
        """The environment variables to change for the principal `name`; None = take it away."""
        return environment.variables(self.state, name)

    def environment(self, name: str) -> dict[str, str]:
        """This process's environment, changed for the principal `name`: ready for
        `subprocess.run(env=...)`.
        """
        return environment.merged(self.variables(name))

    def session(self, name: str) -> boto3.Session:
        """A boto3 session of the principal `name`, bound to the sandbox whatever this process's environment
        says.
        """
        return session_of(self.state, name)

    @property
    def root_session(self) -> boto3.Session:
        """A boto3 session as the account's root, past all policies: for tests to arrange what they need."""
        return self.account_root_session(company.ACCOUNT)

    def account_root_session(self, account: str) -> boto3.Session:
        """As `root_session`, of another account, such as the partner's."""
        return root_session_of(self.state, account)


def _silently(_line: str) -> None:
    """Progress that nobody wants to see."""


def launch(name: str, *, parent: int | None, progress: Callable[[str], None]) -> subprocess.Popen[bytes]:
    """Start a host and return once it is ready. With `parent` it ends when its standard input is closed.

    Raises SandboxUnavailable or MissingExtra with what the host said.
    """
    from sm_access.sandbox.host import missing_extra

    if any(find_spec(module) is None for module in ("moto", "flask", "flask_cors", "boto3")):
        raise missing_extra()
    state.directory_of(name)
    enforcer = enforcer_python(progress)
    given = json.dumps({"name": name, "enforcer": str(enforcer), "parent": parent})
    with state.open_log(name) as log:
        host = subprocess.Popen(
            [*module_command("sm_access.sandbox.host"), given],
            env=_host_environment(),
            cwd=state.home(),
            stderr=log,
            stdin=subprocess.DEVNULL if parent is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        line = host.stdout.readline() if host.stdout is not None else b""
        if host.stdout is not None:
            host.stdout.close()
        said = json.loads(line) if line.strip() else {}
        if "ready" in said:
            if parent is None:
                host.wait()  # it stepped into the background; this is what it left here
            return host
        if host.stdin is not None:
            host.stdin.close()
        host.wait()
        log.seek(0)
        tail = log.read().decode("utf-8", "replace").strip().splitlines()
    if "failed" in said:
        kind = getattr(errors, said.get("kind", ""), SandboxUnavailable)
        raise kind(said["failed"], remedy=said["remedy"])
    why = tail[-1] if tail else f"exit code {host.returncode}"
    raise SandboxUnavailable(
        f"The embedded AWS ended while it was starting: {why}", remedy="Try again: sm-access sandbox start"
    )


def start(name: str, *, progress: Callable[[str], None]) -> tuple[state.State, bool]:
    """The running sandbox of this name, started and detached if need be; and whether it was started now."""
    state.directory_of(name)
    with state.exclusive(name, "start", wait=True):
        found = state.running(name)
        if found is not None:
            return found, False
        launch(name, parent=None, progress=progress)
        return state.require_running(name), True


def stop(name: str) -> bool:
    """End the sandbox of this name and wait until it is gone; False when none was running."""
    found = state.running(name)
    if found is None:
        return False
    host = state.host_pid(name)
    if host is None:
        raise SandboxUnavailable(
            f"Which process the sandbox {name!r} is cannot be told, so none was ended.",
            remedy=f"Look at the process {found.pid} that its state names, and end it if it is one of sm_access.",
        )
    with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
        os.kill(host, signal.SIGTERM)
    deadline = time.monotonic() + 15
    while state.is_alive(name):
        if time.monotonic() > deadline:
            raise SandboxUnavailable(
                f"The sandbox {name!r} (process {host}) does not end.",
                remedy=f"End it: kill -9 {host}",
            )
        time.sleep(0.05)
    return True


def _host_environment() -> dict[str, str]:
    """The person's environment without what would steer the host's own calls."""
    result = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    result |= {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "SM_ACCESS_SANDBOX_HOME": str(state.home()),
    }
    return result
