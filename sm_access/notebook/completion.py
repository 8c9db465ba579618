"""Completion of `%sm_access ...` in IPython and Jupyter: commands, options, levels, buckets and prefixes."""

from __future__ import annotations

import re
from typing import Any

from sm_access.bootstrap import Services
from sm_access.commands.completion import completions
from sm_access.commands.grammar import loop

#: `%sm_access`, `answer = %sm_access`, `%%sm_access`, and the command line behind `!`.
_LINE = re.compile(
    r"^\s*(?:[^\W\d][\w.]*\s*=\s*)?(?:%sm_access|(?P<of_a_cell>%%sm_access)|!{1,2}\s*sm-access)[ \t](?P<words>.*)$",
    re.DOTALL,
)
_IDENTIFIER = "sm_access"


class Completion:
    """A matcher in IPython's completer. Never raises; takes no longer than `completion.PATIENCE`."""

    def __init__(self, shell: Any, services: Services) -> None:
        self._completer = getattr(shell, "Completer", None)
        self._services = services
        self._matcher: Any = None

    def register(self) -> None:
        """Take part in completing. Where IPython is too old to ask us (before 8.6), nothing is completed."""
        try:
            from IPython.core.completer import context_matcher
        except ImportError:
            return
        if self._completer is not None:

            def matcher(
                context: Any,
            ) -> dict[str, Any]:  # IPython puts attributes on it, as on no bound method
                return self.match(context)

            self._matcher = context_matcher(identifier=_IDENTIFIER)(matcher)
            self._completer.custom_matchers.append(self._matcher)

    def unregister(self) -> None:
        if self._completer is not None and self._matcher in self._completer.custom_matchers:
            self._completer.custom_matchers.remove(self._matcher)

    def match(self, context: Any) -> dict[str, Any]:
        """IPython's Matcher API, version 2; nothing, unless the line is one of ours."""
        from IPython.core.completer import SimpleCompletion

        line = _LINE.match(context.text_until_cursor)
        if line is None:
            return {"completions": []}
        try:
            found, typed = self._found(line["of_a_cell"] is not None, line["words"])
        except Exception:  # noqa: BLE001  a press of a key never ends in a traceback in somebody's notebook
            found, typed = [], ""
        return {
            "completions": [
                SimpleCompletion(text=text, type="path" if "/" in text else "keyword") for text in found
            ],
            "matched_fragment": typed,
            "suppress": True,  # what Python and the file system would make of the line
        }

    def _found(self, of_a_cell: bool, words: str) -> tuple[list[str], str]:
        """What is offered, and the last word as it stands. A few words are at home in notebooks alone."""
        first, blank, rest = words.lstrip().partition(" ")
        if of_a_cell:
            return [] if blank else _beginning(("record",), first), first
        if blank and first == "denials":
            return _beginning(("on", "off"), rest.lstrip()), rest.lstrip()
        found, typed = completions(loop, words, self._services.follow_environment())
        return found + ([] if blank else _beginning(("denials",), first)), typed


def _beginning(words: tuple[str, ...], typed: str) -> list[str]:
    return [word for word in words if word.startswith(typed)]
