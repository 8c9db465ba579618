"""Where access is asked for and decided on. Every answer appends events to the ledger; nothing here touches
AWS.

The ledger's conditional append makes exactly one of two decisions at the same moment win; the other gets
LedgerConflict.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from sm_access.access import identifier, planner
from sm_access.access.caller import PARTITIONS, Caller, same_principal
from sm_access.access.duration import LONGEST
from sm_access.access.events import Approved, Event, Rejected, Revoked, Submitted, Withdrawn
from sm_access.access.instant import whole_second
from sm_access.access.level import Level
from sm_access.access.levels import key_region
from sm_access.access.model import AccessRequest, Status, advance, fold
from sm_access.access.ports import Clock, Ledger
from sm_access.access.rules import Rules
from sm_access.access.target import S3Target
from sm_access.access.terms import statements_for, statements_sha256, terms_sha256
from sm_access.errors import (
    InvalidDuration,
    InvalidInput,
    LedgerConflict,
    NotAReviewer,
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
        self, ledger: Ledger, rules: Rules, clock: Clock, *, new_id: Callable[[], str] = identifier.request_id
    ) -> None:
        self._ledger = ledger
        self._rules = rules
        self._clock = clock
        self._new_id = new_id

    def submit(
        self,
        requester: Caller,
        role_arn: str,
        target: S3Target,
        level: Level,
        duration: timedelta,
        reason: str,
        claimed_person: str | None = None,
        kms_key_arn: str | None = None,
        region: str | None = None,
    ) -> AccessRequest:
        """Ask for a level on a target for a role. `kms_key_arn`: the key of the bucket's default
        encryption, if any.

        Raises InvalidInput, InvalidDuration, BeyondCeiling.
        """
        _refuse_role(role_arn)
        if not timedelta(0) < duration <= LONGEST or duration.microseconds:
            raise InvalidDuration(
                f"{duration} is not a length of time in whole seconds.", remedy="Ask for e.g. 7d."
            )
        if region is not None and not _REGION.fullmatch(region):
            raise InvalidInput(f"{region!r} is not a Region.", remedy="Write it like eu-central-1.")
        if kms_key_arn is not None:
            key_region(kms_key_arn, region)
        self._rules.check_ceiling(target, level, duration)
        reason = _words("The reason", reason)
        claimed_person = None if claimed_person is None else _words("The name of the person", claimed_person)
        for _ in range(_ATTEMPTS):
            new = self._new_id()
            event = Submitted(
                at=self._now(),
                id=new,
                requester=requester,
                claimed_person=claimed_person,
                role_arn=role_arn,
                target=target,
                level=level,
                duration=duration,
                reason=reason,
                kms_key_arn=kms_key_arn,
                region=region,
                terms_sha256=terms_sha256(
                    request_id=new,
                    role_arn=role_arn,
                    target=target,
                    level=level,
                    duration=duration,
                    kms_key_arn=kms_key_arn,
                    region=region,
                ),
            )
            request = fold((event,))
            try:
                self._ledger.append(new, 0, (event,))
            except LedgerConflict:
                continue  # The id is taken.
            return request
        raise LedgerConflict(f"No free id was found in {_ATTEMPTS} attempts.", remedy="Ask again.")

    def extend(self, request_id: str, requester: Caller, duration: timedelta, reason: str) -> AccessRequest:
        """Ask for the same once more. A grant that is in force stays as it is; the new one is reviewed like
        any."""
        old = self.get(request_id)
        return self.submit(
            requester,
            old.role_arn,
            old.target,
            old.level,
            duration,
            reason,
            old.claimed_person,
            old.kms_key_arn,
            old.region,
        )

    def approve(
        self,
        request_id: str,
        reviewer: Caller,
        terms_sha256: str | None = None,
        *,
        in_use_characters: int = 0,
    ) -> AccessRequest:
        """Agree to the terms that this reviewer was shown; the clock starts now.

        `terms_sha256`: the hash on the reviewer's screen; None agrees to the terms as submitted, which do
        not change. `in_use_characters`: of the role's other inline policies, where they were read.
        Raises NotAReviewer, SelfReview, TermsChanged, BeyondCeiling, QuotaExceeded, IllegalTransition,
        LedgerConflict.
        """
        request = self.get(request_id)
        now = self._now()
        self._check_reviewer(reviewer, request)
        self._rules.check_ceiling(request.target, request.level, request.duration)
        if terms_sha256 is not None and terms_sha256 != request.terms_sha256:
            raise TermsChanged(
                f"What was reviewed is not what {request_id} asks for.",
                remedy=f"Look at it again: sm-access show {request_id}.",
            )
        ends_at = whole_second(now + request.duration)
        made = statements_for(request, ends_at)
        event = Approved(
            at=now,
            reviewer=reviewer,
            terms_sha256=request.terms_sha256,
            ends_at=ends_at,
            statements=made,
            grant_sha256=statements_sha256(made),
        )
        approved = advance(request, event)
        self._check_quota(approved, now, in_use_characters)
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
        if not same_principal(caller.arn, request.requester.arn):
            raise NotAReviewer(
                f"{caller.principal} did not ask for {request_id} and cannot withdraw it.",
                remedy=f"A reviewer can reject it: sm-access reject {request_id}.",
            )
        return self._append(request, Withdrawn(self._now(), caller))

    def revoke(self, request_id: str, caller: Caller, words: str) -> AccessRequest:
        """End a grant before its time: a reviewer, or the requester's own role, which so releases it."""
        request = self.get(request_id)
        if not same_principal(caller.arn, request.requester.arn):
            self._rules.check_reviewer(caller, request)
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
        return tuple(request for request in waiting if self._rules.may_review(reviewer, request))

    def _check_reviewer(self, reviewer: Caller, request: AccessRequest) -> None:
        self._rules.check_reviewer(reviewer, request)
        # INVARIANT: said once more, so that no change to the rules alone can let a role decide for itself.
        own = (request.requester.arn, request.role_arn)
        if any(same_principal(reviewer.arn, arn) for arn in own):
            raise SelfReview(f"{reviewer.principal} cannot decide on its own {request.id}.")

    def _check_quota(self, approved: AccessRequest, now: datetime, in_use_characters: int) -> None:
        standing = (*self.requests(role_arn=approved.role_arn), approved)
        grants = [
            request.grant for request in standing if request.grant is not None and request.in_force_at(now)
        ]
        planner.plan(grants, now, in_use_characters)

    def _append(self, request: AccessRequest, event: Event) -> AccessRequest:
        after = advance(request, event)
        self._ledger.append(request.id, request.version, (event,))
        return after

    def _now(self) -> datetime:
        return whole_second(self._clock.now())


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
