"""The fourth notebook, headless: asked, narrowed, approved, extended, given back, taken in an emergency, and on record."""

from __future__ import annotations

import pytest
from notebook_execution import NOTEBOOKS, Execution, execute

from sm_access.sandbox import Sandbox


@pytest.fixture(scope="module")
def told(world: Sandbox) -> Execution:
    return execute(NOTEBOOKS / "04_request_and_approve.ipynb", world.environment("notebook"))


def test_a_rehearsal_sends_nothing_and_shows_the_owners_half(told: Execution) -> None:
    assert "Nothing was sent" in told.text("dry-run")
    said = " ".join(told.text("owners-half").split())
    assert "cannot be verified from here" in said
    assert "to add to the policy of the bucket partner-exchange" in said


def test_the_reviewer_sees_what_changes_and_gives_less(told: Execution) -> None:
    said = " ".join(told.text("inbox").split())
    assert "newly allowed s3:GetObject on arn:aws:s3:::acme-lake/raw/*" in said
    assert "3 notebooks share this role" in said
    assert "Narrowed: read s3://acme-lake/raw/." in told.text("narrow")
    assert "Approved and applied" in told.text("approve")


def test_it_is_proven_and_over_when_it_is_over(told: Execution) -> None:
    assert "Proven: it works, and no wider" in told.text("prove")
    assert "write s3://acme-lake/raw/sm-access-probe" in " ".join(told.text("prove").split())
    assert "Approved and applied" in told.text("approve-longer")
    assert "AWS::IAM::RolePolicy" in told.text("export")
    assert "Released" in told.text("release")
    assert "Released" in told.text("release-first")
    assert "Over: what it allowed is denied now" in told.text("over")


def test_the_emergency_is_taken_by_a_rule_and_ended(told: Execution) -> None:
    assert "Taken in an emergency" in told.text("ask-at-night")
    assert "2019-04-02" in told.text("read-at-night")
    assert "emergency" in told.text("morning")
    assert "Revoked" in told.text("revoke")


def test_all_of_it_is_on_record_and_nothing_was_changed(told: Execution) -> None:
    said = told.text("audit")
    for what in ("narrowed", "approved", "released", "collected", "glass broken", "revoked", "end probed"):
        assert what in said, what
    assert told.text("verify").lstrip().startswith("✓")
