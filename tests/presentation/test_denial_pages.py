"""Every cause has its words; who decided is always said; what AWS or a person wrote stays text."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from html import escape
from typing import Any

import pytest

from sm_access.access.call import Call
from sm_access.access.denial_message import Decider, DenialMessage
from sm_access.access.denied_call import Ask, DeniedCall
from sm_access.access.diagnosis import Basis, Cause, Diagnosis
from sm_access.access.evidence import Unread
from sm_access.access.level import Level
from sm_access.access.target import S3Target
from sm_access.policy import Decision, Layer, LayerResult, NearMiss, Response, StatementRef
from sm_access.presentation import denial_words as words
from sm_access.presentation.denial import denial_page, unexplained_page, who
from sm_access.presentation.html import to_html
from sm_access.presentation.page import Tone
from sm_access.presentation.text import to_text

NOW = datetime(2026, 11, 24, 17, tzinfo=timezone.utc)
ME = "arn:aws:sts::111122223333:assumed-role/acme-ds-notebooks/SageMaker"
OWNER = "arn:aws:iam::111122223333:role/acme-data-owner"
READ = StatementRef("team-data", "customer-managed", "ReadPublic", 0, "$.Statement[0]", "Allow")
NEAR = NearMiss(READ, "Resource", "arn:aws:s3:::acme-lake/public/*", "arn:aws:s3:::acme-lake/raw/events.csv")
LACKS = Response(
    Decision.IMPLICIT_DENY, (LayerResult(Layer.IDENTITY, Decision.IMPLICIT_DENY, misses=(NEAR,)),)
)
RAW = Ask(S3Target("acme-lake", "raw/"), Level.READ, reviewers=(OWNER,))


def refused(said: DenialMessage | None = None, **changes: Any) -> DeniedCall:
    call = Call("s3", "GetObject", {}, "eu-central-1", 403, "AccessDenied", "Access Denied", "R1")
    plain = DeniedCall(
        call, said or DenialMessage(), (), "s3:GetObject", "arn:aws:s3:::acme-lake/raw/events.csv", "acme-lake",
        "raw/events.csv",
    )  # fmt: skip
    return replace(plain, **changes)


def made(cause: Cause = Cause.NOT_GRANTED, basis: Basis = Basis.ENGINE, **changes: Any) -> Diagnosis:
    denied = changes.pop("denied", refused())
    return Diagnosis(
        cause, basis, denied, **{"principal": ME, "read_at": NOW - timedelta(minutes=2), **changes}
    )


def test_the_card_says_what_for_whom_who_decided_what_is_near_and_what_to_type() -> None:
    text = to_text(denial_page([made(nearest=NEAR, response=LACKS, helps=True, ask=RAW)], NOW))
    assert [" ".join(line.split()) for line in text.splitlines()[:8]] == [
        "✕ Denied: read s3://acme-lake/raw/events.csv",
        "as role acme-ds-notebooks · s3:GetObject · decided by our engine from policies read 2 min ago (AWS",
        "gave no reason)",
        "No identity policy of the role covers this. No policy denies it.",
        "Nearest: team-data / ReadPublic allows it on acme-lake/public/* only.",
        "A grant would be enough.",
        "read · acme-lake/raw/ · 7 days · reviewed by acme-data-owner",
        'Request access: sm-access request s3://acme-lake/raw/ read --for 7d --why "..."',
    ]
    html = to_html(denial_page([made(helps=True, ask=RAW)], NOW))
    assert "%sm_access request s3://acme-lake/raw/ read --for 7d" in html


@pytest.mark.parametrize("basis", Basis)
@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_words_whoever_decided(cause: Cause, basis: Basis) -> None:
    said = DenialMessage(ME, "s3:GetObject", decider=Decider.IDENTITY, explicit=False)
    denied = refused(said) if basis is Basis.AWS else refused()
    page = denial_page([made(cause, basis, denied=denied, helps=False)], NOW)
    text = to_text(page)
    assert page.tone is (Tone.WARN if cause in words.NEAR else Tone.NO)
    assert ("AWS gave the reason" in text) is (basis is Basis.AWS and cause not in words.NEVER_ASKED)
    assert cause in words.REMEDIES
    (view,) = json.loads(json.dumps(page.data))["denials"]
    assert (view["cause"], view["decided_by"]) == (cause.value, basis.value)
    assert view["remedy"]
    if basis is not Basis.AWS and cause not in words.NEAR:
        assert view["reason"] or cause in {Cause.TRUST, Cause.PUBLIC_ACCESS, Cause.OBJECT_LOCK}


@pytest.mark.parametrize("decider", Decider)
def test_every_kind_of_policy_that_aws_names_has_words(decider: Decider) -> None:
    for explicit in (True, False, None):
        said = DenialMessage(
            ME, "s3:GetObject", decider=decider, explicit=explicit, setting="BlockPublicAcls"
        )
        assert "AWS says: " in to_text(denial_page([made(basis=Basis.AWS, denied=refused(said))], NOW))


def test_the_policy_and_what_it_denied_through_are_named() -> None:
    arn = "arn:aws:organizations::1:policy/o-a/service_control_policy/p-b"
    said = DenialMessage(ME, "sns:Publish", "", Decider.VPC_ENDPOINT, True, arn, Decider.SERVICE_CONTROL)
    text = to_text(denial_page([made(Cause.ENDPOINT_POLICY, Basis.AWS, denied=refused(said))], NOW))
    assert f"AWS says: a VPC endpoint policy, {arn}," in " ".join(text.split())
    assert "through a service control policy." in text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"helps": True, "ask": RAW, "unread": (Unread("x"),)}, "A grant would be enough, as far as could be read."),
        ({"ask": RAW}, "A grant is needed; whether it would be enough cannot be told."),
        ({"basis": Basis.AWS, "ask": RAW}, "It names one policy only: another may still deny."),
        ({"cause": Cause.UNEXPLAINED, "ask": RAW}, "Whether a grant would help cannot be told."),
        ({"helps": False, "then": Cause.BOUNDARY}, "the role's permissions boundary would still refuse"),
        ({"cause": Cause.UNEXPLAINED, "helps": False}, "the role's own policies allow it already"),
        ({"ask": replace(RAW, within_rules=False)}, "The rules let nobody have read on acme-lake by request."),
        ({"cause": Cause.MAY_BE_MISSING, "ask": RAW}, "Whoever may list its folder sees whether it is there."),
        ({"cause": Cause.MAY_BE_MISSING, "look": RAW.target}, "aws s3 ls s3://acme-lake/raw/"),
        ({"cause": Cause.ENCRYPTION_HEADER, "header": {"s3:x-amz-server-side-encryption": "aws:kms"}},
         "upload with ServerSideEncryption='aws:kms'"),
        ({"cause": Cause.ENCRYPTION_HEADER, "header": {"s3:x-amz-server-side-encryption": "aws:kms",
          "s3:x-amz-server-side-encryption-aws-kms-key-id": "K"}}, "SSEKMSKeyId='K'"),
        ({"cause": Cause.WRONG_REGION, "region": "eu-west-1"}, "in eu-west-1, and was asked for in eu-central-1."),
        ({"basis": Basis.AWS, "disagrees": True}, "AWS's word counts."),
        ({"cause": Cause.DISAGREEMENT, "unread": (Unread("the session policy"),)}, "Not read: the session policy."),
        ({"cause": Cause.UNEXPLAINED, "unread": (Unread("the policies", "iam:GetRole"),)}, "(needs iam:GetRole)"),
        ({"cause": Cause.UNEXPLAINED, "depends_on": ("allowed if x",), "response": LACKS, "helps": False},
         "The role's own policies allow it. What decides could not all be read: allowed if x."),
        ({"may_be_missing": True}, "It may also just not exist"),
        ({"cause": Cause.RESOURCE_DENY, "statement": READ}, "It is statement ReadPublic of team-data"),
        ({"cause": Cause.RESOURCE_DENY, "basis": Basis.AWS, "statement": READ}, "by our engine: Statement ReadPublic"),
    ],
)  # fmt: skip
def test_what_is_known_is_said_and_no_more(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in " ".join(to_text(denial_page([made(**changes)], NOW)).split())


def test_several_are_one_page_each_short_and_the_rest_is_counted() -> None:
    boundary = made(Cause.BOUNDARY, denied=refused(path="other.csv"), helps=False)
    page = denial_page([made(nearest=NEAR, helps=True, ask=RAW), boundary], NOW, more=2)
    text = to_text(page)
    assert text.splitlines()[0] == "✕ 4 things were refused"
    assert "And 2 more." in text
    assert len(page.data["denials"]) == 2
    assert denial_page([made(Cause.EXPIRED), made(Cause.CLOCK)], NOW).tone is Tone.WARN
    bare = refused(call=Call("", ""), action="", resource="", bucket="", path="")
    nothing = made(Cause.UNEXPLAINED, Basis.GUESS, denied=bare, principal="")
    assert "a call to AWS" in to_text(denial_page([nothing, nothing], NOW))


HOSTILE = "<script>alert(1)</script>\n\x1b[31m\u202e'\"&"


def test_what_aws_or_a_person_wrote_stays_text() -> None:
    call = Call("s3", HOSTILE, {}, HOSTILE, 403, HOSTILE, HOSTILE, HOSTILE)
    said = DenialMessage(
        HOSTILE, HOSTILE, HOSTILE, Decider.BLOCK_PUBLIC_ACCESS, None, HOSTILE, None, HOSTILE, HOSTILE
    )
    denied = DeniedCall(call, said, (), HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    for basis in Basis:
        page = denial_page(
            [made(basis=basis, denied=denied, principal=HOSTILE, unread=(Unread(HOSTILE),))], NOW
        )
        html, text = to_html(page), to_text(page)
        assert "<script>" not in html
        assert escape("<script>") in html
        assert not {"\x1b", "\u202e"} & set(html + text)
        assert not any(line.startswith("\x1b") for line in text.splitlines())


def test_a_place_is_typed_so_that_a_shell_takes_it_as_one() -> None:
    odd = Ask(S3Target("acme-lake", "it's mine; rm -rf/"), Level.READ)
    text = to_text(denial_page([made(ask=odd)], NOW))
    command = next(line for line in text.splitlines() if "sm-access request" in line).partition("access: ")[2]
    assert shlex.split(command)[:4] == ["sm-access", "request", "s3://acme-lake/it's mine; rm -rf/", "read"]


def test_an_encoded_message_names_the_permission_that_reads_it() -> None:
    page = denial_page([made(denied=refused(DenialMessage(encoded="Zx9")))], NOW)
    assert "sts:DecodeAuthorizationMessage" in to_text(page)


def test_a_principal_is_called_as_people_call_it() -> None:
    assert who(ME) == "role acme-ds-notebooks"
    assert who("arn:aws:iam::111122223333:user/ada") == "user ada"
    assert who("anonymous") == "anonymous"


def test_a_defect_of_ours_is_said_to_be_one() -> None:
    assert "could not explain it (KeyError)" in to_text(unexplained_page("KeyError"))


def test_on_what_it_was_is_said_to_be_unknown() -> None:
    denied = refused(resource="", bucket="", path="")
    text = to_text(denial_page([made(Cause.UNEXPLAINED, Basis.GUESS, denied=denied)], NOW))
    assert "On what it was is not said" in text


def test_where_no_answer_came_aws_gave_no_reason() -> None:
    text = to_text(denial_page([made(Cause.UNREACHABLE, Basis.AWS)], NOW))
    assert "AWS did not answer" in text
    assert "the SDK gave the reason" in text
