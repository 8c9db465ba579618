"""`sm-access sandbox lab`, as far as it goes without a browser; the rest is in tests/browser."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sm_access.errors import MissingExtra
from sm_access.sandbox import lab


def test_without_jupyterlab_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra) as told:
        lab.require_jupyterlab()
    assert told.value.remedy == "Install it: pip install jupyterlab"


@pytest.mark.parametrize(("user", "as_root"), [(0, ["--allow-root"]), (1000, [])])
def test_the_child_gets_its_arguments_our_commands_and_gives_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, as_root: list[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    installed, folder = tmp_path / "installed", tmp_path / "folder"
    installed.mkdir()
    folder.mkdir()
    (folder / "jupyterlab.py").write_text("raise SystemExit('from the folder')\n")
    (installed / "jupyterlab.py").write_text(
        "import os, sys\n"
        "open(os.environ['SAID'], 'w').write('|'.join([*sys.argv[1:], os.environ['PATH']]))\n"
        "sys.exit(7)\n"
    )
    monkeypatch.setattr(sys, "path", ["", str(installed), *sys.path])
    monkeypatch.chdir(folder)  # where `python -m` looks first
    said = tmp_path / "said"
    environment = {"SAID": str(said), "PATH": "/nowhere"}
    assert lab.open_lab(environment, ["notebooks", "--no-browser"]) == 7
    scripts = str(Path(sys.prefix) / ("Scripts" if os.name == "nt" else "bin"))
    assert said.read_text().split("|") == [
        "notebooks",
        "--no-browser",
        *as_root,
        os.pathsep.join([scripts, "/nowhere"]),
    ]
