"""What AWS's SimulatePrincipalPolicy says of one call, and what follows from it.

The simulation looks at the identity policies, the permissions boundary and the service control policies of a role.
It knows neither the bucket's nor the key's policy ("Simulation of resource-based policies isn't supported for IAM
roles"), nor session, resource control and VPC endpoint policies, and says nothing of context keys that service
control policies ask for (IAM API Reference, "SimulatePrincipalPolicy", "EvaluationResult"). So its answer takes the
place of the layers that could not be read, for this one call, and the engine decides with all the others:

    simulation      keys missing  organization  identity policies taken as        boundary taken as
    --------------  ------------  ------------  -------------------------------   -------------------------------
    allowed         none          not denied    allowing exactly this call        none (it allows this call)
    implicitDeny    none          not denied    allowing nothing; or, where the   allowing nothing where it is said
                                                boundary is said not to allow     not to allow; none where it is
                                                and statements matched, exactly   said to; else not readable
                                                this call
    explicitDeny    none          not denied    denying exactly this call         not readable
    any             some          any           not readable                      not readable
    any             any           denied        not readable                      not readable

A layer that was read stays as it was read. "Missing" are only keys that the real call may carry: a key of another
service, or one that the action never has, is absent from the real call as it is from the simulation. "Denied" by the
organization is left open, because its policies may ask for a key that the simulation was not given and does not name.

Of a place with many objects, one made-up object is simulated. Allowed means then that nothing is known to close the
place as a whole; a policy that denies a part of it does not show (`Simulation.of_example`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any

from sm_access import catalog
from sm_access.access.evidence import Policies, PrincipalEvidence
from sm_access.access.levels import Check
from sm_access.policy import UNREADABLE, NamedPolicy, parse_policy
from sm_access.policy.policy_set import Unreadable

EXAMPLE = "sm-access-example"
"""The made-up object that stands for the others of a place."""
#: Services whose keys are only ever in requests to themselves. Not so those of ec2, lambda, ssm, glue, sts and identity
#: providers, some of which a session carries into every request, e.g. `ec2:SourceInstanceArn`.
_OF_THEIR_OWN = frozenset(
    {
        "athena",
        "cloudwatch",
        "dynamodb",
        "ecr",
        "elasticfilesystem",
        "events",
        "iam",
        "kinesis",
        "kms",
        "logs",
        "rds",
        "s3",
        "sagemaker",
        "secretsmanager",
        "sns",
        "sqs",
    }
)


class SimulatedDecision(str, Enum):
    """The simulator's own words."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


@dataclass(frozen=True, slots=True)
class Simulation:
    """The simulator's answer for one action on one resource.

    policies: the policies of the statements that decided, by name. missing: context keys that the role's policies ask
    for and that were not given. by_boundary, by_organization: whether these allow; None where the simulator does not
    say, which it does not where there is none. of_example: the resource was made up to stand for others.
    """

    decision: SimulatedDecision
    at: datetime
    policies: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    by_boundary: bool | None = None
    by_organization: bool | None = None
    of_example: bool = False


def example_of(resource_arn: str) -> str:
    """The resource to simulate: for all objects of a place, a made-up one of them."""
    return f"{resource_arn[:-1]}{EXAMPLE}" if stands_for_many(resource_arn) else resource_arn


def stands_for_many(resource_arn: str) -> bool:
    return ":s3:::" in resource_arn and resource_arn.endswith("*")


def open_because(check: Check, simulation: Simulation) -> str:
    """Why the simulation settles nothing, in words that follow on "allowed if" or the like; '' where it does."""
    missing = sorted(set(_that_may_be_sent(check, simulation.missing)))
    if missing:
        return f"{' and '.join(missing)}, which AWS's simulation of the policies asked for and nothing here can know"
    if simulation.by_organization is False:
        return "the service control policies, which by AWS's simulation do not allow it, whatever their conditions"
    return ""


def _that_may_be_sent(check: Check, keys: tuple[str, ...]) -> Iterator[str]:
    given = {key.lower() for key in check.context}
    for key in keys:
        lowered = key.lower()
        absent = lowered == "s3:prefix" or (
            lowered.partition(":")[0] in _OF_THEIR_OWN
            and not catalog.accepts_condition_key(check.action, key)
        )
        if lowered not in given and not absent:
            yield key


def simulated(principal: PrincipalEvidence, check: Check, simulation: Simulation) -> PrincipalEvidence:
    """The principal, with the layers that could not be read as the simulation shows them, for this call alone."""
    if open_because(check, simulation):
        return principal
    identity: Policies | Unreadable = ()
    boundary: Policies | Unreadable | None = None
    decision = simulation.decision
    if decision is SimulatedDecision.EXPLICIT_DENY:
        identity, boundary = _exactly("Deny", check, simulation), UNREADABLE
    elif decision is SimulatedDecision.ALLOWED:
        identity = _exactly("Allow", check, simulation)
    else:
        # INVARIANT: a simulated no never allows: the boundary is taken as silent where it is said to be, else the
        # identity policies are.
        silent = simulation.by_boundary is False
        identity = _exactly("Allow", check, simulation) if silent and simulation.policies else ()
        boundary = () if silent else None if simulation.by_boundary else UNREADABLE
    return replace(
        principal,
        identity=identity if principal.identity is UNREADABLE else principal.identity,
        boundary=boundary if principal.boundary is UNREADABLE else principal.boundary,
    )


def _exactly(effect: str, check: Check, simulation: Simulation) -> Policies:
    """A policy about this one call, under the names of the policies that decided."""
    name = ", ".join(dict.fromkeys(simulation.policies)) or "the role's policies"
    statement: dict[str, Any] = {"Effect": effect, "Action": check.action, "Resource": check.resource_arn}
    document = parse_policy({"Version": "2012-10-17", "Statement": [statement]}, name=name)
    return (NamedPolicy(name, document, "simulated"),)
