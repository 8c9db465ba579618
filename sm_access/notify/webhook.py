"""A chat's incoming webhook: `{"text": ...}` by POST, which Slack and Microsoft Teams both take.

The address is a secret: whoever has it can write into the channel. It is in no repr, no message and no log. Redirects
are not followed, and only https is spoken, or http to this machine, so that a setting cannot turn into a look into the
network: link-local addresses are refused.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from sm_access.errors import InvalidSetting

SECONDS = 3.0
ATTEMPTS = 3
_BUSY = frozenset({429, 500, 502, 503, 504})
#: Slack's own signs (Slack API, "Formatting text for app surfaces"): without them no text calls a whole channel.
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


class Webhook:
    """Posts to one address. Has no repr of it. Raises InvalidSetting for an address that is none."""

    def __init__(self, address: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        _refuse(address)
        self._address = address
        self._sleep = sleep
        self._opener = urllib.request.build_opener(_NoRedirects())

    def __repr__(self) -> str:
        return "Webhook(...)"

    def send(self, title: str, text: str) -> str:
        """'' when it was taken; else why not, without the address."""
        bold = f"*{_escaped(title)}*\n{_escaped(text)}"
        body = json.dumps({"text": bold}).encode()
        why = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(0.2 * 2**attempt)
            why, again = self._post(body)
            if not again:
                break
        return why

    def _post(self, body: bytes) -> tuple[str, bool]:
        request = urllib.request.Request(  # noqa: S310 - `_refuse` has looked at the scheme
            self._address, body, {"Content-Type": "application/json"}, method="POST"
        )
        try:
            with self._opener.open(request, timeout=SECONDS):
                return "", False
        except urllib.error.HTTPError as error:
            error.close()
            return f"it answered {error.code}", error.code in _BUSY
        except (OSError, ValueError) as error:
            return f"it did not answer ({type(error).__name__})", True


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(letter, letter) for letter in text)


def _refuse(address: str) -> None:
    parts = urlsplit(address)
    host = parts.hostname or ""
    local = host in {"localhost", "127.0.0.1", "::1"}
    if not host or (parts.scheme != "https" and not (parts.scheme == "http" and local)):
        raise InvalidSetting(
            "A webhook in `notify` is no https:// address.", remedy="Write https://... as the chat gives it."
        )
    try:
        found = {ipaddress.ip_address(host)}
    except ValueError:
        try:
            found = {ipaddress.ip_address(str(each[4][0])) for each in socket.getaddrinfo(host, None)}
        except OSError:
            return  # a name that cannot be looked up is found out when it is called
    if any(each.is_link_local for each in found):
        raise InvalidSetting(
            "A webhook in `notify` leads to a link-local address, where machines keep credentials.",
            remedy="Write the address that the chat gives.",
        )
