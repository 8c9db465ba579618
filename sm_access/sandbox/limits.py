"""Where the stand-ins behind the sandbox differ from AWS: what a person could otherwise believe wrongly.

Each row was found by trying it; those that a test can try are tried again by `tests/sandbox/test_limits.py`,
so that a row which an update of a stand-in made untrue is noticed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """`what` differs; `here` = how the stand-in behaves; `on_aws` = what is true. `stand_in`: ministack or
    moto.
    """

    what: str
    stand_in: str
    here: str
    on_aws: str


LIMITS: tuple[Limit, ...] = (
    Limit(
        "SageMaker and every service except S3, IAM, STS, KMS and DynamoDB",
        "moto",
        "keeps state and enforces nothing: every call is allowed to everyone",
        "each call needs an allow, iam:PassRole included",
    ),
    Limit(
        "calls that moto does not implement",
        "moto",
        "answer HTTP 500 with an HTML page, which SDKs report as an internal error",
        "the call exists; nothing can be concluded from its failure here",
    ),
)
"""Known differences, those that mislead most first."""
