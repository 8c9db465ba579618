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
        "every service except S3, IAM, STS, KMS and DynamoDB, SageMaker included",
        "moto",
        "keeps state and enforces nothing: every call is allowed to everyone",
        "each call needs an allow, and CreateTrainingJob needs iam:PassRole besides",
    ),
    Limit(
        "policy variables such as ${aws:userid} and ${aws:PrincipalTag/team}",
        "ministack",
        "are not filled in: an Allow that uses one allows nothing, a Deny that uses one denies nothing",
        "are filled in from the request in policies of version 2012-10-17",
    ),
    Limit(
        "dynamodb:LeadingKeys, and PartiQL in DynamoDB (ExecuteStatement, ExecuteTransaction)",
        "ministack",
        "the key is in no request; a transaction needs one action, dynamodb:ExecuteTransaction, on `*`",
        "the key holds the partition keys of a request; each statement needs its own action, such as "
        "dynamodb:PartiQLInsert, on its table",
    ),
    Limit(
        "service control policies and resource control policies",
        "ministack",
        "are not evaluated; moto says that the account is in no organization",
        "both limit every principal of a member account",
    ),
    Limit(
        "NotPrincipal in a bucket policy",
        "ministack",
        "never matches, so a Deny with it denies nobody",
        "denies everyone whom it does not name",
    ),
    Limit(
        "an unsigned or wrongly signed call with the access key `test` or an account's number",
        "ministack",
        "is taken for the account's root, past all policies: keep nothing secret in here",
        "every signature is verified",
    ),
    Limit(
        "SourceIdentity of an assumed role",
        "ministack",
        "is dropped: aws:SourceIdentity is never in a request",
        "stays with the session through role chaining, and CloudTrail shows it",
    ),
    Limit(
        "aws:SecureTransport",
        "ministack",
        "is false, as the sandbox speaks plain HTTP on loopback",
        "is true for every call over HTTPS",
    ),
    Limit(
        "aws:UserAgent, aws:ViaAWSService and aws:SourceVpce",
        "ministack",
        "are in no request",
        "the first two are in most requests, the third behind a VPC endpoint",
    ),
    Limit(
        "IAM's quotas: 10,240 characters of inline policies on a role, 6,144 in a managed one, 10 attached",
        "ministack",
        "are not enforced",
        "the call is refused with LimitExceeded",
    ),
    Limit(
        "policies with characters outside U+0020-U+00FF, or naming principals that do not exist",
        "ministack",
        "are accepted",
        "are refused as malformed",
    ),
    Limit(
        "a change to a policy",
        "ministack",
        "holds from the next call on",
        "is eventually consistent: seconds, at times minutes",
    ),
    Limit(
        "the longest session of a role",
        "ministack",
        "is not checked: 12 hours are given to a role that allows one",
        "is the role's MaxSessionDuration, and one hour when roles are chained",
    ),
    Limit(
        "calls that moto lacks (UpdateNotebookInstance, Access Analyzer, CloudTrail's LookupEvents)",
        "moto",
        "answer HTTP 500 with an HTML page, which SDKs report as an internal error",
        "the calls exist; their failure here says nothing",
    ),
    Limit(
        "S3 Control (S3 Access Grants, account-wide public access block)",
        "moto",
        "cannot be reached: SDKs put the account's number before the host, which loopback has no name for",
        "works",
    ),
    Limit(
        "IAM users of the sandbox",
        "ministack",
        "come with temporary credentials of GetSessionToken",
        "use long-term keys; and GetSessionToken's credentials cannot call IAM without MFA",
    ),
)
"""Known differences, those that mislead most first."""
