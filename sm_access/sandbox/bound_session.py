"""A boto3 session that is in the sandbox whatever the environment of the process says."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sm_access.sandbox import company
from sm_access.sandbox.credentials_endpoint import PATH
from sm_access.sandbox.environment import ENFORCED_SERVICES, principal_named
from sm_access.sandbox.loopback import require_loopback
from sm_access.sandbox.state import State

if TYPE_CHECKING:
    import boto3
    from botocore.credentials import Credentials


def session_of(state: State, name: str) -> boto3.Session:
    """A session of the principal `name`; its credentials renew themselves. Raises InvalidInput."""
    from botocore.credentials import RefreshableCredentials

    principal = principal_named(name)

    def fetch() -> dict[str, str]:
        return _fetch(state, principal.name)

    return _bound(
        state,
        RefreshableCredentials.create_from_metadata(fetch(), refresh_using=fetch, method="container-role"),
    )


def root_session_of(state: State, account: str) -> boto3.Session:
    """A session that the servers take for the root of `account`, past all policies."""
    from botocore.credentials import Credentials

    return _bound(state, Credentials(account, "test"))


def _fetch(state: State, name: str) -> dict[str, str]:
    """Credentials from the endpoint, in botocore's words for those that can be renewed."""
    request = urllib.request.Request(  # noqa: S310 - loopback over http, as require_loopback sees to
        require_loopback(state.credentials_url) + PATH + name, headers={"Authorization": state.tokens[name]}
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
        issued = json.load(answer)
    return {
        "access_key": issued["AccessKeyId"],
        "secret_key": issued["SecretAccessKey"],
        "token": issued["Token"],
        "expiry_time": issued["Expiration"],
    }


def _bound(state: State, credentials: Credentials) -> boto3.Session:
    import boto3
    import botocore.session
    from botocore.config import Config
    from botocore.credentials import CredentialProvider, CredentialResolver

    class Given(CredentialProvider):  # type: ignore[misc]
        METHOD = "sandbox"
        CANONICAL_NAME = "sandbox"

        def load(self) -> Credentials:
            return credentials

    class BoundSession(boto3.Session):  # type: ignore[misc]
        """Its clients know no endpoint but the sandbox's, and no proxy. `resource` makes its client here."""

        def client(self, service_name: str, *args: Any, **given: Any) -> Any:
            enforced = service_name.upper() in ENFORCED_SERVICES
            url = given.pop("endpoint_url", None) or (state.enforcer_url if enforced else state.shapes_url)
            config = Config(proxies={}).merge(given.pop("config", None) or Config())
            make: Callable[..., Any] = super().client
            return make(service_name, *args, endpoint_url=require_loopback(url), config=config, **given)

    core = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    core.set_config_variable("config_file", state.path("aws-config"))
    core.set_config_variable("credentials_file", state.path("aws-credentials"))
    core.set_config_variable("region", company.REGION)
    core.register_component("credential_provider", CredentialResolver([Given()]))
    return BoundSession(botocore_session=core)
