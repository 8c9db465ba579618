"""A process that dies with the one that started it, even when that one is killed and can clean nothing up.

Two independent ways, because each has a hole. Linux delivers a signal when the parent dies (prctl(2),
PR_SET_PDEATHSIG), but only there, and it watches the parent's *thread*. A pipe whose writing end only the
parent holds reaches its end when the parent dies, everywhere, unless a fork of the parent kept the writing
end open.

This file imports only the standard library and nothing of sm_access: the enforcing server runs it in an
environment of its own, where sm_access is not installed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def die_with_parent(parent_pid: int) -> None:
    """Have the kernel kill this process when the thread that started it ends. Linux only; elsewhere does
    nothing.

    For children whose parent starts them from its main thread. `parent_pid` closes the race in which the
    parent is gone before the kernel is asked: then this process ends at once.
    """
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def end_with_pipe(read_fd: int, on_end: Callable[[], None]) -> threading.Thread:
    """Call `on_end` from a thread of its own once the writing end of the pipe is closed by everyone."""

    def wait() -> None:
        try:
            while os.read(read_fd, 1024):
                pass
        except OSError:
            pass
        on_end()

    thread = threading.Thread(target=wait, name="lifeline", daemon=True)
    thread.start()
    return thread
