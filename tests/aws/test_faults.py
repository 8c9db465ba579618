"""Bad days over real HTTP: whatever one endpoint does, the rest is told, what lacks is named, and it ends in time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.stand_in import Fault, StandIn, answers, drip, hang, refuses, reset, seed, truncated
from sm_access.bootstrap import Services
from sm_access.commands import inspecting, requesting
from sm_access.config import Settings
from sm_access.errors import AwsUnreachable, CannotTell, ExpiredCredentials, SmAccessError
from sm_access.presentation.result import Result

SECONDS = 2.5
#: How late an answer may be on a busy machine: the deadline, what is allowed for making an answer, and some more.
IN_TIME = SECONDS + 6
MOTO_PAGE = "<!doctype html><title>500 Internal Server Error</title><h1>Internal Server Error</h1>"
PLACE = "s3://bucket-0000/raw/x.csv"


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture(scope="module")
def at(stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Services:
    """A small world; its clients are made, which on a busy machine takes longer than the deadline."""
    settings = Settings.load(
        {"SM_ACCESS_TIMEOUT_SECONDS": str(SECONDS), "SM_ACCESS_CACHE_SECONDS": "0"},
        ledger=f"sqlite://{tmp_path_factory.mktemp('ledger') / 'ledger.sqlite'}",
    )
    services = Services(settings, session=seed(stand_in, policies=4, buckets=2))
    services.aws.endpoints()
    services.aws.client("organizations")
    inspecting.can("read", PLACE, services=services)
    return services


def ask(at: Services, where: str = PLACE) -> Result:
    began = time.monotonic()
    found = inspecting.can("read", where, services=at)
    assert time.monotonic() - began < IN_TIME
    return found


def test_on_a_good_day_it_is_yes(at: Services) -> None:
    found = ask(at)
    assert found.exit_code == 0, found.to_text()


#: What goes wrong at every endpoint in turn, and what must then be named.
LAYERS = [
    ("GetRole", "the permissions boundary"),
    ("ListAttachedRolePolicies", "the policies of the role notebooks"),
    ("ListRolePolicies", "the policies of the role notebooks"),
    ("GetPolicy", "the policy attached-"),
    ("GetPolicyVersion", "the policy attached-"),
    ("GetRolePolicy", "the inline policy inline-"),
    ("GetBucketPolicy", "the bucket policy of bucket-0000"),
    ("GetBucketEncryption", "the encryption of bucket-0000"),
    ("GetKeyPolicy", "the policy of the key"),
]


@pytest.mark.parametrize(("operation", "named"), LAYERS)
def test_a_call_that_hangs_is_named_and_no_yes(
    stand_in: StandIn, at: Services, operation: str, named: str
) -> None:
    with stand_in.failing({operation: hang(20)}):
        found = ask(at)
    assert found.exit_code != 0
    late = [words for words in found.to_dict()["not_read"] if "did not answer in time" in words]
    assert any(words.startswith(named) for words in late), found.to_text()
    assert "did not answer in time" in found.to_html()


def test_an_owner_that_is_not_told_limits_a_yes(stand_in: StandIn, at: Services) -> None:
    """Identity and bucket policy both allow it: it is yes whoever owns the bucket."""
    with stand_in.failing({"HeadBucket": hang(20)}):
        found = ask(at)
    assert found.exit_code == 0
    assert "Yes, as far as could be read" in found.to_text()
    assert "the owner of bucket-0000, which did not answer in time" in found.to_dict()["not_read"]


FAULTS: list[tuple[str, Fault, str]] = [
    ("reset", reset, ""),
    ("slow down", refuses("SlowDown", 503), "for which AWS was asked too often"),
    ("throttled", refuses("Throttling", 400, "Rate exceeded"), "for which AWS was asked too often"),
    ("a page of HTML with 500", answers(500, MOTO_PAGE, "text/html"), "for which the endpoint has no answer"),
    ("a page of HTML with 200", answers(200, "<html>sign in</html>", "text/html"), ""),
    ("503 of AWS", refuses("ServiceUnavailable", 503), "for which the endpoint has no answer"),
    ("half an answer", truncated, ""),
    ("nothing", answers(200, ""), ""),
    ("byte by byte", drip(10), "which did not answer in time"),
]


IAM, S3, KMS = LAYERS[5], LAYERS[6], LAYERS[8]
#: KMS speaks JSON, where what is not an answer looks otherwise.
CASES = [
    pytest.param(*layer, *fault[1:], id=f"{layer[0]}, {fault[0]}")
    for layer, faults in ((IAM, FAULTS), (S3, FAULTS), (KMS, FAULTS[3:8]))
    for fault in faults
]


@pytest.mark.parametrize(("operation", "named", "fault", "words"), CASES)
def test_whatever_comes_instead_of_an_answer_is_named_and_no_yes(
    stand_in: StandIn, at: Services, operation: str, named: str, fault: Fault, words: str
) -> None:
    with stand_in.failing({operation: fault}):
        found = ask(at)
    assert found.exit_code != 0, found.to_text()
    named_words = [item for item in found.to_dict()["not_read"] if named.removeprefix("the ") in item]
    assert named_words, found.to_text()
    # With attempts and pauses between them it may be the deadline that ends it.
    assert all(words in item or "did not answer in time" in item for item in named_words), named_words
    assert not any("needs" in item for item in named_words)


def test_an_organization_that_hangs_limits_a_yes(stand_in: StandIn, at: Services) -> None:
    with stand_in.failing({"DescribeOrganization": hang(20)}):
        found = ask(at)
    assert found.exit_code == 0
    assert "Yes, as far as could be read" in found.to_text()


def test_iam_that_cannot_be_reached_leaves_the_bucket_and_the_other_way_round(
    stand_in: StandIn, at: Services
) -> None:
    iam = ("GetRole", "ListAttachedRolePolicies", "ListRolePolicies")
    with stand_in.failing(dict.fromkeys(iam, reset)):
        found = ask(at)
    assert found.exit_code == 3
    assert not any("bucket-0000" in words for words in found.to_dict()["not_read"])
    s3 = ("HeadBucket", "GetBucketPolicy", "GetBucketEncryption")
    with stand_in.failing(dict.fromkeys(s3, hang(20))):
        found = ask(at)
    assert found.exit_code == 3
    assert not any("notebooks" in words for words in found.to_dict()["not_read"])


class TestWhoIsCalling:
    """Without that there is nothing to tell: an error, in time."""

    @pytest.mark.parametrize("fault", [hang(20), reset, drip(10)], ids=["hang", "reset", "drip"])
    def test_no_answer(self, stand_in: StandIn, at: Services, fault: Fault) -> None:
        began = time.monotonic()
        with stand_in.failing({"GetCallerIdentity": fault}), pytest.raises(AwsUnreachable):
            inspecting.can("read", PLACE, services=at)
        assert time.monotonic() - began < IN_TIME

    def test_expired(self, stand_in: StandIn, at: Services) -> None:
        with (
            stand_in.failing({"GetCallerIdentity": refuses("ExpiredToken")}),
            pytest.raises(ExpiredCredentials),
        ):
            inspecting.can("read", PLACE, services=at)

    def test_expired_in_between(self, stand_in: StandIn, at: Services) -> None:
        with stand_in.failing({"GetRolePolicy": refuses("ExpiredToken")}), pytest.raises(ExpiredCredentials):
            inspecting.permissions(services=at)


class TestTheRole:
    def test_deleted_while_its_session_lives(self, stand_in: StandIn, at: Services) -> None:
        gone = refuses("NoSuchEntity", 404)
        iam = ("GetRole", "ListAttachedRolePolicies", "ListRolePolicies")
        with stand_in.failing(dict.fromkeys(iam, gone)):
            found = ask(at)
        assert found.exit_code == 3
        of_role = [words for words in found.to_dict()["not_read"] if "notebooks" in words]
        assert of_role == ["the policies of this session: the role notebooks was deleted since it began"]

    def test_made_anew(self, stand_in: StandIn, at: Services) -> None:
        anew = """<GetRoleResponse><GetRoleResult><Role><RoleName>notebooks</RoleName><RoleId>AROAANOTHERONE</RoleId>
            <Arn>arn:aws:iam::123456789012:role/notebooks</Arn><Path>/</Path>
            <CreateDate>2026-11-24T00:00:00Z</CreateDate></Role></GetRoleResult></GetRoleResponse>"""
        with stand_in.failing({"GetRole": answers(200, anew)}):
            found = ask(at)
        assert found.exit_code == 3
        assert "was deleted and made anew since it began" in str(found.to_dict()["not_read"])

    def test_a_policy_that_is_taken_away_in_between(self, stand_in: StandIn, at: Services) -> None:
        with stand_in.failing({"GetRolePolicy inline-1": refuses("NoSuchEntity", 404)}):
            found = ask(at)
        assert found.exit_code == 3
        assert "the inline policy inline-1, which is gone" in found.to_dict()["not_read"]


class TestBuckets:
    def test_one_that_is_deleted_in_between_is_told_so(self, stand_in: StandIn, at: Services) -> None:
        with (
            stand_in.failing({"GetBucketPolicy bucket-0001": refuses("NoSuchBucket", 404)}),
            pytest.raises(CannotTell, match="no bucket named bucket-0001"),
        ):
            ask(at, "s3://bucket-0001/x")

    def test_and_in_the_table_it_is_a_row_of_its_own(self, stand_in: StandIn, at: Services) -> None:
        with stand_in.failing({"GetBucketPolicy bucket-0001": refuses("NoSuchBucket", 404)}):
            found = inspecting.permissions(services=at)
        rows = {row["target"]: row for row in found.to_dict()["rows"]}
        assert rows["s3://bucket-0000"]["read"]["decision"] == "allow"
        assert rows["s3://bucket-0001"]["read"]["decision"] == "undetermined"
        assert "There is no bucket named bucket-0001" in rows["s3://bucket-0001"]["read"]["reason"]

    def test_a_list_that_hangs_leaves_time_for_those_that_policies_name(
        self, stand_in: StandIn, at: Services
    ) -> None:
        began = time.monotonic()
        with stand_in.failing({"ListBuckets": hang(20)}):
            found = inspecting.permissions(services=at)
        assert time.monotonic() - began < IN_TIME
        assert {"s3://bucket-0000", "s3://bucket-0001"} <= {row["target"] for row in found.to_dict()["rows"]}
        said = " ".join(found.to_text().split())
        assert "which buckets the account has, which did not answer in time" in said

    def test_one_that_hangs_leaves_the_others(self, stand_in: StandIn, at: Services) -> None:
        began = time.monotonic()
        with stand_in.failing({"GetBucketPolicy bucket-0001": hang(20)}):
            found = inspecting.permissions(services=at)
        assert time.monotonic() - began < IN_TIME
        rows = {row["target"]: row for row in found.to_dict()["rows"]}
        assert rows["s3://bucket-0000"]["read"]["decision"] == "allow"
        assert rows["s3://bucket-0001"]["read"]["decision"] == "undetermined"

    def test_five_thousand_are_not_all_looked_at(self, stand_in: StandIn, at: Services) -> None:
        """A page of five thousand names stands in for as many buckets; what they answer is the stand-in's too."""
        names = "".join(
            f"<Bucket><Name>many-{number:04}</Name><BucketRegion>us-east-1</BucketRegion></Bucket>"
            for number in range(5000)
        )
        listing = f"<ListAllMyBucketsResult><Buckets>{names}</Buckets></ListAllMyBucketsResult>"
        none = refuses("NoSuchBucketPolicy", 404)
        plain = refuses("ServerSideEncryptionConfigurationNotFoundError", 404)
        stand_in.take()
        with stand_in.failing(
            {"ListBuckets": answers(200, listing), "GetBucketPolicy": none, "GetBucketEncryption": plain}
        ):
            patient = Services(replace(at.settings, timeout_seconds=60), session=at.aws.session)
            found = inspecting.permissions(services=patient)
        assert len(found.to_dict()["rows"]) == 200
        assert len(stand_in.take()) < 200 * 5 + 50

    def test_a_request_is_not_made_on_half_of_what_it_needs(self, stand_in: StandIn, at: Services) -> None:
        """Which key to open must be known: no answer is not "no key"."""
        with stand_in.failing({"GetBucketEncryption": hang(20)}), pytest.raises(AwsUnreachable):
            requesting.request_access(PLACE, "read", why="x", services=at)


def test_nothing_of_the_endpoint_is_in_what_is_shown(stand_in: StandIn, at: Services, tmp_path: Path) -> None:
    """An address may hold a proxy's password."""
    with stand_in.failing({"GetRolePolicy": reset, "GetBucketPolicy": answers(500, "canary-in-a-page")}):
        found = ask(at)
    shown = found.to_text() + found.to_html() + str(found.to_dict())
    assert stand_in.url not in shown
    assert "canary" not in shown
    with stand_in.failing({"GetCallerIdentity": reset}), pytest.raises(SmAccessError) as caught:
        ask(at)
    assert stand_in.url not in str(caught.value)
