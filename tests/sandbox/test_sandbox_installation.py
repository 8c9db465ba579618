"""The environment of the enforcing server: made once, and what is said when it cannot be."""

from __future__ import annotations

import re
import subprocess
from importlib import resources
from pathlib import Path

import pytest

from sm_access.errors import MissingExtra, SandboxUnavailable
from sm_access.sandbox import installation, world


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_an_index_that_does_not_answer(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    said: list[str] = []
    with pytest.raises(SandboxUnavailable, match=r"could not be installed\. pip said: .*pip config list"):
        installation.enforcer_python(said.append)
    assert len(said) == 1
    assert installation.installed_python() is None
    assert [path.name for path in (empty_cache / "sm_access").iterdir()] == ["enforcer.lock"]


def test_a_cache_that_cannot_be_written(empty_cache: Path) -> None:
    empty_cache.touch()
    with pytest.raises(SandboxUnavailable, match=r"could not be made in .*Not a directory.*XDG_CACHE_HOME"):
        installation.enforcer_python(print)


def test_an_environment_whose_python_is_gone_is_made_anew(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(directory: Path) -> None:
        (directory / "bin").mkdir()
        (directory / "bin" / "python").touch()

    monkeypatch.setattr(installation, "_install", install)
    python = installation.enforcer_python(print)
    python.unlink()
    python.symlink_to("/nowhere/python")
    assert installation.installed_python() is None
    assert installation.enforcer_python(print) == python
    assert python.exists()


def test_every_package_is_pinned_and_no_index_named() -> None:
    text = resources.files("sm_access.sandbox").joinpath("enforcer-requirements.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert all(
        re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][^ ;]*(; python_version < \"3\.11\")?", line) for line in lines
    )


def test_the_pins_are_complete(sandbox: world.Sandbox) -> None:
    python = installation.installed_python()
    assert python is not None
    program = """
import re
from importlib.metadata import distributions
held = {re.sub(r"[-_.]+", "-", one.metadata["Name"]).lower() for one in distributions()}
for one in distributions():
    for line in one.requires or ():
        name, _, marker = line.partition(";")
        if "extra" in marker or "python_version <" in marker or "sys_platform" in marker:
            continue
        name = re.sub(r"[-_.]+", "-", re.match(r"[A-Za-z0-9._-]+", name)[0]).lower()
        if name not in held:
            print(one.metadata["Name"], "needs", line)
"""
    done = subprocess.run([str(python), "-I", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_a_missing_extra_names_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "find_spec", lambda name: None if name == "moto" else object())
    with pytest.raises(MissingExtra, match=re.escape("pip install 'sm-access[sandbox]'")):
        world.launch("default", parent=None, progress=print)
