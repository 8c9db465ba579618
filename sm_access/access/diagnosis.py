"""Why a call was refused: AWS's own words first, the engine's answer where AWS gave none, and which of the two it was.

Pure. AWS's statement always wins over the engine. Where they disagree - AWS denied, and every policy that was read
allows - that is the diagnosis, with what could explain it; it is never hidden behind a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from sm_access.access.call import Call
from sm_access.access.caller import Caller, same_principal
from sm_access.access.denial_message import Decider
from sm_access.access.denied_call import Ask, DeniedCall, denied_call
from sm_access.access.evidence import BucketEvidence, PrincipalEvidence, Unread
from sm_access.access.level import Level
from sm_access.access.levels import LIST_ACTION, Check, checks
from sm_access.access.target import S3Target
from sm_access.access.trouble import Trouble, trouble_of
from sm_access.access.verdict import decide, with_the_grant
from sm_access.errors import SmAccessError
from sm_access.policy import (
    UNREADABLE,
    Arn,
    Decision,
    Layer,
    NearMiss,
    PolicySet,
    Request,
    Response,
    StatementRef,
    authorize,
)


class Cause(str, Enum):
    """What decided. The values are what programs see."""

    NOT_GRANTED = "no-identity-policy-allows-it"
    IDENTITY_DENY = "identity-policy-denies-it"
    BOUNDARY = "permissions-boundary"
    SESSION_POLICY = "session-policy"
    SERVICE_CONTROL = "service-control-policy"
    RESOURCE_CONTROL = "resource-control-policy"
    ENDPOINT_POLICY = "vpc-endpoint-policy"
    RESOURCE_DENY = "resource-policy-denies-it"
    RESOURCE_SILENT = "no-resource-policy-allows-it"
    OTHER_ACCOUNT = "other-account-does-not-allow-it"
    TRUST = "role-trust-policy"
    KMS_KEY = "kms-key-not-open"
    ENCRYPTION_HEADER = "encryption-header-missing"
    BLOCKED_ENCRYPTION = "customer-key-encryption-blocked"
    PUBLIC_ACCESS = "block-public-access"
    OBJECT_LOCK = "object-lock"
    OWNER_MISMATCH = "bucket-has-another-owner"
    MAY_BE_MISSING = "may-not-exist"
    DISAGREEMENT = "policies-read-allow-it"
    UNEXPLAINED = "no-reason-given"
    EXPIRED = Trouble.EXPIRED.value
    NO_CREDENTIALS = Trouble.NO_CREDENTIALS.value
    UNKNOWN_CREDENTIALS = Trouble.UNKNOWN_CREDENTIALS.value
    SIGNATURE = Trouble.SIGNATURE.value
    CLOCK = Trouble.CLOCK.value
    WRONG_REGION = Trouble.WRONG_REGION.value
    NO_BUCKET = Trouble.NO_BUCKET.value
    KEY_STATE = Trouble.KEY_STATE.value
    ACCOUNT = Trouble.ACCOUNT.value
    UNREACHABLE = Trouble.UNREACHABLE.value
    BAD_REQUEST = Trouble.BAD_REQUEST.value


class Basis(str, Enum):
    """Whose word the cause is."""

    AWS = "aws"
    ENGINE = "engine"
    GUESS = "guess"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What was found out around a call; None or empty where it was not, which is never taken for "none".

    caller: who this process is. credentials_expired: whether the session is past its end, None where it is not known.
    principal: the policies of who was refused. bucket: what the bucket adds. bucket_missing: S3 knows no such bucket.
    unread: what could not be read, beyond what the evidence itself names.
    """

    now: datetime
    caller: Caller | None = None
    credentials_expired: bool | None = None
    principal: PrincipalEvidence | None = None
    bucket: BucketEvidence | None = None
    bucket_missing: bool = False
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One explanation.

    principal: the ARN that was refused, or ''. policy: who denies, by name or ARN, where known.
    statement: which statement denies, by the engine. nearest: the Allow that came nearest.
    helps: whether a grant to the role would be enough; None where that cannot be told.
    ask: the request that could be made; None where none can help or none can be named. region: the right one.
    may_be_missing: S3 answers 403 for a key that is not there to who may not list.
    disagrees: the engine allows what AWS denied. depends_on: what the engine could not know.
    """

    cause: Cause
    basis: Basis
    denied: DeniedCall
    principal: str = ""
    explicit: bool | None = None
    policy: str = ""
    statement: StatementRef | None = None
    nearest: NearMiss | None = None
    helps: bool | None = None
    ask: Ask | None = None
    region: str = ""
    may_be_missing: bool = False
    disagrees: bool = False
    depends_on: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()
    read_at: datetime | None = None
    response: Response | None = None


_BY_WORDS = {
    Decider.PERMISSIONS_BOUNDARY: Cause.BOUNDARY,
    Decider.SESSION: Cause.SESSION_POLICY,
    Decider.SERVICE_CONTROL: Cause.SERVICE_CONTROL,
    Decider.RESOURCE_CONTROL: Cause.RESOURCE_CONTROL,
    Decider.VPC_ENDPOINT: Cause.ENDPOINT_POLICY,
    Decider.TRUST: Cause.TRUST,
    Decider.BLOCK_PUBLIC_ACCESS: Cause.PUBLIC_ACCESS,
    Decider.BLOCKED_ENCRYPTION: Cause.BLOCKED_ENCRYPTION,
    Decider.OBJECT_LOCK: Cause.OBJECT_LOCK,
    Decider.UNSEEN_KEY: Cause.KMS_KEY,
}
_BY_LAYER = {
    Layer.PERMISSIONS_BOUNDARY: Cause.BOUNDARY,
    Layer.SESSION: Cause.SESSION_POLICY,
    Layer.SERVICE_CONTROL: Cause.SERVICE_CONTROL,
    Layer.RESOURCE_CONTROL: Cause.RESOURCE_CONTROL,
    Layer.VPC_ENDPOINT: Cause.ENDPOINT_POLICY,
}
_LAYER_OF = {
    Decider.IDENTITY: Layer.IDENTITY,
    Decider.PERMISSIONS_BOUNDARY: Layer.PERMISSIONS_BOUNDARY,
    Decider.SESSION: Layer.SESSION,
    Decider.RESOURCE: Layer.RESOURCE,
}
#: What a grant of an identity policy can mend; nothing else is ever asked for.
_GRANTABLE = frozenset({Cause.NOT_GRANTED, Cause.MAY_BE_MISSING})
_READS = frozenset({"s3:getobject", "s3:getobjectversion"})
_WRITES = frozenset({"s3:putobject"})
_SSE = ("s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id")
_EXPECTED_REGION = re.compile(r"expecting '([a-z0-9-]{4,30})'")


def diagnose(call: Call, found: Circumstances) -> Diagnosis | None:
    """The explanation of one call, None where its failure is none of ours."""
    trouble = trouble_of(call)
    if trouble is None:
        return None
    denied = denied_call(call)
    if trouble is not Trouble.DENIED:
        return _near(trouble, denied, found)
    principal = denied.said.principal if denied.said.principal.startswith("arn:") else ""
    principal = principal or (found.caller.arn if found.caller else "")
    plain = Diagnosis(
        Cause.UNEXPLAINED,
        Basis.GUESS,
        denied,
        principal=principal,
        explicit=denied.said.explicit,
        policy=denied.said.policy_arn,
        may_be_missing=denied.action.lower() in _READS,
        unread=_unread(found),
    )
    asked = _engine(denied, found)
    if denied.said.decider is not None:
        return _by_words(plain, asked, found)
    return _by_engine(plain, asked, found)


def _near(trouble: Trouble, denied: DeniedCall, found: Circumstances) -> Diagnosis | None:
    """A trouble that is no denial, and has an explanation of its own."""
    made = Diagnosis(
        Cause(trouble.value), Basis.AWS, denied, principal=found.caller.arn if found.caller else ""
    )
    bucket_region = found.bucket.region if found.bucket else None
    if trouble is Trouble.WRONG_REGION:
        expected = _EXPECTED_REGION.search(denied.call.message[:2000])
        return replace(made, region=expected[1] if expected else bucket_region or "")
    if trouble is Trouble.BAD_REQUEST:
        if found.credentials_expired:
            return replace(made, cause=Cause.EXPIRED, basis=Basis.ENGINE)
        if bucket_region and denied.call.region and bucket_region != denied.call.region:
            return replace(made, cause=Cause.WRONG_REGION, basis=Basis.ENGINE, region=bucket_region)
        return replace(made, basis=Basis.GUESS)
    return made


def _unread(found: Circumstances) -> tuple[Unread, ...]:
    principal = found.principal.unread if found.principal else ()
    bucket = found.bucket.unread if found.bucket else ()
    return tuple(dict.fromkeys((*principal, *bucket, *found.unread)))


# --- the engine, asked about exactly this call ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Asked:
    """main: what the call itself needs. key: what it needs of the bucket's key. refused: what AWS named, if neither."""

    main: Response | None
    key: tuple[Check, Response] | None
    read_at: datetime


def _engine(denied: DeniedCall, found: Circumstances) -> _Asked | None:
    """The engine's answers; None where there is nothing to decide by, or it is about somebody else."""
    principal = found.principal
    if principal is None or (denied.said.principal and not _is_about(denied, principal)):
        return None
    try:
        if not denied.bucket:
            main = _elsewhere(denied, principal)
            return _Asked(main, None, principal.read_at) if main is not None else None
        if found.bucket is None:
            return None
        main = decide(principal, found.bucket, _main_check(denied), found.now)
        key = next(_key_answers(denied, principal, found.bucket, found.now), None)
        return _Asked(main, key, min(principal.read_at, found.bucket.read_at))
    except SmAccessError:
        return None  # a name the engine refuses: then AWS's words are all there is


def _is_about(denied: DeniedCall, principal: PrincipalEvidence) -> bool:
    said = denied.said.principal
    return not said.startswith("arn:") or same_principal(said, principal.arn)


def _main_check(denied: DeniedCall) -> Check:
    """The call itself: also where its key was refused, and where S3 names the listing that a missing key would need."""
    action = denied.asked_action
    own = (
        denied.said.resource if denied.said.resource and denied.said.action.lower() == action.lower() else ""
    )
    partition = arn.partition if (arn := Arn.read(denied.resource)) else "aws"
    if denied.is_listing:
        bucket = own or f"arn:{partition}:s3:::{denied.bucket}"
        return Check(action, bucket, {"s3:prefix": denied.path} if denied.path else {})
    place = f"{denied.bucket}/{denied.path}" if denied.path else denied.bucket
    return Check(action, own or f"arn:{partition}:s3:::{place}")


def _key_answers(
    denied: DeniedCall, principal: PrincipalEvidence, bucket: BucketEvidence, now: datetime
) -> Iterator[tuple[Check, Response]]:
    """What the bucket's key says, where it does not allow."""
    level = denied.level
    if bucket.kms_key_arn is None or level is None:
        return
    for check in checks(S3Target(bucket.bucket), level, bucket.kms_key_arn):
        multipart = check.action == "kms:Decrypt" and denied.asked_action.lower() in _WRITES
        if check.action.startswith("kms:") and not multipart:
            response = decide(principal, bucket, check, now)
            if response.decision is not Decision.ALLOW:
                yield check, response


def _elsewhere(denied: DeniedCall, principal: PrincipalEvidence) -> Response | None:
    """A call that is not about S3: the principal's own policies alone, with everything else declared unknown."""
    if not denied.action or "*" in denied.action:
        return None
    request = Request(
        principal=principal.arn,
        action=denied.action,
        resource=denied.resource if denied.resource.startswith("arn:") else "*",
        unknown=["*"],
    )
    layers = PolicySet(identity=principal.identity, permissions_boundary=principal.boundary)
    return authorize(layers, request)


# --- AWS gave a reason ---------------------------------------------------------------------------------------------


def _by_words(plain: Diagnosis, asked: _Asked | None, found: Circumstances) -> Diagnosis:
    denied, said = plain.denied, plain.denied.said
    made = replace(plain, basis=Basis.AWS, cause=_cause_in_words(plain, found))
    if denied.action.lower() == LIST_ACTION.lower() and denied.asked_action.lower() in _READS:
        # S3 asks for the listing only once the read itself has passed and the key is not there.
        made = replace(made, cause=Cause.MAY_BE_MISSING, may_be_missing=True)
    response = _relevant(made, asked)
    if response is not None and asked is not None:
        made = replace(
            made,
            statement=_told_by(response, said.decider, explicit=said.explicit),
            nearest=_nearest(response, said.decider),
            disagrees=response.decision is Decision.ALLOW,
            read_at=asked.read_at,
            response=response,
        )
    header = _header_that_lacks(made, found)
    if header is not None and made.cause in {Cause.RESOURCE_DENY, Cause.RESOURCE_CONTROL}:
        made = replace(made, cause=Cause.ENCRYPTION_HEADER, statement=header.deciding)
    return _with_help(made, found)


def _cause_in_words(plain: Diagnosis, found: Circumstances) -> Cause:
    said = plain.denied.said
    if said.decider is not None and said.decider in _BY_WORDS:
        return _BY_WORDS[said.decider]
    if plain.denied.of_key:
        return Cause.KMS_KEY
    if said.decider is Decider.IDENTITY:
        return Cause.NOT_GRANTED if said.explicit is False else Cause.IDENTITY_DENY
    if said.explicit is not False:
        return Cause.RESOURCE_DENY
    return Cause.OTHER_ACCOUNT if _of_another_account(plain, found) else Cause.RESOURCE_SILENT


def _of_another_account(made: Diagnosis, found: Circumstances) -> bool:
    account = made.principal.split(":")[4] if made.principal.count(":") >= 5 else ""
    owner = found.bucket.owner_account if found.bucket else None
    return bool(account and owner and owner != account)


def _relevant(made: Diagnosis, asked: _Asked | None) -> Response | None:
    """The engine's answer to what AWS refused: the call, or its key."""
    if asked is None or made.cause is Cause.MAY_BE_MISSING:
        return None  # the engine was asked about the read, and AWS speaks of the listing
    if made.denied.of_key and made.denied.bucket:
        return asked.key[1] if asked.key is not None else None
    return asked.main


def _told_by(response: Response, decider: Decider | None, *, explicit: bool | None) -> StatementRef | None:
    """The statement that denies in the layer that AWS named, as far as the engine sees one."""
    layer = _LAYER_OF.get(decider) if decider else None
    if not explicit or layer is None:
        return None
    return next((found.deciding for found in response.layers if found.layer is layer), None)


def _nearest(response: Response, decider: Decider | None = None) -> NearMiss | None:
    wanted = _LAYER_OF.get(decider) if decider else None
    for layer in response.layers:
        if layer.outcome is not Decision.ALLOW and layer.misses and wanted in (None, layer.layer):
            return layer.misses[0]
    return None


# --- AWS gave none -------------------------------------------------------------------------------------------------


def _by_engine(plain: Diagnosis, asked: _Asked | None, found: Circumstances) -> Diagnosis:
    expected = plain.denied.call.parameters.get("ExpectedBucketOwner", "")
    owner = found.bucket.owner_account if found.bucket else None
    if expected and owner and owner != expected:
        return replace(plain, cause=Cause.OWNER_MISMATCH, basis=Basis.ENGINE)
    if asked is None or asked.main is None:
        return replace(plain, cause=Cause.NO_BUCKET, basis=Basis.ENGINE) if found.bucket_missing else plain
    made = replace(plain, basis=Basis.ENGINE, read_at=asked.read_at)
    main = asked.main
    if main.decision in (Decision.EXPLICIT_DENY, Decision.IMPLICIT_DENY):
        made = _refused(made, main, found)
        header = _header_that_lacks(made, found)
        if header is not None and made.cause is Cause.RESOURCE_DENY:
            made = replace(made, cause=Cause.ENCRYPTION_HEADER, statement=header.deciding)
        return _with_help(made, found)
    if asked.key is not None and asked.key[1].decision is not Decision.UNDETERMINED:
        check, response = asked.key
        of_key = replace(made.denied, action=check.action, resource=check.resource_arn)
        made = replace(made, cause=Cause.KMS_KEY, denied=of_key, response=response, may_be_missing=False)
        return _with_help(replace(made, explicit=response.decision is Decision.EXPLICIT_DENY), found)
    header = _header_that_lacks(made, found)
    if header is not None:
        made = replace(made, basis=Basis.GUESS, cause=Cause.ENCRYPTION_HEADER, statement=header.deciding)
        return replace(made, response=header, explicit=True, helps=False)
    if main.decision is Decision.UNDETERMINED:
        cause = Cause.OTHER_ACCOUNT if _of_another_account(made, found) else Cause.UNEXPLAINED
        made = replace(made, basis=Basis.GUESS, cause=cause, depends_on=main.depends_on, response=main)
        return replace(made, nearest=_nearest(main))
    if _listing_lacks(made.denied, found):
        # The read is allowed and the listing is not: just what a key that is not there looks like.
        return _with_help(replace(made, cause=Cause.MAY_BE_MISSING, response=main), found)
    return replace(made, cause=Cause.DISAGREEMENT, response=main, disagrees=True)


def _refused(made: Diagnosis, response: Response, found: Circumstances) -> Diagnosis:
    """The layer that the engine says refused."""
    explicit = response.decision is Decision.EXPLICIT_DENY
    made = replace(made, response=response, explicit=explicit, statement=response.deciding)
    closed = {layer.layer for layer in response.layers if layer.outcome is not Decision.ALLOW}
    denying = [layer.layer for layer in response.layers if layer.outcome is Decision.EXPLICIT_DENY]
    if explicit:
        layer = denying[0] if denying else None
        cause = {Layer.IDENTITY: Cause.IDENTITY_DENY, Layer.RESOURCE: Cause.RESOURCE_DENY, **_BY_LAYER}
        made = replace(made, cause=cause[layer] if layer else Cause.UNEXPLAINED)
        return replace(made, policy=response.deciding.policy if response.deciding else "")
    if Layer.IDENTITY in closed:
        return replace(made, cause=Cause.NOT_GRANTED, nearest=_nearest(response, Decider.IDENTITY))
    if Layer.PERMISSIONS_BOUNDARY in closed:
        nearest = _nearest(response, Decider.PERMISSIONS_BOUNDARY)
        return replace(made, cause=Cause.BOUNDARY, nearest=nearest)
    other = _of_another_account(made, found)
    return replace(made, cause=Cause.OTHER_ACCOUNT if other else Cause.RESOURCE_SILENT)


def _listing_lacks(denied: DeniedCall, found: Circumstances) -> bool:
    if denied.asked_action.lower() not in _READS or found.principal is None or found.bucket is None:
        return False
    listing = Check(LIST_ACTION, denied.resource.partition("/")[0])  # a read names no prefix
    return decide(found.principal, found.bucket, listing, found.now).decision is not Decision.ALLOW


def _header_that_lacks(made: Diagnosis, found: Circumstances) -> Response | None:
    """The engine's refusal of an upload without an encryption header, where one with a header would pass."""
    denied = made.denied
    known = denied.call.parameters.get("ServerSideEncryption")
    if known or denied.asked_action.lower() not in _WRITES or found.principal is None or found.bucket is None:
        return None
    check = _main_check(denied)
    without = decide(found.principal, found.bucket, check, found.now, absent=_SSE)
    if without.decision is not Decision.EXPLICIT_DENY:
        return None
    key = {_SSE[1]: found.bucket.kms_key_arn} if found.bucket.kms_key_arn else {}
    for value in ("aws:kms", "AES256"):
        context = {**check.context, _SSE[0]: value, **key}
        answer = decide(found.principal, found.bucket, replace(check, context=context), found.now)
        if answer.decision is not Decision.EXPLICIT_DENY:
            return without
    return None


# --- would asking help ---------------------------------------------------------------------------------------------


def _with_help(made: Diagnosis, found: Circumstances) -> Diagnosis:
    """Whether a grant would be enough: the engine is asked again as if the role had it; else by what AWS named."""
    ask = made.denied.ask
    if made.cause not in _GRANTABLE and made.cause is not Cause.KMS_KEY:
        return replace(made, helps=False)
    if made.cause is Cause.MAY_BE_MISSING and ask is not None:
        ask = Ask(ask.target, Level.LIST)  # it shows whether the key is there
    helps = _helps(made, ask, found) if ask is not None else None
    if helps is None and made.cause is Cause.KMS_KEY:
        return replace(made, helps=None)
    return replace(made, helps=helps, ask=ask if helps is not False else None)


def _helps(made: Diagnosis, ask: Ask, found: Circumstances) -> bool | None:
    principal, bucket = found.principal, found.bucket
    if principal is None or bucket is None or principal.identity is UNREADABLE:
        return None
    try:
        granted = with_the_grant(principal, bucket, ask.target, ask.level, found.now)
        needed = [_main_check(made.denied)]
        answers = [decide(granted, bucket, check, found.now) for check in needed]
        answers += [response for _, response in _key_answers(made.denied, granted, bucket, found.now)]
    except SmAccessError:
        return None
    if any(answer.decision in (Decision.EXPLICIT_DENY, Decision.IMPLICIT_DENY) for answer in answers):
        return False
    return True if all(answer.decision is Decision.ALLOW for answer in answers) else None
