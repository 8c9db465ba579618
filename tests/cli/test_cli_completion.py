"""Completion in a shell: bash, as it calls the function that `sm-access completion bash` prints."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import sm_access
from sm_access.cli.main import main
from sm_access.sandbox.world import Sandbox

ASK = """
eval "$(sm-access completion bash)"
while read -r line; do
    COMP_LINE="$line"; COMP_POINT=${#COMP_LINE}; COMPREPLY=()
    for turn in 1 2 3 4 5; do  # on a machine under load what is looked up may come too late
        _sm_access_completion sm-access
        [ -n "$COMPREPLY$NO_HURRY" ] && break
    done
    echo "${COMPREPLY[*]}"
done
"""


@pytest.fixture
def environment(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    """The notebook's, with a `sm-access` that is this code."""
    command = tmp_path / "sm-access"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m sm_access "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return {
        **sandbox.environment("notebook"),
        "PATH": os.pathsep.join([str(tmp_path), os.environ["PATH"]]),
        "PYTHONPATH": str(Path(sm_access.__file__).parents[1]),
    }


def test_bash(environment: dict[str, str]) -> None:
    """Bash takes a colon for the end of a word: what is after it is all that may be handed back."""
    lines = {
        "sm-access perm": "permissions",
        "sm-access can read s3://acme-m": "//acme-models/",
        "sm-access require --read=s3://acme-models/c": "//acme-models/churn/",
        "sm-access sandbox li": "limits",
    }
    done = subprocess.run(
        ["bash", "--norc", "-c", ASK],
        input="".join(f"{line}\n" for line in lines),
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.splitlines() == list(lines.values())
    assert done.stderr == ""


def test_an_endpoint_that_hangs_holds_up_no_shell(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        done = subprocess.run(
            ["bash", "--norc", "-c", ASK],
            input="sm-access can read s3://acme\n",
            env={**environment, "NO_HURRY": "1", "AWS_ENDPOINT_URL": address, "AWS_ENDPOINT_URL_S3": address},
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert (done.stdout, done.stderr) == ("\n", "")
    assert time.monotonic() - began < 20  # three attempts of ten seconds each would be more


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_fish(environment: dict[str, str]) -> None:
    ask = 'sm-access completion fish | source; complete -C "sm-access can read s3://acme-m"'
    done = subprocess.run(
        ["fish", "-N", "-c", ask], env=environment, check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["s3://acme-models/"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_each_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert f"{shell}_complete" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, check=True, text=True, timeout=30)


def test_a_shell_that_nobody_knows_is_wrong_use(run: Callable[..., object]) -> None:
    assert main(["completion", "tcsh"]) == 2
