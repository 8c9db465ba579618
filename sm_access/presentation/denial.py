"""Why a call was refused, as a page: what, for whom, who decided, what would help - and how sure each of it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sm_access.access.denial_message import Decider
from sm_access.access.denied_call import Ask
from sm_access.access.diagnosis import Basis, Cause, Diagnosis
from sm_access.access.duration import duration_words, format_duration
from sm_access.access.engine_answers import SSE, SSE_KEY
from sm_access.policy import Arn, Decision
from sm_access.presentation import denial_words as words
from sm_access.presentation import typed
from sm_access.presentation.identity import kind_of, name_of
from sm_access.presentation.moments import ago, iso
from sm_access.presentation.page import (
    Block,
    Code,
    Command,
    Facts,
    Fold,
    Line,
    Page,
    Paragraph,
    Part,
    Span,
    Tone,
    code,
    line,
    plain_text,
    quiet,
    strong,
)
from sm_access.presentation.verdict import LAYERS, layer_line, miss_words, statement_words

_LONGEST_QUOTE = 300
_PERHAPS_MISSING = (Cause.NOT_GRANTED, Cause.OTHER_ACCOUNT, Cause.UNEXPLAINED, Cause.DISAGREEMENT)
_NO_WORDS = ("", "Forbidden", "Access Denied", "Not Found", "Bad Request", "Moved Permanently")


def denial_page(diagnoses: Sequence[Diagnosis], now: datetime, more: int = 0) -> Page:
    """What was refused. diagnoses: at least one, the telling ones first. more: how many are left out."""
    data = {"denials": [diagnosis_view(each) for each in diagnoses], "more": more}
    if len(diagnoses) == 1 and not more:
        only = diagnoses[0]
        return Page(headline(only), _tone(only), _blocks(only, now), data)
    parts = tuple(Part((Paragraph(headline(each)), *_short(each, now))) for each in diagnoses)
    rest = (Part((Paragraph(line(quiet(f"And {more} more."))),)),) if more else ()
    tone = Tone.NO if any(_tone(each) is Tone.NO for each in diagnoses) else Tone.WARN
    return Page(line(strong(f"{len(diagnoses) + more} things were refused")), tone, (*parts, *rest), data)


def unexplained_page(failure: str) -> Page:
    """AWS refused a call, and explaining it failed: a defect here, which must not stand in the way."""
    headline_ = line(strong("AWS refused a call"), f", and sm_access could not explain it ({failure}).")
    remedy = Paragraph(
        line("That is a defect of sm_access; please report it. The error above stands as it is.")
    )
    return Page(headline_, Tone.UNKNOWN, (remedy,), {"denials": [], "more": 0, "failure": failure})


def _short(made: Diagnosis, now: datetime) -> tuple[Block, ...]:
    """One of several: what decided and what to do, and all else beneath."""
    beneath, reasons, remedy = _blocks(made, now)
    told = (beneath, *reasons.blocks[:1], *remedy.blocks)
    rest = reasons.blocks[1:]
    last = told[-1]
    if rest and isinstance(last, Fold):
        return (*told[:-1], Fold(last.summary, (*rest, *last.blocks)))
    return (*told, *rest)


def headline(made: Diagnosis) -> Line:
    """`Denied: read s3://lake/raw/x.csv`; of a trouble that is no denial, what it is."""
    if made.cause not in words.NEAR:
        return line(*_what(made))
    place = made.denied.place
    return line(strong(words.NEAR[made.cause]), *((": ", code(place)) if place else ()))


def who(arn: str) -> str:
    """`role acme-ds-notebooks`, `user ada`; the text itself where it is no ARN."""
    if Arn.read(arn) is None:
        return arn
    kind = kind_of(arn)
    return f"{'role' if kind == 'assumed-role' else kind} {name_of(arn)}"


def _what(made: Diagnosis) -> list[str | Span]:
    denied = made.denied
    if denied.level is not None:
        return [strong(f"Denied: {denied.level.value} "), code(denied.place)]
    name = denied.action or denied.call.operation or "a call to AWS"
    where: list[str | Span] = [" on ", code(denied.place)] if denied.place else []
    return [strong("Denied: "), code(name), *where]


def _tone(made: Diagnosis) -> Tone:
    return Tone.WARN if made.cause in words.NEAR else Tone.NO


def _blocks(made: Diagnosis, now: datetime) -> tuple[Paragraph, Part, Part]:
    reasons: list[Block] = [Paragraph(each) for each in _reasons(made)]
    if made.nearest is not None:
        reasons.append(Paragraph(line(quiet("Nearest: "), *miss_words(made.nearest))))
    if made.may_be_missing and made.cause in _PERHAPS_MISSING:
        reasons.append(Paragraph(line(quiet(words.MISSING))))
    details = _details(made)
    return (
        Paragraph(_beneath(made, now)),
        Part(tuple(reasons)),
        Part((*_help(made), *((Fold("Details", details),) if details else ()))),
    )


def _beneath(made: Diagnosis, now: datetime) -> Line:
    """As whom, which action, and who decided."""
    parts: list[str | Span] = []
    if made.principal:
        parts.append(quiet(f"as {who(made.principal)} · "))
    if made.denied.action and (made.denied.level or made.cause in words.NEAR):
        parts += [code(made.denied.action), quiet(" · ")]
    parts.append(quiet(_decided(made, now)))
    return line(*parts)


def _decided(made: Diagnosis, now: datetime) -> str:
    read = f"policies read {ago(made.read_at, now)}" if made.read_at else "what could be found out"
    if made.cause in words.NEVER_ASKED:
        return "the SDK gave the reason"
    if made.basis is Basis.AWS:
        return "AWS gave the reason"
    if made.basis is Basis.ENGINE:
        return f"decided by our engine from {read} (AWS gave no reason)"
    if made.cause is Cause.UNEXPLAINED:
        return "AWS gave no reason"
    return f"AWS gave no reason: a guess from {read}"


def _reasons(made: Diagnosis) -> list[Line]:
    lines: list[Line] = []
    if made.basis is Basis.AWS:
        lines += _words_of_aws(made)
        if made.cause in words.BESIDE:
            lines.append(line(words.BESIDE[made.cause]))
    elif made.cause in words.FOUND:
        lines.append(line(words.FOUND[made.cause], *_no_deny(made)))
    if made.region:
        asked = made.denied.call.region
        lines.append(
            line("It is in ", code(made.region), f", and was asked for in {asked}." if asked else ".")
        )
    if made.statement is not None:
        by = "The statement, by our engine: " if made.basis is Basis.AWS else "It is "
        told = statement_words(made.statement)
        lines.append(line(by, told if made.basis is Basis.AWS else told[0].lower() + told[1:], "."))
    if made.disagrees and made.basis is Basis.AWS:
        lines.append(line(words.DISAGREES_WITH_AWS))
    if made.cause is Cause.UNEXPLAINED:
        lines += _unexplained(made)
    elif made.cause is Cause.DISAGREEMENT and made.unread:
        lines.append(line(f"Not read: {_unread_words(made)}."))
    return lines


def _no_deny(made: Diagnosis) -> tuple[str, ...]:
    """The other half of "nothing allows it", as far as it goes."""
    if made.cause is not Cause.NOT_GRANTED or made.response is None:
        return ()
    whole = made.response.decision is Decision.IMPLICIT_DENY and not made.unread
    return (" No policy denies it.",) if whole else (" Nothing that could be read denies it.",)


def _unexplained(made: Diagnosis) -> list[Line]:
    if made.response is not None and made.depends_on:
        own = "The role's own policies allow it. " if made.helps is False else ""
        return [line(f"{own}What decides could not all be read: {'; '.join(made.depends_on[:3])}.")]
    if made.denied.action and not made.denied.bucket and not made.denied.resource:
        return [line("On what it was is not said, and the role's policies are not the same everywhere.")]
    if made.unread:
        return [line(f"Nothing to decide it by could be read: {_unread_words(made)}.")]
    return [line("Nothing is known here by which it could be decided.")]


def _unread_words(made: Diagnosis) -> str:
    return "; ".join(
        f"{each.what} (needs {each.permission})" if each.permission else each.what for each in made.unread
    )


def _words_of_aws(made: Diagnosis) -> list[Line]:
    said = made.denied.said
    if said.decider is None:
        quoted = " ".join(made.denied.call.message.split())[:_LONGEST_QUOTE]
        return [line(quiet("AWS says: "), quiet(quoted))] if quoted not in _NO_WORDS else []
    if said.decider is Decider.BLOCK_PUBLIC_ACCESS:
        return [line("AWS says: the setting ", code(said.setting), " of S3 Block Public Access forbids it.")]
    if said.decider in words.SETTINGS:
        return [line(f"AWS says: {words.SETTINGS[said.decider]}.")]
    kind = words.DECIDERS[said.decider]
    if said.explicit is False:
        return [line(f"AWS says: no {kind} allows ", code(said.action), ".")]
    named: list[str | Span] = [", ", code(said.policy_arn), ","] if said.policy_arn else []
    through = f", through a {words.DECIDERS[said.through]}" if said.through else ""
    verb = "denies" if said.explicit else "stands against"
    article = "an" if kind[0] in "aeiou" else "a"
    return [line(f"AWS says: {article} {kind}", *named, f" {verb} ", code(said.action), f"{through}.")]


def _help(made: Diagnosis) -> list[Block]:
    """What would help, who can do it, and the request where one could."""
    ask = made.ask
    if made.header:
        given = {"ServerSideEncryption": made.header[SSE]}
        if SSE_KEY in made.header:
            given["SSEKMSKeyId"] = made.header[SSE_KEY]
        spelled = ", ".join(f"{name}={value!r}" for name, value in given.items())
        return [Paragraph(line("No access is missing: upload with ", code(spelled), "."))]
    if made.look is not None:
        listing = Command("See what is there", typed.typed("aws", "s3", "ls", str(made.look)))
        return [Paragraph(line("The role may list its folder.")), listing]
    if ask is not None and not ask.within_rules:
        return [
            Paragraph(line(f"The rules let nobody have {ask.level.value} on {ask.target.bucket} by request."))
        ]
    if ask is not None:
        return [Paragraph(line(_worth(made))), *_request(ask)]
    if made.then is not None:
        return [Paragraph(line(f"A grant would not be enough: {words.THEN[made.then]} would still refuse."))]
    if made.cause is Cause.UNEXPLAINED and made.helps is False:
        return [Paragraph(line("A request cannot help: the role's own policies allow it already."))]
    return [Paragraph(line(words.REMEDIES[made.cause]))]


def _worth(made: Diagnosis) -> str:
    """What a grant would change, as far as it is known."""
    if made.cause is Cause.MAY_BE_MISSING:
        return "Whoever may list its folder sees whether it is there."
    if made.helps:
        return (
            "A grant would be enough."
            if not made.unread
            else "A grant would be enough, as far as could be read."
        )
    if made.basis is Basis.AWS:
        return "A grant mends what AWS names. It names one policy only: another may still deny."
    if made.cause is Cause.UNEXPLAINED:
        return "Whether a grant would help cannot be told."
    return "A grant is needed; whether it would be enough cannot be told."


def _request(ask: Ask) -> list[Block]:
    asked = [ask.level.value, str(ask.target).removeprefix("s3://"), duration_words(ask.duration)]
    if ask.reviewers:
        asked.append(f"reviewed by {', '.join(map(name_of, ask.reviewers))}")
    told = typed.request(str(ask.target), ask.level.value, format_duration(ask.duration))
    return [Paragraph(line(quiet(" · ".join(asked)))), Command("Request access", told)]


def _details(made: Diagnosis) -> tuple[Block, ...]:
    denied, call = made.denied, made.denied.call
    rows: list[tuple[str, Line]] = []
    if call.operation:
        rows.append(
            ("call", line(code(f"{call.service}:{call.operation}" if call.service else call.operation)))
        )
    if denied.resource:
        rows.append(("resource", line(code(denied.resource))))
    if made.principal:
        rows.append(("principal", line(code(made.principal))))
    status = str(call.status or "")
    if status or call.code:
        rows.append(
            ("AWS answered", line(status if call.code in ("", status) else f"{status} {call.code}".strip()))
        )
    if call.request_id:
        rows.append(("request id", line(code(call.request_id))))
    if made.response is not None:
        rows += [(LAYERS[layer.layer], layer_line(layer)) for layer in made.response.layers]
    if made.depends_on:
        rows.append(("depends on", line("; ".join(made.depends_on))))
    if made.unread:
        rows.append(("not read", line(_unread_words(made))))
    blocks: list[Block] = [Facts(tuple(rows))] if rows else []
    if denied.said.encoded:
        told = "aws sts decode-authorization-message --encoded-message ..."
        blocks.append(
            Command("AWS encoded the reason; to read it needs sts:DecodeAuthorizationMessage", told)
        )
    if call.message not in _NO_WORDS:
        blocks.append(Code(call.message[:2000]))
    return tuple(blocks)


def diagnosis_view(made: Diagnosis) -> dict[str, Any]:
    denied, ask = made.denied, made.ask
    return {
        "cause": made.cause.value,
        "decided_by": made.basis.value,
        "headline": plain_text(headline(made)),
        "reason": " ".join(plain_text(each) for each in _reasons(made)),
        "remedy": " ".join(
            plain_text(block.line) for block in _help(made)[:1] if isinstance(block, Paragraph)
        ),
        "principal": made.principal or None,
        "service": denied.call.service or None,
        "operation": denied.call.operation or None,
        "action": denied.action or None,
        "resource": denied.resource or None,
        "place": denied.place or None,
        "level": denied.level.value if denied.level else None,
        "explicit": made.explicit,
        "policy": made.policy or None,
        "statement": made.statement.sid if made.statement else None,
        "grant_would_help": made.helps,
        "then": made.then.value if made.then else None,
        "request": None
        if ask is None or not ask.within_rules
        else {
            "where": str(ask.target),
            "level": ask.level.value,
            "duration": format_duration(ask.duration),
            "reviewers": list(ask.reviewers),
        },
        "region": made.region or None,
        "may_be_missing": made.may_be_missing,
        "disagrees": made.disagrees,
        "depends_on": list(made.depends_on),
        "not_read": [each.what for each in made.unread],
        "read_at": iso(made.read_at) if made.read_at else None,
        "aws": {"code": denied.call.code, "status": denied.call.status, "request_id": denied.call.request_id},
    }
