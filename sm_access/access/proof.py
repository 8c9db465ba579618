"""Does a grant do what it says, and nothing wider? Asked of S3 itself, with the role's own credentials.

Positive probes must be allowed: listing the target, reading one byte of an object in it, writing a part of an upload
that was never begun. Negative ones must be denied: the same in what begins like the target without being in it (`raw-`
for `raw/`), the prefix above a nested one, and the level above the one that was granted - a grant to list reads
nothing, one to read writes nothing. Once a grant is over, all of it must be denied. Nothing is ever written or
deleted, so a deletion is decided by our engine from the statements and says so, and what a grant allows beyond this
stays unproven and is named (`unproven_actions`).

A GetObject that answers 403 says little: without s3:ListBucket on the whole bucket - and a grant on a
prefix never gives that - a key that does not exist answers 403 as well, permission or not (Amazon S3 API
Reference, "GetObject"). So an object is read only after the listing found it; where a key was asked for by
name, a 403 is inconclusive. That a part for no upload answers 403 or 404 by the permission alone is seen, and written
nowhere: so a grant to write is held against the same call beside its target, which must be denied.

IAM is eventually consistent (IAM User Guide, "Troubleshoot IAM: Changes that I make are not always immediately
visible"): a probe right after the role was written may still see the old permissions. What came to the opposite of
what was expected is probed again, after longer and longer pauses of half a minute in all, as long as the change is
recent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sm_access.access.events import EndProbed, Event, NotProvable, Proven
from sm_access.access.instant import format_instant, whole_second
from sm_access.access.level import Level
from sm_access.access.levels import LIST_ACTION, actions
from sm_access.access.model import ENDED, AccessRequest, Grant, Status, advance, fold
from sm_access.access.ports import Clock, Ledger, Prober
from sm_access.access.probe import (
    DECIDED,
    Outcome,
    Probe,
    ProbeKind,
    ProbeResult,
    ProofFinding,
    ProofStep,
)
from sm_access.access.target import S3Target
from sm_access.access.terms import partition_of
from sm_access.errors import UnknownAccessRequest
from sm_access.policy import Decision, NamedPolicy, PolicySet, Request, authorize, parse_policy

PAUSES = (1, 2, 4, 8, 15)
"""Seconds between one attempt and the next, while IAM makes a change known."""
RECENT = timedelta(minutes=5)
"""How long after a change it is worth waiting for."""

_OVER = ENDED | {Status.COLLECTED}
_STANDING_FOR = "sm-access-probe"
"""The name of an object that is never written."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What all probes together say. HELD: each one did, and one of them was allowed something."""

    finding: ProofFinding
    steps: tuple[ProofStep, ...]

    @property
    def held(self) -> bool:
        """Every probe came to what the grant promises."""
        return self.finding is ProofFinding.HELD


def probes_for(grant: Grant, others: Iterable[Grant] = ()) -> tuple[Probe, ...]:
    """The calls that show whether a grant holds. `others`: grants in force on the same role, which may open
    its surroundings by right; nothing that they cover is expected to be denied."""
    beside = [other for other in others if other.id != grant.id]
    return (*_positive(grant), *_uncovered([*_around(grant), *_next_level(grant)], beside))


def probes_after_end(grant: Grant, others: Iterable[Grant] = ()) -> tuple[Probe, ...]:
    """The calls that must be denied once the grant has ended; none where another grant still allows them. Which
    objects lie beneath a prefix is not known once it cannot be listed; of a grant on one object it is."""
    beside = [other for other in others if other.id != grant.id]
    target = grant.target
    denied = [_list(target.listing_prefix, grant)]
    if grant.level is Level.READ and not (target.is_bucket or target.is_prefix):
        denied.append(Probe(ProbeKind.READ_KEY, target.bucket, target.path, Outcome.DENIED))
    if grant.level is Level.WRITE:
        denied.append(_write(_key_in(grant.target), grant))
    return _uncovered(denied, beside)


def unproven_actions(level: Level) -> tuple[str, ...]:
    """S3 actions of a level that no probe attempts, because they would change something."""
    attempted = {LIST_ACTION, "s3:GetObject", "s3:PutObject"}
    return tuple(action for action in actions(level) if action not in attempted)


def judge(results: Iterable[ProbeResult], attempts: int = 1) -> Proof:
    """What the results say, one by one and together. One that does not hold outweighs any that tells
    nothing. `attempts`: how often they were asked for."""
    steps = tuple(ProofStep(result, _finding(result), attempts) for result in results)
    findings = {step.finding for step in steps}
    if ProofFinding.NOT_HELD in findings:
        return Proof(ProofFinding.NOT_HELD, steps)
    if findings == {ProofFinding.HELD}:
        return Proof(ProofFinding.HELD, steps)
    return Proof(ProofFinding.INCONCLUSIVE, steps)


class Prover:
    """Probes a grant and records what came of it. `pause` waits for so many seconds; without it nothing is tried
    twice."""

    def __init__(
        self, ledger: Ledger, prober: Prober, clock: Clock, pause: Callable[[int], None] | None = None
    ) -> None:
        self._ledger = ledger
        self._prober = prober
        self._clock = clock
        self._pause = pause

    def prove(self, request_id: str, others: Iterable[Grant] = ()) -> Proof:
        """Probe an applied grant and append Proven or NotProvable; one that is over, and append EndProbed.

        Raises UnknownAccessRequest, IllegalTransition before any call when it never was on its role,
        LedgerConflict.
        """
        stream = self._ledger.events(request_id)
        if not stream:
            raise UnknownAccessRequest(
                f"There is no access request {request_id!r} in this ledger.",
                remedy="List them: sm-access requests.",
            )
        request = fold(stream)
        now = whole_second(self._clock.now())
        over = request.status_at(now) in _OVER
        advance(request, _event(now, judge(()), over))
        grant = request.grant
        find = probes_after_end if over else probes_for
        proof = self._probe(request, find(grant, others) if grant else ())
        # INVARIANT: a grant that ended while it was probed shows nothing about the time when it was in force.
        event = _event(whole_second(self._clock.now()), proof, over)
        advance(request, event)
        self._ledger.append(request_id, request.version, (event,))
        return proof

    def _probe(self, request: AccessRequest, probes: Sequence[Probe]) -> Proof:
        """All of them, and all of them again as long as one may be answered otherwise soon."""
        results, attempts = self._attempt(request, probes), 1
        for seconds in PAUSES:
            if self._pause is None or not self._is_recent(request) or not any(map(_may_settle, results)):
                break
            self._pause(seconds)
            results, attempts = self._attempt(request, probes), attempts + 1
        return judge(results, attempts)

    def _attempt(self, request: AccessRequest, probes: Sequence[Probe]) -> list[ProbeResult]:
        return [
            ProbeResult(probe, decided(request.grant, probe), DECIDED)
            if probe.kind is ProbeKind.DELETE and request.grant is not None
            else self._prober.attempt(probe)
            for probe in probes
        ]

    def _is_recent(self, request: AccessRequest) -> bool:
        """Whether IAM may not have made it known yet. An end by time needs no making known."""
        changed = max(event.at for event in request.events if not isinstance(event, _PROOFS))
        return self._clock.now() - changed <= RECENT


_PROOFS = (Proven, NotProvable, EndProbed)


def decided(grant: Grant, probe: Probe) -> Outcome:
    """What our engine says of the grant's own statements about deleting the key in `probe.prefix`, while it is in
    force."""
    document = {"Version": "2012-10-17", "Statement": list(grant.statements)}
    request = Request(
        principal=grant.role_arn,
        action="s3:DeleteObject",
        resource=f"{S3Target(probe.bucket).bucket_arn(partition_of(grant.role_arn))}/{probe.prefix}",
        resource_account=grant.role_arn.split(":")[4],
        context={"aws:CurrentTime": format_instant(grant.starts_at)},
    )
    policies = PolicySet(identity=(NamedPolicy(grant.id, parse_policy(document), "inline"),))
    decision = authorize(policies, request).decision
    return {Decision.ALLOW: Outcome.ALLOWED, Decision.UNDETERMINED: Outcome.FAILED}.get(
        decision, Outcome.DENIED
    )


def _event(at: datetime, proof: Proof, over: bool) -> Event:
    if over:
        return EndProbed(at, proof.finding, proof.steps)
    return Proven(at, proof.steps) if proof.held else NotProvable(at, proof.steps)


def _may_settle(result: ProbeResult) -> bool:
    """Whether the answer was the opposite of what is promised, which a change that is not known yet explains."""
    opposite = {Outcome.ALLOWED: Outcome.DENIED, Outcome.DENIED: Outcome.ALLOWED}
    return opposite.get(result.outcome) is result.probe.expected and result.detail != DECIDED


def _positive(grant: Grant) -> tuple[Probe, ...]:
    target = grant.target
    listing = _list(target.listing_prefix, grant, Outcome.ALLOWED)
    if grant.level is Level.WRITE:
        return (listing, _write(_key_in(target), grant, Outcome.ALLOWED))
    if grant.level is not Level.READ:
        return (listing,)
    if target.is_bucket or target.is_prefix:
        return (
            listing,
            Probe(ProbeKind.READ_FOUND, target.bucket, target.listing_prefix, Outcome.ALLOWED),
        )
    return (listing, Probe(ProbeKind.READ_KEY, target.bucket, target.path, Outcome.ALLOWED))


def _around(grant: Grant) -> list[Probe]:
    target = grant.target
    if target.is_bucket:
        return []
    found = [_list(f"{target.stem}-", grant)]
    above, nested, _ = target.stem.rpartition("/")
    if nested:
        found.append(_list(f"{above}/", grant))
    if grant.level is Level.WRITE:
        found.append(_write(f"{target.stem}-{_STANDING_FOR}", grant))
    return found


def _next_level(grant: Grant) -> list[Probe]:
    """What is nearest above the level. Writing is not held against reading: most who write may read by other rights."""
    target = grant.target
    if grant.level is Level.LIST:
        return [Probe(ProbeKind.READ_FOUND, target.bucket, target.listing_prefix, Outcome.DENIED)]
    if grant.level is Level.READ:
        return [_write(_key_in(target), grant)]
    if grant.level is Level.WRITE:
        return [Probe(ProbeKind.DELETE, target.bucket, _key_in(target), Outcome.DENIED)]
    return []


def _list(prefix: str, grant: Grant, expected: Outcome = Outcome.DENIED) -> Probe:
    return Probe(ProbeKind.LIST, grant.target.bucket, prefix, expected)


def _write(key: str, grant: Grant, expected: Outcome = Outcome.DENIED) -> Probe:
    return Probe(ProbeKind.WRITE, grant.target.bucket, key, expected)


def _key_in(target: S3Target) -> str:
    return f"{target.path}{_STANDING_FOR}" if target.is_bucket or target.is_prefix else target.path


def _uncovered(probes: Iterable[Probe], others: Sequence[Grant]) -> tuple[Probe, ...]:
    return tuple(probe for probe in probes if not any(_covers(other, probe) for other in others))


def _covers(other: Grant, probe: Probe) -> bool:
    target = other.target
    if target.bucket != probe.bucket:
        return False
    if probe.kind is ProbeKind.LIST:
        return target.covers_listing(probe.prefix)
    if probe.kind is ProbeKind.READ_FOUND:
        return other.level is Level.READ  # Which object it finds is not known before.
    level = {ProbeKind.WRITE: Level.WRITE, ProbeKind.READ_KEY: Level.READ}.get(probe.kind)
    return other.level is level and target.covers_key(probe.prefix)


def _finding(result: ProbeResult) -> ProofFinding:
    if result.outcome is result.probe.expected:
        return ProofFinding.HELD
    if result.outcome in (Outcome.FAILED, Outcome.NOTHING_THERE):
        return ProofFinding.INCONCLUSIVE
    if result.probe.kind is ProbeKind.READ_KEY and result.probe.expected is Outcome.ALLOWED:
        return ProofFinding.INCONCLUSIVE  # S3 answers 403 for a key that is not there, too
    return ProofFinding.NOT_HELD
