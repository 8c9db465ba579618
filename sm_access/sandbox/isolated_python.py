"""Modules run by this interpreter without looking for code where a person happens to stand.

`python -m` puts the working directory first on sys.path, before the standard library: a `json.py` in a shared
directory would run. PYTHONSAFEPATH prevents that, but from Python 3.11 on only; so the child is isolated (-I) and is
handed the search path of this process, less the working directory and what is relative to it.
"""

from __future__ import annotations

import json
import os
import sys
import sysconfig
from pathlib import Path

import sm_access

_PROGRAM = (
    "import json, runpy, sys; "
    "sys.path[:] = json.loads(sys.argv.pop(1)); "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


def module_command(module: str) -> list[str]:
    """The beginning of a command line that runs `module` as `python -m` would; its arguments follow."""
    return [sys.executable, "-I", "-c", _PROGRAM, json.dumps(search_path()), module]


def search_path() -> list[str]:
    """sys.path without the working directory, unless that is where this package or Python itself is."""
    package_parent = str(Path(sm_access.__file__).parent.parent)
    trusted = {os.path.realpath(path) for path in (package_parent, *sysconfig.get_paths().values())}
    try:
        here = os.path.realpath(Path.cwd())
    except OSError:
        here = ""  # it was removed, so nothing is found there
    # INVARIANT: no entry is relative; what it means would change with the working directory.
    found = [
        path
        for path in sys.path
        if Path(path).is_absolute() and (os.path.realpath(path) != here or os.path.realpath(path) in trusted)
    ]
    return found if package_parent in found else [package_parent, *found]
