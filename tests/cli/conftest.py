"""One command line in this process, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sm_access.cli.main import main
from sm_access.stores import SqliteLedger


@dataclass(frozen=True)
class Outcome:
    """Exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything printed, with the line breaks of a narrow terminal taken out."""
        return " ".join((self.out + " " + self.err).split())

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """`run("can", "read", "s3://...")`: what a person sees, in a terminal wide enough for the paths of tests. A
    traceback is a failure wherever it appears."""
    monkeypatch.setenv("COLUMNS", "200")

    def command(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = main(arguments)
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return Outcome(code, printed.out, printed.err)

    return command


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[[], int]:
    """How many events the test's ledger holds; every hash is checked on the way."""
    return lambda: SqliteLedger(tmp_path / "ledger.sqlite").verify().rows
