"""The one place that decides whether an endpoint is this machine. The sandbox talks to nothing else."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from sm_access.errors import SandboxUnavailable


def require_loopback(url: str) -> str:
    """Return `url` when its host is this machine's loopback; raise SandboxUnavailable for any other.

    Only literal addresses and the name `localhost` pass: another name could be made to resolve to anything.
    """
    # INVARIANT: every endpoint that the sandbox seeds, signs for or exports has been through here.
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "http" and parts.username is None and _is_loopback(host):
        return url
    raise SandboxUnavailable(
        f"The endpoint {url!r} is not on this machine's loopback; nothing was sent to it.",
        remedy="Stop it and start it anew: sm-access sandbox stop; sm-access sandbox start",
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
