"""Many patterns against one text: which of them match, as bits of one integer, without trying them one by one.

Patterns are filed under the literal text that they begin with. Only those whose beginning the text shares are
looked at, and most of them - nothing but that text, or that text and a star - match without being looked at.
Says the same as `Pattern.matches` of each.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping

from sm_access.policy.pattern import Pattern, Wildcard

Test = Callable[[str], bool]


class PatternIndex:
    """`patterns`: each with the bits that stand for it. Read-only once built."""

    __slots__ = ("_beginnings", "_exact", "_masks", "_outer", "_tests")

    def __init__(self, patterns: Mapping[Pattern, int]) -> None:
        self._exact: dict[str, int] = {}
        masks: dict[str, int] = {}
        tests: dict[str, list[tuple[Test, int]]] = {}
        for pattern, bits in patterns.items():
            beginning, rest = _cut(pattern)
            if not rest:
                self._exact[beginning] = self._exact.get(beginning, 0) | bits
            elif rest == (Wildcard.ANY,):
                masks[beginning] = masks.get(beginning, 0) | bits
            else:
                tests.setdefault(beginning, []).append((_test(pattern, len(beginning)), bits))
        # Each beginning knows the longest other one that it starts with (-1: none), and carries what all of
        # those bring: whoever starts with "ab" starts with "a" too.
        self._beginnings = sorted({*masks, *tests})
        self._outer: list[int] = []
        self._masks: list[int] = []
        self._tests: list[tuple[tuple[Test, int], ...]] = []
        for at, beginning in enumerate(self._beginnings):
            outer = at - 1
            while outer >= 0 and not beginning.startswith(self._beginnings[outer]):
                outer = self._outer[outer]
            self._outer.append(outer)
            self._masks.append(masks.get(beginning, 0) | (self._masks[outer] if outer >= 0 else 0))
            inherited = self._tests[outer] if outer >= 0 else ()
            self._tests.append((*inherited, *tests.get(beginning, ())))

    def match(self, text: str) -> int:
        """The bits of all patterns that match the whole of `text`."""
        found = self._exact.get(text, 0)
        # In sorted order everything between a beginning and a text that starts with it starts with it too: so
        # the longest beginning of `text` is its predecessor, or one that the predecessor starts with.
        at = bisect_right(self._beginnings, text) - 1
        while at >= 0 and not text.startswith(self._beginnings[at]):
            at = self._outer[at]
        if at >= 0:
            found |= self._masks[at]
            for test, bits in self._tests[at]:
                if bits & ~found and test(text):
                    found |= bits
        return found

    def match_all_under(self, beginning: str) -> int | None:
        """The bits for every text that is longer than `beginning` and starts with it; None where they differ."""
        last = beginning[:-1] + chr(ord(beginning[-1]) + 1)
        at = bisect_right(self._beginnings, beginning) - 1
        if at + 1 < len(self._beginnings) and self._beginnings[at + 1] < last:
            return None
        if any(text.startswith(beginning) for text in self._exact):
            return None
        while at >= 0 and not beginning.startswith(self._beginnings[at]):
            at = self._outer[at]
        if at >= 0 and self._tests[at]:
            return None
        return self._masks[at] if at >= 0 else 0


def _cut(pattern: Pattern) -> tuple[str, tuple[object, ...]]:
    """The literal beginning, and what follows it."""
    symbols = pattern.symbols
    beginning: list[str] = []
    for symbol in symbols:
        if isinstance(symbol, Wildcard):
            break
        beginning.append(symbol)
    return "".join(beginning), symbols[len(beginning) :]


def _test(pattern: Pattern, size: int) -> Test:
    """How to match a text that is known to start with the first `size` symbols.

    With stars alone the pieces between them are looked for one after the other, each as early as it can be: if
    they fit at all, they fit there. Anything else is left to the pattern itself.
    """
    rest = pattern.symbols[size:]
    if any(isinstance(symbol, Wildcard) and symbol is not Wildcard.ANY for symbol in rest):
        return pattern.matches
    pieces = "".join("\0" if symbol is Wildcard.ANY else str(symbol) for symbol in rest).split("\0")
    if len(pieces) != 1 + rest.count(Wildcard.ANY):  # the text itself has the mark
        return pattern.matches
    middle, tail = tuple(filter(None, pieces[1:-1])), pieces[-1]

    def in_order(text: str) -> bool:
        position = size
        for piece in middle:
            position = text.find(piece, position)
            if position < 0:
                return False
            position += len(piece)
        return len(text) - len(tail) >= position and text.endswith(tail)

    def inside(text: str, piece: str = "".join(middle)) -> bool:
        return text.find(piece, size) >= 0

    return inside if len(middle) == 1 and not tail else in_order


class ElementIndex:
    """One kind of element - Action or Resource - of all statements, each statement one bit.

    `named`: which statements have a pattern; `holed`: the same of patterns with a variable whose value is not
    known, in elements that are not negated. `negated`: NotAction, NotResource. `doubtful`: what is open unless
    another pattern of the statement's matches; `apart`: which of that hangs on the very text.
    """

    __slots__ = ("_apart", "_doubtful", "_holed", "_negated", "named")

    def __init__(
        self,
        named: Mapping[Pattern, int],
        holed: Mapping[Pattern, int],
        negated: int,
        doubtful: int,
        apart: int = 0,
    ) -> None:
        self._apart = apart
        self.named = PatternIndex(named)
        self._holed = tuple(holed.items())
        self._negated = negated
        self._doubtful = doubtful

    def match(self, text: str) -> tuple[int, int, int]:
        """The statements that certainly cover `text`, those that possibly do, and those of the latter of which
        the text tells for which values of a variable."""
        return self.outcome(self.named.match(text), text)

    def outcome(self, named: int, text: str) -> tuple[int, int, int]:
        """The same, once it is known who names the text."""
        open_ = self._doubtful & ~named
        certain = (named ^ self._negated) & ~(open_ & self._negated)
        filled = self._apart
        for pattern, bits in self._holed:
            if bits & ~(named | filled) and pattern.matches(text):
                filled |= bits
        filled &= ~named
        return certain, certain | open_ | filled, filled
