"""`sm-access`: parse, call, show, exit. 0 yes, 1 no, 2 wrong use, 3 cannot tell."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click
from rich.console import Console

from sm_access import __version__
from sm_access.bootstrap import Services
from sm_access.cli.progress import shown_progress
from sm_access.cli.terminal import show
from sm_access.commands.grammar import loop
from sm_access.commands.headings import HeadedGroup
from sm_access.errors import (
    AwsUnreachable,
    InvalidInput,
    InvalidSetting,
    NoCredentials,
    SandboxUnavailable,
    SmAccessError,
)
from sm_access.presentation.failure import failure_page, failure_view
from sm_access.presentation.result import Result

_LATE = {
    "completion": "sm_access.cli.completion",
    "demo": "sm_access.cli.demo",
    "sandbox": "sm_access.sandbox.commands",
}


class _LateGroup(HeadedGroup):
    """A group some of whose commands are imported only when they are named or listed."""

    def list_commands(self, _: click.Context) -> list[str]:
        return [*self.commands, *_LATE]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name in _LATE:
            command: click.Command = getattr(import_module(_LATE[name]), name)
            return command
        return super().get_command(context, name)


@click.group(
    cls=_LateGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 yes, 1 no, 2 wrong use, 3 cannot tell. Without an AWS account: sm-access sandbox start",
)
@click.option("--explain", is_flag=True, help="Show the detail that is folded away otherwise.")
@click.version_option(__version__, prog_name="sm-access")
@click.pass_context
def sm_access(context: click.Context, explain: bool) -> None:
    """Who am I, what may I do, and how do I get what I lack - on an assumed IAM role.

    \b
      sm-access whoami
      sm-access can read s3://my-bucket/raw/
      sm-access request s3://my-bucket/raw/ read --for 7d --why "churn model"
    """
    context.meta["sm_access.explain"] = explain
    context.ensure_object(Services)


for _command in loop.commands.values():
    sm_access.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; the console script exits with it."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with sm_access.make_context("sm-access", given) as context:
            return _run(context)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show(sys.stdout)
        return 2
    except click.ClickException as error:
        if "--json" in given:
            click.echo(json.dumps(failure_view(_wrong_use(error))))
        else:
            error.show()
        return 2
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return 130


def _wrong_use(error: click.ClickException) -> InvalidInput:
    """What click found wrong with the command line, as one of ours."""
    context = getattr(error, "ctx", None)
    return InvalidInput(error.format_message(), remedy=context.get_usage() if context is not None else "")


def _run(context: click.Context) -> int:
    try:
        with shown_progress(Console(stderr=True), context.ensure_object(Services)):
            result = sm_access.invoke(context)
    except SmAccessError as raised:
        error = _with_the_sandbox_named(raised)
        if context.meta.get("sm_access.json") or "--json" in sys.argv[1:]:
            click.echo(json.dumps(failure_view(error)))
        else:
            show(Console(stderr=True), failure_page(error))
        return error.exit_code
    if not isinstance(result, Result):
        return int(result or 0)
    if context.meta.get("sm_access.json"):
        click.echo(json.dumps(result.to_dict()))
    else:
        show(Console(), result.page, unfold=context.meta["sm_access.explain"])
    return result.exit_code


def _with_the_sandbox_named(error: SmAccessError) -> SmAccessError:
    """Where this shell stepped into a sandbox that is gone, that is what happened, whatever failed because of it."""
    name = os.environ.get("SM_ACCESS_SANDBOX", "")
    unanswered = isinstance(error, (NoCredentials, AwsUnreachable))
    # A stopped sandbox takes its settings with it.
    lost = isinstance(error, InvalidSetting) and not Path(os.environ.get("SM_ACCESS_CONFIG", "")).is_file()
    if not name or not (unanswered or lost):
        return error
    state = import_module("sm_access.sandbox.state")
    if state.running(name) is not None:
        return error
    return SandboxUnavailable(
        f"This shell stepped into the sandbox {name!r}, which is not running.",
        remedy=f"Start it (sm-access sandbox start --name {name}) and step in again, or open a new shell.",
    )


def run() -> None:
    """The console script. A reader that goes away, as `| head -1` does, is no failure to tell of."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no ✓ shows ? instead
    try:
        asked = os.environ.get("_SM_ACCESS_COMPLETE")
        if asked:  # a shell asks what may stand next, and a person waits
            code = import_module("sm_access.cli.completion").answer(sm_access, asked)
            sys.stdout.flush()
            os._exit(code)  # without waiting for calls that are still under way
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # Python's documentation, "Note on SIGPIPE": else the interpreter's own flush at exit fails again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)
