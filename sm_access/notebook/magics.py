"""`%sm_access ...`: the commands of the loop in a notebook, shown where the cell is."""

from __future__ import annotations

import json
import shlex
from typing import Any

import click
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.display import display

from sm_access.bootstrap import Services
from sm_access.commands import inspecting
from sm_access.commands.grammar import loop
from sm_access.errors import InvalidInput, SmAccessError
from sm_access.presentation.failure import failure_page
from sm_access.presentation.result import Result


@magics_class
class SmAccessMagics(Magics):
    """The line magic `%sm_access`. Its answer is shown like any value of a cell, and can be assigned."""

    def __init__(self, shell: Any, services: Services) -> None:
        super().__init__(shell)
        self._services = services

    @line_magic
    def sm_access(self, line: str) -> Result | None:
        """Who am I, what may I do, and how do I get what I lack. `%sm_access --help` lists the commands."""
        return answer(self._services, line)

    def greeting(self) -> Result:
        """The quiet line of `%load_ext`."""
        try:
            return inspecting.greeting(services=self._services)
        except SmAccessError as error:
            return _failure(error)


def answer(services: Services, line: str) -> Result | None:
    """What a line of words comes to; help is printed, and every error we know is an answer as well."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        return _failure(InvalidInput(f"The line cannot be read: {error}.", remedy="Close the quotation."))
    try:
        result = loop.main(words, prog_name="%sm_access", standalone_mode=False, obj=services)
    except click.ClickException as error:
        usage = (
            error.ctx.get_usage()
            if isinstance(error, click.UsageError) and error.ctx
            else "%sm_access --help"
        )
        return _failure(InvalidInput(f"{error.format_message()}", remedy=usage))
    except SmAccessError as error:
        return _failure(error)
    if isinstance(result, Result) and "--json" in words:
        print(json.dumps(result.to_dict()))
        return None
    return result if isinstance(result, Result) else None


def show(result: Result) -> None:
    display(result)  # type: ignore[no-untyped-call]


def _failure(error: SmAccessError) -> Result:
    return Result(failure_page(error), error.exit_code)
