"""Narrowing, agreeing by several, rules that approve, emergencies: what comes of them, and what must not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from doubles import (
    ACCOUNT,
    KEY,
    OTHER_ROLE,
    ROLE,
    RULES,
    SCIENTIST,
    START,
    STEWARD,
    WEEK,
    People,
    StoppedClock,
    Told,
    desk,
    rules,
    session,
    submit,
)
from hypothesis import given
from hypothesis import strategies as st

from sm_access.access import AccessRequest, Desk, Extra, Facts, InUse, Level, Rules, S3Target, Status, Terms
from sm_access.access.events import Approved, AutoApproved, Endorsed, GlassBroken, Narrowed
from sm_access.access.model import fold
from sm_access.access.terms import faults, statements_for, terms_sha256, would_be_grant
from sm_access.errors import (
    BeyondCeiling,
    IllegalTransition,
    InvalidInput,
    InvalidSetting,
    NotAReviewer,
    QuotaExceeded,
    Refused,
    SelfReview,
    TermsChanged,
)
from sm_access.stores import MemoryLedger

IAM = f"arn:aws:iam::{ACCOUNT}"
DAY = timedelta(days=1)
BEN = session("StewardsToo", "ben")
EVERYTHING = {**RULES, "levels": ["list", "read", "write", "delete"], "extras": ["versions", "tags"]}
AUTO = {
    "name": "public data",
    "roles": [ROLE],
    "places": ["s3://lake/public/"],
    "levels": ["list", "read"],
    "max_duration": "1d",
}
GLASS = {"roles": [ROLE], "places": ["s3://lake/"], "levels": ["read"], "max_duration": "1h"}


# --- narrowing ------------------------------------------------------------------------------------------------------


def test_narrowed_it_waits_with_smaller_terms_and_is_granted_as_narrowed() -> None:
    told = Told()
    at = desk(rules=EVERYTHING, notifier=told)
    asked = submit(at, key=KEY, extras=(Extra.TAGS,))
    narrowed = at.narrow(
        asked.id, STEWARD, "only October", target=S3Target("lake", "raw/2026-10/"), duration=DAY, extras=()
    )
    assert narrowed == at.get(asked.id)
    assert (narrowed.status, narrowed.asked, narrowed.terms_sha256 != asked.terms_sha256) == (
        Status.SUBMITTED,
        asked.terms,
        True,
    )
    with pytest.raises(TermsChanged):
        at.approve(asked.id, STEWARD, asked.terms_sha256)
    grant = at.approve(asked.id, STEWARD, narrowed.terms_sha256).grant
    assert grant is not None
    assert (grant.target, grant.ends_at, grant.extras) == (S3Target("lake", "raw/2026-10/"), START + DAY, ())
    assert faults(at.get(asked.id), grant) == ()
    assert told.events == [f"{asked.id} {kind}" for kind in ("Submitted", "Narrowed", "Approved")]


def test_to_listing_alone() -> None:
    at = desk()
    asked = submit(at, key=KEY)
    at.narrow(asked.id, STEWARD, "names are enough", level=Level.LIST)
    grant = at.approve(asked.id, STEWARD).grant
    assert grant is not None
    assert [statement["Action"] for statement in grant.statements] == ["s3:ListBucket"]


@pytest.mark.parametrize(
    "more",
    [
        {"target": S3Target("lake")},
        {"target": S3Target("lake", "raw-secret/")},
        {"target": S3Target("pond", "raw/")},
        {"level": Level.WRITE},
        {"duration": WEEK + DAY},
        {"extras": (Extra.VERSIONS,)},
        {},
    ],
)
def test_a_reviewer_takes_away_and_never_adds(more: dict[str, Any]) -> None:
    at = desk(rules=EVERYTHING)
    asked = submit(at)
    with pytest.raises(IllegalTransition, match="only be narrowed"):
        at.narrow(asked.id, STEWARD, "other", **more)
    assert at.get(asked.id) == asked


def test_who_may_not_decide_may_not_narrow() -> None:
    at = desk()
    asked = submit(at)
    with pytest.raises(SelfReview):
        at.narrow(asked.id, SCIENTIST, "less", duration=DAY)
    with pytest.raises(NotAReviewer):
        at.narrow(asked.id, session("training"), "less", duration=DAY)
    with pytest.raises(InvalidInput):
        at.narrow(asked.id, STEWARD, " ", duration=DAY)


TERMS = st.builds(
    Terms,
    st.sampled_from([ROLE, OTHER_ROLE]),
    st.sampled_from(
        [S3Target("lake"), S3Target("lake", "a/"), S3Target("lake", "a/b"), S3Target("pond", "a/")]
    ),
    st.sampled_from(Level),
    st.sampled_from([DAY, WEEK]),
    st.sampled_from([None, KEY]),
    st.just(None),
    st.sampled_from([(), (Extra.VERSIONS,), (Extra.VERSIONS, Extra.TAGS)]),
    st.sampled_from([None, "ann"]),
)


@given(TERMS, TERMS, TERMS)
def test_within_is_an_order(one: Terms, two: Terms, three: Terms) -> None:
    assert one.within(one)
    if one.within(two) and two.within(three):
        assert one.within(three)
    if one.within(two) and two.within(one):
        assert one == two


# --- more than one --------------------------------------------------------------------------------------------------

TWO = {**RULES, "quorum": 2}


def test_where_two_have_to_agree_one_is_not_enough_and_counts_once() -> None:
    at = desk(rules=TWO)
    asked = submit(at)
    first = at.approve(asked.id, STEWARD)
    assert (first.status, first.grant, first.endorsers) == (Status.SUBMITTED, None, (STEWARD,))
    with pytest.raises(IllegalTransition, match="has agreed to access request"):
        at.approve(asked.id, session("Stewards", "in-disguise"))
    assert at.inbox(STEWARD) == ()
    assert [request.id for request in at.inbox(BEN)] == [asked.id]
    grant = at.approve(asked.id, BEN).grant
    assert grant is not None
    assert grant.approvers == (STEWARD, BEN)
    assert isinstance(at.get(asked.id).events[1], Endorsed)


def test_the_clock_starts_with_the_last_of_them() -> None:
    clock = StoppedClock()
    at = desk(rules=TWO, clock=clock)
    asked = submit(at)
    at.approve(asked.id, STEWARD)
    clock.forward(days=2)
    grant = at.approve(asked.id, BEN).grant
    assert grant is not None
    assert (grant.starts_at, grant.ends_at) == (START + 2 * DAY, START + 2 * DAY + WEEK)


def test_who_agreed_to_more_has_not_agreed_to_what_it_was_narrowed_to() -> None:
    at = desk(rules=TWO)
    asked = submit(at)
    at.approve(asked.id, STEWARD)
    assert at.narrow(asked.id, BEN, "a day", duration=DAY).endorsers == ()
    assert at.approve(asked.id, BEN).grant is None
    assert at.approve(asked.id, STEWARD).grant is not None


def test_rules_ask_for_all_of_them_again() -> None:
    at = desk(rules=TWO)
    asked = submit(at)
    at.approve(asked.id, STEWARD)
    request = at.approve(asked.id, BEN)
    grant = request.grant
    assert grant is not None

    def told(table: dict[str, Any]) -> tuple[str, ...]:
        return Rules.from_dict(table).faults(request, grant, lambda _: Facts())

    assert told(TWO) == ()
    assert told({**TWO, "quorum": 3}) == ("too few reviewers agreed to it",)
    assert told({**TWO, "reviewers": [f"{IAM}:role/Stewards"]}) == ("its approver may not decide on it",)
    alone = replace(grant, approvers=(STEWARD, session("Stewards", "again")))
    assert rules_faults(TWO, request, alone) == ("too few reviewers agreed to it",)
    assert rules_faults(TWO, request, replace(grant, approvers=())) == ("too few reviewers agreed to it",)


def rules_faults(table: dict[str, Any], request: AccessRequest, grant: Any) -> tuple[str, ...]:
    return Rules.from_dict(table).faults(request, grant, lambda _: Facts())


def test_an_agreement_to_other_terms_cannot_have_happened() -> None:
    asked = submit(desk())
    for event in (Endorsed(START, STEWARD, "0" * 64), Endorsed(START, STEWARD, asked.terms_sha256)):
        stream = (*asked.events, event)
        if event.terms_sha256 == asked.terms_sha256:
            with pytest.raises(IllegalTransition, match="before"):
                fold((*stream, event))
        else:
            with pytest.raises(IllegalTransition, match="other terms"):
                fold(stream)


# --- whom the rules name --------------------------------------------------------------------------------------------


def test_members_of_a_group_may_review() -> None:
    table = {"reviewer_groups": ["DataOwners"]}
    people = People(
        ann=Facts(groups=frozenset({"DataOwners", "Staff"})), ben=Facts(groups=frozenset({"Staff"}))
    )
    at = desk(rules=table, directory=people)
    ann, ben, eve = (session(name, "x") for name in ("ann", "ben", "eve"))
    asked = submit(at)
    for other in (ben, eve):
        with pytest.raises(NotAReviewer, match="not a reviewer") as refused:
            at.approve(asked.id, other)
        assert "members of the IAM group DataOwners" in refused.value.remedy
    assert at.approve(asked.id, ann).status is Status.APPROVED
    assert people.asked[0] == ("ben", ROLE, "lake", "")


@pytest.mark.parametrize(
    ("owner", "named"),
    [
        (f"{IAM}:role/ann", True),
        (f"{IAM}:user/x {IAM}:role/data/ann", True),
        (f"{IAM}:role/*", False),
        ("ann", False),
        ("", False),
        (None, False),
    ],
)
def test_the_owner_by_a_bucket_s_tag_may_review(owner: str | None, named: bool) -> None:
    at = desk(rules={"owner_tag": "data-owner"}, directory=People(ann=Facts(owner=owner)))
    asked = submit(at)
    assert [request.id for request in at.inbox(session("ann"))] == ([asked.id] if named else [])


def test_a_tag_that_the_rules_do_not_ask_for_names_nobody() -> None:
    at = desk(rules={}, directory=People(ann=Facts(owner=f"{IAM}:role/ann")))
    submit(at)
    assert at.inbox(session("ann")) == ()


def test_a_role_that_the_requester_s_may_assume_decides_on_nothing_of_it() -> None:
    at = desk(directory=People(stewards=Facts(reachable=True)))
    asked = submit(at)
    for decide in (at.approve, lambda *who: at.reject(*who, "no")):
        with pytest.raises(SelfReview, match="may assume it"):
            decide(asked.id, STEWARD)
    assert at.inbox(STEWARD) == ()
    assert desk(directory=People(stewards=Facts(reachable=False))).inbox(STEWARD) == ()


def test_where_it_cannot_be_found_out_whether_the_requester_could_be_the_reviewer_nobody_decides() -> None:
    people = People(stewards=Facts(reachable=False, unread="the trust policy of Stewards"))
    at = desk(directory=people)
    asked = submit(at, role=OTHER_ROLE)
    with pytest.raises(NotAReviewer, match="the trust policy of Stewards could not be read") as refused:
        at.approve(asked.id, STEWARD)
    assert "iam:GetPolicyVersion" in refused.value.remedy
    assert people.asked[0] == ("stewards", f"{OTHER_ROLE} {ROLE}", "lake", "")


# --- rules that approve ---------------------------------------------------------------------------------------------


def auto_desk(ledger: MemoryLedger | None = None, **more: Any) -> Desk:
    return desk(ledger, rules={**EVERYTHING, "auto": [{**AUTO, **more}]})


def test_a_rule_approves_what_it_covers_and_says_so() -> None:
    at = auto_desk()
    covered = submit(at, "s3://lake/public/maps/", duration=DAY)
    others = [
        submit(at, "s3://lake/public-not/", duration=DAY),
        submit(at, "s3://lake/", duration=DAY),
        submit(at, "s3://pond/public/", duration=DAY),
        submit(at, "s3://lake/public/", level=Level.WRITE, duration=DAY),
        submit(at, "s3://lake/public/", duration=DAY + timedelta(seconds=1)),
        submit(at, "s3://lake/public/", duration=DAY, extras=(Extra.TAGS,)),
        submit(at, "s3://lake/public/", duration=DAY, role=OTHER_ROLE),
        submit(at, "s3://lake/public/", duration=DAY, key=KEY),
    ]
    (approved,) = at.approve_by_rules(STEWARD, lambda _: InUse())
    assert approved.id == covered.id
    assert isinstance(approved.events[-1], AutoApproved)
    grant = approved.grant
    assert grant is not None
    assert (grant.rule, grant.approvers, faults(approved, grant)) == ("public data", (), ())
    assert {at.get(other.id).status for other in others} == {Status.SUBMITTED}
    assert at.approve_by_rules(STEWARD, lambda _: InUse()) == ()
    assert rules_faults({**EVERYTHING, "auto": [AUTO]}, approved, grant) == ()
    for now in (
        EVERYTHING,
        {**EVERYTHING, "auto": [{**AUTO, "name": "other"}]},
        {**EVERYTHING, "auto": [{**AUTO, "levels": ["list"]}]},
    ):
        assert rules_faults(now, approved, grant) == ("the rule 'public data' does not approve it",)


def test_what_would_not_fit_or_is_above_the_ceiling_waits_for_a_person() -> None:
    ledger = MemoryLedger()
    at = auto_desk(ledger)
    submit(at, "s3://lake/public/", duration=DAY)
    assert at.approve_by_rules(STEWARD, lambda _: InUse(10_240, 10)) == ()
    lower = desk(ledger, rules={**RULES, "levels": ["list"], "auto": [AUTO]})
    assert lower.approve_by_rules(STEWARD, lambda _: InUse()) == ()
    assert len(at.approve_by_rules(STEWARD, lambda _: InUse())) == 1


def test_terms_that_the_ledger_changed_are_not_approved_by_anybody() -> None:
    ledger = MemoryLedger()
    at = auto_desk(ledger)
    asked = submit(at, "s3://lake/public/", duration=DAY)
    forged = MemoryLedger()
    first = replace(asked.events[0], target=S3Target("lake", "public/more/"))
    forged.append(asked.id, 0, (first,))
    other = auto_desk(forged)
    assert other.approve_by_rules(STEWARD, lambda _: InUse()) == ()
    with pytest.raises(TermsChanged, match="other terms"):
        other.approve(asked.id, STEWARD)


# --- emergencies ----------------------------------------------------------------------------------------------------

HOUR = timedelta(hours=1)


def test_in_an_emergency_the_requester_takes_it_loudly_and_within_the_rule() -> None:
    told = Told()
    table = {**EVERYTHING, "break_glass": GLASS}
    at = desk(rules=table, notifier=told)
    asked = submit(at, duration=HOUR)
    taken = at.break_glass(asked.id, SCIENTIST, "production is down")
    grant = taken.grant
    assert grant is not None
    assert (grant.emergency, grant.approvers, grant.ends_at) == ("production is down", (), START + HOUR)
    assert faults(taken, grant) == ()
    assert rules_faults(table, taken, grant) == ()
    assert rules_faults(EVERYTHING, taken, grant) == ("the rules leave nobody to take it in an emergency",)
    assert isinstance(taken.events[-1], GlassBroken)
    assert told.events[-1] == f"{asked.id} GlassBroken"


@pytest.mark.parametrize(
    "ask",
    [
        {"duration": HOUR + timedelta(seconds=1)},
        {"level": Level.WRITE, "duration": HOUR},
        {"uri": "s3://pond/", "duration": HOUR},
        {"role": OTHER_ROLE, "duration": HOUR},
        {"extras": (Extra.TAGS,), "duration": HOUR},
    ],
)
def test_what_the_rule_does_not_leave_is_not_taken(ask: dict[str, Any]) -> None:
    at = desk(rules={**EVERYTHING, "break_glass": GLASS})
    asked = submit(at, **ask)
    with pytest.raises(Refused, match="emergency"):
        at.break_glass(asked.id, SCIENTIST, "now!")
    assert at.get(asked.id).status is Status.SUBMITTED


def test_nobody_takes_it_for_another_and_not_without_a_rule_room_or_words() -> None:
    at = desk(rules={**EVERYTHING, "break_glass": GLASS})
    asked = submit(at, duration=HOUR)
    with pytest.raises(NotAReviewer):
        at.break_glass(asked.id, STEWARD, "now!")
    with pytest.raises(InvalidInput):
        at.break_glass(asked.id, SCIENTIST, "")
    with pytest.raises(QuotaExceeded):
        at.break_glass(asked.id, SCIENTIST, "now!", in_use=InUse(10_240, 10))
    plain = desk(rules=EVERYTHING)
    with pytest.raises(Refused, match="emergency"):
        plain.break_glass(submit(plain, duration=HOUR).id, SCIENTIST, "now!")


def test_a_request_as_a_grant_that_it_would_be() -> None:
    asked = submit(desk(), key=KEY)
    would = would_be_grant(asked, START)
    assert (would.ends_at, would.approvers) == (START + WEEK, ())
    assert would.statements == statements_for(asked, START + WEEK)


def test_an_emergency_of_somebody_else_cannot_have_happened() -> None:
    asked = submit(desk(), duration=HOUR)
    forged = GlassBroken(START, STEWARD, "now!", asked.terms_sha256, START + HOUR, (), "0" * 64)
    with pytest.raises(IllegalTransition, match="did not ask"):
        fold((*asked.events, forged))


def test_only_the_role_itself_takes_what_it_would_gain() -> None:
    wide = {**GLASS, "roles": [f"{IAM}:role/*"]}
    at = desk(rules={**EVERYTHING, "break_glass": wide})
    asked = submit(at, role=OTHER_ROLE, duration=HOUR)
    with pytest.raises(Refused, match="emergency"):
        at.break_glass(asked.id, SCIENTIST, "now!")


# --- ceilings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "ask", "words"),
    [
        ({"depth": 1}, {"uri": "s3://lake"}, "at least 1 component:|at least 1 component\\."),
        ({"depth": 2}, {}, "at least 2 components"),
        ({}, {"extras": (Extra.VERSIONS,)}, "versions on bucket lake"),
        ({"team_wide": False}, {}, "for a whole role"),
        ({"role": {"Notebooks": {"max_duration": "1d"}}}, {}, "for the role notebooks"),
        ({"role": {"notebooks": {"levels": ["list"]}}}, {}, "read for the role notebooks"),
        ({"bucket": {"lake": {"depth": 2}}}, {}, "at least 2"),
    ],
)
def test_beyond_the_ceiling(table: dict[str, Any], ask: dict[str, Any], words: str) -> None:
    at = desk(rules={**RULES, **table})
    with pytest.raises(BeyondCeiling, match=words) as refused:
        submit(at, **ask)
    assert refused.value.remedy


def test_within_the_ceiling() -> None:
    table = {
        **RULES,
        "depth": 1,
        "extras": ["versions"],
        "team_wide": False,
        "role": {"training": {"levels": []}, "notebooks": {"max_duration": "30d", "extras": ["versions"]}},
    }
    at = desk(rules=table)
    asked = submit(at, extras=(Extra.VERSIONS,), source_identity="ann")
    assert asked.terms.source_identity == "ann"
    with pytest.raises(BeyondCeiling, match="7 days"):
        submit(at, duration=timedelta(days=8), source_identity="ann")


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"depth": True}, "depth"),
        ({"depth": -1}, "depth"),
        ({"team_wide": 1}, "team_wide"),
        ({"owner_tag": " "}, "owner_tag"),
        ({"quorum": 0}, "quorum"),
        ({"extras": ["acls"]}, "extras"),
        ({"role": []}, "role"),
        ({"role": {"a/b": {}}}, 'role."a/b"'),
        ({"role": {"a": {"reviewers": []}}}, r'role."a".reviewers'),
        ({"auto": {}}, "auto"),
        ({"auto": [1]}, r"auto\[0\]"),
        ({"auto": [{}]}, r"auto\[0\] does not say name"),
        ({"auto": [{**AUTO, "quorum": 1}]}, r"auto\[0\].quorum"),
        ({"auto": [AUTO, AUTO]}, "Two rules"),
        ({"auto": [{**AUTO, "places": ["lake"]}]}, r"auto\[0\].places"),
        ({"auto": [{**AUTO, "roles": ["*"]}]}, r"auto\[0\].roles"),
        ({"break_glass": []}, "break_glass"),
        ({"break_glass": {"roles": [ROLE]}}, "break_glass does not say"),
    ],
)
def test_rules_that_cannot_be_understood_are_named(table: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidSetting, match=f"^{key}") as refused:
        Rules.from_dict(table)
    assert refused.value.remedy


# --- one person -----------------------------------------------------------------------------------------------------


def test_a_grant_for_one_person_holds_them_in_every_statement() -> None:
    at = desk()
    asked = submit(at, key=KEY, source_identity="ann")
    assert asked.terms_sha256 != submit(desk(), key=KEY).terms_sha256
    grant = at.approve(asked.id, STEWARD).grant
    assert grant is not None
    for statement in grant.statements:
        assert statement["Condition"]["StringEquals"]["aws:SourceIdentity"] == "ann"


@pytest.mark.parametrize("name", ["a", "aws:x", "a b", "*", "${aws:userid}", "x" * 65, ""])
def test_what_cannot_be_a_source_identity(name: str) -> None:
    with pytest.raises(InvalidInput, match="source identity"):
        submit(desk(), source_identity=name)


def test_tags_of_nothing_cannot_be_asked_for() -> None:
    with pytest.raises(InvalidInput, match="Tags"):
        submit(desk(rules=EVERYTHING), level=Level.LIST, extras=(Extra.TAGS,))


def test_a_narrowing_that_the_ledger_has_is_held_to_the_same_law() -> None:
    asked = submit(desk())
    wider = replace(asked.terms, target=S3Target("lake"))
    forged = Narrowed(
        START,
        STEWARD,
        wider.target,
        wider.level,
        wider.duration,
        wider.extras,
        "wider",
        terms_sha256(asked.id, wider),
    )
    with pytest.raises(IllegalTransition, match="narrowed"):
        fold((*asked.events, forged))


def test_approvals_bind_what_stands_at_the_time() -> None:
    asked = submit(desk())
    stolen = Approved(START, STEWARD, "0" * 64, START + WEEK, (), "0" * 64)
    with pytest.raises(IllegalTransition, match="other terms"):
        fold((*asked.events, stolen))
    assert rules().quorum("lake") == 1
