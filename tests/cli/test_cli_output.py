"""What goes into a pipe: nothing that steers a terminal, and no traceback when the reader leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sm_access.cli.main import main


def test_json_is_ascii(run: Callable[..., Any], enter: Callable[[str], None]) -> None:
    """JSON lets C1 controls such as U+009B through, which steer a terminal as ESC does; ASCII has none."""
    enter("notebook")
    why = "für ☃"
    asked = run("request", "s3://acme-lake/raw/", "list", "--for", "1h", "--why", why, "--json")
    assert asked.code == 0
    assert asked.out.isascii()
    assert asked.json["reason"] == why


@pytest.mark.parametrize(
    "arguments", [("sandbox", "status"), ("sandbox", "limits"), ("whoami", "--json"), ("--help",)]
)
def test_a_reader_that_has_left(arguments: tuple[str, ...], tmp_path: Path, clean_environment: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", "from sm_access.cli.main import run; run()", *arguments],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "SM_ACCESS_SANDBOX_HOME": str(tmp_path / "home")},
    )
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 1


def test_a_shell_in_a_sandbox_that_is_gone_is_told_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("SM_ACCESS_SANDBOX_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SM_ACCESS_SANDBOX", "gone")
    monkeypatch.setenv("SM_ACCESS_CONFIG", str(tmp_path / "gone" / "config.toml"))
    assert main(["requests", "--everyone"]) == 3
    said = " ".join(capsys.readouterr().err.split())
    assert "This shell stepped into the sandbox 'gone', which is not running." in said
    assert "sm-access sandbox start --name gone" in said
    monkeypatch.delenv("SM_ACCESS_SANDBOX")
    assert main(["requests", "--everyone"]) == 2


def test_a_terminal_that_knows_no_tick_shows_something_else(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONIOENCODING": "ascii",
        "SM_ACCESS_SANDBOX_HOME": str(tmp_path / "home"),
    }
    script = "import sys; sys.argv = ['sm-access', 'can', 'reed', 's3://b']; from sm_access.cli.main import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "is not a level of access" in done.stderr


def test_stepping_in_as_nobody_ends_the_line_it_stands_in(tmp_path: Path) -> None:
    environment = {**os.environ, "SM_ACCESS_SANDBOX_HOME": str(tmp_path / "home")}
    command = f'eval "$({sys.executable} -m sm_access sandbox env --as engineer1)" && echo went on'
    done = subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "went on" not in done.stdout
