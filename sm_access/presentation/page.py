"""What every answer is shown as: a page of a few kinds of block, rendered as text, as HTML, or in a terminal.

Words are chosen once, where a page is made; a surface only renders. `data` is the same answer for programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Tone(str, Enum):
    """What a piece of text means. A renderer gives each a colour and, where colour is all there is, a sign."""

    PLAIN = "plain"
    STRONG = "strong"
    QUIET = "quiet"
    CODE = "code"
    OK = "ok"
    NO = "no"
    WARN = "warn"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text with one meaning. The text may come from AWS or from a person: renderers escape it."""

    text: str
    tone: Tone = Tone.PLAIN


Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    line: Line


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels and what stands beside them."""

    rows: tuple[tuple[str, Line], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows of cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One cell of a matrix: a word, and the reason behind it. short: the word where there is room for a chip only;
    '' for the sign of the tone.
    """

    word: str
    tone: Tone
    reason: tuple[Block, ...] = ()
    short: str = ""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Things x questions. Each answer opens its reason, where a surface can open; the others list reasons on demand.

    columns: the first is that of the things. rows: a thing, and one answer for each further column.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Line, tuple[Answer, ...]], ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Text to be shown to the letter, e.g. a policy."""

    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """What to type next, and what for."""

    purpose: str
    text: str


@dataclass(frozen=True, slots=True)
class Fold:
    """Detail beneath a summary; closed at first where a surface can fold, unless it must be seen."""

    summary: str
    blocks: tuple[Block, ...]
    open: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Blocks that belong together; a surface that can draws a line above them."""

    blocks: tuple[Block, ...]


Block = Paragraph | Facts | Table | Matrix | Code | Command | Fold | Part


@dataclass(frozen=True, slots=True)
class Page:
    """One answer. headline: the answer itself, in one line. tone: how it stands. data: the answer for programs.

    aside: what belongs to the headline and changes by itself, e.g. the time left.
    """

    headline: Line
    tone: Tone
    blocks: tuple[Block, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    aside: Span | None = None


def line(*parts: str | Span) -> Line:
    """Strings become plain spans."""
    return tuple(part if isinstance(part, Span) else Span(part) for part in parts)


def code(text: str) -> Span:
    return Span(text, Tone.CODE)


def strong(text: str) -> Span:
    return Span(text, Tone.STRONG)


def quiet(text: str) -> Span:
    return Span(text, Tone.QUIET)


def plain_text(of: Line) -> str:
    return "".join(visible(span.text) for span in of)


def visible(text: str, *, lines: bool = False) -> str:
    """The text with everything that cannot be seen written out: line breaks, terminal escapes, marks that turn text
    round. lines: keep line breaks, where text is shown to the letter.

    INVARIANT: words of AWS or of a person begin no line of their own, and steer no terminal.
    """
    if text.isprintable():
        return text
    return "".join(
        letter
        if letter.isprintable() or (lines and letter == "\n")
        else _WRITTEN.get(letter, f"\\u{ord(letter):04x}")
        for letter in text
    )


_WRITTEN = {"\n": " \u23ce ", "\t": " ", "\u00a0": " "}
