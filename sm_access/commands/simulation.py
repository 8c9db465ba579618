"""Decisions kept under test in files: `sm-access simulate FILE...`. Asks AWS nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from sm_access.commands.documents import Document, read_documents
from sm_access.errors import InvalidScenario, UnreadableFile
from sm_access.policy.scenario import Scenario
from sm_access.presentation.result import Result
from sm_access.presentation.simulation import simulation_page


def simulate(*files: str) -> Result:
    """Decide every scenario of the files, `-` being standard input. Nothing is decided if one cannot be read.

    The result's exit code: 0 all as expected, 1 some not, 3 where some are undetermined and nobody said what to
    expect. Raises UnreadableFile.
    """
    scenarios = [scenario for file in files for scenario in _scenarios(file)]
    outcomes = [scenario.run() for scenario in scenarios]
    missed = [outcome for outcome in outcomes if not outcome.met]
    code = 0 if not missed else 3 if all(outcome.open for outcome in missed) else 1
    return Result(simulation_page(outcomes), code)


def print_lines(result: Result, key: str) -> int:
    """Print a list of the result's data as JSON lines, for programs that read as they go; the exit code."""
    for item in result.to_dict()[key]:
        click.echo(json.dumps(item))
    return result.exit_code


def _scenarios(file: str) -> Iterator[Scenario]:
    documents = read_documents(file)
    found = False
    for document in documents:
        for value, path in _entries(document):
            found = True
            try:
                yield Scenario.from_dict(value)
            except InvalidScenario as problem:
                raise document.unreadable(path + problem.path[1:], problem.expected) from problem
    if not found:
        name = documents[0].file if documents else file
        raise UnreadableFile(f"{name}:1: this holds no scenario.")


def _entries(document: Document) -> Iterator[tuple[object, str]]:
    if isinstance(document.value, list):
        yield from ((value, f"$[{place}]") for place, value in enumerate(document.value))
    else:
        yield document.value, "$"
