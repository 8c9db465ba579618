"""The environment of the enforcing server, made once per user and Python version.

ministack requires one exact botocore, so it cannot live beside the person's own libraries. The environment is
made in the user's cache directory at first use: built under a temporary name and renamed, so that a half-made
one is never used, and behind a lock, so that two starts at once download once.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from sm_access.errors import SandboxUnavailable
from sm_access.sandbox.isolated_python import module_command
from sm_access.sandbox.ownership import require_own

_REQUIREMENTS = "enforcer-requirements.txt"
_ELSEWHERE = "export XDG_CACHE_HOME=DIRECTORY"


def cache_directory() -> Path:
    """$XDG_CACHE_HOME/sm_access, or ~/.cache/sm_access."""
    configured = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(configured) if Path(configured).is_absolute() else Path.home() / ".cache"
    return root / "sm_access"


def installed_python() -> Path | None:
    """The interpreter of the environment when it exists and can run; None when it has yet to be made.

    Raises SandboxUnavailable where another user could have put it there.
    """
    python = _directory() / "bin" / "python"
    for directory in (cache_directory(), _directory()):
        require_own(directory, otherwise=_ELSEWHERE)
    return python if python.exists() else None


def enforcer_python(progress: Callable[[str], None]) -> Path:
    """The interpreter of the environment, made first where it is missing. `progress` gets one line when it
    is.

    Raises SandboxUnavailable when the cache directory cannot be written or the packages cannot be installed.
    """
    python = installed_python()
    if python is not None:
        return python
    cache = cache_directory()
    try:
        cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        require_own(cache, otherwise=_ELSEWHERE)
        with _lock(cache / "enforcer.lock"):
            python = installed_python()
            if python is None:
                progress(
                    f"Making the environment of the embedded AWS in {_directory()} (once, 10-40 seconds) ..."
                )
                _make()
    except OSError as error:
        raise SandboxUnavailable(
            f"The environment of the embedded AWS could not be made in {cache}: {error.strerror or error}.",
            remedy=f"Make the directory writable, or choose another: {_ELSEWHERE}",
        ) from error
    return _directory() / "bin" / "python"


def _requirements() -> bytes:
    return resources.files(__package__).joinpath(_REQUIREMENTS).read_bytes()


def _directory() -> Path:
    """Named after all that decides what belongs in it, so that an upgrade makes a new one."""
    version = f"{sys.implementation.cache_tag} {platform.machine()} {sys.base_prefix}".encode()
    digest = hashlib.sha256(_requirements() + version).hexdigest()[:12]
    return cache_directory() / f"enforcer-{digest}"


def _make() -> None:
    target = _directory()
    building = Path(tempfile.mkdtemp(prefix="enforcer-building-", dir=target.parent))
    try:
        _install(building)
        if target.exists():  # its interpreter is gone: made by a Python that was since removed
            shutil.rmtree(target)
        building.rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _install(directory: Path) -> None:
    """A virtual environment with the pinned packages, installed by the pip at hand or else by one of its
    own.
    """
    outer_pip = (
        subprocess.run(
            [*module_command("pip"), "--version"], capture_output=True, check=False, cwd=directory
        ).returncode
        == 0
    )
    try:
        venv.EnvBuilder(symlinks=True, with_pip=not outer_pip).create(directory)
    except subprocess.CalledProcessError as error:
        raise SandboxUnavailable(
            "The environment of the embedded AWS could not be made: this Python has no pip.",
            remedy=f"Install pip beside {sys.executable}, then: sm-access sandbox start",
        ) from error
    python = directory / "bin" / "python"
    pip = [*module_command("pip"), "--python", str(python)] if outer_pip else [str(python), "-I", "-m", "pip"]
    requirements = directory / _REQUIREMENTS
    requirements.write_bytes(_requirements())
    done = subprocess.run(
        [
            *pip,
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--requirement",
            str(requirements),
        ],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        cwd=directory,
    )
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["pip gave no reason"]
        raise SandboxUnavailable(
            f"The packages of the embedded AWS could not be installed. pip said: {said[-1].strip()}",
            remedy="Check which package index pip uses (pip config list), then: sm-access sandbox start",
        )


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
