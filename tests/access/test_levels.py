from __future__ import annotations

from datetime import timedelta

import pytest
from doubles import KEY, START, WEEK, allowed
from hypothesis import given
from hypothesis import strategies as st

from sm_access.access import (
    Check,
    Extra,
    Level,
    S3Target,
    actions,
    checks,
    parse_extras,
    parse_level,
    statements,
)
from sm_access.access.levels import ENCRYPTION_CONTEXT, key_region
from sm_access.errors import InvalidInput, InvalidS3Uri, UnknownLevel

RAW = S3Target("lake", "raw/")
VIA = "s3.eu-central-1.amazonaws.com"
EVERY_ACTION = sorted(
    {*(action for level in Level for action in actions(level)), "s3:GetBucketPolicy", "s3:PutObjectAcl"}
)


def test_level_names() -> None:
    assert parse_level(" Read ") is Level.READ
    with pytest.raises(UnknownLevel, match="admin"):
        parse_level("admin")


def test_read_with_a_key_to_the_letter() -> None:
    end = {"aws:CurrentTime": "2026-11-30T17:00:00Z"}
    assert statements(RAW, Level.READ, ends_at=START + WEEK, kms_key_arn=KEY, sid_prefix="Sm1") == (
        {
            "Sid": "Sm1List",
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::lake",
            "Condition": {"StringLike": {"s3:prefix": "raw/*"}, "DateLessThan": end},
        },
        {
            "Sid": "Sm1Read",
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::lake/raw/*",
            "Condition": {"DateLessThan": end},
        },
        {
            "Sid": "Sm1Key",
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": KEY,
            "Condition": {
                "StringLike": {
                    ENCRYPTION_CONTEXT: ["arn:aws:s3:::lake", "arn:aws:s3:::lake/raw/*"],
                    "kms:ViaService": VIA,
                },
                "DateLessThan": end,
            },
        },
    )


def test_the_bare_stem_is_never_a_prefix_to_list_with() -> None:
    (listing,) = statements(S3Target("lake", "raw"), Level.LIST, ends_at=START, sid_prefix="Sm1")
    assert listing["Condition"]["StringLike"] == {"s3:prefix": "raw/*"}


def test_a_whole_bucket_is_listed_without_a_condition_on_the_prefix() -> None:
    (listing,) = statements(S3Target("lake"), Level.LIST, ends_at=START, sid_prefix="Sm1")
    assert listing["Condition"].keys() == {"DateLessThan"}


def test_listing_and_deleting_need_no_key() -> None:
    for level in (Level.LIST, Level.DELETE):
        made = statements(RAW, level, ends_at=START, kms_key_arn=KEY, sid_prefix="Sm1")
        assert not any("kms:" in str(statement) for statement in made)
        assert not any(check.action.startswith("kms:") for check in checks(RAW, level, KEY))


def test_partitions() -> None:
    made = statements(RAW, Level.READ, ends_at=START, sid_prefix="Sm1", partition="aws-cn")
    assert [statement["Resource"] for statement in made] == [
        "arn:aws-cn:s3:::lake",
        "arn:aws-cn:s3:::lake/raw/*",
    ]


def test_sids_are_of_letters_and_digits() -> None:
    with pytest.raises(ValueError, match="Sid"):
        statements(RAW, Level.READ, ends_at=START, sid_prefix="g-1")


@pytest.mark.parametrize(
    "arn",
    [
        "*",
        KEY + "*",
        KEY.replace("key/", "alias/"),
        KEY.replace("eu-central-1", "*"),
        "arn:aws:kms:eu-central-1:1:key/x",
    ],
)
def test_what_is_no_key(arn: str) -> None:
    with pytest.raises(InvalidInput, match="KMS key"):
        key_region(arn)


def test_a_key_of_another_region_is_refused() -> None:
    assert key_region(KEY, "eu-central-1") == "eu-central-1"
    with pytest.raises(InvalidInput, match="eu-west-1"):
        statements(RAW, Level.READ, ends_at=START, kms_key_arn=KEY, region="eu-west-1", sid_prefix="Sm1")


def test_checks() -> None:
    bucket, objects = "arn:aws:s3:::lake", "arn:aws:s3:::lake/raw/*"
    with_objects = {"kms:ViaService": VIA, ENCRYPTION_CONTEXT: objects}
    assert checks(RAW, Level.WRITE, KEY, bucket_key=False) == (
        Check("s3:ListBucket", "arn:aws:s3:::lake", {"s3:prefix": "raw/"}),
        Check("s3:PutObject", "arn:aws:s3:::lake/raw/*"),
        Check("s3:AbortMultipartUpload", "arn:aws:s3:::lake/raw/*"),
        Check("s3:ListMultipartUploadParts", "arn:aws:s3:::lake/raw/*"),
        Check("kms:GenerateDataKey", KEY, with_objects),
        Check("kms:Decrypt", KEY, with_objects),
    )
    told = [
        [check.context[ENCRYPTION_CONTEXT] for check in checks(RAW, Level.READ, KEY, bucket_key=known)[2:]]
        for known in (True, False, None)
    ]
    assert told == [[bucket], [objects], [bucket, objects]]
    assert checks(S3Target("lake"), Level.LIST) == (Check("s3:ListBucket", "arn:aws:s3:::lake"),)


PATHS = st.text(alphabet="ab/-.*?${}\n\u00e9\u0434", max_size=8)


@given(path=PATHS, level=st.sampled_from(Level), kms=st.booleans())
def test_what_is_granted_is_enough(path: str, level: Level, kms: bool) -> None:
    try:
        target = S3Target("lake", path)
    except InvalidS3Uri:
        return
    key = KEY if kms else None
    made = statements(target, level, ends_at=START + WEEK, kms_key_arn=key, sid_prefix="Sm1")
    for check in checks(target, level, key):
        assert allowed(made, check.action, check.resource_arn, check.context)
        assert not allowed(made, check.action, check.resource_arn, check.context, START + WEEK)


@given(path=PATHS, key=PATHS, action=st.sampled_from(EVERY_ACTION), level=st.sampled_from(Level))
def test_what_is_granted_is_what_was_asked_for(path: str, key: str, action: str, level: Level) -> None:
    try:
        target = S3Target("lake", path)
    except InvalidS3Uri:
        return
    made = statements(target, level, ends_at=START + timedelta(seconds=1), sid_prefix="Sm1")
    asked = action in actions(level)
    if action == "s3:ListBucket":
        listed = target.is_bucket or key.startswith(target.stem + "/")
        assert allowed(made, action, "arn:aws:s3:::lake", {"s3:prefix": key}) == listed
        assert allowed(made, action, "arn:aws:s3:::lake") == target.is_bucket
    else:
        assert allowed(made, action, f"arn:aws:s3:::lake/{key}") == (asked and target.covers_key(key))
    for elsewhere in ("arn:aws:s3:::lake-hr", f"arn:aws:s3:::lake-hr/{key}", "arn:aws:s3:::lak"):
        assert not allowed(made, action, elsewhere, {"s3:prefix": key})


@pytest.mark.parametrize(
    ("level", "extras", "beside"),
    [
        (Level.LIST, (Extra.VERSIONS,), {"s3:ListBucketVersions"}),
        (Level.READ, (Extra.VERSIONS,), {"s3:ListBucketVersions", "s3:GetObjectVersion"}),
        (Level.READ, (Extra.TAGS,), {"s3:GetObjectTagging"}),
        (Level.WRITE, (Extra.VERSIONS,), {"s3:ListBucketVersions"}),
        (Level.DELETE, (Extra.VERSIONS,), {"s3:ListBucketVersions", "s3:DeleteObjectVersion"}),
        (
            Level.WRITE,
            (Extra.VERSIONS, Extra.TAGS),
            {"s3:ListBucketVersions", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"},
        ),
    ],
)
def test_what_extras_add(level: Level, extras: tuple[Extra, ...], beside: set[str]) -> None:
    assert set(actions(level, extras)) - set(actions(level)) == beside
    made = statements(RAW, level, ends_at=START + WEEK, sid_prefix="Sm1", extras=extras)
    for check in checks(RAW, level, extras=extras):
        assert allowed(made, check.action, check.resource_arn, check.context)
    assert {check.action for check in checks(RAW, level, extras=extras)} == set(actions(level, extras))


def test_extras_by_name() -> None:
    assert parse_extras(["Tags ", "versions", "tags"]) == (Extra.VERSIONS, Extra.TAGS)
    assert parse_extras([]) == ()
    with pytest.raises(InvalidInput, match="acl"):
        parse_extras(["tags", "acl"])
