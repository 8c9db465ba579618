"""The embedded AWS: a seeded company in which calls really are allowed and denied, on this machine alone.

`Sandbox` is the way in from Python, `sm-access sandbox` from a shell, `sm_access.sandbox.fixtures` from
pytest. Two servers are behind it: ministack, which enforces IAM for S3, IAM, STS, KMS and DynamoDB, and moto,
which answers for SageMaker and everything else and enforces nothing. Where they differ from AWS is listed in
`limits.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sm_access.sandbox.world import Sandbox

__all__ = ["Sandbox"]


def __getattr__(name: str) -> Any:
    if name == "Sandbox":
        from sm_access.sandbox.world import Sandbox

        return Sandbox
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
