"""Whom the rules name as reviewers: by ARN, through an IAM group, or as a bucket's owner by its tag.

What IAM and S3 have to be asked for comes in as `Facts`, from the port `Directory`. What could not be read names
nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sm_access.access.caller import PARTITIONS, Caller, principal_key
from sm_access.errors import InvalidSetting

_REVIEWER = re.compile(
    rf"arn:(?:{PARTITIONS}):iam::\d{{12}}:(role|user)/((?:[\w+=,.@-]+/)*)([\w+=,.@*-]+)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What AWS says about one reviewer of one access request; None where it could not be read or was not asked.

    groups: the IAM groups of a user, empty for a role. owner: the value of the bucket's owner tag, '' where it has
    none. reachable: whether who asked, or works on the role that gains, may assume the reviewer's role; `unread` says
    what kept that from being found out.
    """

    groups: frozenset[str] | None = None
    owner: str | None = None
    reachable: bool | None = None
    unread: str = ""


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Whom a rule names: the ARN of an IAM role or user, in whose name `*` stands for anything but a slash.

    Raises InvalidSetting for `*` anywhere else, and for `*` beneath a path: a session's ARN does not tell
    the path of its role, so such a pattern could not be held to it.
    """

    pattern: str

    def __post_init__(self) -> None:
        match = _REVIEWER.fullmatch(self.pattern)
        if not match:
            raise InvalidSetting(
                f"The reviewer {self.pattern!r} is not the ARN of an IAM role or user.",
                remedy="Write arn:aws:iam::ACCOUNT:role/NAME; `*` may stand in NAME alone.",
            )
        if match.group(2) and "*" in match.group(3):
            raise InvalidSetting(
                f"The reviewer {self.pattern!r} has a path and `*`, but sessions do not tell a path.",
                remedy="Name the roles one by one, or drop the path.",
            )

    def names(self, arn: str) -> bool:
        """True when a principal, or a session of it, is meant."""
        pattern = "[^/]*".join(re.escape(part) for part in principal_key(self.pattern).split("*"))
        return re.fullmatch(pattern, principal_key(arn)) is not None


@dataclass(frozen=True, slots=True)
class Reviewers:
    """Who may review: any of those named, any member of the groups, any owner that the tag of the bucket names.

    owner_tag: the key of the tag; its value is ARNs of roles and users, with spaces between.
    quorum: how many of them have to agree.
    """

    named: tuple[Reviewer, ...] = ()
    groups: tuple[str, ...] = ()
    owner_tag: str = ""
    quorum: int = 1

    def include(self, caller: Caller, facts: Facts) -> bool:
        return (
            any(reviewer.names(caller.arn) for reviewer in self.named)
            or bool(facts.groups and facts.groups & set(self.groups))
            or any(owner.names(caller.arn) for owner in self._owners(facts))
        )

    def _owners(self, facts: Facts) -> Iterator[Reviewer]:
        """The reviewers that the bucket's own tag names. What is none of them names nobody, and neither does `*`:
        who may tag a bucket may say who owns it, and no more."""
        for word in (facts.owner or "").split() if self.owner_tag else ():
            if "*" not in word and _REVIEWER.fullmatch(word):
                yield Reviewer(word)

    def words(self) -> str:
        """All of them, for people; '' where nobody is named."""
        found = [reviewer.pattern for reviewer in self.named]
        found += [f"members of the IAM group {group}" for group in self.groups]
        if self.owner_tag:
            found.append(f"the bucket's owner by its tag {self.owner_tag}")
        return ", ".join(found)
