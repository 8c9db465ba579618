"""How a person gets what they lack: ask, decide, prove, end. The library's calls, and what commands and magics call.

Each takes plain words, does the work through `Services`, and returns a `Result`. Errors are those of `errors.py`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sm_access.access.caller import Caller
from sm_access.access.duration import parse_duration
from sm_access.access.events import EndProbed
from sm_access.access.evidence import BucketEvidence
from sm_access.access.identity import Certainty
from sm_access.access.level import parse_extras, parse_level
from sm_access.access.model import AccessRequest, Status, Terms
from sm_access.access.owner_half import OwnerHalf, owner_half
from sm_access.access.planner import NOTHING_IN_USE
from sm_access.access.probe import ProofFinding
from sm_access.access.reconciler import Drift
from sm_access.access.target import S3Target
from sm_access.access.terms import faults, terms_of, would_be_grant
from sm_access.bootstrap import Services
from sm_access.commands.reviewing import Reviewing, role_in_use
from sm_access.errors import (
    AccessDenied,
    InvalidInput,
    Refused,
    SmAccessError,
    TermsChanged,
    UnreadableFile,
)
from sm_access.policy import Arn
from sm_access.presentation import requests as words
from sm_access.presentation.identity import name_of
from sm_access.presentation.result import Result

if TYPE_CHECKING:
    pass

SHOWN_OF_TERMS = 16
"""How many characters of the terms' SHA-256 a reviewer is shown, and at least has to name."""


def request_access(
    where: str,
    level: str,
    *,
    duration: str = "7d",
    why: str,
    person: str | None = None,
    extras: Sequence[str] = (),
    only_me: bool = False,
    dry_run: bool = False,
    services: Services | None = None,
) -> Result:
    """Ask for a level on a bucket or prefix, for the role that this process works on.

    where: an S3 URI. level: list, read, write or delete. duration: e.g. `7d`; it begins when somebody approves.
    why: for the reviewer. person: who asks, as a claim. extras: `versions`, `tags`. only_me: for the sessions of this
    user profile alone, by their source identity. dry_run: show what would be asked for, and ask nothing.

    Raises what reading AWS raises, BeyondCeiling, and Refused where AWS does not prove who works on the role.
    """
    from sm_access.aws.buckets import collect_bucket

    at = services or Services()
    target, wanted, length = S3Target.parse(where), parse_level(level), parse_duration(duration)
    caller = at.caller()
    role_arn = _role_of(caller)
    bucket = collect_bucket(at.aws, target.bucket, caller.account)
    desk = at.rehearsal() if dry_run else at.desk
    terms = Terms(
        role_arn,
        target,
        wanted,
        length,
        bucket.kms_key_arn,
        _region(bucket.kms_key_arn),
        parse_extras(extras),
        _person(at) if only_me else None,
    )
    request = desk.submit(caller, terms, why, person)
    now = at.clock.now()
    reviewers = _reviewers(at, target)
    page = words.dry_run_page if dry_run else words.submitted_page
    half = owner_half(terms, would_be_grant(request, now), bucket)
    return Result(page(request, terms_of(request), reviewers, now, half))


def requests(*, everyone: bool = False, services: Services | None = None) -> Result:
    """The access requests of this process's role, newest first; of everyone, where asked for."""
    at = services or Services()
    mine = None if everyone else at.caller()
    return Result(words.requests_page(at.desk.requests(requester=mine), at.clock.now()))


def show(id: str, *, services: Services | None = None) -> Result:
    """One access request, with the exact statements."""
    at = services or Services()
    return Result(words.show_page(Reviewing(at).of(at.desk.get(id), thorough=True), at.clock.now()))


def inbox(*, services: Services | None = None) -> Result:
    """What waits for a decision that this process's principal may make, oldest first."""
    at = services or Services()
    waiting = at.desk.inbox(at.caller())
    reviewing = Reviewing(at)
    return Result(words.inbox_page([reviewing.of(request) for request in waiting], at.clock.now()))


def approve(id: str, *, terms: str | None = None, services: Services | None = None) -> Result:
    """Agree to exactly what was shown, and put it on the role. terms: the SHA-256 that was on the screen."""
    at = services or Services()
    asked = at.desk.get(id)
    caller = at.caller()
    at.rules.check_reviewer(caller, asked, at.desk.facts(caller, asked))
    bucket = _check_place(at, asked)
    if terms is not None and len(terms) >= SHOWN_OF_TERMS and asked.terms_sha256.startswith(terms.lower()):
        terms = asked.terms_sha256
    request = at.desk.approve(id, caller, terms, in_use=role_in_use(at, asked.role_arn) or NOTHING_IN_USE)
    half = None if request.grant is None else owner_half(request.terms, request.grant, bucket)
    return _applied(at, request, "Approved", half)


def reject(id: str, *, why: str, services: Services | None = None) -> Result:
    """Say no, with words."""
    at = services or Services()
    return Result(words.decided_page(at.desk.reject(id, at.caller(), why), "Rejected", at.clock.now()))


def withdraw(id: str, *, services: Services | None = None) -> Result:
    """Take back a request of one's own that nobody has decided on."""
    at = services or Services()
    return Result(words.decided_page(at.desk.withdraw(id, at.caller()), "Withdrawn", at.clock.now()))


def narrow(
    id: str,
    *,
    why: str,
    where: str | None = None,
    level: str | None = None,
    duration: str | None = None,
    extras: Sequence[str] | None = None,
    services: Services | None = None,
) -> Result:
    """Take away from what a request asks for, and say why; it still waits, for you or another to approve.

    where: a place within the one that was asked for. level: `list`. duration: shorter. extras: fewer.
    """
    at = services or Services()
    narrowed = at.desk.narrow(
        id,
        at.caller(),
        why,
        target=None if where is None else S3Target.parse(where),
        level=None if level is None else parse_level(level),
        duration=None if duration is None else parse_duration(duration),
        extras=None if extras is None else parse_extras(extras),
    )
    return Result(words.narrowed_page(narrowed, terms_of(narrowed), at.clock.now()))


def extend(
    id: str, *, duration: str = "7d", why: str = "still needed", services: Services | None = None
) -> Result:
    """Ask for the same once more, before or after it ends. It is reviewed like any; the old grant stays as it is."""
    at = services or Services()
    request = at.desk.extend(id, at.caller(), parse_duration(duration), why)
    page = words.submitted_page(request, terms_of(request), _reviewers(at, request.target), at.clock.now())
    return Result(page)


def release(id: str, *, services: Services | None = None) -> Result:
    """Give a grant back: it is no longer needed."""
    at = services or Services()
    return _applied(at, at.desk.release(id, at.caller()), "Released", gives_back=True)


def revoke(id: str, *, why: str = "no longer needed", services: Services | None = None) -> Result:
    """End a grant before its time, say why, and take it off the role."""
    at = services or Services()
    return _applied(at, at.desk.revoke(id, at.caller(), why), "Revoked")


def break_glass(id: str, *, why: str, services: Services | None = None) -> Result:
    """Take what was asked for now, in an emergency, within what the rules leave for that. Everyone is told."""
    at = services or Services()
    asked = at.desk.get(id)
    taken = at.desk.break_glass(
        id, at.caller(), why, in_use=role_in_use(at, asked.role_arn) or NOTHING_IN_USE
    )
    return _applied(at, taken, "Taken in an emergency")


def prove(id: str, *, services: Services | None = None) -> Result:
    """Show with real calls, as the role itself, that a grant works and nothing wider does; or, once it is over, that
    it no longer does."""
    at = services or Services()
    request = at.desk.get(id)
    caller = at.caller()
    if request.grant is not None and name_of(caller.arn) != name_of(request.role_arn):
        raise Refused(
            f"{id} is a grant to {name_of(request.role_arn)}, and you are {name_of(caller.arn)}: "
            "your calls would prove nothing.",
            remedy="Run it in a notebook on that role.",
        )
    now = at.clock.now()
    others = [
        other.grant
        for other in at.desk.requests(role_arn=request.role_arn)
        if other.grant is not None and other.id != id and other.in_force_at(now)
    ]
    proof = at.prover.prove(id, others)
    request, now = at.desk.get(id), at.clock.now()
    over = isinstance(request.events[-1], EndProbed)
    page = (words.end_proof_page if over else words.proof_page)(request, proof.steps, now)
    broken = any(step.finding is ProofFinding.NOT_HELD for step in proof.steps)
    return Result(page, 0 if proof.held else 1 if broken else 3)


def export_grant(
    id: str, *, form: str = "terraform", output: str | None = None, services: Services | None = None
) -> Result:
    """Write a grant in force as a file for a repository that IAM is applied from: exactly the approved statements.

    form: `terraform`, `cloudformation` or `json`. output: a file; without it the text is in the answer alone.
    Raises Refused for what is not approved, is over, or is not what was approved; UnreadableFile.
    """
    from sm_access.deployment.exported_grant import FORMATS

    at = services or Services()
    if form not in FORMATS:
        raise InvalidInput(f"{form!r} is no format.", remedy=f"Say {', '.join(FORMATS)}.")
    desk = at.desk
    request = desk.get(id)
    grant = request.grant
    if grant is None or not request.in_force_at(at.clock.now()):
        raise Refused(
            f"{id} is {request.status_at(at.clock.now()).value}: there is no grant in force to write.",
            remedy=f"See what lacks: sm-access show {id}.",
        )
    # INVARIANT: what a reconciler would not put on the role is not written for another to put there.
    wrong = [
        *faults(request, grant),
        *at.rules.faults(request, grant, lambda reviewer: desk.facts(reviewer, request)),
    ]
    if wrong:
        raise Refused(
            f"{id} is not what may be granted: {'; '.join(wrong)}.",
            remedy="Reject or revoke it, and ask again.",
        )
    text = json.dumps(FORMATS[form](request, grant), indent=2) + "\n"
    if output is not None:
        try:
            Path(output).write_text(text, encoding="utf-8")
        except OSError as error:
            raise UnreadableFile(
                f"{output} cannot be written: {error.strerror}.", remedy="Name another file."
            ) from error
    return Result(words.exported_page(request, grant, form, text, output))


def reconcile(*, keep_drift: bool = False, services: Services | None = None) -> Result:
    """Make every role carry what the ledger says: apply what was approved or a rule approves, collect what has ended.

    keep_drift: leave policies under our names as somebody else changed them, and only say so.
    """
    at = services or Services()
    written: list[str] = []
    deleted: list[str] = []
    problems: list[str] = []
    if at.rules.auto:
        at.desk.approve_by_rules(at.caller(), lambda role_arn: role_in_use(at, role_arn) or NOTHING_IN_USE)
    roles = at.reconciler.roles()
    for role_arn in roles:
        try:
            outcome = at.reconciler.reconcile(role_arn, Drift.KEEP if keep_drift else Drift.RESTORE)
        except SmAccessError as error:
            problems.append(f"{name_of(role_arn)}: {error}")
            continue
        written += outcome.written
        deleted += outcome.deleted
        problems += [f"{refused.request_id}: {'; '.join(refused.faults)}" for refused in outcome.refused]
        done = "was left so" if keep_drift else "is as planned again"
        problems += [f"{name} was not as it had been written, and {done}" for name in outcome.drift]
        problems += [f"{name} is attached to something else than its role as well" for name in outcome.shared]
    return Result(words.reconciled_page(roles, written, deleted, problems), 1 if problems else 0)


def _role_of(caller: Caller) -> str:
    if Arn.parse(caller.arn).resource.startswith("assumed-role/"):
        return caller.principal
    raise Refused(
        f"{caller.arn} is not a role, and access is granted to roles.",
        remedy="Ask from a notebook that works on the team's role; `sm-access whoami` shows who you are.",
    )


def _person(at: Services) -> str:
    """The source identity that SageMaker gives the sessions of this user profile: a grant held to another name, or to
    one that no session carries, would reach nobody. Raises Refused."""
    stated = at.identity().source_identity
    if stated.certainty is not Certainty.CLAIMED or stated.value is None:
        raise Refused(
            "Nothing tells AWS who works on this role, so a grant cannot be held to one person.",
            remedy="Ask for the role as a whole, without --only-me. A Studio domain names its people where "
            "ExecutionRoleIdentityConfig is USER_PROFILE_NAME, outside shared spaces; sm-access whoami shows it.",
        )
    return stated.value


def _region(kms_key_arn: str | None) -> str | None:
    return Arn.parse(kms_key_arn).region if kms_key_arn else None


def _reviewers(at: Services, target: S3Target) -> str:
    return words.reviewers_words(at.rules.of(target.bucket).reviewers) or (
        "nobody yet: no reviewer is configured, so nobody can approve it"
    )


def _check_place(at: Services, request: AccessRequest) -> BucketEvidence:
    """Look at the bucket as the reviewer: what the requester's side read of it is the requester's word.

    Raises TermsChanged when the bucket is encrypted with another key than the one that would be opened, Refused when
    that cannot be read, or when the bucket is not known to be the role's own account's and no rule names it.
    """
    from sm_access.aws.buckets import collect_bucket

    account = Arn.parse(request.role_arn).account
    bucket = collect_bucket(at.aws, request.target.bucket, account)
    named = request.target.bucket in at.rules.buckets
    if bucket.owner_account != account and not named:
        raise Refused(
            f"{request.target.bucket} is not known to belong to {account}: data could leave the company.",
            remedy=f'If that is meant, name it in the rules: [bucket."{request.target.bucket}"].',
        )
    # INVARIANT: no rule stands in for reading it: a key that the reviewer's side has not seen is never opened.
    if not bucket.encryption_read and (request.kms_key_arn is not None or not named):
        raise Refused(
            f"How {request.target.bucket} is encrypted could not be read: which key to open is the requester's word.",
            remedy="The reviewer needs s3:GetEncryptionConfiguration on it and, for an alias, kms:DescribeKey.",
        )
    if bucket.encryption_read and bucket.kms_key_arn != request.kms_key_arn:
        raise TermsChanged(
            f"{request.id} would open the key {request.kms_key_arn or 'none'}, but {request.target.bucket} is "
            f"encrypted with {bucket.kms_key_arn or 'no key of KMS'}.",
            remedy="Reject it; a new request reads the bucket again.",
        )
    return bucket


def _applied(
    at: Services,
    request: AccessRequest,
    word: str,
    half: OwnerHalf | None = None,
    *,
    gives_back: bool = False,
) -> Result:
    """Bring the role in line, and say so if that did not work: the decision stands, and is in the ledger.

    gives_back: the role's own decision, which as a rule may not write itself: that it may not is no failure.
    """
    problem, also, waits, stands = "", [], False, False
    try:
        outcome = at.reconciler.reconcile(request.role_arn)
        also = [id for id in outcome.applied if id != request.id]
        problem = "; ".join(
            fault
            for refused in outcome.refused
            if refused.request_id == request.id
            for fault in refused.faults
        )
        if not problem and not outcome.settled:
            problem = "AWS has not confirmed it yet; it is propagating"
    except AccessDenied as error:
        # Where a team keeps its ledger in DynamoDB, a reconciler writes roles, and who decides may not.
        from sm_access.stores import DynamoLedger

        waits = isinstance(at.ledger, DynamoLedger)
        stands = gives_back and not waits
        problem = "" if waits or stands else str(error)
    except SmAccessError as error:
        problem = str(error)
    now = at.clock.now()
    request = at.desk.get(request.id)
    undone = request.status_at(now) in (Status.APPROVED, Status.REVOKED, Status.RELEASED)
    return Result(
        words.decided_page(
            request,
            word,
            now,
            problem if undone else "",
            also,
            waits=waits and undone,
            stands=stands and undone,
            half=half,
        ),
        1 if problem and undone else 0,
    )
