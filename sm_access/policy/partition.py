"""All resources of a shape, cut into cells that a set of patterns cannot tell apart; each cell by one example.

Patterns are read as automata and walked together, character by character, over the characters that make a
difference at that point and one that stands for all others. What they can reach together, and nothing else,
is a cell: so what is decided by these patterns alone is the same for every resource of a cell.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from sm_access.errors import CannotTell
from sm_access.policy.pattern import Pattern, Symbol, Wildcard

MOST_STATES = 50_000
MOST_STEPS = 1_000_000
"""Of all patterns together, each by one character."""
_STEP = 4  # what a character costs beside the patterns, counted in patterns
_OTHERS = "xyzwvutsrqponmlkjihgfedcbaXYZ0123456789_-+=,.@/ "


@dataclass(frozen=True, slots=True)
class Run:
    """Any number of characters, except those `without`."""

    without: str = ""


Piece = str | Wildcard | Run


@dataclass(frozen=True, slots=True)
class Shape:
    """A pattern that may also say what a run of characters does not contain. `text` is for people."""

    text: str
    pieces: tuple[Piece, ...]

    @classmethod
    def of(cls, text: str, pattern: Pattern) -> Shape:
        """A policy's pattern; a variable whose value is not known may be anything."""
        return cls(text, tuple(map(_piece, pattern.symbols)))


@dataclass(frozen=True, slots=True)
class Cell:
    """`matched`: the numbers of the patterns that match here, and here no other; `example`: one such text."""

    matched: frozenset[int]
    example: str


def partition(universe: Shape, patterns: Sequence[Shape]) -> tuple[Cell, ...]:
    """The cells of `universe`, shortest examples first. Raises CannotTell where there are too many ways."""
    whole, automata = _Automaton(universe.pieces), [_Automaton(shape.pieces) for shape in patterns]
    start = (whole.start, _still_open(automata, [(n, each.start) for n, each in enumerate(automata)], set()))
    seen = {start}
    layer: list[tuple[_Reached, str]] = [(start, "")]
    cells: dict[frozenset[int], str] = {}
    steps = 0
    while layer:
        following: list[tuple[_Reached, str]] = []
        for (within, (live, settled)), text in layer:
            if whole.accepts(within):
                cells.setdefault(settled.union(n for n, at in live if automata[n].accepts(at)), text)
            for character in _characters(whole, within, automata, live):
                # INVARIANT: the work is bounded by a count and not by a clock, so that an answer never depends on it.
                steps += _STEP + len(live)
                if steps > MOST_STEPS or len(seen) > MOST_STATES:
                    raise CannotTell(
                        f"The resources of {universe.text} fall into too many groups to go through.",
                        remedy="Compare fewer policies, or fewer actions, at a time.",
                    )
                onward = whole.step(within, character)
                if not onward:
                    continue
                moved = [(n, automata[n].step(at, character)) for n, at in live]
                reached = (onward, _still_open(automata, moved, settled))
                if reached not in seen:
                    seen.add(reached)
                    following.append((reached, text + character))
        layer = following
    return tuple(Cell(matched, example) for matched, example in cells.items())


_Live = tuple[tuple[int, int], ...]
_Reached = tuple[int, tuple[_Live, frozenset[int]]]


def _still_open(
    automata: Sequence[_Automaton], states: Iterable[tuple[int, int]], settled: Collection[int]
) -> tuple[_Live, frozenset[int]]:
    """The patterns that may still match or not, with their states; and those that match whatever follows. Most have
    failed after a few characters and are looked at no more."""
    live, done = [], []
    for n, state in states:
        if automata[n].is_settled(state):
            done.append(n)
        elif state:
            live.append((n, state))
    return tuple(live), frozenset(settled).union(done)


def overlaps(left: Shape, right: Shape) -> bool:
    """Whether any text matches both."""
    ends = len(left.pieces), len(right.pieces)
    pending = [(0, 0)]
    seen = set(pending)
    while pending:
        at = pending.pop()
        if at == ends:
            return True
        for following in _together(left.pieces, right.pieces, *at):
            if following not in seen:
                seen.add(following)
                pending.append(following)
    return False


def _together(left: tuple[Piece, ...], right: tuple[Piece, ...], i: int, j: int) -> Iterable[tuple[int, int]]:
    """Where both can be after one more character, or after a run that ends here."""
    mine = left[i] if i < len(left) else None
    other = right[j] if j < len(right) else None
    if isinstance(mine, Run):
        yield i + 1, j
    if isinstance(other, Run):
        yield i, j + 1
    if mine is None or other is None or (isinstance(mine, Run) and isinstance(other, Run)):
        return
    literals = [piece for piece in (mine, other) if isinstance(piece, str)]
    if all(_takes(piece, literal) for piece in (mine, other) for literal in literals):
        yield i + (not isinstance(mine, Run)), j + (not isinstance(other, Run))


def _takes(piece: Piece, character: str) -> bool:
    if isinstance(piece, Run):
        return character not in piece.without
    return piece is Wildcard.ONE or piece == character


def _piece(symbol: Symbol) -> Piece:
    if symbol in (Wildcard.ANY, Wildcard.HOLE):
        return Run()
    return Run(":") if symbol is Wildcard.WITHIN else symbol


class _Automaton:
    """One pattern; a state is the set of its places that have been reached, as bits."""

    __slots__ = ("_ending", "_final", "_literals", "_moves", "_one", "_runs", "_special", "start")

    def __init__(self, pieces: tuple[Piece, ...]) -> None:
        self._literals: dict[str, int] = {}
        self._one = 0
        self._runs: list[tuple[int, str]] = []
        for place, piece in enumerate(pieces):
            if isinstance(piece, Run):
                self._runs.append((1 << place, piece.without))
            elif isinstance(piece, str):
                self._literals[piece] = self._literals.get(piece, 0) | 1 << place
            else:
                self._one |= 1 << place
        self._final = 1 << len(pieces)
        # Once a run of anything at the very end is reached all that follows matches: nothing else counts then.
        self._ending = self._final >> 1 if pieces and pieces[-1] == Run() else 0
        self._moves: dict[tuple[int, str], int] = {}
        self._special: dict[int, frozenset[str]] = {}
        self.start = self._settled(1)

    def accepts(self, state: int) -> bool:
        return bool(state & self._final)

    def step(self, state: int, character: str) -> int:
        """The places that are reached from `state` by one character; 0 for none."""
        found = self._moves.get((state, character))
        if found is None:
            moved = (state & (self._literals.get(character, 0) | self._one)) << 1
            for bit, without in self._runs:
                if state & bit and character not in without:
                    moved |= bit
            found = self._moves[state, character] = self._settled(moved)
        return found

    def is_settled(self, state: int) -> bool:
        """Whether all that may follow matches."""
        return bool(state & self._ending)

    def characters(self, state: int) -> frozenset[str]:
        """Those that can lead elsewhere than others do."""
        found = self._special.get(state)
        if found is None:
            listed = {character for character, bits in self._literals.items() if state & bits}
            found = frozenset(listed.union(*(without for bit, without in self._runs if state & bit)))
            self._special[state] = found
        return found if not self.is_settled(state) else frozenset()

    def _settled(self, state: int) -> int:
        """With the runs that may be empty; they stand in the order of their places."""
        for bit, _ in self._runs:
            if state & bit:
                state |= bit << 1
        return self._ending | self._final if state & self._ending else state


def _characters(whole: _Automaton, within: int, automata: Sequence[_Automaton], live: _Live) -> list[str]:
    special = whole.characters(within).union(*(automata[n].characters(state) for n, state in live))
    return [*sorted(special), _other(special)]


@lru_cache(maxsize=4096)
def _other(special: frozenset[str]) -> str:
    """A character that stands for all that are not special."""
    candidates = chain(_OTHERS, map(chr, range(0x100, 0xD800)))
    return next(character for character in candidates if character not in special)
