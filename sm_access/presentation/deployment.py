"""The template of a team's set-up, and what to do with it, in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

from sm_access.presentation import typed
from sm_access.presentation.identity import name_of
from sm_access.presentation.page import (
    Block,
    Code,
    Command,
    Facts,
    Fold,
    Page,
    Paragraph,
    Span,
    Tone,
    line,
    strong,
)


class Team(Protocol):
    """What is said of a set-up."""

    @property
    def table(self) -> str: ...
    @property
    def boundary(self) -> str: ...
    @property
    def minutes(self) -> int: ...
    @property
    def notebook_roles(self) -> Sequence[str]: ...
    @property
    def approver_roles(self) -> Sequence[str]: ...


_BUILD = "pip install sm-access --target build && (cd build && zip -qr ../sm-access.zip .)"


def deployment_page(team: Team, form: str, text: str, output: str | None, *, reviewed: bool) -> Page:
    """reviewed: rules are published with it."""
    facts = Facts(
        (
            ("ask", line(", ".join(map(name_of, team.notebook_roles)))),
            ("decide", line(", ".join(map(name_of, team.approver_roles)))),
            ("ledger", line(f"the table {team.table}: rows are only ever added, and each names its author")),
            (
                "reconciler",
                line(
                    f"every {team.minutes} min; writes only grants, only on those who ask, and only while they have "
                    f"the boundary {name_of(team.boundary)}"
                ),
            ),
        )
    )
    blocks: list[Block] = [facts]
    if not reviewed:
        blocks.append(
            Paragraph(
                line(
                    Span(
                        "No rules are in it, so nobody may review: name a settings file with --rules.",
                        Tone.WARN,
                    )
                )
            )
        )
    blocks.append(Command("Make the zip of the reconciler's code", _BUILD))
    if output is None:
        blocks.append(Fold("The template", (Code(text),), open=True))
    elif form == "terraform":
        blocks.append(Command("Then", "terraform plan -var code=sm-access.zip"))
    else:
        deploy = typed.typed(
            "aws", "cloudformation", "deploy", "--template-file", output, "--stack-name", "sm-access"
        )
        more = "--capabilities CAPABILITY_NAMED_IAM --parameter-overrides CodeBucket=... CodeKey=..."
        blocks.append(Command("Then", f"{deploy} {more}"))
    where = f" in {output}" if output else ""
    return Page(
        line(strong("Written, and not applied: "), f"the set-up of a team as {form}{where}."),
        Tone.PLAIN if reviewed else Tone.WARN,
        tuple(blocks),
        {"format": form, "output": output, "template": json.loads(text)},
    )
