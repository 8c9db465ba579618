"""JupyterLab as a child of this process, in an environment that is already the notebook's."""

from __future__ import annotations

import os
import signal
import subprocess
import sysconfig
from collections.abc import Mapping, Sequence
from importlib.util import find_spec

from sm_access.errors import MissingExtra
from sm_access.sandbox.isolated_python import module_command


def require_jupyterlab() -> None:
    """Raises MissingExtra where JupyterLab is not installed beside this package."""
    if find_spec("jupyterlab") is None:
        raise MissingExtra(
            "JupyterLab is not installed beside sm_access, so it cannot be opened here.",
            remedy="Install it: pip install jupyterlab",
        )


def open_lab(environment: Mapping[str, str], arguments: Sequence[str]) -> int:
    """Run JupyterLab until it ends, and return its exit code.

    environment: all of the child's variables. arguments: JupyterLab's own, a folder or notebook first where given.
    Its token stays on, and the commands of this environment come first on PATH, so that `!sm-access` in a cell is
    this package.
    """
    scripts = sysconfig.get_path("scripts")
    path = os.pathsep.join([scripts, environment.get("PATH", os.defpath)])
    # Jupyter refuses to run as root unless told; on a bare machine or in a container root is all there is.
    as_root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command = [*module_command("jupyterlab"), *arguments, *as_root]
    child = subprocess.Popen(command, env={**environment, "PATH": path})
    # Ctrl-C reaches JupyterLab by itself, which asks before it ends; until then there is something to wait for.
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: child.terminate()),
    }
    try:
        return child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
