"""The workflow: ask, decide, grant, prove, end. Pure: no AWS, no Jupyter, no database, no clock of its
own."""

from __future__ import annotations

from sm_access.access.caller import Caller, principal_key, same_principal
from sm_access.access.desk import Desk
from sm_access.access.duration import duration_words, format_duration, parse_duration
from sm_access.access.events import Event
from sm_access.access.level import Extra, Level, parse_extras, parse_level
from sm_access.access.levels import Check, actions, checks, statements
from sm_access.access.model import AccessRequest, Grant, Status, Terms, fold
from sm_access.access.planner import InUse, RolePlan, plan
from sm_access.access.ports import Clock, Directory, Ledger, Notifier, Prober, RolePolicies, RoleWriter
from sm_access.access.probe import Outcome, Probe, ProbeKind, ProbeResult, ProofFinding, ProofStep
from sm_access.access.proof import Proof, Prover, judge, probes_after_end, probes_for, unproven_actions
from sm_access.access.reconciler import Drift, Reconciler, Reconciliation, RefusedGrant
from sm_access.access.reviewers import Facts, Reviewer
from sm_access.access.rules import Rules
from sm_access.access.target import S3Target
from sm_access.access.terms import terms_sha256

__all__ = [
    "AccessRequest",
    "Caller",
    "Check",
    "Clock",
    "Desk",
    "Directory",
    "Drift",
    "Event",
    "Extra",
    "Facts",
    "Grant",
    "InUse",
    "Ledger",
    "Level",
    "Notifier",
    "Outcome",
    "Probe",
    "ProbeKind",
    "ProbeResult",
    "Prober",
    "Proof",
    "ProofFinding",
    "ProofStep",
    "Prover",
    "Reconciler",
    "Reconciliation",
    "RefusedGrant",
    "Reviewer",
    "RolePlan",
    "RolePolicies",
    "RoleWriter",
    "Rules",
    "S3Target",
    "Status",
    "Terms",
    "actions",
    "checks",
    "duration_words",
    "fold",
    "format_duration",
    "judge",
    "parse_duration",
    "parse_extras",
    "parse_level",
    "plan",
    "principal_key",
    "probes_after_end",
    "probes_for",
    "same_principal",
    "statements",
    "terms_sha256",
    "unproven_actions",
]
