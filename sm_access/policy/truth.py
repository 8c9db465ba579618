"""Three-valued truth (Kleene's strong logic), where "cannot be told" carries the words for what it depends
on.

The engine never guesses: a context key whose value the caller does not know, a layer that could not be
read and a construct that is not understood are all OPEN, and the words say which. An AND with a NO in it
is NO whatever is open beside it, an OR with a YES is YES: so what is open is named only where it can make
a difference. The logic is sound but not minimal: the same key open in two places is treated as two unknowns.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Truth:
    """`value` True, False, or None for OPEN; `depends_on` is empty unless OPEN."""

    value: bool | None
    depends_on: tuple[str, ...] = ()


YES = Truth(True)
NO = Truth(False)


def truth(value: bool) -> Truth:
    """The settled truth of a Python bool."""
    return YES if value else NO


def undecided(*words: str) -> Truth:
    """OPEN, because of the facts that `words` name."""
    return Truth(None, words)


def _collected(open_truths: list[Truth]) -> Truth:
    return Truth(None, tuple(dict.fromkeys(word for item in open_truths for word in item.depends_on)))


def every(truths: Iterable[Truth]) -> Truth:
    """AND: NO wins over OPEN, OPEN wins over YES. Of nothing: YES."""
    pending: list[Truth] = []
    for item in truths:
        if item.value is False:
            return NO
        if item.value is None:
            pending.append(item)
    return _collected(pending) if pending else YES


def some(truths: Iterable[Truth]) -> Truth:
    """OR: YES wins over OPEN, OPEN wins over NO. Of nothing: NO."""
    pending: list[Truth] = []
    for item in truths:
        if item.value is True:
            return YES
        if item.value is None:
            pending.append(item)
    return _collected(pending) if pending else NO


def negation(item: Truth) -> Truth:
    """NOT: OPEN stays OPEN."""
    return item if item.value is None else truth(not item.value)


def either_way(which: Truth, if_yes: Truth, if_no: Truth) -> Truth:
    """`if_yes` or `if_no`, as `which` says; where `which` is OPEN, what both agree on, else OPEN."""
    if which.value is not None:
        return if_yes if which.value else if_no
    if if_yes.value == if_no.value and if_yes.value is not None:
        return if_yes
    return _collected([item for item in (which, if_yes, if_no) if item.value is None])
