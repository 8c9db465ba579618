"""What AWS's own words say about a denial: who, what, on what, and which kind of policy decided.

Pure, bounded and total: any text is accepted and nothing is raised. What a message does not say stays empty: only one
policy is named even where several deny, and services are free to give no reason at all.

Sources: IAM User Guide, "Troubleshoot access denied error messages"; Amazon S3 User Guide, "Troubleshoot access denied
(403 Forbidden) errors in Amazon S3"; AWS STS API Reference, "DecodeAuthorizationMessage".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

MOST_CHARACTERS = 100_000
"""What lies beyond is not read: longer than any message of AWS, short enough to stay fast."""


class Decider(str, Enum):
    """The kind of policy or setting that AWS says refused."""

    IDENTITY = "identity"
    PERMISSIONS_BOUNDARY = "permissions_boundary"
    SESSION = "session"
    RESOURCE = "resource"
    TRUST = "trust"
    SERVICE_CONTROL = "service_control"
    RESOURCE_CONTROL = "resource_control"
    VPC_ENDPOINT = "vpc_endpoint"
    BLOCK_PUBLIC_ACCESS = "block_public_access"
    BLOCKED_ENCRYPTION = "blocked_encryption"
    OBJECT_LOCK = "object_lock"
    UNSEEN_KEY = "unseen_key"


@dataclass(frozen=True, slots=True)
class DenialMessage:
    """One denial in AWS's words.

    principal, resource: as AWS wrote them, mostly ARNs. action: in AWS's spelling.
    decider: None where AWS gave no reason.
    explicit: a statement denies (True), or none allows (False); None where the words leave it open.
    policy_arn: the denying policy, where AWS names it.
    through: the kind of policy through which that one denied, "transitively".
    setting: the setting of S3 Block Public Access. encoded: what only sts:DecodeAuthorizationMessage can read.
    """

    principal: str = ""
    action: str = ""
    resource: str = ""
    decider: Decider | None = None
    explicit: bool | None = None
    policy_arn: str = ""
    through: Decider | None = None
    setting: str = ""
    encoded: str = ""


_KINDS = (
    ("identity-based", Decider.IDENTITY),
    ("permissions boundary", Decider.PERMISSIONS_BOUNDARY),
    ("session", Decider.SESSION),  # "sessions policy" in one of AWS's examples
    ("resource-based", Decider.RESOURCE),
    ("resource control", Decider.RESOURCE_CONTROL),
    ("service control", Decider.SERVICE_CONTROL),
    ("vpc endpoint", Decider.VPC_ENDPOINT),
    ("role trust", Decider.TRUST),
)
# Every repetition is bounded or begins and ends with different characters: no text takes more than linear time.
_KIND = (
    r"(identity-based|permissions boundary|sessions?|resource-based|resource control|service control|VPC endpoint"
    r"|role trust)(?: policy| policies)?"
)
_ACTION = r"[A-Za-z0-9-]{1,64}:[A-Za-z0-9*`]{1,128}"
_HEAD = re.compile(r"is not authorized to perform:? ?`?(" + _ACTION + r")`?", re.IGNORECASE)
_ON = re.compile(r" ?on (?:the )?(?:resources?|this resource)\b:? ?", re.IGNORECASE)
_IMPLICIT = re.compile(rf"because no {_KIND} allows", re.IGNORECASE)
_EXPLICIT = re.compile(
    rf"(?:with|due to|because of) an explicit deny(?: in (?:an?|the) {_KIND})?"
    rf"(?: transitively through (?:an?|the) {_KIND})?(?:: ?(arn:[^\s\"',;]{{1,2048}}))?",
    re.IGNORECASE,
)
_PUBLIC = re.compile(
    r"because public (?:ACLs|policies) are prevented by the ([A-Za-z]{1,40}) setting", re.IGNORECASE
)
_SSE_C = re.compile(
    r"because this bucket has blocked upload requests that specify Server Side Encryption", re.IGNORECASE
)
_LOCKED = re.compile(r"because object protected by object lock", re.IGNORECASE)
_ENCODED = re.compile(r"Encoded authorization failure message: ?([A-Za-z0-9_+/=-]{1,20000})", re.IGNORECASE)
_UNSEEN_KEY = re.compile(
    r"ciphertext refers to a customer master key that does not exist|"
    r"The ciphertext refers to a (?:KMS key|customer managed key) that does not exist",
    re.IGNORECASE,
)
_NOT_HERE = re.compile(
    r"You are not authorized to perform this operation|is not authorized to", re.IGNORECASE
)
_NAMED = re.compile(r"(?:role|user|group|policy|instance profile|table|stream) \S{1,2048}")
_WRITTEN = (
    ("&quot;", '"'),
    ("&#34;", '"'),
    ("&apos;", "'"),
    ("&#39;", "'"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&amp;", "&"),
)


def parse_denials(text: str) -> tuple[DenialMessage, ...]:
    """Every sentence of a denial in a text - an error, a log, a page of JSON or XML - in the order of the text."""
    plain = unwrapped(text)
    heads = list(_HEAD.finditer(plain))
    encoded = _ENCODED.search(plain)
    code = encoded[1] if encoded else ""
    if not heads:
        return _without_sentence(plain, code)
    ends = [*(head.start() for head in heads[1:]), len(plain)]
    found = []
    starts = [0, *(head.end() for head in heads[:-1])]
    for start, head, end in zip(starts, heads, ends, strict=True):
        principal = _principal(plain, start, head.start())
        found.append(_sentence(principal, head[1].replace("`", ""), plain[head.end() : end], code))
    return tuple(found)


def parse_denial(text: str) -> DenialMessage | None:
    """The first denial in a text, None where there is none."""
    found = parse_denials(text)
    return found[0] if found else None


def unwrapped(text: str) -> str:
    """A text as it was before a terminal, JSON or XML had it: one line, quotation marks as such."""
    plain = text[:MOST_CHARACTERS]
    if '\\"' in plain:  # JSON; in anything else a backslash belongs to a name
        plain = plain.replace('\\"', '"').replace("\\n", "\n")
    for written, meant in _WRITTEN:
        plain = plain.replace(written, meant)
    return " ".join(line.strip(" \t\r") for line in plain.split("\n"))


def _without_sentence(plain: str, encoded: str) -> tuple[DenialMessage, ...]:
    if _UNSEEN_KEY.search(plain):
        return (DenialMessage(decider=Decider.UNSEEN_KEY),)
    if _LOCKED.search(plain):
        return (DenialMessage(decider=Decider.OBJECT_LOCK),)
    if encoded or _NOT_HERE.search(plain):
        return (DenialMessage(encoded=encoded),)
    return ()


def _principal(plain: str, start: int, end: int) -> str:
    """The last word before "is not authorized": an ARN, or "anonymous"."""
    words = plain[max(start, end - 2300) : end].split()
    return words[-1].strip("`'\"(").removeprefix("User:") if words else ""


def _sentence(principal: str, action: str, rest: str, encoded: str) -> DenialMessage:
    decider, explicit, policy_arn, through, setting = None, None, "", None, ""
    cut = len(rest)
    # The reason stands last; a key may hold the words of one, and then the last is AWS's.
    last = max(
        (
            (match.start(), match, pattern)
            for pattern in (_IMPLICIT, _EXPLICIT, _PUBLIC, _SSE_C)
            for match in pattern.finditer(rest)
        ),
        key=lambda found: found[0],
        default=None,
    )
    if last is not None:
        cut, match, pattern = last
        if pattern is _IMPLICIT:
            decider, explicit = _kind(match[1]), False
        elif pattern is _EXPLICIT:
            decider, through = _kind(match[1]), _kind(match[2])
            # "due to an explicit deny" is an older wording, used for implicit denials too.
            explicit = True if match[0].lower().startswith("with") else None
            policy_arn = _whole_arn(match[3] or "", rest[match.end() :])
        elif pattern is _PUBLIC:
            decider, setting = Decider.BLOCK_PUBLIC_ACCESS, match[1]
        else:
            decider = Decider.BLOCKED_ENCRYPTION
    return DenialMessage(
        principal,
        action,
        _resource(rest[:cut], reasoned=last is not None),
        decider,
        explicit,
        policy_arn,
        through,
        setting,
        encoded,
    )


def _kind(words: str | None) -> Decider | None:
    return next((decider for start, decider in _KINDS if words and words.lower().startswith(start)), None)


def _whole_arn(arn: str, after: str) -> str:
    """An ARN that a line's end cut after a slash, colon or hyphen, put together again; without a full stop."""
    if arn.endswith(("/", ":", "-")):
        arn += after.split(" ", 2)[1] if after.startswith(" ") else ""
    return arn.rstrip(".)`")


def _resource(middle: str, *, reasoned: bool) -> str:
    """The resource between the action and the reason; quoted by S3, bare elsewhere, `role NAME` in IAM."""
    on = _ON.match(middle)
    if on is None:
        return ""
    text = middle[on.end() :].strip()
    if text.startswith('"'):
        end = text.rfind('"') if reasoned else text.find('"', 1)
        return text[1:end] if end > 0 else text[1:].split('"')[0]
    if reasoned and text.startswith("arn:"):
        return "".join(text.split())  # only S3's ARNs have spaces, and S3 quotes: it was a line's end
    named = _NAMED.match(text)
    found = named[0] if named else text.split(" ", 1)[0]
    return found.strip("`'").rstrip(".,;)")
