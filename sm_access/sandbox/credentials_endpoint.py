"""Temporary credentials over HTTP, as a container gets them from AWS.

The AWS SDKs read AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_AUTHORIZATION_TOKEN ("Container
credential provider", AWS SDKs and Tools Reference Guide); a notebook on SageMaker gets its role's credentials
the same way. One path and one token per principal; plain HTTP is what the SDKs accept on loopback, and only
there.
"""

from __future__ import annotations

import hmac
import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sm_access.errors import SmAccessError
from sm_access.sandbox.loopback import require_loopback

PATH = "/credentials/"
_RENEW_BEFORE_END = timedelta(minutes=30)  # SDKs ask anew from 15 minutes before the end


@dataclass(frozen=True, slots=True)
class TemporaryCredentials:
    """What STS issued. The secret parts have no repr. `expires_at` is aware."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires_at: datetime

    def payload(self) -> dict[str, str]:
        end = self.expires_at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self.secret_access_key,
            "Token": self.session_token,
            "Expiration": end,
        }


class CredentialsEndpoint:
    """Serves each principal's credentials to whoever shows that principal's token, renewing them in time.

    `issue` takes a principal's name and raises SandboxUnavailable when STS gives nothing.
    """

    def __init__(
        self, listener: socket.socket, tokens: Mapping[str, str], issue: Callable[[str], TemporaryCredentials]
    ) -> None:
        self._tokens = dict(tokens)
        self._issue = issue
        self._issued: dict[str, TemporaryCredentials] = {}
        self._lock = threading.Lock()
        self._server = _Server(listener, self)

    def start(self) -> None:
        """Serve from a thread of its own, until the process ends."""
        threading.Thread(target=self._server.serve_forever, name="credentials", daemon=True).start()

    def opens(self, principal: str, token: str) -> bool:
        expected = self._tokens.get(principal, "")
        return bool(expected) and hmac.compare_digest(expected.encode(), token.encode("utf-8", "replace"))

    def credentials(self, principal: str) -> TemporaryCredentials:
        with self._lock:
            held = self._issued.get(principal)
            if held is None or held.expires_at - datetime.now(timezone.utc) < _RENEW_BEFORE_END:
                held = self._issued[principal] = self._issue(principal)
            return held


class _Server(ThreadingHTTPServer):
    """On a socket that listens already, so that its port was never free for another in between."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, endpoint: CredentialsEndpoint) -> None:
        super().__init__(listener.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.endpoint = endpoint


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10

    def do_GET(self) -> None:
        principal = self.path[len(PATH) :] if self.path.startswith(PATH) else ""
        if not self.server.endpoint.opens(principal, self.headers.get("Authorization", "")):
            self._answer(401, {"message": "The authorization token does not open this path."})
            return
        try:
            # A page that had its name resolve to this machine would be told apart by the name it used.
            require_loopback(f"http://{self.headers.get('Host', '')}/")
            self._answer(200, self.server.endpoint.credentials(principal).payload())
        except SmAccessError as error:
            self._answer(500, {"message": str(error)})

    def _answer(self, status: int, body: dict[str, str]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: a line per refresh tells nobody anything."""
