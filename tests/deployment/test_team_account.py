"""What the templates give to whom, asked of our own engine; that both say the same, and that cfn-lint is content."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sm_access.access.canonical import canonical_json
from sm_access.access.planner import MANAGED_LIMIT
from sm_access.deployment.cloudformation import HANDLER, cloudformation
from sm_access.deployment.team_account import PARAMETER, TeamAccount
from sm_access.deployment.terraform import terraform
from sm_access.errors import InvalidInput
from sm_access.policy import Decision, PolicySet, Request, authorize

ACCOUNT = "111122223333"
IAM = f"arn:aws:iam::{ACCOUNT}"
NOTEBOOKS, GPU = f"{IAM}:role/acme-ds-notebooks", f"{IAM}:role/service-role/acme-gpu"
OWNER = f"{IAM}:role/acme-data-owner"
BOUNDARY = f"{IAM}:policy/acme-boundary"
TEAM = TeamAccount("eu-central-1", (NOTEBOOKS, GPU), (OWNER,), BOUNDARY, rules="[review]\nreviewers = []")
TABLE = f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/sm-access-ledger"
USER_ID = "AROAEXAMPLE:SageMaker"


def may(
    statements: list[dict[str, Any]],
    role: str,
    action: str,
    resource: str,
    unknown: tuple[str, ...] = (),
    **context: Any,
) -> Decision:
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.rpartition('/')[2]}/SageMaker"
    request = Request(
        principal=session,
        action=action,
        resource=resource,
        resource_account=ACCOUNT,
        context={"aws:userid": USER_ID, "aws:PrincipalArn": role, **context},
        unknown=unknown,
    )
    layers = PolicySet.from_dict({"identity": [{"Version": "2012-10-17", "Statement": statements}]})
    return authorize(layers, request).decision


def insert(statements: list[dict[str, Any]], role: str, partition: str) -> bool:
    found = may(statements, role, "dynamodb:PartiQLInsert", TABLE, **{"dynamodb:LeadingKeys": [partition]})
    return found is Decision.ALLOW


def own(shelf: str, role: str) -> str:
    return f"{shelf}#{IAM}:role/{role.rpartition('/')[2]}#{USER_ID}"


def test_a_notebook_asks_in_its_own_name_and_decides_on_nothing() -> None:
    statements = TEAM.notebook_statements(NOTEBOOKS)
    assert insert(statements, NOTEBOOKS, own("ask", NOTEBOOKS))
    for partition in (
        own("decide", NOTEBOOKS),
        own("apply", NOTEBOOKS),
        own("ask", GPU),
        own("decide", OWNER),
        f"ask#{IAM}:role/acme-ds-notebooks#AROAEXAMPLE:somebody-else",
        "log",
    ):
        assert not insert(statements, NOTEBOOKS, partition)


@pytest.mark.parametrize(
    "action", ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:PartiQLUpdate"]
)
def test_nobody_rewrites_a_row(action: str) -> None:
    for role, statements in (
        (NOTEBOOKS, TEAM.notebook_statements(NOTEBOOKS)),
        (OWNER, TEAM.approver_statements(OWNER)),
        (TEAM.reconciler_arn, TEAM.reconciler_statements()),
    ):
        everything = [*statements, {"Effect": "Allow", "Action": "*", "Resource": "*"}]
        found = may(everything, role, action, TABLE, **{"dynamodb:LeadingKeys": [own("ask", role)]})
        assert found is Decision.EXPLICIT_DENY


@pytest.mark.parametrize("role", [NOTEBOOKS, OWNER])
@pytest.mark.parametrize(
    "action",
    ["iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:CreatePolicyVersion", "iam:UpdateAssumeRolePolicy"],
)
def test_neither_who_asks_nor_who_decides_changes_a_role(role: str, action: str) -> None:
    made = TEAM.notebook_statements(role) if role == NOTEBOOKS else TEAM.approver_statements(role)
    for resource in (NOTEBOOKS, OWNER, f"{IAM}:policy/sm-access/sm-access-acme-ds-notebooks-1"):
        assert may(made, role, action, resource, unknown=("iam:*",)) is Decision.IMPLICIT_DENY


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("ssm:PutParameter", f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/sm-access/config"),
        ("ssm:DeleteParameters", f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/sm-access/config"),
        ("lambda:UpdateFunctionCode", f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:sm-access-reconciler"),
        ("events:DisableRule", f"arn:aws:events:eu-central-1:{ACCOUNT}:rule/sm-access-reconciler"),
    ],
)
@pytest.mark.parametrize("role", [NOTEBOOKS, OWNER])
def test_rules_and_reconciler_are_nobody_s_who_asks_or_decides(role: str, action: str, resource: str) -> None:
    made = TEAM.notebook_statements(role) if role == NOTEBOOKS else TEAM.approver_statements(role)
    wide = [*made, {"Effect": "Allow", "Action": "*", "Resource": "*"}]
    assert may(wide, role, action, resource) is Decision.EXPLICIT_DENY
    named = str([resource["Properties"] for resource in cloudformation(TEAM)["Resources"].values()])
    assert f"'Name': '{PARAMETER}'" in named
    assert "'FunctionName': 'sm-access-reconciler'" in named
    assert "'Name': 'sm-access-reconciler'" in named


def test_a_role_is_one_whatever_the_path() -> None:
    with pytest.raises(InvalidInput, match="asks and decides"):
        TeamAccount("eu-central-1", (NOTEBOOKS,), (f"{IAM}:role/team/acme-ds-notebooks",), BOUNDARY)


def test_an_approver_decides_in_their_own_name_and_asks_for_nothing() -> None:
    statements = TEAM.approver_statements(OWNER)
    assert insert(statements, OWNER, own("decide", OWNER))
    for partition in (own("ask", OWNER), own("apply", OWNER), own("decide", NOTEBOOKS)):
        assert not insert(statements, OWNER, partition)


def reconciler_may(action: str, resource: str, **context: Any) -> bool:
    role = TEAM.reconciler_arn
    return may(TEAM.reconciler_statements(), role, action, resource, **context) is Decision.ALLOW


def test_the_reconciler_writes_only_on_roles_in_the_list_and_under_the_boundary() -> None:
    bound = {"iam:PermissionsBoundary": BOUNDARY}
    for action in ("iam:PutRolePolicy", "iam:DeleteRolePolicy"):
        assert reconciler_may(action, NOTEBOOKS, **bound)
        assert reconciler_may(action, GPU, **bound)
        assert not reconciler_may(action, NOTEBOOKS)
        assert not reconciler_may(action, NOTEBOOKS, **{"iam:PermissionsBoundary": f"{IAM}:policy/other"})
        for other in (OWNER, TEAM.reconciler_arn, f"{IAM}:role/Admin"):
            assert not reconciler_may(action, other, **bound)


def test_the_reconciler_attaches_only_its_own_policies() -> None:
    ours = f"{IAM}:policy/sm-access/sm-access-acme-ds-notebooks-1"
    bound = {"iam:PermissionsBoundary": BOUNDARY}
    for action in ("iam:AttachRolePolicy", "iam:DetachRolePolicy"):
        assert reconciler_may(action, NOTEBOOKS, **bound, **{"iam:PolicyARN": ours})
        for policy in ("arn:aws:iam::aws:policy/AdministratorAccess", f"{IAM}:policy/team-data", BOUNDARY):
            assert not reconciler_may(action, NOTEBOOKS, **bound, **{"iam:PolicyARN": policy})
        assert not reconciler_may(action, NOTEBOOKS, **bound)
    assert reconciler_may("iam:CreatePolicyVersion", ours)
    assert not reconciler_may("iam:CreatePolicyVersion", BOUNDARY)
    assert not reconciler_may("iam:CreatePolicyVersion", f"{IAM}:policy/sm-access-reconciler-boundary")


@pytest.mark.parametrize(
    "action",
    [
        "iam:CreateRole",
        "iam:PassRole",
        "iam:UpdateAssumeRolePolicy",
        "iam:DeleteRolePermissionsBoundary",
        "iam:PutRolePermissionsBoundary",
        "iam:CreateAccessKey",
        "sts:AssumeRole",
        "lambda:UpdateFunctionCode",
    ],
)
def test_the_reconciler_has_no_way_up(action: str) -> None:
    for resource in (NOTEBOOKS, TEAM.reconciler_arn, "*"):
        assert not reconciler_may(action, resource, **{"iam:PermissionsBoundary": BOUNDARY})


def test_the_reconciler_decides_on_nothing() -> None:
    role = TEAM.reconciler_arn
    assert insert(TEAM.reconciler_statements(), role, own("apply", role))
    assert not insert(TEAM.reconciler_statements(), role, own("decide", role))
    assert not insert(TEAM.reconciler_statements(), role, own("ask", role))


def test_all_of_it_fits_into_what_aws_takes_or_is_refused() -> None:
    def team(count: int) -> TeamAccount:
        roles = tuple(f"{IAM}:role/acme-team-{number:02d}-notebooks" for number in range(count))
        return TeamAccount("eu-central-1", roles, (OWNER,), BOUNDARY, groups=True, tags=True)

    assert len(canonical_json({"Statement": team(16).reconciler_boundary()})) + 30 <= MANAGED_LIMIT
    with pytest.raises(InvalidInput, match="6,144"):
        team(30)


def policies_in(template: dict[str, Any]) -> dict[str, Any]:
    """Every policy document of a CloudFormation template, by what it is for."""
    found = {}
    for name, resource in template["Resources"].items():
        properties = resource["Properties"]
        for key in ("PolicyDocument", "AssumeRolePolicyDocument"):
            if key in properties:
                found[f"{name}.{key}"] = properties[key]
    return found


def test_terraform_says_the_same() -> None:
    made = terraform(TEAM)["resource"]
    texts = [
        each["policy"] for each in (*made["aws_iam_role_policy"].values(), *made["aws_iam_policy"].values())
    ]
    in_terraform = sorted(text.replace("$${", "${") for text in texts)
    template = cloudformation(TEAM)
    role = template["Resources"]["ReconcilerRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    documents = [
        document
        for name, document in policies_in(template).items()
        if not name.endswith("AssumeRolePolicyDocument")
    ]
    assert in_terraform == sorted(json.dumps(document, sort_keys=True) for document in (*documents, role))
    assert "${aws:userid}" not in json.dumps(made).replace("$${", "")
    assert made["aws_ssm_parameter"]["configuration"]["name"] == PARAMETER


def test_cfn_lint_has_no_complaint(tmp_path: Path) -> None:
    path = tmp_path / "template.json"
    for break_it, expected in ((False, 0), (True, 2)):
        template = cloudformation(TEAM)
        if break_it:  # that the linter looks at all
            template["Resources"]["Ledger"]["Properties"]["BillingMode"] = "FOR_FREE"
        path.write_text(json.dumps(template))
        linter = str(Path(sys.executable).parent / "cfn-lint")
        command = [linter, "--non-zero-exit-code", "informational", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == expected, done.stdout


def test_the_handler_is_there_and_takes_what_lambda_calls_it_with() -> None:
    from importlib import import_module

    module, _, name = HANDLER.rpartition(".")
    assert getattr(import_module(module), name).__code__.co_argcount == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"notebook_roles": ()}, "at least one role"),
        ({"approver_roles": (f"{IAM}:role/ACME-ds-notebooks",)}, "asks and decides"),
        ({"approver_roles": ("arn:aws:iam::444455556666:role/x",)}, "more than one account"),
        ({"notebook_roles": (f"{IAM}:user/x",)}, "not the ARN of an IAM role"),
        ({"notebook_roles": (f"{IAM}:role/*",)}, "not the ARN of an IAM role"),
        ({"boundary": "acme"}, "managed policy"),
        ({"table": "a/b"}, "name of a table"),
        ({"region": "*"}, "not a Region"),
        ({"minutes": 0}, "minutes"),
    ],
)
def test_what_is_no_set_up_is_refused(change: dict[str, Any], words: str) -> None:
    given: dict[str, Any] = {
        "region": "eu-central-1",
        "notebook_roles": (NOTEBOOKS,),
        "approver_roles": (OWNER,),
        "boundary": BOUNDARY,
    }
    with pytest.raises(InvalidInput, match=words) as refused:
        TeamAccount(**{**given, **change})
    assert refused.value.remedy
