"""Makes a role carry what the ledger says it should, and writes down what was seen.

The decision in the ledger is the intent; everything here can be worked out from it again. Killed at any
call and run again, or run by several at once, it comes to the same end: documents are a function of the
ledger, a round that wrote anything is followed by one that reads ledger and role afresh, and APPLIED or
COLLECTED is recorded only for what was read back.

Where grants move from one policy to another, nobody loses access in between: see `ordering`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sm_access.access import planner
from sm_access.access.caller import Caller, same_principal
from sm_access.access.events import Applied, Collected, Event, Submitted
from sm_access.access.instant import whole_second
from sm_access.access.model import ENDED, ON_ROLE, AccessRequest, Grant, Status, advance, askers, fold
from sm_access.access.ordering import Step, ordered
from sm_access.access.planner import InUse, RolePlan, is_ours
from sm_access.access.ports import Clock, Directory, Document, Ledger, Notifier, RolePolicies, RoleWriter
from sm_access.access.reviewers import Facts
from sm_access.access.rules import Rules
from sm_access.access.terms import faults
from sm_access.errors import IllegalTransition, LedgerConflict, QuotaExceeded

CLOCK_SKEW = timedelta(minutes=5)
"""How far the clocks of a reviewer and of a reconciler may be apart."""

_ROUNDS = 8


class Drift(str, Enum):
    """What to do about a policy under our name that somebody else changed: make it as planned, or leave it."""

    RESTORE = "restore"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class RefusedGrant:
    """A grant that was not put on its role, or was taken from it, and why."""

    request_id: str
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What was done to a role. Names are those of policies, ids those of access requests.

    `drift`: policies under our names that somebody else had changed, added or removed; they are as planned again, or
    left as they were where that was told. `shared`: policies of ours that somebody attached to another principal as
    well. `pending`: names that AWS still answers differently for after they were written - it propagates; run again.
    """

    role_arn: str
    at: datetime
    written: tuple[str, ...]
    deleted: tuple[str, ...]
    unchanged: tuple[str, ...]
    drift: tuple[str, ...]
    shared: tuple[str, ...]
    refused: tuple[RefusedGrant, ...]
    applied: tuple[str, ...]
    collected: tuple[str, ...]
    pending: tuple[str, ...]
    plan: RolePlan

    @property
    def settled(self) -> bool:
        """The role was read back as planned."""
        return not self.pending


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the ledger says about one role at one moment."""

    now: datetime
    requests: tuple[AccessRequest, ...]
    refused: tuple[RefusedGrant, ...]

    def in_force(self, *statuses: Status) -> tuple[Grant, ...]:
        """Sound grants that have not ended; of these statuses, where any are given."""
        return tuple(
            request.grant
            for request in self._sound()
            if request.grant is not None
            and request.in_force_at(self.now)
            and (not statuses or request.status in statuses)
        )

    def left_behind(self, *, seen: bool) -> tuple[Grant, ...]:
        """Sound grants that may be on the role: not collected; `seen`: only those recorded as applied."""
        return tuple(
            request.grant
            for request in self._sound()
            if request.grant is not None
            and request.status is not Status.COLLECTED
            and (not seen or any(isinstance(event, Applied) for event in request.events))
        )

    def _sound(self) -> tuple[AccessRequest, ...]:
        unsound = {refused.request_id for refused in self.refused}
        return tuple(request for request in self.requests if request.id not in unsound)


class Reconciler:
    """Applies and collects the grants of a role. Needs the right to write our policies on it."""

    def __init__(
        self,
        ledger: Ledger,
        role_writer: RoleWriter,
        clock: Clock,
        rules: Rules,
        directory: Directory | None = None,
        notifier: Notifier | None = None,
    ) -> None:
        self._notifier = notifier
        self._ledger = ledger
        self._rules = rules
        self._role_writer = role_writer
        self._clock = clock
        self._directory = directory

    def roles(self) -> tuple[str, ...]:
        """The roles that have grants to put on or to take off, or that carry some."""
        found: dict[str, None] = {}
        for stream in self._ledger.streams().values():
            try:
                request = fold(stream)
            except IllegalTransition:
                continue  # `reconcile` names it, for the role it claims.
            if request.grant is not None and request.status is not Status.COLLECTED:
                found[request.role_arn] = None
        return tuple(found)

    def reconcile(self, role_arn: str, drifted: Drift = Drift.RESTORE) -> Reconciliation:
        """Make the role equal to the plan. `drifted`: what to do about policies of ours that others changed.

        Raises QuotaExceeded when the grants do not fit: then what had ended is gone, and nothing new was
        put on. Raises LedgerConflict when others kept writing all the time; errors of AWS and of the ledger
        pass through.
        """
        written: dict[str, Document] = {}
        deleted: dict[str, None] = {}
        applied: list[str] = []
        collected: list[str] = []
        drift: tuple[str, ...] | None = None
        for _ in range(_ROUNDS):
            standing = self._standing(role_arn)
            found = self._role_writer.read(role_arn)
            ours = _ours(found)
            planned, carried, too_much = _plan(role_arn, standing, found)
            if drift is None:
                drift = _drift(role_arn, standing, found, planned)
            kept = frozenset(drift) if drifted is Drift.KEEP else frozenset()
            stale = [name for name in (*ours, *sorted(found.detached)) if name not in planned.documents]
            missing = [name for name, document in planned.documents.items() if ours.get(name) != document]
            to_delete = {name for name in stale if name not in deleted and name not in kept}
            to_write = {
                name for name in missing if written.get(name) != planned.documents[name] and name not in kept
            }
            if to_delete or to_write:
                before = planner.arrange(role_arn, standing.left_behind(seen=True), planned.in_use).places
                for step in ordered({*to_delete, *to_write}, planned, ours, before, planned.in_use):
                    self._take(role_arn, step)
                    if step.document is None:
                        deleted[step.name] = None
                    else:
                        written[step.name] = step.document
                        deleted.pop(step.name, None)
                continue
            pending = tuple(sorted({*stale, *missing} - kept))
            try:
                self._record(standing, planned, carried, frozenset({*pending, *kept}), applied, collected)
            except LedgerConflict:
                continue
            if too_much is not None:
                raise too_much
            return Reconciliation(
                role_arn=role_arn,
                at=standing.now,
                written=tuple(written),
                deleted=tuple(deleted),
                unchanged=tuple(
                    name
                    for name in planned.documents
                    if name not in written and name not in pending and name not in kept
                ),
                drift=drift,
                shared=tuple(sorted(found.shared)),
                refused=standing.refused,
                applied=tuple(applied),
                collected=tuple(collected),
                pending=pending,
                plan=planned,
            )
        raise LedgerConflict(
            f"The ledger or the role {role_arn} changed each time it was brought in line.",
            remedy="Run it again: sm-access reconcile.",
        )

    def _take(self, role_arn: str, step: Step) -> None:
        writer = self._role_writer
        if step.document is None:
            (writer.delete if step.inline else writer.delete_managed)(role_arn, step.name)
        else:
            (writer.put if step.inline else writer.put_managed)(role_arn, step.name, step.document)

    def _standing(self, role_arn: str) -> _Standing:
        now = whole_second(self._clock.now())
        requests, refused = [], []
        for request_id, stream in self._ledger.streams().items():
            if (
                stream
                and isinstance(stream[0], Submitted)
                and not same_principal(stream[0].role_arn, role_arn)
            ):
                continue
            try:
                request = fold(stream)
            except IllegalTransition as fault:
                refused.append(RefusedGrant(request_id, (fault.message,)))
                continue
            if request.id != request_id:
                refused.append(
                    RefusedGrant(request_id, (f"it is filed under an id that is not its own, {request.id}",))
                )
                continue
            requests.append(request)
            found = self._faults(request, request.grant, now) if request.grant is not None else ()
            if found and request.status is not Status.COLLECTED:
                refused.append(RefusedGrant(request_id, found))
        return _Standing(now, tuple(requests), tuple(refused))

    def _faults(self, request: AccessRequest, grant: Grant, now: datetime) -> tuple[str, ...]:
        """Why a grant must not be on its role: it is not what was agreed to, or nobody may agree to it.

        The rules are asked again, as they are now: a decision in the ledger proves only that somebody wrote it there.
        """
        found = [*faults(request, grant), *self._rules.faults(request, grant, self._facts_for(request))]
        if grant.starts_at > now + CLOCK_SKEW:
            found.append("its approval is dated in the future")
        return tuple(found)

    def _facts_for(self, request: AccessRequest) -> Callable[[Caller], Facts]:
        def facts(reviewer: Caller) -> Facts:
            if self._directory is None:
                return Facts()
            bucket = request.target.bucket
            tag = self._rules.of(bucket).reviewers.owner_tag
            return self._directory.facts(reviewer, askers(request), bucket, tag)

        return facts

    def _record(
        self,
        standing: _Standing,
        planned: RolePlan,
        carried: tuple[Grant, ...],
        unsettled: frozenset[str],
        applied: list[str],
        collected: list[str],
    ) -> None:
        on_role = {grant.id for grant in carried}
        managed_unsettled = any(not is_ours(name) for name in unsettled)
        for request in standing.requests:
            grant = request.grant
            if grant is None:
                continue
            status = request.status_at(standing.now)
            if status is Status.APPROVED and grant.id in on_role:
                if planned.places[grant.id] not in unsettled:
                    self._append(request, Applied(standing.now))
                    applied.append(request.id)
            elif status in ENDED and not (
                managed_unsettled or planner.inline_name(grant.ends_at) in unsettled
            ):
                self._append(request, Collected(standing.now))
                collected.append(request.id)

    def _append(self, request: AccessRequest, event: Event) -> None:
        after = advance(request, event)
        self._ledger.append(request.id, request.version, (event,))
        # INVARIANT: who takes something in an emergency cannot keep it from being told: it is told from here as well.
        if self._notifier is not None:
            self._notifier.tell(after, event)


def in_use(found: RolePolicies) -> InUse:
    """What a role carries beside our grants."""
    others = sum(planner.characters(each) for name, each in found.inline.items() if not is_ours(name))
    return InUse(others, found.attached_others)


def _ours(found: RolePolicies) -> dict[str, Document]:
    inline = {name: document for name, document in found.inline.items() if is_ours(name)}
    return {**inline, **found.managed}


def _plan(
    role_arn: str, standing: _Standing, found: RolePolicies
) -> tuple[RolePlan, tuple[Grant, ...], QuotaExceeded | None]:
    """The plan and the grants in it; or, when they do not fit, those seen on the role before and the
    reason: an end never waits for room."""
    beside = in_use(found)
    grants = standing.in_force()
    try:
        return planner.plan(role_arn, grants, standing.now, beside), grants, None
    except QuotaExceeded as too_much:
        grants = standing.in_force(*ON_ROLE)
        return planner.arrange(role_arn, grants, beside), grants, too_much


def _drift(role_arn: str, standing: _Standing, found: RolePolicies, planned: RolePlan) -> tuple[str, ...]:
    """Names whose document is neither as recorded, nor as planned, nor as an interrupted run would have
    left it."""
    ours, beside = _ours(found), in_use(found)
    recorded = planner.arrange(role_arn, standing.left_behind(seen=True), beside).documents
    interrupted = planner.arrange(role_arn, standing.left_behind(seen=False), beside).documents
    explained = (recorded, interrupted, planned.documents)
    return tuple(
        name
        for name in sorted({*ours, *recorded})
        if all(ours.get(name) != documents.get(name) for documents in explained)
    )
