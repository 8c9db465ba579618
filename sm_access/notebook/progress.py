"""Progress of a long reading beneath a cell: a line that changes, and that is gone when the answer is there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from IPython.display import display, update_display

from sm_access.bootstrap import Services
from sm_access.presentation.html import to_html
from sm_access.presentation.progress import AFTER, EVERY, progress_page
from sm_access.presentation.text import to_text

_NOTHING = {"text/plain": ""}


@contextmanager
def shown_progress(shell: Any, services: Services) -> Iterator[None]:
    """While this lasts, what is read is told; in a kernel alone: IPython in a terminal takes no line back."""
    if not hasattr(shell, "kernel"):
        yield
        return
    progress = _Progress()
    services.progress = progress
    try:
        yield
    finally:
        services.progress = None
        progress.close()


class _Progress:
    def __init__(self) -> None:
        self._next = time.monotonic() + AFTER
        self._id: str | None = None

    def __call__(self, done: int, total: int, words: str) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + EVERY
        page = progress_page(done, total, words)
        self._show({"text/plain": to_text(page), "text/html": to_html(page)})

    def close(self) -> None:
        if self._id is not None:
            self._show(_NOTHING)

    def _show(self, data: dict[str, str]) -> None:
        if self._id is None:
            handle: Any = display(data, raw=True, display_id=True)  # type: ignore[no-untyped-call]
            self._id = handle.display_id
        else:
            update_display(data, raw=True, display_id=self._id)  # type: ignore[no-untyped-call]
