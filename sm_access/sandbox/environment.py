"""The environment variables that put a process into the sandbox as one of its principals, and nowhere else.

Both halves matter: what is set, and what is taken away. A variable left over from the person's own shell
could put a long-term key before the sandbox's credentials, or send a service's calls to real AWS.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping

from sm_access.errors import InvalidInput
from sm_access.sandbox import company
from sm_access.sandbox.credentials_endpoint import PATH
from sm_access.sandbox.loopback import require_loopback
from sm_access.sandbox.state import State

ENFORCED_SERVICES = ("S3", "IAM", "STS", "KMS", "DYNAMODB")
"""Services that really allow and deny, as botocore's AWS_ENDPOINT_URL_<SERVICE> names them."""

_TAKEN_AWAY = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_ACCOUNT_ID",
    "AWS_CA_BUNDLE",
    "BOTO_CONFIG",
)
_OURS = ("SM_ACCESS_SANDBOX", "SM_ACCESS_CONFIG", "SM_ACCESS_RESOURCE_METADATA")


def principal_named(name: str) -> company.Principal:
    """The seeded principal of this name. Raises InvalidInput with those that exist."""
    if name not in company.PRINCIPALS:
        raise InvalidInput(
            f"The sandbox has no principal {name!r}.", remedy=f"Use one of: {', '.join(company.PRINCIPALS)}."
        )
    return company.PRINCIPALS[name]


def variables(state: State, name: str, current: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """What to change in an environment for the principal `name`: variable -> value, or None to take it away.

    `current` (default: this process's) decides which left-over variables must go and what NO_PROXY already
    holds. Raises InvalidInput for an unknown principal, SandboxUnavailable for an endpoint off this machine.
    """
    current = os.environ if current is None else current
    principal = principal_named(name)
    changes: dict[str, str | None] = dict.fromkeys(_TAKEN_AWAY)
    changes |= {key: None for key in sorted(current) if key.startswith("AWS_ENDPOINT_URL_")}
    changes |= dict.fromkeys(_OURS)
    enforcer = require_loopback(state.enforcer_url)
    changes |= {f"AWS_ENDPOINT_URL_{service}": enforcer for service in ENFORCED_SERVICES}
    changes |= {
        "AWS_ENDPOINT_URL": require_loopback(state.shapes_url),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": require_loopback(state.credentials_url) + PATH + principal.name,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": state.tokens[principal.name],
        "AWS_REGION": company.REGION,
        "AWS_DEFAULT_REGION": company.REGION,
        "AWS_CONFIG_FILE": state.path("aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": state.path("aws-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "SM_ACCESS_SANDBOX": state.name,
        "SM_ACCESS_CONFIG": state.path("config.toml"),
    }
    if principal.name == "notebook":
        changes["SM_ACCESS_RESOURCE_METADATA"] = state.path("resource-metadata.json")
    for key in ("NO_PROXY", "no_proxy"):
        changes[key] = _without_proxy(current.get(key, ""))
    return changes


def merged(changes: Mapping[str, str | None], current: Mapping[str, str] | None = None) -> dict[str, str]:
    """`current` (default: this process's environment) with the changes made: ready for
    `subprocess.run(env=...)`.
    """
    result = dict(os.environ if current is None else current)
    for key, value in changes.items():
        result.pop(key, None)
        if value is not None:
            result[key] = value
    return result


def shell_exports(changes: Mapping[str, str | None]) -> str:
    """The changes as lines for `eval "$(...)"` in a POSIX shell."""
    gone = sorted(key for key, value in changes.items() if value is None)
    lines = [f"unset {' '.join(gone)}"] if gone else []
    lines += [
        f"export {key}={shlex.quote(value)}" for key, value in sorted(changes.items()) if value is not None
    ]
    return "\n".join(lines)


def _without_proxy(existing: str) -> str:
    hosts = [host for host in existing.split(",") if host.strip()]
    return ",".join([*hosts, *(host for host in ("127.0.0.1", "localhost") if host not in hosts)])
