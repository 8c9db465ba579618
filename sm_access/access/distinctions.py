"""What a set of policies tells apart: the context keys that it asks for, and the parts of a place in S3.

Both are read off the policies themselves, so that nothing which they ask for is forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sm_access.errors import CannotTell
from sm_access.policy import UNREADABLE, PolicySet
from sm_access.policy.action import match_action
from sm_access.policy.context import RequestContext
from sm_access.policy.partition import Run, Shape, overlaps, partition
from sm_access.policy.pattern import Pattern, Symbol, parse_template
from sm_access.policy.policy_set import Policies
from sm_access.policy.statement import DENY, Statement

_VARIABLE = re.compile(r"\$\{\s*([A-Za-z][^,}]*)")
_NOTHING_KNOWN = RequestContext({}, ["*"])
#: Of parts with Resource patterns: an answer for each part looks at each pattern.
MOST_COMPARISONS = 1_000_000
_ASK_FOR_ONE = "Ask about one object."


def keys_asked(layers: PolicySet) -> frozenset[str]:
    """The context keys in conditions and policy variables, lower-case: names are not case-sensitive."""
    found: set[str] = set()
    for statement in _statements(layers):
        found |= {condition.key.lower() for condition in statement.conditions}
        found |= _variables_of(statement)
    return frozenset(found)


def _variables_of(statement: Statement) -> set[str]:
    texts = [value for condition in statement.conditions for value in condition.values]
    texts += statement.resource.patterns if statement.resource is not None else ()
    return {name.strip().lower() for text in texts for name in _VARIABLE.findall(text)}


def parts_of(
    place: str,
    layers: PolicySet,
    action: str | None = None,
    context: RequestContext = _NOTHING_KNOWN,
    *,
    told_by: str = "",
) -> tuple[str, ...]:
    """One object for each part of a place that no pattern of the policies tells apart; the place's ARN ends with `*`.

    A yes for an object that only stands for the others would overlook a Deny on a folder or a suffix within the place.
    action: statements that are about another one are left out. context: that of the call, whose values variables have.
    told_by: the context key by which the call tells its object; '' where the object is its resource.
    Raises CannotTell where there are too many parts to go through, or what tells them apart cannot be told.
    """
    universe = _universe(place)
    shapes = {
        shape.pieces: shape
        for statement in _about(layers, action)
        for _, shape in _patterns(statement, context, place, told_by)
        if _near(shape, universe)
    }
    examples = tuple(cell.example for cell in partition(universe, tuple(shapes.values())))
    if len(examples) * _size(layers) > MOST_COMPARISONS:
        raise CannotTell(
            f"The policies tell too many parts of {place} apart to go through.", remedy=_ASK_FOR_ONE
        )
    return examples


def _size(layers: PolicySet) -> int:
    return sum(
        1 + (0 if statement.resource is None else len(statement.resource.patterns))
        for statement in _statements(layers)
    )


def unknown_parts(
    place: str, layers: PolicySet, action: str, context: RequestContext, *, told_by: str = ""
) -> tuple[str, ...]:
    """The variables of which no value is known and by which a Deny may be about a part of a place.

    An example of such a part is no proof for the others: the value that makes the Deny hold for it may be ruled out by
    a condition beside it, and another value not.
    """
    universe = _universe(place)
    found = (
        holes
        for statement in _about(layers, action)
        if statement.effect == DENY
        for holes, shape in _patterns(statement, context, place, told_by)
        if holes and _near(shape, universe)
    )
    return tuple(sorted({name for names in found for name in names}))


def _universe(place: str) -> Shape:
    return Shape(place, (*place.removesuffix("*"), Run()))


def _near(shape: Shape, universe: Shape) -> bool:
    stem = universe.pieces[:-1]
    if shape.pieces[: len(stem)] == stem:
        return True  # whatever follows there
    return _begins_alike(shape, universe.text.removesuffix("*")) and overlaps(universe, shape)


def _about(layers: PolicySet, action: str | None) -> Iterator[Statement]:
    for statement in _statements(layers):
        if action is None or match_action(statement.action, action).value is not False:
            yield statement


def _patterns(
    statement: Statement, context: RequestContext, place: str, told_by: str
) -> Iterator[tuple[tuple[str, ...], Shape]]:
    """What a statement tells objects apart by, for a call; with the variables in it of which no value is known."""
    if told_by:
        for pattern in _in_conditions(statement, context, place, told_by.lower()):
            yield pattern.holes, Shape.of("", pattern)
        return
    for pattern in _resolved(statement, context):
        yield pattern.holes, Shape.of("", pattern.within_segments())


def _resolved(statement: Statement, context: RequestContext) -> Iterator[Pattern]:
    """The Resource patterns of a statement for a call. One whose variable the call does not carry covers nothing, and
    is here what is left of it: a part too many does no harm."""
    if statement.resource is not None:
        for text in statement.resource.patterns:
            yield parse_template(text, variables=statement.resource.variables).resolve(context)


def _in_conditions(statement: Statement, context: RequestContext, place: str, key: str) -> Iterator[Pattern]:
    """The values with which a statement compares a context key, as its operators read them.

    Raises CannotTell where the key itself is a variable, or upper and lower case count as one.
    """
    if key in _variables_of(statement):
        raise CannotTell(
            f"A policy uses {key} as a variable, so its parts cannot be told.", remedy=_ASK_FOR_ONE
        )
    for condition in statement.conditions:
        if condition.key.lower() != key:
            continue
        for value in condition.values:
            pattern = parse_template(value, variables=statement.variables).resolve(context)
            if "Arn" in condition.operator:
                yield from _as_arn(pattern, place)
            if pattern.holes or "Like" in condition.operator:
                yield pattern
            else:
                yield pattern.literal()
            lowered = Shape.of("", pattern.literal().lower())
            if "IgnoreCase" in condition.operator and _near(lowered, _universe(place.lower())):
                raise CannotTell(
                    f"A policy compares {key} whatever the case, so its parts cannot be told.",
                    remedy=_ASK_FOR_ONE,
                )


def _as_arn(pattern: Pattern, place: str) -> Iterator[Pattern]:
    """As ArnLike reads it, part by part; nothing where one of the first five is another than the place's."""
    segments: list[list[Symbol]] = [[]]
    for symbol in pattern.symbols:
        if symbol == ":" and len(segments) < 6:
            segments.append([])
        else:
            segments[-1].append(symbol)
    beginning = place.split(":", 5)[:5]
    alike = (Pattern(tuple(mine)).matches(given) for mine, given in zip(segments, beginning, strict=False))
    if len(segments) == 6 and all(alike):
        yield Pattern((*":".join(beginning), ":", *segments[5]), pattern.holes)


def _begins_alike(shape: Shape, stem: str) -> bool:
    """Whether a pattern and a place agree up to the pattern's first wildcard: most of a thousand do not, and need no
    closer look."""
    for piece, character in zip(shape.pieces, stem, strict=False):
        if not isinstance(piece, str):
            return True
        if piece != character:
            return False
    return True


def shapes_of(statement: Statement) -> Iterator[Shape]:
    """The patterns of a statement's Resource or NotResource element; a variable in them may be anything."""
    texts = () if statement.resource is None else statement.resource.patterns
    for text, pattern in zip(texts, _resolved(statement, _NOTHING_KNOWN), strict=True):
        yield Shape.of(text, pattern.within_segments())


def touches(place: str, statement: Statement) -> bool:
    """Whether a statement's Resource may cover a resource or, of an ARN that ends with `*`, any part of that place."""
    if statement.resource is None or statement.resource.negated:
        return True
    universe = (
        Shape(place, (*place.removesuffix("*"), Run())) if place.endswith("*") else Shape(place, tuple(place))
    )
    for pattern in statement.resource.patterns:
        template = parse_template(pattern, variables=statement.resource.variables)
        if template.malformed or overlaps(
            universe, Shape.of(pattern, template.resolve(_NOTHING_KNOWN).within_segments())
        ):
            return True
    return False


def _statements(layers: PolicySet) -> Iterator[Statement]:
    # INVARIANT: every layer that can be in the set. What a forgotten one asks for would be taken for absent.
    applied: list[Policies | None] = [
        layers.identity,
        layers.permissions_boundary,
        layers.session,
        layers.resource,
    ]
    for levels in (layers.service_control, layers.resource_control):
        if levels is not None and levels is not UNREADABLE:
            applied += [policies for _, policies in levels]
    for policies in applied:
        if policies is not None and policies is not UNREADABLE:
            for policy in policies:
                yield from policy.document.statements
