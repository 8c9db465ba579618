"""Amazon Resource Names as values.

Source: AWS General Reference, "Amazon Resource Names (ARNs)": six parts separated by colons, of which the
last may contain further colons.
"""

from __future__ import annotations

from dataclasses import dataclass

from sm_access.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Arn:
    """One ARN, split. `region` and `account` are empty strings where the service leaves them out (S3
    buckets)."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Arn:
        """Split `text`; raises InvalidInput where it has not the six parts of an ARN."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or not parts[1] or not parts[2] or not parts[5]:
            raise InvalidInput(
                f"{text!r} is not an ARN.",
                remedy="An ARN reads arn:partition:service:region:account:resource.",
            )
        return cls(*parts[1:])

    @classmethod
    def read(cls, text: str) -> Arn | None:
        """Like `parse`, with None for what is no ARN."""
        try:
            return cls.parse(text)
        except InvalidInput:
            return None

    @property
    def name(self) -> str:
        """The part after the last slash of the resource: a role's or user's name without its path."""
        return self.resource.rpartition("/")[2]

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"
