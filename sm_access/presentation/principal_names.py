"""What a person calls a principal."""

from __future__ import annotations

from sm_access.policy import Arn, canonical_principal


def name_of(arn: str) -> str:
    """The role's, user's or group's own name."""
    return Arn.parse(canonical_principal(arn)).resource.rsplit("/", 1)[-1]


def kind_of(arn: str) -> str:
    return Arn.parse(arn).resource.partition("/")[0]


def named(arn: str) -> str:
    """The principal's name; the text itself where it is no ARN, as a file may say anything."""
    return name_of(arn) if Arn.read(arn) is not None else arn
