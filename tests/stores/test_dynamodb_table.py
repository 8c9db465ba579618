"""What each role may do with the ledger's table, decided by our own engine.

The embedded AWS cannot show it: it evaluates neither `dynamodb:LeadingKeys` nor `${aws:userid}`, and takes a
transaction of PartiQL for one action on `*` (`sm-access sandbox limits`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from doubles import SCIENTIST, STEWARD, session

from sm_access.catalog import accepts_condition_key, is_action
from sm_access.policy import Decision, PolicySet, Request, authorize
from sm_access.stores.dynamodb_rows import author_of
from sm_access.stores.dynamodb_table import (
    INSERT,
    READ,
    REWRITE,
    approver_statements,
    auditor_statements,
    backup_parameters,
    reconciler_statements,
    requester_statements,
    table_parameters,
    table_policy,
)

ACCOUNT = "111122223333"
TABLE = f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/sm-access-ledger"
NOTEBOOKS = f"arn:aws:iam::{ACCOUNT}:role/service-role/notebooks"  # as in IAM: with its path
STEWARDS = f"arn:aws:iam::{ACCOUNT}:role/Stewards"
WORKERS = f"arn:aws:iam::{ACCOUNT}:role/Reconciler"
WORKER = session("Reconciler", "nightly")
OTHER = session("training")
AMPLE = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}

ROLES = {
    "requester": (SCIENTIST, requester_statements(TABLE, NOTEBOOKS)),
    "approver": (STEWARD, approver_statements(TABLE, STEWARDS)),
    "approver who applies": (STEWARD, approver_statements(TABLE, STEWARDS, applies=True)),
    "approver who asks": (STEWARD, approver_statements(TABLE, STEWARDS, asks=True)),
    "reconciler": (WORKER, reconciler_statements(TABLE, WORKERS)),
    "auditor": (session("Auditor", "eve"), auditor_statements(TABLE)),
}

S, W, N = author_of(STEWARD), author_of(WORKER), author_of(SCIENTIST)
T = author_of(OTHER)
ORDERS = {f"order#{who}" for who in (N, S, T)}
MAY_INSERT: dict[str, set[str]] = {
    "requester": {f"ask#{N}", f"order#{N}", "id#r-1"},
    "approver": {f"decide#{S}", "log", *ORDERS},
    "approver who applies": {f"decide#{S}", f"apply#{S}", "log", *ORDERS},
    "approver who asks": {f"decide#{S}", f"ask#{S}", "id#r-1", "log", *ORDERS},
    "reconciler": {f"apply#{W}", "log", *ORDERS},
    "auditor": set(),
}

PARTITIONS = sorted(
    {
        "log",
        "logs",
        "id#r-1",
        "order",
        *(
            f"{shelf}#{author_of(who)}"
            for shelf in ("ask", "decide", "apply")
            for who in (SCIENTIST, STEWARD, WORKER, OTHER, session("notebooks", "alice"))
        ),
        *ORDERS,
        f"ask#{N}#x",
        f"ask#{N.upper()}",
        "ask#",
    }
)


def decide(
    role: str,
    action: str,
    keys: Sequence[str] | None,
    *,
    ample: bool = False,
    resource_policy: Any = None,
) -> Decision:
    caller, statements = ROLES[role]
    document = {"Version": "2012-10-17", "Statement": [*statements, *([AMPLE] if ample else [])]}
    policies: dict[str, Any] = {"identity": [document]}
    if resource_policy is not None:
        policies["resource"] = [resource_policy]
    context: dict[str, Any] = {"aws:userid": caller.user_id}
    if keys is not None:
        context["dynamodb:LeadingKeys"] = list(keys)
    request = Request(caller.arn, action, TABLE, ACCOUNT, context)
    return authorize(PolicySet.from_dict(policies), request).decision


@pytest.mark.parametrize("ample", [False, True], ids=["alone", "beside dynamodb:*"])
@pytest.mark.parametrize("role", ROLES)
def test_each_role_inserts_into_its_own_partitions_and_into_no_other(role: str, ample: bool) -> None:
    allowed = {pk for pk in PARTITIONS if decide(role, INSERT, [pk], ample=ample) is Decision.ALLOW}
    assert allowed == MAY_INSERT[role]


@pytest.mark.parametrize("ample", [False, True], ids=["alone", "beside dynamodb:*"])
@pytest.mark.parametrize("role", ROLES)
def test_nobody_rewrites_a_row_be_it_their_own(role: str, ample: bool) -> None:
    own = sorted(MAY_INSERT[role])[:1] or ["log"]
    for action in REWRITE:
        for keys in (None, own, ["log"]):
            assert decide(role, action, keys, ample=ample) is not Decision.ALLOW, action
    for action in ("dynamodb:UpdateTimeToLive", "dynamodb:DeleteTable", "dynamodb:UpdateTable"):
        assert decide(role, action, None, ample=ample) is not Decision.ALLOW


@pytest.mark.parametrize("role", ROLES)
def test_everybody_reads_everything(role: str) -> None:
    for action in READ:
        assert decide(role, action, None) is Decision.ALLOW
        assert decide(role, action, [f"decide#{S}"]) is Decision.ALLOW


@pytest.mark.parametrize("ample", [False, True], ids=["alone", "beside dynamodb:*"])
@pytest.mark.parametrize("role", sorted(set(ROLES) - {"auditor"}))
def test_several_rows_at_once_are_as_good_as_their_worst_and_rows_of_nowhere_are_none(
    role: str, ample: bool
) -> None:
    own = sorted(MAY_INSERT[role])
    assert decide(role, INSERT, own, ample=ample) is Decision.ALLOW
    assert decide(role, INSERT, [*own, f"decide#{author_of(WORKER)}-"], ample=ample) is not Decision.ALLOW
    assert decide(role, INSERT, None, ample=ample) is not Decision.ALLOW


def test_another_session_of_the_role_has_partitions_of_its_own() -> None:
    alice = session("notebooks", "alice")
    statements = requester_statements(TABLE, NOTEBOOKS)
    policies = PolicySet.from_dict({"identity": [{"Version": "2012-10-17", "Statement": statements}]})

    def may(pk: str) -> bool:
        context = {"aws:userid": alice.user_id, "dynamodb:LeadingKeys": [pk]}
        request = Request(alice.arn, INSERT, TABLE, ACCOUNT, context)
        return authorize(policies, request).decision is Decision.ALLOW

    assert may(f"ask#{author_of(alice)}")
    assert not may(f"ask#{N}")
    assert not may(f"order#{N}")


def test_the_tables_own_policy_stops_administrators_as_well() -> None:
    for action in REWRITE:
        admin = Request(f"arn:aws:iam::{ACCOUNT}:role/Admin", action, TABLE, ACCOUNT, {})
        everything = {"Version": "2012-10-17", "Statement": [AMPLE]}
        without = PolicySet.from_dict({"identity": [everything]})
        within = PolicySet.from_dict({"identity": [everything], "resource": [table_policy(TABLE)]})
        assert authorize(without, admin).decision is Decision.ALLOW
        assert authorize(within, admin).decision is Decision.EXPLICIT_DENY


def test_every_action_and_key_is_one_of_aws() -> None:
    assert all(is_action(action) for action in (INSERT, *READ, *REWRITE))
    assert accepts_condition_key(INSERT, "dynamodb:LeadingKeys")


def test_statements_fit_into_a_role() -> None:
    for _, statements in ROLES.values():
        assert len(json.dumps(statements, separators=(",", ":"))) < 2048


def test_the_table_is_kept(new_table: str, root_aws: Any) -> None:
    client = root_aws.client("dynamodb")
    client.update_continuous_backups(**backup_parameters(new_table))
    table = client.describe_table(TableName=new_table)["Table"]
    assert table["DeletionProtectionEnabled"] is True
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table_parameters(new_table)["SSESpecification"]["Enabled"] is True
    backups = client.describe_continuous_backups(TableName=new_table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    with pytest.raises(client.exceptions.ClientError, match="deletion"):
        client.delete_table(TableName=new_table)
