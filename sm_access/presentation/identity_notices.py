"""What a person must be warned of about who they are to AWS, in words and worst first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sm_access.access.identity import Authority, CredentialSource, Identity
from sm_access.access.key_scanner import FoundKey
from sm_access.policy import canonical_principal
from sm_access.presentation.key_notices import places_of, steps_for
from sm_access.presentation.moments import left
from sm_access.presentation.page import Tone
from sm_access.presentation.principal_names import name_of, named

AUTHORITY_WORDS = {
    Authority.STS: "AWS (STS)",
    Authority.METADATA: "SageMaker's metadata",
    Authority.SDK: "the SageMaker SDK",
}
_RENEWED_BY_THE_SDK = {
    CredentialSource.CONTAINER,
    CredentialSource.INSTANCE_METADATA,
    CredentialSource.ASSUME_ROLE,
    CredentialSource.WEB_IDENTITY,
    CredentialSource.PROCESS,
}
SOON = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person must know about their credentials, and what to do about it, step by step.

    brief: the same in a few words, for a line that has no room.
    """

    tone: Tone
    text: str
    brief: str
    steps: tuple[str, ...] = ()


def notices_of(identity: Identity, now: datetime) -> tuple[Notice, ...]:
    """All there is to warn of, worst first."""
    found = [*_key_notices(identity), *_end_notices(identity, now), *_role_notices(identity)]
    return tuple(sorted(found, key=lambda notice: notice.tone is not Tone.NO))


def warnings_of(identity: Identity, now: datetime) -> tuple[str, ...]:
    """The notices as sentences, worst first: what the front end lists."""
    return tuple(notice.text for notice in notices_of(identity, now))


def tone_of(identity: Identity, now: datetime) -> Tone:
    tones = {notice.tone for notice in notices_of(identity, now)}
    if Tone.NO in tones:
        return Tone.NO
    if identity.caller is None:
        return Tone.UNKNOWN
    return Tone.WARN if tones else Tone.OK


def listed(words: tuple[str, ...] | list[str], most: int = 6) -> str:
    """`a`, `a and b`, `a, b and c`; of many the first few and how many more."""
    shown = list(words[:most]) + ([f"{len(words) - most} more places"] if len(words) > most else [])
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _key_notices(identity: Identity) -> list[Notice]:
    ids = [each for each in identity.keys.found if each.ids]
    secrets = [each for each in identity.keys.found if not each.ids]
    found = []
    if identity.long_term_key:
        text = "A long-term access key is in use: it has no end, and works for whoever copies it."
        text += f" Such keys (AKIA…) are in {listed(places_of(ids))}." if ids else ""
        found.append(
            Notice(Tone.NO, text, "a long-term access key is in use", steps_for(identity.keys.found))
        )
    elif ids:
        places = places_of(ids)
        what = (
            "A long-term access key (AKIA…) is in"
            if len(places) == 1
            else "Long-term access keys (AKIA…) are in"
        )
        found.append(
            Notice(Tone.NO, f"{what} {listed(places)}.", "a long-term access key was found", steps_for(ids))
        )
    alone = [each for each in secrets if not _beside(each, ids)]
    if alone:
        text = f"What looks like a secret access key is in {listed(places_of(alone))}."
        found.append(Notice(Tone.WARN, text, "what looks like a secret key was found", steps_for(alone)))
    return found


def _beside(secret: FoundKey, ids: list[FoundKey]) -> bool:
    """A secret that stands with a key's id needs no notice of its own."""
    at = secret.place
    return any(
        (each.place.kind, each.place.name, each.place.cell, each.place.profile)
        == (at.kind, at.name, at.cell, at.profile)
        or at.kind is each.place.kind is each.place.kind.VARIABLE
        for each in ids
    )


def _end_notices(identity: Identity, now: datetime) -> list[Notice]:
    end = identity.expires_at
    if end is None or end - now >= SOON:
        return []
    if end <= now:
        text = "These credentials have expired. Restart the kernel, or sign in again."
        return [Notice(Tone.NO, text, "restart the kernel, or sign in again")]
    text = f"These credentials end in less than 10 minutes ({left(end, now)})"
    if identity.source in _RENEWED_BY_THE_SDK:
        text += ", and the SDK has not renewed them yet: if it cannot, restart the kernel."
        return [Notice(Tone.WARN, text, "not renewed yet")]
    return [Notice(Tone.WARN, f"{text}: sign in again.", "sign in again soon")]


def _role_notices(identity: Identity) -> list[Notice]:
    notices = []
    known = [role for role in identity.roles if role.arn]
    for role in identity.other_roles:
        mine, theirs = _told_apart(str(known[0].arn), str(role.arn))
        sees = (
            f"AWS sees {mine}"
            if known[0].by is Authority.STS
            else f"{AUTHORITY_WORDS[known[0].by]} says {mine}"
        )
        if role.by is Authority.METADATA:
            text = (
                f"SageMaker says the execution role is {theirs}, but {sees}: a profile or an environment variable "
                "takes precedence in this process."
            )
        else:
            text = (
                f"sagemaker.get_execution_role() would answer {theirs}, but {sees}: jobs started with it run on "
                "another role than this process."
            )
        notices.append(Notice(Tone.WARN, text, "another role is named elsewhere"))
    if identity.role_gone and identity.caller is not None:
        notices.append(
            Notice(
                Tone.WARN,
                f"There is no role {name_of(identity.caller.arn)} any more: this session has outlived it and cannot be "
                "renewed. Ask whoever administers the notebook's role.",
                "the role is gone",
            )
        )
    if identity.made_anew and identity.caller is not None:
        notices.append(
            Notice(
                Tone.WARN,
                f"The role {name_of(identity.caller.arn)} was deleted and created again while this session lives: "
                "the session belongs to the one that is gone. Restart the kernel, or sign in again, for a session of "
                "the new one.",
                "the role was made anew",
            )
        )
    return notices


def _told_apart(mine: str, theirs: str) -> tuple[str, str]:
    """The roles' names; where those are the same, the whole ARNs."""
    names = named(mine), named(theirs)
    return names if names[0] != names[1] else (canonical_principal(mine), theirs)
