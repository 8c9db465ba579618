"""The matrix of permissions: five answers, each with its reason, on the page, as records and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime, timezone

import pytest
from rich.console import Console

from sm_access.access.evidence import BucketEvidence, PrincipalEvidence
from sm_access.access.level import Level
from sm_access.access.target import S3Target
from sm_access.access.verdict import Verdict, judge
from sm_access.cli.terminal import show
from sm_access.policy import UNREADABLE, NamedPolicy, parse_policy
from sm_access.policy.policy_set import Unreadable
from sm_access.presentation.permissions import Permissions, answer_of, matrix_page, request_command
from sm_access.presentation.spreadsheet import cell, to_csv

NOW = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
SESSION = "arn:aws:sts::111122223333:assumed-role/DS/SageMaker"
KEY = "arn:aws:kms:us-east-1:111122223333:key/1"
RAW = S3Target("lake", "raw/")
Row = Mapping[Level, Verdict | str]


def policy(*statements: dict[str, object], name: str = "data") -> NamedPolicy:
    document = parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, name=name)
    return NamedPolicy(name, document, "inline")


def allow(actions: str | list[str], resource: str = "*", **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def row(
    *identity: NamedPolicy,
    at: S3Target = RAW,
    readable: bool = True,
    bucket_policy: tuple[NamedPolicy, ...] | Unreadable | None = None,
    key: str | None = None,
    key_policy: tuple[NamedPolicy, ...] | None = None,
) -> Row:
    principal = PrincipalEvidence(
        arn=SESSION,
        iam_arn="arn:aws:iam::111122223333:role/DS",
        account="111122223333",
        identity=identity if readable else UNREADABLE,
        boundary=None,
        read_at=NOW,
    )
    bucket = BucketEvidence(
        bucket=at.bucket,
        owner_account="111122223333",
        policy=bucket_policy,
        encryption_read=True,
        kms_key_arn=key,
        kms_policy=key_policy,
        region="us-east-1",
        read_at=NOW,
    )
    return {level: judge(principal, bucket, at, level, now=NOW) for level in Level}


def answers(found: Row) -> list[str]:
    return [answer_of(found[level]) for level in Level]


def page_of(*rows: tuple[S3Target, Row], more: int = 0) -> Permissions:
    return Permissions(matrix_page(rows, SESSION, NOW, more=more))


def test_yes_and_no() -> None:
    assert answers(row(policy(allow(["s3:ListBucket", "s3:GetObject"])))) == ["yes", "yes", "no", "no"]


def test_what_the_call_brings_along_is_a_condition() -> None:
    from_home = {"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}
    found = row(policy(allow("s3:*", **from_home)))
    assert answers(found) == ["depends"] * 4
    assert "aws:SourceIp" in page_of((RAW, found)).to_dict()["rows"][0]["read"]["reason"]


def test_a_policy_that_was_not_read_is_no_condition() -> None:
    assert answers(row(readable=False)) == ["cannot tell"] * 4
    assert answers(row(policy(allow("s3:*")), bucket_policy=UNREADABLE)) == ["cannot tell"] * 4


def test_an_exception_within_the_place() -> None:
    deny = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::lake/raw/hr/*"}
    assert answers(row(policy(allow("s3:*"), deny))) == ["yes", "in part", "yes", "yes"]


def test_a_closed_key_is_no_because_of_the_key() -> None:
    found = row(policy(allow(["s3:*", "kms:*"])), key=KEY, key_policy=())
    assert answers(found) == ["yes", "no", "no", "yes"]
    assert "no because of the key" in page_of((RAW, found)).to_text()


def test_a_bucket_that_could_not_be_looked_at_says_why() -> None:
    found = page_of((RAW, dict.fromkeys(Level, "There is no bucket named lake.")))
    assert found.records()[0]["read"] == "cannot tell"
    assert found.records()[0]["read_reason"] == "There is no bucket named lake."
    assert "There is no bucket named lake." in found.to_text()


def test_each_cell_opens_a_reason_of_its_own() -> None:
    html = page_of((RAW, row(policy(allow("s3:ListBucket"))))).to_html()
    assert html.count("<details") == html.count("<summary>") == 4
    assert html.count('class="sma-word"') == 4
    for said in ("May list lake/raw/.", "May not read lake/raw/.", "May not write to", "May not delete in"):
        assert said in html
    assert "<script" not in html
    assert "onclick" not in html


def test_the_terminal_has_a_sign_beside_the_colour_and_tells_reasons_on_demand() -> None:
    def printed(*, unfold: bool) -> str:
        out = io.StringIO()
        show(Console(file=out, width=100, color_system=None), page_of((RAW, found)).page, unfold=unfold)
        return out.getvalue()

    found = row(policy(allow("s3:ListBucket")))
    assert "✓ yes  ✕ no  ✕ no   ✕ no" in printed(unfold=False)
    assert "May not read" not in printed(unfold=False)
    assert "May not read lake/raw/." in printed(unfold=True)


def test_a_long_matrix_as_text_is_the_table_alone() -> None:
    found = row(policy(allow("s3:ListBucket")))
    assert "May not read" in page_of(*[(RAW, found)] * 6).to_text()
    long = page_of(*[(RAW, found)] * 7, more=4800).to_text()
    assert "May not read" not in long
    assert "4,800 more" in long


def test_the_command_is_there_only_where_a_grant_would_help() -> None:
    odd = S3Target("lake", "my data/$(x)/")
    found = row(policy(allow("s3:ListBucket")), at=odd)
    assert request_command(odd, Level.LIST, found[Level.LIST]) is None
    assert (
        request_command(odd, Level.READ, found[Level.READ])
        == "sm-access request 's3://lake/my data/$(x)/' read --for 7d --why \"...\""
    )
    deny = policy({"Effect": "Deny", "Action": "s3:*", "Resource": "*"})
    assert request_command(odd, Level.READ, row(deny, at=odd)[Level.READ]) is None
    assert request_command(odd, Level.READ, "There is no such bucket.") is None


def test_an_empty_matrix_says_what_to_do() -> None:
    assert "name one" in page_of().to_text()
    assert (
        "No place where it may write"
        in Permissions(matrix_page((), SESSION, NOW, asked="where it may write")).to_text()
    )


def test_records_are_flat_and_the_csv_is_the_same() -> None:
    found = page_of((RAW, row(policy(allow("s3:ListBucket")))))
    (record,) = found.records()
    assert [record[name] for name in ("place", "list", "read", "read_at")] == [
        "s3://lake/raw/",
        "yes",
        "no",
        "2026-11-23T12:00:00Z",
    ]
    assert list(csv.DictReader(io.StringIO(found.to_csv()))) == [record]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1", "\uff1d1", "\x00=1", "\u202e=1"]
)
def test_no_cell_is_a_formula(text: str) -> None:
    safe = cell(text)
    assert safe[0] not in "=+-@\t\r\n\uff1d"
    assert safe.isprintable()


def test_a_cell_never_begins_a_row_of_its_own() -> None:
    text = to_csv(("a", "b"), [{"a": 'x"\r\n=1,2', "b": "plain"}])
    assert text.splitlines() == ["a,b", '"x""\\u000d ⏎ =1,2",plain']


def test_plain_text_is_left_alone() -> None:
    assert cell("s3://lake/raw/") == "s3://lake/raw/"
    assert cell("") == ""
