"""What is known of a role's ARN from that of one of its sessions: all but the path.

aws:PrincipalArn of a session is the ARN of its role, and that has the role's path, which the session's does not show -
`role/service-role/` for most roles that the SageMaker console made. A test of it is settled where every path, none
included, gives the same; else it hangs on the path. Source: IAM User Guide, "AWS global condition context keys",
aws:PrincipalArn, and "IAM identifiers".
"""

from __future__ import annotations

from functools import lru_cache

from sm_access.policy.partition import Piece, Run, Shape, partition
from sm_access.policy.pattern import Pattern, Wildcard


@lru_cache(maxsize=4096)
def matches_role(pathless: str, operator: str, pattern: Pattern) -> bool | None:
    """Whether `operator`, one that is not negated, holds for the role: True or False whatever its path, None where
    that counts. `pathless`: the role's ARN without a path."""
    tested = _shape(operator, pattern)
    if tested is None:
        return None
    beginning, _, name = pathless.rpartition("/")
    if operator == "StringEqualsIgnoreCase":
        beginning, name = beginning.lower(), name.lower()
    found = {
        bool(cell.matched)
        for between in ("", Run())
        for cell in partition(_role(beginning, between, name), (tested,))
    }
    return found.pop() if len(found) == 1 else None


def _role(beginning: str, between: str | Run, name: str) -> Shape:
    path: tuple[Piece, ...] = (between, "/") if isinstance(between, Run) else ()
    return Shape(name, (*beginning, "/", *path, *name))


def _shape(operator: str, pattern: Pattern) -> Shape | None:
    """What the operator takes; None for one that is not about text."""
    if operator.startswith("StringEquals"):
        plain = pattern.literal()
        return Shape.of(operator, plain.lower() if operator.endswith("IgnoreCase") else plain)
    if operator == "StringLike":
        return Shape.of(operator, pattern)
    if not operator.startswith("Arn"):
        return None
    if pattern.symbols == (Wildcard.ANY,):
        return Shape.of(operator, pattern)
    colons = [place for place, symbol in enumerate(pattern.symbols) if symbol == ":"][:5]
    inside = tuple(
        Wildcard.WITHIN if symbol is Wildcard.ANY and place < colons[-1] else symbol
        for place, symbol in enumerate(pattern.symbols)
    )
    return Shape.of(operator, Pattern(inside))
