"""`%sm_access ...`: the commands of the loop in a notebook, shown where the cell is."""

from __future__ import annotations

import json
import re
import shlex
from itertools import takewhile
from typing import Any

import click
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from IPython.display import display

from sm_access.bootstrap import Services
from sm_access.commands import inspecting, recording
from sm_access.commands.grammar import loop
from sm_access.errors import InvalidInput, SmAccessError
from sm_access.notebook.denial_hook import DenialHook
from sm_access.notebook.progress import shown_progress
from sm_access.presentation.failure import failure_page
from sm_access.presentation.noticing import denials_page
from sm_access.presentation.result import Result

_OPTIONS = ("--json", "--help")


@magics_class
class SmAccessMagics(Magics):
    """The magic `%sm_access`. Its answer is shown like any value of a cell, and can be assigned.

    Some words are at home in notebooks alone: `%sm_access denials on|off`, `%%sm_access record` above a cell, and
    `%%sm_access explain` above an error of several lines.
    """

    def __init__(self, shell: Any, services: Services, hook: DenialHook) -> None:
        super().__init__(shell)
        self._services = services
        self._hook = hook

    # INVARIANT: IPython evaluates no {...} of the line: its words may be names that somebody else gave to a folder.
    @no_var_expand
    @line_cell_magic
    def sm_access(self, line: str, cell: str | None = None) -> Result | None:
        """Who am I, what may I do, and how do I get what I lack. `%sm_access --help` lists the commands."""
        words = line.split()
        if cell is not None and words[:1] == ["explain"]:
            return answer(self._services, f"{line} {cell}")
        if cell is not None:
            return self._record(words, cell)
        if words[:1] == ["denials"]:
            return self._denials(words[1:])
        with shown_progress(self.shell, self._services):
            return answer(self._services, line)

    def _record(self, words: list[str], cell: str) -> Result | None:
        """Run the cell as it would run by itself, and show beneath it what it asked of AWS."""
        if words != ["record"]:
            return _failure(
                InvalidInput(
                    f"%%sm_access {' '.join(words)} is not a cell magic.",
                    remedy="Write %%sm_access record, or explain.",
                )
            )
        shell: Any = self.shell
        with recording.record() as recorded:
            shell.run_cell(cell)
        show(recorded.result)
        return None

    def _denials(self, words: list[str]) -> Result:
        if words not in ([], ["on"], ["off"]):
            return _failure(
                InvalidInput(
                    f"%sm_access denials takes on or off, not {' '.join(words)!r}.",
                    remedy="Write %sm_access denials on, or %sm_access denials off.",
                )
            )
        if words:
            self._hook.on = words == ["on"]
        return Result(denials_page(self._hook.on))

    def greeting(self) -> Result:
        """The quiet line of `%load_ext`."""
        try:
            return inspecting.greeting(services=self._services)
        except SmAccessError as error:
            return _failure(error)


def answer(services: Services, line: str) -> Result | None:
    """What a line of words comes to; help is printed, and every error we know is an answer as well."""
    try:
        words = _words(line)
    except ValueError as error:
        return _failure(InvalidInput(f"The line cannot be read: {error}.", remedy="Close the quotation."))
    try:
        result = loop.main(
            words, prog_name="%sm_access", standalone_mode=False, obj=services.follow_environment()
        )
    except click.ClickException as error:
        usage = (
            error.ctx.get_usage()
            if isinstance(error, click.UsageError) and error.ctx
            else "%sm_access --help"
        )
        return _failure(InvalidInput(f"{error.format_message()}", remedy=usage))
    except SmAccessError as error:
        return _failure(error)
    if isinstance(result, Result) and "--json" in words[: words.index("--") if "--" in words else None]:
        print(json.dumps(result.to_dict()))
        return None
    return result if isinstance(result, Result) else None


def _words(line: str) -> list[str]:
    """As a shell would split them; an error to be explained is taken as it stands, quotation marks and all."""
    verb, _, text = line.strip().partition(" ")
    if verb != "explain":
        return shlex.split(line)
    options = list(takewhile(lambda word: word in _OPTIONS, text.split()))
    for option in options:
        text = text.lstrip().removeprefix(option)
    # A kernel has no standard input to read: `-` is nothing but a dash here.
    return ["explain", *options, *(["--", text] if text.strip(" -\n") else [])]


def show(result: Result) -> None:
    display(result)  # type: ignore[no-untyped-call]


_TYPED = re.compile(rf"(?<![\w%./-])sm-access (?=(?:{'|'.join(sorted(loop.commands))})\b)")


def _failure(error: SmAccessError) -> Result:
    """The error as a page; what it says to type is typed here."""
    error.remedy = _TYPED.sub("%sm_access ", error.remedy)
    return Result(failure_page(error), error.exit_code)
