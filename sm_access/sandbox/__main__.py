"""`python -m sm_access.sandbox`: the command group on its own."""

from __future__ import annotations

import sys

import click

from sm_access.errors import SmAccessError
from sm_access.sandbox.commands import sandbox


def main() -> int:
    try:
        sandbox(prog_name="sm-access sandbox")
    except SmAccessError as error:
        click.echo(str(error), err=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
