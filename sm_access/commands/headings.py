"""Help that a stranger can read: commands under what they are for, in the order in which one comes to need them."""

from __future__ import annotations

import click

HEADINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Find out", ("whoami", "can", "permissions", "explain", "require")),
    (
        "Get access",
        ("request", "requests", "show", "prove", "extend", "release", "withdraw", "break-glass"),
    ),
    ("Review", ("inbox", "approve", "narrow", "reject", "revoke", "reconcile", "export-grant", "audit-log")),
    ("Policies", ("lint", "simulate")),
    ("Set up", ("bootstrap", "who", "snapshot", "completion")),
    ("Try it", ("demo", "sandbox")),
)
"""Heading and commands. One that is not named here stands under "More"."""


_WHOLE = 300  # characters: the first sentence as it is, not cut off in its middle


class HeadedGroup(click.Group):
    """A group whose help is divided by `HEADINGS`."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        left = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        width = max(map(len, left), default=0)
        for heading, names in (*HEADINGS, ("More", tuple(left))):
            found = [(name, left.pop(name, None)) for name in names]
            rows = [
                (name.ljust(width), command.get_short_help_str(_WHOLE))
                for name, command in found
                if command is not None
            ]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)
