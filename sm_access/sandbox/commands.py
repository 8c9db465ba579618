"""The command group `sandbox`: start, env, lab, stop, status, limits."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from typing import Any, TypeVar

import click

from sm_access.errors import SmAccessError
from sm_access.sandbox import company, state
from sm_access.sandbox.limits import LIMITS

Command = TypeVar("Command", bound=Callable[..., Any])


def _name_option(command: Command) -> Command:
    return click.option(
        "--name",
        default=state.DEFAULT_NAME,
        envvar="SM_ACCESS_SANDBOX",
        show_default=True,
        help="Which sandbox, when several run at once; inside one, that one.",
    )(command)


def _json_option(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


@click.group("sandbox")
def sandbox() -> None:
    """The embedded AWS: a seeded company on this machine in which calls really are allowed and denied."""


@sandbox.command()
@_name_option
@click.option("--foreground", is_flag=True, help="Stay until interrupted, and end the sandbox then.")
@_json_option
def start(name: str, foreground: bool, as_json: bool) -> None:
    """Start it, and return when everything is ready. Started already: says so."""
    from sm_access.sandbox.world import Sandbox
    from sm_access.sandbox.world import start as start_detached

    began = time.monotonic()
    if foreground and state.running(name) is None:
        with Sandbox(name, progress=_progress) as own, _until_interrupted():
            _say_started(own.state, True, time.monotonic() - began, as_json)
            if not as_json:
                click.echo("Runs until interrupted (Ctrl-C).")
            own.wait()
        return
    found, started_now = start_detached(name, progress=_progress)
    _say_started(found, started_now, time.monotonic() - began, as_json)


@sandbox.command()
@_name_option
@click.option(
    "--as",
    "principal",
    default="notebook",
    show_default=True,
    metavar="PRINCIPAL",
    help=f"Who to be: {', '.join(company.PRINCIPALS)}.",
)
@_json_option
def env(name: str, principal: str, as_json: bool) -> None:
    """Print what puts a shell into the sandbox: eval "$(sm-access sandbox env --as notebook)"."""
    from sm_access.sandbox.environment import shell_exports, variables

    try:
        changes = variables(state.require_running(name), principal)
    except SmAccessError:
        if not as_json:
            click.echo(
                "false"
            )  # so that `eval "$(...)" && ...` goes no further as whoever the shell was before
        raise
    click.echo(json.dumps(changes, indent=1) if as_json else shell_exports(changes))


@sandbox.command(context_settings={"ignore_unknown_options": True})
@_name_option
@click.argument("arguments", metavar="[PATH] [-- OPTIONS]", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def lab(context: click.Context, name: str, arguments: tuple[str, ...]) -> None:
    """Open JupyterLab as the notebook's role, in the folder or on the notebook PATH.

    OPTIONS are JupyterLab's, for example: sm-access sandbox lab notebooks -- --no-browser. A sandbox that does not
    run yet is started, and ends with JupyterLab.
    """
    from sm_access.sandbox.lab import open_lab, require_jupyterlab
    from sm_access.sandbox.world import Sandbox

    require_jupyterlab()
    running = state.running(name) is not None
    own = Sandbox(name, progress=_progress)
    with nullcontext(Sandbox.attach(name)) if running else own as world:
        click.echo(f"JupyterLab opens as {company.NOTEBOOK_ROLE}, on the embedded AWS (sandbox {name!r}).")
        click.echo("Decide on its requests from a second terminal, as the data's owner:")
        click.echo(f'  eval "$(sm-access sandbox env{_name_of(name)} --as approver)"')
        click.echo("  sm-access inbox")
        context.exit(open_lab(world.environment("notebook"), arguments))


@sandbox.command()
@_name_option
@_json_option
def stop(name: str, as_json: bool) -> None:
    """End it, and everything in it. Not running: says so."""
    from sm_access.sandbox.world import stop as stop_running

    stopped = stop_running(name)
    if as_json:
        click.echo(json.dumps({"name": name, "stopped": stopped}))
    else:
        click.echo(
            f"The sandbox {name!r} is stopped." if stopped else f"The sandbox {name!r} was not running."
        )


@sandbox.command()
@_name_option
@_json_option
@click.pass_context
def status(context: click.Context, name: str, as_json: bool) -> None:
    """Say whether it runs (exit code 0) or not (1), and where."""
    found = state.running(name)
    others = [other for other in state.names() if other != name and state.is_alive(other)]
    if as_json:
        click.echo(
            json.dumps(
                {
                    "name": name,
                    "running": found is not None,
                    **(_facts(found) if found else {}),
                    "others": others,
                },
                indent=1,
            )
        )
    elif found is None:
        click.echo(f"The sandbox {name!r} is not running. Start it: sm-access sandbox start{_name_of(name)}")
    else:
        click.echo(f"The sandbox {name!r} runs since {found.started_at} (process {found.pid}).")
        click.echo(f"  enforcing    {found.enforcer_url}   S3, IAM, STS, KMS, DynamoDB")
        click.echo(f"  shapes only  {found.shapes_url}   SageMaker and everything else")
        click.echo(f"  credentials  {found.credentials_url}")
        click.echo(f"  state        {found.directory}")
    if others and not as_json:
        click.echo(f"Also running: {', '.join(others)}")
    context.exit(0 if found else 1)


@sandbox.command()
@_json_option
def limits(as_json: bool) -> None:
    """Say where it differs from AWS."""
    if as_json:
        click.echo(json.dumps([asdict(limit) for limit in LIMITS], indent=1))
        return
    click.echo(
        "Where the stand-ins differ from AWS. What rests on one of these must be checked on AWS itself."
    )
    for limit in LIMITS:
        click.echo(f"\n{limit.what}  ({limit.stand_in})\n  here    {limit.here}\n  on AWS  {limit.on_aws}")


@contextmanager
def _until_interrupted() -> Iterator[None]:
    """An interrupt is how this ends, not how it fails."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)


def _progress(line: str) -> None:
    click.echo(line, err=True)


def _name_of(name: str) -> str:
    return "" if name == state.DEFAULT_NAME else f" --name {name}"


def _facts(found: state.State) -> dict[str, Any]:
    """All about a running sandbox that is no secret."""
    return {key: value for key, value in asdict(found).items() if key != "tokens"} | {
        "account": company.ACCOUNT,
        "region": company.REGION,
        "principals": list(company.PRINCIPALS),
    }


def _say_started(found: state.State, now: bool, seconds: float, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"started": now, "seconds": round(seconds, 2), **_facts(found)}, indent=1))
        return
    if not now:
        click.echo(f"The sandbox {found.name!r} is running already, since {found.started_at}.")
    else:
        click.echo(f"The embedded AWS is up: sandbox {found.name!r}, {seconds:.1f} s.")
        click.echo(f"  account     {company.ACCOUNT}, {company.REGION}")
        click.echo("  enforced    S3, IAM, STS, KMS, DynamoDB: calls are really allowed and denied")
        click.echo("  not         SageMaker and everything else: answers, but allows all")
        click.echo(f"  buckets     {', '.join(bucket.name for bucket in company.BUCKETS)}")
        click.echo(f"  notebooks   {', '.join(company.NOTEBOOKS)}")
        click.echo(f"  principals  {', '.join(company.PRINCIPALS)}")
        click.echo(f"It is a stand-in: {len(LIMITS)} known differences from AWS (sm-access sandbox limits).")
    option = _name_of(found.name)
    click.echo(f'Step in:  eval "$(sm-access sandbox env{option} --as notebook)"')
    click.echo(f"Stop it:  sm-access sandbox stop{option}")
