"""What goes into a pipe: nothing that steers a terminal, and no traceback when the reader leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


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
