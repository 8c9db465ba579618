"""The same as Terraform's JSON configuration, for teams whose accounts live in git (Terraform Language, "JSON
Configuration Syntax"; provider hashicorp/aws). Policies are those of the CloudFormation template, to the letter."""

from __future__ import annotations

import json
import re
from typing import Any

from sm_access.deployment.cloudformation import HANDLER, RUNTIME, SECONDS, rate, trust
from sm_access.deployment.team_account import PARAMETER, RECONCILER, TeamAccount, document, role_name
from sm_access.stores.dynamodb_table import table_policy


def terraform(team: TeamAccount) -> dict[str, Any]:
    """The configuration; the zip with the package in it is the variable `code`."""
    asks = {
        f"ask_{_label(arn)}": _role_policy(arn, "sm-access-ask", team.notebook_statements(arn))
        for arn in team.notebook_roles
    }
    decides = {
        f"decide_{_label(arn)}": _role_policy(arn, "sm-access-decide", team.approver_statements(arn))
        for arn in team.approver_roles
    }
    own = {
        "reconciler": {
            "name": "reconcile",
            "role": "${aws_iam_role.reconciler.id}",
            "policy": _text(document(team.reconciler_boundary())),
        }
    }
    return {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": ">= 5.70"}}},
        "variable": {"code": {"type": "string", "description": "Path of the zip with sm_access in it"}},
        "resource": {
            "aws_dynamodb_table": {"ledger": _table(team)},
            "aws_dynamodb_resource_policy": {
                "ledger": {
                    "resource_arn": "${aws_dynamodb_table.ledger.arn}",
                    "policy": _text(table_policy(team.table_arn)),
                }
            },
            "aws_ssm_parameter": {
                "configuration": {
                    "name": PARAMETER,
                    "type": "String",
                    "tier": "Intelligent-Tiering",
                    "value": _literal(team.parameter),
                }
            },
            "aws_iam_role_policy": {**asks, **decides, **own},
            "aws_iam_policy": {
                "reconciler_boundary": {
                    "name": f"{RECONCILER}-boundary",
                    "policy": _text(document(team.reconciler_boundary())),
                }
            },
            "aws_iam_role": {
                "reconciler": {
                    "name": RECONCILER,
                    "permissions_boundary": "${aws_iam_policy.reconciler_boundary.arn}",
                    "assume_role_policy": _text(trust()),
                }
            },
            "aws_cloudwatch_log_group": {
                "reconciler": {"name": f"/aws/lambda/{RECONCILER}", "retention_in_days": 400}
            },
            "aws_lambda_function": {
                "reconciler": {
                    "function_name": RECONCILER,
                    "handler": HANDLER,
                    "runtime": RUNTIME,
                    "timeout": SECONDS,
                    "memory_size": 512,
                    "reserved_concurrent_executions": 1,
                    "role": "${aws_iam_role.reconciler.arn}",
                    "filename": "${var.code}",
                    "source_code_hash": "${filebase64sha256(var.code)}",
                    "depends_on": ["aws_cloudwatch_log_group.reconciler"],
                }
            },
            "aws_cloudwatch_event_rule": {
                "reconciler": {"name": RECONCILER, "schedule_expression": rate(team)}
            },
            "aws_cloudwatch_event_target": {
                "reconciler": {
                    "rule": "${aws_cloudwatch_event_rule.reconciler.name}",
                    "arn": "${aws_lambda_function.reconciler.arn}",
                }
            },
            "aws_lambda_permission": {
                "reconciler": {
                    "action": "lambda:InvokeFunction",
                    "function_name": "${aws_lambda_function.reconciler.function_name}",
                    "principal": "events.amazonaws.com",
                    "source_arn": "${aws_cloudwatch_event_rule.reconciler.arn}",
                }
            },
        },
        "output": {"ledger_url": {"value": f"dynamodb://{team.table}?region={team.region}"}},
    }


def _table(team: TeamAccount) -> dict[str, Any]:
    return {
        "name": team.table,
        "billing_mode": "PAY_PER_REQUEST",
        "hash_key": "pk",
        "range_key": "sk",
        "attribute": [{"name": "pk", "type": "S"}, {"name": "sk", "type": "S"}],
        "server_side_encryption": {"enabled": True},
        "point_in_time_recovery": {"enabled": True},
        "deletion_protection_enabled": True,
        "lifecycle": {"prevent_destroy": True},
    }


def _role_policy(role_arn: str, name: str, statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "role": role_name(role_arn), "policy": _text(document(statements))}


def _text(policy: dict[str, Any]) -> str:
    return _literal(json.dumps(policy, sort_keys=True))


def _literal(text: str) -> str:
    """Terraform reads `${` and `%{` as its own: a policy's variables are written so that it does not."""
    return text.replace("${", "$${").replace("%{", "%%{")


def _label(arn: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", role_name(arn)).strip("_").lower()
