"""What a running sandbox leaves on disk for those who use it, and how they tell that it is alive.

    $SM_ACCESS_SANDBOX_HOME, else $XDG_STATE_HOME/sm_access/sandbox, else ~/.local/state/sm_access/sandbox
      NAME.lock            held by the host for as long as it lives; holds its process id
      NAME.log             what its servers said; removed at a clean end
      NAME/                0700, everything in it 0600
        state.json         addresses and tokens
        config.toml        settings of sm_access for this world
        resource-metadata.json
        ledger.sqlite      made by whoever asks first
        aws-config aws-credentials   empty: no profile of the person leaks in

Liveness is the lock and nothing else: the kernel releases it when the host dies, however it dies, and a
process id that was given to another process cannot mislead. What another user could have written is refused.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

from sm_access.errors import InvalidInput, SandboxUnavailable
from sm_access.sandbox.loopback import require_loopback
from sm_access.sandbox.ownership import require_own

DEFAULT_NAME = "default"
UNNAMED = "own-"
"""How the name begins that a sandbox gets when nobody named it; it is used once."""
_ELSEWHERE = "export SM_ACCESS_SANDBOX_HOME=DIRECTORY"
_MARKER = ".sm-access-sandbox"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


@dataclass(frozen=True, slots=True)
class State:
    """One running sandbox. `tokens` open the credentials endpoint, one per principal; they have no repr."""

    name: str
    directory: str
    pid: int
    started_at: str
    enforcer_url: str
    shapes_url: str
    credentials_url: str
    vault_key_arn: str
    tokens: dict[str, str] = field(repr=False)

    def path(self, file: str) -> str:
        return str(Path(self.directory) / file)


def home() -> Path:
    """Where the sandboxes of this user keep their state."""
    configured = os.environ.get("SM_ACCESS_SANDBOX_HOME", "")
    if configured:
        return Path(configured).absolute()
    state_home = os.environ.get("XDG_STATE_HOME", "")
    root = Path(state_home) if Path(state_home).is_absolute() else Path.home() / ".local" / "state"
    return root / "sm_access" / "sandbox"


def directory_of(name: str) -> Path:
    """The state directory of the sandbox `name`. Raises InvalidInput for a name that could leave `home()`."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} cannot name a sandbox: lower-case letters, digits and hyphens, at most 31.",
            remedy="For example: sm-access sandbox start --name review",
        )
    return home() / name


def log_path(name: str) -> Path:
    return directory_of(name).with_name(f"{name}.log")


def open_log(name: str) -> BinaryIO:
    """The log of a sandbox, emptied, for its host to write and its starter to read."""
    path = log_path(name)
    with _writable(path.parent):
        _make_home()
        return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w+b")


def forget(name: str) -> None:
    """Remove every trace of a sandbox that ended and whose name nobody will use again."""
    remove_directory(name)
    for path in (log_path(name), *(home() / f"{name}.{purpose}" for purpose in ("lock", "start"))):
        path.unlink(missing_ok=True)


def prepare_directory(name: str) -> Path:
    """Make an empty, private state directory; what an earlier sandbox of this name left is removed first."""
    directory = directory_of(name)
    with _writable(directory):
        _make_home()
        remove_directory(name)
        directory.mkdir(mode=0o700)
        (directory / _MARKER).touch(mode=0o600)
    return directory


def remove_directory(name: str) -> None:
    """Remove the state directory. One that no sandbox made is refused: it is somebody's own."""
    directory = directory_of(name)
    if not directory.exists():
        return
    if not (directory / _MARKER).is_file():
        raise SandboxUnavailable(
            f"{directory} exists and was not made by a sandbox; it is left as it is.",
            remedy=f"Choose another name (--name) or another place: {_ELSEWHERE}",
        )
    shutil.rmtree(directory)


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read, all of it or nothing."""
    partial = path.with_name(path.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(path)


def save(state: State) -> None:
    write_private(Path(state.directory) / "state.json", json.dumps(asdict(state), indent=1))


def running(name: str = DEFAULT_NAME) -> State | None:
    """The running sandbox of this name, or None. What a killed one left behind is cleaned up on the way.

    Raises SandboxUnavailable for a state file whose addresses are not this machine's, or that another user could
    have written.
    """
    directory = directory_of(name)
    # INVARIANT: nothing is read, signalled or removed on the word of a file that another user could have written.
    for path in (home(), directory, directory / "state.json"):
        with _writable(path):
            require_own(path, otherwise=_ELSEWHERE)
    if not is_alive(name):
        if (directory / "state.json").exists():
            with _writable(directory):
                remove_directory(name)
        return None
    try:
        state = State(**json.loads((directory / "state.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None  # alive, but not ready yet
    for url in (state.enforcer_url, state.shapes_url, state.credentials_url):
        require_loopback(url)
    return state


def require_running(name: str = DEFAULT_NAME) -> State:
    """The running sandbox of this name. Raises SandboxUnavailable, saying how to start it."""
    stale = (directory_of(name) / "state.json").exists()
    state = running(name)
    if state is None:
        was = (
            "was killed; what it left behind is cleaned up"
            if stale and not is_alive(name)
            else "is not running"
        )
        option = "" if name == DEFAULT_NAME else f" --name {name}"
        raise SandboxUnavailable(
            f"The sandbox {name!r} {was}.", remedy=f"Start it: sm-access sandbox start{option}"
        )
    return state


def names() -> tuple[str, ...]:
    """The sandboxes that have a lock here, running or not, sorted."""
    return tuple(sorted(path.stem for path in home().glob("*.lock") if _NAME.fullmatch(path.stem)))


def is_alive(name: str) -> bool:
    """Whether a host of this name lives, ready or not."""
    try:
        with (home() / f"{name}.lock").open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def record_host(name: str) -> None:
    """Write this process's id into the lock that it holds."""
    (home() / f"{name}.lock").write_text(f"{os.getpid()}\n", "ascii")


def host_pid(name: str) -> int | None:
    """The process id that the living host wrote into its lock; None when nobody holds the lock or none is there."""
    if not is_alive(name):
        return None
    try:
        pid = int((home() / f"{name}.lock").read_text("ascii"))
    except (OSError, ValueError):
        return None
    return pid if pid > 1 else None


@contextmanager
def exclusive(name: str, purpose: str, *, wait: bool) -> Iterator[bool]:
    """Hold the lock file NAME.PURPOSE; yields whether it was got. With `wait` it always is, in time."""
    with _writable(home()):
        _make_home()
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        file = os.fdopen(os.open(home() / f"{name}.{purpose}", flags, 0o600), "r+")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True


def _make_home() -> None:
    home().mkdir(parents=True, exist_ok=True, mode=0o700)
    require_own(home(), otherwise=_ELSEWHERE)


@contextmanager
def _writable(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SandboxUnavailable(
            f"The state of the sandbox cannot be kept in {directory}: {error.strerror or error}.",
            remedy=f"Make it writable, or choose another place: {_ELSEWHERE}",
        ) from error
