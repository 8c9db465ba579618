"""What a service does differently from the default, one file per service and one line each in the
registry."""

from __future__ import annotations

from sm_access.policy.services import kms, s3, secrets_manager, sts
from sm_access.policy.services.rules import DEFAULT, ServiceRules

_REGISTRY: dict[str, ServiceRules] = {
    "kms": kms.RULES,
    "s3": s3.RULES,
    "secretsmanager": secrets_manager.RULES,
    "sts": sts.RULES,
}


_MARKS = tuple(dict.fromkeys(mark for rules in _REGISTRY.values() for mark in rules.marks))


def is_ordinary(resource: str) -> bool:
    """Whether no service treats the resource other than most do."""
    return resource != "*" and not any(mark in resource for mark in _MARKS)


def service_rules(action: str) -> ServiceRules:
    """The rules for the service of `action`."""
    return _REGISTRY.get(action.partition(":")[0].lower(), DEFAULT)
