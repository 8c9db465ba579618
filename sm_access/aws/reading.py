"""One reading of AWS: calls in parallel, one deadline for all of them, and what failed named instead of raised.

Collectors are coroutines, so that what waits for what can be read off them: `gather` for what needs nothing of each
other, `await` for what does. Each call runs in a thread of its own; no thread ever waits for another call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar, cast

from sm_access.access.evidence import Unread
from sm_access.aws.session import AT_ONCE, GONE, THROTTLED, Aws, not_in_its_language, told
from sm_access.aws.workers import Workers
from sm_access.errors import (
    AccessDenied,
    AwsUnreachable,
    CannotTell,
    ExpiredCredentials,
    NoCredentials,
    NotSupportedHere,
    SmAccessError,
)
from sm_access.policy import UNREADABLE
from sm_access.policy.policy_set import Unreadable

T = TypeVar("T")

Progress = Callable[[int, int, str], None]
"""Told of calls that are done, of those begun so far, and what the last was about, in words; in the asker's thread."""

_GRACE_SECONDS = 2.0
"""What making an answer of what was read may take after the deadline."""


class Reading:
    """So many seconds for everything that one question reads. since: when it began, on the monotonic clock, where that
    was not just now.
    """

    def __init__(
        self,
        aws: Aws,
        *,
        progress: Progress | None = None,
        seconds: float | None = None,
        since: float | None = None,
    ) -> None:
        """seconds: for all of it, where less than the time-out is to be taken."""
        self.aws = aws
        self._begun = time.monotonic() if since is None else since
        self._ends = self._begun + (aws.timeout_seconds if seconds is None else seconds)
        self._workers = Workers(AT_ONCE)
        self._once: dict[Hashable, asyncio.Task[Any]] = {}
        self._progress = progress
        self._news: SimpleQueue[tuple[int, int, str] | None] = SimpleQueue()
        self._done = self._total = 0

    @property
    def is_over(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() >= self._ends

    def run(self, work: Callable[[Reading], Coroutine[Any, Any, T]]) -> T:
        """Do the work to its end, or to the deadline. Raises what it raises, and AwsUnreachable.

        In a thread of its own, for a notebook's kernel has a loop running already; and one that nobody waits for.
        """
        outcome: Future[T] = Future()
        running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[T]]] = []

        async def all_of_it() -> T:
            running.append((asyncio.get_running_loop(), cast("asyncio.Task[T]", asyncio.current_task())))
            return await work(self)

        def in_thread() -> None:
            try:
                outcome.set_result(asyncio.run(all_of_it()))
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever asked
                outcome.set_exception(error)
            finally:
                self._news.put(None)

        Thread(target=in_thread, name="sm_access-reading", daemon=True).start()
        try:
            self._wait()
            if not outcome.done():
                raise _late("reading what was asked about")
            return outcome.result()
        finally:
            self._workers.close()
            if running and not outcome.done():  # the person interrupted it, or it is late
                loop, task = running[0]
                with suppress(RuntimeError):  # it has just ended by itself
                    loop.call_soon_threadsafe(task.cancel)

    def _wait(self) -> None:
        while (seconds := self._ends + _GRACE_SECONDS - time.monotonic()) > 0:
            try:
                news = self._news.get(timeout=seconds)
            except Empty:
                return
            if news is None:
                return
            if self._progress is not None:
                self._progress(*news)

    async def call(self, doing: str, work: Callable[[], T], *, share: float = 1.0) -> T:
        """One call, or several that can only be made one after the other, such as pages.

        doing: it in words, e.g. "reading the role". share: the part of the whole time after which it is given up.
        Raises what `told` raises; AwsUnreachable at the deadline.
        """
        self._total += 1
        try:
            ends = self._begun + (self._ends - self._begun) * share
            seconds = ends - time.monotonic()
            if seconds <= 0:
                raise _late(doing)
            future = asyncio.wrap_future(self._workers.submit(lambda: _in_words(doing, work)))
            try:
                await asyncio.wait([future], timeout=seconds)
                if not future.done():
                    raise _late(doing)
                return future.result()
            finally:
                future.cancel()
        finally:
            self._done += 1
            self._news.put((self._done, self._total, doing))

    def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin now what is awaited later; if something else fails first, nobody asks for it, and that is fine."""
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    def once(self, key: Hashable, doing: str, work: Callable[[], T], *, share: float = 1.0) -> Awaitable[T]:
        """As `call`; but who asks for the same a second time gets the first one's answer."""
        if key not in self._once:
            self._once[key] = self.begin(self.call(doing, work, share=share))
        return cast("Awaitable[T]", self._once[key])

    async def layer(
        self,
        what: str,
        permission: str,
        answer: Awaitable[T],
        unread: list[Unread],
        *,
        is_fatal: Callable[[SmAccessError], bool] = lambda _: False,
    ) -> T | Unreadable:
        """The answer; where there is none, UNREADABLE, and into `unread` goes why.

        what: in words, e.g. "the inline policy x". permission: what would settle it where it is denied.
        Raises what is fatal; NoCredentials and ExpiredCredentials, with which nothing can be read at all.
        """
        try:
            return await answer
        except (AccessDenied, CannotTell) as error:
            if isinstance(error, NoCredentials | ExpiredCredentials) or is_fatal(error):
                raise
            unread.append(named(what, permission, error))
            return UNREADABLE


def named(what: str, permission: str, error: SmAccessError) -> Unread:
    """What was not read, and why."""
    if isinstance(error, AccessDenied):
        return Unread(what, permission)
    if isinstance(error, AwsUnreachable):
        return Unread(f"{what}, which did not answer in time", passing=True)
    if error.code in THROTTLED:
        return Unread(f"{what}, for which AWS was asked too often", passing=True)
    if isinstance(error, NotSupportedHere):
        return Unread(f"{what}, for which the endpoint has no answer", passing=True)
    if error.code in GONE:
        return Unread(f"{what}, which is gone", passing=True)
    return Unread(f"{what}, for which AWS answered {error.code or 'nothing that can be read'}", passing=True)


def in_order(unread: list[Unread]) -> tuple[Unread, ...]:
    """Each once, and in an order that does not hang on which call came back first."""
    return tuple(sorted(set(unread), key=lambda item: (item.what, item.permission)))


def _in_words(doing: str, work: Callable[[], T]) -> T:
    with told(doing):
        try:
            return work()
        except KeyError:  # an answer that lacks what AWS always sends: half of it, or a proxy's page
            raise not_in_its_language(doing) from None


def _late(doing: str) -> AwsUnreachable:
    return AwsUnreachable(
        f"AWS did not answer in time while {doing}.",
        remedy="Check the network and the VPC endpoints, or allow more with SM_ACCESS_TIMEOUT_SECONDS.",
    )
