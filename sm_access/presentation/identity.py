"""Who am I, in words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sm_access.access.identity import CredentialSource, Identity
from sm_access.policy import Arn, canonical_principal
from sm_access.presentation.moments import ago, instant, iso, left
from sm_access.presentation.page import (
    Block,
    Facts,
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

_SOURCE_WORDS = {
    CredentialSource.CONTAINER: "temporary credentials from the notebook's container endpoint",
    CredentialSource.INSTANCE_METADATA: "temporary credentials from instance metadata",
    CredentialSource.ENVIRONMENT: "credentials from environment variables",
    CredentialSource.FILE: "credentials from a file in ~/.aws",
    CredentialSource.SSO: "temporary credentials from a single sign-on profile",
    CredentialSource.ASSUME_ROLE: "temporary credentials from a profile that assumes a role",
    CredentialSource.WEB_IDENTITY: "temporary credentials for a web identity",
    CredentialSource.PROCESS: "credentials from a credential process",
    CredentialSource.OTHER: "credentials of a source the SDK does not name",
}
_KIND_WORDS = {
    "assumed-role": "assumed role",
    "user": "IAM user",
    "federated-user": "federated user",
    "root": "root",
}
_SOON = timedelta(minutes=10)


def name_of(arn: str) -> str:
    """What a person calls a principal: the role's, user's or group's own name."""
    return Arn.parse(canonical_principal(arn)).resource.rsplit("/", 1)[-1]


def kind_of(arn: str) -> str:
    return Arn.parse(arn).resource.partition("/")[0]


def warnings_of(identity: Identity, now: datetime) -> tuple[str, ...]:
    """What a person must know about their credentials, worst first."""
    found = []
    if identity.long_term_key:
        found.append(
            "A long-term access key is in use. Delete it in IAM, remove it from the environment and ~/.aws, and work "
            "on the notebook's role instead."
        )
    if identity.expires_at is not None and identity.expires_at <= now:
        found.append("These credentials have expired. Restart the kernel, or sign in again.")
    stated = identity.metadata.get("ExecutionRoleArn")
    if stated and name_of(stated) != name_of(identity.arn):
        found.append(
            f"SageMaker says the execution role is {name_of(stated)}, but AWS sees {name_of(identity.arn)}: a profile "
            "or an environment variable takes precedence in this process."
        )
    return tuple(found)


def tone_of(identity: Identity, now: datetime) -> Tone:
    expired = identity.expires_at is not None and identity.expires_at <= now
    if identity.long_term_key or expired:
        return Tone.NO
    soon = identity.expires_at is not None and identity.expires_at - now < _SOON
    return Tone.WARN if soon or warnings_of(identity, now) else Tone.OK


def identity_view(identity: Identity, now: datetime) -> dict[str, Any]:
    """The identity for programs and for the front end; no secret is in it."""
    kind = kind_of(identity.arn)
    return {
        "name": name_of(identity.arn),
        "kind": kind,
        "account": identity.account,
        "arn": identity.arn,
        "session_name": identity.arn.rsplit("/", 1)[-1] if kind == "assumed-role" else None,
        "source": _SOURCE_WORDS[identity.source],
        "expires_at": iso(identity.expires_at) if identity.expires_at else None,
        "long_term_key": identity.long_term_key,
        "region": identity.region,
        "metadata": dict(identity.metadata),
        "tone": {Tone.OK: "ok", Tone.WARN: "warn", Tone.NO: "error"}[tone_of(identity, now)],
        "warnings": list(warnings_of(identity, now)),
        "read_at": iso(identity.read_at),
    }


def identity_page(identity: Identity, now: datetime) -> Page:
    kind = kind_of(identity.arn)
    facts: list[tuple[str, Line]] = [
        ("ARN", line(code(identity.arn))),
        ("from", line(_SOURCE_WORDS[identity.source])),
    ]
    if identity.expires_at is not None:
        facts.append(
            ("until", line(instant(identity.expires_at), quiet(f" ({left(identity.expires_at, now)})")))
        )
    if identity.region:
        facts.append(("Region", line(identity.region)))
    where = identity.metadata.get("ResourceName")
    if where:
        facts.append(("SageMaker", line(where, *_studio(identity))))
    if not identity.long_term_key:
        facts.append(("long-term key", line("none in use")))
    facts.append(("read", line(quiet(f"{ago(identity.read_at, now)}, from AWS STS"))))
    blocks: list[Block] = [
        Paragraph(line(Span(warning, Tone.NO if identity.long_term_key else Tone.WARN)))
        for warning in warnings_of(identity, now)
    ]
    blocks.append(Facts(tuple(facts)))
    headline = line(strong(name_of(identity.arn)), f", {_KIND_WORDS.get(kind, kind)} in {identity.account}")
    return Page(headline, tone_of(identity, now), tuple(blocks), identity_view(identity, now))


def one_line(identity: Identity, now: datetime) -> Page:
    """The quiet line that loading the extension shows."""
    parts: list[str | Span] = [
        strong(name_of(identity.arn)),
        f" · {_KIND_WORDS.get(kind_of(identity.arn), kind_of(identity.arn))} in {identity.account}",
        f" · {_SOURCE_WORDS[identity.source]}",
    ]
    if identity.expires_at is not None:
        parts.append(f" · {left(identity.expires_at, now)}")
    if identity.long_term_key:
        parts.append(Span(" · a long-term access key is in use", Tone.NO))
    return Page(line(*parts), tone_of(identity, now), (), identity_view(identity, now))


def _studio(identity: Identity) -> list[Span]:
    known = [
        f"{label} {identity.metadata[key]}"
        for key, label in (
            ("DomainId", "domain"),
            ("UserProfileName", "user profile"),
            ("SpaceName", "space"),
        )
        if identity.metadata.get(key)
    ]
    return [quiet(f" ({', '.join(known)})")] if known else []
