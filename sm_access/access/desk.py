"""Where access is asked for and decided on. Every answer appends events to the ledger; nothing here touches
AWS.

The ledger's conditional append makes exactly one of two decisions at the same moment win; the other gets
LedgerConflict.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sm_access.access import identifier, planner
from sm_access.access.caller import PARTITIONS, Caller, principal_key, same_principal
from sm_access.access.duration import LONGEST
from sm_access.access.events import (
    Approved,
    AutoApproved,
    Endorsed,
    Event,
    GlassBroken,
    Narrowed,
    Rejected,
    Released,
    Revoked,
    Submitted,
    Withdrawn,
)
from sm_access.access.instant import whole_second
from sm_access.access.level import Extra, Level
from sm_access.access.levels import Statement
from sm_access.access.model import AccessRequest, Status, Terms, advance, askers, fold
from sm_access.access.planner import NOTHING_IN_USE, InUse
from sm_access.access.ports import Clock, Directory, Ledger, Notifier
from sm_access.access.reviewers import Facts
from sm_access.access.rules import Rules
from sm_access.access.target import S3Target
from sm_access.access.terms import statements_for, statements_sha256, terms_sha256, terms_statements
from sm_access.access.terms import terms_sha256 as made_of
from sm_access.errors import (
    BeyondCeiling,
    InvalidDuration,
    InvalidInput,
    LedgerConflict,
    NotAReviewer,
    QuotaExceeded,
    SelfReview,
    TermsChanged,
    UnknownAccessRequest,
)

LONGEST_WORDS = 1000
"""Characters of a reason or a reviewer's words."""

_ROLE = re.compile(rf"arn:(?:{PARTITIONS}):iam::\d{{12}}:role/(?:[!-~]+/)?[\w+=,.@-]{{1,64}}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-\d")
_ATTEMPTS = 5
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"
"""Characters that count as printable and show nothing: Hangul fillers and the empty Braille pattern."""


class Desk:
    """The workflow of access requests over a ledger. Callers are who STS says they are: see `Caller`."""

    def __init__(
        self,
        ledger: Ledger,
        rules: Rules,
        clock: Clock,
        directory: Directory | None = None,
        notifier: Notifier | None = None,
        *,
        new_id: Callable[[], str] = identifier.request_id,
    ) -> None:
        self._ledger = ledger
        self._rules = rules
        self._clock = clock
        self._directory = directory
        self._notifier = notifier
        self._new_id = new_id

    def submit(
        self,
        requester: Caller,
        terms: Terms,
        reason: str,
        claimed_person: str | None = None,
        extends: str | None = None,
    ) -> AccessRequest:
        """Ask for what the terms say. `kms_key_arn` in them: the key of the bucket's default encryption, if any.

        Raises InvalidInput, InvalidDuration, BeyondCeiling; LedgerConflict when no free id is found.
        """
        _refuse_role(terms.role_arn)
        _refuse_terms(terms)
        self._rules.check_ceiling(terms)
        reason = _words("The reason", reason)
        claimed_person = None if claimed_person is None else _words("The name of the person", claimed_person)
        for _ in range(_ATTEMPTS):
            new = self._new_id()
            event = Submitted(
                at=self._now(),
                id=new,
                requester=requester,
                claimed_person=claimed_person,
                role_arn=terms.role_arn,
                target=terms.target,
                level=terms.level,
                duration=terms.duration,
                reason=reason,
                kms_key_arn=terms.kms_key_arn,
                region=terms.region,
                extras=terms.extras,
                source_identity=terms.source_identity,
                extends=extends,
                terms_sha256=terms_sha256(new, terms),
            )
            request = fold((event,))
            try:
                self._ledger.append(new, 0, (event,))
            except LedgerConflict:
                continue  # The id is taken.
            self._tell(request, event)
            return request
        raise LedgerConflict(f"No free id was found in {_ATTEMPTS} attempts.", remedy="Ask again.")

    def extend(self, request_id: str, requester: Caller, duration: timedelta, reason: str) -> AccessRequest:
        """Ask for the same once more, as what was granted was narrowed to. A grant that is in force stays as it is; the
        new one is reviewed like any. Raises NotAReviewer unless it is the requester's own."""
        old = self.get(request_id)
        self._check_own(requester, old, "extend")
        return self.submit(
            requester, replace(old.terms, duration=duration), reason, old.claimed_person, extends=old.id
        )

    def approve(
        self,
        request_id: str,
        reviewer: Caller,
        terms_sha256: str | None = None,
        *,
        in_use: InUse = NOTHING_IN_USE,
    ) -> AccessRequest:
        """Agree to the terms that this reviewer was shown; where enough have, the clock starts now.

        `terms_sha256`: the hash on the reviewer's screen; None agrees to the terms as they are. `in_use`: what else
        the role carries, where it was read.
        Raises NotAReviewer, SelfReview, TermsChanged, BeyondCeiling, QuotaExceeded, IllegalTransition,
        LedgerConflict.
        """
        request = self.get(request_id)
        self._check_reviewer(reviewer, request)
        self._rules.check_ceiling(request.terms)
        if terms_sha256 is not None and terms_sha256 != request.terms_sha256:
            raise TermsChanged(
                f"What was reviewed is not what {request_id} asks for.",
                remedy=f"Look at it again: sm-access show {request_id}.",
            )
        now = self._now()
        agreed = {principal_key(each.arn) for each in (*request.endorsers, reviewer)}
        if len(agreed) < self._rules.quorum(request.target.bucket):
            return self._append(request, Endorsed(now, reviewer, request.terms_sha256))
        ends_at, made = self._issued(request, now)
        event = Approved(
            at=now,
            reviewer=reviewer,
            terms_sha256=request.terms_sha256,
            ends_at=ends_at,
            statements=made,
            grant_sha256=statements_sha256(made),
        )
        self._check_quota(advance(request, event), now, in_use)
        return self._append(request, event)

    def narrow(
        self,
        request_id: str,
        reviewer: Caller,
        words: str,
        *,
        target: S3Target | None = None,
        level: Level | None = None,
        duration: timedelta | None = None,
        extras: tuple[Extra, ...] | None = None,
    ) -> AccessRequest:
        """Take away from what is asked for, and say why; it still waits. Raises as `approve` and, for what is not
        less, IllegalTransition."""
        request = self.get(request_id)
        self._check_reviewer(reviewer, request)
        terms = replace(
            request.terms,
            target=target or request.target,
            level=level or request.level,
            duration=duration or request.duration,
            extras=request.terms.extras if extras is None else extras,
        )
        _refuse_terms(terms)
        event = Narrowed(
            at=self._now(),
            reviewer=reviewer,
            target=terms.target,
            level=terms.level,
            duration=terms.duration,
            extras=terms.extras,
            words=_words("The reviewer's answer", words),
            terms_sha256=made_of(request.id, terms),
        )
        return self._append(request, event)

    def approve_by_rules(
        self, caller: Caller, in_use_of: Callable[[str], InUse]
    ) -> tuple[AccessRequest, ...]:
        """Approve whatever waits and a rule of `auto` covers; what would not fit its role is left waiting.

        `caller`: who has it done. `in_use_of`: what a role carries beside our grants.
        """
        done = []
        for request in reversed(self.requests(status=Status.SUBMITTED)):
            rule = self._rules.auto_rule(request.terms)
            if rule is None:
                continue
            now = self._now()
            try:
                self._rules.check_ceiling(request.terms)
                ends_at, made = self._issued(request, now)
                event = AutoApproved(
                    at=now,
                    caller=caller,
                    rule=rule.name,
                    terms_sha256=request.terms_sha256,
                    ends_at=ends_at,
                    statements=made,
                    grant_sha256=statements_sha256(made),
                )
                self._check_quota(advance(request, event), now, in_use_of(request.role_arn))
                done.append(self._append(request, event))
            except (BeyondCeiling, QuotaExceeded, LedgerConflict, TermsChanged):
                continue  # A reviewer sees it in the inbox, and why, when they decide.
        return tuple(done)

    def break_glass(
        self, request_id: str, requester: Caller, words: str, *, in_use: InUse = NOTHING_IN_USE
    ) -> AccessRequest:
        """Take in an emergency what was asked for, within what the rules leave for that. Raises Refused, NotAReviewer,
        BeyondCeiling, QuotaExceeded, IllegalTransition, LedgerConflict."""
        request = self.get(request_id)
        self._check_own(requester, request, "take")
        self._rules.check_break_glass(requester, request)
        self._rules.check_ceiling(request.terms)
        now = self._now()
        ends_at, made = self._issued(request, now)
        event = GlassBroken(
            at=now,
            caller=requester,
            words=_words("The reason of the emergency", words),
            terms_sha256=request.terms_sha256,
            ends_at=ends_at,
            statements=made,
            grant_sha256=statements_sha256(made),
        )
        self._check_quota(advance(request, event), now, in_use)
        return self._append(request, event)

    def reject(self, request_id: str, reviewer: Caller, words: str) -> AccessRequest:
        """Say no, and why. Raises NotAReviewer, SelfReview, IllegalTransition, LedgerConflict."""
        request = self.get(request_id)
        self._check_reviewer(reviewer, request)
        return self._append(request, Rejected(self._now(), reviewer, _words("The reviewer's answer", words)))

    def withdraw(self, request_id: str, caller: Caller) -> AccessRequest:
        """Take it back before a decision; the requester's own role alone may. Raises NotAReviewer
        otherwise."""
        request = self.get(request_id)
        self._check_own(caller, request, "withdraw")
        return self._append(request, Withdrawn(self._now(), caller))

    def release(self, request_id: str, caller: Caller) -> AccessRequest:
        """Give a grant back before its end; the requester's own role alone may. Raises NotAReviewer otherwise."""
        request = self.get(request_id)
        self._check_own(caller, request, "release")
        return self._append(request, Released(self._now(), caller))

    def revoke(self, request_id: str, caller: Caller, words: str) -> AccessRequest:
        """End a grant before its time, and say why. Raises NotAReviewer, SelfReview, IllegalTransition."""
        request = self.get(request_id)
        self._check_reviewer(caller, request)
        return self._append(request, Revoked(self._now(), caller, _words("The reason", words)))

    def get(self, request_id: str) -> AccessRequest:
        """One access request. Raises UnknownAccessRequest."""
        stream = self._ledger.events(request_id)
        if not stream:
            raise UnknownAccessRequest(
                f"There is no access request {request_id!r} in this ledger.",
                remedy="List them: sm-access requests.",
            )
        return fold(stream)

    def requests(
        self, *, role_arn: str | None = None, requester: Caller | None = None, status: Status | None = None
    ) -> tuple[AccessRequest, ...]:
        """All access requests, newest first; of a role, of a requester's role, or in a status now, where
        given."""
        now = self._now()
        found = [fold(stream) for stream in self._ledger.streams().values()]
        return tuple(
            request
            for request in reversed(found)
            if (role_arn is None or same_principal(request.role_arn, role_arn))
            and (requester is None or same_principal(request.requester.arn, requester.arn))
            and (status is None or request.status_at(now) is status)
        )

    def inbox(self, reviewer: Caller) -> tuple[AccessRequest, ...]:
        """What waits for a decision that this reviewer may make, oldest first."""
        waiting = reversed(self.requests(status=Status.SUBMITTED))
        return tuple(
            request
            for request in waiting
            if self._rules.may_review(reviewer, request, self.facts(reviewer, request))
            and not any(same_principal(reviewer.arn, other.arn) for other in request.endorsers)
        )

    def _check_own(self, caller: Caller, request: AccessRequest, verb: str) -> None:
        if not same_principal(caller.arn, request.requester.arn):
            raise NotAReviewer(
                f"{caller.principal} did not ask for {request.id} and cannot {verb} it.",
                remedy=f"A reviewer can reject or revoke it: sm-access show {request.id}.",
            )

    def _check_reviewer(self, reviewer: Caller, request: AccessRequest) -> None:
        self._rules.check_reviewer(reviewer, request, self.facts(reviewer, request))
        # INVARIANT: said once more, so that no change to the rules alone can let a role decide for itself.
        own = (request.requester.arn, request.role_arn)
        if any(same_principal(reviewer.arn, arn) for arn in own):
            raise SelfReview(f"{reviewer.principal} cannot decide on its own {request.id}.")

    def facts(self, reviewer: Caller, request: AccessRequest) -> Facts:
        """What the directory says about a reviewer of an access request."""
        if self._directory is None:
            return Facts()
        bucket = request.target.bucket
        tag = self._rules.of(bucket).reviewers.owner_tag
        return self._directory.facts(reviewer, askers(request), bucket, tag)

    def _issued(self, request: AccessRequest, now: datetime) -> tuple[datetime, tuple[Statement, ...]]:
        # INVARIANT: what is issued is made of the terms that were hashed, and of nothing that the ledger says beside.
        if terms_sha256(request.id, request.terms) != request.terms_sha256:
            raise TermsChanged(
                f"The ledger has other terms for {request.id} than were asked for.",
                remedy="Reject it; a new request is made of what is there.",
            )
        ends_at = whole_second(now + request.duration)
        return ends_at, statements_for(request, ends_at)

    def _check_quota(self, decided: AccessRequest, now: datetime, in_use: InUse) -> None:
        standing = (*self.requests(role_arn=decided.role_arn), decided)
        grants = [
            request.grant for request in standing if request.grant is not None and request.in_force_at(now)
        ]
        planner.plan(decided.role_arn, grants, now, in_use)

    def _append(self, request: AccessRequest, event: Event) -> AccessRequest:
        after = advance(request, event)
        self._ledger.append(request.id, request.version, (event,))
        self._tell(after, event)
        return after

    def _tell(self, request: AccessRequest, event: Event) -> None:
        if self._notifier is not None:
            self._notifier.tell(request, event)

    def _now(self) -> datetime:
        return whole_second(self._clock.now())


def _refuse_terms(terms: Terms) -> None:
    """What cannot be asked for whatever the rules say. Raises InvalidDuration, InvalidInput."""
    duration = terms.duration
    if not timedelta(0) < duration <= LONGEST or duration.microseconds:
        raise InvalidDuration(
            f"{duration} is not a length of time in whole seconds.", remedy="Ask for e.g. 7d."
        )
    if terms.region is not None and not _REGION.fullmatch(terms.region):
        raise InvalidInput(f"{terms.region!r} is not a Region.", remedy="Write it like eu-central-1.")
    if terms.level is Level.LIST and Extra.TAGS in terms.extras:
        raise InvalidInput(
            "Tags are of objects, and listing opens none of them.", remedy="Ask for read, write or delete."
        )
    terms_statements("r-0", terms)  # Whatever else they cannot be made of.


def _refuse_role(arn: str) -> None:
    if not _ROLE.fullmatch(arn):
        raise InvalidInput(
            f"{arn!r} is not the ARN of an IAM role, so no grant can be put on it.",
            remedy="Pass the role's own ARN, arn:aws:iam::ACCOUNT:role/NAME, not that of a session.",
        )
    if ":role/aws-service-role/" in arn or ":role/aws-reserved/" in arn:
        raise InvalidInput(
            f"{arn} belongs to AWS; nobody can put policies on it.",
            remedy="Ask for the role that the notebook runs with.",
        )


def _words(what: str, text: str) -> str:
    """A person's words as they may be stored and shown: not empty, not endless, nothing that cannot be
    seen."""
    text = text.strip()
    if not any(letter.isprintable() and letter not in _BLANK and not letter.isspace() for letter in text):
        raise InvalidInput(f"{what} is empty.", remedy="Say it in a sentence.")
    if len(text) > LONGEST_WORDS:
        raise InvalidInput(
            f"{what} is longer than {LONGEST_WORDS:,} characters.", remedy="Say it in a sentence."
        )
    hidden = next((letter for letter in text if not letter.isprintable() and letter != "\n"), None)
    if hidden is not None:
        raise InvalidInput(
            f"{what} has a character that cannot be seen (U+{ord(hidden):04X}).",
            remedy="Write it in plain text.",
        )
    return text
