from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_access.access import S3Target
from sm_access.errors import InvalidS3Uri


@pytest.mark.parametrize(
    ("uri", "bucket", "path"),
    [
        ("s3://lake", "lake", ""),
        ("s3://lake/", "lake", ""),
        ("s3://lake/raw/", "lake", "raw/"),
        ("s3://lake/raw/2026/x y.csv", "lake", "raw/2026/x y.csv"),
        ("s3://my.data-lake-1/größe/", "my.data-lake-1", "größe/"),
        ("s3://lake/price$/a{b}/", "lake", "price$/a{b}/"),
    ],
)
def test_what_is_understood(uri: str, bucket: str, path: str) -> None:
    target = S3Target.parse(uri)
    assert (target.bucket, target.path) == (bucket, path)
    assert S3Target.parse(str(target)) == target


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "lake/raw/",
        "s3:/lake/raw/",
        "s3:lake",
        "S3://lake/raw/",
        "https://lake/raw/",
        "s3://",
        "s3:///raw/",
        "s3://Lake/raw/",
        "s3://la/raw/",
        "s3://la_ke/raw/",
        "s3://la..ke/",
        "s3://-lake/",
        "s3://lake-/",
        "s3://192.168.0.1/",
        "s3://la*/",
        "s3://lake*",
        "s3://" + "a" * 64,
        "s3://lake\n/raw/",
        "s3://lake/raw/*",
        "s3://lake/ra?/",
        "s3://lake/${aws:userid}/",
        "s3://lake/raw\n/",
        "s3://lake/raw\x7f/",
        "s3://lake/raw\x85/",
        "s3://lake/raw\u00a0/",
        "s3://lake/raw\u00ad/",
        "s3://lake/данные/",
        "s3://lake/raw\u202e/",
        "s3://lake//raw/",
        "s3://lake/raw//",
        "s3://lake/raw//x",
        "s3://lake/../hr/",
        "s3://lake/raw/..",
        "s3://lake/raw/./x",
        "s3://lake/" + "ä" * 513,
    ],
)
def test_what_is_refused(uri: str) -> None:
    with pytest.raises(InvalidS3Uri) as refused:
        S3Target.parse(uri)
    assert refused.value.remedy


def test_a_target_that_policies_could_misread_cannot_be_constructed_either() -> None:
    with pytest.raises(InvalidS3Uri, match="wildcard"):
        S3Target("lake", "raw/*")


def test_the_message_names_the_character() -> None:
    with pytest.raises(InvalidS3Uri, match=r"U\+0434"):
        S3Target("lake", "д/")


def test_the_longest_key_is_accepted() -> None:
    assert S3Target("lake", "a" * 1024).path


@pytest.mark.parametrize(
    ("path", "object_arns", "listing_prefix"),
    [
        ("", ("arn:aws:s3:::lake/*",), ""),
        ("raw/", ("arn:aws:s3:::lake/raw/*",), "raw/"),
        ("raw/x.csv", ("arn:aws:s3:::lake/raw/x.csv", "arn:aws:s3:::lake/raw/x.csv/*"), "raw/x.csv/"),
    ],
)
def test_resources(path: str, object_arns: tuple[str, ...], listing_prefix: str) -> None:
    target = S3Target("lake", path)
    assert target.object_arns() == object_arns
    assert target.listing_prefix == listing_prefix
    assert target.bucket_arn("aws-cn") == "arn:aws-cn:s3:::lake"


def test_covers() -> None:
    lake, raw, file = S3Target("lake"), S3Target("lake", "raw/"), S3Target("lake", "raw/x.csv")
    assert lake.covers(raw)
    assert raw.covers(file)
    assert file.covers(file)
    assert file.covers(S3Target("lake", "raw/x.csv/"))
    assert not S3Target("lake", "raw/x.csv/").covers(file)
    assert not raw.covers(lake)
    assert not raw.covers(S3Target("lake", "raw-secret/"))
    assert not raw.covers(S3Target("pond", "raw/"))
    assert not S3Target("lake", "raw").covers(lake)


KEYS = st.text(alphabet="ab/-.", max_size=8)


@given(path=KEYS, key=KEYS)
def test_a_prefix_ends_at_a_component(path: str, key: str) -> None:
    try:
        target = S3Target("lake", path)
    except InvalidS3Uri:
        return
    component = [] if not path else path.removesuffix("/").split("/")
    inside = key.split("/")[: len(component)] == component and key.count("/") >= len(component)
    assert target.covers_key(key) == (inside or (key == path and not path.endswith("/")) or not path)
