"""A call that was refused, and what is known of it: action, resource, the place in S3, and what to ask for there.

Pure. The recorder's parameters come before AWS's words where both tell the place: they are exact, where a message may
have been cut or wrapped on its way here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import takewhile

from sm_access import catalog
from sm_access.access.call import Call
from sm_access.access.denial_message import DenialMessage, parse_denial
from sm_access.access.level import Level
from sm_access.access.levels import LIST_ACTION
from sm_access.access.operations import Need, needs
from sm_access.access.rules import Rules
from sm_access.access.target import S3Target
from sm_access.access.verdict import level_of
from sm_access.errors import InvalidS3Uri
from sm_access.policy import Arn

_S3_ARN = ":s3:::"
#: What Spark, Delta Lake and Hive keep beside the data of a table, in folders of their own.
_OF_TABLES = frozenset(
    {"_temporary", "_delta_log", "_spark_metadata", "_symlink_format_manifest", "_committed"}
)
USUAL_DURATION = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that a person could make: the narrowest sensible place, and the level that includes the action.

    reviewers: patterns of who would review it. within_rules: False where the rules let nobody have this.
    """

    target: S3Target
    level: Level
    duration: timedelta = USUAL_DURATION
    reviewers: tuple[str, ...] = ()
    within_rules: bool = True

    def under(self, rules: Rules) -> Ask:
        """The same under the rules: no longer than they allow, and with who reviews it."""
        own = rules.of(self.target.bucket)
        return Ask(
            self.target,
            self.level,
            min(self.duration, own.ceiling.max_duration),
            tuple(reviewer.pattern for reviewer in own.reviewers.named),
            self.level in own.ceiling.levels,
        )


@dataclass(frozen=True, slots=True)
class DeniedCall:
    """What is known of a refused call; empty where nothing is.

    needed: the permissions that the call needs, as its operation and parameters tell.
    action: what was refused, in AWS's spelling. resource: on what, an ARN mostly.
    bucket, path: the place in S3 that the call was about, also where its KMS key was refused; of a listing, the prefix.
    """

    call: Call
    said: DenialMessage
    needed: tuple[Need, ...]
    action: str
    resource: str
    bucket: str
    path: str

    @property
    def of_key(self) -> bool:
        """A key of KMS was refused, whatever the call was about."""
        return self.action.lower().startswith("kms:")

    @property
    def of_hidden_listing(self) -> bool:
        """A listing was refused to a call that is none: S3 asks for it once the key is not there."""
        return self._is_listing(self.action) and bool(self.needed) and not self._is_listing(self.asked_action)

    @property
    def is_listing(self) -> bool:
        return self._is_listing(self.asked_action)

    @staticmethod
    def _is_listing(action: str) -> bool:
        return action.lower() == LIST_ACTION.lower()

    @property
    def asked_action(self) -> str:
        """What the person wanted: the refused action, or that of the call where its key or a listing was refused."""
        own = [need.action for need in self.needed if not need.action.startswith("kms:")]
        if self.action.lower() in map(str.lower, own) or not own:
            return self.action
        return own[0]

    @property
    def level(self) -> Level | None:
        """The level that the call is about, None where no level means it."""
        return level_of(self.asked_action) if self.bucket else None

    @property
    def place(self) -> str:
        """The place in S3 as people write it, else the resource as AWS does."""
        if self.bucket:
            return f"s3://{self.bucket}/{self.path}" if self.path else f"s3://{self.bucket}"
        return self.resource

    @property
    def ask(self) -> Ask | None:
        """What to ask for; None where no level means the action, or no place can be named."""
        level = self.level
        target = sensible_target(self.bucket, self.path, listing=self.is_listing) if level else None
        return Ask(target, level) if target is not None and level is not None else None


def denied_call(call: Call, *, account: str = "", decoded: DenialMessage | None = None) -> DeniedCall:
    """Read a refused call: its parameters, and the first denial in its message.

    account: the caller's, where known. decoded: what its encoded message says, where it could be decoded.
    """
    said = parse_denial(call.message) or DenialMessage()
    if decoded is not None and not said.action:
        said = replace(decoded, encoded=said.encoded)
    needed = needs(call, account=account) or () if call.operation else ()
    action = _spelled(said.action) or (needed[0].action if needed else "")
    if Arn.read(said.resource) is not None:  # AWS knows on what it was, where the call does not say
        on = said.resource
        needed = tuple(
            need if need.exact or need.action != action else replace(need, resource=on, exact=True)
            for need in needed
        )
    return DeniedCall(
        call, said, needed, action, _resource(said, needed, action), *_place(call, said, needed)
    )


def sensible_target(bucket: str, path: str, *, listing: bool = False) -> S3Target | None:
    """The place to ask for: the folder of a key, above the partitions of a dataset; a key at the top as itself.

    A name that a policy could misread is left for the nearest folder above it. The whole bucket is only ever meant
    where the whole bucket was listed: None rather than wider than anybody meant.
    """
    if not path:
        return _target(bucket, "") if listing else None
    folders = list(takewhile(lambda name: "=" not in name and name not in _OF_TABLES, path.split("/")[:-1]))
    while folders:
        found = _target(bucket, "/".join(folders) + "/")
        if found is not None:
            return found
        folders.pop()
    # At the top of the bucket: a key is asked for as itself, a listing as what lies beneath it.
    name = path.rstrip("/")
    return None if "/" in name else _target(bucket, f"{name}/" if listing else path)


def _target(bucket: str, path: str) -> S3Target | None:
    try:
        return S3Target(bucket, path)
    except InvalidS3Uri:
        return None


def _place(call: Call, said: DenialMessage, needed: Sequence[Need]) -> tuple[str, str]:
    """Bucket and path: of the call, unless AWS names another place, as it does for the source of a copy."""
    named = _in_s3(said.resource)
    own = call.parameters.get("Bucket", "")
    own = own.partition(_S3_ARN)[2] or own
    if not own or (named[0] and named[0] != own):
        return named
    path = call.parameters.get("Key", "") or call.parameters.get("Prefix", "")
    if not path and call.keys:
        path = call.keys[0] if len(call.keys) == 1 else _folder_of(call.keys)
    copied = any(_in_s3(need.resource)[0] == own and _in_s3(need.resource)[1] != path for need in needed)
    return (own, named[1]) if copied and named[1] else (own, path)


def _folder_of(keys: Sequence[str]) -> str:
    """The deepest folder that all of them are in."""
    levels = zip(*(key.split("/")[:-1] for key in keys), strict=False)
    return "".join(f"{level[0]}/" for level in takewhile(lambda level: len(set(level)) == 1, levels))


def _in_s3(resource: str) -> tuple[str, str]:
    """The bucket and path of an S3 ARN, empty of any other."""
    bucket, _, path = resource.partition(_S3_ARN)[2].partition("/")
    return bucket, path


def _resource(said: DenialMessage, needed: Sequence[Need], action: str) -> str:
    """As AWS said it, else as the parameters tell; '' where they do not tell it exactly."""
    own = (
        need.resource for need in needed if need.action.lower() == action.lower() and "*" not in need.resource
    )
    if said.resource and Arn.read(said.resource) is not None:
        return said.resource
    return next(own, said.resource)  # IAM writes `role NAME`


def _spelled(action: str) -> str:
    """An action in AWS's own spelling; as it came where the catalog has none."""
    found = catalog.matching(action) if action and "*" not in action and catalog.is_action(action) else ()
    return found[0] if found else action
