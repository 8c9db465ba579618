"""`permissions` on the sandbox: narrowed down, exported, and never longer than it says."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import sm_access
from sm_access.bootstrap import Services
from sm_access.commands import inspecting
from sm_access.errors import CannotTell, InvalidInput, UnknownLevel
from sm_access.sandbox.world import Sandbox

Of = Callable[[str], Services]


def places(found: inspecting.Permissions) -> list[str]:
    return [record["place"] for record in found.records()]


def test_a_filter_narrows_before_anything_is_read(services_of: Of) -> None:
    notebook = services_of("notebook")
    steps: list[tuple[int, int, str]] = []
    notebook.progress = lambda *step: steps.append(step)
    found = sm_access.permissions(filter="LAKE", services=notebook)
    assert places(found) == ["s3://acme-lake", "s3://acme-lake/public/"]
    assert steps[-1][0] == steps[-1][1] == len(steps)
    read = [words for _, _, words in steps if "bucket policy" in words]
    assert read == ["reading the bucket policy of acme-lake"]
    assert "whose name has 'LAKE' in it" in found.to_text().splitlines()[0]


def test_only_where_the_answer_is_yes(services_of: Of) -> None:
    notebook = services_of("notebook")
    assert places(sm_access.permissions(can="write", services=notebook)) == ["s3://acme-models"]
    assert places(sm_access.permissions(can=["read", "list"], services=notebook)) == [
        "s3://acme-lake/public/",
        "s3://acme-models",
    ]
    assert places(sm_access.permissions(can="delete", services=notebook)) == []
    with pytest.raises(UnknownLevel):
        sm_access.permissions(can="raed", services=notebook)


def test_more_places_than_are_shown_are_counted(services_of: Of, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspecting, "MOST_PLACES", 2)
    notebook = services_of("notebook")
    short, full = (sm_access.permissions(everything=each, services=notebook) for each in (False, True))
    assert len(places(short)) == 2
    assert short.to_dict()["more"] == len(places(full)) - 2
    assert f"there are {len(places(full)) - 2} more" in short.to_text()
    assert full.to_dict()["more"] == 0


def test_the_key_counts(services_of: Of) -> None:
    vault = sm_access.permissions("s3://acme-vault/", services=services_of("notebook")).records()[0]
    assert (vault["list"], vault["read"]) == ("yes", "no")
    assert "because of the key" in vault["read_reason"]


def test_a_bucket_that_is_not_there_spoils_nothing(services_of: Of) -> None:
    found = sm_access.permissions("s3://acme-nothing/", "s3://acme-models/", services=services_of("notebook"))
    assert [record["read"] for record in found.records()] == ["cannot tell", "yes"]
    assert found.records()[0]["read_reason"] == "There is no bucket named acme-nothing."


def test_csv_on_standard_output_and_in_a_file(
    enter: Callable[[str], None], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from sm_access.cli.main import main

    enter("notebook")
    assert main(["permissions", "--filter", "acme-m", "--csv", "-"]) == 0
    (printed,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (printed["place"], printed["write"]) == ("s3://acme-models", "yes")
    file = tmp_path / "table.csv"
    assert main(["permissions", "--filter", "acme-m", "--csv", str(file)]) == 0
    assert "Wrote 1 place to" in capsys.readouterr().out
    (written,) = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8")))
    assert written["place"] == "s3://acme-models"


def test_a_file_that_cannot_be_written_is_named(services_of: Of, tmp_path: Path) -> None:
    from sm_access.commands.exporting import export_csv

    found = sm_access.permissions("s3://acme-models/", services=services_of("notebook"))
    with pytest.raises(InvalidInput, match="No such file or directory"):
        export_csv(found, str(tmp_path / "no" / "table.csv"))


def test_many_threads_may_ask_at_once(services_of: Of) -> None:
    notebook = services_of("notebook")
    found: list[str] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(
                sm_access.permissions("s3://acme-models/", services=notebook).to_csv()[:60]
            )
        )
        for _ in range(4)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_other_services_stand_beneath_sagemaker_first(services_of: Of) -> None:
    found = sm_access.permissions(services=services_of("notebook"))
    others = found.to_dict()["other_services"]
    names = [each["service"] for each in others["services"]]
    assert names[0] == "sagemaker"
    assert names[1:] == sorted(names[1:])
    assert "sqs" not in names
    sagemaker, kms = (others["services"][names.index(name)]["levels"] for name in ("sagemaker", "kms"))
    assert sagemaker["List"]["everywhere"] == sagemaker["List"]["of"] > 50
    assert sagemaker["Write"]["everywhere"] == sagemaker["Write"]["somewhere"] == 0
    assert (kms["Write"]["everywhere"], kms["Write"]["somewhere"]) == (
        0,
        1,
    )  # Decrypt, as the key's policy will
    assert "Beyond S3, something is allowed in" in found.to_text()
    assert "all " in found.to_html()


def test_they_are_left_out_where_the_question_is_about_places(services_of: Of) -> None:
    for found in (
        sm_access.permissions("s3://acme-models/", services=services_of("notebook")),
        sm_access.permissions(filter="models", services=services_of("notebook")),
    ):
        assert found.to_dict()["other_services"] is None
        assert "Beyond S3" not in found.to_text()


def test_one_service_action_by_action(services_of: Of) -> None:
    found = sm_access.permissions(service="IAM", services=services_of("notebook"))
    records = {record["action"]: record for record in found.records()}
    passing = records["iam:PassRole"]
    assert passing["extent"] == "somewhere"
    assert passing["where"].endswith("role/acme-ds-notebooks under a condition on iam:PassedToService")
    assert records["iam:CreateRole"] == {
        "action": "iam:CreateRole", "level": "Write", "extent": "nowhere", "where": "",
    }  # fmt: skip
    assert found.to_csv().splitlines()[0] == "action,level,extent,where"
    assert "PassRole." in found.to_text()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sagemakr", "Did you mean sagemaker"),
        ("s3", "a table of their own"),
        ("!", "stands before the colon"),
    ],
)
def test_a_service_that_is_none_is_told(name: str, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        sm_access.permissions(service=name)
    assert words in str(caught.value)


def test_a_role_that_may_not_read_itself_is_told_what_it_takes(services_of: Of) -> None:
    engineer = services_of("engineer-1")
    assert sm_access.permissions(services=engineer).to_dict()["other_services"] is None
    with pytest.raises(CannotTell, match="could not be read"):
        sm_access.permissions(service="sagemaker", services=engineer)


def test_of_a_named_place_a_no_is_not_told_from_memory(services_of: Of, sandbox: Sandbox) -> None:
    """Somebody else grants it, in a process of their own; the next look sees it."""
    notebook = services_of("notebook")
    iam = sandbox.root_session.client("iam")
    before = sm_access.permissions("s3://acme-lake/curated/", services=notebook)
    statement = {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="acme-ds-notebooks", PolicyName="by-hand", PolicyDocument=document)
    try:
        after = sm_access.permissions("s3://acme-lake/curated/", services=notebook)
    finally:
        iam.delete_role_policy(RoleName="acme-ds-notebooks", PolicyName="by-hand")
    assert (before.records()[0]["read"], after.records()[0]["read"]) == ("no", "yes")
