"""Action and NotAction: names of actions with wildcards, not case-sensitive.

Source: IAM User Guide, "IAM JSON policy elements: Action" and "NotAction".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sm_access.policy.context import RequestContext
from sm_access.policy.pattern import Pattern, parse_template
from sm_access.policy.truth import Truth, negation, truth, undecided


@dataclass(frozen=True, slots=True)
class ActionElement:
    """The patterns of one statement; `negated` for NotAction. An empty list of actions matches nothing."""

    patterns: tuple[str, ...]
    negated: bool = False


def match_action(element: ActionElement, action: str) -> Truth:
    """Whether the element covers `action` ("service:Name")."""
    if element.negated and not element.patterns:
        return undecided("a NotAction element without actions")
    lowered = action.lower()
    named = truth(any(_pattern(text).matches(lowered) for text in element.patterns))
    return negation(named) if element.negated else named


@lru_cache(maxsize=16384)
def _pattern(text: str) -> Pattern:
    return parse_template(text.lower(), variables=False).resolve(RequestContext({}))
