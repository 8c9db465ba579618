"""On what an answer rests, in words: policies, a published snapshot, AWS's own simulation, calls that were made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sm_access.access.observation import Attempt, Observation, Plan, Source
from sm_access.access.probe import Outcome
from sm_access.access.verdict import Verdict
from sm_access.policy import Decision
from sm_access.presentation.moments import ago, instant, iso
from sm_access.presentation.page import Block, Line, Paragraph, Span, Table, Tone, code, line, quiet

_OUTCOMES = {
    Outcome.ALLOWED: ("worked", Tone.OK),
    Outcome.DENIED: ("refused", Tone.NO),
    Outcome.NOTHING_THERE: ("nothing is there", Tone.QUIET),
    Outcome.FAILED: ("told nothing", Tone.UNKNOWN),
}
_WOULD_SAY = {
    Decision.ALLOW: "it says yes",
    Decision.EXPLICIT_DENY: "it says no",
    Decision.IMPLICIT_DENY: "it says no",
    Decision.UNDETERMINED: "it cannot tell either",
}


def basis_words(verdict: Verdict, now: datetime) -> str:
    """How the answer is qualified where it does not rest on the policies themselves; '' where it does."""
    origins = {origin.source: origin for origin in verdict.origins}
    if Source.PROBE in origins:
        return f"when tried {ago(origins[Source.PROBE].at, now)}"
    if Source.SIMULATION in origins:
        return "by AWS's own simulation"
    if Source.SNAPSHOT in origins:
        return f"as of the snapshot of {ago(origins[Source.SNAPSHOT].at, now)}"
    return ""


def source_words(verdict: Verdict, now: datetime) -> str:
    """When and from what the answer was found, in full sentences; '' where it rests on the policies alone."""
    sentences = []
    for origin in verdict.origins:
        if origin.source is Source.SNAPSHOT:
            sentences.append(
                f"Decided by sm_access's engine from a snapshot of the role's policies that "
                f"{_publisher(origin.by)} published {ago(origin.at, now)} ({instant(origin.at)}), as IAM itself could "
                "not be read."
            )
        elif origin.source is Source.SIMULATION:
            sentences.append(
                f"AWS's own simulation (SimulatePrincipalPolicy) of the role's policies was asked {ago(origin.at, now)}"
                "; sm_access's engine decided with it and what was read of the bucket."
            )
        else:
            sentences.append(
                f"Tried {ago(origin.at, now)}: what was seen holds for those calls, from here, at that moment."
            )
    return " ".join(sentences)


def other_sources(verdicts: Sequence[Verdict], now: datetime) -> list[Block]:
    """Beneath many answers: the sources that some rest on, those that were of no help, and what could be tried."""
    blocks: list[Block] = []
    words = dict.fromkeys(filter(None, (source_words(verdict, now) for verdict in verdicts)))
    blocks += [Paragraph(line(quiet(each))) for each in words]
    tried = dict.fromkeys(attempt for verdict in verdicts for attempt in verdict.attempts)
    if tried:
        blocks.append(Paragraph(line(quiet(f"Asked as well: {attempt_words(tuple(tried))}."))))
    if any(verdict.plan is not None for verdict in verdicts):
        blocks.append(
            Paragraph(
                line(
                    quiet(
                        "--probe sees what S3 says where the answer is open, with calls that change nothing."
                    )
                )
            )
        )
    if blocks and any(not verdict.origins for verdict in verdicts):
        oldest = min(verdict.read_at for verdict in verdicts)
        blocks.append(Paragraph(line(quiet(f"The rest was decided from policies read {ago(oldest, now)}."))))
    return blocks


def _publisher(arn: str) -> str:
    """The last part of the ARN: the session's name where there is one, which most often tells the person."""
    return arn.rsplit("/", 1)[-1] or "somebody"


def attempt_words(attempts: Sequence[Attempt]) -> str:
    return "; ".join(_attempt(each) for each in attempts)


def _attempt(each: Attempt) -> str:
    words = each.why.removesuffix(".")
    if not words[:2].isupper():  # as it stands within a sentence, unless it begins with an abbreviation
        words = words[:1].lower() + words[1:]
    if each.permission:
        words += f" (needs {each.permission})"
    return words if each.would_say is None else f"{words}; {_WOULD_SAY[each.would_say]}"


def plan_words(plan: Plan) -> str:
    """What would be called, before anything is."""
    calls = [f"ListObjectsV2 of s3://{plan.bucket}/{prefix} without its keys" for prefix in plan.lists]
    calls += [f"GetObject of one byte of s3://{plan.bucket}/{key}" for key in plan.reads]
    calls += [
        f"GetObject of one byte of the first object beneath s3://{plan.bucket}/{prefix}"
        for prefix in plan.finds
    ]
    return (
        f"See what S3 says, with calls that change nothing and that CloudTrail may record: {'; '.join(calls)}"
    )


def observations_table(observations: Sequence[Observation]) -> Table:
    return Table(("tried", "on", ""), tuple(_row(each) for each in observations))


def _row(each: Observation) -> tuple[Line, ...]:
    words, tone = _OUTCOMES[each.outcome]
    if each.outcome is Outcome.FAILED and each.detail:
        words += f" ({each.detail})"
    return line(each.call.value), line(code(_place(each))), line(Span(words, tone))


def _place(each: Observation) -> str:
    return f"s3://{each.bucket}/{each.name}"


def observations_matter(verdict: Verdict) -> bool:
    """Whether calls that were made say something that the policies alone do not."""
    outcomes = {each.outcome for each in verdict.observations}
    if verdict.decision in {Decision.ALLOW, Decision.UNDETERMINED}:
        return Outcome.ALLOWED in outcomes
    finding = verdict.deciding
    return verdict.of(finding) is not finding.response.decision


def observed_reason(verdict: Verdict) -> Line:
    """The reason, where calls that were made decide."""
    refused = [each for each in verdict.observations if each.outcome is Outcome.DENIED]
    if verdict.decision is not Decision.ALLOW and refused:
        told = refused[0]
        words: list[str | Span] = ["S3 refused ", code(told.call.value), " of ", code(_place(told)), "."]
        if told.message and told.message not in {"Access Denied", "Forbidden"}:
            words.append(f" It says: {told.message.rstrip('.')}.")
        return line(*words)
    worked = [each for each in verdict.observations if each.outcome is Outcome.ALLOWED]
    names: list[str | Span] = []
    for each in worked:
        names += [" and "] if names else []
        names += [code(each.call.value), " of ", code(_place(each))]
    if verdict.decision is Decision.ALLOW:
        return line(*names, " worked.")
    action = verdict.deciding.check.action
    rest = "; ".join(verdict.deciding.response.depends_on)
    still = (
        f"{action} is {rest}"
        if rest
        else f"it also depends on {verdict.unsettled or 'what could not be read'}"
    )
    return line(*names, f" worked, which shows nothing of what was not tried: {still}.")


def sources_view(verdict: Verdict) -> list[dict[str, Any]]:
    views: list[dict[str, Any]] = [{"source": Source.POLICIES.value, "at": iso(verdict.read_at)}]
    return views + [
        {"source": origin.source.value, "at": iso(origin.at), **({"by": origin.by} if origin.by else {})}
        for origin in verdict.origins
    ]


def observation_view(each: Observation) -> dict[str, Any]:
    return {
        "call": each.call.value,
        "on": _place(each),
        "outcome": each.outcome.value,
        "at": iso(each.at),
        "detail": each.detail,
    }


def attempt_view(each: Attempt) -> dict[str, Any]:
    return {
        "source": each.source.value,
        "why": each.why,
        "permission": each.permission or None,
        "would_say": None if each.would_say is None else each.would_say.value,
    }
