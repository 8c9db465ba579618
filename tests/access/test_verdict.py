"""May this principal do this there: every implied call is asked, the worst answer decides, nothing unread says yes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from sm_access.access.distinctions import parts_of
from sm_access.access.evidence import BucketEvidence, PrincipalEvidence, Unread
from sm_access.access.level import Level
from sm_access.access.levels import ENCRYPTION_CONTEXT
from sm_access.access.target import S3Target
from sm_access.access.verdict import Verdict, judge, level_of
from sm_access.errors import CannotTell, InvalidInput
from sm_access.policy import UNREADABLE, Decision, NamedPolicy, PolicySet, parse_policy

ACCOUNT, OTHER = "111122223333", "444455556666"
NOW = datetime(2026, 11, 23, 17, tzinfo=timezone.utc)
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
RAW = S3Target("lake", "raw/")
WHOLE = S3Target("lake")
ONE = S3Target("lake", "raw/x.csv")
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/notebooks"

Statement = Mapping[str, Any]


def policy(*statements: Statement, name: str = "inline") -> NamedPolicy:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return NamedPolicy(name, parse_policy(document, name=name), "inline")


def allow(action: Any = "s3:*", resource: Any = "*", **more: Any) -> Statement:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "s3:*", resource: Any = "*", **more: Any) -> Statement:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def principal(*statements: Statement, **changes: Any) -> PrincipalEvidence:
    given: dict[str, Any] = {
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/notebooks/SageMaker",
        "iam_arn": ROLE,
        "account": ACCOUNT,
        "identity": (policy(*statements),) if statements else (),
        "boundary": None,
        "read_at": NOW,
    }
    return PrincipalEvidence(**{**given, **changes})


def bucket(**changes: Any) -> BucketEvidence:
    given: dict[str, Any] = {
        "bucket": "lake",
        "owner_account": ACCOUNT,
        "policy": None,
        "encryption_read": True,
        "kms_key_arn": None,
        "kms_policy": None,
        "region": "eu-central-1",
        "read_at": NOW,
    }
    return BucketEvidence(**{**given, **changes})


def key_policy(*actions: str) -> tuple[NamedPolicy, ...]:
    return (policy(allow(list(actions), Principal={"AWS": ROLE}), name="key policy"),)


def decide(
    who: PrincipalEvidence, where: BucketEvidence, asked: Level | str, target: S3Target = RAW
) -> Decision:
    return judge(who, where, target, asked, now=NOW).decision


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("target", [RAW, WHOLE, ONE], ids=str)
def test_everything_allowed_is_yes_and_nothing_is_no(level: Level, target: S3Target) -> None:
    assert decide(principal(allow()), bucket(), level, target) is Decision.ALLOW
    found = judge(principal(), bucket(), target, level, now=NOW)
    assert found.decision is Decision.IMPLICIT_DENY
    assert found.with_grant is Decision.ALLOW
    assert found.asked == level.value


@pytest.mark.parametrize("level", Level)
def test_one_call_that_is_not_allowed_makes_it_no(level: Level) -> None:
    whole = judge(principal(allow()), bucket(), RAW, level, now=NOW)
    for finding in whole.findings:
        others = [each.check.action for each in whole.findings if each.check.action != finding.check.action]
        who = principal(allow(others or "s3:None"))
        found = judge(who, bucket(), RAW, level, now=NOW)
        assert found.decision is Decision.IMPLICIT_DENY
        assert found.deciding.check.action == finding.check.action


def test_a_deny_anywhere_decides_and_no_grant_undoes_it() -> None:
    for who, where in (
        (principal(allow(), deny("s3:ListBucket")), bucket()),
        (principal(allow()), bucket(policy=(policy(deny(Principal="*")),))),
        (principal(allow(), boundary=(policy(allow(), deny("s3:GetObject")),)), bucket()),
    ):
        found = judge(who, where, RAW, Level.READ, now=NOW)
        assert found.decision is Decision.EXPLICIT_DENY
        assert found.deciding.response.deciding is not None
        assert found.with_grant is Decision.EXPLICIT_DENY


def test_a_boundary_that_is_silent_is_no_and_a_grant_would_not_help() -> None:
    found = judge(principal(allow(), boundary=(policy(allow("ec2:*")),)), bucket(), RAW, Level.READ, now=NOW)
    assert found.decision is Decision.IMPLICIT_DENY
    assert found.with_grant is Decision.IMPLICIT_DENY


@pytest.mark.parametrize(
    ("who", "where"),
    [
        (principal(identity=UNREADABLE), bucket()),
        (principal(allow(), boundary=UNREADABLE), bucket()),
        (principal(allow()), bucket(policy=UNREADABLE)),
        (principal(allow()), bucket(encryption_read=False)),
        (principal(allow(), allow("kms:*")), bucket(kms_key_arn=KEY, kms_policy=UNREADABLE)),
        (principal(allow()), bucket(owner_account=None)),
    ],
    ids=["identity", "boundary", "bucket policy", "encryption", "key policy", "owner"],
)
def test_what_could_not_be_read_is_neither_yes_nor_no(who: PrincipalEvidence, where: BucketEvidence) -> None:
    found = judge(who, where, RAW, Level.READ, now=NOW)
    assert found.decision is Decision.UNDETERMINED
    assert found.unsettled or found.deciding.response.depends_on


def test_what_could_not_be_read_does_not_hide_a_deny() -> None:
    who = principal(allow(), deny("s3:GetObject"), boundary=UNREADABLE)
    found = judge(who, bucket(policy=UNREADABLE, encryption_read=False), RAW, Level.READ, now=NOW)
    assert found.decision is Decision.EXPLICIT_DENY


def test_a_key_that_is_closed_makes_reading_and_writing_no_but_not_listing() -> None:
    where = bucket(kms_key_arn=KEY, kms_policy=key_policy("kms:DescribeKey"))
    who = principal(allow(), allow("kms:*"))
    for level in (Level.READ, Level.WRITE):
        found = judge(who, where, RAW, level, now=NOW)
        assert found.decision is Decision.IMPLICIT_DENY
        assert found.deciding.check.action.startswith("kms:")
        assert found.with_grant is Decision.IMPLICIT_DENY
    assert decide(who, where, Level.LIST) is Decision.ALLOW
    assert decide(who, where, Level.DELETE) is Decision.ALLOW


def test_a_key_that_trusts_the_account_needs_the_roles_own_allow() -> None:
    trusts = policy(allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), name="key policy")
    where = bucket(kms_key_arn=KEY, kms_policy=(trusts,))
    without = judge(principal(allow()), where, RAW, Level.READ, now=NOW)
    assert without.decision is Decision.IMPLICIT_DENY
    assert without.with_grant is Decision.ALLOW
    assert decide(principal(allow(), allow("kms:Decrypt", KEY)), where, Level.READ) is Decision.ALLOW


def test_a_key_is_asked_as_it_would_be_through_s3() -> None:
    where = bucket(kms_key_arn=KEY, kms_policy=key_policy("kms:Decrypt"))
    via = {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}
    caller = {"StringEquals": {"kms:CallerAccount": ACCOUNT}}
    for condition in (via, caller):
        who = principal(allow(), allow("kms:Decrypt", KEY, Condition=condition))
        assert decide(who, where, Level.READ) is Decision.ALLOW
    elsewhere = deny("kms:*", Condition={"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}})
    assert decide(principal(allow(), elsewhere), where, Level.READ) is Decision.ALLOW


def test_a_bucket_of_another_account_needs_both_sides() -> None:
    yes = (policy(allow("s3:*", ["arn:aws:s3:::lake", "arn:aws:s3:::lake/*"], Principal={"AWS": ROLE})),)
    assert decide(principal(allow()), bucket(owner_account=OTHER), Level.READ) is Decision.IMPLICIT_DENY
    assert decide(principal(), bucket(owner_account=OTHER, policy=yes), Level.READ) is Decision.IMPLICIT_DENY
    assert decide(principal(allow()), bucket(owner_account=OTHER, policy=yes), Level.READ) is Decision.ALLOW


def test_a_statement_past_its_end_allows_nothing() -> None:
    def until(moment: datetime) -> Statement:
        end = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        return allow(Condition={"DateLessThan": {"aws:CurrentTime": end}})

    assert decide(principal(until(NOW + timedelta(seconds=1))), bucket(), Level.READ) is Decision.ALLOW
    assert decide(principal(until(NOW)), bucket(), Level.READ) is Decision.IMPLICIT_DENY


@pytest.mark.parametrize(
    "condition",
    [
        {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
        {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
        {"StringEquals": {"aws:PrincipalTag/team": "a"}},
        {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        {"StringEquals": {"s3:ExistingObjectTag/class": "open"}},
        {"StringEquals": {"s3:x-amz-acl": "private"}},
    ],
    ids=lambda condition: next(iter(next(iter(condition.values())))),
)
def test_what_cannot_be_known_here_makes_it_depend(condition: Mapping[str, Any]) -> None:
    level = Level.WRITE if "s3:x-amz-acl" in str(condition) else Level.READ
    found = judge(principal(allow(Condition=condition)), bucket(), RAW, level, now=NOW)
    if "s3:" in str(condition):  # keys of objects are not sent with a listing, whose answer is then no
        found = judge(
            principal(allow("s3:ListBucket"), allow(Condition=condition)), bucket(), RAW, level, now=NOW
        )
    assert found.decision is not Decision.ALLOW
    both = judge(principal(allow(), deny(Condition=condition)), bucket(), RAW, level, now=NOW)
    assert both.decision is Decision.UNDETERMINED
    assert both.deciding.response.depends_on


def test_the_roles_own_arn_counts_and_is_open_where_it_could_not_be_read() -> None:
    mine = allow(Condition={"ArnEquals": {"aws:PrincipalArn": ROLE}})
    assert decide(principal(mine), bucket(), Level.READ) is Decision.ALLOW
    assert decide(principal(mine, iam_arn=None), bucket(), Level.READ) is Decision.UNDETERMINED


class TestAnAction:
    def test_of_a_level_is_asked_alone(self) -> None:
        found = judge(principal(allow("s3:GetObject")), bucket(), RAW, "s3:getobject", now=NOW)
        assert found.decision is Decision.ALLOW
        assert [each.check.action for each in found.findings] == ["s3:GetObject"]

    def test_of_a_level_needs_the_key_too(self) -> None:
        where = bucket(kms_key_arn=KEY, kms_policy=key_policy("kms:DescribeKey"))
        assert decide(principal(allow()), where, "s3:GetObject") is Decision.IMPLICIT_DENY
        assert decide(principal(allow()), where, "s3:ListBucket") is Decision.ALLOW

    @pytest.mark.parametrize(
        ("action", "target", "arn"),
        [
            ("s3:GetObjectTagging", RAW, "arn:aws:s3:::lake/raw/*"),
            ("s3:GetObjectTagging", ONE, "arn:aws:s3:::lake/raw/x.csv"),
            ("s3:GetObjectTagging", WHOLE, "arn:aws:s3:::lake/*"),
            ("s3:getbucketpolicy", RAW, "arn:aws:s3:::lake"),
            ("s3:GetBucketPolicy", WHOLE, "arn:aws:s3:::lake"),
            ("s3:ListAllMyBuckets", RAW, "*"),
            ("kms:ListAliases", RAW, "*"),
            ("kms:decrypt", RAW, KEY),
            ("kms:DescribeKey", WHOLE, KEY),
        ],
    )
    def test_is_asked_on_what_it_is_about(self, action: str, target: S3Target, arn: str) -> None:
        where = bucket(kms_key_arn=KEY, kms_policy=key_policy("kms:*"))
        (finding,) = judge(principal(allow(action, arn)), where, target, action, now=NOW).findings
        assert finding.check.resource_arn == arn
        assert finding.response.decision is Decision.ALLOW

    def test_on_no_resource_is_not_the_buckets_to_decide(self) -> None:
        where = bucket(owner_account=OTHER, policy=(policy(deny(Principal="*")),))
        assert decide(principal(allow()), where, "s3:ListAllMyBuckets") is Decision.ALLOW

    def test_on_a_key_where_there_is_none(self) -> None:
        with pytest.raises(InvalidInput, match="not encrypted with a KMS key"):
            judge(principal(allow("*")), bucket(), RAW, "kms:Decrypt", now=NOW)
        with pytest.raises(CannotTell, match="could not be read"):
            judge(principal(allow("*")), bucket(encryption_read=False), RAW, "kms:Decrypt", now=NOW)

    def test_on_something_that_is_neither(self) -> None:
        with pytest.raises(InvalidInput, match="not about buckets or objects"):
            judge(principal(allow("*")), bucket(), RAW, "s3:DeleteStorageLensConfiguration", now=NOW)

    def test_no_level_means_it_and_no_grant_would_help(self) -> None:
        found = judge(principal(), bucket(), RAW, "s3:GetObjectTagging", now=NOW)
        assert found.decision is Decision.IMPLICIT_DENY
        assert found.with_grant is None


@pytest.mark.parametrize(
    ("action", "level"),
    [
        ("s3:ListBucket", Level.LIST),
        ("S3:GETOBJECT", Level.READ),
        ("s3:PutObject", Level.WRITE),
        ("s3:DeleteObject", Level.DELETE),
        ("s3:GetBucketPolicy", None),
        ("kms:Decrypt", None),
    ],
)
def test_the_narrowest_level_of_an_action(action: str, level: Level | None) -> None:
    assert level_of(action) is level


def test_a_verdict_tells_how_old_it_is_and_what_was_not_read() -> None:
    older = NOW - timedelta(minutes=5)
    who = principal(allow(), read_at=older, unread=(Unread("a", "b:C"),))
    found = judge(who, bucket(unread=(Unread("d"),)), RAW, Level.READ, now=NOW)
    assert found.read_at == older
    assert [item.what for item in found.unread] == ["a", "d"]


class TestParts:
    """A yes for a place is one for every object in it."""

    def test_a_deny_within_the_place_makes_it_a_yes_in_part(self) -> None:
        for pattern in ("arn:aws:s3:::lake/raw/secret/*", "arn:aws:s3:::lake/*.csv", "arn:aws:s3:::*/raw/??"):
            found = judge(
                principal(allow(), deny("s3:GetObject", pattern)), bucket(), RAW, Level.READ, now=NOW
            )
            assert found.decision is Decision.UNDETERMINED
            assert found.exceptions
            assert all(
                each.check.resource_arn.startswith("arn:aws:s3:::lake/raw/") for each in found.exceptions
            )

    def test_a_deny_elsewhere_changes_nothing(self) -> None:
        who = principal(
            allow(), deny("s3:GetObject", ["arn:aws:s3:::lake/raw-secret/*", "arn:aws:s3:::other/*"])
        )
        assert decide(who, bucket(), Level.READ) is Decision.ALLOW

    def test_an_allow_of_everything_but_a_part(self) -> None:
        but = {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::lake/raw/secret/*"}
        found = judge(principal(allow("s3:ListBucket"), but), bucket(), RAW, Level.READ, now=NOW)
        assert found.decision is Decision.UNDETERMINED
        assert {each.response.decision for each in found.exceptions} == {Decision.IMPLICIT_DENY}

    def test_a_variable_in_a_deny_may_be_any_part(self) -> None:
        mine = deny("s3:GetObject", "arn:aws:s3:::lake/raw/${aws:PrincipalTag/team}/*")
        assert decide(principal(allow(), mine), bucket(), Level.READ) is Decision.UNDETERMINED

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("${aws:PrincipalTag/team}", "blue"),
            ("${aws:PrincipalAccount}", ACCOUNT),
            ("${aws:userid}", "AROAX:SageMaker"),
            ("${aws:PrincipalTag/none, 'blue'}", "blue"),
        ],
    )
    def test_a_variable_whose_value_is_known_is_that_part(self, variable: str, value: str) -> None:
        known: dict[str, Any] = {"tags": {"team": "blue"}, "user_id": "AROAX:SageMaker"}
        where = f"arn:aws:s3:::lake/raw/{variable}/*"
        found = judge(
            principal(allow(), deny("s3:GetObject", where), **known), bucket(), RAW, Level.READ, now=NOW
        )
        assert found.decision is Decision.UNDETERMINED
        assert [each.response.decision for each in found.exceptions] == [Decision.EXPLICIT_DENY]
        assert found.exceptions[0].check.resource_arn.startswith(f"arn:aws:s3:::lake/raw/{value}/")
        only = principal(allow("s3:ListBucket"), allow("s3:GetObject", where), **known)
        assert decide(only, bucket(), Level.READ) is Decision.IMPLICIT_DENY
        assert decide(only, bucket(), Level.READ, S3Target("lake", f"raw/{value}/")) is Decision.ALLOW

    def test_a_variable_that_the_call_does_not_carry_is_no_part(self) -> None:
        mine = deny("s3:GetObject", "arn:aws:s3:::lake/raw/${aws:PrincipalTag/team}/*")
        assert decide(principal(allow(), mine, tags={}), bucket(), Level.READ) is Decision.ALLOW

    def test_an_example_is_no_proof_where_the_value_of_a_variable_is_not_known(self) -> None:
        where = "arn:aws:s3:::lake/raw/${aws:PrincipalTag/team}/*"
        blue = {"StringEquals": {"aws:PrincipalTag/team": "blue"}}
        denied = deny("s3:GetObject", where, Condition=blue)
        found = judge(principal(allow(), denied), bucket(), RAW, Level.READ, now=NOW)
        assert found.decision is Decision.UNDETERMINED
        assert "aws:PrincipalTag/team" in found.unsettled

    @pytest.mark.parametrize(
        "harmless",
        [
            deny("s3:PutObject", "arn:aws:s3:::lake/raw/${aws:PrincipalTag/team}/*"),
            deny("s3:GetObject", "arn:aws:s3:::lake/other/${aws:PrincipalTag/team}/*"),
            allow("s3:GetObject", "arn:aws:s3:::lake/raw/${aws:PrincipalTag/team}/*"),
        ],
    )
    def test_a_variable_that_changes_nothing_leaves_it_a_yes(self, harmless: Statement) -> None:
        assert decide(principal(allow(), harmless), bucket(), Level.READ) is Decision.ALLOW

    def test_a_statement_about_nothing_in_particular_cuts_nothing(self) -> None:
        trust = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
        layers = PolicySet(identity=(policy(allow()),), resource=(policy(trust),))
        assert len(parts_of("arn:aws:s3:::lake/raw/*", layers)) == 1

    def test_of_one_key_there_are_no_parts(self) -> None:
        who = principal(allow(), deny("s3:GetObject", "arn:aws:s3:::lake/raw/*.json"))
        assert decide(who, bucket(), Level.READ, ONE) is Decision.ALLOW

    def test_more_parts_than_can_be_gone_through_are_no_yes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sm_access.policy.partition.MOST_STATES", 1)
        found = judge(
            principal(allow(), deny("s3:GetObject", "arn:aws:s3:::lake/*.csv")),
            bucket(),
            RAW,
            Level.READ,
            now=NOW,
        )
        assert found.decision is Decision.UNDETERMINED
        assert "parts of s3://lake/raw/" in found.unsettled


class TestPartsOfAKey:
    """S3 names the object to the key: a key may be open for one object and closed for the next."""

    SECRET = "arn:aws:s3:::lake/raw/secret/*"

    def found(
        self,
        *statements: Statement,
        on_key: tuple[Statement, ...] = (),
        target: S3Target = RAW,
        asked: Level | str = Level.READ,
        bucket_key: bool | None = False,
        **known: Any,
    ) -> Verdict:
        trusts = allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
        document = policy(trusts, *on_key, name="key policy")
        where = bucket(kms_key_arn=KEY, kms_policy=(document,), bucket_key=bucket_key)
        who = principal(allow("s3:*"), *(statements or (allow("kms:*", KEY),)), **known)
        return judge(who, where, target, asked, now=NOW)

    def told(self, operator: str, value: Any) -> Mapping[str, Any]:
        return {"Condition": {operator: {ENCRYPTION_CONTEXT: value}}}

    def test_no_object_is_called_by_a_star(self) -> None:
        names = ["arn:aws:s3:::lake/raw/*", "arn:aws:s3:::lake"]
        found = self.found(allow("kms:Decrypt", KEY, **self.told("StringEquals", names)))
        assert found.decision is Decision.IMPLICIT_DENY
        assert found.deciding.check.action == "kms:Decrypt"
        like = self.found(allow("kms:Decrypt", KEY, **self.told("StringLike", names)))
        assert like.decision is Decision.ALLOW

    def test_an_object_that_is_called_by_a_star_is_one_part(self) -> None:
        closed = deny("kms:Decrypt", **self.told("StringEquals", "arn:aws:s3:::lake/raw/*"))
        (exception,) = self.found(allow("kms:*", KEY), closed).exceptions
        assert exception.check.context[ENCRYPTION_CONTEXT] == "arn:aws:s3:::lake/raw/*"
        assert exception.response.decision is Decision.EXPLICIT_DENY

    @pytest.mark.parametrize(
        ("operator", "value"),
        [
            ("StringLike", SECRET),
            ("StringEquals", "arn:aws:s3:::lake/raw/secret/x"),
            ("ArnLike", "arn:*:s3:*:*:lake/raw/secret/*"),
            ("ArnEquals", "arn:aws:s3:::lake/*/secret/*"),
            ("StringLike", "*/secret/*"),
            ("ForAnyValue:StringLike", "*.csv"),
        ],
    )
    def test_a_key_that_is_closed_for_a_part(self, operator: str, value: str) -> None:
        closed = deny("kms:Decrypt", Condition={operator: {ENCRYPTION_CONTEXT.upper(): value}})
        by_key = {**closed, "Principal": "*"}
        for found in (self.found(allow("kms:*", KEY), closed), self.found(on_key=(by_key,))):
            assert found.decision is Decision.UNDETERMINED
            assert {each.response.decision for each in found.exceptions} == {Decision.EXPLICIT_DENY}
            assert {each.check.resource_arn for each in found.exceptions} == {KEY}

    def test_a_key_that_is_open_for_a_part_alone(self) -> None:
        closed = deny("kms:Decrypt", **self.told("StringNotLike", self.SECRET))
        assert self.found(allow("kms:*", KEY), closed).decision is Decision.EXPLICIT_DENY
        secret = S3Target("lake", "raw/secret/")
        assert self.found(allow("kms:*", KEY), closed, target=secret).decision is Decision.ALLOW

    @pytest.mark.parametrize(
        ("operator", "value"),
        [
            ("StringLike", "arn:aws:s3:::lake/other/*"),
            ("ArnLike", "arn:aws:s3:*:*:sea/*"),
            ("ArnLike", "arn:aws:sqs:*:*:lake/raw/x"),
            ("StringEqualsIgnoreCase", "arn:aws:s3:::lake/other/X"),
        ],
    )
    def test_a_key_that_is_closed_elsewhere(self, operator: str, value: str) -> None:
        closed = deny("kms:Decrypt", **self.told(operator, value))
        assert self.found(allow("kms:*", KEY), closed).decision is Decision.ALLOW

    def test_a_value_that_is_no_arn_leaves_it_open(self) -> None:
        closed = deny("kms:Decrypt", **self.told("ArnLike", "arn:aws:s3"))
        assert self.found(allow("kms:*", KEY), closed).decision is Decision.UNDETERMINED

    @pytest.mark.parametrize(
        "condition",
        [
            {"StringEqualsIgnoreCase": {ENCRYPTION_CONTEXT: "arn:aws:s3:::lake/RAW/x"}},
            {"StringEquals": {"aws:PrincipalTag/only": f"${{{ENCRYPTION_CONTEXT}}}"}},
        ],
    )
    def test_parts_that_cannot_be_told_are_no_yes(self, condition: Mapping[str, Any]) -> None:
        tags = {"only": "arn:aws:s3:::lake/raw/x"}
        found = self.found(allow("kms:*", KEY), deny("kms:Decrypt", Condition=condition), tags=tags)
        assert found.decision is Decision.UNDETERMINED
        assert "parts of s3://lake/raw/" in found.unsettled

    def test_a_variable_is_the_part_that_it_names(self) -> None:
        mine = self.told("StringLike", "arn:aws:s3:::lake/raw/${aws:PrincipalTag/team}/*")["Condition"]
        closed = deny("kms:Decrypt", Condition=mine)
        (exception,) = self.found(allow("kms:*", KEY), closed, tags={"team": "blue"}).exceptions
        assert exception.check.context[ENCRYPTION_CONTEXT].startswith("arn:aws:s3:::lake/raw/blue/")
        assert self.found(allow("kms:*", KEY), closed, tags={}).decision is Decision.ALLOW
        blue = deny("kms:Decrypt", Condition={**mine, "StringEquals": {"aws:PrincipalTag/team": "blue"}})
        found = self.found(allow("kms:*", KEY), blue)
        assert found.decision is Decision.UNDETERMINED
        assert "aws:PrincipalTag/team" in found.unsettled

    @pytest.mark.parametrize("asked", [Level.READ, "s3:GetObject"])
    def test_what_s3_names_to_the_key_goes_by_the_bucket(self, asked: Level | str) -> None:
        by_bucket = allow("kms:*", KEY, **self.told("StringEquals", "arn:aws:s3:::lake"))
        by_object = allow("kms:*", KEY, **self.told("StringLike", "arn:aws:s3:::lake/raw/*"))
        assert self.found(by_bucket, asked=asked, bucket_key=True).decision is Decision.ALLOW
        assert self.found(by_object, asked=asked, bucket_key=False).decision is Decision.ALLOW
        for known, each in ((False, by_bucket), (None, by_bucket), (True, by_object), (None, by_object)):
            found = self.found(each, asked=asked, bucket_key=known)
            assert found.decision is Decision.IMPLICIT_DENY
        assert self.found(by_bucket, by_object, asked=asked, bucket_key=None).decision is Decision.ALLOW

    def test_of_one_object_nothing_beneath_is_asked(self) -> None:
        one = allow("kms:*", KEY, **self.told("StringEquals", "arn:aws:s3:::lake/raw/x.csv"))
        assert self.found(one, target=ONE).decision is Decision.ALLOW
        assert self.found(one).decision is Decision.IMPLICIT_DENY

    def test_an_action_on_the_key(self) -> None:
        closed = deny("kms:Decrypt", **self.told("StringLike", self.SECRET))
        assert self.found(allow("kms:*", KEY), closed, asked="kms:Decrypt").exceptions
        by_bucket = self.found(allow("kms:*", KEY), closed, asked="kms:Decrypt", bucket_key=True)
        assert by_bucket.decision is Decision.ALLOW


@pytest.mark.parametrize(
    "key",
    [
        "aws:VpceAccount",
        "aws:SourceIp",
        "ec2:SourceInstanceArn",
        "lambda:SourceFunctionArn",
        "cognito-identity.amazonaws.com:aud",
        "aws:AssumedRoot",
        "s3:TlsVersion",
    ],
)
def test_a_key_that_only_the_real_call_knows_makes_it_depend(key: str) -> None:
    who = principal(allow(), deny(Condition={"StringLike": {key: "x*"}}))
    assert decide(who, bucket(), Level.READ) is Decision.UNDETERMINED


def test_a_key_of_the_service_that_the_action_does_not_carry_is_absent() -> None:
    who = principal(allow(), deny("s3:GetObject", Condition={"StringLike": {"s3:prefix": "raw*"}}))
    assert decide(who, bucket(), Level.READ) is Decision.ALLOW


def test_another_partition_is_asked_about_its_own_resources() -> None:
    arn = f"arn:aws-us-gov:sts::{ACCOUNT}:assumed-role/notebooks/SageMaker"
    who = principal(
        allow(resource="arn:aws-us-gov:s3:::lake*"),
        arn=arn,
        iam_arn=f"arn:aws-us-gov:iam::{ACCOUNT}:role/notebooks",
    )
    assert decide(who, bucket(), Level.READ) is Decision.ALLOW
    assert decide(who, bucket(), "s3:GetObjectVersion") is Decision.ALLOW
    assert decide(who, bucket(), "s3:ListBucketVersions") is Decision.ALLOW
    closed = principal(allow(), deny(resource="arn:aws-us-gov:s3:::lake/*"), arn=arn, iam_arn=who.iam_arn)
    assert decide(closed, bucket(), Level.READ) is Decision.EXPLICIT_DENY


def test_an_object_action_beside_the_levels_leaves_the_key_open() -> None:
    where = bucket(kms_key_arn=KEY, kms_policy=key_policy("kms:DescribeKey"))
    found = judge(principal(allow("s3:*")), where, RAW, "s3:GetObjectVersion", now=NOW)
    assert found.decision is Decision.UNDETERMINED
    assert "KMS key" in found.unsettled
    assert decide(principal(allow("s3:*")), where, "s3:GetObjectTagging") is not Decision.EXPLICIT_DENY


def test_a_listing_of_versions_carries_its_prefix() -> None:
    hidden = deny("s3:ListBucketVersions", Condition={"StringLike": {"s3:prefix": "raw/*"}})
    assert decide(principal(allow(), hidden), bucket(), "s3:ListBucketVersions") is Decision.EXPLICIT_DENY
    assert decide(principal(allow(), hidden), bucket(), "s3:ListBucketVersions", WHOLE) is Decision.ALLOW


def test_hundreds_of_closed_folders_are_gone_through_and_a_thousand_are_no_yes() -> None:
    def found(folders: int) -> Verdict:
        closed = [f"arn:aws:s3:::lake/team-{number}/private/*" for number in range(folders)]
        return judge(principal(allow(), deny("s3:GetObject", closed)), bucket(), WHOLE, Level.READ, now=NOW)

    assert len(found(300).exceptions) == 300
    too_many = found(1100)
    assert too_many.decision is Decision.UNDETERMINED
    assert "parts of s3://lake" in too_many.unsettled


def test_statements_about_other_actions_part_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sm_access.policy.partition.MOST_STEPS", 10_000)
    stars = [f"arn:aws:s3:::lake/*{one}*{other}*" for one in "abc" for other in "defg"]
    who = principal(allow(), deny("s3:PutObject", stars))
    assert decide(who, bucket(), Level.READ) is Decision.ALLOW
    closed = judge(principal(allow(), deny("s3:GetObject", stars)), bucket(), RAW, Level.READ, now=NOW)
    assert closed.decision is Decision.UNDETERMINED
    assert closed.unsettled


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("arn:aws:s3:::lake/raw/hidden/*", 2),  # within
        ("arn:aws:s3:::lake/*", 1),  # around
        ("arn:aws:s3:::lake/raw/", 2),  # the place itself
        ("arn:aws:s3:::lake/ra?/x", 2),
        ("arn:aws:s3:::*/x", 2),
        ("arn:aws:s3:::${aws:PrincipalTag/b}/raw/x", 2),
        ("arn:aws:s3:::lake/other/*", 1),
        ("arn:aws:s3:::lak", 1),
        ("arn:aws:s3:::sea/raw/x", 1),
    ],
)
def test_a_pattern_parts_a_place_wherever_they_meet(pattern: str, parts: int) -> None:
    layers = PolicySet(identity=(policy(deny(resource=pattern)),))
    assert len(parts_of("arn:aws:s3:::lake/raw/*", layers)) == parts


def test_a_thousand_statements_about_other_places_part_nothing() -> None:
    others = [deny(resource=f"arn:aws:s3:::lake/{number}/*") for number in range(1000)]
    layers = PolicySet(identity=(policy(*others, deny(resource="arn:aws:s3:::lake/raw/x")),))
    assert len(parts_of("arn:aws:s3:::lake/raw/*", layers)) == 2


def test_an_action_on_one_key_is_about_that_key_alone_as_its_level_is() -> None:
    who = principal(allow("s3:GetObject", "arn:aws:s3:::lake/raw/x.csv"))
    assert (
        decide(who, bucket(), "s3:GetObject", ONE) is decide(who, bucket(), Level.READ, ONE) is Decision.ALLOW
    )
    assert decide(who, bucket(), "s3:GetObject", RAW) is Decision.IMPLICIT_DENY
