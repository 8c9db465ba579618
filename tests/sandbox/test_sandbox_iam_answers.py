"""IAM's answers about everybody, and its simulator, as AWS gives them."""

from __future__ import annotations

from typing import Any

import pytest

from sm_access.sandbox import Sandbox, company

NOTEBOOK = company.role_arn(company.NOTEBOOK_ROLE)


def test_the_details_of_the_account_tell_of_boundaries(sandbox: Sandbox) -> None:
    details = sandbox.session("admin").client("iam").get_account_authorization_details()
    found = {role["RoleName"]: role.get("PermissionsBoundary") for role in details["RoleDetailList"]}
    bounded = found.pop(company.NOTEBOOK_ROLE)
    assert bounded is not None
    assert bounded["PermissionsBoundaryArn"] == company.policy_arn("acme-boundary")
    assert set(found.values()) == {None}


def simulate(sandbox: Sandbox, *actions: str, on: list[str], **context: str) -> list[dict[str, Any]]:
    entries = [
        {"ContextKeyName": key.replace("_", ":"), "ContextKeyValues": [value], "ContextKeyType": "string"}
        for key, value in context.items()
    ]
    answer = (
        sandbox.session("admin")
        .client("iam")
        .simulate_principal_policy(
            PolicySourceArn=NOTEBOOK, ActionNames=list(actions), ResourceArns=on, ContextEntries=entries
        )
    )
    return list(answer["EvaluationResults"])


def test_each_resource_is_simulated_and_the_worst_decides(sandbox: Sandbox) -> None:
    arns = ["arn:aws:s3:::acme-lake/public/x", "arn:aws:s3:::acme-lake/raw/x"]
    (found,) = simulate(sandbox, "s3:GetObject", on=arns)
    assert found["EvalDecision"] == "implicitDeny"
    each = {row["EvalResourceName"]: row["EvalResourceDecision"] for row in found["ResourceSpecificResults"]}
    assert each == {arns[0]: "allowed", arns[1]: "implicitDeny"}


def test_context_that_is_given_counts_and_the_rest_is_named(sandbox: Sandbox) -> None:
    on = ["arn:aws:s3:::acme-lake"]
    (without,) = simulate(sandbox, "s3:ListBucket", on=on)
    (row,) = without["ResourceSpecificResults"]
    assert "s3:prefix" in row["MissingContextValues"]
    assert row["EvalResourceDecision"] == "implicitDeny"
    (given,) = simulate(sandbox, "s3:ListBucket", on=on, s3_prefix="public/")
    (row,) = given["ResourceSpecificResults"]
    assert "s3:prefix" not in row["MissingContextValues"]
    assert row["EvalResourceDecision"] == "allowed"


def test_the_boundary_limits(sandbox: Sandbox) -> None:
    table = f"arn:aws:dynamodb:us-east-1:{company.ACCOUNT}:table/acme-features"
    (found,) = simulate(sandbox, "dynamodb:GetItem", on=[table])
    (row,) = found["ResourceSpecificResults"]
    assert row["EvalResourceDecision"] == "implicitDeny"
    assert row["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}


@pytest.mark.parametrize("arn", [f"{NOTEBOOK}-gone", NOTEBOOK.replace(":role/", ":role/service-role/")])
def test_nobody_is_not_simulated(sandbox: Sandbox, arn: str) -> None:
    iam = sandbox.session("admin").client("iam")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["s3:GetObject"])
