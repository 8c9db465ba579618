"""Where the temporary credentials of the sandbox's principals come from: its own STS."""

from __future__ import annotations

from typing import Any

from sm_access.errors import SandboxUnavailable
from sm_access.sandbox import company
from sm_access.sandbox.credentials_endpoint import TemporaryCredentials

_ROLE_SESSION_SECONDS = 3600
_USER_SESSION_SECONDS = 12 * 3600


class Issuer:
    """Asks the enforcing server's STS for a principal's temporary credentials."""

    def __init__(self, url: str, user_keys: dict[str, tuple[str, str]]) -> None:
        self._url = url
        self._user_keys = user_keys

    def __call__(self, name: str) -> TemporaryCredentials:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            issued = self._ask(company.PRINCIPALS[name])
        except (BotoCoreError, ClientError) as error:
            raise SandboxUnavailable(
                f"The embedded STS gave no credentials for {name}: {error}",
                remedy="Start the sandbox anew: sm-access sandbox stop; sm-access sandbox start",
            ) from error
        return TemporaryCredentials(
            issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"], issued["Expiration"]
        )

    def _ask(self, principal: company.Principal) -> Any:
        from sm_access.sandbox.seed import client, root_client

        if principal.role is not None:
            return root_client("sts", self._url).assume_role(
                RoleArn=company.role_arn(principal.role),
                RoleSessionName=principal.session_name,
                DurationSeconds=_ROLE_SESSION_SECONDS,
            )["Credentials"]
        key_id, secret = self._user_keys[principal.name]
        sts = client("sts", self._url, key_id, secret)
        return sts.get_session_token(DurationSeconds=_USER_SESSION_SECONDS)["Credentials"]
