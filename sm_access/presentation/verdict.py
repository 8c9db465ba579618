"""May I, and why: one sentence that decides, and every layer beneath it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sm_access.access.evidence import PrincipalEvidence, Unread
from sm_access.access.level import Level
from sm_access.access.levels import ENCRYPTION_CONTEXT, Check
from sm_access.access.observation import Source
from sm_access.access.verdict import Finding, Verdict, level_of
from sm_access.policy import Decision, Layer, LayerResult, NearMiss, StatementRef
from sm_access.presentation import typed
from sm_access.presentation.identity import name_of
from sm_access.presentation.moments import NOW, ago, iso
from sm_access.presentation.page import (
    Block,
    Command,
    Facts,
    Fold,
    Line,
    Page,
    Paragraph,
    Span,
    Tone,
    code,
    line,
    quiet,
    strong,
)
from sm_access.presentation.sources import (
    attempt_view,
    attempt_words,
    basis_words,
    observation_view,
    observations_matter,
    observations_table,
    observed_reason,
    plan_words,
    source_words,
    sources_view,
)

TONES = {
    Decision.ALLOW: Tone.OK,
    Decision.EXPLICIT_DENY: Tone.NO,
    Decision.IMPLICIT_DENY: Tone.NO,
    Decision.UNDETERMINED: Tone.UNKNOWN,
}
ANSWERS = {
    Decision.ALLOW: "Yes",
    Decision.EXPLICIT_DENY: "No",
    Decision.IMPLICIT_DENY: "No",
    Decision.UNDETERMINED: "Cannot tell",
}
LAYERS = {
    Layer.IDENTITY: "identity policies",
    Layer.PERMISSIONS_BOUNDARY: "permissions boundary",
    Layer.SESSION: "session policy",
    Layer.RESOURCE: "resource policy",
    Layer.SERVICE_CONTROL: "service control policies",
    Layer.RESOURCE_CONTROL: "resource control policies",
    Layer.VPC_ENDPOINT: "VPC endpoint policy",
}
_OUTCOME_WORDS = {
    Decision.ALLOW: "allows",
    Decision.EXPLICIT_DENY: "denies",
    Decision.IMPLICIT_DENY: "does not allow",
    Decision.UNDETERMINED: "cannot tell",
}


def verdict_page(verdict: Verdict, now: datetime) -> Page:
    decision, target = verdict.decision, verdict.target
    headline = line(
        strong(f"{_answer(verdict, now)}: "),
        f"{name_of(verdict.principal)} {_may(verdict)} ",
        *_what(verdict),
        ", but not everywhere there." if verdict.exceptions else ".",
    )
    blocks: list[Block] = [Paragraph(reason(verdict))]
    helps = _remedy(verdict)
    if helps is not None:
        blocks.append(helps)
    if verdict.observations:
        blocks.append(observations_table(verdict.observations))
    if verdict.plan is not None:
        blocks.append(
            Command(plan_words(verdict.plan), typed.command("can", verdict.asked, str(target), "--probe"))
        )
    if decision is not Decision.ALLOW and not target.is_bucket and not target.is_prefix:
        beneath = typed.command("can", verdict.asked, f"{target}/")
        blocks.append(Command("This is about one key; for everything beneath it", beneath))
    if verdict.attempts:
        blocks.append(Paragraph(line(quiet(f"Asked as well: {attempt_words(verdict.attempts)}."))))
    if verdict.unread:
        blocks.append(Paragraph(line(quiet(f"Not read: {'; '.join(unread_words(verdict))}."))))
    beside = dict.fromkeys(words for finding in verdict.findings for words in finding.response.not_modelled)
    if beside:
        blocks.append(Paragraph(line(quiet(f"Not modelled, and able to change this: {'; '.join(beside)}."))))
    blocks.append(Fold("Every call and layer", tuple(_detail(finding) for finding in verdict.findings)))
    blocks.append(source(verdict, now))
    old = decision is Decision.ALLOW and _rests_on(verdict, Source.SNAPSHOT)
    tone = Tone.WARN if verdict.exceptions or old else TONES[decision]
    return Page(headline, tone, tuple(blocks), verdict_view(verdict))


def source(verdict: Verdict, now: datetime) -> Paragraph:
    """What an answer rests on, and how old that is."""
    words = source_words(verdict, now)
    return Paragraph(line(quiet(words))) if words else decided(verdict.read_at, now)


def decided(read_at: datetime, now: datetime) -> Paragraph:
    """How old the policies are that an answer rests on; what was read before can be read anew."""
    when = ago(read_at, now)
    anew = "" if when == NOW else "; --refresh reads them anew"
    return Paragraph(line(quiet(f"Decided by sm_access's engine from policies read {when}{anew}.")))


def _answer(verdict: Verdict, now: datetime) -> str:
    """A yes beside which something was not read - an organization's policies, say - is a yes with a limit; and an
    answer that rests on another source than the policies says on which."""
    if verdict.exceptions:
        return "In part"
    decision = verdict.decision
    if decision is Decision.UNDETERMINED:
        likely = verdict.of(verdict.deciding) is Decision.ALLOW and verdict.origins
        return "Likely, and not certain" if likely else ANSWERS[decision]
    how = basis_words(verdict, now)
    if how:
        return f"{ANSWERS[decision]}, {how}"
    limited = decision is Decision.ALLOW and verdict.unread
    return "Yes, as far as could be read" if limited else ANSWERS[decision]


def reason(verdict: Verdict) -> Line:
    """The deciding reason in one or two sentences."""
    finding = verdict.deciding
    decision = verdict.decision
    told = finding.response.deciding
    if verdict.exceptions:
        return _in_part(verdict)
    if observations_matter(verdict):
        return observed_reason(verdict)
    if decision is Decision.UNDETERMINED and verdict.of(finding) is Decision.ALLOW:
        read = "was simulated" if _rests_on(verdict, Source.SIMULATION) else "was read"
        return line(f"Every policy that {read} allows it, but it also depends on {verdict.unsettled}.")
    if decision is Decision.UNDETERMINED:
        return line(code(finding.check.action), f" is {'; '.join(finding.response.depends_on)}.")
    if decision is Decision.ALLOW:
        return line(statement_words(told), " allows ", code(finding.check.action), _there(finding.check))
    if decision is Decision.EXPLICIT_DENY:
        return line(
            statement_words(told),
            " denies ",
            code(finding.check.action),
            _there(finding.check),
            " A grant cannot undo a deny: whoever owns that policy can.",
        )
    return _implicit(verdict, finding)


def _in_part(verdict: Verdict) -> Line:
    """Allowed in general, and not everywhere: which statement makes the difference, and for what, for example."""
    exception = verdict.exceptions[0]
    told, check = exception.response.deciding, exception.check
    example = code(check.context.get(ENCRYPTION_CONTEXT, check.resource_arn).partition(":::")[2])
    but: list[str | Span]
    if told is not None:
        but = [
            statement_words(told),
            " denies ",
            code(check.action),
            " on some of it, ",
            example,
            " for example.",
        ]
    elif exception.response.decision is Decision.UNDETERMINED:
        open_questions = "; ".join(exception.response.depends_on) or "what could not be read"
        but = ["for some of it, ", example, f" for example, it depends on {open_questions}."]
    else:
        but = ["nothing allows ", code(check.action), " on some of it, ", example, " for example."]
    return line("It is allowed in general, but ", *but)


def _implicit(verdict: Verdict, finding: Finding) -> Line:
    check = finding.check
    closed = {layer.layer for layer in finding.response.layers if layer.outcome is not Decision.ALLOW}
    missing = _lacking(verdict)
    because: list[str | Span]
    if check.action.startswith("kms:"):
        because = [
            "The bucket is encrypted with a KMS key, and its key policy does not open ",
            *missing,
            " to this role: it is no because of the key, whatever S3 allows.",
        ]
    elif Layer.PERMISSIONS_BOUNDARY in closed and Layer.IDENTITY not in closed:
        because = ["The permissions boundary does not allow ", *missing, " there."]
    elif Layer.IDENTITY not in closed:
        because = [
            "This principal's own policies allow ",
            code(check.action),
            ", but the bucket belongs to another account, and that side does not.",
        ]
    else:
        because = ["No policy of this principal allows ", *missing, " there."]
    if verdict.with_grant is Decision.ALLOW:
        because.append(" Nothing denies it, so a grant would be enough.")
    elif verdict.with_grant not in (None, Decision.UNDETERMINED):
        because.append(" A grant to the role alone would not be enough.")
    miss = _nearest(finding)
    if miss is not None and Layer.IDENTITY in closed:
        because += [" Nearest: ", *miss_words(miss)]
    return line(*because)


def _lacking(verdict: Verdict) -> list[str | Span]:
    """The actions that fail as the deciding one does: `a`, `a or b`."""
    worst = verdict.deciding.response.decision
    of_key = verdict.deciding.check.action.startswith("kms:")
    names = dict.fromkeys(
        finding.check.action
        for finding in verdict.findings
        if finding.response.decision is worst and finding.check.action.startswith("kms:") is of_key
    )
    words: list[str | Span] = []
    for at, name in enumerate(names):
        words += [" or ", code(name)] if at else [code(name)]
    return words


def verdict_view(verdict: Verdict) -> dict[str, Any]:
    return {
        "decision": verdict.decision.value,
        "principal": verdict.principal,
        "asked": verdict.asked,
        "target": str(verdict.target),
        "reason": "".join(span.text for span in reason(verdict)),
        "grant_would_help": None if verdict.with_grant is None else verdict.with_grant is Decision.ALLOW,
        "checks": [_finding_view(finding) for finding in verdict.findings],
        "exceptions": [_finding_view(finding) for finding in verdict.exceptions],
        "not_read": list(unread_words(verdict)),
        "not_modelled": sorted(
            {words for finding in verdict.findings for words in finding.response.not_modelled}
        ),
        "read_at": iso(verdict.read_at),
        "sources": sources_view(verdict),
        "tried": [observation_view(each) for each in verdict.observations],
        "asked_as_well": [attempt_view(each) for each in verdict.attempts],
    }


def _rests_on(verdict: Verdict, source: Source) -> bool:
    return any(origin.source is source for origin in verdict.origins)


def _may(verdict: Verdict) -> str:
    if verdict.exceptions:
        return "may"
    return {Decision.ALLOW: "may", Decision.UNDETERMINED: "might be able to"}.get(verdict.decision, "may not")


def _what(verdict: Verdict) -> list[str | Span]:
    if verdict.asked in {level.value for level in Level}:
        return [f"{verdict.asked} ", code(str(verdict.target))]
    return [code(verdict.asked), " on ", code(str(verdict.target))]


def _there(check: Check, end: str = ".") -> str:
    where = check.resource_arn.split(":::")[-1] if ":::" in check.resource_arn else check.resource_arn
    prefix = check.context.get("s3:prefix")
    return f" on {where}{f' for the prefix {prefix}' if prefix else ''}{end}"


def statement_words(told: StatementRef | None) -> str:
    if told is None:
        return "A policy"
    if told.kind == "simulated":
        return f"By AWS's own simulation, {told.policy}"
    return f"Statement {told.sid or told.index + 1} of {told.policy} ({told.kind.replace('-', ' ')})"


def _nearest(finding: Finding) -> NearMiss | None:
    for layer in finding.response.layers:
        if layer.outcome is not Decision.ALLOW and layer.misses:
            return layer.misses[0]
    return None


def miss_words(miss: NearMiss) -> list[str | Span]:
    where = code(f"{miss.statement.policy} / {miss.statement.sid or miss.statement.index + 1}")
    expected = code(miss.expected.replace("arn:aws:s3:::", ""))
    before, after = {
        "Resource": (" allows it on ", " only."),
        "Action": (" allows ", ", not this."),
        "Condition": (" allows it only if ", "."),
    }.get(miss.element, (" is for ", "."))
    return [where, before, expected, after]


def _remedy(verdict: Verdict) -> Block | None:
    level = level_of(verdict.asked) if ":" in verdict.asked else Level(verdict.asked)
    if verdict.with_grant is not Decision.ALLOW or level is None:
        return None
    return Command("Ask for it", typed.request(str(verdict.target), level.value))


def unread_words(of: Verdict | PrincipalEvidence) -> tuple[str, ...]:
    return words_of(of.unread)


def words_of(unread: Iterable[Unread]) -> tuple[str, ...]:
    return tuple(
        f"{item.what} (needs {item.permission})" if item.permission else item.what for item in unread
    )


def _detail(finding: Finding) -> Block:
    check, response = finding.check, finding.response
    rows: list[tuple[str, Line]] = [(LAYERS[layer.layer], layer_line(layer)) for layer in response.layers]
    summary = f"{ANSWERS[response.decision]}: {check.action}{_there(check, '')}"
    return Fold(summary, (Facts(tuple(rows)),))


def layer_line(layer: LayerResult) -> Line:
    words: list[str | Span] = [Span(_OUTCOME_WORDS[layer.outcome], TONES[layer.outcome])]
    if layer.deciding is not None:
        words.append(f": {statement_words(layer.deciding)}")
    elif layer.misses:
        words += ["; nearest ", *miss_words(layer.misses[0])]
    return line(*words)


def _finding_view(finding: Finding) -> dict[str, Any]:
    told = finding.response.deciding
    return {
        "action": finding.check.action,
        "resource": finding.check.resource_arn,
        "context": dict(finding.check.context),
        "decision": finding.response.decision.value,
        "deciding": None
        if told is None
        else {"policy": told.policy, "kind": told.kind, "sid": told.sid, "path": told.path},
        "depends_on": list(finding.response.depends_on),
    }
