"""How a person gets what they lack: ask, decide, prove, end. The library's calls, and what commands and magics call.

Each takes plain words, does the work through `Services`, and returns a `Result`. Errors are those of `errors.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_access.access.caller import Caller
from sm_access.access.duration import parse_duration
from sm_access.access.level import parse_level
from sm_access.access.model import AccessRequest, Status
from sm_access.access.planner import INLINE_LIMIT
from sm_access.access.probe import ProofFinding
from sm_access.access.target import S3Target
from sm_access.access.terms import terms_of
from sm_access.bootstrap import Services
from sm_access.errors import (
    CannotTell,
    Refused,
    SmAccessError,
    TermsChanged,
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
    dry_run: bool = False,
    services: Services | None = None,
) -> Result:
    """Ask for a level on a bucket or prefix, for the role that this process works on.

    where: an S3 URI. level: list, read, write or delete. duration: e.g. `7d`; it begins when somebody approves.
    why: for the reviewer. person: who asks, as a claim. dry_run: show what would be asked for, and ask nothing.
    """
    from sm_access.aws.buckets import collect_bucket

    at = services or Services()
    target, wanted, length = S3Target.parse(where), parse_level(level), parse_duration(duration)
    caller = at.caller()
    role_arn = _role_of(caller)
    bucket = collect_bucket(at.aws, target.bucket, caller.account)
    desk = at.rehearsal() if dry_run else at.desk
    request = desk.submit(
        caller, role_arn, target, wanted, length, why, person, bucket.kms_key_arn, _region(bucket.kms_key_arn)
    )
    now = at.clock.now()
    reviewers = _reviewers(at, target)
    page = words.dry_run_page if dry_run else words.submitted_page
    return Result(page(request, terms_of(request), reviewers, now))


def requests(*, everyone: bool = False, services: Services | None = None) -> Result:
    """The access requests of this process's role, newest first; of everyone, where asked for."""
    at = services or Services()
    mine = None if everyone else at.caller()
    return Result(words.requests_page(at.desk.requests(requester=mine), at.clock.now()))


def show(id: str, *, services: Services | None = None) -> Result:
    """One access request, with the exact statements."""
    at = services or Services()
    return Result(words.show_page(_review(at, at.desk.get(id)), at.clock.now()))


def inbox(*, services: Services | None = None) -> Result:
    """What waits for a decision that this process's principal may make, oldest first."""
    at = services or Services()
    waiting = at.desk.inbox(at.caller())
    return Result(words.inbox_page([_review(at, request) for request in waiting], at.clock.now()))


def approve(id: str, *, terms: str | None = None, services: Services | None = None) -> Result:
    """Agree to exactly what was shown, and put it on the role. terms: the SHA-256 that was on the screen."""
    at = services or Services()
    asked = at.desk.get(id)
    caller = at.caller()
    at.rules.check_reviewer(caller, asked)
    _check_place(at, asked)
    if terms is not None and len(terms) >= SHOWN_OF_TERMS and asked.terms_sha256.startswith(terms.lower()):
        terms = asked.terms_sha256
    request = at.desk.approve(id, caller, terms, in_use_characters=_in_use(at, asked.role_arn) or 0)
    return _applied(at, request, "Approved")


def reject(id: str, *, why: str, services: Services | None = None) -> Result:
    """Say no, with words."""
    at = services or Services()
    return Result(words.decided_page(at.desk.reject(id, at.caller(), why), "Rejected", at.clock.now()))


def withdraw(id: str, *, services: Services | None = None) -> Result:
    """Take back a request of one's own that nobody has decided on."""
    at = services or Services()
    return Result(words.decided_page(at.desk.withdraw(id, at.caller()), "Withdrawn", at.clock.now()))


def revoke(id: str, *, why: str = "no longer needed", services: Services | None = None) -> Result:
    """End a grant before its time, and take it off the role."""
    at = services or Services()
    return _applied(at, at.desk.revoke(id, at.caller(), why), "Revoked")


def prove(id: str, *, services: Services | None = None) -> Result:
    """Show with real calls, as the role itself, that a grant works and that its sibling does not."""
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
    page = words.proof_page(at.desk.get(id), proof.steps, at.clock.now())
    broken = any(step.finding is ProofFinding.NOT_HELD for step in proof.steps)
    return Result(page, 0 if proof.held else 1 if broken else 3)


def reconcile(*, services: Services | None = None) -> Result:
    """Make every role carry what the ledger says: apply what was approved, collect what has ended."""
    at = services or Services()
    written: list[str] = []
    deleted: list[str] = []
    problems: list[str] = []
    roles = at.reconciler.roles()
    for role_arn in roles:
        try:
            outcome = at.reconciler.reconcile(role_arn)
        except SmAccessError as error:
            problems.append(f"{name_of(role_arn)}: {error}")
            continue
        written += outcome.written
        deleted += outcome.deleted
        problems += [f"{refused.request_id}: {'; '.join(refused.faults)}" for refused in outcome.refused]
        problems += [
            f"{name} was not as it had been written, and is as planned again" for name in outcome.drift
        ]
    return Result(words.reconciled_page(roles, written, deleted, problems), 1 if problems else 0)


def _role_of(caller: Caller) -> str:
    if Arn.parse(caller.arn).resource.startswith("assumed-role/"):
        return caller.principal
    raise Refused(
        f"{caller.arn} is not a role, and access is granted to roles.",
        remedy="Ask from a notebook that works on the team's role; `sm-access whoami` shows who you are.",
    )


def _region(kms_key_arn: str | None) -> str | None:
    return Arn.parse(kms_key_arn).region if kms_key_arn else None


def _reviewers(at: Services, target: S3Target) -> str:
    patterns = [reviewer.pattern for reviewer in at.rules.of(target.bucket).reviewers]
    return ", ".join(name_of(pattern) for pattern in patterns) or (
        "nobody yet: no reviewer is configured, so nobody can approve it"
    )


def _in_use(at: Services, role_arn: str) -> int | None:
    """Characters of the role's inline policies that are not ours; None where they may not be read."""
    from sm_access.access.planner import characters, is_ours
    from sm_access.aws.role_writer import IamRoleWriter

    try:
        found = IamRoleWriter(at.aws).read(role_arn)
    except Refused:
        return None
    return sum(characters(document) for name, document in found.items() if not is_ours(name))


def _review(at: Services, request: AccessRequest) -> words.Review:
    from sm_access.access.planner import characters, plan
    from sm_access.aws.notebooks import collect_role_notebooks

    now = at.clock.now()
    made = request.grant.statements if request.grant else terms_of(request)
    in_use = _in_use(at, request.role_arn)
    after = None
    if in_use is not None:
        grants = [
            other.grant
            for other in at.desk.requests(role_arn=request.role_arn)
            if other.grant is not None and other.in_force_at(now)
        ]
        standing = plan(grants, now, in_use)
        added = 0 if request.grant else characters({"Version": "2012-10-17", "Statement": list(made)})
        after = in_use + standing.characters + added
    return words.Review(
        request,
        made,
        collect_role_notebooks(at.aws, request.role_arn),
        _owner(at, request),
        after,
        INLINE_LIMIT,
    )


def _owner(at: Services, request: AccessRequest) -> str | None:
    from sm_access.aws.buckets import collect_bucket

    try:
        return collect_bucket(
            at.aws, request.target.bucket, Arn.parse(request.role_arn).account
        ).owner_account
    except CannotTell:
        return None


def _check_place(at: Services, request: AccessRequest) -> None:
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


def _applied(at: Services, request: AccessRequest, word: str) -> Result:
    """Bring the role in line, and say so if that did not work: the decision stands, and is in the ledger."""
    problem, also = "", []
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
    except SmAccessError as error:
        problem = str(error)
    now = at.clock.now()
    request = at.desk.get(request.id)
    undone = request.status_at(now) in (Status.APPROVED, Status.REVOKED)
    return Result(
        words.decided_page(request, word, now, problem if undone else "", also),
        1 if problem and undone else 0,
    )
