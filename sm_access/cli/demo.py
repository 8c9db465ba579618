"""`sm-access demo`: the whole loop in the terminal, on an embedded AWS of its own. Every step is a real call.

It exits with 0 only if each step came to what it promises.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from sm_access.bootstrap import Services
from sm_access.cli.terminal import show
from sm_access.commands import inspecting, requesting
from sm_access.config import Settings
from sm_access.errors import SmAccessError
from sm_access.presentation.failure import failure_page
from sm_access.presentation.result import Result

if TYPE_CHECKING:
    from sm_access.sandbox.world import Sandbox

PLACE = "s3://acme-lake/raw/"
WHY = "churn model"


@click.command("demo")
@click.pass_context
def demo(context: click.Context) -> None:
    """Walk the whole loop on an embedded AWS: denied, request, approve, proven, ended. Takes seconds."""
    from sm_access.sandbox.world import Sandbox

    console = Console()
    console.print(Text("sm_access: the whole loop, on an AWS of this machine's own", style="bold"))
    began = time.monotonic()
    with Sandbox(progress=console.print) as sandbox:
        console.print(
            Text(
                f"The embedded AWS is up after {time.monotonic() - began:.1f} s: a seeded company that really "
                "allows and denies.",
                style="dim",
            )
        )
        walk = Walk(console, sandbox)
        walk.through()
    took = time.monotonic() - began
    console.print(Rule(style="dim"))
    if walk.broken:
        console.print(
            Text(
                f"✕ {len(walk.broken)} of {walk.steps} steps did not hold: {', '.join(walk.broken)}",
                style="bold red",
            )
        )
        context.exit(1)
    console.print(
        Text(f"✓ All {walk.steps} steps held, in {took:.1f} s. ", style="bold green").append(
            "Next: `make lab`, or `sm-access sandbox start`.", style="not bold default"
        )
    )


@dataclass
class Walk:
    """The steps, and which of them did not hold."""

    console: Console
    sandbox: Sandbox

    def __post_init__(self) -> None:
        self.steps = 0
        self.broken: list[str] = []
        self._who = {name: self._services(name) for name in ("notebook", "approver")}

    def through(self) -> None:
        """The loop, in order."""
        notebook, approver = self._who["notebook"], self._who["approver"]
        self.step("who am I", "notebook", "sm-access whoami", lambda: inspecting.whoami(services=notebook), 0)
        self.step(
            "allowed",
            "notebook",
            "sm-access can read s3://acme-lake/public/",
            lambda: inspecting.can("read", "s3://acme-lake/public/", services=notebook),
            0,
        )
        self.step(
            "denied, and why",
            "notebook",
            f"sm-access can read {PLACE}",
            lambda: inspecting.can("read", PLACE, services=notebook),
            1,
        )
        self.call("AWS says the same", "raw/customers.csv", allowed=False)
        self.step(
            "permissions before",
            "notebook",
            f"sm-access permissions {PLACE}",
            lambda: inspecting.permissions(PLACE, services=notebook),
            0,
        )

        asked = self.step(
            "request",
            "notebook",
            f'sm-access request {PLACE} read --for 1d --why "{WHY}"',
            lambda: requesting.request_access(PLACE, "read", duration="1d", why=WHY, services=notebook),
            0,
        )
        id = str(asked.to_dict().get("id"))
        self.step(
            "nobody approves their own",
            "notebook",
            f"sm-access approve {id}",
            lambda: requesting.approve(id, services=notebook),
            1,
        )
        self.step(
            "inbox",
            "approver",
            "sm-access inbox",
            lambda: requesting.inbox(services=approver),
            0,
            unfold=True,
        )
        self.step(
            "approve and apply",
            "approver",
            f"sm-access approve {id}",
            lambda: requesting.approve(id, services=approver),
            0,
        )
        self.call("now it works", "raw/customers.csv", allowed=True)
        self.call("and no wider", "raw-secret/salaries.csv", allowed=False)
        self.step(
            "proven", "notebook", f"sm-access prove {id}", lambda: requesting.prove(id, services=notebook), 0
        )
        self.step(
            "permissions after",
            "notebook",
            f"sm-access permissions {PLACE}",
            lambda: inspecting.permissions(PLACE, services=notebook),
            0,
        )

        self.step(
            "revoke",
            "approver",
            f"sm-access revoke {id}",
            lambda: requesting.revoke(id, services=approver),
            0,
        )
        self.call("and it is over", "raw/customers.csv", allowed=False)
        self._expiry(notebook, approver)

    def _expiry(self, notebook: Services, approver: Services) -> None:
        """A grant of three seconds: AWS itself ends it, with nothing running, while the statement is still there."""
        asked = self.step(
            "a grant that ends by itself",
            "notebook",
            f'sm-access request {PLACE} read --for 3s --why "{WHY}"',
            lambda: requesting.request_access(PLACE, "read", duration="3s", why=WHY, services=notebook),
            0,
        )
        id = str(asked.to_dict().get("id"))
        self.step(
            "approved",
            "approver",
            f"sm-access approve {id}",
            lambda: requesting.approve(id, services=approver),
            0,
        )
        self.call("works", "raw/customers.csv", allowed=True)
        grant = approver.desk.get(id).grant
        time.sleep(max(0.0, grant.ends_at.timestamp() - time.time()) if grant else 0.0)
        self.call("ended by AWS at its time", "raw/customers.csv", allowed=False)
        self.step(
            "cleared away",
            "approver",
            "sm-access reconcile",
            lambda: requesting.reconcile(services=approver),
            0,
        )

    def step(
        self,
        name: str,
        who: str,
        command: str,
        work: Callable[[], Result],
        expected: int,
        *,
        unfold: bool = False,
    ) -> Result:
        """One command: what is typed, what came back, and whether that is what it should be."""
        self._heading(name, who)
        self.console.print(Text.assemble(("$ ", "dim"), (command, "bold cyan")))
        try:
            result = work()
        except SmAccessError as error:
            result = Result(failure_page(error), error.exit_code)
        show(self.console, result.page, unfold=unfold)
        self._held(name, result.exit_code == expected)
        return result

    def call(self, name: str, key: str, *, allowed: bool) -> None:
        """One call of boto3 as the notebook, past sm_access."""
        from botocore.exceptions import ClientError

        self._heading(name, "notebook")
        call = f'boto3.client("s3").get_object(Bucket="acme-lake", Key="{key}")'
        self.console.print(Text.assemble((">>> ", "dim"), (call, "bold cyan")))
        try:
            body = (
                self._who["notebook"].aws.client("s3").get_object(Bucket="acme-lake", Key=key)["Body"].read()
            )
            answer, worked = Text(f"200: {len(body)} bytes", style="green"), True
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            answer, worked = Text(f"{status} {error.response['Error']['Code']}", style="red"), False
        self.console.print(answer)
        self._held(name, worked is allowed)

    def _heading(self, name: str, who: str) -> None:
        self.steps += 1
        self.console.print()
        self.console.print(
            Rule(
                Text.assemble((f"{self.steps}. {name} ", "bold"), (f" as {who} ", "dim")),
                align="left",
                style="dim",
            )
        )

    def _held(self, name: str, held: bool) -> None:
        if not held:
            self.broken.append(name)
            self.console.print(Text("✕ this step should have come to something else", style="bold red"))

    def _services(self, principal: str) -> Services:
        environment: dict[str, Any] = self.sandbox.environment(principal)
        return Services(Settings.load(environment), session=self.sandbox.session(principal))
