"""What may stand next in a line that is being typed, for the shells and the notebook alike.

Places are looked up as the role itself, never for longer than a person waits for a key; what comes later is there at
the next press. Whatever goes wrong, nothing is offered and nothing is said.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast
from weakref import WeakKeyDictionary

import click
from click.shell_completion import CompletionItem, ShellComplete, split_arg_string

from sm_access.access.level import Level
from sm_access.access.target import S3Target
from sm_access.bootstrap import Services
from sm_access.errors import InvalidS3Uri

if TYPE_CHECKING:
    from sm_access.aws.browsing import Beneath

PATIENCE = 1.5
"""Seconds that a press of the key may take."""

MOST = 200
"""How much of a bucket is looked at."""

_FRESH = 120.0
_FAILED = 20.0
_SCHEME = "s3://"
_ON_PLACES = ("s3", "kms")
T = TypeVar("T")
Items = list[CompletionItem[str]]


def places(context: click.Context, _: click.Parameter, incomplete: str) -> Items:
    """Buckets, then what is beneath them."""
    try:
        at = context.find_object(Services) or Services()
        found = _OF.setdefault(at, Places()).matching(at, incomplete)
    except Exception:  # noqa: BLE001  a press of a key never ends in a traceback, whatever AWS or the settings do
        return []
    return [CompletionItem(place) for place in found]


def levels(_: click.Context, __: click.Parameter, incomplete: str) -> Items:
    return [CompletionItem(level.value) for level in Level if level.value.startswith(incomplete.lower())]


def choices(_: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """What the parameter's own help lists as `one|other`."""
    return [
        CompletionItem(word) for word in (parameter.metavar or "").split("|") if word.startswith(incomplete)
    ]


def questions(context: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """What `can` is asked: a level, or an action once it looks like one."""
    found = levels(context, parameter, incomplete)
    if incomplete and not found:
        from sm_access import catalog

        service, colon, _ = incomplete.lower().partition(":")
        if not colon:
            return [CompletionItem(f"{each}:") for each in _ON_PLACES if each.startswith(service)]
        if service in _ON_PLACES:
            return [
                CompletionItem(action)
                for action in catalog.actions(service)
                if action.lower().startswith(incomplete.lower())
            ]
    return found


def services(_: click.Context, __: click.Parameter, incomplete: str) -> Items:
    from sm_access import catalog

    return [
        CompletionItem(name)
        for name in catalog.services()
        if name != "s3" and name.startswith(incomplete.lower())
    ]


def completions(group: click.Group, line: str, services: Services | None = None) -> tuple[list[str], str]:
    """What the last word of a line may become, and that word as it stands. line: what follows the command's name.

    The same as click offers to shells: commands, options, and whatever a parameter completes itself.
    """
    words = split_arg_string(line)
    incomplete = words.pop() if words and not line[-1:].isspace() else ""
    asker = ShellComplete(group, {"obj": services}, "sm-access", "")
    found = [item.value for item in asker.get_completions(words, incomplete)]
    value = incomplete.partition("=")[2] if incomplete.startswith("-") and "=" in incomplete else incomplete
    return found, value


class Places:
    """The places that a role knows of, each looked up once in a while, by threads that nobody waits for in the end."""

    def __init__(self) -> None:
        self._known: dict[object, _Lookup[Any]] = {}
        self._lock = Lock()

    def matching(self, at: Services, incomplete: str) -> list[str]:
        """Places that begin with what was typed; only such as a shell and a policy take as they stand."""
        if not incomplete.startswith(_SCHEME):
            if not _SCHEME.startswith(incomplete):
                return []
            incomplete = _SCHEME
        bucket, slash, path = incomplete.removeprefix(_SCHEME).partition("/")
        deadline = time.monotonic() + PATIENCE
        found = self._beneath(at, bucket, path, deadline) if slash else self._buckets(at, deadline)
        return sorted(
            {
                place
                for place in found
                if place != incomplete and place.startswith(incomplete) and _can_be_typed(place)
            }
        )

    def _buckets(self, at: Services, deadline: float) -> list[str]:
        listing = self._start(at, "buckets", lambda: _buckets_of(at))
        named = self._until(deadline, self._start(at, "named", lambda: _named(at))) or ()
        listed = self._until(deadline, listing) or ()
        return [f"{_SCHEME}{bucket}/" for bucket in {*listed, *(place.bucket for place in named)}]

    def _beneath(self, at: Services, bucket: str, path: str, deadline: float) -> list[str]:
        """What is there, and what the role's policies name: it may not be let look at what is above that."""
        folder = path[: path.rfind("/") + 1]
        listing = self._start(at, (bucket, folder), lambda: _listing(at, bucket, folder))
        named = self._until(deadline, self._start(at, "named", lambda: _named(at))) or ()
        found = self._until(deadline, listing)
        if (
            found is not None and found.more and path != folder
        ):  # a folder of thousands: only those that begin as typed
            listing = self._start(at, (bucket, path), lambda: _listing(at, bucket, path))
            found = self._until(deadline, listing)
        places = [f"{_SCHEME}{bucket}/{name}" for name in (found.names if found is not None else ())]
        return places + [str(place) for place in named if place.bucket == bucket and place.path]

    def _start(self, at: Services, what: object, read: Callable[[], T]) -> _Lookup[T]:
        """What is known or being looked up already, else a look-up that begins now. Of one principal: when a cell sets
        other credentials, its services have another session.
        """
        key = (id(at.aws), what)
        with self._lock:
            known = self._known.get(key)
            if known is None or known.is_stale:
                known = self._known[key] = _Lookup(read)
                known.begin()
        return cast("_Lookup[T]", known)

    @staticmethod
    def _until(deadline: float, lookup: _Lookup[T]) -> T | None:
        lookup.done.wait(max(0.0, deadline - time.monotonic()))
        return lookup.found


class _Lookup(Generic[T]):
    """One thing that is looked up in a thread of its own. found: None until then, and where it could not be had."""

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._ends = 0.0
        self.done = Event()
        self.found: T | None = None

    @property
    def is_stale(self) -> bool:
        return self.done.is_set() and time.monotonic() >= self._ends

    def begin(self) -> None:
        Thread(target=self._run, daemon=True, name="sm_access completion").start()

    def _run(self) -> None:
        keep = _FAILED
        with suppress(Exception):  # denied, unreachable, an odd answer: there is nothing to offer
            self.found, keep = self._read(), _FRESH
        self._ends = time.monotonic() + keep
        self.done.set()


_OF: WeakKeyDictionary[Services, Places] = WeakKeyDictionary()


def _named(at: Services) -> Collection[S3Target]:
    from sm_access.access.evidence import named_places

    return named_places(at.collector().overview(buckets=()).principal)


def _buckets_of(at: Services) -> Collection[str]:
    from sm_access.aws.buckets import collect_buckets

    return collect_buckets(at.aws)


def _listing(at: Services, bucket: str, prefix: str) -> Beneath:
    from sm_access.aws.browsing import list_beneath

    return list_beneath(at.aws, S3Target(bucket).bucket, prefix, MOST)


def _can_be_typed(place: str) -> bool:
    """Whether a shell takes the text for itself and nothing more, and a grant could be about it.

    INVARIANT: a key is named by whoever may write to a bucket. Nothing of it may run when the line is entered.
    """
    if shlex.quote(place) != place:
        return False
    try:
        S3Target.parse(place)
    except InvalidS3Uri:
        return False
    return True
