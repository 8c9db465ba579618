"""What may be said where a role's policies may not be read: other sources, in order, until one settles it.

    1  the policies read now    the engine decides
    2  a published snapshot     the engine decides, with the snapshot's layers for those that are not readable: the
                                answer is as of then. Older than the limit, it settles nothing.
    3  AWS's own simulation     for each open call; `simulated` says what follows from it
    4  read-only calls          with consent, for what is still open; `observation` says what they show

Each is asked only where the one before leaves the answer open, and what each came to is kept for the person to see. A
layer that was read is never replaced. None of them makes a yes of what the policies would deny, as far as each tells
the truth: a snapshot can be out of date or forged, and what was seen holds for its moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from sm_access.access.evidence import BucketEvidence, PrincipalEvidence, Unread
from sm_access.access.instant import format_instant
from sm_access.access.level import Level
from sm_access.access.levels import Check
from sm_access.access.observation import Attempt, Call, Observation, Origin, Plan, Source, plan_for
from sm_access.access.ports import Clock, Observer, Simulator
from sm_access.access.probe import Outcome
from sm_access.access.simulated import Simulation, open_because, simulated
from sm_access.access.snapshot import Snapshot
from sm_access.access.target import S3Target
from sm_access.access.verdict import Finding, Verdict, decide, judge, level_of, place_of, with_the_grant
from sm_access.errors import AccessDenied, CannotTell, SmAccessError
from sm_access.policy import UNREADABLE, Decision

SIMULATE = "iam:SimulatePrincipalPolicy"


class Fallback:
    """Answers for one principal, asking the other sources where its policies leave the answer open.

    snapshot: reads the published snapshot, raising UnusableSnapshot. What was asked once is not asked again; threads
    that share one of these may at worst ask the same at the same time.
    observer: None where nobody agreed to calls being made.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        snapshot: Callable[[], Snapshot],
        max_age: timedelta,
        simulator: Simulator,
        observer: Observer | None = None,
    ) -> None:
        self._clock = clock
        self._read_snapshot = snapshot
        self._max_age = max_age
        self._simulator = simulator
        self._observer = observer
        self._snapshot: Snapshot | SmAccessError | None = None
        self._refused: SmAccessError | None = None
        self._answers: dict[tuple[str, str, tuple[tuple[str, str], ...]], Simulation | None] = {}
        self._seen: dict[tuple[Call, str, str], Observation] = {}

    def judge(
        self, principal: PrincipalEvidence, bucket: BucketEvidence, target: S3Target, asked: Level | str
    ) -> Verdict:
        """The answer, from the first source that settles it."""
        verdict = judge(principal, bucket, target, asked, now=self._clock.now())
        if _is_whole(principal):
            return self._observed(verdict)
        # INVARIANT: what other sources say of a role's name is not said of a session whose role is no more.
        if not _is_open(verdict) or principal.gone:
            return verdict
        attempts: list[Attempt] = []
        origins: tuple[Origin, ...] = ()
        snapshot = self._published(attempts)
        if snapshot is not None:
            known = completed(principal, snapshot.evidence(principal.arn))
            found = judge(known, bucket, target, asked, now=self._clock.now())
            if self._is_old(snapshot):
                attempts.append(
                    Attempt(
                        Source.SNAPSHOT,
                        f"the snapshot of {format_instant(snapshot.read_at)} is too old to rely on",
                        would_say=found.decision,
                    )
                )
            else:
                origins = (Origin(Source.SNAPSHOT, snapshot.read_at, snapshot.published_by),)
                principal, verdict = known, replace(found, origins=origins)
        if _is_open(verdict) and not _is_whole(principal):
            verdict = self._simulated(verdict, principal, bucket, target, asked, attempts)
        return self._observed(replace(verdict, attempts=tuple(attempts)))

    def known(self, principal: PrincipalEvidence) -> PrincipalEvidence:
        """The principal with what a snapshot adds, if there is one that may be relied on: to know what to ask about."""
        snapshot = None if _is_whole(principal) or principal.gone else self._published([])
        if snapshot is None or self._is_old(snapshot):
            return principal
        return completed(principal, snapshot.evidence(principal.arn))

    def judge_levels(
        self,
        principal: PrincipalEvidence,
        bucket: BucketEvidence,
        target: S3Target,
        levels: Iterable[Level] = tuple(Level),
    ) -> dict[Level, Verdict]:
        """The answers for several levels, with one simulation for all of them."""
        levels = tuple(levels)
        if not _is_whole(principal) and not principal.gone:
            now = self._clock.now()
            first = [judge(principal, bucket, target, level, now=now) for level in levels]
            waiting = [check for verdict in first if _is_open(verdict) for check in _waiting(verdict)]
            if waiting and self._published([]) is None:
                self._ask(principal, bucket, waiting, [])
        return {level: self.judge(principal, bucket, target, level) for level in levels}

    def _is_old(self, snapshot: Snapshot) -> bool:
        return self._clock.now() - snapshot.read_at > self._max_age

    def _published(self, attempts: list[Attempt]) -> Snapshot | None:
        if self._snapshot is None:
            try:
                self._snapshot = self._read_snapshot()
            except CannotTell as error:
                self._snapshot = error
        if isinstance(self._snapshot, SmAccessError):
            attempts.append(Attempt(Source.SNAPSHOT, self._snapshot.message))
            return None
        return self._snapshot

    def _simulated(
        self,
        verdict: Verdict,
        principal: PrincipalEvidence,
        bucket: BucketEvidence,
        target: S3Target,
        asked: Level | str,
        attempts: list[Attempt],
    ) -> Verdict:
        told = self._ask(principal, bucket, _waiting(verdict), attempts)
        if not told:
            return verdict
        findings = tuple(_under(told, principal, bucket, finding, verdict) for finding in verdict.findings)
        settled = replace(
            verdict,
            findings=findings,
            read_at=min(verdict.read_at, *(simulation.at for simulation in told.values())),
            unread=tuple(_still_unread(verdict.unread, told.values())),
            unsettled=verdict.unsettled or _of_parts(verdict, told),
            origins=(
                *verdict.origins,
                Origin(Source.SIMULATION, min(simulation.at for simulation in told.values())),
            ),
        )
        level = asked if isinstance(asked, Level) else level_of(asked)
        if settled.decision is Decision.ALLOW or level is None:
            return replace(settled, with_grant=None)
        return replace(settled, with_grant=_helped(told, principal, bucket, target, level, settled))

    def _ask(
        self,
        principal: PrincipalEvidence,
        bucket: BucketEvidence,
        checks: Sequence[Check],
        attempts: list[Attempt],
    ) -> dict[int, Simulation]:
        """The simulator's answers by the identity of the check; each call is simulated once."""
        missing = [check for check in checks if _key(check) not in self._answers]
        try:
            if missing and self._refused is not None:
                raise self._refused
            if missing:
                found = self._simulator.simulate(principal, bucket, missing, self._clock.now())
                self._answers.update(zip(map(_key, missing), found, strict=True))
        except (AccessDenied, CannotTell) as error:
            # What was refused once is refused for every other place as well.
            self._refused = error
            denied = isinstance(error, AccessDenied)
            why = "AWS's own simulation may not be asked" if denied else error.message
            attempts.append(Attempt(Source.SIMULATION, why, SIMULATE if denied else ""))
            return {}
        told = {id(check): self._answers[_key(check)] for check in checks}
        answered = {key: answer for key, answer in told.items() if answer is not None}
        if not answered:
            attempts.append(Attempt(Source.SIMULATION, "AWS's own simulation did not say"))
        return answered

    def _observed(self, verdict: Verdict) -> Verdict:
        """What can be seen by calls that change nothing, where the answer is still open."""
        if not _is_open(verdict):
            return verdict
        waiting = [
            finding.check
            for finding in verdict.findings
            if verdict.unsettled or finding.response.decision is Decision.UNDETERMINED
        ]
        plan = plan_for(verdict.target.bucket, waiting)
        if not plan:
            return verdict
        if self._observer is None:
            return replace(verdict, plan=plan)
        observations = tuple(self._look(self._observer, plan))
        origins = verdict.origins
        if any(seen.outcome is not Outcome.FAILED for seen in observations):
            origins = (*origins, Origin(Source.PROBE, self._clock.now()))
        found = replace(verdict, observations=observations, origins=origins)
        return replace(found, with_grant=None) if found.decision is Decision.ALLOW else found

    def _look(self, observer: Observer, plan: Plan) -> Iterator[Observation]:
        """Make the calls, each once, however many questions it is for."""
        bucket = plan.bucket
        listed = {prefix: self._once(Call.LIST, bucket, prefix, observer.list) for prefix in plan.lists}
        yield from listed.values()
        for key in plan.reads:
            yield _of_one_key(self._once(Call.READ, bucket, key, observer.read))
        for prefix in plan.finds:
            if prefix in listed and listed[prefix].outcome is not Outcome.ALLOWED:
                continue  # it would be the same refusal once more
            found = observer.first_key(bucket, prefix)
            if found is not None:
                yield self._once(Call.READ, bucket, found, observer.read)

    def _once(
        self, call: Call, bucket: str, name: str, make: Callable[[str, str], Observation]
    ) -> Observation:
        key = (call, bucket, name)
        if key not in self._seen:
            self._seen[key] = make(bucket, name)
        return self._seen[key]


def completed(principal: PrincipalEvidence, other: PrincipalEvidence) -> PrincipalEvidence:
    """The layers that could not be read, taken from another reading of the same principal."""
    identity, boundary = principal.identity, principal.boundary
    return replace(
        principal,
        iam_arn=principal.iam_arn or other.iam_arn,
        identity=other.identity if identity is UNREADABLE else identity,
        boundary=other.boundary if boundary is UNREADABLE else boundary,
        read_at=min(principal.read_at, other.read_at),
        unread=tuple(
            dict.fromkeys(
                [item for item in principal.unread if not item.permission.startswith("iam:")]
                + list(other.unread)
            )
        ),
    )


def _is_whole(principal: PrincipalEvidence) -> bool:
    return principal.identity is not UNREADABLE and principal.boundary is not UNREADABLE


def _is_open(verdict: Verdict) -> bool:
    """Whether another source could settle it. "In part" is an answer."""
    return verdict.decision is Decision.UNDETERMINED and not verdict.exceptions


def _waiting(verdict: Verdict) -> list[Check]:
    return [
        finding.check for finding in verdict.findings if finding.response.decision is Decision.UNDETERMINED
    ]


def _key(check: Check) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    return check.action, check.resource_arn, tuple(sorted(check.context.items()))


def _under(
    told: dict[int, Simulation],
    principal: PrincipalEvidence,
    bucket: BucketEvidence,
    finding: Finding,
    verdict: Verdict,
) -> Finding:
    simulation = told.get(id(finding.check))
    if simulation is None:
        return finding
    as_simulated = simulated(principal, finding.check, simulation)
    response = decide(as_simulated, bucket, finding.check, verdict.at)
    because = open_because(finding.check, simulation)
    if because and response.decision is Decision.UNDETERMINED:
        response = replace(response, depends_on=(f"open because of {because}",))
    return Finding(finding.check, response)


def _helped(
    told: dict[int, Simulation],
    principal: PrincipalEvidence,
    bucket: BucketEvidence,
    target: S3Target,
    level: Level,
    verdict: Verdict,
) -> Decision:
    """What the answer would be with a grant on the role, as far as the simulation shows the rest."""
    decisions = set()
    for finding in verdict.findings:
        simulation = told.get(id(finding.check))
        known = principal if simulation is None else simulated(principal, finding.check, simulation)
        granted = with_the_grant(known, bucket, target, level, verdict.at)
        decisions.add(decide(granted, bucket, finding.check, verdict.at).decision)
    worst_first = (Decision.EXPLICIT_DENY, Decision.IMPLICIT_DENY, Decision.UNDETERMINED, Decision.ALLOW)
    return min(decisions, key=worst_first.index)


def _of_parts(verdict: Verdict, told: dict[int, Simulation]) -> str:
    # A key is simulated as itself, and the object that S3 names to it stands for others all the same.
    keys = [each.check for each in verdict.findings if each.check.action.startswith("kms:")]
    of_key = any(id(check) in told and place_of(check) for check in keys)
    if of_key or any(simulation.of_example for simulation in told.values()):
        place = verdict.target
        return (
            f"whether a policy closes a part of {place}, which a simulation of one object there does not show"
        )
    return ""


def _still_unread(unread: tuple[Unread, ...], told: Iterable[Simulation]) -> Iterator[Unread]:
    organization = any(simulation.by_organization for simulation in told)
    for item in unread:
        if item.permission.startswith("iam:"):
            continue
        if organization and item.what.startswith("the organization's"):
            yield Unread(
                "conditions of the organization's service control policies, and its resource control policies"
            )
        else:
            yield item


def _of_one_key(observation: Observation) -> Observation:
    """A key that was named may not be there: to who may not list the bucket, S3 then answers 403 as well (Amazon S3 API
    Reference, "GetObject"). So a refusal shows nothing."""
    if observation.outcome is Outcome.DENIED:
        return replace(observation, outcome=Outcome.FAILED)
    return observation
