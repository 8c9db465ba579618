"""Verdicts in words: the sentence that decides, and what limits a yes."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from sm_access.access.evidence import BucketEvidence, PrincipalEvidence, Unread
from sm_access.access.level import Level
from sm_access.access.target import S3Target
from sm_access.access.verdict import judge
from sm_access.policy import UNREADABLE, NamedPolicy, parse_policy
from sm_access.policy.policy_set import Unreadable
from sm_access.presentation.text import to_text
from sm_access.presentation.verdict import verdict_page

NOW = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
ROLE = "arn:aws:iam::111122223333:role/DS"


def policy(name: str, *statements: dict[str, object]) -> NamedPolicy:
    document = parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, name=name)
    return NamedPolicy(name, document, "inline")


READ = policy("data", {"Sid": "All", "Effect": "Allow", "Action": "s3:*", "Resource": "*"})
DENY = policy("data", {"Sid": "Never", "Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"})
LIST_ONLY = policy("data", {"Sid": "L", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"})

KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
KEY_POLICY = policy(
    "key policy",
    {
        "Effect": "Allow",
        "Principal": {"AWS": ROLE.replace("role/DS", "root")},
        "Action": "kms:*",
        "Resource": "*",
    },
)


def said(
    *identity: NamedPolicy,
    boundary: tuple[NamedPolicy, ...] | Unreadable | None = None,
    owner: str = "111122223333",
    unread: tuple[Unread, ...] = (),
    key: str | None = None,
) -> str:
    principal = PrincipalEvidence(
        arn="arn:aws:sts::111122223333:assumed-role/DS/SageMaker",
        iam_arn=ROLE,
        account="111122223333",
        identity=identity,
        boundary=boundary,
        read_at=NOW,
        unread=unread,
    )
    bucket = BucketEvidence(
        bucket="lake",
        owner_account=owner,
        policy=None,
        encryption_read=True,
        kms_key_arn=key,
        kms_policy=(KEY_POLICY,),
        region="us-east-1",
        read_at=NOW,
        bucket_key=False,
    )
    verdict = judge(principal, bucket, S3Target("lake", "raw/"), Level.READ, now=NOW)
    return to_text(verdict_page(verdict, NOW)).replace("\n ", "")


def test_a_yes_with_everything_read_is_a_yes() -> None:
    assert said(READ).startswith("✓ Yes: DS may read s3://lake/raw/.")


def test_a_yes_beside_which_something_was_not_read_says_so_in_its_first_words() -> None:
    text = said(READ, unread=(Unread("the organization's service control policies"),))
    assert text.startswith("✓ Yes, as far as could be read: DS may read")
    assert "Not read: the organization's service control policies." in text


@pytest.mark.parametrize(
    ("identity", "boundary", "words"),
    [
        ((READ, DENY), None, "Statement Never of data (inline) denies s3:GetObject"),
        ((LIST_ONLY,), None, "No policy of this principal allows s3:GetObject there."),
        (
            (),
            None,
            "allows s3:ListBucket or s3:GetObject there. Nothing denies it, so a grant would be enough.",
        ),
        (
            (READ,),
            (LIST_ONLY,),
            "The permissions boundary does not allow s3:GetObject there. A grant",
        ),
        ((READ,), UNREADABLE, "Cannot tell"),
    ],
)
def test_a_no_names_its_reason(
    identity: tuple[NamedPolicy, ...], boundary: tuple[NamedPolicy, ...] | Unreadable | None, words: str
) -> None:
    assert words in " ".join(said(*identity, boundary=boundary).split())


def test_another_accounts_bucket_is_the_other_sides_to_open() -> None:
    text = " ".join(said(READ, owner="444455556666").split())
    assert "belongs to another account, and that side does not." in text


def test_a_yes_in_part_names_the_part_and_the_statement() -> None:
    deny = policy(
        "guard", {"Sid": "Pii", "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::lake/raw/pii/*"}
    )
    text = " ".join(said(READ, deny).split())
    assert text.startswith("! In part: DS may read s3://lake/raw/, but not everywhere there.")
    assert "but Statement Pii of guard (inline) denies s3:GetObject on some of it, lake/raw/pii/" in text


def test_a_yes_in_part_because_of_the_key_names_the_object() -> None:
    context = {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::lake/raw/pii/*"}
    opened = policy("key", {"Effect": "Allow", "Action": "kms:*", "Resource": "*"})
    deny = policy(
        "guard",
        {"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*", "Condition": {"StringLike": context}},
    )
    text = " ".join(said(READ, opened, deny, key=KEY).split())
    assert "denies kms:Decrypt on some of it, lake/raw/pii/ for example" in text


def test_a_yes_in_part_for_want_of_an_allow_or_for_what_is_not_known() -> None:
    but = policy(
        "most",
        {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::lake/raw/pii/*"},
    )
    assert "nothing allows s3:GetObject on some of it" in " ".join(said(LIST_ONLY, but).split())
    where = policy(
        "where",
        {
            "Effect": "Deny",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::lake/raw/pii/*",
            "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
        },
    )
    assert "for some of it, lake/raw/pii/" in " ".join(said(READ, where).split())


def test_a_no_for_one_key_offers_what_lies_beneath() -> None:
    principal = PrincipalEvidence(
        "arn:aws:sts::111122223333:assumed-role/DS/x", ROLE, "111122223333", (), None, NOW
    )
    bucket = BucketEvidence("lake", "111122223333", None, True, None, None, "us-east-1", NOW)
    verdict = judge(principal, bucket, S3Target("lake", "raw"), Level.READ, now=NOW)
    assert "sm-access can read s3://lake/raw/" in to_text(verdict_page(verdict, NOW))


def test_what_is_not_modelled_and_could_change_a_no_is_named() -> None:
    key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    principal = PrincipalEvidence(
        "arn:aws:sts::111122223333:assumed-role/DS/x", ROLE, "111122223333", (READ,), None, NOW
    )
    closed = policy(
        "key policy",
        {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:DescribeKey", "Resource": "*"},
    )
    bucket = BucketEvidence("lake", "111122223333", None, True, key, (closed,), "us-east-1", NOW)
    verdict = judge(principal, bucket, S3Target("lake", "raw/"), Level.READ, now=NOW)
    page = verdict_page(verdict, NOW)
    assert "Not modelled, and able to change this: " in to_text(page)
    assert any("grant" in words.lower() for words in page.data["not_modelled"])
