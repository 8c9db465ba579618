"""Does a grant do what it says, and nothing wider? Asked of S3 itself, with the role's own credentials.

Positive probes must be allowed: listing the target, and reading one byte of an object in it. Negative ones
must be denied: listing what begins like the target without being in it (`raw-` for `raw/`), and the prefix
above a nested one. Nothing is ever written or deleted, so what a grant allows beyond listing and reading
stays unproven and is named (`unproven_actions`).

A GetObject that answers 403 says little: without s3:ListBucket on the whole bucket - and a grant on a
prefix never gives that - a key that does not exist answers 403 as well, permission or not (Amazon S3 API
Reference, "GetObject"). So an object is read only after the listing found it; where a key was asked for by
name, a 403 is inconclusive.

IAM is eventually consistent: a probe right after the role was written may still see the old permissions.
Probe again before believing that a grant does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sm_access.access.events import NotProvable, Proven
from sm_access.access.instant import whole_second
from sm_access.access.level import Level
from sm_access.access.levels import LIST_ACTION, actions
from sm_access.access.model import Grant, advance, fold
from sm_access.access.ports import Clock, Ledger, Prober
from sm_access.access.probe import Outcome, Probe, ProbeKind, ProbeResult, ProofFinding, ProofStep
from sm_access.access.target import S3Target
from sm_access.errors import UnknownAccessRequest


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
    covered = [other.target for other in others if other.id != grant.id]
    return (*_positive(grant.target, grant.level), *_negative(grant.target, covered))


def probes_after_end(grant: Grant, others: Iterable[Grant] = ()) -> tuple[Probe, ...]:
    """The call that must be denied once the grant has ended; none when another grant still allows it."""
    covered = [other.target for other in others if other.id != grant.id]
    return _denied(grant.target.bucket, (grant.target.listing_prefix,), covered)


def unproven_actions(level: Level) -> tuple[str, ...]:
    """S3 actions of a level that no probe attempts, because they would change something."""
    attempted = {LIST_ACTION, "s3:GetObject"}
    return tuple(action for action in actions(level) if action not in attempted)


def judge(results: Iterable[ProbeResult]) -> Proof:
    """What the results say, one by one and together. One that does not hold outweighs any that tells
    nothing."""
    steps = tuple(ProofStep(result, _finding(result)) for result in results)
    findings = {step.finding for step in steps}
    if ProofFinding.NOT_HELD in findings:
        return Proof(ProofFinding.NOT_HELD, steps)
    if findings == {ProofFinding.HELD}:
        return Proof(ProofFinding.HELD, steps)
    return Proof(ProofFinding.INCONCLUSIVE, steps)


class Prover:
    """Probes a grant and records what came of it."""

    def __init__(self, ledger: Ledger, prober: Prober, clock: Clock) -> None:
        self._ledger = ledger
        self._prober = prober
        self._clock = clock

    def prove(self, request_id: str, others: Iterable[Grant] = ()) -> Proof:
        """Probe an applied grant and append Proven or NotProvable.

        Raises UnknownAccessRequest, IllegalTransition before any call when it is not on its role,
        LedgerConflict.
        """
        stream = self._ledger.events(request_id)
        if not stream:
            raise UnknownAccessRequest(
                f"There is no access request {request_id!r} in this ledger.",
                remedy="List them: sm-access requests.",
            )
        request = fold(stream)
        advance(request, Proven(whole_second(self._clock.now()), ()))
        probes = probes_for(request.grant, others) if request.grant is not None else ()
        proof = judge([self._prober.attempt(probe) for probe in probes])
        now = whole_second(self._clock.now())
        event = Proven(now, proof.steps) if proof.held else NotProvable(now, proof.steps)
        advance(request, event)
        self._ledger.append(request_id, request.version, (event,))
        return proof


def _positive(target: S3Target, level: Level) -> tuple[Probe, ...]:
    listing = Probe(ProbeKind.LIST, target.bucket, target.listing_prefix, Outcome.ALLOWED)
    if level is not Level.READ:
        return (listing,)
    if target.is_bucket or target.is_prefix:
        return (listing, Probe(ProbeKind.READ_FOUND, target.bucket, target.listing_prefix, Outcome.ALLOWED))
    return (listing, Probe(ProbeKind.READ_KEY, target.bucket, target.path, Outcome.ALLOWED))


def _negative(target: S3Target, covered: list[S3Target]) -> tuple[Probe, ...]:
    if target.is_bucket:
        return ()
    prefixes = [f"{target.stem}-"]
    above, nested, _ = target.stem.rpartition("/")
    if nested:
        prefixes.append(f"{above}/")
    return _denied(target.bucket, tuple(prefixes), covered)


def _denied(bucket: str, prefixes: tuple[str, ...], covered: list[S3Target]) -> tuple[Probe, ...]:
    return tuple(
        Probe(ProbeKind.LIST, bucket, prefix, Outcome.DENIED)
        for prefix in prefixes
        if not any(other.bucket == bucket and other.covers_listing(prefix) for other in covered)
    )


def _finding(result: ProbeResult) -> ProofFinding:
    if result.outcome is result.probe.expected:
        return ProofFinding.HELD
    if result.outcome in (Outcome.FAILED, Outcome.NOTHING_THERE):
        return ProofFinding.INCONCLUSIVE
    if result.probe.kind is ProbeKind.READ_KEY:
        return ProofFinding.INCONCLUSIVE
    return ProofFinding.NOT_HELD
