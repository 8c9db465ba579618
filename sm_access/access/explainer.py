"""From a refused call, and what was read around it, to its diagnosis.

Pure. The engine's answers are read layer by layer: AWS has denied, so a layer that does not allow is a reason whatever
the layers say that could not be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sm_access.access.call import Call, NoticedBy
from sm_access.access.caller import same_principal
from sm_access.access.denial_message import Decider
from sm_access.access.denied_call import Ask, DeniedCall, denied_call
from sm_access.access.diagnosis import Basis, Cause, Circumstances, Diagnosis
from sm_access.access.engine_answers import HEADERS, SSE, SSE_KEY, Answer, Engine
from sm_access.access.evidence import Unread
from sm_access.access.level import Level
from sm_access.access.levels import LIST_ACTION
from sm_access.access.operations import Need
from sm_access.access.trouble import Trouble, trouble_of
from sm_access.access.verdict import with_the_grant
from sm_access.errors import InvalidInput
from sm_access.policy import UNREADABLE, Decision, Layer, NearMiss, Response, StatementRef

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
_DENIES = {
    Layer.IDENTITY: Cause.IDENTITY_DENY,
    Layer.RESOURCE: Cause.RESOURCE_DENY,
    Layer.PERMISSIONS_BOUNDARY: Cause.BOUNDARY,
    Layer.SESSION: Cause.SESSION_POLICY,
    Layer.SERVICE_CONTROL: Cause.SERVICE_CONTROL,
    Layer.RESOURCE_CONTROL: Cause.RESOURCE_CONTROL,
    Layer.VPC_ENDPOINT: Cause.ENDPOINT_POLICY,
}
_LACKS = {
    Layer.IDENTITY: Cause.NOT_GRANTED,
    Layer.PERMISSIONS_BOUNDARY: Cause.BOUNDARY,
    Layer.SESSION: Cause.SESSION_POLICY,
    Layer.SERVICE_CONTROL: Cause.SERVICE_CONTROL,
}
_LAYER_OF = {
    Decider.IDENTITY: Layer.IDENTITY,
    Decider.PERMISSIONS_BOUNDARY: Layer.PERMISSIONS_BOUNDARY,
    Decider.SESSION: Layer.SESSION,
    Decider.RESOURCE: Layer.RESOURCE,
}
#: What a grant to the role may mend; nothing else is ever asked for.
_GRANTABLE = frozenset({Cause.NOT_GRANTED, Cause.MAY_BE_MISSING, Cause.KMS_KEY})
_READS = frozenset({"s3:getobject", "s3:getobjectversion"})
_WRITES = frozenset({"s3:putobject"})
#: What tells through which network a call came; without them a bucket that is open to one network only denies.
_NETWORK = frozenset(
    {
        "aws:sourcevpce",
        "aws:sourcevpc",
        "aws:vpcsourceip",
        "aws:vpceaccount",
        "aws:vpceorgid",
        "aws:vpceorgpaths",
    }
)
_EXPECTED_REGION = re.compile(r"expecting '([a-z0-9-]{4,30})'")


def diagnose(call: Call, found: Circumstances) -> Diagnosis | None:
    """The explanation of one call, None where its failure is none of ours."""
    trouble = trouble_of(call)
    if trouble is None:
        return None
    account = found.caller.account if found.caller else ""
    denied = denied_call(call, account=account, decoded=found.decoded)
    if trouble is not Trouble.DENIED:
        return _near(trouble, denied, found)
    said = denied.said
    made = Diagnosis(
        Cause.UNEXPLAINED,
        Basis.GUESS,
        denied,
        principal=said.principal or (found.caller.arn if found.caller else ""),
        explicit=said.explicit,
        policy=said.policy_arn,
        may_be_missing=denied.asked_action.lower() in _READS and not denied.of_key,
        unread=_unread(found),
    )
    engine = _engine(denied, found)
    answers = engine.answers(denied) if engine else ()
    made = _by_words(made, answers, found) if said.decider else _by_engine(made, answers, engine, found)
    if engine is not None and made.response is not None:
        made = replace(made, read_at=engine.read_at)
    if engine is not None and made.may_be_missing and denied.bucket:
        made = replace(made, may_be_missing=_listing(engine, denied.bucket).refuses)
    helped = _with_help(_with_conditions(made, engine), engine)
    # A request is for the caller's own role: it mends nothing of another's.
    return replace(helped, ask=None) if _of_another(said.principal, found) else helped


def _of_another(principal: str, found: Circumstances) -> bool:
    return (
        principal.startswith("arn:")
        and found.caller is not None
        and not same_principal(principal, found.caller.arn)
    )


def _near(trouble: Trouble, denied: DeniedCall, found: Circumstances) -> Diagnosis:
    """A trouble that is no denial, and has an explanation of its own."""
    made = Diagnosis(
        Cause(trouble.value), Basis.AWS, denied, principal=found.caller.arn if found.caller else ""
    )
    of_bucket = found.bucket.region if found.bucket else None
    if trouble is Trouble.WRONG_REGION:
        expected = _EXPECTED_REGION.search(denied.call.message[:2000])
        return replace(made, region=expected[1] if expected else of_bucket or "")
    if trouble is Trouble.NO_BUCKET:
        return replace(made, denied=replace(denied, path=""))
    if trouble is not Trouble.BAD_REQUEST:
        return made
    if found.credentials_expired:
        return replace(made, cause=Cause.EXPIRED, basis=Basis.ENGINE)
    if of_bucket and denied.call.region and of_bucket != denied.call.region:
        return replace(made, cause=Cause.WRONG_REGION, basis=Basis.ENGINE, region=of_bucket)
    return replace(made, basis=Basis.GUESS)


def _unread(found: Circumstances) -> tuple[Unread, ...]:
    principal = found.principal.unread if found.principal else ()
    bucket = found.bucket.unread if found.bucket else ()
    return tuple(dict.fromkeys((*principal, *bucket, *found.unread)))


def _engine(denied: DeniedCall, found: Circumstances) -> Engine | None:
    """None where nothing was read, or only of somebody else."""
    principal, said = found.principal, denied.said.principal
    if principal is None or (said.startswith("arn:") and not same_principal(said, principal.arn)):
        return None
    return Engine(principal, found.bucket, found.now)


# --- AWS gave a reason ---------------------------------------------------------------------------------------------


def _by_words(made: Diagnosis, answers: Sequence[Answer], found: Circumstances) -> Diagnosis:
    denied, said = made.denied, made.denied.said
    made = replace(made, basis=Basis.AWS, cause=_cause_in_words(made, found))
    if denied.of_hidden_listing:
        # S3 asks for the listing only once the read has passed and the key is not there.
        return replace(made, cause=Cause.MAY_BE_MISSING) if denied.asked_action.lower() in _READS else made
    response = next((a.response for a in answers if a.need.action.lower() == denied.action.lower()), None)
    if response is None:
        return made
    layer = _LAYER_OF.get(said.decider) if said.decider else None
    of_layer = [each for each in response.layers if each.layer is layer]
    return replace(
        made,
        statement=of_layer[0].deciding if of_layer and said.explicit else None,
        # Where a deny decided, no Allow was near.
        nearest=None if said.explicit else _nearest(response, layer),
        disagrees=response.decision is Decision.ALLOW,
        response=response,
    )


def _cause_in_words(made: Diagnosis, found: Circumstances) -> Cause:
    said = made.denied.said
    if said.decider in _BY_WORDS:
        return _BY_WORDS[said.decider]
    if made.denied.of_key:
        return Cause.KMS_KEY
    if said.decider is Decider.IDENTITY:
        return Cause.NOT_GRANTED if said.explicit is False else Cause.IDENTITY_DENY
    if said.explicit is not False:
        return Cause.RESOURCE_DENY
    return Cause.OTHER_ACCOUNT if _is_foreign(made, found) else Cause.RESOURCE_SILENT


def _is_foreign(made: Diagnosis, found: Circumstances) -> bool:
    """Whether the bucket belongs to another account than the principal's, as far as can be told."""
    account = made.principal.split(":")[4] if made.principal.count(":") >= 5 else ""
    if found.bucket is None or not account:
        return False
    owner = found.bucket.owner_account
    return found.bucket.is_foreign if owner is None else owner != account


def _nearest(response: Response, layer: Layer | None) -> NearMiss | None:
    """The Allow that came nearest in this layer; one for quite another action is near to nothing."""
    for each in response.layers:
        if each.outcome is not Decision.ALLOW and layer in (None, each.layer):
            return next((miss for miss in each.misses if miss.element != "Action"), None)
    return None


# --- AWS gave none -------------------------------------------------------------------------------------------------


def _by_engine(
    made: Diagnosis, answers: Sequence[Answer], engine: Engine | None, found: Circumstances
) -> Diagnosis:
    denied = made.denied
    expected = denied.call.parameters.get("ExpectedBucketOwner", "")
    owner = found.bucket.owner_account if found.bucket else None
    if expected and owner and owner != expected:
        return replace(made, cause=Cause.OWNER_MISMATCH, basis=Basis.ENGINE)
    if engine is None or not answers:
        return made
    foreign = _is_foreign(made, found)
    refusing = [answer for answer in answers if answer.refuses]
    certainly = [answer for answer in refusing if _refusing(answer.response, foreign=foreign)[2]]
    if not refusing:
        missing = denied.asked_action.lower() in _READS and _listing(engine, denied.bucket).refuses
        cause = Cause.MAY_BE_MISSING if missing else Cause.DISAGREEMENT
        made = replace(made, cause=cause, basis=Basis.ENGINE, response=answers[0].response)
        return replace(made, disagrees=not missing)
    refused = (certainly or refusing)[0]
    if refused.need.action != denied.action:
        made = replace(
            made, denied=replace(denied, action=refused.need.action, resource=refused.need.resource)
        )
    response = refused.response
    cause, told, certain = _refusing(response, foreign=foreign)
    if cause is Cause.NOT_GRANTED and not refused.need.exact and _nearest(response, Layer.IDENTITY):
        return made  # the role may do it somewhere, and on what this was is not known
    if made.denied.of_key and denied.bucket:
        # Reading an object's headers alone needs no key (Amazon S3 API Reference, "HeadObject").
        cause, certain = Cause.KMS_KEY, certain and denied.call.operation != "HeadObject"
    return replace(
        made,
        cause=cause,
        basis=Basis.ENGINE if certain else Basis.GUESS,
        explicit=response.decision is Decision.EXPLICIT_DENY,
        policy=told.policy if told else made.policy,
        statement=told,
        nearest=_nearest(response, None),
        depends_on=response.depends_on if cause is Cause.UNEXPLAINED else (),
        response=response,
    )


def _refusing(response: Response, *, foreign: bool) -> tuple[Cause, StatementRef | None, bool]:
    """The layer that refused, the statement that denies there, and whether that is certain.

    AWS has denied: so what a layer lacks is a reason, also where another could not be read.
    """
    outcomes = {each.layer: each.outcome for each in response.layers}
    for each in response.layers:
        if each.outcome is Decision.EXPLICIT_DENY:
            return _DENIES[each.layer], each.deciding, True
    for layer, cause in _LACKS.items():
        if outcomes.get(layer) is Decision.IMPLICIT_DENY:
            return cause, None, True
    if any(outcomes.get(layer) is Decision.UNDETERMINED for layer in _LACKS):
        return Cause.UNEXPLAINED, None, False
    # In one account a resource's policy need not allow, unless the service wants its consent: then it decides.
    silent = (
        response.decision is Decision.IMPLICIT_DENY and outcomes.get(Layer.RESOURCE) is Decision.IMPLICIT_DENY
    )
    if foreign:
        return Cause.OTHER_ACCOUNT, None, silent
    return (Cause.RESOURCE_SILENT, None, True) if silent else (Cause.UNEXPLAINED, None, False)


def _listing(engine: Engine, bucket: str, prefix: str = "") -> Answer:
    """Whether the bucket may be listed; what S3 asks before it says that a key is missing names no prefix."""
    partition = engine.principal.arn.split(":")[1]
    context = {"s3:prefix": prefix} if prefix else {}
    return engine.ask(Need(LIST_ACTION, f"arn:{partition}:s3:::{bucket}", context))


# --- what the request lacked ---------------------------------------------------------------------------------------


def _with_conditions(made: Diagnosis, engine: Engine | None) -> Diagnosis:
    """Where a bucket's policy denies only without a header, or from elsewhere, that is the cause."""
    denied = made.denied
    own = [need for need in denied.needed if need.action.lower() == denied.asked_action.lower()]
    if engine is None or made.cause not in {Cause.RESOURCE_DENY, Cause.UNEXPLAINED} or not own:
        return made
    if denied.asked_action.lower() in _WRITES and SSE not in own[0].context:
        without = _denied_by_bucket(engine.ask(own[0], HEADERS - {key.lower() for key in own[0].context}))
        header = _header_that_passes(own[0], engine) if without else None
        if without and header:
            made = _caused(
                made, Cause.ENCRYPTION_HEADER, without, sure=denied.call.noticed_by is NoticedBy.SDK
            )
            return replace(made, header=header)
    outside = _denied_by_bucket(engine.ask(own[0], _NETWORK))
    if outside and not _denied_by_bucket(engine.ask(own[0])):
        return _caused(made, Cause.NETWORK, outside, sure=False)
    return made


def _caused(made: Diagnosis, cause: Cause, by: Answer, *, sure: bool) -> Diagnosis:
    basis = made.basis if made.basis is Basis.AWS else Basis.ENGINE if sure else Basis.GUESS
    told = by.response.deciding
    made = replace(
        made, cause=cause, basis=basis, statement=told, response=by.response, depends_on=(), explicit=True
    )
    return replace(made, policy=made.policy or (told.policy if told else ""))


def _denied_by_bucket(answer: Answer) -> Answer | None:
    if answer.response.decision is not Decision.EXPLICIT_DENY:
        return None
    denying = [each.layer for each in answer.response.layers if each.outcome is Decision.EXPLICIT_DENY]
    return answer if denying == [Layer.RESOURCE] else None


def _header_that_passes(need: Need, engine: Engine) -> Mapping[str, str] | None:
    """The least that an upload would have to say of its encryption; None where nothing of that kind helps."""
    key = engine.bucket.kms_key_arn if engine.bucket else None
    tried = [{SSE: "aws:kms"}, {SSE: "AES256"}, *([{SSE: "aws:kms", SSE_KEY: key}] if key else [])]
    for headers in tried:
        context = {**need.context, **headers}
        answer = engine.ask(replace(need, context=context), HEADERS - {name.lower() for name in context})
        if answer.response.decision is not Decision.EXPLICIT_DENY:
            return headers
    return None


# --- would asking help ---------------------------------------------------------------------------------------------


def _with_help(made: Diagnosis, engine: Engine | None) -> Diagnosis:
    """Whether a grant would be enough: the engine is asked again as if the role had it; else it cannot be told."""
    ask = made.denied.ask
    if made.cause is Cause.MAY_BE_MISSING:
        return _with_a_look(made, ask, engine)
    if made.cause is Cause.UNEXPLAINED:
        return replace(made, helps=False) if _lacks_nothing(made) else replace(made, ask=ask)
    if made.cause not in _GRANTABLE:
        return replace(made, helps=False)
    if ask is None:
        return made
    after = _after(made, ask, engine)
    if not after:
        return replace(made, ask=None if made.cause is Cause.KMS_KEY else ask)
    still = next((answer for answer in after if answer.refuses), None)
    if still is None:
        return replace(made, helps=True, ask=ask)
    if still.response.decision is Decision.UNDETERMINED:
        return replace(made, ask=ask)
    then = (
        Cause.KMS_KEY if still.need.action.startswith("kms:") else _refusing(still.response, foreign=False)[0]
    )
    return replace(made, helps=False, then=then if then is not made.cause else None)


def _lacks_nothing(made: Diagnosis) -> bool:
    """The role's own policies allow it, so that asking for more of them would change nothing."""
    response = made.response
    own = [each.outcome for each in response.layers if each.layer is Layer.IDENTITY] if response else []
    return own == [Decision.ALLOW]


def _after(made: Diagnosis, ask: Ask, engine: Engine | None) -> tuple[Answer, ...]:
    """The engine's answers if the role had the grant; none where it cannot be asked."""
    if engine is None or engine.bucket is None or engine.principal.identity is UNREADABLE:
        return ()
    try:
        granted = with_the_grant(engine.principal, engine.bucket, ask.target, ask.level, engine.now)
    except InvalidInput:
        return ()  # the bucket's key is none that a grant could name
    return replace(engine, principal=granted).answers(made.denied)


def _with_a_look(made: Diagnosis, ask: Ask | None, engine: Engine | None) -> Diagnosis:
    """How to see whether the key is there: by listing its folder, or by asking for that."""
    made = replace(made, may_be_missing=True)
    if ask is None:
        return made
    listed = Ask(ask.target, Level.LIST)
    if engine is not None and not _listing(engine, ask.target.bucket, ask.target.listing_prefix).refuses:
        return replace(made, look=ask.target, helps=False)
    return replace(made, ask=listed)
