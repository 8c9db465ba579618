"""One blocking call at a time, shared by everybody who asks while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class SharedCall(Generic[Answer]):
    """Runs `call` in a thread of its own, so that an endpoint that hangs costs one thread and no more.

    Nothing is kept: who asks after the call has ended starts the next one. Belongs to one event loop.
    """

    def __init__(self, call: Callable[[], Answer]) -> None:
        self._call = call
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sm-access")
        self._running: asyncio.Future[Answer] | None = None

    async def result(self) -> Answer:
        """The answer of the call that is running, or of a new one. Raises what the call raises.

        Shielded: one asker who goes away (a closed tab) does not cancel the others' answer.
        """
        if self._running is None or self._running.done():
            self._running = asyncio.get_running_loop().run_in_executor(self._threads, self._call)
        return await asyncio.shield(self._running)
