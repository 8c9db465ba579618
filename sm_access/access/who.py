"""Who in an account may do this there: everybody is asked about, one by one, by the same engine as one's own role.

Most people in an account may not. Where no Allow of theirs, and none of the resource's policy, could cover one of the
calls, the answer is no without a further look; everyone else is decided in full.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sm_access.access.distinctions import touches
from sm_access.access.evidence import BucketEvidence, Policies, PrincipalEvidence, Unread
from sm_access.access.holder import AccountHolders, Holder, HolderKind, PolicyReader
from sm_access.access.instant import parse_instant
from sm_access.access.level import Level
from sm_access.access.levels import ENDS, LIST_ACTION, Check
from sm_access.access.planner import is_our_managed, is_ours
from sm_access.access.target import S3Target
from sm_access.access.verdict import Finding, Verdict, calls_of, judge, parts
from sm_access.errors import CannotTell
from sm_access.policy import UNREADABLE, Decision, NamedPolicy
from sm_access.policy.action import match_action
from sm_access.policy.policy_set import Unreadable
from sm_access.policy.statement import Statement

Told = Callable[[int, int], None]


class Standing(str, Enum):
    """How somebody stands, best first. DEPENDS: on what only the real call knows; UNKNOWN: on what was not read."""

    YES = "yes"
    IN_PART = "in part"
    DEPENDS = "depends"
    UNKNOWN = "cannot tell"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Entry:
    """One role, user or group. verdict: None for a no that needed no further look.

    used_by: what SageMaker runs on the role. grants: names of policies that sm_access put there and that are still in
    force -> their end.
    """

    holder: Holder
    standing: Standing
    verdict: Verdict | None = None
    part: Finding | None = None
    used_by: tuple[str, ...] = ()
    grants: Mapping[str, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody whom the policy of the bucket or its key lets in by name, and of whom nothing can be read here."""

    name: str
    policy: str
    sid: str | None


@dataclass(frozen=True, slots=True)
class WhoCan:
    """The whole answer. root: what the account's root user may. named: principals of others, in Allow statements."""

    target: S3Target
    asked: str
    account: str
    entries: tuple[Entry, ...]
    root: Decision
    named: tuple[Named, ...]
    read_at: datetime
    unread: tuple[Unread, ...]

    def of(self, kind: HolderKind, *standings: Standing, service_linked: bool = False) -> tuple[Entry, ...]:
        return tuple(
            entry
            for entry in self.entries
            if entry.holder.kind is kind
            and entry.standing in standings
            and entry.holder.is_service_linked is service_linked
        )


def who_can(
    everybody: AccountHolders,
    bucket: BucketEvidence,
    target: S3Target,
    asked: Level | str,
    *,
    now: datetime,
    used_by: Callable[[str], tuple[str, ...]],
    told: Told | None = None,
    partition: str = "aws",
) -> WhoCan:
    """Ask about everybody. told: is called with how many were asked about, of how many."""
    reader = PolicyReader(everybody.of(HolderKind.GROUP))
    calls = calls_of(asked, target, bucket, partition)
    screen = _Screen(bucket, calls)
    entries = []
    for number, holder in enumerate(everybody.holders, start=1):
        evidence = reader.evidence(holder, everybody.read_at, everybody.unread)
        entries.append(_entry(holder, evidence, bucket, target, asked, now, screen, used_by))
        if told is not None:
            told(number, len(everybody.holders))
    root = f"arn:{partition}:iam::{everybody.account}:root"
    nobody = PrincipalEvidence(root, root, everybody.account, (), None, everybody.read_at)
    return WhoCan(
        target=target,
        asked=asked.value if isinstance(asked, Level) else asked,
        account=everybody.account,
        entries=tuple(entries),
        root=judge(nobody, bucket, target, asked, now=now).decision,
        named=tuple(dict.fromkeys(_named(bucket, calls, everybody.account))),
        read_at=min(everybody.read_at, bucket.read_at),
        unread=(*everybody.unread, *bucket.unread),
    )


def _entry(
    holder: Holder,
    evidence: PrincipalEvidence,
    bucket: BucketEvidence,
    target: S3Target,
    asked: Level | str,
    now: datetime,
    screen: _Screen,
    used_by: Callable[[str], tuple[str, ...]],
) -> Entry:
    used = used_by(holder.arn) if holder.kind is HolderKind.ROLE else ()
    if screen.certainly_no(evidence):
        return Entry(holder, Standing.NO, used_by=used)
    verdict = judge(evidence, bucket, target, asked, now=now, weigh_grant=False)
    standing, part = _standing(verdict, evidence, bucket), None
    if standing is Standing.NO:
        part = next(_parts(verdict, evidence, bucket, now), None)
        if part is not None:
            open_still = Decision.UNDETERMINED in _by_key(verdict)
            standing = Standing.UNKNOWN if open_still else Standing.IN_PART
    return Entry(holder, standing, verdict, part, used, dict(_grants(holder, evidence, now)))


def _grants(holder: Holder, who: PrincipalEvidence, now: datetime) -> Iterator[tuple[str, datetime]]:
    """The policies that grants of sm_access put on a role, and the last end in each that is still to come."""
    if isinstance(who.identity, Unreadable):
        return
    for policy in who.identity:
        if is_ours(policy.name) or is_our_managed(holder.arn, policy.name):
            ends = [end for statement in policy.document.statements for end in _ends(statement) if end > now]
            if ends:
                yield policy.name, max(ends)


def _ends(statement: Statement) -> Iterator[datetime]:
    operator, key = ENDS
    for condition in statement.conditions:
        if (condition.operator, condition.key) == (operator, key):
            with suppress(ValueError):
                yield from map(parse_instant, condition.values)


def _parts(
    verdict: Verdict, who: PrincipalEvidence, bucket: BucketEvidence, now: datetime
) -> Iterator[Finding]:
    """Objects within the place on which the call is allowed although it is not on the place as a whole.

    None where the key is closed: then no object of the place can be used, whatever S3 allows.
    """
    if _by_key(verdict) - {Decision.ALLOW, Decision.UNDETERMINED}:
        return
    for check in _about(finding.check for finding in verdict.findings):
        try:
            found = tuple(parts(who, bucket, check, now))
        except CannotTell:
            continue  # too many to go through: the answer for the whole stands
        yield from (part for part in found if part.response.decision is Decision.ALLOW)


def _standing(verdict: Verdict, who: PrincipalEvidence, bucket: BucketEvidence) -> Standing:
    if verdict.exceptions:
        return Standing.IN_PART
    if verdict.decision is Decision.ALLOW:
        return Standing.YES
    if verdict.decision is not Decision.UNDETERMINED:
        return Standing.NO
    layers = (who.identity, who.boundary, bucket.policy, bucket.kms_policy)
    unread = any(isinstance(layer, Unreadable) for layer in layers)
    return Standing.UNKNOWN if unread or verdict.unsettled else Standing.DEPENDS


def _by_key(verdict: Verdict) -> set[Decision]:
    return {each.response.decision for each in verdict.findings if _of_key(each.check)}


def _of_key(call: Check) -> bool:
    return ":kms:" in call.resource_arn


def _about(calls: Iterable[Check]) -> Iterator[Check]:
    """What a question is about, of all the calls that it implies: for a level its first action on objects."""
    listed = tuple(call for call in calls if not _of_key(call))
    mains = [call for call in listed if call.action != LIST_ACTION] or listed
    return (call for call in mains if call.action == mains[0].action)


class _Screen:
    """Finds who may certainly not, by looking at what each policy could allow at all, once for each policy.

    # INVARIANT: says no only where the engine would: without an Allow that may cover a call, nothing allows it.
    It looks at what the question is about: at reading, not at the listing that goes with it, nor at the key.
    """

    def __init__(self, bucket: BucketEvidence, calls: Iterable[Check]) -> None:
        self._calls = tuple(_about(calls))
        self._covered: dict[int, frozenset[int]] = {}
        self._by_bucket = self._of(bucket.policy)

    def certainly_no(self, who: PrincipalEvidence) -> bool:
        covered = self._of(who.identity)
        if covered is None or self._by_bucket is None:
            return False
        return bool(self._calls) and not covered | self._by_bucket

    def _of(self, policies: Policies | Unreadable | None) -> frozenset[int] | None:
        """Which of the calls some Allow may cover; None where that is not known."""
        if isinstance(policies, Unreadable):
            return None
        return frozenset().union(*(self._of_one(policy) for policy in policies or ()))

    def _of_one(self, policy: NamedPolicy) -> frozenset[int]:
        # The reader keeps every policy alive as long as this screen is used.
        found = self._covered.get(id(policy))
        if found is None:
            allows = [each for each in policy.document.statements if each.effect == "Allow"]
            found = frozenset(
                at for at, call in enumerate(self._calls) if any(may_cover(each, call) for each in allows)
            )
            self._covered[id(policy)] = found
        return found


def may_cover(statement: Statement, call: Check) -> bool:
    """Whether a statement may be about a call, or about a part of its place, whatever its conditions."""
    return match_action(statement.action, call.action).value is not False and touches(
        call.resource_arn, statement
    )


def _named(bucket: BucketEvidence, calls: Iterable[Check], account: str) -> Iterator[Named]:
    """Principals that are not the account's own, in Allow statements that may cover one of the calls."""
    for call in calls:
        policies = bucket.kms_policy if _of_key(call) else bucket.policy
        if policies is None or policies is UNREADABLE:
            continue
        for policy in policies:
            for statement in policy.document.statements:
                if (
                    statement.effect != "Allow"
                    or statement.principal is None
                    or not may_cover(statement, call)
                ):
                    continue
                negated = statement.principal.negated
                for kind, value in statement.principal.entries:
                    own = kind == "AWS" and (f"::{account}:" in value or value == account)
                    if not own or negated:
                        name = value if kind in {"AWS", "*"} else f"{value} ({kind})"
                        yield Named(f"everybody but {name}" if negated else name, policy.name, statement.sid)
