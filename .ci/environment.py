"""Make this checkout's own environment, `.venv`, or bring it up to date. Needs nothing but Python 3.10 or newer.

    python3 .ci/environment.py demo    what `make demo` needs: the package and the embedded AWS, no Node
    python3 .ci/environment.py dev     everything: tests, linters, the JupyterLab extension built
    python3 .ci/environment.py denials beside `dev`, in `.venv-denials`: the libraries of tests/denials

Safe to run several times at once: one makes it, the others wait. A second run with nothing changed takes no time.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
_IN_VENV = "Scripts/python.exe" if os.name == "nt" else "bin/python"
PYTHON = VENV / _IN_VENV
DENIALS = ROOT / ".venv-denials"
LIBRARIES = ROOT / "tests" / "denials" / "requirements.txt"
EXTRAS = {"demo": "sandbox", "dev": "dev"}
SOURCES = {
    "demo": ["pyproject.toml"],
    "dev": [
        "pyproject.toml",
        *(f"labextension/{part}" for part in ("*.json", "*.py", "src/**/*", "style/*")),
    ],
}


def main(kind: str) -> int:
    if sys.version_info < (3, 10):  # noqa: UP036 - this script meets every Python
        return _stop(
            f"Python 3.10 or newer is needed, and this is {sys.version.split()[0]}.",
            "Name another one: make PYTHON=python3.12 demo",
        )
    if kind == "denials":
        return main("dev") or _denials()
    with _lock():
        stamps = {name: VENV / f".{name}" for name in EXTRAS}
        wanted = _fingerprint(kind)
        if any(_says(stamps[name], _fingerprint(name)) for name in ("dev", kind)):
            return 0
        print(f"Making the environment .venv ({kind}) - once, this takes a minute or two", flush=True)
        if not PYTHON.exists() and _run([sys.executable, "-m", "venv", str(VENV)]):
            return _stop("Python could not make an environment.", "On Debian: apt-get install python3-venv")
        # The terminal needs no JupyterLab extension, so a demonstration needs neither Node nor npm.
        env = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        if kind == "demo":
            env["SM_ACCESS_SKIP_LABEXTENSION"] = "1"
        # An old pip gives up where a new one finds versions that fit together.
        if _run([str(PYTHON), "-m", "pip", "install", "--quiet", "--upgrade", "pip"], env):
            return _stop(
                "pip could not bring itself up to date.", "Read its message above; is PyPI reachable?"
            )
        if _run([str(PYTHON), "-m", "pip", "install", "--quiet", "--editable", f".[{EXTRAS[kind]}]"], env):
            return _stop(
                "pip could not install sm_access into .venv.", "Read its message above; is PyPI reachable?"
            )
        code = "from sm_access.sandbox.installation import enforcer_python; enforcer_python(print)"
        if _run([str(PYTHON), "-c", code]):
            return _stop("The embedded AWS could not be installed.", "Read the message above.")
        stamps["dev"].unlink(missing_ok=True)
        stamps[kind].write_text(wanted)
    return 0


def _denials() -> int:
    """An environment that sees all of `.venv`, and has the libraries of tests/denials before it."""
    with _lock():
        stamp = DENIALS / ".made"
        wanted = hashlib.sha256(f"{VENV}{sys.version}".encode() + LIBRARIES.read_bytes()).hexdigest()
        if stamp.exists() and stamp.read_text() == wanted:
            return 0
        print("Making the environment .venv-denials - once, this takes half a minute", flush=True)
        python = str(DENIALS / _IN_VENV)
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        base = subprocess.run(
            [str(PYTHON), "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        if _run([str(PYTHON), "-m", "venv", "--clear", "--without-pip", str(DENIALS)]):
            return _stop("Python could not make an environment.", "On Debian: apt-get install python3-venv")
        own = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        # Not the bare path: the files *.pth in there, such as that of an editable install, are to count as well.
        (Path(own) / "development.pth").write_text(f"import site; site.addsitedir({base!r})\n")
        # Without dependencies: requirements.txt says why. Of pip there is one in `.venv`, which is seen from here.
        if _run(
            [
                python,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-deps",
                "--ignore-installed",
                "--requirement",
                str(LIBRARIES),
            ]
        ):
            return _stop("pip could not install the libraries.", "Read its message above; is PyPI reachable?")
        stamp.write_text(wanted)
    return 0


def _fingerprint(kind: str) -> str:
    digest = hashlib.sha256(f"{ROOT}{sys.version}".encode())
    for pattern in SOURCES[kind]:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file():
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _says(stamp: Path, wanted: str) -> bool:
    return PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted


def _run(command: list[str], env: dict[str, str] | None = None) -> int:
    return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode


@contextmanager
def _lock() -> Iterator[None]:
    name = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    with (Path(tempfile.gettempdir()) / f"sm-access-environment-{name}.lock").open("w") as handle:
        if os.name != "nt":  # there, one at a time is up to the person
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _stop(what: str, remedy: str) -> int:
    print(f"\n{what}\n{remedy}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "demo"))
