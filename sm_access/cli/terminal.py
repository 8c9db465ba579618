"""A page in a terminal, in colour where there is one."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from sm_access.presentation.page import (
    Answer,
    Block,
    Code,
    Command,
    Facts,
    Line,
    Matrix,
    Page,
    Paragraph,
    Part,
    Span,
    Table,
    Tone,
    visible,
)
from sm_access.presentation.text import SIGNS

STYLES = {
    Tone.PLAIN: "",
    Tone.STRONG: "bold",
    Tone.QUIET: "dim",
    Tone.CODE: "cyan",
    Tone.OK: "green",
    Tone.NO: "red",
    Tone.WARN: "yellow",
    Tone.UNKNOWN: "magenta",
}


def show(console: Console, page: Page, *, unfold: bool = False) -> None:
    """Print a page. unfold: with the detail that a notebook would fold away."""
    console.print(_headline(page))
    for renderable in _blocks(page.blocks, unfold):
        console.print(Padding(renderable, (0, 0, 0, 2)))


def styled(of: Line) -> Text:
    """A line with its tones; never read as markup."""
    return Text.assemble(*((visible(span.text), STYLES[span.tone]) for span in of))


def _headline(page: Page) -> Text:
    sign = SIGNS.get(page.tone)
    aside = styled((Span(" · ", Tone.QUIET), page.aside)) if page.aside else ""
    return Text.assemble(
        (f"{sign} " if sign else "", f"bold {STYLES[page.tone]}"), styled(page.headline), aside
    )


def _blocks(blocks: tuple[Block, ...], unfold: bool) -> Iterator[RenderableType]:
    for block in blocks:
        if isinstance(block, Paragraph):
            yield styled(block.line)
        elif isinstance(block, Facts):
            grid = Grid.grid(padding=(0, 2, 0, 0))
            grid.add_column(style="dim", no_wrap=True)
            grid.add_column(overflow="fold")
            for label, value in block.rows:
                grid.add_row(Text(visible(label)), styled(value))
            yield grid
        elif isinstance(block, Table):
            table = Grid(box=None, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
            for column in block.columns:
                table.add_column(Text(visible(column)), overflow="fold")
            for row in block.rows:
                table.add_row(*(styled(cell) for cell in row))
            yield table
        elif isinstance(block, Matrix):
            yield _matrix(block)
            if unfold:
                yield from _reasons(block, unfold)
        elif isinstance(block, Code):
            yield Text(visible(block.text, lines=True), style="dim")
        elif isinstance(block, Command):
            yield Text.assemble((f"{visible(block.purpose)}: ", "dim"), (visible(block.text), "cyan"))
        elif isinstance(block, Part):
            yield from _blocks(block.blocks, unfold)
        elif unfold or block.open:
            yield Text(visible(block.summary), style="bold dim")
            yield Padding(Group(*_blocks(block.blocks, unfold)), (0, 0, 0, 2))


def _matrix(block: Matrix) -> RenderableType:
    table = Grid(box=None, padding=(0, 2, 0, 0), header_style="dim", show_edge=False, pad_edge=False)
    things, *columns = block.columns
    table.add_column(Text(visible(things)), overflow="fold", min_width=12)
    for column in columns:
        table.add_column(Text(visible(column)), no_wrap=True)
    for thing, answers in block.rows:
        table.add_row(styled(thing), *(_answer(answer) for answer in answers))
    return table


def _answer(answer: Answer) -> Text:
    """A sign and a word: colour is never all that tells a yes from a no."""
    sign = SIGNS.get(answer.tone)
    return Text(f"{sign} {visible(answer.word)}" if sign else visible(answer.word), style=STYLES[answer.tone])


def _reasons(block: Matrix, unfold: bool) -> Iterator[RenderableType]:
    for thing, answers in block.rows:
        yield Text.assemble(("Why, for ", "bold dim"), styled(thing))
        for answer in answers:
            yield Padding(Group(*_blocks(answer.reason, unfold)), (0, 0, 0, 2))
