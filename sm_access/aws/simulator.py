"""AWS's own simulation of a principal's policies: the port `Simulator`, by `iam:SimulatePrincipalPolicy`.

One call for each set of context values, with every action and resource that shares it. Answers come in two forms: one
result for an action with the resources beneath it (`ResourceSpecificResults`), and formerly one result for each action
and resource; both are read (IAM API Reference, "EvaluationResult").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from sm_access.access.caller import same_principal
from sm_access.access.evidence import BucketEvidence, PrincipalEvidence
from sm_access.access.levels import Check
from sm_access.access.simulated import SimulatedDecision, Simulation, example_of, stands_for_many
from sm_access.access.verdict import context_of
from sm_access.aws.deadline import Deadline
from sm_access.aws.session import Aws, error_code, told
from sm_access.errors import CannotTell
from sm_access.policy import canonical_principal

Entries = tuple[tuple[str, str | tuple[str, ...]], ...]
_TYPES = {"aws:currenttime": "date", "aws:securetransport": "boolean"}
_SERVICE_ROLE_PATH = "service-role/"
_DOING = "asking AWS's simulation of the role's policies"


class IamSimulator:
    """execution_role: the ARN of the role as SageMaker's metadata tells it, path included; '' where it does not.

    deadline: past it, AwsUnreachable is raised; by default each question has the time-out of one call.
    """

    def __init__(self, aws: Aws, execution_role: str = "", deadline: Deadline | None = None) -> None:
        self._aws = aws
        self._execution_role = execution_role
        self._deadline = deadline

    def simulate(
        self, principal: PrincipalEvidence, bucket: BucketEvidence, checks: Sequence[Check], now: datetime
    ) -> Sequence[Simulation | None]:
        groups: dict[Entries, list[Check]] = {}
        entries = [_entries(principal, bucket, check, now) for check in checks]
        for found, check in zip(entries, checks, strict=True):
            groups.setdefault(found, []).append(check)
        sources = self._sources(principal)
        deadline = self._deadline or Deadline(self._aws.timeout_seconds)
        waiting = [
            (found, deadline.start(partial(self._ask, sources, found, group, now), _DOING))
            for found, group in groups.items()
        ]
        by_group = {found: pending.result() for found, pending in waiting}
        return [
            by_group[found].get((check.action.lower(), example_of(check.resource_arn)))
            for found, check in zip(entries, checks, strict=True)
        ]

    def _sources(self, principal: PrincipalEvidence) -> list[str]:
        """The ARN of the role or user. A session's does not tell the path of its role: then what SageMaker says of it
        is tried, then no path, then the path of the roles that SageMaker's console makes."""
        if principal.iam_arn is not None:
            return [principal.iam_arn]
        bare = canonical_principal(principal.arn)
        likely = bare.replace(":role/", f":role/{_SERVICE_ROLE_PATH}", 1)
        stated = [self._execution_role] if same_principal(self._execution_role, bare) else []
        return list(dict.fromkeys([*stated, bare, likely]))

    def _ask(
        self, sources: Sequence[str], entries: Entries, checks: Sequence[Check], now: datetime
    ) -> Mapping[tuple[str, str], Simulation]:
        iam = self._aws.client("iam")
        given = {
            "ActionNames": list(dict.fromkeys(check.action for check in checks)),
            "ResourceArns": list(dict.fromkeys(example_of(check.resource_arn) for check in checks)),
            "ContextEntries": [
                {
                    "ContextKeyName": key,
                    "ContextKeyValues": [value] if isinstance(value, str) else list(value),
                    "ContextKeyType": _TYPES.get(
                        key.lower(), "string" if isinstance(value, str) else "stringList"
                    ),
                }
                for key, value in entries
            ],
        }
        examples = {example_of(check.resource_arn) for check in checks if stands_for_many(check.resource_arn)}
        with told(_DOING):
            for arn in sources:
                try:
                    pages = iam.get_paginator("simulate_principal_policy").paginate(
                        PolicySourceArn=arn, **given
                    )
                    results = [result for page in pages for result in page.get("EvaluationResults", ())]
                except ClientError as error:
                    if error_code(error) == "NoSuchEntity":
                        continue
                    raise
                return dict(_read(results, examples, now))
        raise CannotTell(
            "AWS's own simulation needs the role's ARN with its path, which could not be read.",
            remedy="It needs iam:GetRole.",
        )


def _entries(principal: PrincipalEvidence, bucket: BucketEvidence, check: Check, now: datetime) -> Entries:
    """The context of the call as far as it is known. A call on a bucket is answered in the bucket's own Region."""
    context, _ = context_of(principal, bucket, check, now)
    known = {**context, "aws:PrincipalAccount": principal.account}
    if bucket.region is not None:
        known["aws:RequestedRegion"] = bucket.region
    return tuple(sorted(known.items()))


def _read(
    results: Sequence[Mapping[str, Any]], examples: set[str], now: datetime
) -> Iterator[tuple[tuple[str, str], Simulation]]:
    for result in results:
        action = str(result["EvalActionName"]).lower()
        organization = result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations")
        rows = result.get("ResourceSpecificResults") or [
            {**result, "EvalResourceDecision": result["EvalDecision"]}
        ]
        for row in rows:
            resource = str(row.get("EvalResourceName", "*"))
            try:
                decision = SimulatedDecision(row["EvalResourceDecision"])
            except ValueError:
                continue  # a word that AWS has come to use since: no answer
            boundary = row.get("PermissionsBoundaryDecisionDetail") or result.get(
                "PermissionsBoundaryDecisionDetail", {}
            )
            # INVARIANT: what is missing for the action as a whole may be missing for this resource.
            missing = (*row.get("MissingContextValues", ()), *result.get("MissingContextValues", ()))
            yield (
                (action, resource),
                Simulation(
                    decision=decision,
                    at=now,
                    policies=tuple(
                        str(statement["SourcePolicyId"])
                        for statement in row.get("MatchedStatements", ())
                        if statement.get("SourcePolicyId")
                    ),
                    missing=tuple(dict.fromkeys(missing)),
                    by_boundary=boundary.get("AllowedByPermissionsBoundary"),
                    by_organization=organization,
                    of_example=resource in examples,
                ),
            )
