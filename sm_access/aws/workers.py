"""Threads for calls that may hang: bounded in number, and nobody waits for them at the end of the interpreter.

Python's own pool joins its threads when the interpreter exits, however long a call in them still takes.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

T = TypeVar("T")
Job = tuple[Future[Any], Callable[[], Any]]


class Workers:
    """Up to `most` daemon threads, started as they are needed. Work that waits for other work must not run in them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = Lock()
        self._threads = 0
        self._free = 0
        self._waiting = 0

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Do it as soon as a thread is free. A future that is cancelled before is never begun."""
        future: Future[T] = Future()
        with self._lock:
            self._waiting += 1
            another = self._waiting > self._free and self._threads < self._most
            if another:
                self._threads += 1
                self._free += 1
        self._jobs.put((future, work))
        if another:
            Thread(target=self._work, name="sm_access-call", daemon=True).start()
        return future

    def close(self) -> None:
        """Let every thread end once its work is done; this waits for none."""
        with self._lock:
            threads = self._threads
        for _ in range(threads):
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            with self._lock:
                self._waiting -= 1
                self._free -= 1
            future, work = job
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work())
                except BaseException as error:  # noqa: BLE001 - it belongs to whoever asks for the result
                    future.set_exception(error)
            with self._lock:
                self._free += 1
