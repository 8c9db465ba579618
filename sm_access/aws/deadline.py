"""Work that is over by a deadline: what has not answered by then is given up, and nothing waits for it.

Time-outs of clients bound one attempt of one call. A question is several of them - credentials that the SDK fetches by
itself, with time-outs and attempts of its own, then the calls - and a person waits for their sum.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from threading import Thread
from typing import Generic, TypeVar

from sm_access.errors import AwsUnreachable

T = TypeVar("T")


class Pending(Generic[T]):
    """Work under way. `doing`: it in words, e.g. "asking AWS who you are"."""

    def __init__(self, future: Future[T], ends: float, doing: str) -> None:
        self._future = future
        self._ends = ends
        self._doing = doing

    def result(self) -> T:
        """What the work came to, or raises what it raised. Raises AwsUnreachable at the deadline."""
        try:
            return self._future.result(timeout=max(0.0, self._ends - time.monotonic()))
        except NotInTime:
            if self._future.done():  # a time-out of the work's own
                raise
            raise AwsUnreachable(
                f"There was no answer in time while {self._doing}.",
                remedy="Check the network and the VPC endpoints, or allow more time with SM_ACCESS_TIMEOUT_SECONDS.",
            ) from None


class Deadline:
    """So many seconds from now, for all that is started with it."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def start(self, work: Callable[[], T], doing: str) -> Pending[T]:
        """Begin at once, in a thread that neither the caller nor the end of the interpreter waits for."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 whatever it is belongs to whoever asks for the result
                future.set_exception(error)

        Thread(target=run, name="sm-access", daemon=True).start()
        return Pending(future, self._ends, doing)
