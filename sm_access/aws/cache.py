"""What this process has read already, so that the next question need not wait for it.

In memory alone, and gone with the process: what a role may do does not belong on a disk, where it would grow old unseen
and be read by others. An answer is found again only by who got it - the principal as AWS just named it, with the very
same credentials, from the same endpoints - and only for as long as the setting allows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

_MOST = 20_000
"""How many answers are kept: a principal and all the buckets that an account can have."""

_SETTLING_SECONDS = 60.0


@dataclass(slots=True, eq=False)
class Claim:
    """An answer that somebody reads or has read. is_mine: it is for this asker to read, and to `settle` or `drop`."""

    begun: float
    is_mine: bool = True
    future: Future[Any] = field(default_factory=Future)


class Cache:
    """Answers by key; what several ask for at once is read once. For all threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._claims: dict[Hashable, Claim] = {}
        self._keeps_from = clock()

    def claim(self, key: Hashable, max_age: float) -> Claim:
        """The answer that was begun at most so many seconds ago; otherwise a new claim, for the asker to read."""
        with self._lock:
            now = self._clock()
            held = self._claims.get(key)
            if held is not None and now - held.begun < max_age:
                return Claim(held.begun, is_mine=False, future=held.future)
            claim = Claim(now)
            if max_age > 0 and now >= self._keeps_from:
                self._claims.pop(key, None)
                while len(self._claims) >= _MOST:
                    self._claims.pop(next(iter(self._claims)))
                self._claims[key] = claim
            return claim

    def settle(self, key: Hashable, claim: Claim, answer: Any, *, keep: bool) -> None:
        """The answer is there. keep: later askers get it too, not only those who wait already."""
        if not keep:
            self._forget(key, claim)
        claim.future.set_result(answer)

    def drop(self, key: Hashable, claim: Claim) -> None:
        """There is no answer; who waits for it gets None, and reads for itself."""
        self._forget(key, claim)
        claim.future.set_result(None)

    def forget(self, key: Hashable) -> None:
        """The next claim is for its asker to read."""
        with self._lock:
            self._claims.pop(key, None)

    def clear(self) -> None:
        """Something was changed: forget everything, also what is being read, and keep nothing until AWS shows it.

        IAM is eventually consistent (IAM User Guide, "Troubleshoot IAM", "Changes that I make are not always
        immediately visible"): what is read right after a change may be what was before.
        """
        with self._lock:
            self._claims.clear()
            self._keeps_from = self._clock() + _SETTLING_SECONDS

    def _forget(self, key: Hashable, claim: Claim) -> None:
        with self._lock:
            if self._claims.get(key) is claim:
                del self._claims[key]


PROCESS = Cache()
"""The one of this process. Whoever writes to IAM here clears it."""
