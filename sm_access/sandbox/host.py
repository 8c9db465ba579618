"""The supervisor of one sandbox: its servers, its credentials, the seeded company. Run as a module.

Arguments: one JSON object

    name        the sandbox's name
    enforcer    interpreter of the enforcing server's environment
    parent      process id to live and die with, whose end also closes standard input; or null to live until
                stopped

Standard output carries one JSON line, {"ready": seconds} or {"failed": message, "remedy": words}, and is then
closed. All else goes to standard error, which is the log. Ends on SIGTERM, SIGINT, the end of its parent, or
when a server ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sm_access.errors import MissingExtra, SandboxUnavailable, SmAccessError
from sm_access.sandbox import company, lifeline, state
from sm_access.sandbox.credentials_endpoint import CredentialsEndpoint
from sm_access.sandbox.isolated_python import module_command
from sm_access.sandbox.issuer import Issuer

_LOOPBACK = "127.0.0.1"


class Host:
    """Starts everything, then waits until `stop` is called, by whatever ends it."""

    def __init__(self, name: str, enforcer: str) -> None:
        self.name = name
        self._enforcer = enforcer
        self._children: list[subprocess.Popen[bytes]] = []
        # INVARIANT: only this process holds the writing end, so the children see it end with this process.
        self._lifeline_read, self._lifeline_write = os.pipe()
        self._stop_read, self._stop_write = os.pipe()

    def start(self) -> None:
        """Bring everything up and write the state file. Raises SandboxUnavailable or MissingExtra."""
        directory = state.prepare_directory(self.name)
        enforcer, shapes, credentials = (socket.create_server((_LOOPBACK, 0)) for _ in range(3))
        urls = [
            f"http://{_LOOPBACK}:{listener.getsockname()[1]}" for listener in (enforcer, shapes, credentials)
        ]
        self._start_enforcer(enforcer, directory)
        self._start_shapes(shapes, directory)
        key_arn, user_keys = self._seed(urls[0], urls[1])
        tokens = {name: secrets.token_urlsafe(32) for name in company.PRINCIPALS}
        CredentialsEndpoint(credentials, tokens, Issuer(urls[0], user_keys)).start()
        _write_files(directory)
        state.save(
            state.State(
                name=self.name,
                directory=str(directory),
                pid=os.getpid(),
                started_at=datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
                enforcer_url=urls[0],
                shapes_url=urls[1],
                credentials_url=urls[2],
                vault_key_arn=key_arn,
                tokens=tokens,
            )
        )

    def stop(self) -> None:
        """End `wait`. A byte in a pipe, as signal handlers and threads may both call it.

        A threading.Event cannot be set from a signal handler: the main thread may hold its lock just then.
        """
        os.write(self._stop_write, b".")

    def wait(self, parent: int | None) -> None:
        """Until told to stop, a server ends, or the parent is gone."""
        while not select.select([self._stop_read], [], [], 0.5)[0]:
            ended = [child for child in self._children if child.poll() is not None]
            if ended:
                print(f"a server ended by itself: {[child.returncode for child in ended]}", file=sys.stderr)
                return
            if parent is not None and os.getppid() != parent:
                return

    def close(self) -> None:
        """End the servers and remove the state. May be called at any time, also when `start` failed
        half-way.
        """
        for child in self._children:
            child.terminate()
        for child in self._children:
            _wait_or_kill(child)
        state.remove_directory(self.name)

    def _start_enforcer(self, listener: socket.socket, directory: Path) -> None:
        script = Path(__file__).with_name("enforcer_process.py")
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(directory),
            "TMPDIR": str(directory),
            "AUTH": "true",
            "BIND_HOST": _LOOPBACK,
            "GATEWAY_PORT": str(listener.getsockname()[1]),
            "MINISTACK_HOST": _LOOPBACK,
            "MINISTACK_ACCOUNT_ID": company.ACCOUNT,
            "MINISTACK_REGION": company.REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": secrets.token_hex(16),
            "AWS_SECRET_ACCESS_KEY": secrets.token_hex(16),
            # It would otherwise look for containers to remove, and open listeners nobody asked for.
            "DOCKER_HOST": f"unix://{directory}/no-docker",
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "ERROR",
            "STATE_DIR": str(directory),
            "S3_DATA_DIR": str(directory),
        }
        self._spawn([self._enforcer, "-I", str(script)], listener, environment)

    def _start_shapes(self, listener: socket.socket, directory: Path) -> None:
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "MOTO_"))
        }
        environment |= {
            "MOTO_ACCOUNT_ID": company.ACCOUNT,
            "AWS_EC2_METADATA_DISABLED": "true",
            "MOTO_PORT": str(listener.getsockname()[1]),
            "TMPDIR": str(directory),
        }
        self._spawn(
            module_command("sm_access.sandbox.shapes_process"),
            listener,
            environment,
            port=listener.getsockname()[1],
        )

    def _spawn(
        self, command: list[str], listener: socket.socket, environment: dict[str, str], **given: Any
    ) -> None:
        """Start a child on an inherited socket. From the main thread only: see `lifeline.die_with_parent`."""
        given |= {"fd": listener.fileno(), "parent": os.getpid(), "lifeline": self._lifeline_read}
        self._children.append(
            subprocess.Popen(
                [*command, json.dumps(given)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr,
                pass_fds=(listener.fileno(), self._lifeline_read),
                cwd=state.directory_of(self.name),
            )
        )
        listener.close()  # a child that dies must refuse connections, not leave them waiting here

    def _seed(self, enforcer_url: str, shapes_url: str) -> tuple[str, dict[str, tuple[str, str]]]:
        try:
            import boto3
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError as error:
            raise missing_extra() from error
        from sm_access.sandbox.seed import seed

        try:
            return seed(enforcer_url, shapes_url, boto3.Session())
        except (BotoCoreError, ClientError) as error:
            raise SandboxUnavailable(
                f"The embedded AWS did not take the company it is seeded with: {error}",
                remedy=f"What the servers said is in {state.log_path(self.name)}",
            ) from error


def missing_extra() -> MissingExtra:
    return MissingExtra(
        "The embedded AWS needs moto's server and boto3, which are not installed here.",
        remedy="Install them: pip install 'sm-access[sandbox]'",
    )


def _write_files(directory: Path) -> None:
    """The files that the exported environment points at."""
    state.write_private(
        directory / "config.toml",
        (
            f"ledger = {json.dumps(f'sqlite:///{directory}/ledger.sqlite')}\n"
            "\n"
            "[review]\n"
            f'reviewers = ["{company.role_arn(company.APPROVER_ROLE)}"]\n'
            'max_duration = "30d"\n'
            'levels = ["list", "read", "write", "delete"]\n'
        ),
    )
    state.write_private(directory / "resource-metadata.json", json.dumps(company.resource_metadata()))
    for empty in ("aws-config", "aws-credentials"):
        state.write_private(directory / empty, "")


def _wait_or_kill(child: subprocess.Popen[bytes]) -> None:
    try:
        child.wait(3)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _report(line: dict[str, Any]) -> None:
    """Tell the starter, once, then let its pipe end."""
    with contextlib.suppress(BrokenPipeError):
        os.write(1, json.dumps(line).encode() + b"\n")
    os.dup2(2, 1)


def main() -> int:
    began = time.monotonic()
    given = json.loads(sys.argv[1])
    name, parent = given["name"], given["parent"]
    if parent is None and os.fork():
        os._exit(0)  # into the background: the starter has nothing left to wait for
    host = Host(name, given["enforcer"])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: host.stop())
    if parent is not None:
        lifeline.end_with_pipe(0, host.stop)
    with state.exclusive(name, "lock", wait=False) as held:
        if not held:
            _report({"failed": f"The sandbox {name!r} is running already.", "remedy": ""})
            return 1
        try:
            state.record_host(name)
            host.start()
            _report({"ready": round(time.monotonic() - began, 2)})
            host.wait(parent)
        except SmAccessError as error:
            _report({"failed": error.message, "remedy": error.remedy, "kind": type(error).__name__})
            return 1
        finally:
            host.close()
        state.log_path(name).unlink(missing_ok=True)
        if name.startswith(state.UNNAMED):
            state.forget(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
