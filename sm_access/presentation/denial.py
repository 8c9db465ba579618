"""Why a call was refused, in words: what, for whom, who decided, what would help - and how sure each of it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sm_access.access.denial_message import Decider
from sm_access.access.diagnosis import Basis, Cause, Diagnosis
from sm_access.policy import Arn
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
    Span,
    Tone,
    code,
    line,
    quiet,
    strong,
)
from sm_access.presentation.verdict import LAYERS, layer_line, miss_words, statement_words

MOST_SHOWN = 3
"""How many denials of one cell are shown; more are counted."""

_DECIDERS = {
    Decider.IDENTITY: "identity-based policy",
    Decider.PERMISSIONS_BOUNDARY: "permissions boundary",
    Decider.SESSION: "session policy",
    Decider.RESOURCE: "resource-based policy",
    Decider.TRUST: "role trust policy",
    Decider.SERVICE_CONTROL: "service control policy",
    Decider.RESOURCE_CONTROL: "resource control policy",
    Decider.VPC_ENDPOINT: "VPC endpoint policy",
}
#: Troubles that are no denial have a headline of their own.
_NEAR: Mapping[Cause, str] = {
    Cause.EXPIRED: "Your credentials have expired",
    Cause.NO_CREDENTIALS: "No AWS credentials were found",
    Cause.UNKNOWN_CREDENTIALS: "AWS does not know these credentials",
    Cause.SIGNATURE: "The signature of the request is wrong",
    Cause.CLOCK: "The clock of this machine is wrong",
    Cause.WRONG_REGION: "The request went to the wrong Region",
    Cause.NO_BUCKET: "There is no such bucket",
    Cause.KEY_STATE: "The KMS key cannot be used",
    Cause.ACCOUNT: "The account is not enabled for this",
    Cause.UNREACHABLE: "AWS did not answer",
    Cause.BAD_REQUEST: "AWS refused a HEAD request without saying why",
}


def denial_page(diagnoses: Sequence[Diagnosis], now: datetime, more: int = 0) -> Page:
    """What was refused. diagnoses: at least one, the telling ones first. more: how many are left out."""
    data = {"denials": [diagnosis_view(each) for each in diagnoses], "more": more}
    if len(diagnoses) == 1 and not more:
        only = diagnoses[0]
        return Page(headline(only), _tone(only), tuple(_blocks(only, now)), data)
    count = len(diagnoses) + more
    folds = tuple(
        Fold("".join(span.text for span in headline(each)), tuple(_blocks(each, now)), open=not number)
        for number, each in enumerate(diagnoses)
    )
    rest = (Paragraph(line(quiet(f"And {more} more."))),) if more else ()
    return Page(line(strong(f"{count} things were refused")), Tone.NO, (*folds, *rest), data)


def headline(made: Diagnosis) -> Line:
    if made.cause in _NEAR:
        place = made.denied.place
        return line(strong(_NEAR[made.cause]), *((": ", code(place)) if place else ()))
    return line(strong("Denied: "), *_what(made))


def _what(made: Diagnosis) -> list[str | Span]:
    denied = made.denied
    if denied.level is not None:
        return [f"{denied.level.value} ", code(denied.place)]
    name = denied.action or denied.call.operation or "a call to AWS"
    where: list[str | Span] = [" on ", code(denied.place)] if denied.place else []
    return [code(name), *where]


def _tone(made: Diagnosis) -> Tone:
    return Tone.WARN if made.cause in _NEAR else Tone.NO


def _blocks(made: Diagnosis, now: datetime) -> list[Block]:
    blocks: list[Block] = [Paragraph(_beneath(made, now))]
    blocks += [Paragraph(each) for each in _reason(made)]
    if made.nearest is not None:
        blocks.append(Paragraph(line(quiet("Nearest: "), *miss_words(made.nearest))))
    helps = _help(made)
    if helps is not None:
        blocks.append(Paragraph(helps))
    if made.may_be_missing and made.cause is not Cause.MAY_BE_MISSING:
        blocks.append(Paragraph(line(quiet(_MISSING))))
    if made.ask is not None:
        text = f'sm-access request {made.ask.target} {made.ask.level.value} --for 7d --why "..."'
        blocks.append(Command("Request access", text))
    blocks.append(Fold("Details", tuple(_details(made))))
    return blocks


_MISSING = "It may also just not exist: to who may not list, S3 answers 403 for a missing key too."


def _beneath(made: Diagnosis, now: datetime) -> Line:
    """As whom, which action, and who decided."""
    parts: list[str | Span] = []
    if made.principal:
        parts += [quiet(f"as {who(made.principal)} · ")]
    if made.denied.action and made.cause not in _NEAR:
        parts += [code(made.denied.action), quiet(" · ")]
    parts.append(quiet(_decided(made, now)))
    return line(*parts)


def _decided(made: Diagnosis, now: datetime) -> str:
    read = f"policies read {ago(made.read_at, now)}" if made.read_at else "what was read"
    if made.basis is Basis.AWS:
        return "AWS says so" if made.cause in _NEAR else "AWS says why"
    if made.basis is Basis.ENGINE:
        return f"decided by our engine from {read} (AWS gave no reason)"
    return "AWS gave no reason; what follows is a guess" if made.read_at else "AWS gave no reason"


def who(arn: str) -> str:
    """`role acme-ds-notebooks`, `user ada`; the text itself where it is no ARN."""
    if Arn.read(arn) is None:
        return arn
    kind = {"assumed-role": "role"}.get(kind_of(arn), kind_of(arn))
    return f"{kind} {name_of(arn)}"


def _reason(made: Diagnosis) -> list[Line]:
    if made.cause in _NEAR:
        return _near_reason(made)
    said = made.denied.said
    lines = [line("AWS says: ", *_words_of_aws(made), ".")] if made.basis is Basis.AWS else []
    own = _OWN.get(made.cause)
    if made.basis is not Basis.AWS and own:
        lines.append(line(own))
    elif made.cause in _BESIDE:
        lines.append(line(_BESIDE[made.cause]))
    if made.statement is not None and said.decider is None:
        lines.append(line(statement_words(made.statement), " denies it."))
    elif made.statement is not None:
        lines.append(line("The statement, by our engine: ", statement_words(made.statement), "."))
    if made.depends_on:
        lines.append(line(f"It depends on: {'; '.join(made.depends_on[:4])}."))
    if made.disagrees and made.basis is Basis.AWS:
        lines.append(line(_DISAGREES_WITH_AWS))
    return lines


def _near_reason(made: Diagnosis) -> list[Line]:
    lines = []
    if made.region:
        lines.append(
            line(
                "It is in ", code(made.region), f", and was asked in {made.denied.call.region or 'another'}."
            )
        )
    elif made.denied.call.message and made.basis is Basis.AWS:
        lines.append(line(quiet(f"AWS says: {made.denied.call.message[:300]}")))
    lines.append(line(_WHO[made.cause]))
    return lines


def _words_of_aws(made: Diagnosis) -> list[str | Span]:
    said = made.denied.said
    named: list[str | Span] = [" ", code(said.policy_arn)] if said.policy_arn else []
    if said.decider is Decider.BLOCK_PUBLIC_ACCESS:
        return ["the setting ", code(said.setting), " of S3 Block Public Access forbids it"]
    if said.decider is Decider.BLOCKED_ENCRYPTION:
        return ["this bucket takes no uploads with a key of the customer's own (SSE-C)"]
    if said.decider is Decider.OBJECT_LOCK:
        return ["the object is protected by Object Lock"]
    if said.decider is Decider.UNSEEN_KEY:
        return ["the KMS key does not exist, not in this Region, or you may not use it"]
    kind = _DECIDERS.get(said.decider, "policy") if said.decider else "policy"
    if said.explicit is False:
        return [f"no {kind} allows ", code(said.action)]
    through = f", through a {_DECIDERS.get(said.through, 'policy')}" if said.through else ""
    verb = "denies" if said.explicit else "stands against"
    article = "An" if kind[0] in "aeiou" else "A"
    return [f"{article.lower()} {kind}", *named, f" {verb} ", code(said.action), through]


#: By the engine's word, or a guess's.
_OWN: Mapping[Cause, str] = {
    Cause.NOT_GRANTED: "No identity policy of the role covers this place. No policy denies it.",
    Cause.IDENTITY_DENY: "A policy of the role itself denies it.",
    Cause.BOUNDARY: "The role's policies allow it, its permissions boundary does not.",
    Cause.SESSION_POLICY: "The session policy does not allow it.",
    Cause.SERVICE_CONTROL: "A service control policy of the organization stands against it.",
    Cause.RESOURCE_CONTROL: "A resource control policy of the organization stands against it.",
    Cause.ENDPOINT_POLICY: "The policy of the VPC endpoint stands against it.",
    Cause.RESOURCE_DENY: "The bucket's own policy denies it.",
    Cause.RESOURCE_SILENT: "The resource's own policy does not allow it.",
    Cause.OTHER_ACCOUNT: "The bucket belongs to another account, and nothing there allows it, as far as can be seen.",
    Cause.KMS_KEY: "S3 allows it, the KMS key that encrypts the bucket is not open to this role.",
    Cause.ENCRYPTION_HEADER: "The bucket's policy takes uploads only with an encryption header.",
    Cause.OWNER_MISMATCH: "The bucket belongs to another account than the call expects.",
    Cause.MAY_BE_MISSING: "The policies that were read allow the read, but no listing: the key may just not exist.",
    Cause.DISAGREEMENT: "Every policy that was read allows it, and AWS denied it all the same.",
    Cause.UNEXPLAINED: "The policies that decide could not all be read, so there is no reason to give.",
}
#: Beside AWS's words, what they do not say.
_BESIDE: Mapping[Cause, str] = {
    Cause.MAY_BE_MISSING: (
        "S3 asks for the listing only where the read is allowed and the key is missing: most likely it does not exist."
    ),
    Cause.ENCRYPTION_HEADER: (
        "By our engine: the policy takes uploads only with an encryption header, x-amz-server-side-encryption."
    ),
}
_DISAGREES_WITH_AWS = (
    "Our engine finds that the policies it read allow this: they changed just now, or AWS decided by something that "
    "could not be read, or for another principal. AWS's word counts."
)


def _help(made: Diagnosis) -> Line | None:
    if made.cause in _NEAR:
        return None
    if made.helps:
        return line("A grant would be enough, by the policies that were read.")
    if made.ask is not None:
        return line("A grant mends what was named. AWS names one policy only: another may still deny.")
    return line(_WHO[made.cause]) if made.cause in _WHO else None


#: What would help, and who can do it.
_WHO: Mapping[Cause, str] = {
    Cause.NOT_GRANTED: "A grant to the role alone would not be enough.",
    Cause.IDENTITY_DENY: "A request cannot undo a deny: whoever administers the role can change that policy.",
    Cause.BOUNDARY: "A request cannot help: whoever administers the role can change its permissions boundary.",
    Cause.SESSION_POLICY: "A request cannot help: whoever starts the session chooses its policy.",
    Cause.SERVICE_CONTROL: "A request cannot help: only the organization's administrators can change it.",
    Cause.RESOURCE_CONTROL: "A request cannot help: only the organization's administrators can change it.",
    Cause.ENDPOINT_POLICY: "A request cannot help: whoever runs the network can change the endpoint's policy.",
    Cause.RESOURCE_DENY: "A request cannot undo a deny: whoever owns the resource can change its policy.",
    Cause.RESOURCE_SILENT: "Whoever owns the resource can change its policy.",
    Cause.OTHER_ACCOUNT: "Both sides must allow it: the other account's owner has to open it for this role.",
    Cause.TRUST: "A request cannot help: whoever administers that role can change whom it trusts.",
    Cause.KMS_KEY: "Whoever administers the key can open it to this role, in the key's policy.",
    Cause.ENCRYPTION_HEADER: (
        "No access is missing: upload with ServerSideEncryption, e.g. ExtraArgs={'ServerSideEncryption': 'aws:kms'}."
    ),
    Cause.BLOCKED_ENCRYPTION: "No access is missing: upload without a key of your own (SSE-C).",
    Cause.PUBLIC_ACCESS: "A request cannot help: whoever owns the bucket or the account has closed it to the public.",
    Cause.OBJECT_LOCK: "A request cannot help: it stays until its retention ends.",
    Cause.OWNER_MISMATCH: "Check ExpectedBucketOwner, and the name of the bucket.",
    Cause.DISAGREEMENT: (
        "What could explain it: a policy that was changed just now, a session or endpoint policy, an organization's "
        "policy, an object that another account owns, a bucket whose requester pays, or a client with other "
        "credentials than this process."
    ),
    Cause.EXPIRED: (
        "Restart the kernel, or sign in again (aws sso login); SageMaker then hands out new ones. No access is missing."
    ),
    Cause.NO_CREDENTIALS: (
        "In SageMaker, check that the notebook has an execution role; elsewhere, sign in with aws sso login or set "
        "AWS_PROFILE."
    ),
    Cause.UNKNOWN_CREDENTIALS: (
        "Remove stale AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN variables and entries in ~/.aws/credentials, then "
        "restart the kernel. A Region that your account has not enabled answers the same."
    ),
    Cause.SIGNATURE: (
        "The secret key does not belong to the key id, or something between here and AWS changed the request. "
        "No access is missing."
    ),
    Cause.CLOCK: (
        "AWS takes requests within 15 minutes of its own time. Correct the clock, and try again. No access is missing."
    ),
    Cause.WRONG_REGION: "Make the client for the Region of the bucket. No access is missing.",
    Cause.NO_BUCKET: "Check the spelling; sm-access permissions lists the buckets of this account.",
    Cause.KEY_STATE: "Whoever administers the key can enable it, or cancel its deletion. A grant cannot help.",
    Cause.ACCOUNT: "Whoever owns the AWS account can enable it, or settle what is open. A grant cannot help.",
    Cause.UNREACHABLE: (
        "Check the network, the VPC endpoints and AWS_ENDPOINT_URL*. A closed notebook network needs an endpoint for "
        "each service. Nothing was denied."
    ),
    Cause.BAD_REQUEST: (
        "The usual causes: credentials that have expired, or a bucket in another Region. sm-access whoami shows "
        "whether the credentials still work."
    ),
}


def _details(made: Diagnosis) -> list[Block]:
    call = made.denied.call
    rows: list[tuple[str, Line]] = []
    if call.operation:
        rows.append(
            ("call", line(code(f"{call.service}:{call.operation}" if call.service else call.operation)))
        )
    if made.denied.resource:
        rows.append(("resource", line(code(made.denied.resource))))
    if made.principal:
        rows.append(("principal", line(code(made.principal))))
    answer = " ".join(filter(None, (str(call.status or ""), call.code)))
    if answer:
        rows.append(("AWS answered", line(answer)))
    if call.request_id:
        rows.append(("request id", line(code(call.request_id))))
    if made.response is not None:
        rows += [(LAYERS[layer.layer], layer_line(layer)) for layer in made.response.layers]
    if made.unread:
        needed = (
            (each.what, f" (needs {each.permission})" if each.permission else "") for each in made.unread
        )
        words = "; ".join(f"{what}{needs}" for what, needs in needed)
        rows.append(("not read", line(words)))
    blocks: list[Block] = [Facts(tuple(rows))] if rows else []
    if call.message:
        blocks.append(Code(call.message[:2000]))
    return blocks


def diagnosis_view(made: Diagnosis) -> dict[str, Any]:
    denied = made.denied
    return {
        "cause": made.cause.value,
        "basis": made.basis.value,
        "headline": "".join(span.text for span in headline(made)),
        "reason": " ".join("".join(span.text for span in each) for each in _reason(made)),
        "principal": made.principal or None,
        "service": denied.call.service or None,
        "operation": denied.call.operation or None,
        "action": denied.action or None,
        "resource": denied.resource or None,
        "place": denied.place or None,
        "level": denied.level.value if denied.level else None,
        "explicit": made.explicit,
        "policy": made.policy or None,
        "grant_would_help": made.helps,
        "request": None
        if made.ask is None
        else {"where": str(made.ask.target), "level": made.ask.level.value, "duration": "7d"},
        "may_be_missing": made.may_be_missing,
        "disagrees": made.disagrees,
        "depends_on": list(made.depends_on),
        "not_read": [each.what for each in made.unread],
        "read_at": iso(made.read_at) if made.read_at else None,
        "aws": {"code": denied.call.code, "status": denied.call.status, "request_id": denied.call.request_id},
    }
