"""What was published for notebooks that may not read IAM, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sm_access.access.duration import duration_words
from sm_access.access.evidence import Unread
from sm_access.access.holder import HeldPolicy
from sm_access.access.snapshot import Snapshot
from sm_access.errors import SmAccessError
from sm_access.presentation.identity import name_of
from sm_access.presentation.moments import ago, instant, iso
from sm_access.presentation.page import (
    Block,
    Command,
    Facts,
    Line,
    Page,
    Paragraph,
    Span,
    Table,
    Tone,
    code,
    line,
    quiet,
    strong,
)


@dataclass(frozen=True, slots=True)
class Publication:
    """One role: its snapshot (None where it could not be read), where that was written ('': nowhere), its bytes."""

    role: str
    snapshot: Snapshot | None
    where: str = ""
    size: int = 0
    problem: SmAccessError | None = None


def publish_page(
    made: Sequence[Publication], now: datetime, *, dry_run: bool, announced: str, unread: Sequence[Unread]
) -> Page:
    done = [each for each in made if each.problem is None]
    count = f"{len(done)} role{'' if len(done) == 1 else 's'}"
    headline = f"Would publish a snapshot of {count}" if dry_run else f"Published a snapshot of {count}"
    if len(done) < len(made):
        headline += f"; {len(made) - len(done)} could not be done"
    blocks: list[Block] = [
        Table(("role", "policies", "size", "where"), tuple(_row(each, dry_run=dry_run) for each in made))
    ]
    if announced:
        blocks.append(Paragraph(line("The parameter ", code(announced), " tells the whole account where.")))
    if not dry_run and done:
        blocks.append(
            Paragraph(
                line(
                    "A notebook needs ",
                    code(
                        "s3:GetObject" if any("s3://" in each.where for each in done) else "to read the file"
                    ),
                    " there, and must not be able to write there: who can write a snapshot can make it lie.",
                )
            )
        )
        blocks.append(Command("What a notebook sees of it", "sm-access snapshot show"))
    if unread:
        blocks.append(Paragraph(line(quiet(f"Not read: {'; '.join(_words(unread))}."))))
    data = {
        "dry_run": dry_run,
        "announced": announced or None,
        "published": [_view(each) for each in made],
        "not_read": list(_words(unread)),
        "read_at": iso(now),
    }
    tone = Tone.PLAIN if dry_run else Tone.OK if len(done) == len(made) else Tone.WARN
    return Page(line(strong(headline), "."), tone, tuple(blocks), data)


def _row(each: Publication, *, dry_run: bool) -> tuple[Line, ...]:
    if each.snapshot is None or each.problem is not None:
        problem = "" if each.problem is None else each.problem.message
        return line(code(each.role)), line(), line(), line(Span(problem, Tone.NO))
    held = each.snapshot.role.policies
    lacking = sum(policy.document is None for policy in held)
    policies = f"{len(held)}{f', {lacking} not read' if lacking else ''}"
    where = quiet("nowhere: a dry run") if dry_run else code(each.where)
    return line(code(each.role)), line(policies), line(f"{each.size / 1024:.1f} KB"), line(where)


def _view(each: Publication) -> dict[str, Any]:
    return {
        "role": each.role if each.snapshot is None else each.snapshot.role.arn,
        "where": each.where or None,
        "bytes": each.size,
        "policies": [] if each.snapshot is None else [policy.name for policy in each.snapshot.role.policies],
        "problem": None if each.problem is None else each.problem.message,
    }


def snapshot_page(snapshot: Snapshot, now: datetime, max_age: timedelta) -> Page:
    """What was published of a role, and whether an answer may rest on it."""
    old = now - snapshot.read_at > max_age
    held = [*snapshot.role.policies, *([snapshot.role.boundary] if snapshot.role.boundary else [])]
    blocks: list[Block] = [
        Facts(
            (
                ("role", line(code(snapshot.role.arn))),
                ("read", line(instant(snapshot.read_at), quiet(f" - {ago(snapshot.read_at, now)}"))),
                (
                    "by",
                    line(name_of(snapshot.published_by), quiet(f" - {snapshot.published_by}, as it says")),
                ),
                ("policies", line(*_policy_spans(held))),
            )
        )
    ]
    if old:
        blocks.append(
            Paragraph(
                line(
                    f"It is older than {duration_words(max_age)}: no answer rests on it. "
                    "Ask whoever published it to do so again."
                )
            )
        )
    data = {
        "role": snapshot.role.arn,
        "published_by": snapshot.published_by,
        "read_at": iso(snapshot.read_at),
        "usable": not old,
        "policies": [{"name": policy.name, "kind": policy.kind} for policy in held],
    }
    headline = line(
        strong("Too old to be used" if old else "A snapshot is there"),
        f": {name_of(snapshot.role.arn)}, {ago(snapshot.read_at, now)}.",
    )
    return Page(headline, Tone.WARN if old else Tone.OK, tuple(blocks), data)


def _policy_spans(held: Sequence[HeldPolicy]) -> list[str | Span]:
    spans: list[str | Span] = []
    for policy in held:
        spans += [", "] if spans else []
        spans.append(code(policy.name))
        spans.append(
            quiet(f" ({policy.kind.replace('-', ' ')}{', not read' if policy.document is None else ''})")
        )
    return spans or [quiet("none")]


def _words(unread: Sequence[Unread]) -> tuple[str, ...]:
    return tuple(
        f"{item.what} (needs {item.permission})" if item.permission else item.what for item in unread
    )
