"""Progress of a long reading in a terminal: a line on standard error that is gone when the answer is there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status

from sm_access.bootstrap import Services
from sm_access.cli.terminal import styled
from sm_access.presentation.progress import AFTER, EVERY, progress_page


@contextmanager
def shown_progress(console: Console, services: Services) -> Iterator[None]:
    """While this lasts, what is read is told - where `console` is a terminal, and not a file or a pipe."""
    if not console.is_terminal:
        yield
        return
    progress = _Progress(console)
    services.progress = progress
    try:
        yield
    finally:
        services.progress = None
        progress.close()


class _Progress:
    def __init__(self, console: Console) -> None:
        self._next = time.monotonic() + AFTER
        self._console = console
        self._status: Status | None = None

    def __call__(self, done: int, total: int, words: str) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + EVERY
        text = styled(progress_page(done, total, words).headline)
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        else:
            self._status.update(text)

    def close(self) -> None:
        if self._status is not None:
            self._status.stop()
