"""Only roles of the caller's own account are read or written, whatever their name."""

from __future__ import annotations

import pytest

from sm_access.aws.notebook_roles import collect_notebook_roles
from sm_access.aws.role_writer import IamRoleWriter
from sm_access.aws.session import Aws
from sm_access.errors import Refused
from sm_access.sandbox.world import Sandbox

OWN = "arn:aws:iam::111122223333:role/acme-ds-notebooks"
DOCUMENT = {"Version": "2012-10-17", "Statement": []}


@pytest.mark.parametrize(
    "arn", [OWN.replace("111122223333", "444455556666"), OWN.replace("arn:aws:", "arn:aws-cn:")]
)
def test_a_role_of_the_same_name_elsewhere_is_refused(sandbox: Sandbox, arn: str) -> None:
    writer = IamRoleWriter(Aws(sandbox.session("approver")))
    for act in (
        lambda: writer.read(arn),
        lambda: writer.put(arn, "sm-access-until-20361121T000000Z", DOCUMENT),
        lambda: writer.delete(arn, "notebook-basics"),
    ):
        with pytest.raises(Refused, match="another account"):
            act()
    assert "notebook-basics" in writer.read(OWN).inline


def test_a_role_is_recognised_with_its_path(sandbox: Sandbox) -> None:
    aws = Aws(sandbox.session("approver"))
    with_path = OWN.replace(":role/", ":role/service-role/")
    working = collect_notebook_roles(aws)
    assert working.on(with_path) == working.on(OWN)
    assert set(working.on(OWN)) == {"notebook nb-vision", "notebook nb-churn", "notebook nb-forecast"}
