"""What the commands of a cell print: `!aws s3 cp ...` and `%%bash` raise nothing that says why.

In a notebook IPython copies the output of both to Python's `sys.stdout` and `sys.stderr`, as it comes. For as long as
a cell with commands runs, these two pass on what they are given, and keep the end of it. Streaming, colours and
interrupts are IPython's and stay as they are. In a terminal `!` hands the terminal itself to the command: there is
nothing to read.
"""

from __future__ import annotations

import sys
from typing import Any

MOST_CHARACTERS = 64 * 1024


class _PassedOn:
    """A stream that keeps what goes through it; in everything else the stream behind it."""

    def __init__(self, stream: Any, kept: Printed) -> None:
        self._stream = stream
        self._kept = kept

    def write(self, text: Any) -> Any:
        self._kept.keep(text)
        return self._stream.write(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        if name == "_stream":  # asked of a copy that has none yet
            raise AttributeError(name)
        return getattr(self._stream, name)

    def __iter__(self) -> Any:
        return iter(self._stream)


class Printed:
    """The end of what is printed between `start` and `stop`."""

    def __init__(self) -> None:
        self.text = ""
        self._open = False
        self._streams: dict[str, tuple[Any, _PassedOn]] = {}

    def start(self) -> None:
        self._open = True
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            passed_on = _PassedOn(stream, self)
            self._streams[name] = (stream, passed_on)
            setattr(sys, name, passed_on)

    def stop(self) -> None:
        """Put back what was there; where somebody has put something else in its place meanwhile, that stays."""
        self._open = False
        for name, (stream, passed_on) in self._streams.items():
            if getattr(sys, name) is passed_on:
                setattr(sys, name, stream)
        self._streams.clear()

    def keep(self, text: Any) -> None:
        if self._open and isinstance(text, str):
            self.text = (self.text + text[-MOST_CHARACTERS:])[-MOST_CHARACTERS:]
