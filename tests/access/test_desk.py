from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from doubles import (
    ACCOUNT,
    KEY,
    OTHER_ROLE,
    ROLE,
    SCIENTIST,
    START,
    STEWARD,
    WEEK,
    StoppedClock,
    desk,
    session,
    submit,
)
from hypothesis import given
from hypothesis import strategies as st

from sm_access.access import Desk, InUse, Level, Rules, S3Target, Status, Terms
from sm_access.access.canonical import sha256
from sm_access.access.terms import faults, statements_for, terms_of
from sm_access.errors import (
    BeyondCeiling,
    IllegalTransition,
    InvalidDuration,
    InvalidInput,
    LedgerConflict,
    NotAReviewer,
    QuotaExceeded,
    SelfReview,
    TermsChanged,
    UnknownAccessRequest,
)
from sm_access.stores import MemoryLedger

RAW = S3Target("lake", "raw/")
TERMS = Terms(ROLE, RAW, Level.READ, WEEK)


def test_asked_approved_and_bound() -> None:
    clock = StoppedClock()
    at = desk(clock=clock)
    asked = submit(at, key=KEY)
    assert asked.status is Status.SUBMITTED
    clock.forward(hours=5, microseconds=999)
    approved = at.approve(asked.id, STEWARD, asked.terms_sha256)
    assert approved == at.get(asked.id)
    grant = approved.grant
    assert grant is not None
    assert grant.id == "g-00000001"
    assert (grant.starts_at, grant.ends_at) == (START + timedelta(hours=5), START + timedelta(hours=5) + WEEK)
    assert grant.statements == statements_for(asked, grant.ends_at)
    assert grant.statements[0]["Sid"] == "r00000001List"
    assert faults(approved, grant) == ()


def test_the_terms_are_what_a_reviewer_can_be_shown() -> None:
    asked = submit(desk(), key=KEY)
    shown = terms_of(asked)
    assert asked.terms_sha256 == sha256({"role": ROLE, "statements": shown})
    assert {statement["Condition"]["DateLessThan"]["aws:CurrentTime"] for statement in shown} == {
        "after 604800 seconds"
    }


def test_the_terms_differ_with_everything_that_is_granted() -> None:
    seen = {
        submit(desk(), **change).terms_sha256  # type: ignore[arg-type]
        for change in (
            {},
            {"uri": "s3://lake/raw"},
            {"uri": "s3://lake-2/raw/"},
            {"level": Level.WRITE},
            {"duration": timedelta(days=6)},
            {"role": OTHER_ROLE},
            {"key": KEY},
        )
    }
    assert len(seen) == 7
    assert submit(desk()).terms_sha256 in seen


@pytest.mark.parametrize(
    "arn",
    [
        SCIENTIST.arn,
        f"arn:aws:iam::{ACCOUNT}:user/ann",
        f"arn:aws:iam::{ACCOUNT}:role/*",
        f"arn:aws:iam::{ACCOUNT}:role/",
        "notebooks",
        f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/sagemaker.amazonaws.com/AWSServiceRoleForX",
        f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_X_1",
    ],
)
def test_grants_go_on_roles_alone(arn: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        submit(desk(), role=arn)
    assert refused.value.remedy


@pytest.mark.parametrize("reason", ["", " \n ", "x" * 1001, "free\x00", "\u202egnp.exe"])
def test_reasons_that_are_refused(reason: str) -> None:
    with pytest.raises(InvalidInput, match="reason"):
        desk().submit(SCIENTIST, TERMS, reason)


def test_a_claim_is_kept_as_a_claim_and_no_word_of_it_is_granted() -> None:
    at = desk()
    hostile = '"]}]}, {"Effect":"Allow","Action":"*","Resource":"*"} ${aws:userid} <script>'
    asked = at.submit(SCIENTIST, TERMS, hostile, claimed_person=hostile)
    assert asked.claimed_person == asked.reason == hostile
    approved = at.approve(asked.id, STEWARD)
    assert approved.grant is not None
    assert "script" not in str(approved.grant.statements)
    with pytest.raises(InvalidInput, match="person"):
        at.submit(SCIENTIST, TERMS, "why", claimed_person="")


@pytest.mark.parametrize(
    "duration", [timedelta(0), timedelta(days=-1), timedelta(days=4000), timedelta(seconds=0.5)]
)
def test_durations_that_are_refused(duration: timedelta) -> None:
    with pytest.raises(InvalidDuration):
        submit(desk(), duration=duration)


def test_regions() -> None:
    at = desk()
    assert submit(at, region="eu-west-1").terms.region == "eu-west-1"
    with pytest.raises(InvalidInput, match="Region"):
        submit(at, region="*")
    with pytest.raises(InvalidInput, match="KMS key"):
        submit(at, level=Level.LIST, key="*")


def test_ceilings_hold_at_submission_and_again_at_approval() -> None:
    ledger = MemoryLedger()
    with pytest.raises(BeyondCeiling):
        submit(desk(ledger), level=Level.DELETE)
    assert ledger.requests() == ()
    asked = submit(desk(ledger), level=Level.WRITE)
    tightened = desk(ledger, rules={"reviewers": [f"arn:aws:iam::{ACCOUNT}:role/*"], "levels": ["read"]})
    with pytest.raises(BeyondCeiling):
        tightened.approve(asked.id, STEWARD)


def test_an_id_that_is_taken_is_drawn_again() -> None:
    ledger = MemoryLedger()
    drawn = iter(["r-1", "r-1", "r-2"])
    at = Desk(ledger, Rules(), StoppedClock(), new_id=lambda: next(drawn))
    assert [submit(at).id, submit(at).id] == ["r-1", "r-2"]
    stuck = Desk(ledger, Rules(), StoppedClock(), new_id=lambda: "r-1")
    with pytest.raises(LedgerConflict, match="free id"):
        submit(stuck)


def test_unknown_ids() -> None:
    with pytest.raises(UnknownAccessRequest, match="r-nobody"):
        desk().approve("r-nobody", STEWARD)


def test_other_terms_than_were_shown() -> None:
    at = desk()
    with pytest.raises(TermsChanged):
        at.approve(submit(at).id, STEWARD, "0" * 64)


def test_decisions_are_final() -> None:
    at = desk()
    asked = submit(at)
    at.approve(asked.id, STEWARD)
    for again in (
        lambda: at.approve(asked.id, STEWARD),
        lambda: at.reject(asked.id, STEWARD, "no"),
        lambda: at.withdraw(asked.id, SCIENTIST),
    ):
        with pytest.raises(IllegalTransition, match="is approved"):
            again()


def test_reject_and_withdraw() -> None:
    at = desk()
    assert at.reject(submit(at).id, STEWARD, "too wide").status is Status.REJECTED
    with pytest.raises(InvalidInput, match="answer"):
        at.reject(submit(at).id, STEWARD, "")
    with pytest.raises(NotAReviewer):
        at.reject(submit(at).id, session("training"), "no")
    asked = submit(at)
    with pytest.raises(NotAReviewer, match="withdraw"):
        at.withdraw(asked.id, STEWARD)
    assert at.withdraw(asked.id, session("notebooks", "another")).status is Status.WITHDRAWN
    with pytest.raises(IllegalTransition, match="withdrawn"):
        at.approve(asked.id, STEWARD)


def test_a_grant_ends_by_a_reviewer_or_by_who_asked_and_by_nobody_else() -> None:
    at = desk()
    one, two = submit(at), submit(at)
    for asked in (one, two):
        at.approve(asked.id, STEWARD)
    with pytest.raises(NotAReviewer):
        at.revoke(one.id, session("training"), "mine")
    with pytest.raises(NotAReviewer):
        at.release(one.id, session("training"))
    with pytest.raises(SelfReview):
        at.revoke(two.id, SCIENTIST, "mine")
    assert at.revoke(one.id, STEWARD, "project is over").status is Status.REVOKED
    assert at.release(two.id, session("notebooks", "another")).status is Status.RELEASED
    with pytest.raises(IllegalTransition, match="released"):
        at.release(two.id, SCIENTIST)


def test_what_has_ended_cannot_be_revoked() -> None:
    clock = StoppedClock()
    at = desk(clock=clock)
    asked = submit(at)
    at.approve(asked.id, STEWARD)
    clock.forward(days=7)
    with pytest.raises(IllegalTransition, match="expired"):
        at.revoke(asked.id, STEWARD, "over")


def test_lists() -> None:
    clock = StoppedClock()
    at = desk(clock=clock)
    first, second = submit(at), submit(at, role=OTHER_ROLE, requester=session("training"))
    third = submit(at, "s3://lake/x/")
    at.approve(third.id, STEWARD)
    assert [request.id for request in at.requests()] == [third.id, second.id, first.id]
    assert [request.id for request in at.requests(role_arn=OTHER_ROLE)] == [second.id]
    assert [request.id for request in at.requests(requester=session("notebooks", "x"))] == [
        third.id,
        first.id,
    ]
    assert [request.id for request in at.inbox(STEWARD)] == [first.id, second.id]
    assert at.inbox(session("training")) == ()
    clock.forward(days=8)
    assert [request.id for request in at.requests(status=Status.EXPIRED)] == [third.id]


def test_an_inbox_holds_nothing_of_ones_own() -> None:
    at = desk(rules={"reviewers": [f"arn:aws:iam::{ACCOUNT}:role/*"]})
    submit(at)
    submit(at, role=OTHER_ROLE)
    assert at.inbox(SCIENTIST) == ()
    assert len(at.inbox(session("training"))) == 1
    assert len(at.inbox(STEWARD)) == 2


def test_extending_is_asking_once_more() -> None:
    at = desk()
    old = submit(at, key=KEY)
    at.approve(old.id, STEWARD)
    with pytest.raises(NotAReviewer):
        at.extend(old.id, session("training"), timedelta(days=1), "for us")
    new = at.extend(old.id, SCIENTIST, timedelta(days=1), "one more day")
    assert new.extends == old.id
    assert (new.target, new.level, new.role_arn, new.kms_key_arn) == (old.target, old.level, ROLE, KEY)
    assert new.status is Status.SUBMITTED
    assert at.get(old.id).status is Status.APPROVED


def test_what_would_not_fit_is_not_approved() -> None:
    at = desk()
    approved = 0
    with pytest.raises(QuotaExceeded, match="1,240 of inline policy are free, and 0 of AWS's 10") as refused:  # noqa: PT012
        for number in range(9):
            asked = submit(at, f"s3://lake/raw-{number}/", duration=timedelta(days=1, seconds=number))
            at.approve(asked.id, STEWARD, in_use=InUse(9000, 10))
            approved += 1
    assert approved == 2
    assert refused.value.remedy
    assert at.get(asked.id).status is Status.SUBMITTED


class Lax(Rules):
    """Rules out of which somebody took the refusal of self-review."""

    def check_reviewer(self, reviewer: Any, request: Any, facts: Any = None) -> None:
        pass


def test_the_desk_refuses_self_review_whatever_the_rules_say() -> None:
    at = Desk(MemoryLedger(), Lax(), StoppedClock())
    for decide in (at.approve, lambda *who: at.reject(*who, "no")):
        with pytest.raises(SelfReview):
            decide(submit(at).id, session("notebooks", "steward"))
        with pytest.raises(SelfReview):
            decide(submit(at, role=OTHER_ROLE).id, session("training"))


def test_of_two_decisions_one_is_kept() -> None:
    ledger = MemoryLedger()

    class Late:
        """A ledger on which somebody else decides between our reading and our writing."""

        def __getattr__(self, name: str) -> Any:
            return getattr(ledger, name)

        def append(self, *args: Any) -> None:
            desk(ledger).reject(asked.id, STEWARD, "no")
            ledger.append(*args)

    asked = submit(desk(ledger))
    with pytest.raises(LedgerConflict):
        desk(Late()).approve(asked.id, STEWARD)
    assert desk(ledger).get(asked.id).status is Status.REJECTED


NAMES = st.text(alphabet="abAB/", min_size=1, max_size=3)


@given(who=NAMES, asked_by=NAMES, role=NAMES)
def test_no_approval_where_approver_and_requester_are_one(who: str, asked_by: str, role: str) -> None:
    at = desk(rules={"reviewers": [f"arn:aws:iam::{ACCOUNT}:role/*"]})
    reviewer, requester = (session(name.replace("/", "") or "a") for name in (who, asked_by))
    path = "/".join(filter(None, role.split("/"))) or "a"
    asked = submit(at, role=f"arn:aws:iam::{ACCOUNT}:role/{path}", requester=requester)
    try:
        approved = at.approve(asked.id, reviewer)
    except SelfReview:
        own = {requester.principal.lower(), f"arn:aws:iam::{ACCOUNT}:role/{path.split('/')[-1]}".lower()}
        assert reviewer.principal.lower() in own
    else:
        assert approved.grant is not None
        assert reviewer.principal.lower() != requester.principal.lower()


@pytest.mark.parametrize("blank", ["\u3164", "\u2800 \u115f", "\uffa0\u1160"])
def test_words_of_which_nothing_can_be_seen_are_none(blank: str) -> None:
    with pytest.raises(InvalidInput, match="is empty"):
        desk().submit(SCIENTIST, TERMS, blank)
