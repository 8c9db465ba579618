"""Several ways to tell, tried one after the other; what does not work is logged, and hinders nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from sm_access.access.events import Event
from sm_access.access.model import AccessRequest

_LOG = logging.getLogger("sm_access.requests")


class Channel(Protocol):
    """One way to tell. `send` returns '' when it was taken, else why not; it raises nothing."""

    def send(self, title: str, text: str) -> str: ...


class Words(Protocol):
    """How an event is put; None for what nobody has to be told."""

    def __call__(self, request: AccessRequest, event: Event) -> tuple[str, str] | None: ...


class Log:
    """Python's own log, under the name `sm_access.requests`: a warning for an emergency, else information."""

    def send(self, title: str, text: str) -> str:
        level = logging.WARNING if title.startswith("EMERGENCY") else logging.INFO
        _LOG.log(level, "%s | %s", title, text.replace("\n", " | "))
        return ""


class Notifiers:
    """The port `Notifier` over some channels."""

    def __init__(self, channels: Sequence[Channel], words: Words) -> None:
        self._channels = tuple(channels)
        self._words = words

    def tell(self, request: AccessRequest, event: Event) -> None:
        said = self._words(request, event)
        for channel in self._channels if said is not None else ():
            why = channel.send(*said)  # type: ignore[misc]  # not None: the loop is empty then
            if why:
                _LOG.warning("A %s could not be told of %s: %s", type(channel).__name__, request.id, why)
