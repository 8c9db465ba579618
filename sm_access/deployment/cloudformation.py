"""A team's set-up as an AWS CloudFormation template (AWS CloudFormation User Guide, "Template reference")."""

from __future__ import annotations

import re
from typing import Any

from sm_access.access.canonical import sha256
from sm_access.deployment.team_account import PARAMETER, RECONCILER, TeamAccount, document, role_name
from sm_access.stores.dynamodb_table import table_parameters, table_policy

HANDLER = "sm_access.commands.scheduled.handler"
RUNTIME = "python3.13"
SECONDS = 300


def cloudformation(team: TeamAccount) -> dict[str, Any]:
    """The template. The function's code is a zip of the installed package, whose place in S3 is a parameter."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "sm_access: the ledger of access requests, who may write what in it, and its reconciler",
        "Parameters": {
            "CodeBucket": {"Type": "String", "Description": "Bucket of the zip with sm_access in it"},
            "CodeKey": {"Type": "String", "Description": "Its key"},
        },
        "Resources": {
            "Ledger": _ledger(team),
            "Configuration": _parameter(team),
            **{
                f"Notebooks{_logical(arn)}": _policy(arn, "sm-access-ask", team.notebook_statements(arn))
                for arn in team.notebook_roles
            },
            **{
                f"Approvers{_logical(arn)}": _policy(arn, "sm-access-decide", team.approver_statements(arn))
                for arn in team.approver_roles
            },
            **_reconciler(team),
        },
        "Outputs": {
            "LedgerUrl": {"Value": f"dynamodb://{team.table}?region={team.region}"},
            "ReconcilerRole": {"Value": {"Fn::GetAtt": ["ReconcilerRole", "Arn"]}},
        },
    }


def _ledger(team: TeamAccount) -> dict[str, Any]:
    table = table_parameters(team.table)
    return {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            **{key: value for key, value in table.items() if key != "SSESpecification"},
            "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
            "PointInTimeRecoverySpecification": {
                "PointInTimeRecoveryEnabled": True,
                "RecoveryPeriodInDays": 35,
            },
            "ResourcePolicy": {"PolicyDocument": table_policy(team.table_arn)},
        },
    }


def _parameter(team: TeamAccount) -> dict[str, Any]:
    return {
        "Type": "AWS::SSM::Parameter",
        "Properties": {
            "Name": PARAMETER,
            "Type": "String",
            "Tier": "Intelligent-Tiering",
            "Description": "Where sm_access keeps access requests, and the rules of review",
            "Value": team.parameter,
        },
    }


def _policy(role_arn: str, name: str, statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::RolePolicy",
        "Properties": {
            "RoleName": role_name(role_arn),
            "PolicyName": name,
            "PolicyDocument": document(statements),
        },
    }


def _reconciler(team: TeamAccount) -> dict[str, Any]:
    return {
        "ReconcilerBoundary": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "ManagedPolicyName": f"{RECONCILER}-boundary",
                "Description": "The most that the reconciler of sm_access may ever do",
                "PolicyDocument": document(team.reconciler_boundary()),
            },
        },
        "ReconcilerRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": RECONCILER,
                "Description": "Puts on notebook roles what was decided, and takes it off again",
                "PermissionsBoundary": {"Ref": "ReconcilerBoundary"},
                "AssumeRolePolicyDocument": trust(),
                "Policies": [
                    {"PolicyName": "reconcile", "PolicyDocument": document(team.reconciler_boundary())}
                ],
            },
        },
        "ReconcilerLog": {
            "Type": "AWS::Logs::LogGroup",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {"LogGroupName": f"/aws/lambda/{RECONCILER}", "RetentionInDays": 400},
        },
        "Reconciler": {
            "Type": "AWS::Lambda::Function",
            "DependsOn": "ReconcilerLog",
            "Properties": {
                "FunctionName": RECONCILER,
                "Description": "sm-access reconcile",
                "Handler": HANDLER,
                "Runtime": RUNTIME,
                "Timeout": SECONDS,
                "MemorySize": 512,
                "ReservedConcurrentExecutions": 1,
                "Role": {"Fn::GetAtt": ["ReconcilerRole", "Arn"]},
                "Code": {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": {"Ref": "CodeKey"}},
            },
        },
        "ReconcilerSchedule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": RECONCILER,
                "Description": "Apply what was decided, and collect what has ended",
                "ScheduleExpression": rate(team),
                "State": "ENABLED",
                "Targets": [{"Id": "reconciler", "Arn": {"Fn::GetAtt": ["Reconciler", "Arn"]}}],
            },
        },
        "ReconcilerMayBeCalled": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "Reconciler"},
                "Principal": "events.amazonaws.com",
                "SourceArn": {"Fn::GetAtt": ["ReconcilerSchedule", "Arn"]},
            },
        },
    }


def trust() -> dict[str, Any]:
    """Who may assume the reconciler's role: Lambda, for functions of this account, which have to be passed the role."""
    return document(
        [
            {
                "Sid": "Lambda",
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ]
    )


def rate(team: TeamAccount) -> str:
    return f"rate({team.minutes} minute{'' if team.minutes == 1 else 's'})"


def _logical(arn: str) -> str:
    """A logical id that stays with its role, whatever the order, and differs where names differ in signs alone."""
    words = "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", role_name(arn)))
    return f"{words}{sha256(arn)[:6]}"
