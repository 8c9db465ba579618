"""What is warned of, in which tone, and what to do; every source, site and authority has words; keys have none."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from sm_access.access.caller import Caller
from sm_access.access.evidence import Unread
from sm_access.access.identity import (
    Authority,
    Certainty,
    CredentialSource,
    Identity,
    Profile,
    Propagation,
    RoleStatement,
    Site,
    SourceIdentity,
)
from sm_access.access.key_scanner import FoundKey, KeySearch, Place, PlaceKind, Unsearched
from sm_access.errors import AwsUnreachable
from sm_access.presentation.html import to_html
from sm_access.presentation.identity import identity_page, identity_view, one_line
from sm_access.presentation.page import Tone
from sm_access.presentation.text import to_text

NOW = datetime(2026, 11, 24, 17, tzinfo=timezone.utc)
ACCOUNT = "111122223333"
SESSION = Caller(f"arn:aws:sts::{ACCOUNT}:assumed-role/notebooks/SageMaker", ACCOUNT, "AROAONE:SageMaker")
BAD = "<img src=x onerror=alert(1)>\x1b[31m"


def role(by: Authority, name: str, told_by: str = "a file") -> RoleStatement:
    return RoleStatement(by, f"arn:aws:iam::{ACCOUNT}:role/{name}", told_by)


def identity(**changes: Any) -> Identity:
    plain = Identity(
        caller=SESSION,
        source=CredentialSource.CONTAINER,
        expires_at=NOW + timedelta(hours=1),
        long_term_key=False,
        region="eu-central-1",
        read_at=NOW,
        roles=(role(Authority.STS, "notebooks"),),
    )
    return replace(plain, **changes)


def text(who: Identity) -> str:
    return " ".join(to_text(identity_page(who, NOW)).split())


def found(kind: PlaceKind, name: str = "", ids: int = 1, secrets: int = 0, **place: Any) -> FoundKey:
    return FoundKey(Place(kind, name, **place), ids, secrets)


class TestLongTermKeys:
    @pytest.mark.parametrize(
        ("key", "words", "step"),
        [
            (found(PlaceKind.VARIABLE, "TEAM_KEY"), "the variable TEAM_KEY", "shell profile"),
            (
                found(PlaceKind.FILE, "/home/ann/.aws/credentials", profile="old", line=7),
                "profile old of /home/ann/.aws/credentials (line 7)",
                "copies and backups",
            ),
            (found(PlaceKind.FILE, "/x/train.py", ids=2, line=3), "/x/train.py (line 3, 2 keys)", "copies"),
            (
                found(PlaceKind.CELL, "/x/churn.ipynb", cell=3, line=2),
                "cell 3 of churn.ipynb (line 2)",
                "checkpoints",
            ),
            (
                found(PlaceKind.OUTPUT, "/x/churn.ipynb", cell=3),
                "the output of cell 3 of churn.ipynb",
                "clear all outputs",
            ),
            (
                found(PlaceKind.EXECUTED, cell=12, line=1),
                "what this kernel ran as [12] (line 1)",
                "ipython history clear",
            ),
        ],
    )
    def test_that_lie_about_are_red_with_place_and_way_out(
        self, key: FoundKey, words: str, step: str
    ) -> None:
        who = identity(keys=KeySearch((key,)))
        page = identity_page(who, NOW)
        assert page.tone is Tone.NO
        assert words in text(who)
        assert step in text(who)
        assert "make the key inactive" in text(who)
        view = identity_view(who, NOW)
        assert view["tone"] == "error"
        assert view["long_term_key"] is False
        assert view["notices"][0]["tone"] == "error"
        assert len(view["notices"][0]["steps"]) >= 3
        assert view["long_term_keys"]["found"][0]["key_ids"] == key.ids
        assert any(span.tone is Tone.NO and "was found" in span.text for span in one_line(who, NOW).headline)

    def test_in_use_and_lying_about_are_one_warning(self) -> None:
        keys = KeySearch(
            (found(PlaceKind.VARIABLE, "AWS_ACCESS_KEY_ID"), found(PlaceKind.VARIABLE, "A", 0, 1))
        )
        who = identity(long_term_key=True, expires_at=None, keys=keys)
        (notice,) = identity_view(who, NOW)["notices"]
        assert notice["text"].startswith("A long-term access key is in use")
        assert "the variable AWS_ACCESS_KEY_ID" in notice["text"]
        assert "no end" in text(who)

    def test_a_secret_without_an_id_is_amber(self) -> None:
        who = identity(keys=KeySearch((found(PlaceKind.CELL, "a.ipynb", 0, 1, cell=1, line=1),)))
        assert identity_view(who, NOW)["tone"] == "warn"
        assert "What looks like a secret access key is in cell 1 of a.ipynb (line 1)." in text(who)

    def test_many_places_are_counted_and_not_all_listed(self) -> None:
        many = tuple(found(PlaceKind.CELL, "a.ipynb", cell=number, line=1) for number in range(1, 31))
        assert "Long-term access keys (AKIA…) are in cell 1 of" in text(identity(keys=KeySearch(many)))
        assert "and 24 more places" in text(identity(keys=KeySearch(many)))

    def test_what_was_not_searched_is_said(self) -> None:
        keys = KeySearch(unsearched=(Unsearched("/root/.aws/credentials", "Permission denied"),))
        assert "none in use, none found; 1 not searched" in text(identity(keys=keys))
        assert "/root/.aws/credentials: Permission denied" in text(identity(keys=keys))
        two = KeySearch(unsearched=keys.unsearched * 2)
        assert "2 places not searched" in text(identity(keys=two))


class TestTheEnd:
    @pytest.mark.parametrize("source", CredentialSource)
    def test_soon_is_amber_whatever_the_source(self, source: CredentialSource) -> None:
        who = identity(source=source, expires_at=NOW + timedelta(minutes=9))
        assert identity_view(who, NOW)["tone"] == "warn"
        assert "less than 10 minutes (9 min left)" in text(who)
        aside = identity_page(who, NOW).aside
        assert aside is not None
        assert (aside.text, aside.tone) == ("9 min left", Tone.WARN)

    def test_red_comes_before_amber(self) -> None:
        who = identity(expires_at=NOW, roles=(role(Authority.STS, "a"), role(Authority.METADATA, "b")))
        assert [notice["tone"] for notice in identity_view(who, NOW)["notices"]] == ["error", "warn"]


def test_the_quiet_line_has_the_worst_in_a_few_words() -> None:
    def said(**changes: Any) -> str:
        line = to_text(one_line(identity(**changes), NOW))
        assert "\n" not in line
        return line

    secret = KeySearch((found(PlaceKind.CELL, "a.ipynb", 0, 1, cell=1),))
    differing = (role(Authority.STS, "a"), role(Authority.METADATA, "b"))
    assert "whoami" not in said()
    assert "a long-term access key is in use: %sm_access whoami" in said(long_term_key=True, roles=differing)
    assert "what looks like a secret key was found: %sm_access whoami" in said(keys=secret)
    assert "another role is named elsewhere: %sm_access whoami" in said(roles=differing)
    assert "not renewed yet: %sm_access whoami · 9 min left" in said(expires_at=NOW + timedelta(minutes=9))
    assert "sign in again soon" in said(source=CredentialSource.SSO, expires_at=NOW + timedelta(minutes=9))
    assert "restart the kernel, or sign in again" in said(expires_at=NOW)
    assert "the role is gone" in said(role_id="")
    assert "the role was made anew" in said(role_id="AROATWO")


class TestRoles:
    def test_that_agree_are_one_line(self) -> None:
        who = identity(
            roles=(role(Authority.STS, "notebooks"), role(Authority.SDK, "service-role/notebooks"))
        )
        assert "AWS (STS) and the SageMaker SDK name the same" in text(who)
        assert identity_view(who, NOW)["roles_agree"] is True

    def test_that_differ_stand_side_by_side(self) -> None:
        roles = (
            role(Authority.STS, "notebooks", "STS GetCallerIdentity"),
            role(Authority.METADATA, "other", "resource-metadata.json"),
            role(Authority.SDK, "third", "SageMaker DescribeUserProfile"),
        )
        said = text(identity(roles=roles))
        assert "SageMaker says the execution role is other, but AWS sees notebooks" in said
        assert "sagemaker.get_execution_role() would answer third, but AWS sees notebooks" in said
        assert "who says role learnt from AWS (STS) notebooks STS GetCallerIdentity" in said
        assert identity_view(identity(roles=roles), NOW)["tone"] == "warn"

    def test_of_one_name_in_two_accounts_are_told_apart(self) -> None:
        other = RoleStatement(Authority.METADATA, "arn:aws:iam::444455556666:role/notebooks", "a file")
        said = text(identity(roles=(role(Authority.STS, "notebooks"), other)))
        assert (
            "arn:aws:iam::444455556666:role/notebooks, but AWS sees arn:aws:iam::111122223333:role/notebooks"
            in said
        )

    def test_that_cannot_be_told_say_why(self) -> None:
        unread = RoleStatement(Authority.SDK, None, "SageMaker DescribeUserProfile", Unread("x"))
        error = RoleStatement(Authority.SDK, None, "an error: the current identity is not a role")
        assert "cannot tell: SageMaker DescribeUserProfile did not answer" in text(identity(roles=(unread,)))
        assert "an error: the current identity is not a role" in text(identity(roles=(error,)))
        differing = (role(Authority.STS, "a"), role(Authority.METADATA, "b"), unread, error)
        assert "the SageMaker SDK cannot tell" in text(identity(roles=differing))

    def test_gone_is_amber(self) -> None:
        who = identity(role_id="")
        assert "There is no role notebooks any more" in text(who)
        assert identity_view(who, NOW)["role_gone"] is True
        assert identity_view(identity(), NOW)["role_gone"] is None

    def test_made_anew_is_amber(self) -> None:
        who = identity(role_id="AROATWO")
        assert "The role notebooks was deleted and created again" in text(who)
        assert identity_view(who, NOW)["role_made_anew"] is True
        assert identity_view(identity(), NOW)["role_made_anew"] is None
        assert "iam:GetRole would tell" in text(identity())

    def test_of_jobs_are_told_with_their_file(self) -> None:
        assert "role/train (the SageMaker SDK's default, /x/config.yaml)" in text(
            identity(job_roles=(role(Authority.SDK, "train", "/x/config.yaml"),))
        )


class TestSageMaker:
    @pytest.mark.parametrize("site", [site for site in Site if site is not Site.ELSEWHERE])
    def test_every_site_has_words(self, site: Site) -> None:
        who = identity(site=site, metadata={"ResourceName": "churn"}, variables={"SM_CURRENT_HOST": "algo-1"})
        assert f"SageMaker {site.value.replace('-', ' ')}".lower() in text(who).lower()
        assert "churn" in text(who)

    def test_the_person_is_only_ever_claimed(self) -> None:
        studio = {"site": Site.STUDIO, "metadata": {"DomainId": "d-1", "UserProfileName": "ann"}}
        for source_identity in (SourceIdentity(), SourceIdentity(Certainty.CLAIMED, "ann")):
            said = text(identity(**studio, source_identity=source_identity))
            assert "person ann (claimed" in said
            assert "proven" not in said
        assert "person" not in text(identity())

    def test_what_is_not_knowable_says_so(self) -> None:
        unread = Unread("the settings of the Studio domain", "sagemaker:DescribeDomain")
        who = identity(
            site=Site.STUDIO, source_identity=SourceIdentity(unread=unread), propagation_unread=unread
        )
        assert (
            "not knowable here: no call returns aws:SourceIdentity to its own session; sagemaker:DescribeDomain"
            in text(who)
        )
        assert "identity propagation cannot tell; sagemaker:DescribeDomain would" in text(who)
        assert "identity propagation on for the domain" in text(
            identity(site=Site.STUDIO, propagation=Propagation.ON)
        )
        silent = Unread("the settings of the Studio domain")
        said = text(
            identity(
                site=Site.STUDIO, propagation_unread=silent, source_identity=SourceIdentity(unread=silent)
            )
        )
        assert "identity propagation cannot tell: SageMaker did not tell" in said
        assert "to its own session identity propagation" in said
        assert "none is set for such credentials" in text(
            identity(source_identity=SourceIdentity(Certainty.NONE))
        )


class TestProfiles:
    def test_that_assume_a_role_name_where_from(self) -> None:
        arn = f"arn:aws:iam::{ACCOUNT}:role/work"
        for profile, words in (
            (Profile("w", arn, source_profile="keys"), "with the credentials of profile keys"),
            (Profile("w", arn, credential_source="EcsContainer"), "with the credentials of EcsContainer"),
            (Profile("w", arn), "profile w, which assumes work"),
            (Profile("w"), "a profile that assumes a role (profile w)"),
        ):
            assert words in text(identity(source=CredentialSource.ASSUME_ROLE, profile=profile))

    def test_of_other_kinds_are_named(self) -> None:
        who = identity(source=CredentialSource.SSO, profile=Profile("sso", sso_account=ACCOUNT, sso_role="r"))
        assert "single sign-on profile (profile sso)" in text(who)
        assert identity_view(who, NOW)["profile"]["sso_role"] == "r"


class TestWithoutSts:
    WHO = identity(
        caller=None,
        unasked=AwsUnreachable("AWS did not answer.", remedy="Check the network."),
        roles=(role(Authority.METADATA, "notebooks"),),
        region=None,
    )

    def test_what_is_known_is_told_and_the_reason_named(self) -> None:
        said = text(self.WHO)
        assert said.startswith("? AWS could not be asked who this is; SageMaker says notebooks · 1 h left")
        assert "AWS did not answer. Check the network." in said
        assert "AWS_DEFAULT_REGION" in said
        assert "container endpoint" in said
        view = identity_view(self.WHO, NOW)
        assert (view["error"], view["message"], view["remedy"]) == (
            "AwsUnreachable",
            "AWS did not answer.",
            "Check the network.",
        )
        assert view["name"] is view["arn"] is view["account"] is None
        assert to_text(one_line(self.WHO, NOW)).startswith("? AWS could not be asked")

    def test_and_without_metadata(self) -> None:
        assert "SageMaker says" not in text(replace(self.WHO, roles=()))

    def test_a_long_term_key_is_still_red(self) -> None:
        assert identity_page(replace(self.WHO, long_term_key=True, expires_at=None), NOW).tone is Tone.NO

    def test_roles_that_differ_without_sts_name_the_first(self) -> None:
        both = (role(Authority.METADATA, "a"), role(Authority.SDK, "b"))
        assert "would answer b, but SageMaker's metadata says a" in text(replace(self.WHO, roles=both))


@pytest.mark.parametrize(
    ("partition", "words"), [("aws-cn", "China"), ("aws-us-gov", "GovCloud"), ("aws-iso", "")]
)
def test_other_partitions_are_named(partition: str, words: str) -> None:
    caller = Caller(f"arn:{partition}:sts::{ACCOUNT}:assumed-role/notebooks/SageMaker", ACCOUNT)
    said = text(identity(caller=caller))
    assert f"partition {partition} {words}".strip() in said
    assert identity_view(identity(caller=caller), NOW)["partition"] == partition


def test_hostile_text_stays_text_everywhere() -> None:
    keys = KeySearch(
        (
            found(PlaceKind.VARIABLE, BAD),
            found(PlaceKind.FILE, BAD, profile=BAD, line=1),
            found(PlaceKind.CELL, BAD, cell=1),
        ),
        (Unsearched(BAD, BAD),),
    )
    who = identity(
        keys=keys,
        region=BAD,
        region_from=BAD,
        site=Site.STUDIO,
        source=CredentialSource.ASSUME_ROLE,
        profile=Profile(BAD, BAD, BAD, BAD, BAD, BAD),
        metadata=dict.fromkeys(("ResourceName", "DomainId", "UserProfileName", "SpaceName", "AppType"), BAD),
        variables={"SAGEMAKER_APP_TYPE": BAD},
        roles=(role(Authority.STS, "a"), RoleStatement(Authority.METADATA, BAD, BAD)),
        job_roles=(RoleStatement(Authority.SDK, BAD, BAD),),
        source_identity=SourceIdentity(Certainty.CLAIMED, BAD),
    )
    for page in (identity_page(who, NOW), one_line(who, NOW)):
        assert "<img" not in to_html(page)
        assert "\x1b" not in to_html(page) + to_text(page)
