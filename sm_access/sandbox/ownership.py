"""Whether a file or directory is this user's alone to change: only then is what it holds believed or run."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from sm_access.errors import SandboxUnavailable


def require_own(path: Path, *, otherwise: str) -> None:
    """Raise SandboxUnavailable where another user owns `path` or may write it; one that is missing passes.

    otherwise: how to choose another place, as a command. Systems without user ids pass. OSError passes through.
    """
    if not hasattr(os, "getuid"):
        return
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    if found.st_uid != os.getuid():
        raise SandboxUnavailable(
            f"{path} belongs to another user (id {found.st_uid}); nothing in it is used.",
            remedy=f"Choose another place: {otherwise}",
        )
    if stat.S_IMODE(found.st_mode) & (stat.S_IWGRP | stat.S_IWOTH):
        raise SandboxUnavailable(
            f"Other users can change {path}; nothing in it is used.",
            remedy=f"Take that away: chmod go-w {shlex.quote(str(path))} - or choose another place: {otherwise}",
        )
