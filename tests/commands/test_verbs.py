"""The library's own calls: what scripts and notebooks get back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import sm_access
from sm_access import errors
from sm_access.access.probe import Outcome, ProbeResult
from sm_access.bootstrap import Services, identity_view

Of = Callable[[str], Services]


@pytest.fixture
def applied(services_of: Of) -> Iterator[str]:
    """A grant on the role, and off it again."""
    asked = sm_access.request_access(
        "s3://acme-lake/raw/", "read", duration="1h", why="churn", services=services_of("notebook")
    )
    id = str(asked.to_dict()["id"])
    assert sm_access.approve(id, services=services_of("approver"))
    yield id
    sm_access.revoke(id, services=services_of("approver"))


def test_an_answer_is_true_or_false(services_of: Of) -> None:
    notebook = services_of("notebook")
    assert sm_access.can("read", "s3://acme-lake/public/", services=notebook)
    assert not sm_access.can("read", "s3://acme-lake/raw/", services=notebook)
    assert not sm_access.can("read", "s3://partner-exchange/", services=notebook)


def test_each_wrong_word_raises_its_own_error(services_of: Of) -> None:
    notebook = services_of("notebook")
    with pytest.raises(errors.InvalidS3Uri):
        sm_access.can("read", "s3:/x", services=notebook)
    with pytest.raises(errors.UnknownLevel):
        sm_access.can("raed", "s3://acme-lake/", services=notebook)
    with pytest.raises(errors.UnknownAction):
        sm_access.can("s3:GetObjct", "s3://acme-lake/", services=notebook)
    with pytest.raises(errors.InvalidDuration):
        sm_access.request_access("s3://acme-lake/raw/", "read", duration="soon", why="x", services=notebook)
    with pytest.raises(errors.UnknownAccessRequest):
        sm_access.approve("r-nobody", services=services_of("approver"))


def test_a_rehearsal_leaves_no_trace(services_of: Of) -> None:
    notebook = services_of("notebook")
    shown = sm_access.request_access("s3://acme-lake/raw/", "read", why="x", dry_run=True, services=notebook)
    assert shown.to_dict()["id"] is None
    assert not notebook.settings.ledger_path().exists()


def test_a_proof_that_finds_more_than_was_promised_says_no(
    services_of: Of, applied: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wildcard somewhere else opens the neighbour: that is a definite no, not a cannot tell."""

    class Everything:
        def attempt(self, probe: Any) -> ProbeResult:
            return ProbeResult(probe, Outcome.ALLOWED)

    notebook = services_of("notebook")
    monkeypatch.setattr(notebook.prover, "_prober", Everything())
    found = sm_access.prove(applied, services=notebook)
    assert found.exit_code == 1
    assert "not as promised" in found.to_text()


def test_a_proof_that_finds_out_nothing_cannot_tell(
    services_of: Of, applied: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def attempt(self, probe: Any) -> ProbeResult:
            return ProbeResult(probe, Outcome.FAILED, "EndpointConnectionError")

    notebook = services_of("notebook")
    monkeypatch.setattr(notebook.prover, "_prober", Broken())
    assert sm_access.prove(applied, services=notebook).exit_code == 3


def test_applying_again_changes_nothing(services_of: Of, applied: str) -> None:
    again = sm_access.reconcile(services=services_of("approver"))
    assert again
    assert again.to_dict()["written"] == []
    assert again.to_dict()["deleted"] == []


def test_a_change_by_hand_is_undone_and_said(services_of: Of, applied: str, sandbox: Any) -> None:
    iam = sandbox.root_session.client("iam")
    names = iam.list_role_policies(RoleName="acme-ds-notebooks")["PolicyNames"]
    (ours,) = [name for name in names if name.startswith("sm-access-")]
    wide = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
    iam.put_role_policy(RoleName="acme-ds-notebooks", PolicyName=ours, PolicyDocument=wide)
    found = sm_access.reconcile(services=services_of("approver"))
    assert "was not as it had been written" in found.to_text()
    document = iam.get_role_policy(RoleName="acme-ds-notebooks", PolicyName=ours)["PolicyDocument"]
    assert "s3:*" not in str(document)


def test_the_identity_for_the_server(enter: Callable[[str], None]) -> None:
    enter("notebook")
    view = identity_view()
    assert view["name"] == "acme-ds-notebooks"
    assert view["tone"] == "ok"


def test_requests_are_those_of_ones_own_role_unless_asked(services_of: Of, applied: str) -> None:
    mine = sm_access.requests(services=services_of("notebook")).to_dict()["requests"]
    assert [each["id"] for each in mine] == [applied]
    assert sm_access.requests(services=services_of("legacy")).to_dict()["requests"] == []
    everyone = sm_access.requests(everyone=True, services=services_of("legacy")).to_dict()["requests"]
    assert [each["id"] for each in everyone] == [applied]
