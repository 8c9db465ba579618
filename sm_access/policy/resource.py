"""Resource and NotResource: ARNs with wildcards and policy variables, case-sensitive.

Variables stand after the fifth colon only. Source: IAM User Guide, "IAM JSON policy elements: Resource",
"NotResource" and "Variables and tags".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from sm_access.policy.context import RequestContext
from sm_access.policy.filling import filled_in, not_carried, where_carried
from sm_access.policy.pattern import Pattern, Symbol, Template, Variable, parse_template
from sm_access.policy.truth import NO, Truth, negation, some, truth, undecided


@dataclass(frozen=True, slots=True)
class ResourceElement:
    """The patterns of one statement; `negated` for NotResource, `variables` as the document's version has
    it."""

    patterns: tuple[str, ...]
    negated: bool = False
    variables: bool = True


def match_resource(element: ResourceElement, resource: str, context: RequestContext) -> Truth:
    """Whether the element covers `resource`.

    A pattern whose variable the request does not carry matches nothing. In a NotResource AWS says only
    that the statement "might" be invalid then, so there the answer is left open rather than guessed.
    """
    if element.negated and not element.patterns:
        return undecided("a NotResource element without resources")
    named = some(_match(pattern, element, resource, context) for pattern in element.patterns)
    return negation(named) if element.negated else named


def _match(pattern: str, element: ResourceElement, resource: str, context: RequestContext) -> Truth:
    plain = _plain(pattern, element.variables)
    if plain is not None:
        beginning, found = plain
        return truth(resource.startswith(beginning) and found.matches(resource))
    template = parse_template(pattern, variables=element.variables)
    if template.malformed:
        return undecided(template.malformed)
    if _variable_before_fifth_colon(template):
        return undecided(f"the policy variable in {pattern!r}, which stands before the fifth colon")
    filled = template.resolve(context)
    if filled.unresolved:
        return not_carried(filled.unresolved) if element.negated else NO
    named = truth(filled.within_segments().matches(resource))
    if not filled.holes:
        return named
    if named.value:
        named = filled_in(
            template, filled, resource, context, lambda found: found.within_segments().matches(resource)
        )
    return where_carried(template, filled, named, context) if element.negated else named


@lru_cache(maxsize=16384)
def _plain(text: str, variables: bool) -> tuple[str, Pattern] | None:
    """A pattern without variables is the same for every request: with the text that it begins with, by which most of
    a thousand are told at once. None for any other."""
    template = parse_template(text, variables=variables)
    if template.malformed or template.has_variables:
        return None
    pattern = template.resolve(RequestContext({})).within_segments()
    return "".join(map(str, takewhile(_literal, pattern.symbols))), pattern


def _literal(symbol: Symbol) -> bool:
    return isinstance(symbol, str)


def _variable_before_fifth_colon(template: Template) -> bool:
    before = list(takewhile(lambda part: not isinstance(part, Variable), template.parts))
    return before.count(":") < 5
