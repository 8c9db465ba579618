"""The second notebook, headless: every answer is the one that its words promise."""

from __future__ import annotations

import pytest
from notebook_execution import NOTEBOOKS, Execution, execute

from sm_access.sandbox import Sandbox, company


@pytest.fixture(scope="module")
def told(world: Sandbox) -> Execution:
    return execute(NOTEBOOKS / "02_what_may_i_do.ipynb", world.environment("notebook"))


def said(told: Execution, cell: str) -> str:
    return " ".join(told.text(cell).split())


def test_who_i_am(told: Execution) -> None:
    assert company.NOTEBOOK_ROLE in told.text("load")
    assert company.OWN_NOTEBOOK in told.text("whoami")


@pytest.mark.parametrize(
    ("cell", "answer", "words"),
    [
        ("can-yes", "✓ Yes", "ReadPublic of team-data"),
        ("can-no", "✕ No", "a grant would be enough"),
        ("can-key", "✕ No", "no because of the key"),
        ("can-denied", "✕ No", "A grant cannot undo a deny"),
        ("can-unknown", "? Cannot tell", "needs s3:GetBucketPolicy"),
        ("can-action", "✓ Yes", "ModelsReadWrite"),
    ],
)
def test_each_kind_of_answer(told: Execution, cell: str, answer: str, words: str) -> None:
    assert told.text(cell).startswith(answer)
    assert words in said(told, cell)


def test_the_matrix_opens_in_the_saved_notebook(told: Execution) -> None:
    html = told.html("permissions")
    assert html.count("<summary>") > 20
    assert "May not read acme-vault." in html
    assert "no because of the key" in html
    assert "<script" not in html
    assert "Beyond S3, something is allowed in" in told.text("permissions")


def test_narrowed_down(told: Execution) -> None:
    assert "acme-lake/public/" in told.text("filter")
    assert "acme-models" not in told.text("filter").partition("Why")[0]
    assert "acme-models" in told.text("can-write")
    assert "acme-vault" not in told.text("can-write").partition("Why")[0]


def test_as_data(told: Execution) -> None:
    assert "s3://acme-models" in told.text("frame")
    assert "no because of the key" in said(told, "closed")
    header, row, *_ = told.text("csv").splitlines()
    assert header.startswith("place,list,read,write,delete,list_reason")
    assert row.startswith("s3://acme-models,yes,yes,yes,no,")


def test_what_a_script_needs(told: Execution) -> None:
    assert told.text("require-ok").startswith("✓ acme-ds-notebooks has the 2 permissions")
    assert told.error("require-missing") == "AccessRequired"
    assert "sm-access request s3://acme-lake/raw/ read" in told.text("require-missing")
    assert "read s3://acme-vault - asking would not help" in told.text("require-caught")
    assert "could not be confirmed" in said(told, "unknown")


def test_beyond_s3(told: Execution) -> None:
    assert "under a condition on iam:PassedToService: PassRole." in said(told, "service")
    assert "Decrypt" in told.text("service-kms")
