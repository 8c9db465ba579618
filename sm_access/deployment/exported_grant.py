"""One grant as a file for teams whose IAM lives in git: exactly the statements that were approved, and the hash that
the approval binds. It is applied by whatever applies that repository; `reconcile` knows nothing of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from sm_access.access.instant import format_instant
from sm_access.access.model import AccessRequest, Grant

Made = dict[str, Any]


def policy_name(grant: Grant) -> str:
    """Not a name that `reconcile` writes or deletes."""
    return f"sm-access-{grant.id}"


def as_json(request: AccessRequest, grant: Grant) -> Made:
    """The policy document, and beside it what it is."""
    return {"metadata": _metadata(request, grant), "policy": _document(grant)}


def as_terraform(request: AccessRequest, grant: Grant) -> Made:
    """Terraform's JSON configuration syntax, in which a member `//` is a comment."""
    label = re.sub(r"[^a-z0-9]+", "_", policy_name(grant).lower())
    return {
        "//": _comment(request, grant),
        "resource": {
            "aws_iam_role_policy": {
                label: {
                    "name": policy_name(grant),
                    "role": _role(grant),
                    # Terraform reads `${` and `%{` as its own; no target has them, and it stays so.
                    "policy": json.dumps(_document(grant)).replace("${", "$${").replace("%{", "%%{"),
                }
            }
        },
    }


def as_cloudformation(request: AccessRequest, grant: Grant) -> Made:
    """A template with one AWS::IAM::RolePolicy."""
    logical = "".join(filter(str.isalnum, policy_name(grant).title()))
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": _comment(request, grant)[:1024],
        "Resources": {
            logical: {
                "Type": "AWS::IAM::RolePolicy",
                "Metadata": {"SmAccess": _metadata(request, grant)},
                "Properties": {
                    "PolicyName": policy_name(grant),
                    "RoleName": _role(grant),
                    "PolicyDocument": _document(grant),
                },
            }
        },
    }


FORMATS: Mapping[str, Callable[[AccessRequest, Grant], Made]] = {
    "terraform": as_terraform,
    "cloudformation": as_cloudformation,
    "json": as_json,
}


def _document(grant: Grant) -> Made:
    return {"Version": "2012-10-17", "Statement": list(grant.statements)}


def _role(grant: Grant) -> str:
    return grant.role_arn.rpartition("/")[2]


def _metadata(request: AccessRequest, grant: Grant) -> dict[str, str]:
    """INVARIANT: no word of the requester's: only what AWS, the rules and the decision say."""
    return {
        "request": request.id,
        "role": grant.role_arn,
        "access": f"{grant.level.value} {grant.target}",
        "approved_at": format_instant(grant.starts_at),
        "ends_at": format_instant(grant.ends_at),
        "statements_sha256": grant.sha256,
    }


def _comment(request: AccessRequest, grant: Grant) -> str:
    told = _metadata(request, grant)
    return (
        f"sm-access {told['request']}: {told['access']} until {told['ends_at']}, when it ends by itself. "
        f"SHA-256 of the statements as approved: {told['statements_sha256']}. Do not edit: ask again."
    )
