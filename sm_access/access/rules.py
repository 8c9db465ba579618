"""Who may decide on what, and how much may be asked for at all.

    reviewers = ["arn:aws:iam::111122223333:role/DataStewards"]
    max_duration = "7d"
    levels = ["list", "read", "write"]

    [bucket."acme-hr"]
    reviewers = ["arn:aws:iam::111122223333:role/HrOwner"]
    levels = ["read"]

A bucket's table replaces, key by key, what stands above it. Where nobody is named, nobody may review;
delete has to be named to be asked for. A rule that cannot be understood is refused, never skipped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sm_access.access.caller import PARTITIONS, Caller, principal_key, same_principal
from sm_access.access.duration import duration_words, parse_duration
from sm_access.access.level import Level, parse_level
from sm_access.access.model import AccessRequest
from sm_access.access.target import S3Target
from sm_access.errors import BeyondCeiling, InvalidInput, InvalidSetting, NotAReviewer, SelfReview

DEFAULT_MAX_DURATION = timedelta(days=7)
DEFAULT_LEVELS = (Level.LIST, Level.READ, Level.WRITE)

_REVIEWER = re.compile(
    rf"arn:(?:{PARTITIONS}):iam::\d{{12}}:(role|user)/((?:[\w+=,.@-]+/)*)([\w+=,.@*-]+)", re.ASCII
)


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
class BucketRules:
    """What holds for a bucket."""

    reviewers: tuple[Reviewer, ...] = ()
    max_duration: timedelta = DEFAULT_MAX_DURATION
    levels: tuple[Level, ...] = DEFAULT_LEVELS


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds everywhere, and for single buckets."""

    everywhere: BucketRules = BucketRules()
    buckets: Mapping[str, BucketRules] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Rules:
        """The rules as TOML reads them. Raises InvalidSetting, naming the key."""
        rest = dict(table)
        buckets = _table("bucket", rest.pop("bucket", {}))
        everywhere = _bucket_rules("", rest, BucketRules())
        return cls(
            everywhere, {_bucket(name): _of_bucket(name, own, everywhere) for name, own in buckets.items()}
        )

    def of(self, bucket: str) -> BucketRules:
        """What holds for a bucket."""
        return self.buckets.get(bucket, self.everywhere)

    def check_ceiling(self, target: S3Target, level: Level, duration: timedelta) -> None:
        """Raises BeyondCeiling when nobody may be given this, whoever agrees."""
        rules = self.of(target.bucket)
        if level not in rules.levels:
            words = ", ".join(allowed.value for allowed in rules.levels) or "none"
            raise BeyondCeiling(
                f"The rules let nobody have {level.value} on bucket {target.bucket}.",
                remedy=f"Levels that can be asked for there: {words}.",
            )
        if duration > rules.max_duration:
            raise BeyondCeiling(
                f"{duration_words(duration)} is longer than the rules allow on bucket {target.bucket}: "
                f"{duration_words(rules.max_duration)}.",
                remedy="Ask for less, and extend it near its end.",
            )

    def check_reviewer(self, reviewer: Caller, request: AccessRequest) -> None:
        """Raises SelfReview or NotAReviewer unless this caller may decide on this access request."""
        # INVARIANT: no list of reviewers makes a role its own reviewer.
        for own in (request.requester.arn, request.role_arn):
            if same_principal(reviewer.arn, own):
                raise SelfReview(
                    f"{reviewer.principal} cannot decide on {request.id}: it asked for it, or would gain it.",
                    remedy=self._who(request.target.bucket),
                )
        if not self._names(reviewer, request.target.bucket):
            raise NotAReviewer(
                f"{reviewer.principal} is not a reviewer of bucket {request.target.bucket}.",
                remedy=self._who(request.target.bucket),
            )

    def may_review(self, reviewer: Caller, request: AccessRequest) -> bool:
        """True when `check_reviewer` raises nothing."""
        try:
            self.check_reviewer(reviewer, request)
        except (SelfReview, NotAReviewer):
            return False
        return True

    def _names(self, reviewer: Caller, bucket: str) -> bool:
        return any(named.names(reviewer.arn) for named in self.of(bucket).reviewers)

    def _who(self, bucket: str) -> str:
        reviewers = self.of(bucket).reviewers
        if reviewers:
            return "Reviewers: " + ", ".join(named.pattern for named in reviewers) + "."
        return f'No reviewer is named for it: add `reviewers` to the rules, or to [bucket."{bucket}"].'


def _of_bucket(name: str, own: Any, everywhere: BucketRules) -> BucketRules:
    prefix = f'bucket."{name}"'
    return _bucket_rules(f"{prefix}.", _table(prefix, own), everywhere)


def _bucket_rules(prefix: str, table: Mapping[str, Any], above: BucketRules) -> BucketRules:
    for key in table:
        if key not in _KEYS:
            raise InvalidSetting(
                f"{prefix}{key} is not a rule.",
                remedy="Rules: reviewers, max_duration, levels, and bucket tables.",
            )
    given = {key: _read(f"{prefix}{key}", key, value) for key, value in table.items()}
    return BucketRules(
        reviewers=given.get("reviewers", above.reviewers),
        max_duration=given.get("max_duration", above.max_duration),
        levels=given.get("levels", above.levels),
    )


def _read(name: str, key: str, value: Any) -> Any:
    try:
        return _KEYS[key](value)
    except InvalidInput as fault:
        raise InvalidSetting(f"{name} cannot be used: {fault.message}", remedy=fault.remedy) from fault


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidSetting(f"{value!r} is not a list of texts.", remedy='Write it like ["one", "two"].')
    return tuple(value)


def _duration(value: Any) -> timedelta:
    if not isinstance(value, str):
        raise InvalidSetting(f"{value!r} is not a length of time.", remedy='Write it like "7d".')
    return parse_duration(value)


def _table(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidSetting(f"{name} is not a table.", remedy='Write it like [bucket."my-bucket"].')
    return value


def _bucket(name: str) -> str:
    try:
        return S3Target(name).bucket
    except InvalidInput as fault:
        raise InvalidSetting(
            f'bucket."{name}" cannot be used: {fault.message}', remedy=fault.remedy
        ) from fault


_KEYS: Mapping[str, Any] = {
    "reviewers": lambda value: tuple(Reviewer(text) for text in _texts(value)),
    "max_duration": _duration,
    "levels": lambda value: tuple(parse_level(text) for text in _texts(value)),
}
