"""What a stranger reads first."""

from __future__ import annotations

import re
from collections.abc import Callable

import click

from sm_access.cli.main import sm_access as root
from sm_access.commands.grammar import loop
from sm_access.commands.headings import HEADINGS, HeadedGroup


def help_of(group: click.Group) -> str:
    return group.get_help(click.Context(group, info_name="sm-access", terminal_width=100))


def test_every_command_stands_once_under_its_heading_in_whole_sentences() -> None:
    said = help_of(root)
    at = [said.index(f"\n{heading}:") for heading, _ in HEADINGS]
    assert at == sorted(at)
    for name in root.list_commands(click.Context(root)):
        assert len(re.findall(rf"^  {name} ", said, re.MULTILINE)) == 1, name
    assert "..." not in said.replace("[ARGS]...", "")


def test_the_notebook_has_the_same_but_what_is_the_shells() -> None:
    said = help_of(loop)
    assert "Find out:" in said
    assert "sandbox" not in said
    assert "Try it:" not in said  # no heading without commands


def test_a_command_that_nobody_sorted_is_not_lost() -> None:
    group = HeadedGroup("g", commands={"odd": click.Command("odd", help="Something new.")})
    assert re.search(r"More:\n  odd  Something new\.", help_of(group))


def test_a_line_without_words_is_answered_with_help(run: Callable[..., object]) -> None:
    from sm_access.cli.main import main

    assert main([]) == 2
