"""The library's own calls: what scripts and notebooks get back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

import sm_access
from sm_access import errors
from sm_access.access import Rules
from sm_access.access.probe import Outcome, ProbeResult
from sm_access.bootstrap import Services, identity_view
from sm_access.sandbox.world import Sandbox

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
    waited: list[float] = []
    notebook.sleep = waited.append
    told: list[str] = []
    notebook.progress = lambda done, total, words: told.append(words)
    found = sm_access.prove(applied, services=notebook)
    assert found.exit_code == 1
    assert "not as promised" in found.to_text()
    assert "something else on the role allows" in found.to_text()
    assert waited == [1, 2, 4, 8, 15]
    assert "IAM is making a change known" in told[0]
    assert "AWS was asked 6 times" in found.to_text()
    assert all(step["attempts"] == 6 for step in found.to_dict()["steps"])


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


def test_a_grant_that_is_over_is_shown_to_be_over(services_of: Of) -> None:
    notebook, approver = services_of("notebook"), services_of("approver")
    id = str(
        sm_access.request_access(
            "s3://acme-lake/raw/", "read", duration="1h", why="churn", services=notebook
        ).to_dict()["id"]
    )
    assert sm_access.approve(id, services=approver)
    assert sm_access.prove(id, services=notebook)
    sm_access.revoke(id, services=approver)
    over = sm_access.prove(id, services=notebook)
    assert over
    assert (
        over.to_text()
        .splitlines()[0]
        .endswith("Over: what it allowed is denied now - read s3://acme-lake/raw/.")
    )
    assert over.to_dict()["over"] is True
    trail = sm_access.audit_log(id=id, services=approver).to_dict()["entries"]
    assert [entry["what"] for entry in trail][-1] == "end-probed"
    assert trail[-1]["event"]["steps"][0]["result"]["outcome"] == "denied"


def test_a_grant_to_write_is_proven_without_writing(services_of: Of, sandbox: Any) -> None:
    notebook, approver = services_of("notebook"), services_of("approver")
    id = str(
        sm_access.request_access(
            "s3://acme-lake/raw/", "write", duration="1h", why="churn", services=notebook
        ).to_dict()["id"]
    )
    assert sm_access.approve(id, services=approver)
    found = sm_access.prove(id, services=notebook)
    assert "Proven: listing and writing it work, and no wider" in found.to_text()
    assert "not asked: denied, decided from the grant's statements" in found.to_text()
    assert found.to_dict()["untried"] == ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    keys = sandbox.root_session.client("s3").list_objects_v2(Bucket="acme-lake")["Contents"]
    assert not [each for each in keys if "sm-access-probe" in each["Key"]]
    sm_access.revoke(id, services=approver)


def test_a_grant_is_written_for_a_repository_once_it_is_approved(services_of: Of, tmp_path: Any) -> None:
    notebook, approver = services_of("notebook"), services_of("approver")
    asked = sm_access.request_access(
        "s3://acme-lake/raw/", "read", duration="1h", why="churn", services=notebook
    ).to_dict()
    id = str(asked["id"])
    assert asked["owner_half"] is None
    with pytest.raises(errors.Refused, match="is submitted"):
        sm_access.export_grant(id, services=approver)
    approved = sm_access.approve(id, services=approver).to_dict()
    written = sm_access.export_grant(id, form="json", services=approver).to_dict()
    assert json.loads(written["text"])["policy"]["Statement"] == approved["grant"]["statements"]
    assert written["sha256"] == approved["grant"]["sha256"]
    file = tmp_path / "grant.tf.json"
    assert "Written: read" in sm_access.export_grant(id, output=str(file), services=approver).to_text()
    assert written["sha256"] in file.read_text()
    with pytest.raises(errors.UnreadableFile):
        sm_access.export_grant(id, output=str(tmp_path / "no" / "file"), services=approver)
    with pytest.raises(errors.InvalidInput, match="no format"):
        sm_access.export_grant(id, form="yaml", services=approver)
    strict = services_of("approver")
    strict.rules = Rules.from_dict({"reviewers": ["arn:aws:iam::111122223333:role/somebody-else"]})
    with pytest.raises(errors.Refused, match="is not what may be granted"):
        sm_access.export_grant(id, services=strict)
    sm_access.revoke(id, services=approver)
    with pytest.raises(errors.Refused, match="no grant in force"):
        sm_access.export_grant(id, services=approver)


def test_the_owners_half_is_shown_to_who_asks(services_of: Of) -> None:
    notebook = services_of("notebook")
    foreign = sm_access.request_access(
        "s3://partner-exchange/inbox/", "read", why="x", dry_run=True, services=notebook
    )
    half = foreign.to_dict()["owner_half"]
    assert half["verified"] is False
    assert half["bucket_policy"][0]["Principal"] == {
        "AWS": "arn:aws:iam::111122223333:role/acme-ds-notebooks"
    }
    assert "cannot be verified from here" in foreign.to_text()
    assert "to add to the policy of the bucket partner-exchange" in foreign.to_text()
    denied = sm_access.request_access(
        "s3://acme-hr/", "read", why="x", dry_run=True, services=services_of("notebook")
    )
    assert "No grant outweighs it" in denied.to_text()
    assert denied.to_dict()["owner_half"]["denied_by"]


@pytest.mark.parametrize(("group", "may"), [("ML_Admins", True), ("Analysts", False)])
def test_a_reviewer_by_a_group_of_iam_approves_with_the_command(
    services_of: Of, sandbox: Sandbox, group: str, may: bool
) -> None:
    asked = sm_access.request_access(
        "s3://acme-lake/raw/", "read", duration="1h", why="churn", services=services_of("notebook")
    )
    id = str(asked.to_dict()["id"])
    settings = replace(services_of("admin-1").settings, rules={"review": {"reviewer_groups": [group]}})
    at = Services(settings, session=sandbox.session("admin-1"))
    if not may:
        with pytest.raises(errors.NotAReviewer):
            sm_access.approve(id, services=at)
        return
    try:
        assert sm_access.approve(id, services=at).to_dict()["status"] == "applied"
    finally:
        sm_access.revoke(id, services=at)
