"""A page in a terminal, in colour where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len
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
from sm_access.presentation.text import ASCII_SIGNS, SIGNS

_GAP = 2
_NARROWEST = 20

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
    surface = _Surface(_signs(console), unfold, console.width - 2)
    console.print(_headline(page, surface))
    for renderable in _blocks(page.blocks, surface):
        console.print(Padding(renderable, (0, 0, 0, 2)))


@dataclass(frozen=True, slots=True)
class _Surface:
    """What a page is drawn on. signs: that it can show. unfold: with the detail. width: in letters."""

    signs: Mapping[Tone, str]
    unfold: bool
    width: int


def _signs(console: Console) -> Mapping[Tone, str]:
    """A stream writes `?` for what it has no letter for: then a yes would look like a no."""
    try:
        "".join(SIGNS.values()).encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return ASCII_SIGNS
    return SIGNS


def styled(of: Line) -> Text:
    """A line with its tones; never read as markup."""
    return Text.assemble(*((visible(span.text), STYLES[span.tone]) for span in of))


def _headline(page: Page, surface: _Surface) -> Text:
    sign = surface.signs.get(page.tone)
    aside = styled((Span(" · ", Tone.QUIET), page.aside)) if page.aside else ""
    return Text.assemble(
        (f"{sign} " if sign else "", f"bold {STYLES[page.tone]}"), styled(page.headline), aside
    )


def _blocks(blocks: tuple[Block, ...], surface: _Surface) -> Iterator[RenderableType]:
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
            table = Grid(box=None, padding=(0, _GAP, 0, 0), header_style="dim", show_edge=False)
            for column, width in zip(block.columns, _widths(block, surface.width), strict=True):
                table.add_column(Text(visible(column)), overflow="fold", width=width)
            for row in block.rows:
                table.add_row(*(styled(cell) for cell in row))
            yield table
        elif isinstance(block, Matrix):
            yield _matrix(block, surface)
            if surface.unfold:
                yield from _reasons(block, surface)
        elif isinstance(block, Code):
            yield Text(visible(block.text, lines=True), style="dim")
        elif isinstance(block, Command):
            yield Text.assemble((f"{visible(block.purpose)}: ", "dim"), (visible(block.text), "cyan"))
        elif isinstance(block, Part):
            yield from _blocks(block.blocks, surface)
        elif surface.unfold or block.open:
            yield Text(visible(block.summary), style="bold dim")
            yield Padding(
                Group(*_blocks(block.blocks, replace(surface, width=surface.width - 2))), (0, 0, 0, 2)
            )


def _widths(block: Table, room: int) -> Sequence[int | None]:
    """How wide each column is, so that lines break between words; None, for rich to choose, where all of it fits or
    the longest words alone do not."""
    columns = [
        [visible(column), *(styled(row[at]).plain for row in block.rows)]
        for at, column in enumerate(block.columns)
    ]
    widths = [max(map(cell_len, column)) for column in columns]
    least = [max(cell_len(word) for cell in column for word in cell.split() or [""]) for column in columns]
    room -= _GAP * len(columns)
    if sum(widths) <= room or sum(least) > room:
        return [None] * len(columns)
    while sum(widths) > room:
        at = max(range(len(widths)), key=lambda at: widths[at] - least[at])
        widths[at] -= 1
    return widths


def _matrix(block: Matrix, surface: _Surface) -> RenderableType:
    """A table; where there is no room for one, each thing above its answers: no place is ever left out."""
    things, *columns = block.columns
    cells = [[_answer(answer, surface) for answer in answers] for _, answers in block.rows]
    widths = [
        max(cell_len(visible(column)), *(row[at].cell_len for row in cells), 0)
        for at, column in enumerate(columns)
    ]
    longest = max((styled(thing).cell_len for thing, _ in block.rows), default=0)
    room = surface.width - sum(width + _GAP for width in widths) - _GAP
    if room < min(longest, _NARROWEST):
        return Group(*_stacked(block, cells))
    table = Grid(box=None, padding=(0, _GAP, 0, 0), header_style="dim", show_edge=False, pad_edge=False)
    table.add_column(Text(visible(things)), overflow="fold", min_width=12)
    for column in columns:
        table.add_column(Text(visible(column)), no_wrap=True)
    for (thing, _), row in zip(block.rows, cells, strict=True):
        table.add_row(styled(thing), *row)
    return table


def _stacked(block: Matrix, cells: Sequence[Sequence[Text]]) -> Iterator[RenderableType]:
    for (thing, _), row in zip(block.rows, cells, strict=True):
        yield styled(thing)
        told = [
            Text.assemble((f"{visible(column)} ", "dim"), cell)
            for column, cell in zip(block.columns[1:], row, strict=True)
        ]
        yield Padding(Text("  ").join(told), (0, 0, 0, 2))


def _answer(answer: Answer, surface: _Surface) -> Text:
    """A sign and a word: colour is never all that tells a yes from a no."""
    sign = surface.signs.get(answer.tone)
    return Text(f"{sign} {visible(answer.word)}" if sign else visible(answer.word), style=STYLES[answer.tone])


def _reasons(block: Matrix, surface: _Surface) -> Iterator[RenderableType]:
    for thing, answers in block.rows:
        yield Text.assemble(("Why, for ", "bold dim"), styled(thing))
        for answer in answers:
            yield Padding(Group(*_blocks(answer.reason, surface)), (0, 0, 0, 2))
