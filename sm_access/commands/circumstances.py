"""What can be found out around refused calls before a deadline, read on threads that nobody waits for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from sm_access.access.decoded_message import read_decoded
from sm_access.access.diagnosis import Circumstances
from sm_access.access.evidence import Unread
from sm_access.access.trouble import Trouble, trouble_of
from sm_access.errors import AccessDenied, ExpiredCredentials, SmAccessError

if TYPE_CHECKING:
    from sm_access.access.caller import Caller
    from sm_access.access.denial_message import DenialMessage
    from sm_access.access.denied_call import DeniedCall
    from sm_access.access.evidence import BucketEvidence, PrincipalEvidence
    from sm_access.bootstrap import Services

DEADLINE_SECONDS = 10.0
"""The longest that the policies are waited for."""

#: To these nothing that could be read would add.
_PLAIN = frozenset(Trouble) - {Trouble.DENIED, Trouble.WRONG_REGION, Trouble.BAD_REQUEST}


class Circumstantial:
    """The reading for some refused calls: who is calling, whose policies speak, which buckets they are about.

    A hanging endpoint holds neither the cell nor the end of the process: the threads are daemons, and what they bring
    after the deadline is dropped.
    """

    def __init__(self, at: Services, denied: Iterable[DeniedCall]) -> None:
        self._at = at
        self._denied = tuple(each for each in denied if trouble_of(each.call) not in _PLAIN)
        self._lock = threading.Lock()
        self._seconds = DEADLINE_SECONDS
        self._caller: Caller | None = None
        self._expired: bool | None = None
        self._principals: dict[str, PrincipalEvidence] = {}
        self._buckets: dict[str, BucketEvidence] = {}
        self._decoded: dict[str, DenialMessage] = {}
        self._unread: dict[str, list[Unread]] = {}
        self._begun: set[str] = set()
        self._ended: set[str] = set()

    def within(self, seconds: float) -> Callable[[DeniedCall], Circumstances]:
        """Read until then at most. The answer: what was found around each of the calls."""
        if self._denied:
            self._seconds = seconds * 0.8  # what was read until then, as a whole, before all is over
            done = threading.Event()
            threading.Thread(target=self._all, args=(done,), name="sm_access-explain", daemon=True).start()
            done.wait(seconds)
        with self._lock:
            for late in self._begun - self._ended - {_READING}:
                words = f"{late}: no answer in {seconds:.0f} s"
                self._unread.setdefault(late, []).append(Unread(words, passing=True))
            return self._around(
                dict(self._principals), dict(self._buckets), dict(self._decoded), {**self._unread}
            )

    def _around(
        self,
        principals: dict[str, PrincipalEvidence],
        buckets: dict[str, BucketEvidence],
        decoded: dict[str, DenialMessage],
        unread: dict[str, list[Unread]],
    ) -> Callable[[DeniedCall], Circumstances]:
        caller, expired, now = self._caller, self._expired, self._at.clock.now()

        def around(denied: DeniedCall) -> Circumstances:
            arn = _principal_of(denied, caller)
            about = (_WHO, _READING, _policies(arn), _bucket(denied.bucket), _ENCODED)
            return Circumstances(
                now,
                caller,
                expired,
                principals.get(arn),
                buckets.get(denied.bucket),
                decoded.get(denied.said.encoded),
                tuple(item for what in about for item in unread.get(what, ())),
            )

        return around

    def _all(self, done: threading.Event) -> None:
        """Who is calling first, for everything else depends on it; then all at once."""
        try:
            caller = self._try(_WHO, self._at.caller)
            if caller is not None:
                with self._lock:
                    self._caller = caller
                self._try(_READING, partial(self._everything, caller))
        finally:
            done.set()

    def _everything(self, caller: Caller) -> None:
        work = [*self._of_principals(caller), *self._of_buckets(caller), *self._of_messages()]
        threads = [threading.Thread(target=each, name="sm_access-explain", daemon=True) for each in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _of_principals(self, caller: Caller) -> Iterable[Callable[[], None]]:
        for arn in dict.fromkeys(_principal_of(each, caller) for each in self._denied):
            # A role of this name in our account would be somebody else.
            if arn.split(":")[4:5] == [caller.account]:
                yield self._keeper(
                    _policies(arn),
                    self._principals,
                    arn,
                    partial(self._principal, arn),
                )

    def _of_buckets(self, caller: Caller) -> Iterable[Callable[[], None]]:
        for name in dict.fromkeys(each.bucket for each in self._denied if each.bucket):
            yield self._keeper(
                _bucket(name),
                self._buckets,
                name,
                partial(self._bucket, name, caller.account),
            )

    def _of_messages(self) -> Iterable[Callable[[], None]]:
        for text in dict.fromkeys(each.said.encoded for each in self._denied if not each.said.action):
            if text:
                yield self._keeper(
                    _ENCODED,
                    self._decoded,
                    text,
                    partial(self._decode, text),
                )

    def _principal(self, arn: str) -> PrincipalEvidence:
        from sm_access.aws.principals import read_principal
        from sm_access.aws.reading import Reading

        return Reading(self._at.aws, seconds=self._seconds).run(lambda reading: read_principal(reading, arn))

    def _bucket(self, name: str, account: str) -> BucketEvidence:
        from sm_access.aws.buckets import read_bucket
        from sm_access.aws.reading import Reading

        reading = Reading(self._at.aws, seconds=self._seconds)
        return reading.run(lambda reading: read_bucket(reading, name, account))

    def _decode(self, text: str) -> DenialMessage | None:
        from sm_access.aws.authorization_messages import decode_authorization_message

        return read_decoded(decode_authorization_message(self._at.aws, text))

    def _keeper(
        self, what: str, into: dict[str, Any], name: str, read: Callable[[], Any]
    ) -> Callable[[], None]:
        def keep() -> None:
            found = self._try(what, read)
            if found is not None:
                with self._lock:
                    into[name] = found

        return keep

    def _try(self, what: str, read: Callable[[], Any]) -> Any:
        with self._lock:
            self._begun.add(what)
        found, failed = None, None
        try:
            found = read()
        except ExpiredCredentials as error:
            self._expired = True
            failed = Unread(f"{what}: {error.message}")
        except AccessDenied as error:
            failed = Unread(
                f"{what}: {error.message}", "sts:DecodeAuthorizationMessage" if what == _ENCODED else ""
            )
        except SmAccessError as error:
            failed = Unread(f"{what}: {error.message}", passing=True)
        except Exception as error:  # noqa: BLE001 - the person's own error is what matters; ours is named beneath it
            failed = Unread(f"{what}: {type(error).__name__}")
        with self._lock:
            self._ended.add(what)
            if failed is not None:
                self._unread.setdefault(what, []).append(failed)
        return found


_WHO = "who is calling"
_READING = "the reading"
_ENCODED = "what AWS encoded"


def _principal_of(denied: DeniedCall, caller: Caller | None) -> str:
    said = denied.said.principal
    return said if said.startswith("arn:") else caller.arn if caller else ""


def _policies(arn: str) -> str:
    return f"the policies of {arn.rpartition(':')[2]}"


def _bucket(name: str) -> str:
    return f"the bucket {name}"
