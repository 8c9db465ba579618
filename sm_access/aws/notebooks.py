"""Which notebooks work on a role: who gains when the role does."""

from __future__ import annotations

from asyncio import gather
from typing import Any

from sm_access.access.caller import same_principal
from sm_access.aws.reading import Reading
from sm_access.aws.session import Aws
from sm_access.errors import AccessDenied, CannotTell

_DOING = "asking SageMaker which notebooks use the role"


def collect_role_notebooks(aws: Aws, role_arn: str) -> tuple[str, ...] | None:
    """The names of this Region's notebook instances on a role; None where SageMaker may not be read."""
    try:
        return Reading(aws).run(lambda reading: _role_notebooks(reading, role_arn))
    except (AccessDenied, CannotTell):
        return None


async def _role_notebooks(reading: Reading, role_arn: str) -> tuple[str, ...]:
    def sagemaker() -> Any:
        return reading.aws.client("sagemaker")

    names = await reading.call(
        _DOING,
        lambda: [
            str(instance["NotebookInstanceName"])
            for page in sagemaker().get_paginator("list_notebook_instances").paginate()
            for instance in page["NotebookInstances"]
        ],
    )

    async def role_of(name: str) -> str:
        detail = await reading.call(
            _DOING, lambda: sagemaker().describe_notebook_instance(NotebookInstanceName=name)
        )
        return str(detail.get("RoleArn", ""))

    roles = await gather(*(role_of(name) for name in names))
    # A session's ARN does not tell the path of its role; SageMaker's does.
    return tuple(name for name, role in zip(names, roles, strict=True) if same_principal(role, role_arn))
