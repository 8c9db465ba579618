"""Text with wildcards and policy variables: parsed once, resolved against a request, matched without
backtracking.

`*` stands for any characters, a newline included (object keys may contain one), `?` for exactly one.
Variables
`${key}`, defaults `${key, 'text'}` and the escapes `${*}` `${?}` `${$}` exist only in documents of version
2012-10-17; in older ones `${` is plain text. Source: IAM User Guide, "IAM policy elements: Variables and
tags".

# INVARIANT: the text that a variable brings in is literal: a `*` in a tag's value is a star, never a
# wildcard.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from sm_access.policy.conditions.multivalued import is_multivalued
from sm_access.policy.context import ABSENT, UNKNOWN, RequestContext


class Wildcard(Enum):
    """What may stand in a pattern besides a literal character."""

    ANY = "*"
    ONE = "?"
    WITHIN = "* inside one segment of an ARN"
    HOLE = "a variable whose value is not known"


@dataclass(frozen=True, slots=True)
class Variable:
    """A policy variable; `default` is None where the document gives none."""

    name: str
    default: str | None = None


Symbol = str | Wildcard
_VARIABLE = re.compile(r"\s*([^,'{}$*?]+?)\s*(?:,\s*'([^']*)'\s*)?")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A template after its variables were filled in: literal characters and wildcards, one per item.

    `holes` names the variables whose values are not known; a HOLE matches any text, so a match through one
    is only a possible match. `unresolved` names the variables that this request does not carry.
    """

    symbols: tuple[Symbol, ...]
    holes: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()

    def literal(self) -> Pattern:
        """The same with `*` and `?` as plain characters, for operators that know no wildcards."""
        plain = tuple(s.value if s in (Wildcard.ANY, Wildcard.ONE) else s for s in self.symbols)
        return Pattern(plain, self.holes, self.unresolved)

    def lower(self) -> Pattern:
        """The same in lower case."""
        return Pattern(
            tuple(s.lower() if isinstance(s, str) else s for s in self.symbols), self.holes, self.unresolved
        )

    def within_segments(self) -> Pattern:
        """The same, read as an ARN in a Resource element: before the fifth colon a `*` stays inside its
        segment, unless it is the segment's last character (IAM User Guide, "IAM JSON policy elements:
        Resource")."""
        symbols = list(self.symbols)
        colons = 0
        for position, symbol in enumerate(symbols):
            if symbol == ":":
                colons += 1
            if colons == 5:
                break
            if symbol is Wildcard.ANY and position + 1 < len(symbols) and symbols[position + 1] != ":":
                symbols[position] = Wildcard.WITHIN
        return Pattern(tuple(symbols), self.holes, self.unresolved)

    def matches(self, text: str) -> bool:
        """Whether the whole of `text` matches. Time is bounded by the product of both lengths, whatever
        the stars."""
        return _matches(self.symbols, text)


_STARS = (Wildcard.ANY, Wildcard.WITHIN, Wildcard.HOLE)
_MOST_FILLINGS = 256


def fillings(pattern: Pattern, text: str, holds: Callable[[Pattern], bool]) -> tuple[str, ...] | None:
    """The values that the one unknown variable must have for `holds`, in a comparison of `pattern` with
    `text`; None where they cannot be listed.

    They are known to begin where the literal text before the variable ends: a star before it spoils that.
    """
    start = pattern.symbols.index(Wildcard.HOLE)
    if len({name.lower() for name in pattern.holes}) != 1 or len(text) - start > _MOST_FILLINGS:
        return None
    if any(symbol in _STARS for symbol in pattern.symbols[:start]):
        return None

    def filled(value: str) -> Pattern:
        symbols: list[Symbol] = []
        for symbol in pattern.symbols:
            symbols.extend(value if symbol is Wildcard.HOLE else (symbol,))
        return Pattern(tuple(symbols))

    candidates = (text[start:end] for end in range(start, len(text) + 1))
    return tuple(value for value in candidates if holds(filled(value)))


@lru_cache(maxsize=65536)
def _matches(symbols: tuple[Symbol, ...], text: str) -> bool:
    end = len(symbols)

    def with_empty_stars(positions: Iterable[int]) -> set[int]:
        reached: set[int] = set()
        for start in positions:
            position = start
            while position not in reached:
                reached.add(position)
                if position < end and symbols[position] in _STARS:
                    position += 1
        return reached

    places = with_empty_stars((0,))
    for character in text:
        following: set[int] = set()
        for place in places:
            if place == end:
                continue
            symbol = symbols[place]
            if symbol is Wildcard.ONE or symbol == character:
                following.add(place + 1)
            elif symbol in _STARS and not (symbol is Wildcard.WITHIN and character == ":"):
                following.add(place)
        if not following:
            return False
        places = with_empty_stars(following)
    return end in places


@dataclass(frozen=True, slots=True)
class Template:
    """Text of a policy after parsing. `malformed` is the reason why its variables cannot be understood, or
    empty."""

    text: str
    parts: tuple[Symbol | Variable, ...]
    malformed: str = ""

    @property
    def has_variables(self) -> bool:
        return any(isinstance(part, Variable) for part in self.parts)

    def resolve(self, context: RequestContext) -> Pattern:
        """Fill in the variables. A key that may have several values cannot be a variable's value: it becomes a
        hole."""
        symbols: list[Symbol] = []
        holes: list[str] = []
        unresolved: list[str] = []
        for part in self.parts:
            if not isinstance(part, Variable):
                symbols.append(part)
                continue
            values = context.lookup(part.name)
            several = isinstance(values, tuple) and (len(values) != 1 or is_multivalued(part.name))
            if values is UNKNOWN or several:
                holes.append(part.name)
                symbols.append(Wildcard.HOLE)
            elif values is not ABSENT and isinstance(values, tuple):
                symbols.extend(values[0])
            elif part.default is not None:
                symbols.extend(part.default)
            else:
                unresolved.append(part.name)
        return Pattern(tuple(symbols), tuple(holes), tuple(unresolved))


@lru_cache(maxsize=16384)
def parse_template(text: str, *, variables: bool) -> Template:
    """Parse one value of a policy; `variables` is False in documents that know no variables."""
    try:
        parts = tuple(_parts(text, variables))
    except ValueError as problem:
        return Template(text, (), str(problem))
    return Template(text, parts)


def _parts(text: str, variables: bool) -> Iterator[Symbol | Variable]:
    position = 0
    while position < len(text):
        if variables and text.startswith("${", position):
            closing = text.find("}", position)
            if closing < 0:
                raise ValueError(f"the policy variable in {text!r}, which is never closed")
            yield _variable(text[position + 2 : closing], text)
            position = closing + 1
            continue
        character = text[position]
        yield Wildcard.ANY if character == "*" else Wildcard.ONE if character == "?" else character
        position += 1


def _variable(inner: str, text: str) -> Symbol | Variable:
    if inner in ("*", "?", "$"):
        return inner
    found = _VARIABLE.fullmatch(inner)
    if found is None:
        raise ValueError(f"the policy variable in {text!r}, which is not understood")
    return Variable(found[1], found[2])
