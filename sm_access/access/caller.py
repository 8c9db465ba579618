"""Who called, as STS tells it. Nothing here is taken from what a person typed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sm_access.errors import InvalidInput
from sm_access.policy.principal import canonical_principal

PARTITIONS = "aws|aws-cn|aws-us-gov|aws-iso|aws-iso-b|aws-iso-e|aws-iso-f|aws-eusc"

_PRINCIPAL = re.compile(rf"arn:(?:{PARTITIONS}):(?:iam|sts)::(\d{{12}}):[!-~]+")
_WITH_PATH = re.compile(r"(arn:[^:]+:iam::\d{12}:(?:role|user))/(?:.*/)?([^/]+)")


@dataclass(frozen=True, slots=True)
class Caller:
    """The answer of STS GetCallerIdentity. Raises InvalidInput for what cannot be such an answer.

    `user_id` is e.g. `AROA...:session-name`; empty when it was not read.
    """

    arn: str
    account: str
    user_id: str = ""

    def __post_init__(self) -> None:
        match = _PRINCIPAL.fullmatch(self.arn)
        if not match or match.group(1) != self.account:
            raise InvalidInput(
                f"{self.arn!r} in account {self.account!r} is not a principal of IAM or STS.",
                remedy="Pass Arn, Account and UserId as STS GetCallerIdentity returned them.",
            )

    @property
    def principal(self) -> str:
        """The IAM role behind a session; users, federated users and the root user as they are."""
        return canonical_principal(self.arn)

    @property
    def session_name(self) -> str | None:
        """The name of an assumed role's session, chosen by whoever assumed the role: a hint, never a
        proof."""
        return self.arn.rsplit("/", 1)[1] if ":assumed-role/" in self.arn else None


def principal_key(arn: str) -> str:
    """What two ARNs of one principal have in common, whichever session, and whether or not they tell the
    path.

    A session's ARN does not carry the path of its role, and the name of a role or user is unique in its
    account whatever the path and the case (IAM User Guide, "IAM and AWS STS quotas": name requirements).
    """
    # INVARIANT: two ARNs through which one role can act have one key; self-review is refused on keys, never
    # on ARNs.
    return _WITH_PATH.sub(r"\1/\2", canonical_principal(arn)).lower()


def same_principal(one: str, other: str) -> bool:
    """True when both ARNs belong to one IAM principal."""
    return principal_key(one) == principal_key(other)
