"""A page in terminals that are narrow, or know ASCII alone."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from sm_access.cli.terminal import show
from sm_access.presentation.page import Answer, Matrix, Page, Table, Tone, code, line

PLACES = ("acme-lake/raw/", "acme-lake/raw-secret/", "partner-exchange/incoming/of/somebody/else/")
LEVELS = ("list", "read", "write", "delete")
MATRIX = Matrix(
    ("where", *LEVELS),
    tuple(
        (
            line(code(place)),
            (
                Answer("yes", Tone.OK),
                Answer("no", Tone.NO),
                Answer("cannot tell", Tone.UNKNOWN),
                Answer("in part", Tone.WARN),
            ),
        )
        for place in PLACES
    ),
)
REQUESTS = Table(
    ("id", "status", "where", "level", "why", "until"),
    (
        (
            line("r-20261124-abcdef"),
            line("applied"),
            line(code("s3://acme-lake/raw/")),
            line("read"),
            line("the churn model of the spring campaign"),
            line("2026-11-24 17:00 UTC (in 3 days)"),
        ),
    ),
)


def drawn(block: Matrix | Table, width: int, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="replace")
    show(Console(file=stream, width=width), Page(line("Here."), Tone.OK, (block,), {}))
    stream.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("width", [20, 30, 50, 60, 80, 120])
def test_every_place_is_there_with_all_its_answers(width: int) -> None:
    said = drawn(MATRIX, width)
    together = "".join(said.split())
    assert all(place in together for place in PLACES[:2])
    assert "partner-exchange/incoming" in together or width == 80  # there it is folded beside its answers
    assert together.count("yes") == together.count("cannottell") == len(PLACES)
    assert all(level in said for level in LEVELS)
    assert max(map(len, said.splitlines())) <= width


@pytest.mark.parametrize("width", [50, 60])
def test_a_narrow_terminal_has_each_place_above_its_answers(width: int) -> None:
    rows = [row.strip() for row in drawn(MATRIX, width).splitlines()]
    assert rows[1] == PLACES[0]
    assert rows[2].startswith("list ✓ yes  read ✕ no")


def test_lines_of_a_table_break_between_words() -> None:
    said = drawn(REQUESTS, 80)
    assert {"s3://acme-lake/raw/", "r-20261124-abcdef", "applied", "campaign"} <= set(said.split())
    assert max(map(len, said.splitlines())) <= 80
    assert (
        "".join(drawn(REQUESTS, 30).split()).count("id") == 1
    )  # no room for the words: folded, and all there


def test_in_ascii_a_yes_is_no_no() -> None:
    said = drawn(MATRIX, 120, "ascii")
    assert "+ yes" in said
    assert "x no" in said
    assert "? cannot tell" in said
    assert "! in part" in said
    assert said.startswith("+ Here.")
    assert "✓ yes" in drawn(MATRIX, 120)
