"""Why was that refused? What a notebook's hook, the command `explain` and the library ask.

The answer comes in bounded time and never in the way of the person's own error: AWS's words are read at once, and what
the policies add is collected only until a deadline.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sm_access.access.call import Call, NoticedBy
from sm_access.access.caller import Caller
from sm_access.access.denied_call import DeniedCall, denied_call
from sm_access.access.diagnosis import Circumstances, diagnose
from sm_access.access.evidence import Unread
from sm_access.access.trouble import Trouble, trouble_of
from sm_access.bootstrap import Services
from sm_access.errors import ExpiredCredentials, InvalidInput, SmAccessError
from sm_access.presentation.denial import MOST_SHOWN, denial_page
from sm_access.presentation.result import Result

if TYPE_CHECKING:
    pass

DEADLINE_SECONDS = 10.0
"""How long the policies are waited for where AWS gave no reason; a third of it where AWS did."""

_WITHOUT_READING = frozenset(
    {Trouble.EXPIRED, Trouble.NO_CREDENTIALS, Trouble.UNKNOWN_CREDENTIALS, Trouble.SIGNATURE, Trouble.CLOCK,
     Trouble.UNREACHABLE, Trouble.ACCOUNT, Trouble.KEY_STATE, Trouble.NO_BUCKET}
)  # fmt: skip


def explain_calls(calls: Sequence[Call], *, services: Services | None = None) -> Result | None:
    """The explanation of what was refused among these calls; None where nothing was. Raises nothing for any input."""
    troubled = [call for call in calls if trouble_of(call) is not None]
    if not troubled:
        return None
    at = services or Services()
    now = at.clock.now()
    kept = _distinct(troubled)
    diagnoses = [
        made for call in kept[:MOST_SHOWN] if (made := diagnose(call, _around(call, at))) is not None
    ]
    return Result(denial_page(diagnoses, now, len(kept) - len(diagnoses)), 1) if diagnoses else None


def _distinct(calls: Sequence[Call]) -> list[Call]:
    """One call for each place and level: libraries try the same thing several times."""
    found: dict[Any, Call] = {}
    for call in calls:
        denied = denied_call(call)
        found.setdefault((trouble_of(call), denied.ask or (denied.action, denied.place)), call)
    return list(found.values())


def _around(call: Call, at: Services) -> Circumstances:
    """What can be found out around a call before the deadline; what could not is named."""
    now = at.clock.now()
    plain = Circumstances(now)
    trouble = trouble_of(call)
    if trouble in _WITHOUT_READING:
        return plain
    denied = denied_call(call)
    wait = min(DEADLINE_SECONDS, at.settings.timeout_seconds) / (3 if denied.said.decider else 1)
    reading = _Reading(at, denied, plain)
    return reading.within(wait)


@dataclass
class _Reading:
    """The collectors at work, on threads that nobody waits for: a hanging endpoint holds neither cell nor exit."""

    at: Services
    denied: DeniedCall
    found: Circumstances
    lock: threading.Lock = field(default_factory=threading.Lock)

    def within(self, seconds: float) -> Circumstances:
        """What was read until then."""
        done = threading.Event()
        threading.Thread(target=self._read, args=(done,), name="sm_access-explain", daemon=True).start()
        in_time = done.wait(seconds)
        with self.lock:
            late = () if in_time else (Unread(f"what takes longer than {seconds:.0f} seconds to read"),)
            return replace(self.found, unread=(*self.found.unread, *late))

    def _keep(self, **parts: Any) -> None:
        with self.lock:
            self.found = replace(self.found, **parts)

    def _read(self, done: threading.Event) -> None:
        try:
            caller = self._try("who is calling", self.at.caller)
            if caller is None:
                return
            self._keep(caller=caller)
            bucket = threading.Thread(target=self._bucket, args=(caller,), daemon=True)
            bucket.start()
            self._principal(caller)
            bucket.join()
        finally:
            done.set()

    def _principal(self, caller: Caller) -> None:
        from sm_access.aws.principals import collect_principal

        said = self.denied.said.principal
        arn = said if said.startswith("arn:") else caller.arn
        if arn.split(":")[4:5] != [caller.account]:
            return  # a role of this name in our account would be somebody else
        read = self._try("the policies of the role", lambda: collect_principal(self.at.aws, arn))
        if read is not None:
            self._keep(principal=read)

    def _bucket(self, caller: Caller) -> None:
        from sm_access.aws.buckets import collect_bucket

        name = self.denied.bucket
        if not name:
            return
        read = self._try("the bucket", lambda: collect_bucket(self.at.aws, name, caller.account))
        if read is not None:
            self._keep(bucket=read)

    def _try(self, what: str, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except ExpiredCredentials:
            self._keep(credentials_expired=True)
        except SmAccessError as error:
            with self.lock:
                unread = (*self.found.unread, Unread(f"{what}: {error.message}"))
                self.found = replace(self.found, unread=unread)
        return None


def explain(what: object | None = None, *, services: Services | None = None) -> Result:
    """Why was this refused? what: the text of an error, an exception, or a `Call`.

    Raises InvalidInput where nothing in it is a denial.
    """
    calls: tuple[Call, ...]
    if isinstance(what, Call):
        calls = (what,)
    else:
        text = str(what) if what is not None else ""
        calls = (Call("", "", message=text, noticed_by=NoticedBy.OUTPUT),)
    found = explain_calls(calls, services=services)
    if found is None:
        raise InvalidInput(
            "No denial was found in that.", remedy="Pass the whole message of the error, or the exception."
        )
    return found
