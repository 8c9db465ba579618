"""Who may do this there, in words: those who may first, each with the statement that lets them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sm_access.access.holder import HolderKind
from sm_access.access.level import Level
from sm_access.access.who import Entry, Standing, WhoCan
from sm_access.policy import Decision, StatementRef
from sm_access.presentation.moments import ago, instant, iso
from sm_access.presentation.page import (
    Block,
    Fold,
    Line,
    Page,
    Paragraph,
    Span,
    Table,
    Tone,
    code,
    line,
    plain_text,
    quiet,
    strong,
)
from sm_access.presentation.result import Result
from sm_access.presentation.spreadsheet import to_csv
from sm_access.presentation.verdict import reason, statement_words

_TONES = {
    Standing.YES: Tone.OK,
    Standing.IN_PART: Tone.WARN,
    Standing.DEPENDS: Tone.WARN,
    Standing.UNKNOWN: Tone.UNKNOWN,
    Standing.NO: Tone.NO,
}
_MAY = (Standing.YES, Standing.IN_PART, Standing.DEPENDS, Standing.UNKNOWN)
_COLUMNS = ("kind", "name", "arn", "answer", "reason", "notebooks", "grant_until")


@dataclass(frozen=True, slots=True, repr=False)
class Who(Result):
    """Who may; besides what every result has, one row for each principal: `records()` and `to_csv()`."""

    def records(self) -> list[dict[str, str]]:
        """One flat dictionary for each role, group and user: kind, name, arn, answer, reason, notebooks,
        grant_until."""
        return [
            {
                **{key: row[key] for key in ("kind", "name", "arn", "answer", "reason")},
                "notebooks": ", ".join(row["used_by"]),
                "grant_until": max((grant["until"] for grant in row["grants"]), default=""),
            }
            for row in self.page.data["principals"]
        ]

    def to_csv(self) -> str:
        """The records as CSV with a header, safe to open in a spreadsheet."""
        return to_csv(_COLUMNS, self.records())


def who_page(found: WhoCan, now: datetime, *, everybody: bool) -> Page:
    roles = found.of(HolderKind.ROLE, *_MAY)
    groups, users = found.of(HolderKind.GROUP, *_MAY), found.of(HolderKind.USER, *_MAY)
    linked = found.of(HolderKind.ROLE, *_MAY, service_linked=True)
    blocks: list[Block] = []
    if roles or groups:
        blocks.append(_table(sorted([*roles, *groups], key=_order)))
    if users:
        blocks.append(Fold(f"Users: {_counts(users)}", (_table(sorted(users, key=_order)),)))
    if linked:
        blocks.append(Fold(f"AWS's own service-linked roles: {_counts(linked)}", (_table(linked),)))
    if found.named:
        blocks.append(_named(found))
    if found.root is Decision.ALLOW:
        blocks.append(
            Paragraph(line(quiet("The account's root user may as well: no identity policy binds it.")))
        )
    no = [entry for entry in found.entries if entry.standing is Standing.NO]
    if everybody and no:
        blocks.append(Fold(f"No: {_kinds(no)}", (_table(sorted(no, key=_order)),), open=True))
    elif no:
        blocks.append(Paragraph(line(quiet(f"No: {_kinds(no)}. `--all` lists them."))))
    if found.unread:
        words = dict.fromkeys(
            f"{item.what} (needs {item.permission})" if item.permission else item.what
            for item in found.unread
        )
        blocks.append(Paragraph(line(quiet(f"Not read: {'; '.join(words)}."))))
    blocks.append(
        Paragraph(
            line(
                quiet(
                    f"Decided by sm_access's engine from policies read {ago(found.read_at, now)}. A session can be "
                    "narrower than its role."
                )
            )
        )
    )
    surely = [entry for entry in (*roles, *groups, *users) if entry.standing is Standing.YES]
    headline = line(
        strong(f"{_kinds(surely)} may " if surely else "Nobody may for certain "),
        *_what(found),
        f" in account {found.account}.",
    )
    return Page(headline, Tone.PLAIN, tuple(blocks), _view(found))


def _what(found: WhoCan) -> list[str | Span]:
    if found.asked in {level.value for level in Level}:
        return [f"{found.asked} ", code(str(found.target))]
    return [code(found.asked), " on ", code(str(found.target))]


def _table(entries: Sequence[Entry]) -> Table:
    return Table(
        ("", "who", "may", "because"),
        tuple(
            (
                line(quiet(entry.holder.kind.value)),
                _who(entry),
                line(Span(entry.standing.value, _TONES[entry.standing])),
                _because(entry),
            )
            for entry in entries
        ),
    )


def _who(entry: Entry) -> Line:
    words: list[str | Span] = [code(entry.holder.name)]
    if entry.used_by:
        shown = ", ".join(entry.used_by[:3]) + (
            f" and {len(entry.used_by) - 3} more" if len(entry.used_by) > 3 else ""
        )
        words.append(quiet(f" - {shown}"))
    return line(*words)


def _because(entry: Entry) -> Line:
    verdict = entry.verdict
    if verdict is None:
        return line(quiet("no policy allows any of it"))
    if entry.part is not None:
        where = entry.part.check.resource_arn.partition(":::")[2]
        told = statement_words(entry.part.response.deciding)
        return line(
            f"{told} allows ", code(entry.part.check.action), " on some of it, ", code(where), " for example"
        )
    if entry.standing is Standing.YES:
        words: list[str | Span] = [_statement(verdict.deciding.response.deciding)]
        if entry.grants:
            words.append(quiet(f" - a grant of sm_access ends {instant(max(entry.grants.values()))}"))
        return line(*words)
    return reason(verdict)


def _statement(told: StatementRef | None) -> str:
    return statement_words(told) if told is not None else "no policy is needed"


def _named(found: WhoCan) -> Block:
    rows = tuple(
        (line(code(each.name)), line(f"{each.policy}{f' / {each.sid}' if each.sid else ''}"))
        for each in found.named
    )
    summary = (
        f"Named by the policy of the bucket or its key, and not of this account: {len(rows)}. Whether they may cannot "
        "be told from here: their own account decides as well"
    )
    return Fold(summary, (Table(("who", "named by"), rows),), open=True)


def _order(entry: Entry) -> tuple[int, int, str]:
    kinds = (HolderKind.ROLE, HolderKind.GROUP, HolderKind.USER)
    return list(Standing).index(entry.standing), kinds.index(entry.holder.kind), entry.holder.name.lower()


def _counts(entries: Sequence[Entry]) -> str:
    counts = {standing: sum(entry.standing is standing for entry in entries) for standing in Standing}
    return ", ".join(f"{count} {standing.value}" for standing, count in counts.items() if count)


def _kinds(entries: Sequence[Entry]) -> str:
    counts = [(kind.value, sum(entry.holder.kind is kind for entry in entries)) for kind in HolderKind]
    words = [f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in counts if count]
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _view(found: WhoCan) -> dict[str, Any]:
    return {
        "asked": found.asked,
        "target": str(found.target),
        "account": found.account,
        "principals": [_entry_view(entry) for entry in sorted(found.entries, key=_order)],
        "root": found.root.value,
        "named_by_resource_policy": [
            {"principal": each.name, "policy": each.policy, "sid": each.sid} for each in found.named
        ],
        "not_read": [{"what": item.what, "permission": item.permission or None} for item in found.unread],
        "read_at": iso(found.read_at),
    }


def _entry_view(entry: Entry) -> dict[str, Any]:
    return {
        "kind": entry.holder.kind.value,
        "name": entry.holder.name,
        "arn": entry.holder.arn,
        "answer": entry.standing.value,
        "reason": plain_text(_because(entry)),
        "used_by": list(entry.used_by),
        "service_linked": entry.holder.is_service_linked,
        "grants": [{"policy": name, "until": iso(end)} for name, end in sorted((entry.grants or {}).items())],
    }
