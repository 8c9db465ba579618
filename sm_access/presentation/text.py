"""A page as plain text: for terminals without colour, for nbconvert, for logs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from sm_access.presentation.page import (
    Block,
    Code,
    Command,
    Facts,
    Fold,
    Matrix,
    Page,
    Paragraph,
    Part,
    Table,
    Tone,
    plain_text,
    visible,
)

SIGNS = {Tone.OK: "✓", Tone.NO: "✕", Tone.WARN: "!", Tone.UNKNOWN: "?"}
ASCII_SIGNS = {Tone.OK: "+", Tone.NO: "x", Tone.WARN: "!", Tone.UNKNOWN: "?"}
"""Where a stream has no others: a yes and a no must stay apart."""

_WIDTH = 100

MOST_EXPLAINED = 6
"""A matrix of more rows tells its reasons on demand alone."""


def to_text(page: Page) -> str:
    sign = SIGNS.get(page.tone)
    headline = plain_text(page.headline) + (f" · {visible(page.aside.text)}" if page.aside else "")
    return "\n".join([f"{sign} {headline}" if sign else headline, *_blocks(page.blocks, "  ")])


def _blocks(blocks: tuple[Block, ...], indent: str) -> Iterator[str]:
    for block in blocks:
        yield from _block(block, indent)


def _block(block: Block, indent: str) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield textwrap.fill(
            plain_text(block.line),
            _WIDTH,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    elif isinstance(block, Facts):
        facts = [(visible(label), value) for label, value in block.rows]
        width = max((len(label) for label, _ in facts), default=0)
        for label, value in facts:
            yield f"{indent}{label:<{width}}  {plain_text(value)}"
    elif isinstance(block, Table):
        yield from _columns([block.columns, *(tuple(map(plain_text, row)) for row in block.rows)], indent)
    elif isinstance(block, Matrix):
        rows = [(plain_text(thing), *(answer.word for answer in answers)) for thing, answers in block.rows]
        yield from _columns([block.columns, *rows], indent)
        if len(block.rows) <= MOST_EXPLAINED:
            for thing, answers in block.rows:
                if any(answer.reason for answer in answers):
                    yield f"{indent}Why, for {plain_text(thing)}"
                for answer in answers:
                    yield from _blocks(answer.reason, indent + "  ")
    elif isinstance(block, Code):
        yield textwrap.indent(visible(block.text, lines=True), indent)
    elif isinstance(block, Command):
        yield f"{indent}{visible(block.purpose)}: {visible(block.text)}"
    elif isinstance(block, Part):
        yield from _blocks(block.blocks, indent)
    elif isinstance(block, Fold):
        yield f"{indent}{visible(block.summary)}"
        yield from _blocks(block.blocks, indent + "  ")


def _columns(rows: list[tuple[str, ...]], indent: str) -> Iterator[str]:
    shown = [tuple(map(visible, row)) for row in rows]
    widths = [max(len(row[at]) for row in shown) for at in range(len(shown[0]))]
    for row in shown:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        yield indent + "  ".join(cells).rstrip()
