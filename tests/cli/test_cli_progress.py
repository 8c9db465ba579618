"""Progress in a terminal: on standard error, where that is one, and gone in the end."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

import sm_access
from sm_access.bootstrap import Services
from sm_access.cli import progress
from sm_access.cli.progress import shown_progress
from sm_access.sandbox.world import Sandbox

SLOW = (
    "from sm_access.cli import main, progress\n"
    "progress.AFTER = progress.EVERY = 0\n"
    "raise SystemExit(main.main(['permissions', 's3://acme-models/', '--json']))\n"
)


def test_it_is_shown_on_a_terminal_and_keeps_out_of_the_answer(sandbox: Sandbox) -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", SLOW],
        env={
            **sandbox.environment("notebook"),
            "PYTHONPATH": str(Path(sm_access.__file__).parents[1]),
            "TERM": "xterm",
        },
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=True,
        timeout=60,
    )
    os.close(theirs)
    told = os.read(ours, 65536).decode()
    os.close(ours)
    assert " done: " in told
    assert told.endswith("\x1b[2K") or "\x1b[2K" in told[-40:]  # the line is taken away
    assert done.stdout.startswith(b"{")
    assert b"done:" not in done.stdout


def test_a_pipe_gets_nothing_of_it() -> None:
    services = Services()
    with shown_progress(Console(file=io.StringIO()), services):
        assert services.progress is None


def test_bucket_names_are_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "AFTER", 0)
    out = io.StringIO()
    services = Services()
    with shown_progress(Console(file=out, force_terminal=True, width=80), services):
        assert services.progress is not None
        services.progress(1, 2, "reading [red]x[/red]\x1b]0;title\x07")
    assert "[red]x" in out.getvalue()
    assert "\x1b]0;" not in out.getvalue()
    assert services.progress is None
