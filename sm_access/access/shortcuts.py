"""How access may come about without a reviewer, each only where somebody wrote a rule for just this.

    [[auto]]                            # what a rule approves by itself
    name = "public data"
    roles = ["arn:aws:iam::111122223333:role/acme-ds-notebooks"]
    places = ["s3://acme-lake/public/"]
    levels = ["list", "read"]
    max_duration = "1d"

    [break_glass]                       # what may be taken in an emergency, with a reason, and everyone is told
    roles = ["arn:aws:iam::111122223333:role/on-call"]
    places = ["s3://acme-lake/"]
    levels = ["list", "read"]
    max_duration = "1h"

Nothing in either has a default: what is not named is not given.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sm_access.access.level import Level
from sm_access.access.model import Terms
from sm_access.access.reviewers import Reviewer
from sm_access.access.target import S3Target


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Which roles may have which levels in which places, for how long. `name` is what the record says of it."""

    name: str
    roles: tuple[Reviewer, ...]
    places: tuple[S3Target, ...]
    levels: tuple[Level, ...]
    max_duration: timedelta

    def covers(self, terms: Terms) -> bool:
        """True when all of the terms lies within. Extras never do, and neither does a KMS key: nobody but a reviewer
        looks whether it is the bucket's."""
        return (
            any(role.names(terms.role_arn) for role in self.roles)
            and any(place.covers(terms.target) for place in self.places)
            and terms.level in self.levels
            and terms.duration <= self.max_duration
            and not terms.extras
            and terms.kms_key_arn is None
        )
