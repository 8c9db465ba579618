"""Which notebooks work on a role: who gains when the role does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sm_access.access.caller import same_principal
from sm_access.aws.session import WORKERS, Aws, told
from sm_access.errors import AccessDenied, CannotTell


def collect_role_notebooks(aws: Aws, role_arn: str) -> tuple[str, ...] | None:
    """The names of this Region's notebook instances on a role; None where SageMaker may not be read."""
    sagemaker = aws.client("sagemaker")
    try:
        with told("asking SageMaker which notebooks use the role"):
            names = [
                instance["NotebookInstanceName"]
                for page in sagemaker.get_paginator("list_notebook_instances").paginate()
                for instance in page["NotebookInstances"]
            ]
            with ThreadPoolExecutor(WORKERS) as pool:
                details = pool.map(
                    lambda name: sagemaker.describe_notebook_instance(NotebookInstanceName=name), names
                )
                return tuple(
                    name
                    for name, detail in zip(names, details, strict=True)
                    # A session's ARN does not tell the path of its role; SageMaker's does.
                    if same_principal(str(detail.get("RoleArn", "")), role_arn)
                )
    except (AccessDenied, CannotTell):
        return None
