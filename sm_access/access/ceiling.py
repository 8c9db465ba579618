"""How much may be asked for at all, whoever agrees: for how long, which levels, how wide.

    max_duration = "7d"
    levels = ["list", "read", "write"]
    extras = ["versions", "tags"]     # what may be asked for beside a level
    depth = 1                         # components that a prefix has at least; 0 lets a whole bucket be asked for
    team_wide = true                  # false: only for one person, by source identity

The same keys may stand for everything, for a bucket and for a role; a request has to keep within all that apply.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sm_access.access.duration import duration_words
from sm_access.access.level import Extra, Level
from sm_access.access.model import Terms
from sm_access.errors import BeyondCeiling

DEFAULT_MAX_DURATION = timedelta(days=7)
DEFAULT_LEVELS = (Level.LIST, Level.READ, Level.WRITE)


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most that may be had. `delete` has to be named to be asked for, and so have extras."""

    max_duration: timedelta = DEFAULT_MAX_DURATION
    levels: tuple[Level, ...] = DEFAULT_LEVELS
    extras: tuple[Extra, ...] = ()
    depth: int = 0
    team_wide: bool = True

    def check(self, terms: Terms, where: str) -> None:
        """Raises BeyondCeiling. where: of what this is the ceiling, e.g. `on bucket lake`."""
        if terms.level not in self.levels:
            words = ", ".join(level.value for level in self.levels) or "none"
            raise BeyondCeiling(
                f"The rules let nobody have {terms.level.value} {where}.",
                remedy=f"Levels that can be asked for there: {words}.",
            )
        if terms.duration > self.max_duration:
            raise BeyondCeiling(
                f"{duration_words(terms.duration)} is longer than the rules allow {where}: "
                f"{duration_words(self.max_duration)}.",
                remedy="Ask for less, and extend it near its end.",
            )
        for extra in terms.extras:
            if extra not in self.extras:
                raise BeyondCeiling(
                    f"The rules let nobody have {extra.value} {where}.",
                    remedy=f"Ask without it, or add it to `extras` in the rules: {extra.value}.",
                )
        if depth_of(terms) < self.depth:
            raise BeyondCeiling(
                f"{terms.target} is wider than the rules allow {where}: a prefix of at least {self.depth} "
                f"component{'' if self.depth == 1 else 's'}.",
                remedy=f"Name the place more closely, e.g. s3://{terms.target.bucket}/{'team/' * self.depth}",
            )
        if terms.source_identity is None and not self.team_wide:
            raise BeyondCeiling(
                f"The rules let nobody have it for a whole role {where}.",
                remedy="Ask for yourself alone: --only-me.",
            )


def depth_of(terms: Terms) -> int:
    """Components of the path: a whole bucket has none, `raw/events/` two."""
    stem = terms.target.stem
    return stem.count("/") + 1 if stem else 0
