"""`sm-access bootstrap`, typed; and the parameter that it publishes, found by everybody."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sm_access.aws.parameters import collect_parameter
from sm_access.bootstrap import Services
from sm_access.commands.deploying import bootstrap
from sm_access.config import Settings
from sm_access.errors import InvalidInput, InvalidSetting, UnreadableFile
from sm_access.sandbox.world import Sandbox

RULES = '[review]\nreviewers = ["arn:aws:iam::111122223333:role/acme-data-owner"]\nreviewer_groups = ["DataOwners"]\n'
ROLES: dict[str, Any] = {
    "notebook_roles": ["acme-ds-notebooks"],
    "approver_roles": ["acme-data-owner"],
    "boundary": "acme-boundary",
}


@pytest.mark.parametrize("form", ["cloudformation", "terraform"])
def test_written_with_the_rules_of_a_file(
    services_of: Callable[[str], Services], tmp_path: Path, form: str
) -> None:
    rules, output = tmp_path / "rules.toml", tmp_path / "out.json"
    rules.write_text(RULES)
    found = bootstrap(**ROLES, rules=str(rules), form=form, output=str(output), services=services_of("admin"))
    written = output.read_text()
    assert json.loads(written) == found.to_dict()["template"]
    for word in ("arn:aws:iam::111122223333:role/acme-ds-notebooks", "DataOwners", "iam:ListGroupsForUser"):
        assert word in written
    assert "s3:GetBucketTagging" not in written
    assert "Written, and not applied" in found.to_text()


def test_without_rules_it_says_that_nobody_may_review(services_of: Callable[[str], Services]) -> None:
    assert "nobody may review" in bootstrap(**ROLES, services=services_of("admin")).to_text()


def test_bad_input(services_of: Callable[[str], Services], tmp_path: Path) -> None:
    at = services_of("admin")
    with pytest.raises(InvalidInput, match="no format"):
        bootstrap(**ROLES, form="pulumi", services=at)
    with pytest.raises(UnreadableFile, match="cannot be read"):
        bootstrap(**ROLES, rules=str(tmp_path / "none"), services=at)
    with pytest.raises(UnreadableFile, match="cannot be written"):
        bootstrap(**ROLES, output=str(tmp_path / "no" / "such"), services=at)
    broken = tmp_path / "broken.toml"
    broken.write_text("[review\n")
    with pytest.raises(InvalidSetting, match=f"The file {broken} is not TOML"):
        bootstrap(**ROLES, rules=str(broken), services=at)
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[review]\nreviewer = 1\n")
    with pytest.raises(InvalidSetting, match="reviewer is not a rule"):
        bootstrap(**ROLES, rules=str(wrong), services=at)


def test_the_parameter_is_found_by_everybody_or_nothing_is_published(sandbox: Sandbox) -> None:
    """On the stand-in for shapes: the enforcing one has no parameter store."""
    environment = sandbox.environment("notebook")
    services = Services(
        Settings.load({**environment, "SM_ACCESS_CONFIG": "", "SM_ACCESS_LEDGER": ""}),
        session=sandbox.session("notebook"),
    )
    ssm = sandbox.root_session.client("ssm")
    assert collect_parameter(services.aws, "/sm-access/config") is None
    ssm.put_parameter(Name="/sm-access/config", Value=RULES, Type="String")
    try:
        assert services.rules.of("acme-lake").reviewers.groups == ("DataOwners",)
    finally:
        ssm.delete_parameter(Name="/sm-access/config")


def test_the_file_is_one_word_of_the_command(services_of: Callable[[str], Services], tmp_path: Path) -> None:
    output = tmp_path / "the team's $(set-up).json"
    said = bootstrap(
        **ROLES, form="cloudformation", output=str(output), services=services_of("admin")
    ).to_text()
    (command,) = [line.partition(": ")[2] for line in said.splitlines() if "cloudformation deploy" in line]
    assert str(output) in shlex.split(command)
