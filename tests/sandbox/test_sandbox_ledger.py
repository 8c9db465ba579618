"""The team's ledger of the seeded company, used by two people with their own credentials, and by some who may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sm_access.bootstrap import Services
from sm_access.commands import audit_log, requesting
from sm_access.config import Settings
from sm_access.errors import LedgerUnavailable
from sm_access.sandbox import Sandbox, company

KEY = {"pk": {"S": "log"}, "sk": {"S": "000000000001"}}


@pytest.fixture
def at(sandbox: Sandbox) -> Callable[[str], Services]:
    def services(principal: str) -> Services:
        settings = Settings.load(
            sandbox.environment(principal),
            ledger=f"dynamodb://{company.LEDGER_TABLE}?region={company.REGION}",
        )
        return Services(settings, session=sandbox.session(principal))

    return services


def test_two_people_share_it(at: Callable[[str], Services]) -> None:
    notebook, approver = at("notebook"), at("approver")
    asked = requesting.request_access(
        "s3://acme-lake/raw/", "read", duration="1h", why="churn", services=notebook
    )
    id = str(asked.to_dict()["id"])
    assert id in str(requesting.inbox(services=approver).to_dict())
    assert requesting.approve(id, services=approver)
    assert requesting.prove(id, services=notebook)
    assert requesting.revoke(id, services=approver)
    found = audit_log.audit_log(id=id, services=notebook).to_dict()["entries"]
    who = {entry["what"]: (entry["author"].rsplit("/")[-1], entry["authorship"]) for entry in found}
    assert who["submitted"] == who["proven"] == (company.NOTEBOOK_ROLE, "proven")
    assert who["approved"] == who["applied"] == who["collected"] == (company.APPROVER_ROLE, "proven")
    assert audit_log.verify_audit_log(services=notebook)


@pytest.mark.parametrize("principal", ["notebook", "approver"])
@pytest.mark.parametrize(
    ("call", "what"),
    [
        ("put_item", {"Item": KEY}),
        ("delete_item", {"Key": KEY}),
        (
            "update_item",
            {"Key": KEY, "UpdateExpression": "SET x = :x", "ExpressionAttributeValues": {":x": {"S": "y"}}},
        ),
        ("update_time_to_live", {"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "x"}}),
        ("delete_table", {}),
    ],
)
def test_nobody_in_it_rewrites_a_row(
    sandbox: Sandbox, principal: str, call: str, what: dict[str, Any]
) -> None:
    """Denied by the embedded AWS for real. For rows inserted by PartiQL see `tests/stores/test_dynamodb_table.py`."""
    client = sandbox.session(principal).client("dynamodb")
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(client, call)(TableName=company.LEDGER_TABLE, **what)


@pytest.mark.parametrize("principal", ["notebook", "approver"])
def test_nobody_in_it_rewrites_several(sandbox: Sandbox, principal: str) -> None:
    client, table = sandbox.session(principal).client("dynamodb"), company.LEDGER_TABLE
    with pytest.raises(ClientError, match="AccessDenied"):
        client.batch_write_item(RequestItems={table: [{"DeleteRequest": {"Key": KEY}}]})
    with pytest.raises(ClientError, match="AccessDenied"):
        client.transact_write_items(TransactItems=[{"Delete": {"TableName": table, "Key": KEY}}])


@pytest.mark.parametrize("principal", ["legacy", "analyst-1"])
def test_who_has_no_business_with_it_is_told_so(at: Callable[[str], Services], principal: str) -> None:
    for use in (requesting.inbox, audit_log.audit_log):
        with pytest.raises(LedgerUnavailable, match="denied Scan"):
            use(services=at(principal))


def test_a_table_that_is_not_there(sandbox: Sandbox) -> None:
    settings = Settings.load(sandbox.environment("notebook"), ledger="dynamodb://sm-access-elsewhere")
    services = Services(settings, session=sandbox.session("admin"))
    with pytest.raises(LedgerUnavailable, match="no table sm-access-elsewhere in us-east-1") as refused:
        requesting.requests(everyone=True, services=services)
    assert "ledger" in refused.value.remedy
