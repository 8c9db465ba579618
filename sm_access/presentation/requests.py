"""Access requests in words: for the one who asks, the one who decides, and the record."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sm_access.access.duration import duration_words
from sm_access.access.events import (
    Approved,
    AutoApproved,
    Endorsed,
    GlassBroken,
    Narrowed,
    Rejected,
    Released,
    Revoked,
)
from sm_access.access.gain import Gain
from sm_access.access.level import Level
from sm_access.access.levels import Statement
from sm_access.access.model import AccessRequest, Grant, Status, Terms
from sm_access.access.owner_half import OwnerHalf
from sm_access.access.planner import RolePlan
from sm_access.access.probe import DECIDED, Outcome, ProbeKind, ProbeResult, ProofFinding, ProofStep
from sm_access.access.proof import unproven_actions
from sm_access.access.reviewers import Reviewers
from sm_access.policy import Change, Decision
from sm_access.presentation import typed
from sm_access.presentation.identity import name_of
from sm_access.presentation.moments import ago, instant, iso, left
from sm_access.presentation.page import (
    Block,
    Code,
    Command,
    Facts,
    Fold,
    Line,
    Page,
    Paragraph,
    Span,
    Table,
    Tone,
    code,
    line,
    quiet,
    strong,
)

_STATUS = {
    Status.SUBMITTED: ("waiting for a reviewer", Tone.WARN),
    Status.APPROVED: ("approved, not on the role yet", Tone.WARN),
    Status.APPLIED: ("applied", Tone.OK),
    Status.PROVEN: ("proven", Tone.OK),
    Status.NOT_PROVABLE: ("applied, not proven", Tone.WARN),
    Status.REJECTED: ("rejected", Tone.NO),
    Status.WITHDRAWN: ("withdrawn", Tone.QUIET),
    Status.REVOKED: ("revoked", Tone.QUIET),
    Status.RELEASED: ("released", Tone.QUIET),
    Status.EXPIRED: ("ended", Tone.QUIET),
    Status.COLLECTED: ("ended, and cleared from the role", Tone.QUIET),
}


@dataclass(frozen=True, slots=True)
class Review:
    """What a reviewer decides on: facts from AWS and from the exact statements, none from the requester's words.

    notebooks: names of the notebooks that share the role, None where SageMaker could not be read.
    owner: the account that owns the bucket, None where that is not known.
    plan: what the role carries after approval; None where IAM could not be read. quorum: how many have to agree.
    half: what the owner of the bucket or key has to add; None where that does not matter or could not be read.
    studio: domains and user profiles that share the role, None where SageMaker did not tell. gain: what the role can do
    there now and newly could; None where its policies could not be read. unreachable: whether who asked can surely not
    become who decides; None where IAM did not tell. width: objects, bytes, and whether that is all; None: not listed.
    """

    request: AccessRequest
    statements: tuple[Statement, ...]
    notebooks: tuple[str, ...] | None
    owner: str | None
    plan: RolePlan | None
    quorum: int = 1
    half: OwnerHalf | None = None
    studio: tuple[str, ...] | None = None
    gain: Gain | None = None
    unreachable: bool | None = True
    width: tuple[int, int, bool] | None = None


def reviewers_words(reviewers: Reviewers) -> str:
    """Who may review, as people call them; '' where nobody is named."""
    found = [name_of(reviewer.pattern) for reviewer in reviewers.named]
    found += [f"members of the IAM group {group}" for group in reviewers.groups]
    if reviewers.owner_tag:
        found.append(f"the bucket's owner, by its tag {reviewers.owner_tag}")
    both = f"; {reviewers.quorum} of them" if reviewers.quorum > 1 else ""
    return f"{', '.join(found)}{both}" if found else ""


def submitted_page(
    request: AccessRequest,
    statements: Sequence[Statement],
    reviewers: str,
    now: datetime,
    half: OwnerHalf | None = None,
) -> Page:
    """What was asked, what exactly would be granted, and what happens next."""
    blocks: tuple[Block, ...] = (
        Facts(
            (
                ("id", line(code(request.id))),
                ("for", line(f"{duration_words(request.duration)}, from the moment it is approved")),
                ("role", _shared_with(request)),
                ("reviewed by", line(reviewers)),
            )
        ),
        Fold("The exact statements", (Code(policy_text(statements)),)),
        *_half(half, request),
        Command("Follow it", "sm-access requests"),
    )
    data = {**request_view(request, now), "owner_half": half_view(half)}
    return Page(line("Asked: ", *_asked(request), "."), Tone.WARN, blocks, data)


def dry_run_page(
    request: AccessRequest,
    statements: Sequence[Statement],
    reviewers: str,
    now: datetime,
    half: OwnerHalf | None = None,
) -> Page:
    page = submitted_page(request, statements, reviewers, now, half)
    blocks = (
        Paragraph(line("Nothing was sent. This is what would be asked for.")),
        page.blocks[0],
        Fold("The exact statements", (Code(policy_text(statements)),), open=True),
        *_half(half, request),
    )
    return Page(
        line("Would ask: ", *_asked(request), "."),
        Tone.PLAIN,
        blocks,
        {**page.data, "id": None, "dry_run": True},
    )


def requests_page(requests: Sequence[AccessRequest], now: datetime) -> Page:
    data = {"requests": [request_view(request, now) for request in requests]}
    if not requests:
        blocks: tuple[Block, ...] = (
            Command("Ask for access", 'sm-access request s3://BUCKET/PREFIX/ read --for 7d --why "..."'),
        )
        return Page(line("No access requests yet."), Tone.PLAIN, blocks, data)
    table = Table(
        ("id", "what", "status", "asked", "until"),
        tuple(
            (
                line(code(request.id)),
                line(*_asked(request)),
                line(status_span(request, now)),
                line(quiet(ago(request.submitted_at, now))),
                _until(request, now),
            )
            for request in requests
        ),
    )
    answered = [request.id for request in requests if request.status_at(now) is Status.REJECTED]
    unproven = [request.id for request in requests if request.status_at(now) is Status.APPLIED]
    hints = tuple(Command("Prove it works, and no wider", typed.command("prove", id)) for id in unproven[:1])
    hints += tuple(Command("Why it was rejected", typed.command("show", id)) for id in answered[:1])
    count = f"{len(requests)} access request{'' if len(requests) == 1 else 's'}"
    return Page(line(strong(count)), Tone.PLAIN, (table, *hints), data)


def inbox_page(reviews: Sequence[Review], now: datetime) -> Page:
    data = {"inbox": [review_view(review, now) for review in reviews]}
    if not reviews:
        blocks = (Paragraph(line("Requests that you may decide on appear here.")),)
        return Page(line("Nothing waits for you."), Tone.OK, blocks, data)
    folds = tuple(block for review in reviews for block in _review(review, now))
    count = f"{len(reviews)} request{'' if len(reviews) == 1 else 's'} wait{'s' if len(reviews) == 1 else ''} for you"
    return Page(line(strong(count)), Tone.WARN, folds, data)


def show_page(review: Review, now: datetime) -> Page:
    """One access request, whatever came of it."""
    request = review.request
    words, tone = _STATUS[request.status_at(now)]
    data = {"inbox": [review_view(review, now)]}
    return Page(
        line(strong(f"{words.capitalize()}: "), *_asked(request), "."),
        Tone.PLAIN if tone is Tone.QUIET else tone,
        _review(review, now),
        data,
    )


def decided_page(
    request: AccessRequest,
    word: str,
    now: datetime,
    problem: str = "",
    also: Sequence[str] = (),
    *,
    waits: bool = False,
    stands: bool = False,
    half: OwnerHalf | None = None,
) -> Page:
    """After a decision: where it stands now. word: the decision. problem: why the role is not in line, if so.

    also: ids of other access requests whose grants were put on the role by the way. waits: the team's reconciler brings
    the role in line, which is no problem. stands: what was given back is on the role until somebody who may write it
    takes it off, which is none either.
    """
    status = request.status_at(now)
    blocks: list[Block] = [
        Facts((("id", line(code(request.id))), ("status", line(status_span(request, now)))))
    ]
    if request.endorsers and request.grant is None:
        agreed = ", ".join(name_of(each.arn) for each in request.endorsers)
        blocks.append(
            Paragraph(line(f"It takes more than one: {agreed} agreed. It waits for another reviewer."))
        )
    if request.grant is not None:
        grant = request.grant
        facts: list[tuple[str, Line]] = [("sha256", line(code(grant.sha256[:16])))]
        if request.in_force_at(now):
            facts.insert(0, ("until", _until(request, now)))
        blocks.append(Facts(tuple(facts)))
        blocks.append(
            Fold("The exact statements", (Code(policy_text(grant.statements)),), open=word == "Approved")
        )
    blocks += _half(half, request)
    if also:
        told = f"Put on the role as well, approved before: {', '.join(also)}."
        blocks.append(Paragraph(line(Span(told, Tone.WARN))))
    if waits:
        blocks.append(
            Paragraph(line("The team's reconciler brings the role in line at its next run, within minutes."))
        )
    if stands and request.grant is not None:
        told = "It leaves the role at the next reconcile, by whoever may write it; until then it stands, to its end at"
        blocks.append(Paragraph(line(told, " ", instant(request.grant.ends_at), " at the latest.")))
        blocks.append(Command("To be run by whoever may write the role's policies", "sm-access reconcile"))
    if problem:
        blocks.append(Paragraph(line(Span(f"The role is not in line yet: {problem}", Tone.WARN))))
        blocks.append(Command("To be run by whoever may write the role's policies", "sm-access reconcile"))
    tone = Tone.WARN if problem else {Tone.QUIET: Tone.PLAIN}.get(_STATUS[status][1], _STATUS[status][1])
    if status is Status.APPLIED:
        word = f"{word} and applied"
    data = {**request_view(request, now), "owner_half": half_view(half)}
    return Page(line(strong(f"{word}: "), *_asked(request), "."), tone, tuple(blocks), data)


def narrowed_page(request: AccessRequest, statements: Sequence[Statement], now: datetime) -> Page:
    """What a request asks for after a reviewer took away from it."""
    approve = typed.command("approve", request.id, "--terms", request.terms_sha256[:16])
    blocks: tuple[Block, ...] = (
        Facts(
            (
                ("id", line(code(request.id))),
                ("asked at first", line(*_terms_words(request.asked))),
                ("for", line(f"{duration_words(request.duration)} from approval")),
            )
        ),
        Fold("The exact statements", (Code(policy_text(statements)),), open=True),
        Command("Approve", approve),
    )
    return Page(
        line(strong("Narrowed: "), *_asked(request), "."), Tone.WARN, blocks, request_view(request, now)
    )


def proof_page(request: AccessRequest, steps: Sequence[ProofStep], now: datetime) -> Page:
    """What probing a grant in force came to."""
    held = all(step.finding is ProofFinding.HELD for step in steps)
    untried = unproven_actions(request.level)
    wider = any(step.result.probe.expected is Outcome.DENIED for step in steps)
    tried = ProbeKind.WRITE if request.level is Level.WRITE else None
    wrote = any(step.result.probe.kind is tried for step in steps)
    some = "listing and writing it" if wrote else "listing it"
    works = f"{some if untried else 'it'} {'work' if wrote else 'works'}{', and no wider' if wider else ''}"
    beside: tuple[Block, ...] = _surprises(steps)
    if untried:
        names = ", ".join(untried)
        beside += (Paragraph(line(f"Not tried, because it would change something: {names}.")),)
    words = works if held else "not every call came to what the grant promises"
    data = {
        **request_view(request, now),
        "held": held,
        "untried": list(untried),
        "steps": [step_view(step) for step in steps],
    }
    return Page(
        line(strong("Proven: " if held else "Not proven: "), f"{words} - ", *_asked(request), "."),
        Tone.OK if held else Tone.WARN,
        (_steps_table(steps), *beside),
        data,
    )


def end_proof_page(request: AccessRequest, steps: Sequence[ProofStep], now: datetime) -> Page:
    """What probing a grant that is over came to."""
    held = bool(steps) and all(step.finding is ProofFinding.HELD for step in steps)
    still = any(step.finding is ProofFinding.NOT_HELD for step in steps)
    if held:
        words = "what it allowed is denied now"
    elif still:
        words = "AWS still allows it"
    else:
        words = "no call told whether AWS denies it now"
    data = {
        **request_view(request, now),
        "held": held,
        "over": True,
        "steps": [step_view(step) for step in steps],
    }
    beside = _surprises(steps)
    if not steps:
        beside = (Paragraph(line("Other grants on this role allow the same, so there is nothing to see.")),)
    return Page(
        line(strong("Over: " if held else "Not shown to be over: "), f"{words} - ", *_asked(request), "."),
        Tone.OK if held else Tone.WARN,
        ((_steps_table(steps),) if steps else ()) + beside,
        data,
    )


def _steps_table(steps: Sequence[ProofStep]) -> Block:
    return Table(
        ("real call", "AWS answered", ""),
        tuple(
            (
                line(_probe_words(step)),
                line(_outcome_words(step.result)),
                line(_finding_span(step.finding)),
            )
            for step in steps
        ),
    )


def _surprises(steps: Sequence[ProofStep]) -> tuple[Block, ...]:
    """What explains an answer that was not expected, and how often AWS was asked."""
    made: list[Block] = []
    attempts = max((step.attempts for step in steps), default=1)
    wrong = [step.result.outcome for step in steps if step.finding is ProofFinding.NOT_HELD]
    if any(step.result.probe.kind is ProbeKind.WRITE for step in steps):
        told = "Writing was tried as a part of an upload that nobody began: S3 says who may, and nothing is written."
        made.append(Paragraph(line(quiet(told))))
    if attempts > 1:
        told = f"IAM had not made the change known at first: AWS was asked {attempts} times."
        made.append(Paragraph(line(told)))
    if Outcome.DENIED in wrong:
        told = (
            "IAM can take longer than that to make a change known: prove it again in a minute. If it stays, something "
            "else denies it: sm-access can."
        )
        made.append(Paragraph(line(told)))
    if Outcome.ALLOWED in wrong:
        told = "What is allowed beyond the grant, something else on the role allows: sm-access can names the policy."
        made.append(Paragraph(line(told)))
    return tuple(made)


def _half(half: OwnerHalf | None, request: AccessRequest) -> tuple[Block, ...]:
    """The owner's half, which nobody here can verify."""
    if not half:
        return ()
    made: list[Block] = []
    for ref in half.denied_by:
        which = f"{ref.sid} of " if ref.sid else f"{ref.path} of "
        told = f"Denied by {which}{ref.policy}: whoever owns it has to except the role there. No grant outweighs it."
        made.append(Paragraph(line(Span(told, Tone.NO))))
    if half.bucket_policy or half.key_policy:
        told = "This takes the owner's half as well, and whether that is there cannot be verified from here."
        made.append(Paragraph(line(Span(told, Tone.WARN))))
        if request.grant is None:
            made.append(
                Paragraph(line(quiet("Written as if it were approved now; the end is told at approval.")))
            )
    for where, statements in (
        (f"the policy of the bucket {half.bucket}", half.bucket_policy),
        (f"the policy of the key {half.key}", half.key_policy),
    ):
        if statements:
            text = json.dumps(list(statements), indent=2, ensure_ascii=False)
            made.append(Fold(f"For the owner: to add to {where}", (Code(text),), open=True))
    return tuple(made)


def exported_page(request: AccessRequest, grant: Grant, form: str, text: str, output: str | None) -> Page:
    """A grant written for a repository; the text itself where there is no file."""
    data = {"id": request.id, "format": form, "sha256": grant.sha256, "file": output, "text": text}
    facts = Facts(
        (
            ("until", line(instant(grant.ends_at))),
            ("sha256", line(code(grant.sha256))),
        )
    )
    blocks: tuple[Block, ...] = (facts,) if output else (facts, Code(text))
    where = line(" in ", code(output)) if output else ()
    return Page(line(strong("Written: "), *_asked(request), *where, "."), Tone.OK, blocks, data)


def reconciled_page(
    roles: Sequence[str], written: Sequence[str], deleted: Sequence[str], problems: Sequence[str]
) -> Page:
    """What bringing roles in line with the ledger came to."""
    facts: list[tuple[str, Line]] = [
        ("written", line(", ".join(written) or "nothing")),
        ("deleted", line(", ".join(deleted) or "nothing")),
    ]
    facts += [("problem", line(Span(problem, Tone.WARN))) for problem in problems]
    data = {
        "roles": list(roles),
        "written": list(written),
        "deleted": list(deleted),
        "problems": list(problems),
    }
    named = ", ".join(name_of(role) for role in roles) or "No role carries grants"
    done = " could not all be brought in line." if problems else " carries what the ledger says."
    headline = line(strong(named), done if roles else "; there is nothing to do.")
    return Page(headline, Tone.WARN if problems else Tone.OK, (Facts(tuple(facts)),), data)


def status_span(request: AccessRequest, now: datetime) -> Span:
    words, tone = _STATUS[request.status_at(now)]
    return Span(words, tone)


def request_view(request: AccessRequest, now: datetime) -> dict[str, Any]:
    grant = request.grant
    return {
        "id": request.id,
        "status": request.status_at(now).value,
        "target": str(request.target),
        "level": request.level.value,
        "duration_seconds": int(request.duration.total_seconds()),
        "reason": request.reason,
        "requester": {
            "arn": request.requester.arn,
            "principal": request.requester.principal,
            "proven_by": "sts",
        },
        "claimed_person": request.claimed_person,
        "only_for": request.terms.source_identity,
        "extras": [extra.value for extra in request.terms.extras],
        "extends": request.extends,
        "asked_at_first": str(request.asked.target) if request.asked != request.terms else None,
        "agreed": [each.principal for each in request.endorsers],
        "role": request.role_arn,
        "submitted_at": iso(request.submitted_at),
        "terms_sha256": request.terms_sha256,
        "answer": next(
            (
                event.words
                for event in reversed(request.events)
                if isinstance(event, Rejected | Revoked | Narrowed)
            ),
            None,
        ),
        "grant": None
        if grant is None
        else {
            "ends_at": iso(grant.ends_at),
            "approved_by": [each.principal for each in grant.approvers],
            "rule": grant.rule or None,
            "emergency": grant.emergency or None,
            "sha256": grant.sha256,
            "statements": [dict(statement) for statement in grant.statements],
        },
    }


def review_view(review: Review, now: datetime) -> dict[str, Any]:
    return {
        **request_view(review.request, now),
        "statements": [dict(statement) for statement in review.statements],
        "notebooks": None if review.notebooks is None else list(review.notebooks),
        "bucket_owner": review.owner,
        "kms_key": review.request.kms_key_arn,
        "quota": None
        if review.plan is None
        else {
            "after": review.plan.used,
            "limit": review.plan.capacity,
            "managed_policies": review.plan.attached,
        },
        "quorum": review.quorum,
        "owner_half": half_view(review.half),
        "studio": None if review.studio is None else list(review.studio),
        "already": None
        if review.gain is None
        else {level.value: decision.value for level, decision in review.gain.already.items()},
        "newly_allowed": None
        if review.gain is None or review.gain.newly is None
        else [
            {"action": each.action, "within": list(each.within), "outside": list(each.outside)}
            for each in review.gain.newly
        ],
        "requester_can_become_reviewer": None if review.unreachable is None else not review.unreachable,
        "depth": _depth(review.request),
        "objects": None if review.width is None else review.width[0],
        "bytes": None if review.width is None else review.width[1],
        "counted_all": None if review.width is None else review.width[2],
    }


def _depth(request: AccessRequest) -> int:
    """How many folders deep the place lies; 0 for the whole bucket."""
    return len([part for part in request.target.path.split("/") if part])


def half_view(half: OwnerHalf | None) -> dict[str, Any] | None:
    """None where the owner has nothing to do, or that could not be told."""
    if not half:
        return None
    return {
        "owner": half.owner,
        "bucket": half.bucket,
        "bucket_policy": [dict(each) for each in half.bucket_policy],
        "key": half.key,
        "key_policy": [dict(each) for each in half.key_policy],
        "denied_by": [{"policy": each.policy, "sid": each.sid, "path": each.path} for each in half.denied_by],
        "verified": False,
    }


def step_view(step: ProofStep) -> dict[str, Any]:
    return {
        "call": _probe_words(step),
        "expected": step.result.probe.expected.value,
        "outcome": step.result.outcome.value,
        "finding": step.finding.value,
        "attempts": step.attempts,
        "decided_by": "our engine" if step.result.detail == DECIDED else "AWS",
    }


def policy_text(statements: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=2, ensure_ascii=False)


def _asked(request: AccessRequest) -> Line:
    beside = "".join(f" and {extra.value}" for extra in request.terms.extras)
    return line(f"{request.level.value}{beside} ", code(str(request.target)))


def _shared_with(request: AccessRequest) -> Line:
    person = request.terms.source_identity
    if person is not None:
        return line(
            name_of(request.role_arn), quiet(f" - only in sessions whose source identity is {person}")
        )
    return line(name_of(request.role_arn), quiet(" - everyone who works on it gains the access"))


def _terms_words(terms: Terms) -> Line:
    beside = "".join(f" and {extra.value}" for extra in terms.extras)
    return line(
        f"{terms.level.value}{beside} ", code(str(terms.target)), f" for {duration_words(terms.duration)}"
    )


def _until(request: AccessRequest, now: datetime) -> Line:
    if request.grant is None:
        return line(quiet("-"))
    ends_at = request.grant.ends_at
    if request.in_force_at(now):
        return line(instant(ends_at), quiet(f" ({left(ends_at, now)})"))
    return line(quiet(instant(ends_at)))


def _review(review: Review, now: datetime) -> tuple[Block, ...]:
    request = review.request
    person: list[str | Span] = (
        [" · person ", f"“{request.claimed_person}”", quiet(" (claimed)")] if request.claimed_person else []
    )
    quota = (
        line("could not be read")
        if review.plan is None
        else line(f"{review.plan.used:,} of {review.plan.capacity:,} characters")
    )
    facts = Facts(
        (
            (
                "asked by",
                line("role ", name_of(request.requester.arn), quiet(" (proven by AWS STS)"), *person),
            ),
            ("role", line(code(request.role_arn))),
            ("who gains", _gains(review)),
            *_change(review),
            ("width", _width(review)),
            ("bucket's owner", _owner(review)),
            ("KMS key", _key(review)),
            ("for", line(f"{duration_words(request.duration)} from approval")),
            ("quota after", quota),
            ("their reason", line(quiet(f"“{request.reason}”"))),
            ("terms", line(code(f"sha256 {request.terms_sha256[:16]}"))),
        )
    )
    if review.quorum > 1:
        agreed = ", ".join(name_of(each.arn) for each in request.endorsers) or "nobody yet"
        facts = Facts((*facts.rows, (f"needs {review.quorum}", line(f"agreed so far: {agreed}"))))
    if request.asked != request.terms:
        facts = Facts((*facts.rows, ("narrowed from", line(*_terms_words(request.asked)))))
    if request.status_at(now) is Status.SUBMITTED:
        approve = typed.command("approve", request.id, "--terms", request.terms_sha256[:16])
        last: tuple[Block, ...] = (Command("Approve", approve),)
    else:
        last = (Facts(_history(request, now)),)
    return (
        Paragraph(
            line(
                strong(f"{request.level.value.capitalize()} "),
                code(str(request.target)),
                quiet(f"  {request.id} · asked {ago(request.submitted_at, now)}"),
            )
        ),
        facts,
        Fold("The exact statements", (Code(policy_text(review.statements)),), open=True),
        *_half(review.half, request),
        *last,
    )


def _history(request: AccessRequest, now: datetime) -> tuple[tuple[str, Line], ...]:
    """What was decided since, by whom and in whose words."""
    rows: list[tuple[str, Line]] = [("status", line(status_span(request, now)))]
    for event in request.events:
        if isinstance(event, Narrowed):
            rows.append(("narrowed by", line(name_of(event.reviewer.arn), quiet(f" {ago(event.at, now)}"))))
            rows.append(("their words", line(f"“{event.words}”")))
        elif isinstance(event, Approved | Endorsed):
            rows.append(("approved by", line(name_of(event.reviewer.arn), quiet(f" {ago(event.at, now)}"))))
        elif isinstance(event, AutoApproved):
            rows.append(
                ("approved by", line("the rule ", strong(event.rule), quiet(f" {ago(event.at, now)}")))
            )
        elif isinstance(event, GlassBroken):
            told = f"taken by {name_of(event.caller.arn)} without a reviewer {ago(event.at, now)}"
            rows.append(("emergency", line(Span(told, Tone.NO))))
            rows.append(("their words", line(f"“{event.words}”")))
        elif isinstance(event, Released):
            rows.append(("released by", line(name_of(event.caller.arn), quiet(f" {ago(event.at, now)}"))))
        elif isinstance(event, Rejected):
            rows.append(("rejected by", line(name_of(event.reviewer.arn), quiet(f" {ago(event.at, now)}"))))
            rows.append(("their words", line(f"“{event.words}”")))
        elif isinstance(event, Revoked):
            rows.append(("revoked by", line(name_of(event.caller.arn), quiet(f" {ago(event.at, now)}"))))
            rows.append(("their words", line(f"“{event.words}”")))
    return tuple(rows)


def _owner(review: Review) -> Line:
    account = review.request.role_arn.split(":")[4]
    if review.owner == account:
        return line(f"{account}, the role's own account")
    return line(Span("another account, or not known: data may leave the company", Tone.WARN))


def _key(review: Review) -> Line:
    key = review.request.kms_key_arn
    if key is None:
        return line("none is opened")
    return line("opens ", code(key))


def _gains(review: Review) -> Line:
    person = review.request.terms.source_identity
    if person is not None:
        return line(strong("one person"), f": sessions whose source identity is {person}, and no other")
    return line(*_who_gains(review.notebooks), *_studio(review.studio))


_YES = {
    Decision.ALLOW: Span("yes", Tone.OK),
    Decision.EXPLICIT_DENY: Span("no", Tone.NO),
    Decision.IMPLICIT_DENY: Span("no", Tone.NO),
    Decision.UNDETERMINED: Span("cannot tell", Tone.UNKNOWN),
}
_SHOWN_OF_CHANGES = 8


def _change(review: Review) -> tuple[tuple[str, Line], ...]:
    """What a decision changes for the role, and whether who asked could be who decides."""
    if review.request.status is not Status.SUBMITTED:
        return ()
    rows: list[tuple[str, Line]] = []
    found = review.gain
    if found is None or found.newly is None:
        told = "cannot tell: the role's policies or the bucket's owner could not be read"
        rows.append(("newly allowed", line(Span(told, Tone.UNKNOWN))))
    if found is not None:
        spans: list[str | Span] = []
        for level, decision in found.already.items():
            spans += [f"{level.value} " if not spans else f" · {level.value} ", _YES[decision]]
        limit = () if found.complete else (quiet(" - as far as policies could be read"),)
        rows.append(("before", line(*spans, *limit)))
    if found is not None and found.newly is not None:
        rows += [("newly allowed", _change_words(change)) for change in found.newly[:_SHOWN_OF_CHANGES]]
        if len(found.newly) > _SHOWN_OF_CHANGES:
            more = len(found.newly) - _SHOWN_OF_CHANGES
            rows.append(("newly allowed", line(quiet(f"and {more} more: --json has all"))))
        for change in found.open[:_SHOWN_OF_CHANGES]:
            depends = "; ".join(change.depends_on)
            words = _change_words(change)
            rows.append(
                ("may be allowed", line(Span("depends: ", Tone.UNKNOWN), *words, quiet(f" on {depends}")))
            )
        if not found.newly and not found.open:
            rows.append(("newly allowed", line("nothing: the role may do all of it, or something denies it")))
    if review.unreachable is None:
        told = (
            "could not be read whether the role that gains may assume yours: make sure that they did not ask"
        )
        rows.append(("role chain", line(Span(told, Tone.WARN))))
    elif not review.unreachable:
        told = "the role that gains may assume yours: somebody else has to decide"
        rows.append(("role chain", line(Span(told, Tone.NO))))
    return tuple(rows)


def _change_words(change: Change) -> Line:
    where = ", ".join(change.within)
    beside = f", but not {', '.join(change.outside)}" if change.outside else ""
    return line(strong(change.action), " on ", code(where), beside)


def _width(review: Review) -> Line:
    depth = _depth(review.request)
    told = "the whole bucket" if not depth else f"{depth} folder{'' if depth == 1 else 's'} deep"
    if review.width is None:
        return line(Span(told, Tone.WARN if not depth else Tone.PLAIN))
    objects, size, complete = review.width
    count = f"{'' if complete else 'more than '}{objects:,} object{'' if objects == 1 and complete else 's'}"
    return line(Span(told, Tone.WARN if not depth else Tone.PLAIN), f"; {count}, {_bytes(size)}")


def _bytes(size: int) -> str:
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:,.0f} {unit}"
        size //= 1000
    return f"{size:,.0f} TB"


def _studio(studio: tuple[str, ...] | None) -> Line:
    if studio is None:
        return line(quiet("; Studio could not be read"))
    if not studio:
        return ()
    shown = ", ".join(studio[:_SHOWN_OF_CHANGES])
    more = f" and {len(studio) - _SHOWN_OF_CHANGES} more" if len(studio) > _SHOWN_OF_CHANGES else ""
    return line("; in Studio ", strong(str(len(studio))), f": {shown}{more}")


def _who_gains(notebooks: tuple[str, ...] | None) -> Line:
    if notebooks is None:
        return line("everyone on this role; how many notebooks that is could not be read")
    if not notebooks:
        return line("everyone on this role; no notebook instance of this Region uses it")
    count = f"{len(notebooks)} notebook{'' if len(notebooks) == 1 else 's'}"
    return line(
        strong(count), f" share{'s' if len(notebooks) == 1 else ''} this role: {', '.join(notebooks)}"
    )


def _probe_words(step: ProofStep) -> str:
    probe = step.result.probe
    where = f"s3://{probe.bucket}/{probe.prefix}"
    return {
        ProbeKind.LIST: f"list {where}",
        ProbeKind.READ_FOUND: f"read one byte beneath {where}",
        ProbeKind.READ_KEY: f"read one byte of {where}",
        ProbeKind.WRITE: f"write {where}",
        ProbeKind.DELETE: f"delete {where}",
    }[probe.kind]


def _outcome_words(result: ProbeResult) -> str:
    detail = result.detail
    if detail == DECIDED:
        # INVARIANT: nobody is told that AWS answered what AWS was not asked.
        word = {Outcome.ALLOWED: "allowed", Outcome.DENIED: "denied"}.get(result.outcome, "cannot tell")
        return f"not asked: {word}, decided from the grant's statements"
    return {
        Outcome.ALLOWED: "allowed",
        Outcome.DENIED: "denied",
        Outcome.NOTHING_THERE: "no object there to read",
        Outcome.FAILED: f"failed ({detail})",
    }[result.outcome]


def _finding_span(finding: ProofFinding) -> Span:
    return {
        ProofFinding.HELD: Span("as promised", Tone.OK),
        ProofFinding.NOT_HELD: Span("not as promised", Tone.NO),
        ProofFinding.INCONCLUSIVE: Span("tells nothing", Tone.UNKNOWN),
    }[finding]
