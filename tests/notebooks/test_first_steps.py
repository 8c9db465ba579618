"""The first notebook, headless: it tells the truth at every cell."""

from __future__ import annotations

import pytest
from notebook_execution import NOTEBOOKS, Execution, execute

from sm_access.sandbox import Sandbox, company


@pytest.fixture(scope="module")
def first_steps(world: Sandbox) -> Execution:
    return execute(NOTEBOOKS / "01_first_steps.ipynb", world.environment("notebook"))


def test_the_kernel_is_the_notebooks_role(first_steps: Execution) -> None:
    assert company.NOTEBOOK_ROLE in first_steps.text("load")
    assert "assumed role" in first_steps.text("load")
    assert company.OWN_NOTEBOOK in first_steps.text("whoami")
    assert "none in use" in first_steps.text("whoami")


def test_what_is_open_is_read_and_what_is_not_is_denied(first_steps: Execution) -> None:
    assert "Switzerland" in first_steps.text("read-public")
    assert first_steps.error("read-denied") == "PermissionError"
    assert "2019-04-02" not in first_steps.text("read-denied")


def test_the_reason_says_that_a_grant_is_enough(first_steps: Execution) -> None:
    said = first_steps.text("why")
    assert said.startswith(f"✕ No: {company.NOTEBOOK_ROLE} may not read s3://acme-lake/raw/.")
    assert "a grant would be enough" in " ".join(said.split())


def test_it_asks_in_code_when_nobody_pressed_the_button(first_steps: Execution) -> None:
    assert "waiting for a reviewer" in first_steps.text("pick-up")
    assert "read s3://acme-lake/raw/" in first_steps.text("pick-up")


def test_the_owner_approves_and_the_same_cell_works(first_steps: Execution) -> None:
    assert "Approved and applied" in first_steps.text("approve")
    assert first_steps.error("read-allowed") is None
    assert "2019-04-02" in first_steps.text("read-allowed")


def test_it_is_proven_to_work_and_to_be_no_wider(first_steps: Execution) -> None:
    said = first_steps.text("prove")
    assert said.startswith("✓ Proven")
    assert "denied" in said


def test_permissions_change_on_what_was_granted_and_not_beside_it(first_steps: Execution) -> None:
    assert answers(first_steps.text("permissions-before")) == {
        "acme-lake/raw/": ["no", "no", "no", "no"],
        "acme-lake/raw-secret/": ["no", "no", "no", "no"],
    }
    assert answers(first_steps.text("permissions-after")) == {
        "acme-lake/raw/": ["yes", "yes", "no", "no"],
        "acme-lake/raw-secret/": ["no", "no", "no", "no"],
    }


def test_once_revoked_it_is_denied_again(first_steps: Execution) -> None:
    assert "Revoked" in first_steps.text("revoke")
    assert first_steps.error("read-over") == "PermissionError"
    assert "ended, and cleared from the role" in first_steps.text("record")


def test_every_answer_has_a_form_for_browsers_too(first_steps: Execution) -> None:
    for cell in ("load", "whoami", "why", "permissions-before", "panel", "prove", "record"):
        assert 'class="sm-access' in first_steps.html(cell), cell
    assert company.NOTEBOOK_ROLE in first_steps.text("panel")
    assert "<" not in first_steps.text("panel")


def test_run_again_it_begins_anew(world: Sandbox, first_steps: Execution) -> None:
    again = execute(NOTEBOOKS / "01_first_steps.ipynb", world.environment("notebook"))
    assert again.error("read-denied") == "PermissionError"
    assert "2019-04-02" in again.text("read-allowed")


def answers(said: str) -> dict[str, list[str]]:
    """The rows of the permissions table: place -> its four answers, list to delete."""
    rows = [
        line.split()
        for line in said.splitlines()
        if line.strip().startswith("acme-lake/") and len(line.split()) == 5
    ]
    return {row[0]: row[1:] for row in rows}
