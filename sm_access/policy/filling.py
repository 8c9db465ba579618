"""A policy variable whose value is not known, in a pattern that may match: with which values it would."""

from __future__ import annotations

from collections.abc import Callable

from sm_access.policy.context import UNKNOWN, RequestContext
from sm_access.policy.formula import KeyTest, Relation
from sm_access.policy.pattern import Pattern, Template, Variable, fillings
from sm_access.policy.truth import Truth, either_way, possible, some, undecided


def filled_in(
    template: Template, pattern: Pattern, text: str, context: RequestContext, holds: Callable[[Pattern], bool]
) -> Truth:
    """Whether `holds`, once the variable of `template` that `pattern` leaves open is known.

    A test of that key where its values can be listed, else a doubt of which no more is known.
    """
    names = [part for part in template.parts if isinstance(part, Variable) and part.name in pattern.holes]
    name = names[0].name
    plain = all(part.default is None for part in names) and context.lookup(name) is UNKNOWN
    values = fillings(pattern, text, holds) if plain else None
    if values is None:
        return undecided(*pattern.holes)
    return some(
        possible(KeyTest(name.lower(), Relation.ONE, "StringEquals", (Pattern(tuple(value)),), name))
        for value in values
    )


def not_carried(names: tuple[str, ...]) -> Truth:
    """What a negated element makes of variables that the request does not carry: AWS leaves it at "might be invalid"
    (IAM User Guide, "Policy elements: Variables and tags")."""
    return undecided(
        *(f"the policy variable ${{{name}}}, which this request does not carry" for name in names)
    )


def where_carried(template: Template, pattern: Pattern, named: Truth, context: RequestContext) -> Truth:
    """`named` in a negated element, where the variable that `pattern` leaves open may be one that is not carried."""
    names = {
        part.name for part in template.parts if isinstance(part, Variable) and part.name in pattern.holes
    }
    defaults = any(isinstance(part, Variable) and part.default is not None for part in template.parts)
    (name, *others) = sorted(names)
    if others or defaults or context.lookup(name) is not UNKNOWN:
        return undecided(*pattern.holes)
    if context.sketch(name) is not None:  # it certainly is carried
        return named
    absent = possible(KeyTest(name.lower(), Relation.ABSENT, shown=name))
    return either_way(absent, not_carried((name,)), named)
