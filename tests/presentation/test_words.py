"""Every status, decision, source and outcome has words; hostile values in every field stay text."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from sm_access.access.caller import Caller
from sm_access.access.gain import Gain
from sm_access.access.identity import Authority, CredentialSource, Identity, RoleStatement, Site
from sm_access.access.level import Level
from sm_access.access.model import Status, Terms
from sm_access.access.owner_half import OwnerHalf
from sm_access.access.planner import InUse, arrange
from sm_access.access.probe import DECIDED, Outcome, Probe, ProbeKind, ProbeResult
from sm_access.access.proof import ProofFinding, ProofStep
from sm_access.access.rules import Rules
from sm_access.access.target import S3Target
from sm_access.policy import Change, Decision, StatementRef
from sm_access.presentation import requests as words
from sm_access.presentation.html import to_html
from sm_access.presentation.identity import identity_page, identity_view, name_of, one_line
from sm_access.presentation.moments import ago, instant, iso, left, short
from sm_access.presentation.page import Page, Tone
from sm_access.presentation.text import to_text

NOW = datetime(2026, 11, 23, 17, tzinfo=timezone.utc)
ACCOUNT = "111122223333"

PLAN = arrange(f"arn:aws:iam::{ACCOUNT}:role/notebooks", [], InUse(500))


def identity(**changes: Any) -> Identity:
    plain = Identity(
        caller=Caller(
            f"arn:aws:sts::{ACCOUNT}:assumed-role/notebooks/SageMaker", ACCOUNT, "AROAEXAMPLE:SageMaker"
        ),
        source=CredentialSource.CONTAINER,
        expires_at=NOW + timedelta(hours=1),
        long_term_key=False,
        region="eu-central-1",
        read_at=NOW,
    )
    return replace(plain, **changes)


BY_STS = RoleStatement(Authority.STS, f"arn:aws:iam::{ACCOUNT}:role/notebooks", "STS GetCallerIdentity")


def stated(role: str, by: Authority = Authority.METADATA) -> RoleStatement:
    return RoleStatement(by, f"arn:aws:iam::{ACCOUNT}:role/{role}", "resource-metadata.json")


def shown(page: Page) -> str:
    return to_text(page) + to_html(page)


class TestIdentity:
    def test_the_view_is_what_the_front_end_was_promised(self) -> None:
        view = identity_view(identity(), NOW)
        assert set(view) >= {
            "name", "kind", "account", "arn", "session_name", "source", "expires_at", "long_term_key", "tone",
            "warnings", "read_at",
        }  # fmt: skip
        assert view["name"] == "notebooks"
        assert view["kind"] == "assumed-role"
        assert view["session_name"] == "SageMaker"
        assert view["expires_at"] == "2026-11-23T18:00:00Z"
        assert view["tone"] == "ok"
        assert view["warnings"] == []

    @pytest.mark.parametrize(
        ("changes", "tone", "words"),
        [
            ({}, "ok", "none in use"),
            ({"long_term_key": True, "expires_at": None}, "error", "long-term access key is in use"),
            ({"expires_at": NOW + timedelta(minutes=9)}, "warn", "9 min left"),
            ({"expires_at": NOW + timedelta(minutes=10)}, "ok", "10 min left"),
            ({"expires_at": NOW}, "error", "have expired"),
            ({"expires_at": None}, "ok", "none in use"),
            (
                {"roles": (BY_STS, stated("other"))},
                "warn",
                "is other, but",
            ),
            (
                {"roles": (BY_STS, stated("team/notebooks"))},
                "ok",
                "none in use",
            ),
        ],
    )
    def test_tone_and_warning(self, changes: dict[str, Any], tone: str, words: str) -> None:
        who = identity(**changes)
        assert identity_view(who, NOW)["tone"] == tone
        assert words in " ".join(to_text(identity_page(who, NOW)).split())

    def test_a_long_term_key_is_red_in_the_quiet_line_too(self) -> None:
        page = one_line(identity(long_term_key=True, expires_at=None), NOW)
        assert page.tone is Tone.NO
        assert any(span.tone is Tone.NO and "long-term" in span.text for span in page.headline)

    @pytest.mark.parametrize("source", CredentialSource)
    def test_every_source_has_words(self, source: CredentialSource) -> None:
        assert "credentials" in identity_view(identity(source=source), NOW)["source"]

    @pytest.mark.parametrize(
        ("arn", "name", "kind"),
        [
            (f"arn:aws:iam::{ACCOUNT}:user/team/ann", "ann", "IAM user"),
            (f"arn:aws:iam::{ACCOUNT}:root", "root", "root"),
            (f"arn:aws:sts::{ACCOUNT}:federated-user/ann", "ann", "federated user"),
        ],
    )
    def test_other_principals(self, arn: str, name: str, kind: str) -> None:
        page = identity_page(identity(caller=Caller(arn, ACCOUNT)), NOW)
        assert name_of(arn) == name
        assert f"{name}, {kind} in {ACCOUNT}" in to_text(page)
        assert page.data["session_name"] is None

    def test_metadata_is_shown_as_text(self) -> None:
        bad = "<script>x</script>"
        keys = ("ResourceName", "DomainId", "UserProfileName", "SpaceName")
        site = Site.STUDIO
        page = identity_page(identity(site=site, metadata=dict.fromkeys(keys, bad), region=bad), NOW)
        assert bad not in to_html(page)
        assert to_html(page).count("&lt;script&gt;") == 10  # in the card, and again beneath "More"


def request_in(status: Status) -> Any:
    """An access request that the desk itself brought into a status."""
    from sm_access.access.desk import Desk
    from sm_access.stores import MemoryLedger

    class Clock:
        at = NOW

        def now(self) -> datetime:
            return self.at

    clock = Clock()
    rules = Rules.from_dict({"reviewers": [f"arn:aws:iam::{ACCOUNT}:role/steward"]})
    desk = Desk(MemoryLedger(), rules, clock)
    asker = Caller(f"arn:aws:sts::{ACCOUNT}:assumed-role/notebooks/SageMaker", ACCOUNT)
    steward = Caller(f"arn:aws:sts::{ACCOUNT}:assumed-role/steward/ann", ACCOUNT)
    bad = "<script>alert(1)</script>"
    terms = Terms(
        f"arn:aws:iam::{ACCOUNT}:role/notebooks",
        S3Target("lake", "<b>raw</b>/"),
        Level.READ,
        timedelta(days=1),
    )
    made = desk.submit(asker, terms, bad, bad)
    if status is Status.REJECTED:
        return desk.reject(made.id, steward, bad)
    if status is Status.WITHDRAWN:
        return desk.withdraw(made.id, asker)
    if status is Status.SUBMITTED:
        return made
    made = desk.approve(made.id, steward)
    return desk.revoke(made.id, steward, bad) if status is Status.REVOKED else made


@pytest.mark.parametrize("status", Status)
def test_every_status_has_words_and_a_tone(status: Status) -> None:
    assert set(words._STATUS) == set(Status)
    assert words._STATUS[status][0]


@pytest.mark.parametrize(
    "status", [Status.SUBMITTED, Status.APPROVED, Status.REJECTED, Status.WITHDRAWN, Status.REVOKED]
)
def test_a_request_in_every_page_shows_hostile_words_as_text(status: Status) -> None:
    request = request_in(status)
    made: tuple[dict[str, Any], ...] = ({"Sid": "<i>x</i>", "Effect": "Allow"},)
    review = words.Review(request, made, ("<img src=x>",), None, None)
    pages = [
        words.submitted_page(request, made, "<u>who</u>", NOW),
        words.dry_run_page(request, made, "<u>who</u>", NOW),
        words.requests_page([request], NOW),
        words.inbox_page([review, replace(review, notebooks=None, plan=PLAN, quorum=2)], NOW),
        words.inbox_page([replace(review, notebooks=())], NOW),
        words.decided_page(request, "Approved", NOW),
        words.decided_page(request, "Approved", NOW, "<b>problem</b>"),
        words.proof_page(request, (), NOW),
    ]
    for page in pages:
        html = to_html(page)
        for tag in ("<script", "<b>", "<i>", "<u>", "<img"):
            assert tag not in html
        assert page.data


def test_a_claim_is_marked_as_one_and_a_proof_as_one() -> None:
    page = words.inbox_page([words.Review(request_in(Status.SUBMITTED), (), None, None, None)], NOW)
    text = to_text(page)
    assert "(claimed)" in text
    assert "(proven by AWS STS)" in text
    assert "could not be read" in text


@pytest.mark.parametrize(
    ("notebooks", "said"),
    [
        (None, "how many notebooks that is could not be read"),
        ((), "no notebook instance of this Region uses it"),
        (("nb-1",), "1 notebook shares this role: nb-1"),
        (("nb-1", "nb-2"), "2 notebooks share this role: nb-1, nb-2"),
    ],
)
def test_who_gains(notebooks: tuple[str, ...] | None, said: str) -> None:
    review = words.Review(request_in(Status.SUBMITTED), (), notebooks, "111122223333", PLAN)
    assert said in to_text(words.inbox_page([review], NOW))


@pytest.mark.parametrize("status", [Status.REVOKED])
def test_a_grant_that_is_over_has_no_time_left(status: Status) -> None:
    """The end in the record lies ahead, but the grant was ended before."""
    text = to_text(words.decided_page(request_in(status), "Revoked", NOW))
    assert "left" not in text


def test_empty_lists_say_what_to_do() -> None:
    assert "sm-access request" in to_text(words.requests_page([], NOW))
    assert "appear here" in to_text(words.inbox_page([], NOW))
    assert "nothing to do" in to_text(words.reconciled_page([], [], [], []))


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("finding", ProofFinding)
@pytest.mark.parametrize("kind", ProbeKind)
def test_every_step_of_a_proof_has_words(outcome: Outcome, finding: ProofFinding, kind: ProbeKind) -> None:
    step = ProofStep(ProbeResult(Probe(kind, "lake", "raw/", Outcome.ALLOWED), outcome, "X"), finding)
    over = words.end_proof_page(request_in(Status.REVOKED), (step,), NOW)
    assert over.data["held"] is (finding is ProofFinding.HELD)
    assert ("Not shown to be over" in to_text(over)) is (finding is not ProofFinding.HELD)
    page = words.proof_page(request_in(Status.APPROVED), (step,), NOW)
    assert page.data["held"] is (finding is ProofFinding.HELD)
    assert ("Proven: " in to_text(page)) is (finding is ProofFinding.HELD)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-5, "0 s"), (0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (3660, "1 h 1 min"),
     (86399, "23 h 59 min"), (86400, "1 d"), (90000, "1 d 1 h")],
)  # fmt: skip
def test_lengths(seconds: int, said: str) -> None:
    assert short(timedelta(seconds=seconds)) == said


def test_moments() -> None:
    assert left(NOW, NOW) == "expired"
    assert left(NOW + timedelta(minutes=5), NOW) == "5 min left"
    assert ago(NOW - timedelta(seconds=29), NOW) == "just now"
    assert ago(NOW - timedelta(minutes=4), NOW) == "4 min ago"
    zurich = timezone(timedelta(hours=1))
    assert instant(NOW.astimezone(zurich)) == "2026-11-23 17:00 UTC"
    assert instant(NOW + timedelta(seconds=7)) == "2026-11-23 17:00:07 UTC"
    assert iso(NOW.astimezone(zurich)) == "2026-11-23T17:00:00Z"


def test_a_reviewer_sees_whose_bucket_it_is_and_which_key_is_opened() -> None:
    request = request_in(Status.SUBMITTED)
    own = request.role_arn.split(":")[4]
    review = words.Review(request, (), (), own, PLAN)
    assert f"{own}, the role's own account" in to_text(words.inbox_page([review], NOW))
    assert "none is opened" in to_text(words.inbox_page([review], NOW))
    key = f"arn:aws:kms:us-east-1:{own}:key/1234"
    strange = replace(
        review, owner=None, request=replace(request, terms=replace(request.terms, kms_key_arn=key))
    )
    assert "another account, or not known" in to_text(words.inbox_page([strange], NOW))
    assert f"opens {key}" in to_text(words.inbox_page([strange], NOW))


def test_a_proof_says_what_was_not_tried() -> None:
    listed = ProofStep(
        ProbeResult(Probe(ProbeKind.LIST, "lake", "raw/", Outcome.ALLOWED), Outcome.ALLOWED),
        ProofFinding.HELD,
    )
    request = request_in(Status.APPLIED)
    request = replace(request, terms=replace(request.terms, level=Level.WRITE))
    text = to_text(words.proof_page(request, (listed,), NOW))
    assert "Proven: listing it works - write" in text
    assert "Not tried, because it would change something: s3:AbortMultipartUpload" in text
    reading = to_text(
        words.proof_page(replace(request, terms=replace(request.terms, level=Level.READ)), (listed,), NOW)
    )
    assert "Proven: it works - read" in reading


def test_showing_a_request_says_what_came_of_it_and_in_whose_words() -> None:
    for status, said in ((Status.REJECTED, "Rejected: "), (Status.REVOKED, "Revoked: ")):
        review = words.Review(request_in(status), (), (), None, None)
        text = to_text(words.show_page(review, NOW))
        assert text.splitlines()[0].lstrip("✕! ").startswith(said)
        assert "their words" in text
        assert "sm-access approve" not in text
    waiting = words.Review(request_in(Status.SUBMITTED), (), (), None, None)
    assert "sm-access approve" in to_text(words.show_page(waiting, NOW))


def test_the_answer_to_a_rejected_request_is_one_command_away() -> None:
    request = request_in(Status.REJECTED)
    assert f"Why it was rejected: sm-access show {request.id}" in to_text(words.requests_page([request], NOW))
    assert words.request_view(request, NOW)["answer"]


def test_what_else_was_put_on_the_role_is_named() -> None:
    page = words.decided_page(request_in(Status.APPLIED), "Approved", NOW, also=["r-other"])
    assert "Put on the role as well, approved before: r-other." in to_text(page)


def test_what_our_engine_decided_is_never_called_an_answer_of_aws() -> None:
    for outcome, word in (
        (Outcome.DENIED, "denied"),
        (Outcome.ALLOWED, "allowed"),
        (Outcome.FAILED, "cannot tell"),
    ):
        deleting = Probe(ProbeKind.DELETE, "lake", "raw/x", Outcome.DENIED)
        step = ProofStep(ProbeResult(deleting, outcome, DECIDED), ProofFinding.HELD)
        page = words.proof_page(request_in(Status.APPLIED), (step,), NOW)
        assert f"not asked: {word}, decided from the grant's statements" in to_text(page)
        assert page.data["steps"][0]["decided_by"] == "our engine"


def test_an_end_that_other_grants_hide_is_not_called_shown() -> None:
    page = words.end_proof_page(request_in(Status.REVOKED), (), NOW)
    assert page.data["held"] is False
    assert "Other grants on this role allow the same" in to_text(page)


def test_a_denial_right_after_the_role_was_written_is_not_believed_yet() -> None:
    listing = Probe(ProbeKind.LIST, "lake", "raw/", Outcome.ALLOWED)
    step = ProofStep(ProbeResult(listing, Outcome.DENIED, "AccessDenied"), ProofFinding.NOT_HELD, 6)
    text = to_text(words.proof_page(request_in(Status.APPLIED), (step,), NOW))
    assert "AWS was asked 6 times" in text
    assert "prove it again in a minute" in text


KEY_ARN = "arn:aws:kms:us-east-1:444455556666:key/1234"


def test_a_reviewer_sees_what_changes_and_what_nobody_could_tell() -> None:
    change = Change(
        "s3:GetObject", ("arn:aws:s3:::lake/raw/*",), ("arn:aws:s3:::lake/raw/hr/*",), "x", Decision.IMPLICIT_DENY,
        Decision.ALLOW,
    )  # fmt: skip
    depends = replace(change, after=Decision.UNDETERMINED, depends_on=("aws:SourceIp",))
    already = dict(zip(Level, Decision, strict=True))
    request = request_in(Status.SUBMITTED)
    seen = words.Review(
        request, (), ("nb-1",), None, PLAN, studio=("domain studio", "user profile ann"), unreachable=None,
        gain=Gain(already, (change,) * 9, (depends,), complete=False), width=(1, 1500, True),
    )  # fmt: skip
    text = to_text(words.inbox_page([seen], NOW))
    for told in (
        "in Studio 2: domain studio, user profile ann",
        "list yes · read no · write no · delete cannot tell - as far as policies could be read",
        "s3:GetObject on arn:aws:s3:::lake/raw/*, but not arn:aws:s3:::lake/raw/hr/*",
        "and 1 more",
        "depends: s3:GetObject",
        "on aws:SourceIp",
        "could not be read whether the role that gains may assume yours",
        "1 object, 1 KB",
    ):
        assert told in " ".join(text.split()), told
    data = words.review_view(seen, NOW)
    assert len(data["newly_allowed"]) == 9
    assert data["requester_can_become_reviewer"] is None
    blind = to_text(
        words.inbox_page([replace(seen, gain=None, studio=None, unreachable=False, width=None)], NOW)
    )
    assert "cannot tell: the role's policies or the bucket's owner could not be read" in " ".join(
        blind.split()
    )
    assert "Studio could not be read" in blind
    assert "somebody else has to decide" in blind
    nothing = replace(
        seen, gain=Gain(already, ()), width=(3000, 5 * 10**12, False), studio=("user profile x",) * 9
    )
    text = " ".join(to_text(words.inbox_page([nothing], NOW)).split())
    assert "nothing: the role may do all of it, or something denies it" in text
    assert "more than 3,000 objects, 5 TB" in text
    assert "and 1 more" in text
    whole = replace(request, terms=replace(request.terms, target=S3Target("lake")))
    assert "the whole bucket" in to_text(words.inbox_page([replace(nothing, request=whole, width=None)], NOW))


def test_the_owners_half_is_told_with_its_limits() -> None:
    deny = StatementRef("bucket policy of lake", "resource", None, 0, "Statement[0]", "Deny")
    half = OwnerHalf("444455556666", "lake", ({"Sid": "a"},), KEY_ARN, ({"Sid": "b"},), (deny,))
    waiting = request_in(Status.SUBMITTED)
    text = " ".join(
        to_text(words.show_page(words.Review(waiting, (), (), None, None, half=half), NOW)).split()
    )
    assert "Denied by Statement[0] of bucket policy of lake" in text
    assert "cannot be verified from here" in text
    assert "as if it were approved now" in text
    assert f"to add to the policy of the key {KEY_ARN}" in text
    page = words.decided_page(request_in(Status.APPROVED), "Approved", NOW, half=half)
    assert "as if it were approved now" not in to_text(page)
    assert page.data["owner_half"]["key_policy"] == [{"Sid": "b"}]
