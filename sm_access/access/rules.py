"""The rules of the workflow: who may decide on what, how much may be asked for, and what needs no reviewer.

    reviewers = ["arn:aws:iam::111122223333:role/DataStewards"]
    reviewer_groups = ["DataOwners"]  # IAM groups, whose users may review
    owner_tag = "data-owner"          # tag of a bucket whose value names reviewers
    quorum = 1                        # how many have to agree
    max_duration = "7d"               # and the other keys of `ceiling`

    [[auto]] ... [break_glass]        # see `shortcuts`

    [bucket."acme-hr"]                # replaces, key by key, what stands above it
    reviewers = ["arn:aws:iam::111122223333:role/HrOwner"]
    quorum = 2
    levels = ["read"]

    [role."acme-ds-notebooks"]        # a ceiling for what is asked for this role, beside that of the bucket
    max_duration = "1d"

Where nobody is named, nobody may review; delete has to be named to be asked for. A rule that cannot be understood is
refused, never skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sm_access.access.caller import Caller, principal_key, same_principal
from sm_access.access.ceiling import Ceiling
from sm_access.access.duration import LONGEST, parse_duration
from sm_access.access.level import Extra, Level, parse_extras, parse_level
from sm_access.access.model import AccessRequest, Grant, Terms
from sm_access.access.reviewers import Facts, Reviewer, Reviewers
from sm_access.access.shortcuts import Shortcut
from sm_access.access.target import S3Target
from sm_access.errors import BeyondCeiling, InvalidInput, InvalidSetting, NotAReviewer, Refused, SelfReview

__all__ = ["BucketRules", "Facts", "Reviewer", "Rules"]

BREAK_GLASS = "break_glass"
UNKNOWN = Facts()


@dataclass(frozen=True, slots=True)
class BucketRules:
    """What holds for a bucket."""

    reviewers: Reviewers = field(default_factory=Reviewers)
    ceiling: Ceiling = field(default_factory=Ceiling)


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds everywhere, for single buckets and for single roles; and what needs no reviewer."""

    everywhere: BucketRules = field(default_factory=BucketRules)
    buckets: Mapping[str, BucketRules] = field(default_factory=dict)
    roles: Mapping[str, Ceiling] = field(default_factory=dict)
    auto: tuple[Shortcut, ...] = ()
    break_glass: Shortcut | None = None

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Rules:
        """The rules as TOML reads them. Raises InvalidSetting, naming the key."""
        rest = dict(table)
        buckets, roles = _table("bucket", rest.pop("bucket", {})), _table("role", rest.pop("role", {}))
        auto, glass = rest.pop("auto", []), rest.pop(BREAK_GLASS, None)
        everywhere = _bucket_rules("", rest, BucketRules())
        shortcuts = tuple(
            _shortcut(f"auto[{number}]", one) for number, one in enumerate(_tables("auto", auto))
        )
        names = [shortcut.name for shortcut in shortcuts]
        if len(set(names)) != len(names):
            raise InvalidSetting("Two rules in auto have one name.", remedy="The record tells them by it.")
        return cls(
            everywhere,
            {_bucket(name): _of_bucket(name, own, everywhere) for name, own in buckets.items()},
            {name.lower(): _of_role(name, own) for name, own in roles.items()},
            shortcuts,
            None
            if glass is None
            else _shortcut(BREAK_GLASS, {**_table(BREAK_GLASS, glass), "name": BREAK_GLASS}),
        )

    def of(self, bucket: str) -> BucketRules:
        """What holds for a bucket."""
        return self.buckets.get(bucket, self.everywhere)

    def check_ceiling(self, terms: Terms) -> None:
        """Raises BeyondCeiling when nobody may be given this, whoever agrees."""
        self.of(terms.target.bucket).ceiling.check(terms, f"on bucket {terms.target.bucket}")
        name = principal_key(terms.role_arn).rpartition("/")[2]
        if name in self.roles:
            self.roles[name].check(terms, f"for the role {name}")

    def check_reviewer(self, reviewer: Caller, request: AccessRequest, facts: Facts = UNKNOWN) -> None:
        """Raises SelfReview or NotAReviewer unless this caller may decide on this access request."""
        # INVARIANT: no list of reviewers makes a role its own reviewer.
        for own in (request.requester.arn, request.role_arn):
            if same_principal(reviewer.arn, own):
                raise SelfReview(
                    f"{reviewer.principal} cannot decide on {request.id}: it asked for it, or would gain it.",
                    remedy=self._who(request.target.bucket),
                )
        # INVARIANT: nor does a chain of roles: who works on the role that gains could be the reviewer.
        if facts.reachable:
            raise SelfReview(
                f"{reviewer.principal} cannot decide on {request.id}: {request.role_arn} may assume it, so whoever "
                "asked could be the one who decides.",
                remedy="Take sts:AssumeRole on it from that role, or let somebody else decide. "
                + self._who(request.target.bucket),
            )
        if facts.unread:
            raise NotAReviewer(
                f"Whether who asked for {request.id} could be {reviewer.principal} could not be found out: "
                f"{facts.unread} could not be read.",
                remedy="Who decides needs iam:GetRole, iam:ListRolePolicies, iam:GetRolePolicy, "
                "iam:ListAttachedRolePolicies, iam:GetPolicy and iam:GetPolicyVersion on both roles.",
            )
        if not self.of(request.target.bucket).reviewers.include(reviewer, facts):
            raise NotAReviewer(
                f"{reviewer.principal} is not a reviewer of bucket {request.target.bucket}.",
                remedy=self._who(request.target.bucket),
            )

    def may_review(self, reviewer: Caller, request: AccessRequest, facts: Facts = UNKNOWN) -> bool:
        """True when `check_reviewer` raises nothing."""
        try:
            self.check_reviewer(reviewer, request, facts)
        except (SelfReview, NotAReviewer):
            return False
        return True

    def quorum(self, bucket: str) -> int:
        """How many reviewers have to agree on something in a bucket."""
        return self.of(bucket).reviewers.quorum

    def auto_rule(self, terms: Terms) -> Shortcut | None:
        """The first rule that approves these terms by itself."""
        return next((rule for rule in self.auto if rule.covers(terms)), None)

    def check_break_glass(self, requester: Caller, request: AccessRequest) -> None:
        """Raises Refused unless the requester may take this in an emergency."""
        rule = self.break_glass
        if (
            rule is None
            or not rule.covers(request.terms)
            or not same_principal(requester.arn, request.role_arn)
        ):
            raise Refused(
                f"The rules leave nobody to take {request.level.value} {request.target} for {request.role_arn} "
                "in an emergency.",
                remedy=f"Ask a reviewer. {self._who(request.target.bucket)}",
            )

    def faults(
        self, request: AccessRequest, grant: Grant, facts_of: Callable[[Caller], Facts]
    ) -> tuple[str, ...]:
        """Why the rules, as they are now, do not stand behind a grant, in words; empty when they do.

        A decision in the ledger proves only that somebody wrote it there: that they might is asked again.
        """
        found = []
        try:
            self.check_ceiling(request.terms)
        except BeyondCeiling:
            found.append("the rules let nobody have it")
        if grant.rule:
            if not any(rule.name == grant.rule and rule.covers(request.terms) for rule in self.auto):
                found.append(f"the rule {grant.rule!r} does not approve it")
        elif grant.emergency:
            own = same_principal(request.requester.arn, request.role_arn)
            if self.break_glass is None or not self.break_glass.covers(request.terms) or not own:
                found.append("the rules leave nobody to take it in an emergency")
        else:
            if not all(self.may_review(each, request, facts_of(each)) for each in grant.approvers):
                found.append("its approver may not decide on it")
            if len({principal_key(each.arn) for each in grant.approvers}) < self.quorum(
                request.target.bucket
            ):
                found.append("too few reviewers agreed to it")
        return tuple(found)

    def _who(self, bucket: str) -> str:
        who = self.of(bucket).reviewers.words()
        if who:
            return f"Reviewers: {who}."
        return f'No reviewer is named for it: add `reviewers` to the rules, or to [bucket."{bucket}"].'


def _of_bucket(name: str, own: Any, everywhere: BucketRules) -> BucketRules:
    prefix = f'bucket."{name}"'
    return _bucket_rules(f"{prefix}.", _table(prefix, own), everywhere)


def _of_role(name: str, own: Any) -> Ceiling:
    prefix = f'role."{name}"'
    if "/" in name or not name:
        raise InvalidSetting(f"{prefix} is not the name of a role.", remedy="Write its name, without a path.")
    given = _given(f"{prefix}.", _table(prefix, own), _OF_CEILING)
    # What is not named for the role is not limited for it: the bucket's ceiling holds anyhow.
    return replace(_UNLIMITED, **given)


def _bucket_rules(prefix: str, table: Mapping[str, Any], above: BucketRules) -> BucketRules:
    given = _given(prefix, table, {**_OF_REVIEWERS, **_OF_CEILING})
    return BucketRules(
        replace(above.reviewers, **{_FIELDS[key]: given[key] for key in _OF_REVIEWERS if key in given}),
        replace(above.ceiling, **{key: given[key] for key in _OF_CEILING if key in given}),
    )


def _shortcut(name: str, table: Any) -> Shortcut:
    given = _given(f"{name}.", _table(name, table), _OF_SHORTCUT)
    missing = [key for key in _OF_SHORTCUT if key not in given]
    if missing:
        raise InvalidSetting(
            f"{name} does not say {missing[0]}.", remedy="It gives only what it names: say every key."
        )
    return Shortcut(**given)


def _given(prefix: str, table: Mapping[str, Any], readers: Mapping[str, Any]) -> dict[str, Any]:
    for key in table:
        if key not in readers:
            raise InvalidSetting(f"{prefix}{key} is not a rule.", remedy=f"Rules here: {', '.join(readers)}.")
    return {key: _read(f"{prefix}{key}", readers[key], value) for key, value in table.items()}


def _read(name: str, reader: Callable[[Any], Any], value: Any) -> Any:
    try:
        return reader(value)
    except InvalidInput as fault:
        raise InvalidSetting(f"{name} cannot be used: {fault.message}", remedy=fault.remedy) from fault


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidSetting(f"{value!r} is not a list of texts.", remedy='Write it like ["one", "two"].')
    return tuple(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise InvalidSetting(f"{value!r} is not a text.", remedy='Write it like "name".')
    return value


def _duration(value: Any) -> timedelta:
    if not isinstance(value, str):
        raise InvalidSetting(f"{value!r} is not a length of time.", remedy='Write it like "7d".')
    return parse_duration(value)


def _number(least: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if type(value) is not int or not least <= value <= 100:
            raise InvalidSetting(
                f"{value!r} is not a number from {least} to 100.", remedy=f"Write e.g. {least + 1}."
            )
        return value

    return read


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidSetting(f"{value!r} is neither true nor false.", remedy="Write true or false.")
    return value


def _reviewers(value: Any) -> tuple[Reviewer, ...]:
    return tuple(Reviewer(text) for text in _texts(value))


def _table(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidSetting(
            f"{name} is not a table.", remedy=f"Write it like {_EXAMPLES.get(name, '[name]')}."
        )
    return value


def _tables(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidSetting(f"{name} is not a list of tables.", remedy=f"Write it like [[{name}]].")
    return value


def _bucket(name: str) -> str:
    try:
        return S3Target(name).bucket
    except InvalidInput as fault:
        raise InvalidSetting(
            f'bucket."{name}" cannot be used: {fault.message}', remedy=fault.remedy
        ) from fault


_EXAMPLES = {"bucket": '[bucket."my-bucket"]', "role": '[role."my-role"]', BREAK_GLASS: "[break_glass]"}
_UNLIMITED = Ceiling(LONGEST, tuple(Level), tuple(Extra), 0, True)
_FIELDS = {"reviewers": "named", "reviewer_groups": "groups", "owner_tag": "owner_tag", "quorum": "quorum"}
_OF_REVIEWERS: Mapping[str, Any] = {
    "reviewers": _reviewers,
    "reviewer_groups": _texts,
    "owner_tag": _text,
    "quorum": _number(1),
}
_OF_CEILING: Mapping[str, Any] = {
    "max_duration": _duration,
    "levels": lambda value: tuple(parse_level(text) for text in _texts(value)),
    "extras": lambda value: parse_extras(_texts(value)),
    "depth": _number(0),
    "team_wide": _flag,
}
KEYS = (*_OF_REVIEWERS, *_OF_CEILING)
"""What a table of rules may hold."""
_OF_SHORTCUT: Mapping[str, Any] = {
    "name": _text,
    "roles": _reviewers,
    "places": lambda value: tuple(S3Target.parse(text) for text in _texts(value)),
    "levels": _OF_CEILING["levels"],
    "max_duration": _duration,
}
SHORTCUT_KEYS = tuple(_OF_SHORTCUT)
"""What a rule that needs no reviewer has to say."""
