"""Which roles SageMaker works on in this Region: of notebook instances, of domains, and of the people in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from sm_access.access.caller import principal_key
from sm_access.access.evidence import Unread
from sm_access.aws.session import WORKERS, Aws, told
from sm_access.errors import AccessDenied, CannotTell


@dataclass(slots=True)
class NotebookRoles:
    """Role ARN -> what works on it, in words (`notebook nb-churn`, `domain studio`).

    unread: what SageMaker did not tell.
    """

    used_by: dict[str, list[str]] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)

    def on(self, role_arn: str) -> tuple[str, ...]:
        """What works on a role, whether or not its ARN tells the path."""
        key = principal_key(role_arn)
        return tuple(
            words for arn, used in self.used_by.items() if principal_key(arn) == key for words in used
        )


def collect_notebook_roles(aws: Aws) -> NotebookRoles:
    """All of them, as far as SageMaker may be read."""
    found = NotebookRoles()
    sagemaker = aws.client("sagemaker")
    with ThreadPoolExecutor(WORKERS) as pool:
        _note(
            found,
            _instances(sagemaker, pool),
            Unread("which roles notebook instances have", "sagemaker:ListNotebookInstances"),
        )
        _note(
            found,
            _domains(sagemaker, pool),
            Unread("which roles domains and their users have", "sagemaker:ListDomains"),
        )
    return found


def _note(found: NotebookRoles, roles: Iterator[tuple[str, str]], otherwise: Unread) -> None:
    """What was told before a refusal stays."""
    try:
        for role, words in roles:
            found.used_by.setdefault(role, []).append(words)
    except (AccessDenied, CannotTell):
        found.unread.append(otherwise)


def _instances(sagemaker: Any, pool: ThreadPoolExecutor) -> Iterator[tuple[str, str]]:
    names = _names(sagemaker, "list_notebook_instances", "NotebookInstances", "NotebookInstanceName")
    for name, detail in _details(
        pool, names, lambda name: sagemaker.describe_notebook_instance(NotebookInstanceName=name)
    ):
        if detail.get("RoleArn"):
            yield str(detail["RoleArn"]), f"notebook {name}"


def _domains(sagemaker: Any, pool: ThreadPoolExecutor) -> Iterator[tuple[str, str]]:
    defaults: dict[str, str] = {}
    domains = _names(sagemaker, "list_domains", "Domains", "DomainId")
    for domain, detail in _details(pool, domains, lambda domain: sagemaker.describe_domain(DomainId=domain)):
        for settings, words in (
            ("DefaultUserSettings", "domain"),
            ("DefaultSpaceSettings", "shared spaces of"),
        ):
            role = detail.get(settings, {}).get("ExecutionRole")
            if role:
                if settings == "DefaultUserSettings":
                    defaults[domain] = str(role)
                yield str(role), f"{words} {detail.get('DomainName', domain)}"
    for domain in domains:
        profiles = _names(
            sagemaker, "list_user_profiles", "UserProfiles", "UserProfileName", DomainIdEquals=domain
        )
        describe = _describe_profile(sagemaker, domain)
        for profile, detail in _details(pool, profiles, describe):
            # Without a role of their own they have the domain's (SageMaker API Reference, "CreateUserProfile").
            role = detail.get("UserSettings", {}).get("ExecutionRole") or defaults.get(domain)
            if role:
                yield str(role), f"user profile {profile}"


def _describe_profile(sagemaker: Any, domain: str) -> Callable[[str], Mapping[str, Any]]:
    return lambda profile: dict(sagemaker.describe_user_profile(DomainId=domain, UserProfileName=profile))


def _names(sagemaker: Any, operation: str, listed: str, name: str, **given: str) -> list[str]:
    with told("asking SageMaker which roles it works on"):
        pages = sagemaker.get_paginator(operation).paginate(**given)
        return [str(item[name]) for page in pages for item in page.get(listed, ())]


def _details(
    pool: ThreadPoolExecutor, names: list[str], describe: Callable[[str], Mapping[str, Any]]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    with told("asking SageMaker which roles it works on"):
        yield from zip(names, list(pool.map(describe, names)), strict=True)
