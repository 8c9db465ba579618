"""Where in SageMaker a process runs, and which role SageMaker and its SDK would name for it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from sm_access.access.evidence import Unread
from sm_access.access.identity import (
    Authority,
    Certainty,
    Propagation,
    RoleStatement,
    Site,
    SourceIdentity,
)
from sm_access.aws.session import Aws, told
from sm_access.errors import AccessDenied, AwsUnreachable, SmAccessError

#: What SageMaker writes into resource-metadata.json, on notebook instances and in Studio spaces.
_METADATA_KEYS = (
    "ResourceArn",
    "ResourceName",
    "DomainId",
    "UserProfileName",
    "SpaceName",
    "AppType",
    "ExecutionRoleArn",
)

#: Variables of SageMaker's that say where a process is. Studio's: SageMaker AI Developer Guide, "Custom image
#: specifications". Jobs': as the SageMaker SDK's `experiments` and the training toolkit read them. None holds a secret.
_VARIABLES = (
    "SAGEMAKER_APP_TYPE",
    "SAGEMAKER_DOMAIN_ID",
    "SAGEMAKER_SPACE_NAME",
    "SAGEMAKER_USER_PROFILE_NAME",
    "SAGEMAKER_REGION",
    "SAGEMAKER_BATCH",
    "TRAINING_JOB_NAME",
    "TRAINING_JOB_ARN",
    "TRANSFORM_JOB_ARN",
    "SM_CURRENT_HOST",
    "SM_CURRENT_INSTANCE_TYPE",
)

#: A processing container's own description: the parameters of CreateProcessingJob and the job's ARN (SageMaker AI
#: Developer Guide, "How Amazon SageMaker Processing Configures Your Processing Container").
PROCESSING_JOB = Path("/opt/ml/config/processingjobconfig.json")
_PROCESSING_KEYS = {
    "ProcessingJobArn": "ResourceArn",
    "ProcessingJobName": "ResourceName",
    "RoleArn": "ExecutionRoleArn",
}

#: A role in the SageMaker SDK's defaults, whatever it is the default of.
_DEFAULT_ROLE = re.compile(
    r"^[\s-]*(?:ExecutionRole|ExecutionRoleArn|RoleArn)\s*:\s*[\"']?(arn:[!-&(-~]{10,500})", re.MULTILINE
)

_LONGEST = 512  # characters of a fact; an ARN has at most 256 here
_LARGEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """site: of which kind the machine is. metadata: its description, under the names of resource-metadata.json.
    told_by: the file that has it. variables: SageMaker's own, as they are set."""

    site: Site
    metadata: Mapping[str, str]
    told_by: str
    variables: Mapping[str, str]


def read_site(
    resource_metadata: Path, variables: Mapping[str, str], processing_job: Path = PROCESSING_JOB
) -> SiteFacts:
    """What the machine says about itself. Reads two files and asks nobody."""
    ours = {name: variables[name][:_LONGEST] for name in _VARIABLES if variables.get(name)}
    job = _read_object(processing_job)
    if "ProcessingJobArn" in job:
        named = {ours_: job[theirs] for theirs, ours_ in _PROCESSING_KEYS.items() if theirs in job}
        return SiteFacts(Site.PROCESSING_JOB, _texts(named), processing_job.name, ours)
    metadata = read_metadata(resource_metadata)
    return SiteFacts(_site(metadata, ours), metadata, resource_metadata.name, ours)


def read_metadata(path: Path) -> dict[str, str]:
    """SageMaker's resource metadata; empty where there is none, or where it is not the JSON object it should be."""
    return _texts(_read_object(path))


def metadata_role(facts: SiteFacts) -> RoleStatement | None:
    """The execution role that the machine's own description names, where it names one."""
    stated = facts.metadata.get("ExecutionRoleArn")
    return RoleStatement(Authority.METADATA, stated, facts.told_by) if stated else None


def collect_sdk_role(aws: Aws, facts: SiteFacts, of_sts: RoleStatement) -> RoleStatement:
    """What `sagemaker.get_execution_role()` would answer here, worked out in its own order without importing it.

    The order is that of the SDK's `Session.get_caller_identity_arn`: the role in resource-metadata.json; else the role
    of the notebook instance; in Studio that of the user profile, then that of the domain; else - also when SageMaker
    refuses to tell - the role that STS names.
    """
    metadata = facts.metadata
    if metadata.get("ExecutionRoleArn"):
        return RoleStatement(Authority.SDK, metadata["ExecutionRoleArn"], facts.told_by)
    call = "DescribeUserProfile" if metadata.get("DomainId") else "DescribeNotebookInstance"
    if metadata.get("ResourceName"):
        try:
            found = _studio_role(aws, metadata) if metadata.get("DomainId") else _instance_role(aws, metadata)
        except AwsUnreachable:
            return sdk_role_unknown(f"SageMaker {call}")
        except SmAccessError:  # the SDK, too, goes on with STS whatever SageMaker answered
            return _by_sts(of_sts, f"STS, since SageMaker refused {call}")
        return RoleStatement(Authority.SDK, found, f"SageMaker {call}")
    return _by_sts(of_sts, "STS")


def sdk_role_unknown(told_by: str) -> RoleStatement:
    """SageMaker did not answer: no permission would settle it."""
    return RoleStatement(Authority.SDK, None, told_by, Unread("the role that the SageMaker SDK would name"))


def _by_sts(of_sts: RoleStatement, told_by: str) -> RoleStatement:
    """Of a principal that is no role the SDK makes a ValueError."""
    if of_sts.arn is None or ":role/" not in of_sts.arn:
        return RoleStatement(Authority.SDK, None, "an error: the current identity is not a role")
    return RoleStatement(Authority.SDK, of_sts.arn, told_by)


def _instance_role(aws: Aws, metadata: Mapping[str, str]) -> str:
    with told("asking SageMaker for this notebook's role"):
        found = aws.client("sagemaker").describe_notebook_instance(
            NotebookInstanceName=metadata["ResourceName"]
        )
        return str(found["RoleArn"])


def _studio_role(aws: Aws, metadata: Mapping[str, str]) -> str | None:
    sagemaker, domain = aws.client("sagemaker"), metadata["DomainId"]
    with told("asking SageMaker for the user profile's role"):
        if metadata.get("UserProfileName"):
            profile = sagemaker.describe_user_profile(
                DomainId=domain, UserProfileName=metadata["UserProfileName"]
            )
            if profile.get("UserSettings", {}).get("ExecutionRole"):
                return str(profile["UserSettings"]["ExecutionRole"])
        settings = sagemaker.describe_domain(DomainId=domain).get("DefaultUserSettings", {})
        return str(settings["ExecutionRole"]) if settings.get("ExecutionRole") else None


def read_job_roles(variables: Mapping[str, str]) -> tuple[RoleStatement, ...]:
    """The roles that the SageMaker SDK gives to jobs, models and the like when the code names none.

    They stand in two YAML files, the administrator's and the user's, or where variables say instead ("Configuring and
    using defaults with the SageMaker Python SDK"). `get_execution_role` does not look at them. A file on S3 is not
    fetched.
    """
    found = {}
    for variable, folder in (
        ("SAGEMAKER_ADMIN_CONFIG_OVERRIDE", platformdirs.site_config_dir("sagemaker")),
        ("SAGEMAKER_USER_CONFIG_OVERRIDE", platformdirs.user_config_dir("sagemaker")),
    ):
        path = Path(variables.get(variable) or folder).expanduser()
        path = path / "config.yaml" if path.suffix not in {".yaml", ".yml"} else path
        try:
            with path.open("rb") as file:
                text = file.read(_LARGEST).decode("utf-8", "replace")
        except OSError:
            continue
        for arn in _DEFAULT_ROLE.findall(text):
            found[arn, str(path)] = RoleStatement(Authority.SDK, arn, str(path))
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class DomainSettings:
    """What a Studio domain is set to. It says what SageMaker does for new sessions, and proves nothing of this one."""

    propagation: Propagation
    names_profile: bool
    unread: Unread | None = None


def collect_domain(aws: Aws, domain: str) -> DomainSettings:
    """`sagemaker:DescribeDomain`; what it could not tell is named.

    Trusted identity propagation: API reference, "TrustedIdentityPropagationSettings". Source identity: Developer Guide,
    "Monitoring user resource access from Studio with sourceIdentity".
    """
    try:
        with told("asking SageMaker for the domain's settings"):
            settings = aws.client("sagemaker").describe_domain(DomainId=domain).get("DomainSettings", {})
    except SmAccessError as error:
        permission = "sagemaker:DescribeDomain" if isinstance(error, AccessDenied) else ""
        return domain_unknown(permission)
    status = settings.get("TrustedIdentityPropagationSettings", {}).get("Status")
    return DomainSettings(
        Propagation.ON if status == "ENABLED" else Propagation.OFF,
        settings.get("ExecutionRoleIdentityConfig") == "USER_PROFILE_NAME",
    )


def domain_unknown(permission: str = "") -> DomainSettings:
    """permission: the one that would settle it; "" where SageMaker did not answer."""
    return DomainSettings(Propagation.UNKNOWN, False, Unread("the settings of the Studio domain", permission))


def source_identity(
    facts: SiteFacts, domain: DomainSettings | None, *, sagemakers_own: bool
) -> SourceIdentity:
    """What can honestly be said of the name in `aws:SourceIdentity`.

    sagemakers_own: the credentials are those that SageMaker hands to the notebook.
    """
    if facts.site is not Site.STUDIO or domain is None or not sagemakers_own:
        return SourceIdentity()
    if domain.unread is not None:
        return SourceIdentity(unread=domain.unread)
    profile = facts.metadata.get("UserProfileName")
    if domain.names_profile and profile:
        return SourceIdentity(Certainty.CLAIMED, profile)
    return SourceIdentity(Certainty.NONE)  # not switched on; or a shared space, where SageMaker sets none


def _site(metadata: Mapping[str, str], variables: Mapping[str, str]) -> Site:
    if variables.keys() & {"TRAINING_JOB_NAME", "TRAINING_JOB_ARN"}:
        return Site.TRAINING_JOB
    if variables.keys() & {"TRANSFORM_JOB_ARN", "SAGEMAKER_BATCH"}:
        return Site.TRANSFORM_JOB
    if metadata.get("DomainId") or variables.keys() & {"SAGEMAKER_APP_TYPE", "SAGEMAKER_SPACE_NAME"}:
        return Site.STUDIO
    return Site.NOTEBOOK_INSTANCE if metadata.get("ResourceName") else Site.ELSEWHERE


def _read_object(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            found: Any = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _texts(found: Mapping[str, Any]) -> dict[str, str]:
    return {
        key: found[key][:_LONGEST] for key in _METADATA_KEYS if isinstance(found.get(key), str) and found[key]
    }
