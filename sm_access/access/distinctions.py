"""What a set of policies tells apart: the context keys that it asks for, and the parts of a place in S3.

Both are read off the policies themselves, so that nothing which they ask for is forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sm_access.policy import UNREADABLE, PolicySet
from sm_access.policy.context import RequestContext
from sm_access.policy.partition import Run, Shape, overlaps, partition
from sm_access.policy.pattern import parse_template
from sm_access.policy.policy_set import Policies
from sm_access.policy.statement import Statement

_VARIABLE = re.compile(r"\$\{\s*([A-Za-z][^,}]*)")
_NOTHING_KNOWN = RequestContext({}, ["*"])


def keys_asked(layers: PolicySet) -> frozenset[str]:
    """The context keys in conditions and policy variables, lower-case: names are not case-sensitive."""
    found = set()
    for statement in _statements(layers):
        texts = [value for condition in statement.conditions for value in condition.values]
        texts += statement.resource.patterns if statement.resource is not None else ()
        found |= {condition.key.lower() for condition in statement.conditions}
        found |= {name.strip().lower() for text in texts for name in _VARIABLE.findall(text)}
    return frozenset(found)


def parts_of(place: str, layers: PolicySet) -> tuple[str, ...]:
    """One object for each part of a place that no Resource pattern tells apart; the place's ARN ends with `*`.

    A yes for an object that only stands for the others would overlook a Deny on a folder or a suffix within the place.
    Raises CannotTell where there are too many parts to go through.
    """
    stem = place.removesuffix("*")
    universe = Shape(place, (*stem, Run()))
    shapes = {shape.pieces: shape for statement in _statements(layers) for shape in shapes_of(statement)}
    near = tuple(
        shape for shape in shapes.values() if _begins_alike(shape, stem) and overlaps(universe, shape)
    )
    return tuple(cell.example for cell in partition(universe, near))


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
    if statement.resource is not None:
        for pattern in statement.resource.patterns:
            template = parse_template(pattern, variables=statement.resource.variables)
            yield Shape.of(pattern, template.resolve(_NOTHING_KNOWN).within_segments())


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
