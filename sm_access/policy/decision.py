"""What is decided, by which layer, through which statement - and how near the others came.

Where no completion of what is unknown allows, the decision is a denial, never UNDETERMINED: EXPLICIT_DENY
if a Deny certainly applies, otherwise IMPLICIT_DENY (an open Deny could make it explicit; the answer stays
no).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Decision(str, Enum):
    """The engine's answer; only ALLOW means that the request goes through."""

    ALLOW = "allow"
    EXPLICIT_DENY = "explicit_deny"
    IMPLICIT_DENY = "implicit_deny"
    UNDETERMINED = "undetermined"


class Layer(str, Enum):
    """The kinds of policy that can have a say."""

    IDENTITY = "identity"
    PERMISSIONS_BOUNDARY = "permissions_boundary"
    SESSION = "session"
    RESOURCE = "resource"
    SERVICE_CONTROL = "service_control"
    RESOURCE_CONTROL = "resource_control"
    VPC_ENDPOINT = "vpc_endpoint"


@dataclass(frozen=True, slots=True)
class StatementRef:
    """Where a statement stands: `policy` is the policy's name, `path` the JSON path in its document."""

    policy: str
    kind: str
    sid: str | None
    index: int
    path: str
    effect: str


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An Allow that did not apply: its first `element` that failed, what that expects, what the request
    has."""

    statement: StatementRef
    element: str
    expected: str
    actual: str


@dataclass(frozen=True, slots=True)
class LayerResult:
    """One layer on its own. `misses` (nearest first, at most three) where it does not allow; `depends_on`
    where it is UNDETERMINED."""

    layer: Layer
    outcome: Decision
    deciding: StatementRef | None = None
    misses: tuple[NearMiss, ...] = ()
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Response:
    """The decision over all layers that apply, never without its reasons.

    `deciding` is the Deny that refuses, or the Allow that grants; None where nothing allows or nothing can
    be told.
    `depends_on` is empty unless UNDETERMINED: then one phrase for each alternative under which it is allowed.
    `not_modelled`: what policies do not show and the engine does not look into, where it could make this no a
    yes, or this yes a no. `refusal`: why the service itself refuses, whatever policies allow; else empty.
    """

    decision: Decision
    layers: tuple[LayerResult, ...]
    deciding: StatementRef | None = None
    depends_on: tuple[str, ...] = ()
    not_modelled: tuple[str, ...] = ()
    refusal: str = ""

    @property
    def allowed(self) -> bool:
        """True for ALLOW alone."""
        return self.decision is Decision.ALLOW
