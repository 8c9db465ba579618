"""What a piece of work asked of AWS: its calls, folded into kinds, and the least policy that they need.

Calls on the objects of one folder are one kind, so that a loop over a million keys stays a line. The policy that comes
of it is a lower bound: what did not happen in this run, or was not seen, is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sm_access.access.call import Call
from sm_access.access.operations import Need, needs
from sm_access.access.trouble import Trouble, trouble_of

MOST_KINDS = 5000
"""More kinds of calls than this are counted and not kept."""

_NOT_ITS_KIND = frozenset({"MaxKeys", "BucketRegion", "Delimiter", "StorageClass", "ChecksumMode"})


@dataclass(frozen=True, slots=True)
class Kind:
    """Calls that need the same. call: the first of them; count: how many; denied: how many AWS refused."""

    call: Call
    count: int = 1
    denied: int = 0

    @property
    def needs(self) -> tuple[Need, ...] | None:
        """What each of them needs; None where that cannot be told."""
        return needs(self.call, account=account_of(self.call))


class CallLog:
    """Calls as they come, folded into kinds. Not for several threads at once: whoever adds takes turns."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[object, ...], Kind] = {}
        self.left_out = 0
        """Calls of kinds that found no room."""

    def add(self, call: Call) -> None:
        for each in _by_folder(call):
            key = _kind_of(each)
            denied = int(trouble_of(each) is Trouble.DENIED)
            found = self._kinds.get(key)
            if found is not None:
                call_kept = each if denied and not found.denied else found.call
                self._kinds[key] = replace(
                    found, call=call_kept, count=found.count + 1, denied=found.denied + denied
                )
            elif len(self._kinds) < MOST_KINDS:
                self._kinds[key] = Kind(each, 1, denied)
            else:
                self.left_out += 1

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """In the order in which each came first."""
        return tuple(self._kinds.values())


def folder_of(key: str) -> str:
    """`raw/2026/x.csv` -> `raw/2026/`; empty for a key at the top of its bucket."""
    return key[: key.rfind("/") + 1]


def account_of(call: Call) -> str:
    """The account, where an ARN in the call or in AWS's answer names the caller's; empty otherwise."""
    for value in call.parameters.values():
        parts = value.split(":")
        if len(parts) > 5 and parts[0] == "arn" and parts[2] == "iam" and parts[4].isdigit():
            return parts[4]
    _, found, after = call.message.partition("User: arn:")
    parts = after.split(":", 5)
    return parts[3] if found and len(parts) > 4 and parts[3].isdigit() and len(parts[3]) == 12 else ""


def _by_folder(call: Call) -> tuple[Call, ...]:
    """A call on many objects as one for each; of their keys it holds one for each folder."""
    return tuple(replace(call, keys=(key,)) for key in call.keys) if call.keys else (call,)


def _kind_of(call: Call) -> tuple[object, ...]:
    parameters: Mapping[str, str] = call.parameters
    of_objects = call.service == "s3"
    kept = []
    for name, value in parameters.items():
        if name in _NOT_ITS_KIND:
            continue
        told = value
        if of_objects and name == "Key":
            told = folder_of(value) or value
        elif of_objects and name == "CopySource":
            told = folder_of(value)
        elif name == "VersionId":
            told = "given"
        kept.append((name, told))
    keys = tuple(folder_of(key) or key for key in call.keys)
    return (call.service, call.operation, call.region, tuple(sorted(kept)), keys)
