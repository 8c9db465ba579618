"""The words people type, declared once: the command line mounts them, and the notebook's magics parse with them.

Every command returns a `Result`; showing it and turning it into an exit code is the surface's work.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from sm_access.access.denial_message import MOST_CHARACTERS
from sm_access.bootstrap import Services
from sm_access.commands import (
    audit_log as auditing,
)
from sm_access.commands import (
    completion,
    deploying,
    explaining,
    exporting,
    inspecting,
    linting,
    publishing,
    requesting,
    requirements,
    simulation,
)
from sm_access.commands import who as who_asking
from sm_access.commands.headings import HeadedGroup
from sm_access.deployment.exported_grant import FORMATS as GRANT_FORMATS
from sm_access.presentation.failure import failure_page
from sm_access.presentation.result import Result
from sm_access.presentation.text import to_text

F = TypeVar("F", bound=Callable[..., Any])

WHERE = "s3://BUCKET[/PREFIX/]"


@click.group(cls=HeadedGroup, invoke_without_command=True)
@click.pass_context
def loop(context: click.Context) -> Result | None:
    """Who am I, what may I do, and how do I get what I lack."""
    context.ensure_object(Services)
    if context.invoked_subcommand is None:
        return inspecting.whoami(services=context.obj)
    return None


def _verb(name: str, group: click.Group = loop) -> Callable[[F], click.Command]:
    """A command of the loop, or of a group in it; each has `--json`, which the surface looks for."""

    def wrap(function: F) -> click.Command:
        option = click.option(
            "--json",
            "as_json",
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_remember_json,
            help="Print the answer as JSON.",
        )
        return group.command(name)(option(click.pass_obj(function)))

    return wrap


def _needed(level: str, words: str) -> Callable[[F], F]:
    """An option of `require`: places at which this level is needed."""
    return click.option(
        f"--{level}",
        level,
        metavar="PLACE",
        multiple=True,
        shell_complete=completion.places,
        help=words,
    )


def _remember_json(context: click.Context, _: click.Parameter, value: bool) -> bool:
    context.meta["sm_access.json"] = value  # one mapping for the whole chain of contexts
    return value


def _as_json() -> bool:
    return bool(click.get_current_context().meta.get("sm_access.json"))


_probe = click.option(
    "--probe", is_flag=True, help="Where policies leave it open, make read-only calls to see."
)
_refresh = click.option("--refresh", is_flag=True, help="Read everything anew, and use nothing read before.")


@_verb("whoami")
def whoami(services: Services) -> Result:
    """The role this process works on, through what, until when."""
    return inspecting.whoami(services=services)


@_verb("can")
@click.argument("what", metavar="LEVEL|ACTION", shell_complete=completion.questions)
@click.argument("where", metavar=WHERE, shell_complete=completion.places)
@_probe
@_refresh
def can(services: Services, what: str, where: str, **how: bool) -> Result:
    """May I list, read, write or delete there - or do one action, such as s3:PutObject - and why?"""
    return inspecting.can(what, where, services=services, **how)


@_verb("permissions")
@click.argument("where", metavar=f"[{WHERE}]...", nargs=-1, shell_complete=completion.places)
@click.option("--filter", metavar="TEXT", default="", help="Only places that contain this text.")
@click.option(
    "--can",
    metavar="LEVEL",
    multiple=True,
    shell_complete=completion.levels,
    help="Only where the answer is yes for this level; may be repeated.",
)
@click.option("--all", "everything", is_flag=True, help="All places, not only the first 200.")
@_probe
@click.option(
    "--service",
    metavar="NAME",
    shell_complete=completion.services,
    help="Instead, the actions of one service, e.g. sagemaker.",
)
@click.option(
    "--csv", "csv_file", metavar="FILE", help="Write the table as CSV; `-` for standard output. All places."
)
@_refresh
def permissions(
    services: Services, where: tuple[str, ...], everything: bool, csv_file: str | None, **narrowed: Any
) -> Result | int:
    """Buckets and prefixes x {list, read, write, delete}, each with its reason."""
    complete = everything or csv_file is not None or _as_json()
    found = inspecting.permissions(*where, everything=complete, services=services, **narrowed)
    return found if csv_file is None else exporting.export_csv(found, csv_file)


@_verb("require")
@_needed("list", "Must be listable; each may be repeated.")
@_needed("read", "Must be readable.")
@_needed("write", "Must be writable.")
@_needed("delete", "Must be deletable.")
@click.option(
    "--unknown",
    metavar="raise|warn|allow",
    default="raise",
    show_default=True,
    shell_complete=completion.choices,
    help="What to do about access that could not be confirmed.",
)
def require(services: Services, **needed: Any) -> Result:
    """Stop unless all of this is allowed, and say all that is missing at once: for the top of a script.

    Exit 0: all there. 1: something is missing. 3: nothing is surely missing, and something could not be confirmed.
    """
    result, unconfirmed = requirements.checked(services=services, **needed)
    if unconfirmed is not None and needed["unknown"] == "warn":
        click.echo(to_text(failure_page(unconfirmed)), err=True)
    return result


@_verb("explain")
@click.argument("text", metavar="[TEXT | -]", nargs=-1)
def explain(services: Services, text: tuple[str, ...]) -> Result:
    """Why was this refused? TEXT: the message of an error, `-` to read it from standard input.

    Without it, in a notebook: the last denial there.
    """
    given = sys.stdin.read(MOST_CHARACTERS) if text == ("-",) else " ".join(text)
    return explaining.explain(given or None, services=services)


@_verb("request")
@click.argument("where", metavar=WHERE, shell_complete=completion.places)
@click.argument("level", metavar="list|read|write|delete", shell_complete=completion.levels)
@click.option(
    "--for", "duration", default="7d", show_default=True, metavar="TIME", help="How long, e.g. 8h or 7d."
)
@click.option("--why", required=True, metavar="TEXT", help="What it is for: the reviewer reads this.")
@click.option("--person", metavar="NAME", help="Who asks, shown to the reviewer as a claim.")
@click.option(
    "--with",
    "extras",
    multiple=True,
    metavar="versions|tags",
    shell_complete=completion.choices,
    help="Also earlier versions of objects, or their tags.",
)
@click.option("--only-me", is_flag=True, help="For this user profile's sessions alone, by source identity.")
@click.option("--dry-run", is_flag=True, help="Show what would be asked for, and ask nothing.")
def request(services: Services, where: str, level: str, **options: Any) -> Result:
    """Ask for access to a bucket or prefix for the role you work on."""
    return requesting.request_access(where, level, services=services, **options)


@_verb("requests")
@click.option("--everyone", is_flag=True, help="Those of all roles, not only of this one.")
def requests(services: Services, everyone: bool) -> Result:
    """My role's requests, and where they stand."""
    return requesting.requests(everyone=everyone, services=services)


@_verb("show")
@click.argument("id")
def show(services: Services, id: str) -> Result:
    """One request, with the exact statements."""
    return requesting.show(id, services=services)


@_verb("inbox")
def inbox(services: Services) -> Result:
    """What waits for my decision."""
    return requesting.inbox(services=services)


@_verb("approve")
@click.argument("id")
@click.option("--terms", metavar="SHA256", help="Approve only if the terms are still those of this hash.")
def approve(services: Services, id: str, terms: str | None) -> Result:
    """Agree to exactly what was shown; it is applied to the role."""
    return requesting.approve(id, terms=terms, services=services)


@_verb("reject")
@click.argument("id")
@click.option("--why", required=True, metavar="TEXT", help="What the requester should know.")
def reject(services: Services, id: str, why: str) -> Result:
    """Say no."""
    return requesting.reject(id, why=why, services=services)


@_verb("narrow")
@click.argument("id")
@click.option("--why", required=True, metavar="TEXT", help="What the requester should know.")
@click.option(
    "--where",
    metavar=WHERE,
    shell_complete=completion.places,
    help="A place within the one that was asked for.",
)
@click.option("--level", metavar="list", help="Listing alone: no other level includes another.")
@click.option("--for", "duration", metavar="TIME", help="A shorter time, e.g. 8h.")
@click.option("--without-extras", is_flag=True, help="No versions and no tags.")
def narrow(services: Services, id: str, without_extras: bool, **options: Any) -> Result:
    """Take away from what a request asks for; it still waits to be approved."""
    return requesting.narrow(id, extras=() if without_extras else None, services=services, **options)


@_verb("extend")
@click.argument("id")
@click.option(
    "--for", "duration", default="7d", show_default=True, metavar="TIME", help="How long, from approval."
)
@click.option(
    "--why",
    default="still needed",
    show_default=True,
    metavar="TEXT",
    help="What it is for: the reviewer reads this.",
)
def extend(services: Services, id: str, duration: str, why: str) -> Result:
    """Ask for the same once more; the old grant stays until its end."""
    return requesting.extend(id, duration=duration, why=why, services=services)


@_verb("release")
@click.argument("id")
def release(services: Services, id: str) -> Result:
    """Give a grant back that is no longer needed."""
    return requesting.release(id, services=services)


@_verb("break-glass")
@click.argument("id")
@click.option(
    "--why", required=True, metavar="TEXT", help="What the emergency is: everyone who decides reads this."
)
def break_glass(services: Services, id: str, why: str) -> Result:
    """Take what was asked for now, in an emergency, where the rules leave that; everyone is told."""
    return requesting.break_glass(id, why=why, services=services)


@_verb("withdraw")
@click.argument("id")
def withdraw(services: Services, id: str) -> Result:
    """Take back a request that nobody has decided on."""
    return requesting.withdraw(id, services=services)


@_verb("revoke")
@click.argument("id")
@click.option("--why", default="no longer needed", show_default=True, metavar="TEXT", help="For the record.")
def revoke(services: Services, id: str, why: str) -> Result:
    """End a grant now, and take it off the role."""
    return requesting.revoke(id, why=why, services=services)


@_verb("prove")
@click.argument("id")
def prove(services: Services, id: str) -> Result:
    """Show with real calls that a grant works, and that its sibling does not."""
    return requesting.prove(id, services=services)


@_verb("export-grant")
@click.argument("id")
@click.option(
    "--format",
    "form",
    type=click.Choice(tuple(GRANT_FORMATS)),
    default="terraform",
    show_default=True,
    help="What to write.",
)
@click.option(
    "--output", metavar="FILE", default="-", show_default=True, help="Where to; `-` for standard output."
)
def export_grant(services: Services, id: str, form: str, output: str) -> Result | int:
    """Write a grant as a file for a repository that IAM is applied from: exactly what was approved."""
    found = requesting.export_grant(
        id, form=form, output=None if output == auditing.STANDARD_OUTPUT else output, services=services
    )
    if output != auditing.STANDARD_OUTPUT or _as_json():
        return found
    click.echo(found.to_dict()["text"], nl=False)
    return 0


@_verb("reconcile")
@click.option(
    "--keep-drift", is_flag=True, help="Leave our policies as somebody changed them, and only say so."
)
def reconcile(services: Services, keep_drift: bool) -> Result:
    """Apply what was approved or a rule approves, and collect what has ended."""
    return requesting.reconcile(keep_drift=keep_drift, services=services)


@_verb("bootstrap")
@click.option(
    "--notebook-role", "notebook_roles", multiple=True, required=True, metavar="ROLE", help="Who asks."
)
@click.option(
    "--approver-role", "approver_roles", multiple=True, required=True, metavar="ROLE", help="Who decides."
)
@click.option(
    "--boundary", required=True, metavar="POLICY", help="The permissions boundary of the notebook roles."
)
@click.option("--rules", metavar="FILE", help="Settings whose rules are published to the account.")
@click.option(
    "--format",
    "form",
    type=click.Choice(tuple(deploying.FORMATS)),
    default="cloudformation",
    show_default=True,
    help="What to write.",
)
@click.option("--output", metavar="FILE", help="Where to write it; otherwise it is printed.")
@click.option(
    "--table", default="sm-access-ledger", show_default=True, metavar="NAME", help="The ledger's table."
)
@click.option("--region", metavar="REGION", help="Where; default the Region of this process.")
@click.option("--minutes", default=5, show_default=True, metavar="N", help="How often the reconciler runs.")
def bootstrap(services: Services, **options: Any) -> Result:
    """Write the template of a team's set-up: ledger, permissions, reconciler. Applies nothing."""
    return deploying.bootstrap(services=services, **options)


@_verb("simulate")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
def simulate(_: Services, files: tuple[str, ...]) -> Result | int:
    """Decide the scenarios in files of JSON, JSON lines or YAML (`-`: standard input), and compare with `expect`.

    Exit 0: all met, or - where a scenario expects nothing - allowed. 1: some not. 3: undetermined.
    """
    result = simulation.simulate(*files)
    return simulation.print_lines(result, "scenarios") if _as_json() else result


@_verb("lint")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--kind", metavar="KIND", help="Where the policies are to be attached, e.g. managed, bucket or trust."
)
@click.option("--strict", is_flag=True, help="Exit 1 for warnings as well.")
def lint(_: Services, files: tuple[str, ...], kind: str | None, strict: bool) -> Result | int:
    """What AWS would refuse in policy documents (`-`: standard input), and what is legal and surely wrong."""
    result = linting.lint(*files, kind=kind, strict=strict)
    return simulation.print_lines(result, "findings") if _as_json() else result


@loop.group("who")
def who() -> None:
    """For an admin: who in the account may do something."""


@_verb("can", who)
@click.argument("what", metavar="LEVEL|ACTION", shell_complete=completion.questions)
@click.argument("where", metavar=WHERE, shell_complete=completion.places)
@click.option("--all", "everybody", is_flag=True, help="List those who may not as well.")
@click.option("--csv", "csv_file", metavar="FILE", help="Write everybody as CSV; `-` for standard output.")
def who_can(services: Services, what: str, where: str, everybody: bool, csv_file: str | None) -> Result | int:
    """Which roles, groups and users may list, read, write or delete there - or do one action."""
    found = who_asking.who_can(what, where, everybody=everybody, services=services)
    return found if csv_file is None else exporting.export_csv(found, csv_file)


@loop.group("snapshot")
def snapshot() -> None:
    """What an admin publishes of roles, for notebooks that may not read IAM."""


@_verb("publish", snapshot)
@click.argument("roles", metavar="[ROLE]...", nargs=-1)
@click.option("--to", metavar="PLACE", help="s3://BUCKET/PREFIX, told to the whole account, or a directory.")
@click.option("--dry-run", is_flag=True, help="Show what would be published, and write nothing.")
def snapshot_publish(services: Services, roles: tuple[str, ...], to: str | None, dry_run: bool) -> Result:
    """Publish what IAM says of roles; without any, of those that SageMaker works on."""
    return publishing.publish_snapshot(*roles, to=to, dry_run=dry_run, services=services)


@_verb("show", snapshot)
def snapshot_show(services: Services) -> Result:
    """The snapshot of my own role, and whether it would be used."""
    return publishing.show_snapshot(services=services)


@loop.group("audit-log")
def audit_log() -> None:
    """What happened to access requests, who did it, and whether anything was changed since."""


def _narrowed(function: F) -> F:
    """The options that say which entries."""
    for option in (
        click.option("--since", metavar="TIME", help="A length of time, such as 7d, or a date."),
        click.option("--id", metavar="ID", help="Only of this access request."),
        click.option("--role", metavar="ROLE", help="Only by or about this role: its name or ARN."),
    ):
        function = option(function)
    return function


@_verb("show", audit_log)
@_narrowed
def audit_log_show(services: Services, **narrowed: Any) -> Result:
    """Who did what when, and whether that is proven."""
    return auditing.audit_log(services=services, **narrowed)


@_verb("verify", audit_log)
@click.option("--head", metavar="FILE|ROWS:HASH", help="A head noted earlier, that must be found again.")
@click.option(
    "--note", metavar="FILE", help="Keep the head in this file, after comparing with what is in it already."
)
def audit_log_verify(services: Services, head: str | None, note: str | None) -> Result:
    """Check every entry: was anything changed, dropped, put in, or cut off?"""
    return auditing.verify_audit_log(head=head, note=note, services=services)


@_verb("export", audit_log)
@click.option(
    "--format", "kind", type=click.Choice(auditing.FORMATS), help="JSON lines, or CSV for spreadsheets."
)
@click.option(
    "--output", metavar="FILE", default="-", show_default=True, help="Where to; `-` for standard output."
)
@_narrowed
def audit_log_export(services: Services, output: str, **chosen: Any) -> Result | int:
    """All entries, or some, for other programs."""
    if output != auditing.STANDARD_OUTPUT:
        return auditing.export_audit_log(output, services=services, **chosen)
    if _as_json():
        chosen.pop("kind")
        return auditing.audit_log(services=services, **chosen)
    click.echo(auditing.export_text(services=services, **chosen), nl=False)
    return 0
