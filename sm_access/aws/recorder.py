"""Every call that botocore makes in this process, noticed by its events: which operation, on what, and what came of it.

Registered as botocore registers its own handlers - in the list that each new session reads, and on the sessions and
clients that are there already - so that boto3, aiobotocore (s3fs), awswrangler and the sagemaker SDK are all heard, and
nothing is replaced that would have to be put back. `provide-client-params` is the first event of a call, before
handlers rewrite what the person asked for; `after-call` and `after-call-error` are the last.

# INVARIANT: nothing of a body, a token, a header or a key that a customer provides is kept, and nothing raised here
# reaches the call that is being watched.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime, timezone
from threading import Lock
from typing import Any

from botocore import handlers
from botocore.client import BaseClient
from botocore.session import Session

from sm_access.access.call import Call
from sm_access.access.call_parameters import kept_keys, kept_parameters
from sm_access.access.trouble import trouble_of

MOST_CALLS = 500
OURS = "sm_access"
"""Clients of ours say so in their user agent; their calls are nobody's evidence."""

_NOTE = "sm_access.call"
_LONGEST_MESSAGE = 16_384
_LISTENERS: ContextVar[tuple[Callable[[Call], None], ...]] = ContextVar("sm_access.listeners", default=())


class Recorder:
    """The last calls, in order, whichever thread made them; safe to use from all of them."""

    def __init__(self, most: int = MOST_CALLS) -> None:
        self._calls: deque[Call] = deque(maxlen=most)
        self._count = 0
        self._users = 0
        self._lock = Lock()
        self._switch = Lock()
        self._open: tuple[Callable[[Call], None], ...] = ()
        self._handlers = (
            ("provide-client-params", self._asked),
            ("after-call", self._answered),
            ("after-call-error", self._failed),
        )

    # --- on and off

    def start(self) -> None:
        """Begin to listen, or note that one more needs it."""
        with self._switch:
            self._users += 1
            if self._users == 1:
                handlers.BUILTIN_HANDLERS.extend(self._handlers)
                self._everywhere("register")

    def stop(self) -> None:
        """The last one who needs it takes every handler away again."""
        with self._switch:
            self._users = max(0, self._users - 1)
            if self._users == 0:
                mine = self._handlers
                handlers.BUILTIN_HANDLERS[:] = [
                    spec for spec in handlers.BUILTIN_HANDLERS if spec not in mine
                ]
                self._everywhere("unregister")

    @property
    def listening(self) -> bool:
        return self._users > 0

    def _everywhere(self, what: str) -> None:
        """Register with, or unregister from, what exists; a client has copied its session's handlers."""
        for found in gc.get_objects():
            kind = type(
                found
            )  # not isinstance: that asks proxies for their class, which may import or connect
            if issubclass(kind, BaseClient):
                events = getattr(getattr(found, "meta", None), "events", None)
            elif issubclass(kind, Session):
                events = found
            else:
                continue
            for event, handler in self._handlers:
                if events is not None:
                    getattr(events, what)(event, handler)

    # --- what was noticed

    def mark(self) -> int:
        """The place in time of this moment, for `since`."""
        with self._lock:
            return self._count

    def since(self, mark: int) -> tuple[Call, ...]:
        """The calls that ended after the mark, oldest first; of more than fit, the last ones."""
        with self._lock:
            new = self._count - mark
            return tuple(self._calls)[-new:] if new > 0 else ()

    def note(self, call: Call) -> None:
        """A call that ended: kept here, and told to those who listen.

        A thread or task within a `listening_to` is heard by it alone and by those around it. One outside of every such
        block - a worker of a pool, the thread of an event loop - belongs to nobody, so all that listen hear it.
        """
        with self._lock:
            self._calls.append(call)
            self._count += 1
            # A task can outlive the block that it was started in; then it belongs to nobody as well.
            listeners = tuple(each for each in _LISTENERS.get() if each in self._open) or self._open
        for listener in listeners:
            listener(call)

    @contextmanager
    def listening_to(self, listener: Callable[[Call], None]) -> Iterator[None]:
        """Tell `listener` the calls of this block, and of the threads and tasks that it starts."""
        around = _LISTENERS.get()
        with self._lock:
            self._open = (*self._open, listener)
        _LISTENERS.set((*around, listener))
        self.start()
        try:
            yield
        finally:
            self.stop()
            _LISTENERS.set(around)
            with self._lock:
                self._open = tuple(each for each in self._open if each is not listener)

    # --- botocore's events

    def _asked(self, params: Any = None, model: Any = None, context: Any = None, **_: Any) -> None:
        try:
            if OURS in str(getattr(context.get("client_config"), "user_agent_extra", "") or "").split():
                return
            service = str(model.service_model.service_name)
            kept = kept_parameters(service, params)
            keys: tuple[str, ...] = ()
            if model.name == "DeleteObjects" and service == "s3":
                keys = _keys_of(params, kept)
            context[_NOTE] = (service, str(model.name), kept, keys)
        except Exception:  # noqa: BLE001 - somebody's call goes on, whatever its parameters are
            return

    def _answered(self, parsed: Any = None, context: Any = None, **_: Any) -> None:
        try:
            note = context.pop(_NOTE, None)
            if note is not None and self._users:
                for call in _ended(note, parsed, context):
                    self.note(call)
        except Exception:  # noqa: BLE001 - the same
            return

    def _failed(self, exception: Any = None, context: Any = None, **_: Any) -> None:
        try:
            note = context.pop(_NOTE, None)
            if note is not None and self._users:
                service, operation, kept, keys = note
                code = type(exception).__name__  # its words can hold the URL of a proxy with its password
                at = datetime.now(timezone.utc)
                region = _region(context)
                self.note(Call(service, operation, kept, region=region, code=code, at=at, keys=keys))
        except Exception:  # noqa: BLE001 - the same
            return


def _ended(
    note: tuple[str, str, dict[str, str], tuple[str, ...]], parsed: Any, context: Any
) -> Iterator[Call]:
    service, operation, kept, keys = note
    about = parsed.get("ResponseMetadata", {})
    error = parsed.get("Error", {})
    if service == "s3":
        key = parsed.get("SSEKMSKeyId")
        if key:
            kept["EncryptedWith"] = str(key)
        region = about.get("HTTPHeaders", {}).get("x-amz-bucket-region")
        if region:
            kept["BucketRegion"] = str(region)
    call = Call(
        service,
        operation,
        kept,
        region=_region(context),
        status=about.get("HTTPStatusCode"),
        code=str(error.get("Code", "")),
        message=str(error.get("Message", ""))[:_LONGEST_MESSAGE],
        request_id=str(about.get("RequestId", "")),
        at=datetime.now(timezone.utc),
        keys=keys,
    )
    # Words that refuse nothing may repeat what was sent: `Value '...' failed to satisfy constraint`.
    yield call if trouble_of(call) is not None else replace(call, message="")
    if service == "s3" and operation == "DeleteObjects" and not error:
        # The answer is 200, and each key has an answer of its own (Amazon S3 API Reference, "DeleteObjects").
        refused = [each for each in parsed.get("Errors", ()) if each.get("Code") == "AccessDenied"]
        if refused:
            yield replace(
                call,
                status=403,
                code="AccessDenied",
                message=str(refused[0].get("Message", ""))[:_LONGEST_MESSAGE],
                keys=kept_keys(str(each.get("Key", "")) for each in refused),
            )


def _region(context: Any) -> str | None:
    found = context.get("signing", {}).get("region") or context.get("client_region")
    return str(found) if found and found != "*" else None


def _keys_of(params: Mapping[str, Any], kept: dict[str, str]) -> tuple[str, ...]:
    objects = params["Delete"]["Objects"]
    version = next((each["VersionId"] for each in objects if each.get("VersionId")), None)
    if version:
        kept["VersionId"] = str(version)
    return kept_keys(str(each["Key"]) for each in objects)


RECORDER = Recorder()
"""The one of this process."""
