"""Action and NotAction: names of actions with wildcards, not case-sensitive.

Source: IAM User Guide, "IAM JSON policy elements: Action" and "NotAction".
"""

from __future__ import annotations

from dataclasses import dataclass

from sm_access.policy.context import RequestContext
from sm_access.policy.pattern import parse_template
from sm_access.policy.truth import Truth, negation, truth, undecided

_NOTHING = RequestContext({})


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
    named = truth(any(_covers(pattern, lowered) for pattern in element.patterns))
    return negation(named) if element.negated else named


def _covers(pattern: str, lowered: str) -> bool:
    template = parse_template(pattern.lower(), variables=False)
    return template.resolve(_NOTHING).matches(lowered)
