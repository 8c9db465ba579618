"""A recording in words: the calls, what was denied, and the least policy - and how far it may be trusted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sm_access.access.least_policy import MOST_FOLDERS, LeastPolicy
from sm_access.access.recording import Kind, folder_of
from sm_access.presentation.noticing import call_view, place_of
from sm_access.presentation.page import (
    Block,
    Code,
    Fold,
    Line,
    Page,
    Paragraph,
    Span,
    Table,
    Tone,
    code,
    line,
    quiet,
)

MOST_ROWS = 30
MANAGED_POLICY_CHARACTERS = 6144
"""IAM counts them without white space (IAM User Guide, "IAM and AWS STS quotas")."""

LOWER_BOUND = (
    "A lower bound: it holds the calls that botocore made in this process, in this run. What another run does, what "
    "other programs and libraries without botocore do (pyarrow, polars, !aws), and what a service does in your name "
    "(Athena reading S3) is not in it."
)


def recording_page(kinds: Sequence[Kind], least: LeastPolicy, left_out: int = 0) -> Page:
    """left_out: calls that found no room in the recording."""
    count = sum(kind.count for kind in kinds) + left_out
    denied = sum(kind.denied for kind in kinds)
    calls = f"{count} call{'' if count == 1 else 's'} to AWS"
    if not count:
        words = Paragraph(line(quiet(LOWER_BOUND)))
        return Page(line("No call to AWS was seen"), Tone.PLAIN, (words,), _view(kinds, least, left_out))
    headline: list[str | Span] = [
        f"{calls}, ",
        Span(f"{denied} denied", Tone.NO) if denied else "none denied",
    ]
    blocks: list[Block] = [_table(kinds)]
    blocks += _policy(least)
    blocks += [Paragraph(words) for words in _limits(kinds, least, left_out)]
    return Page(line(*headline), Tone.NO if denied else Tone.OK, tuple(blocks), _view(kinds, least, left_out))


def _table(kinds: Sequence[Kind]) -> Block:
    first = sorted(kinds, key=lambda kind: not kind.denied)[:MOST_ROWS]
    rows = tuple(
        (
            line(kind.call.operation),
            line(code(_folder(kind))),
            line(_actions(kind)),
            line(str(kind.count)),
            _outcome(kind),
        )
        for kind in first
    )
    return Table(("call", "on", "needs", "times", ""), rows)


def _folder(kind: Kind) -> str:
    place = place_of(kind.call)
    return folder_of(place) if kind.count > 1 and kind.call.parameters.get("Key", "").count("/") else place


def _actions(kind: Kind) -> str:
    found = kind.needs
    if found is None:
        return "cannot tell"
    return ", ".join(dict.fromkeys(need.action for need in found)) or "nothing"


def _outcome(kind: Kind) -> Line:
    if kind.denied:
        some = f" {kind.denied}" if kind.denied < kind.count else ""
        return line(Span(f"denied{some}", Tone.NO))
    return line(Span(kind.call.code, Tone.WARN)) if kind.call.code else line(Span("done", Tone.OK))


def _policy(least: LeastPolicy) -> list[Block]:
    if least.document is None:
        return [Paragraph(line("These calls need no permission that could be named."))]
    text = json.dumps(least.document, indent=2, ensure_ascii=False)
    size = len(json.dumps(least.document, separators=(",", ":")))
    fits = (
        "" if size <= MANAGED_POLICY_CHARACTERS else f"; a managed policy holds {MANAGED_POLICY_CHARACTERS}"
    )
    return [Fold(f"The least policy that would do ({size} characters{fits})", (Code(text),), open=True)]


def _limits(kinds: Sequence[Kind], least: LeastPolicy, left_out: int) -> list[Line]:
    said: list[Line] = []
    if any(kind.call.parameters.get("Key") or kind.call.keys for kind in kinds):
        said.append(
            line(
                quiet(
                    "An object counts for its folder and what is beneath, one at the top of a bucket for itself."
                )
            )
        )
    if least.merged:
        said.append(
            line(
                f"More than {MOST_FOLDERS} folders of a bucket were merged upward, into: {_listed(least.merged)}."
            )
        )
    if least.guessed:
        said.append(
            line(
                f"Wider than it need be, because the calls do not tell the resource: {_listed(least.guessed)}."
            )
        )
    if least.left_out:
        said.append(
            line(f"Not in it, because IAM takes no such name in a policy: {_listed(least.left_out)}.")
        )
    if least.unknown:
        said.append(line(f"Not in it, because it cannot be told what they need: {_listed(least.unknown)}."))
    if left_out:
        said.append(line(f"{left_out} calls more were made than can be kept apart; they are not in it."))
    if any(_passes_a_role(kind) for kind in kinds):
        said.append(
            line(
                quiet("iam:PassRole is told from the role that was handed over; AWS records no call for it.")
            )
        )
    return [*said, line(quiet(LOWER_BOUND))]


def _passes_a_role(kind: Kind) -> bool:
    return any(need.action == "iam:PassRole" for need in kind.needs or ())


def _listed(names: Sequence[str]) -> str:
    more = len(names) - 5
    return ", ".join(names[:5]) + (f" and {more} more" if more > 0 else "")


def _view(kinds: Sequence[Kind], least: LeastPolicy, left_out: int) -> dict[str, Any]:
    return {
        "calls": [
            {
                **call_view(kind.call),
                "place": place_of(kind.call) or None,
                "count": kind.count,
                "denied": kind.denied,
                "needs": None
                if kind.needs is None
                else [
                    {"action": need.action, "resource": need.resource, "certain": need.exact}
                    for need in kind.needs
                ],
            }
            for kind in kinds
        ],
        "policy": least.document,
        "lower_bound": True,
        "merged": list(least.merged),
        "guessed": list(least.guessed),
        "left_out": list(least.left_out),
        "unknown": list(least.unknown),
        "calls_not_kept": left_out,
    }
