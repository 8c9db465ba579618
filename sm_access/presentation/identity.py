"""Who am I, in words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sm_access.access.identity import (
    Certainty,
    CredentialSource,
    Identity,
    Propagation,
    RoleStatement,
    Site,
)
from sm_access.policy import Arn
from sm_access.presentation.failure import failure_view
from sm_access.presentation.identity_notices import (
    AUTHORITY_WORDS,
    SOON,
    listed,
    notices_of,
    tone_of,
    warnings_of,
)
from sm_access.presentation.key_notices import key_view
from sm_access.presentation.moments import ago, instant, iso, left
from sm_access.presentation.page import (
    Block,
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
from sm_access.presentation.principal_names import kind_of, name_of, named

__all__ = ["identity_page", "identity_view", "kind_of", "name_of", "one_line", "source_words"]

_SOURCE_WORDS = {
    CredentialSource.CONTAINER: "temporary credentials from the notebook's container endpoint",
    CredentialSource.INSTANCE_METADATA: "temporary credentials from instance metadata",
    CredentialSource.ENVIRONMENT: "credentials from environment variables",
    CredentialSource.FILE: "credentials from a file of the AWS SDK",
    CredentialSource.SSO: "temporary credentials from a single sign-on profile",
    CredentialSource.ASSUME_ROLE: "temporary credentials from a profile that assumes a role",
    CredentialSource.WEB_IDENTITY: "temporary credentials for a web identity",
    CredentialSource.PROCESS: "credentials from a credential process",
    CredentialSource.OTHER: "credentials of a source the SDK does not name",
    CredentialSource.UNKNOWN: "credentials that did not arrive in time",
}
_KIND_WORDS = {
    "assumed-role": "assumed role",
    "user": "IAM user",
    "federated-user": "federated user",
    "root": "root",
}
_SITE_WORDS = {
    Site.NOTEBOOK_INSTANCE: "notebook instance",
    Site.STUDIO: "Studio",
    Site.TRAINING_JOB: "training job",
    Site.PROCESSING_JOB: "processing job",
    Site.TRANSFORM_JOB: "transform job",
}
_PARTITION_WORDS = {"aws-cn": "China", "aws-us-gov": "GovCloud (US)"}


def identity_view(identity: Identity, now: datetime) -> dict[str, Any]:
    """The identity for programs and for the front end; no secret is in it.

    Where STS did not answer, what only it knows is None, and `error`, `message` and `remedy` say why.
    """
    caller = identity.caller
    view: dict[str, Any] = {
        "name": name_of(caller.arn) if caller else None,
        "kind": kind_of(caller.arn) if caller else None,
        "account": caller.account if caller else None,
        "arn": caller.arn if caller else None,
        "session_name": caller.session_name if caller else None,
        "user_id": (caller.user_id or None) if caller else None,
        "partition": Arn.parse(caller.arn).partition if caller else None,
        "source": source_words(identity),
        "source_kind": identity.source.value,
        "profile": _profile_view(identity),
        "expires_at": iso(identity.expires_at) if identity.expires_at else None,
        "long_term_key": identity.long_term_key,
        "long_term_keys": key_view(identity.keys),
        "region": identity.region,
        "region_from": identity.region_from,
        "site": identity.site.value,
        "metadata": dict(identity.metadata),
        "variables": dict(identity.variables),
        "roles": [_role_view(role) for role in identity.roles],
        "roles_agree": not identity.other_roles,
        "job_roles": [_role_view(role) for role in identity.job_roles],
        "role_made_anew": identity.made_anew if identity.role_id else None,
        "role_gone": identity.role_gone if identity.role_id is not None else None,
        "source_identity": {
            "certainty": identity.source_identity.certainty.value,
            "value": identity.source_identity.value,
        },
        "identity_propagation": identity.propagation.value,
        "tone": {Tone.OK: "ok", Tone.WARN: "warn", Tone.NO: "error", Tone.UNKNOWN: "warn"}[
            tone_of(identity, now)
        ],
        "warnings": list(warnings_of(identity, now)),
        "notices": [
            {"tone": _NOTICE_TONES[notice.tone], "text": notice.text, "steps": list(notice.steps)}
            for notice in notices_of(identity, now)
        ],
        "read_at": iso(identity.read_at),
    }
    return view | (failure_view(identity.unasked) if identity.unasked is not None else {})


_NOTICE_TONES = {Tone.NO: "error", Tone.WARN: "warn"}


def identity_page(identity: Identity, now: datetime) -> Page:
    """The identity card."""
    blocks: list[Block] = []
    if identity.unasked is not None:
        blocks.append(
            Paragraph(line(" ".join(filter(None, [identity.unasked.message, identity.unasked.remedy]))))
        )
        if identity.region is None:
            blocks.append(Paragraph(line(quiet(_NO_REGION))))
    for notice in notices_of(identity, now):
        blocks.append(Paragraph(line(Span(notice.text, notice.tone))))
        if notice.steps:
            steps = tuple(
                Paragraph(line(f"{number}. ", *_with_code(step)))
                for number, step in enumerate(notice.steps, 1)
            )
            blocks.append(Fold("How to get rid of it", steps, open=True))
    blocks.append(Facts(tuple(_facts(identity, now))))
    if identity.other_roles:
        blocks.append(_roles_table(identity))
    detail = _detail(identity)
    if detail:
        blocks.append(Fold("More", (Facts(tuple(detail)),)))
    return Page(
        _headline(identity),
        tone_of(identity, now),
        tuple(blocks),
        identity_view(identity, now),
        _time_left(identity, now),
    )


def one_line(identity: Identity, now: datetime) -> Page:
    """The quiet line that loading the extension shows."""
    parts: list[str | Span] = [*_headline(identity, " · "), f" · {source_words(identity)}"]
    notices = notices_of(identity, now)
    if notices:
        worst = notices[0]
        parts.append(Span(f" · {worst.brief}: %sm_access whoami", worst.tone))
    aside = _time_left(identity, now) if identity.expires_at is not None else None
    return Page(line(*parts), tone_of(identity, now), (), identity_view(identity, now), aside)


def source_words(identity: Identity) -> str:
    """Where the credentials come from, with the profile where there is one."""
    words, profile = _SOURCE_WORDS[identity.source], identity.profile
    if profile is None:
        return words
    if identity.source is CredentialSource.ASSUME_ROLE and profile.role_arn:
        by = f"profile {profile.source_profile}" if profile.source_profile else profile.credential_source
        return (
            f"temporary credentials from profile {profile.name}, which assumes {named(profile.role_arn)}"
            + (f" with the credentials of {by}" if by else "")
        )
    return f"{words} (profile {profile.name})"


_NO_REGION = (
    "No Region is set, so the endpoint of us-east-1 was asked; the partitions aws-cn and aws-us-gov have endpoints of "
    "their own. boto3 reads AWS_DEFAULT_REGION."
)


def _with_code(text: str) -> list[str | Span]:
    """What stands between backticks as code."""
    return [code(part) if number % 2 else part for number, part in enumerate(text.split("`"))]


def _headline(identity: Identity, separator: str = ", ") -> Line:
    caller = identity.caller
    if caller is not None:
        kind = kind_of(caller.arn)
        return line(
            strong(name_of(caller.arn)), f"{separator}{_KIND_WORDS.get(kind, kind)} in {caller.account}"
        )
    stated = next((role.arn for role in identity.roles if role.arn), None)
    says = f"; SageMaker says {named(stated)}" if stated else ""
    return line(strong("AWS could not be asked who this is"), says)


def _time_left(identity: Identity, now: datetime) -> Span | None:
    if identity.expires_at is None:
        return Span("no end", Tone.NO) if identity.long_term_key else None
    remaining = identity.expires_at - now
    tone = Tone.NO if remaining <= timedelta() else Tone.WARN if remaining < SOON else Tone.OK
    return Span(left(identity.expires_at, now), tone)


def _facts(identity: Identity, now: datetime) -> list[tuple[str, Line]]:
    caller = identity.caller
    facts: list[tuple[str, Line]] = []
    if caller is not None:
        facts.append(("ARN", line(code(caller.arn))))
        partition = Arn.parse(caller.arn).partition
        if partition != "aws":
            facts.append(
                ("partition", line(partition, quiet(f" {_PARTITION_WORDS.get(partition, '')}".rstrip())))
            )
    facts.append(("from", line(source_words(identity))))
    if identity.expires_at is not None:
        facts.append(("until", line(instant(identity.expires_at))))
    if identity.region:
        from_ = quiet(f" (from {identity.region_from})") if identity.region_from else ""
        facts.append(("Region", line(identity.region, from_)))
    else:
        facts.append(("Region", line(quiet("none is set; boto3 reads AWS_DEFAULT_REGION"))))
    where = _where(identity)
    if where:
        facts.append(("SageMaker", where))
    agreeing = [role for role in identity.roles if role.arn]
    if len(agreeing) > 1 and not identity.other_roles:
        facts.append(
            ("role", line(f"{listed([AUTHORITY_WORDS[role.by] for role in agreeing])} name the same"))
        )
    person = _person(identity)
    if person:
        facts.append(("person", person))
    facts.append(("long-term key", _keys_line(identity)))
    if caller is not None:
        facts.append(("read", line(quiet(f"{ago(identity.read_at, now)}, from AWS STS"))))
    return facts


def _keys_line(identity: Identity) -> Line:
    if identity.long_term_key:
        return line(Span("in use", Tone.NO))
    if identity.keys.found:
        return line("none in use", quiet("; where one was found is said above"))
    unsearched = len(identity.keys.unsearched)
    besides = f"; {unsearched} not searched" if unsearched == 1 else f"; {unsearched} places not searched"
    return line("none in use, none found", quiet(besides if unsearched else ""))


def _where(identity: Identity) -> Line:
    if identity.site is Site.ELSEWHERE:
        return ()
    metadata, variables = identity.metadata, identity.variables
    name = metadata.get("ResourceName") or variables.get("TRAINING_JOB_NAME") or ""
    app = (
        metadata.get("AppType") or variables.get("SAGEMAKER_APP_TYPE")
        if identity.site is Site.STUDIO
        else None
    )
    words = [_SITE_WORDS[identity.site], app, name]
    studio = [
        f"{label} {metadata.get(key) or variables.get(variable)}"
        for key, variable, label in (
            ("DomainId", "SAGEMAKER_DOMAIN_ID", "domain"),
            ("UserProfileName", "SAGEMAKER_USER_PROFILE_NAME", "user profile"),
            ("SpaceName", "SAGEMAKER_SPACE_NAME", "space"),
        )
        if metadata.get(key) or variables.get(variable)
    ]
    return line(" ".join(filter(None, words)), quiet(f" ({', '.join(studio)})" if studio else ""))


def _person(identity: Identity) -> Line:
    """INVARIANT: a name is only ever shown as claimed: nothing here proves it."""
    found = identity.source_identity
    if found.certainty is Certainty.CLAIMED and found.value:
        return line(
            found.value, quiet(" (claimed: the domain is set to name the user profile as source identity)")
        )
    profile = identity.metadata.get("UserProfileName")
    if profile:
        return line(profile, quiet(" (claimed: SageMaker's metadata names the user profile)"))
    return ()


def _roles_table(identity: Identity) -> Table:
    rows = tuple(
        (line(AUTHORITY_WORDS[role.by]), _role_cell(role), line(quiet(role.told_by)))
        for role in identity.roles
    )
    return Table(("who says", "role", "learnt from"), rows)


def _role_cell(role: RoleStatement) -> Line:
    if role.arn is not None:
        return line(strong(named(role.arn)))
    return line(Span("cannot tell" if role.unread else "none", Tone.UNKNOWN))


def _detail(identity: Identity) -> list[tuple[str, Line]]:
    caller = identity.caller
    facts: list[tuple[str, Line]] = []
    if caller is not None and caller.session_name is not None:
        facts.append(
            ("session", line(caller.session_name, quiet(" (a name chosen by whoever assumed the role)")))
        )
    if caller is not None and caller.user_id:
        facts.append(("user id", line(code(caller.user_id))))
    facts.append(("source identity", _source_identity(identity)))
    if identity.site is Site.STUDIO:
        facts.append(("identity propagation", _propagation(identity)))
    facts += [(f"role by {AUTHORITY_WORDS[role.by]}", _role_detail(role)) for role in identity.roles]
    facts += [
        ("role of jobs", line(code(role.arn or ""), quiet(f" (the SageMaker SDK's default, {role.told_by})")))
        for role in identity.job_roles
    ]
    if caller is not None and caller.session_name is not None and identity.role_id is None:
        facts.append(("made anew", line(quiet("not known whether the role was; iam:GetRole would tell"))))
    facts += [
        (name, line(code(value)))
        for name, value in (*sorted(identity.metadata.items()), *sorted(identity.variables.items()))
    ]
    facts += [
        ("not searched", line(unsearched.what, quiet(f": {unsearched.why}")))
        for unsearched in identity.keys.unsearched
    ]
    return facts


def _source_identity(identity: Identity) -> Line:
    found = identity.source_identity
    if found.certainty is Certainty.CLAIMED:
        return line(
            found.value or "",
            quiet(
                " (claimed, by the Studio domain's setting; no call returns aws:SourceIdentity to its own session)"
            ),
        )
    if found.certainty is Certainty.NONE:
        return line(quiet("none is set for such credentials"))
    unread = found.unread.permission if found.unread else ""
    settle = f"; {unread} would tell what the domain is set to" if unread else ""
    return line(quiet(f"not knowable here: no call returns aws:SourceIdentity to its own session{settle}"))


def _propagation(identity: Identity) -> Line:
    if identity.propagation is Propagation.UNKNOWN:
        unread = identity.propagation_unread
        why = f"; {unread.permission} would" if unread and unread.permission else ": SageMaker did not tell"
        return line(quiet(f"cannot tell{why}"))
    return line(
        f"{identity.propagation.value} for the domain",
        quiet(" (its setting; nothing in a session shows whether it carries a person's identity)"),
    )


def _role_detail(role: RoleStatement) -> Line:
    if role.arn is not None:
        return line(code(role.arn), quiet(f" ({role.told_by})"))
    if role.unread is not None:
        return line(quiet(f"cannot tell: {role.told_by} did not answer"))
    return line(quiet(role.told_by))


def _profile_view(identity: Identity) -> dict[str, str | None] | None:
    profile = identity.profile
    if profile is None:
        return None
    return {
        "name": profile.name,
        "role_arn": profile.role_arn,
        "source_profile": profile.source_profile,
        "credential_source": profile.credential_source,
        "sso_account": profile.sso_account,
        "sso_role": profile.sso_role,
    }


def _role_view(role: RoleStatement) -> dict[str, str | None]:
    return {
        "by": role.by.value,
        "arn": role.arn,
        "told_by": role.told_by,
        "would_settle": role.unread.permission if role.unread else None,
    }
