"""What an admin deploys once, so that a team can ask, decide and be granted: templates, written and never applied."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sm_access.access.rules import Rules
from sm_access.bootstrap import Services
from sm_access.config import Settings
from sm_access.deployment.cloudformation import cloudformation
from sm_access.deployment.team_account import TeamAccount
from sm_access.deployment.terraform import terraform
from sm_access.errors import InvalidInput, UnreadableFile
from sm_access.presentation.deployment import deployment_page
from sm_access.presentation.result import Result

FORMATS: Mapping[str, Any] = {"cloudformation": cloudformation, "terraform": terraform}


def bootstrap(
    *,
    notebook_roles: Sequence[str],
    approver_roles: Sequence[str],
    boundary: str,
    rules: str | None = None,
    form: str = "cloudformation",
    output: str | None = None,
    table: str = "sm-access-ledger",
    region: str | None = None,
    minutes: int = 5,
    services: Services | None = None,
) -> Result:
    """Write the template of a team's set-up: ledger, permissions, parameter, and a reconciler that runs by itself.

    notebook_roles, approver_roles: ARNs, or names of roles of the caller's account. boundary: the ARN or name of the
    permissions boundary that the notebook roles have. rules: a settings file whose rules are published with it.
    form: `cloudformation` or `terraform`. output: a file; without it the template is in the answer alone.
    Raises InvalidInput, UnreadableFile.
    """
    at = services or Services()
    if form not in FORMATS:
        raise InvalidInput(f"{form!r} is no format.", remedy=f"Say {' or '.join(FORMATS)}.")
    text = "" if rules is None else _rules(rules)
    checked = Rules.from_dict(_tables(text, rules or ""))
    team = TeamAccount(
        region=region or at.aws.region or "us-east-1",
        notebook_roles=tuple(_arn(at, "role", name) for name in notebook_roles),
        approver_roles=tuple(_arn(at, "role", name) for name in approver_roles),
        boundary=_arn(at, "policy", boundary),
        table=table,
        minutes=minutes,
        groups=any(each.reviewers.groups for each in (checked.everywhere, *checked.buckets.values())),
        tags=any(each.reviewers.owner_tag for each in (checked.everywhere, *checked.buckets.values())),
        rules=text,
    )
    made = FORMATS[form](team)
    written = json.dumps(made, indent=2) + "\n"
    if output is not None:
        try:
            Path(output).write_text(written, encoding="utf-8")
        except OSError as error:
            raise UnreadableFile(
                f"{output} cannot be written: {error.strerror}.", remedy="Name another file."
            ) from error
    return Result(deployment_page(team, form, written, output, reviewed=bool(text)))


def _arn(at: Services, kind: str, name: str) -> str:
    if name.startswith("arn:"):
        return name
    caller = at.caller()
    return f"arn:{caller.arn.split(':')[1]}:iam::{caller.account}:{kind}/{name}"


def _rules(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(
            f"{path} cannot be read.", remedy="Name a settings file with the rules."
        ) from error


def _tables(text: str, path: str) -> dict[str, Any]:
    """The rules in a text of settings, checked as everybody will read them. Raises InvalidSetting."""
    read = Settings.load({}, ledger="sqlite:///unused").with_published(text, f"file {path}").rules
    beside = {key: read.get(key, {}) for key in ("bucket", "role")}
    return {**read.get("review", {}), **beside}
