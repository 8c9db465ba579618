"""Three-valued truth (Kleene's strong logic), where "cannot be told" carries what it depends on.

The engine never guesses: a context key whose value the caller does not know, a layer that could not be
read and a construct that is not understood are all OPEN, and say which. An AND with a NO in it is NO whatever
is open beside it, an OR with a YES is YES: so what is open is named only where it can make a difference. This
logic is sound but not minimal: one key open in two places counts as two unknowns. Where it ends OPEN, the
expression that it carries is looked at as a whole (`partial.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sm_access.policy.formula import Doubt, Fact, Formula, KeyTest, Literal, conjoin, disjoin, opposite


@dataclass(frozen=True, slots=True)
class Truth:
    """`value` True, False, or None for OPEN; `depends_on` names what is open, and is empty unless OPEN.

    `formula`: when exactly it is true; None stands for `value` itself, or for a doubt of its own where OPEN.
    """

    value: bool | None
    depends_on: tuple[str, ...] = ()
    formula: Formula | None = field(default=None, compare=False)

    @property
    def expression(self) -> Formula:
        """When exactly it is true."""
        if self.value is not None:
            return self.value
        return Literal(Doubt(self.depends_on, object())) if self.formula is None else self.formula


YES = Truth(True)
NO = Truth(False)


def truth(value: bool) -> Truth:
    """The settled truth of a Python bool."""
    return YES if value else NO


def undecided(*words: str) -> Truth:
    """OPEN, because of what `words` name; a doubt of its own, whatever else is named by the same words."""
    return Truth(None, words, Literal(Doubt(words, object())))


def possible(fact: Fact) -> Truth:
    """OPEN, because `fact` is not known."""
    return Truth(None, (fact.shown,) if isinstance(fact, KeyTest) else fact.words, Literal(fact))


def _collected(open_truths: list[Truth], formula: Formula) -> Truth:
    words = dict.fromkeys(word for item in open_truths for word in item.depends_on)
    return Truth(None, tuple(words), formula)


def every(truths: Iterable[Truth]) -> Truth:
    """AND: NO wins over OPEN, OPEN wins over YES. Of nothing: YES."""
    pending: list[Truth] = []
    for item in truths:
        if item.value is False:
            return NO
        if item.value is None:
            pending.append(item)
    if len(pending) < 2:
        return pending[0] if pending else YES
    return _collected(pending, conjoin(item.expression for item in pending))


def some(truths: Iterable[Truth]) -> Truth:
    """OR: YES wins over OPEN, OPEN wins over NO. Of nothing: NO."""
    pending: list[Truth] = []
    for item in truths:
        if item.value is True:
            return YES
        if item.value is None:
            pending.append(item)
    if len(pending) < 2:
        return pending[0] if pending else NO
    return _collected(pending, disjoin(item.expression for item in pending))


def negation(item: Truth) -> Truth:
    """NOT: OPEN stays OPEN."""
    if item.value is not None:
        return truth(not item.value)
    return Truth(None, item.depends_on, opposite(item.expression))


def either_way(which: Truth, if_yes: Truth, if_no: Truth) -> Truth:
    """`if_yes` or `if_no`, as `which` says; where `which` is OPEN, what both agree on, else OPEN."""
    if which.value is not None:
        return if_yes if which.value else if_no
    if if_yes.value == if_no.value and if_yes.value is not None:
        return if_yes
    told = which.expression
    formula = disjoin((conjoin((told, if_yes.expression)), conjoin((opposite(told), if_no.expression))))
    return _collected([item for item in (which, if_yes, if_no) if item.value is None], formula)
