"""What an auditor asks of the ledger - in a file, and in the table of a team."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import sm_access
from sm_access.bootstrap import Services
from sm_access.commands import audit_log as auditing
from sm_access.commands import requesting
from sm_access.config import Settings
from sm_access.errors import InvalidInput
from sm_access.sandbox import Sandbox, company
from sm_access.stores.dynamodb_table import table_parameters

RAW = "s3://acme-lake/raw/"
TABLES = iter(f"sm-access-audit-{number}" for number in range(1000))


@pytest.fixture(params=["sqlite", "dynamodb"])
def people(
    request: pytest.FixtureRequest, sandbox: Sandbox, services_of: Callable[[str], Services]
) -> Iterator[Callable[[str], Services]]:
    """`people("notebook")`: the services of that principal, over a ledger of the test's own."""
    if request.param == "sqlite":
        yield services_of
        return
    name = next(TABLES)
    sandbox.root_session.client("dynamodb").create_table(**table_parameters(name))
    made: dict[str, Services] = {}

    def of(principal: str) -> Services:
        if principal not in made:
            settings = Settings.load(sandbox.environment(principal), ledger=f"dynamodb://{name}")
            made[principal] = Services(settings, session=sandbox.session(principal))
            # Who may insert where is not shown here, as the embedded AWS cannot tell: the ledger has all rights.
            root = Services(settings, session=sandbox.root_session)
            made[principal].__dict__["ledger"] = type(root.ledger)(
                root.ledger._table,  # type: ignore[union-attr, call-arg, arg-type]
                made[principal].caller,  # type: ignore[arg-type]
            )
        return made[principal]

    yield of


@pytest.fixture
def told(people: Callable[[str], Services]) -> str:
    """One request, approved, applied and revoked; another one rejected: the id of the first."""
    notebook, approver = people("notebook"), people("approver")

    def ask(why: str, person: str | None = None) -> str:
        asked = requesting.request_access(
            RAW, "read", duration="1h", why=why, person=person, services=notebook
        )
        return str(asked.to_dict()["id"])

    first = ask("=cmd|'/C calc'!A0", "ada")
    second = ask("no")
    assert requesting.approve(first, services=approver)
    assert requesting.reject(second, why="not\nthis", services=approver)
    assert requesting.revoke(first, services=approver)
    return first


def test_who_did_what_when_and_how_that_is_known(people: Callable[[str], Services], told: str) -> None:
    at = people("approver")
    shown = sm_access.audit_log(services=at)
    entries = shown.to_dict()["entries"]
    assert [entry["what"] for entry in entries if entry["request"] == told] == [
        "submitted",
        "approved",
        "applied",
        "revoked",
        "collected",
    ]
    assert len(entries) == shown.to_dict()["total"] == 7
    submitted, approved = (
        entry for entry in entries if entry["what"] in {"submitted", "approved"} and entry["request"] == told
    )
    assert submitted["author"] == company.role_arn(company.NOTEBOOK_ROLE)
    assert submitted["user_id"].endswith(":SageMaker")
    assert approved["author"] == company.role_arn(company.APPROVER_ROLE)
    assert approved["user_id"].endswith(":dana")
    assert submitted["claimed_person"] == "ada"
    assert submitted["event"]["requester"]["user_id"] == submitted["user_id"]
    team = "Dynamo" in type(at.ledger).__name__
    assert {entry["authorship"] for entry in entries if entry["author"]} == {"proven" if team else "recorded"}
    applied = next(entry for entry in entries if entry["what"] == "applied")
    assert applied["author"] == (company.role_arn(company.APPROVER_ROLE) if team else None)
    text = shown.to_text()
    for words in ("read s3://acme-lake/raw/", "claimed", "acme-data-owner", "dana", "verify"):
        assert words in text
    assert ("proven by IAM" if team else "as recorded") in text
    assert "<table" in shown.to_html()
    json.dumps(shown.to_dict())


def test_only_some_of_it(people: Callable[[str], Services], told: str) -> None:
    at = people("approver")

    def count(**chosen: str) -> int:
        return len(sm_access.audit_log(services=at, **chosen).to_dict()["entries"])

    assert count(id=told) == 5
    assert count(id="r-none") == 0
    assert count(role=company.NOTEBOOK_ROLE) == 7
    assert count(role=company.role_arn(company.NOTEBOOK_ROLE.upper())) == 7
    assert count(role=company.APPROVER_ROLE) >= 3
    assert count(role="nobody") == 0
    assert count(since="1h") == count(since="2026-01-01") == count(since="2026-01-01T00:00:00Z") == 7
    assert count(since="2999-01-01") == 0
    assert "None of 7 entries" in sm_access.audit_log(id="r-none", services=at).to_text()
    for wrong in ("soon", "2026-13-01", "-7d", ""):
        with pytest.raises(InvalidInput, match="no moment"):
            count(since=wrong)


def test_nothing_yet(people: Callable[[str], Services]) -> None:
    at = people("notebook")
    assert "Nothing has happened" in sm_access.audit_log(services=at).to_text()
    assert sm_access.verify_audit_log(services=at)


def test_an_untouched_ledger_verifies_and_its_head_is_found_again(
    people: Callable[[str], Services], told: str, tmp_path: Path
) -> None:
    at, note = people("approver"), tmp_path / "head.json"
    first = sm_access.verify_audit_log(note=str(note), services=at)
    assert first.exit_code == 0
    found = first.to_dict()
    assert found["verified"] is True
    assert found["events"] == 7
    assert found["uncounted"] == {}
    assert f"{found['rows']}:{found['hash']}" in first.to_text()
    requesting.request_access(RAW, "list", duration="1h", why="more", services=people("notebook"))
    for head in (str(note), f"{found['rows']}:{found['hash']}"):
        again = sm_access.verify_audit_log(head=head, services=at)
        assert again.exit_code == 0
        assert "is found again" in again.to_text()
        assert again.to_dict()["events"] == 8
    before = json.loads(note.read_text())
    assert sm_access.verify_audit_log(note=str(note), services=at)
    assert json.loads(note.read_text()) != before
    assert not list(tmp_path.glob(".head*"))


def test_a_head_that_is_not_found_again(people: Callable[[str], Services], told: str, tmp_path: Path) -> None:
    at, note = people("approver"), tmp_path / "head.json"
    assert sm_access.verify_audit_log(note=str(note), services=at)
    kept = json.loads(note.read_text())
    note.write_text(json.dumps({**kept, "rows": kept["rows"] + 1}))
    for given in ({"head": str(note)}, {"note": str(note)}, {"head": f"1:{'f' * 64}"}):
        answer = sm_access.verify_audit_log(services=at, **given)
        assert answer.exit_code == 1
        assert answer.to_dict()["verified"] is False
        assert "noted earlier" in answer.to_text()
        assert "backup" in answer.to_text()
    assert (
        json.loads(note.read_text())["rows"] == kept["rows"] + 1
    )  # not overwritten with what was not verified


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "5",
        "[" * 10_000,
        "{}",
        '{"format": 2, "rows": 1, "hash": "", "pending": [], "uncounted": [], "noted_at": ""}',
        '{"format": 1, "rows": "1", "hash": "'
        + "0" * 64
        + '", "pending": [], "uncounted": [], "noted_at": ""}',
        '{"format": 1, "rows": 1, "hash": "0", "pending": [], "uncounted": [], "noted_at": ""}',
        '{"format": 1, "rows": 1, "hash": "'
        + "0" * 64
        + '", "pending": [1], "uncounted": [], "noted_at": ""}',
    ],
)
def test_what_is_no_noted_head(services_of: Callable[[str], Services], tmp_path: Path, content: str) -> None:
    path = tmp_path / "head.json"
    path.write_text(content)
    for given in ({"head": str(path)}, {"note": str(path)}):
        with pytest.raises(InvalidInput, match="no noted head"):
            sm_access.verify_audit_log(services=services_of("notebook"), **given)
    assert path.read_text() == content


@pytest.mark.parametrize("head", ["none.json", "5", "1:abc", ".", "\x00"])
def test_a_noted_head_that_cannot_be_read(services_of: Callable[[str], Services], head: str) -> None:
    with pytest.raises(InvalidInput, match="noted head"):
        sm_access.verify_audit_log(head=head, services=services_of("notebook"))


def test_a_file_in_which_a_row_was_changed(
    services_of: Callable[[str], Services], tmp_path: Path, enter: Callable[[str], None]
) -> None:
    at = services_of("notebook")
    requesting.request_access(RAW, "read", duration="1h", why="churn", services=at)
    connection = sqlite3.connect(tmp_path / "ledger.sqlite")
    with connection:
        connection.execute("UPDATE events SET body = replace(body, 'churn', 'other')")
    connection.close()
    answer = sm_access.verify_audit_log(services=at, note=str(tmp_path / "head.json"))
    assert answer.exit_code == 1
    assert "row 1 was changed" in answer.to_text()
    assert not (tmp_path / "head.json").exists()


def test_rows_written_past_sm_access_are_named_until_they_are_noted(
    people: Callable[[str], Services], told: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    at, note = people("approver"), str(tmp_path / "head.json")
    if not hasattr(at.ledger, "reading"):
        pytest.skip("in a file every row counts, or stops everything")
    table = at.ledger._table  # type: ignore[union-attr]
    assert table.insert([{"pk": "decide#<b>me</b>", "sk": "r-1#000002", "x": "y"}]) == "done"
    answer = sm_access.verify_audit_log(note=note, services=at)
    assert answer.exit_code == 1
    assert answer.to_dict()["verified"] is True
    assert "written past sm-access" in answer.to_text()
    assert "<b>me" not in answer.to_html()
    assert sm_access.verify_audit_log(note=note, services=at).exit_code == 0
    assert sm_access.verify_audit_log(services=at).exit_code == 1


def test_as_json_lines(people: Callable[[str], Services], told: str, tmp_path: Path) -> None:
    at, path = people("approver"), tmp_path / "log.jsonl"
    answer = sm_access.export_audit_log(str(path), services=at)
    assert answer.to_dict() == {"file": str(path), "entries": 7}
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == list(sm_access.audit_log(services=at).to_dict()["entries"])


def test_as_csv_that_a_spreadsheet_may_open(
    people: Callable[[str], Services], told: str, tmp_path: Path
) -> None:
    at, path = people("approver"), tmp_path / "log.CSV"
    assert sm_access.export_audit_log(str(path), id=told, services=at)
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    assert [row["what"] for row in rows] == ["submitted", "approved", "applied", "revoked", "collected"]
    assert "“=cmd" in rows[0]["detail"]
    for row in rows:
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    with pytest.raises(InvalidInput, match="no format"):
        sm_access.export_audit_log(str(path), kind="xlsx", services=at)


def test_a_file_that_cannot_be_written(services_of: Callable[[str], Services], tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none" / "log.csv"):
        with pytest.raises(InvalidInput, match="cannot be written"):
            sm_access.export_audit_log(str(path), services=services_of("notebook"))
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_an_export_that_fails_leaves_what_was_there(
    services_of: Callable[[str], Services], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("before")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(auditing.os, "fsync", full)
    with pytest.raises(InvalidInput, match="No space left"):
        sm_access.export_audit_log(str(path), services=services_of("notebook"))
    assert path.read_text() == "before"
    assert [found.name for found in tmp_path.iterdir() if "log.jsonl" in found.name] == ["log.jsonl"]
