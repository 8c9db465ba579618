"""What may stand next in a line that is being typed, for the shells and the notebook alike.

Places are looked up as the role itself, never for longer than a person waits for a key; what comes later is there at
the next press. Whatever goes wrong, nothing is offered and nothing is said.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Collection
from threading import Condition, Thread
from typing import TypeVar, cast
from weakref import WeakKeyDictionary

import click
from click.shell_completion import CompletionItem, ShellComplete, split_arg_string

from sm_access.access.level import Level
from sm_access.access.target import S3Target
from sm_access.bootstrap import Services
from sm_access.errors import InvalidS3Uri

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
        found = _places_of(context.find_object(Services) or Services()).matching(incomplete)
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

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known: dict[object, tuple[float, object]] = {}
        self._asking: set[object] = set()
        self._changed = Condition()

    def matching(self, incomplete: str) -> list[str]:
        """Places that begin with what was typed; only such as a shell and a policy take as they stand."""
        if not incomplete.startswith(_SCHEME):
            if not _SCHEME.startswith(incomplete):
                return []
            incomplete = _SCHEME
        bucket, slash, path = incomplete.removeprefix(_SCHEME).partition("/")
        deadline = time.monotonic() + PATIENCE
        found = self._beneath(bucket, path, deadline) if slash else self._buckets(deadline)
        return sorted(
            {
                place
                for place in found
                if place != incomplete and place.startswith(incomplete) and _can_be_typed(place)
            }
        )

    def _buckets(self, deadline: float) -> list[str]:
        self._start("buckets", self._list_buckets)
        named = self._get("named", self._named, deadline) or ()
        listed = self._get("buckets", self._list_buckets, deadline) or ()
        return [f"{_SCHEME}{bucket}/" for bucket in {*listed, *(place.bucket for place in named)}]

    def _beneath(self, bucket: str, path: str, deadline: float) -> list[str]:
        """What is there, and what the role's policies name: it may not be let look at what is above that."""
        folder = path[: path.rfind("/") + 1]
        self._start((bucket, folder), lambda: self._list(bucket, folder))
        named = self._get("named", self._named, deadline) or ()
        names, more = self._get((bucket, folder), lambda: self._list(bucket, folder), deadline) or ((), False)
        if more and path != folder:  # a folder of thousands: only those that begin as typed
            names, _ = self._get((bucket, path), lambda: self._list(bucket, path), deadline) or ((), False)
        found = [f"{_SCHEME}{bucket}/{name}" for name in names]
        return found + [str(place) for place in named if place.bucket == bucket and place.path]

    def _named(self) -> Collection[S3Target]:
        from sm_access.access.evidence import named_places

        return named_places(self._services.collector().overview(buckets=()).principal)

    def _list_buckets(self) -> Collection[str]:
        from sm_access.aws.buckets import collect_buckets

        return collect_buckets(self._services.aws)

    def _list(self, bucket: str, prefix: str) -> tuple[tuple[str, ...], bool]:
        from sm_access.aws.browsing import list_beneath

        found = list_beneath(self._services.aws, S3Target(bucket).bucket, prefix, MOST)
        return found.names, found.more

    def _start(self, key: object, read: Callable[[], object]) -> None:
        """Begin to look something up, unless it is known or being looked up."""
        with self._changed:
            known = self._known.get(key)
            if (known is not None and known[0] > time.monotonic()) or key in self._asking:
                return
            self._asking.add(key)
        Thread(target=self._look_up, args=(key, read), daemon=True, name="sm_access completion").start()

    def _get(self, key: object, read: Callable[[], T], deadline: float) -> T | None:
        """What is known by the deadline; None where nothing is."""
        self._start(key, read)
        with self._changed:
            self._changed.wait_for(lambda: key not in self._asking, max(0.0, deadline - time.monotonic()))
            known = self._known.get(key)
        return None if known is None else cast("T | None", known[1])

    def _look_up(self, key: object, read: Callable[[], object]) -> None:
        found, keep = None, _FAILED
        try:
            found, keep = read(), _FRESH
        except Exception:  # noqa: BLE001, S110  denied, unreachable, an odd answer: there is nothing to offer
            pass
        finally:
            with self._changed:
                self._known[key] = (time.monotonic() + keep, found)
                self._asking.discard(key)
                self._changed.notify_all()


_OF: WeakKeyDictionary[Services, Places] = WeakKeyDictionary()


def _places_of(services: Services) -> Places:
    found = _OF.get(services)
    if found is None:
        found = _OF[services] = Places(services)
    return found


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
