"""An answer as a file for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from sm_access.commands.documents import printable
from sm_access.errors import InvalidInput
from sm_access.presentation.page import Page, Tone, code, line
from sm_access.presentation.permissions import Permissions
from sm_access.presentation.result import Result
from sm_access.presentation.who import Who

STANDARD_OUTPUT = "-"


def export_csv(found: Permissions | Who, file: str) -> Result | int:
    """Write the table as CSV in UTF-8; `-` prints it. Raises InvalidInput where the file cannot be written."""
    text = found.to_csv()
    if file == STANDARD_OUTPUT:
        click.echo(text, nl=False)
        return found.exit_code
    try:
        Path(file).write_text(text, encoding="utf-8", newline="")
    except OSError as problem:
        raise InvalidInput(
            f"{printable(file)} cannot be written: {problem.strerror or type(problem).__name__}.",
            remedy="Name another file, or `-` for standard output.",
        ) from None
    count = len(found.records())
    what = "principal" if isinstance(found, Who) else "place"
    words = line(f"Wrote {count} {what if count == 1 else f'{what}s'} to ", code(printable(file)), ".")
    return Result(Page(words, Tone.OK, data={"file": file, f"{what}s": count}), found.exit_code)
