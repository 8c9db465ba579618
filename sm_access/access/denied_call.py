"""A call that was refused, and what is known of it: action, resource, the place in S3, and what to ask for there.

Pure. The recorder's parameters come before AWS's words where both tell the place: they are exact, where a message may
have been cut or wrapped on its way here.
"""

from __future__ import annotations

from dataclasses import dataclass

from sm_access import catalog
from sm_access.access.call import Call
from sm_access.access.caller import PARTITIONS
from sm_access.access.denial_message import DenialMessage, parse_denial
from sm_access.access.level import Level
from sm_access.access.operations import needs
from sm_access.access.target import S3Target
from sm_access.access.verdict import level_of
from sm_access.errors import InvalidS3Uri
from sm_access.policy import Arn

_S3_ARN = ":s3:::"
_LISTING = "s3:listbucket"


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that a person could make: the narrowest sensible place, and the level that includes the action."""

    target: S3Target
    level: Level


@dataclass(frozen=True, slots=True)
class DeniedCall:
    """What is known of a refused call; empty where nothing is.

    action: in AWS's spelling. resource: what the action was refused on, an ARN mostly.
    bucket, path: the place in S3 that the call was about, also where its KMS key was refused; of a listing, the prefix.
    """

    call: Call
    said: DenialMessage
    action: str
    resource: str
    bucket: str
    path: str

    @property
    def of_key(self) -> bool:
        """A key of KMS was refused, whatever the call was about."""
        return self.action.lower().startswith("kms:")

    @property
    def is_listing(self) -> bool:
        return self.asked_action.lower() == _LISTING

    @property
    def asked_action(self) -> str:
        """What the call itself needs; the refused action may be another, such as the key's."""
        return action_of(self.call) or self.action

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


def denied_call(call: Call) -> DeniedCall:
    """Read a refused call: its parameters, and the first denial in its message."""
    said = parse_denial(call.message) or DenialMessage()
    action = _spelled(said.action) or action_of(call)
    bucket, path = _place(call, said)
    return DeniedCall(
        call, said, action, said.resource or _resource(call, action, bucket, path), bucket, path
    )


def action_of(call: Call) -> str:
    """The action that an operation needs first; '' where that is not known."""
    needed = needs(call)
    return needed[0].action if needed else ""


def sensible_target(bucket: str, path: str, *, listing: bool = False) -> S3Target | None:
    """The place to ask for: the folder of a key, above the partitions of a dataset; a key at the top as itself.

    A name that a policy could misread is left for the nearest folder above it. The whole bucket is only ever meant
    where the whole bucket was listed: None rather than wider than anybody meant.
    """
    if not path:
        return _target(bucket, "") if listing else None
    folders = path.split("/")[:-1]
    while folders and ("=" in folders[-1] or folders[-1].startswith("_")):
        folders.pop()
    while folders:
        found = _target(bucket, "/".join(folders) + "/")
        if found is not None:
            return found
        folders.pop()
    # A listing names what it looks beneath, with or without the closing slash.
    return (
        _target(bucket, f"{path.rstrip('/')}/" if listing else path) if "/" not in path.rstrip("/") else None
    )


def _target(bucket: str, path: str) -> S3Target | None:
    try:
        return S3Target(bucket, path)
    except InvalidS3Uri:
        return None


def _place(call: Call, said: DenialMessage) -> tuple[str, str]:
    bucket = call.parameters.get("Bucket", "")
    if bucket:
        bucket = bucket.partition(_S3_ARN)[2] or bucket
        return bucket, call.parameters.get("Key", "") or call.parameters.get("Prefix", "")
    if _S3_ARN in said.resource:
        bucket, _, path = said.resource.partition(_S3_ARN)[2].partition("/")
        return bucket, path
    return "", ""


def _resource(call: Call, action: str, bucket: str, path: str) -> str:
    """The ARN where AWS did not say it and the parameters do."""
    if action.lower().startswith("s3:") and bucket:
        partition = _partition_of_region(call.region)
        on_object = path and action.lower() != _LISTING
        return f"arn:{partition}:s3:::{bucket}/{path}" if on_object else f"arn:{partition}:s3:::{bucket}"
    arns = (value for value in call.parameters.values() if Arn.read(value) is not None)
    return next(arns, "")


def _partition_of_region(region: str | None) -> str:
    starts = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-iso-": "aws-iso", "us-isob-": "aws-iso-b"}
    starts |= {"eu-isoe-": "aws-iso-e", "us-isof-": "aws-iso-f", "eusc-": "aws-eusc"}
    found = next((name for start, name in starts.items() if region and region.startswith(start)), "aws")
    return found if found in PARTITIONS.split("|") else "aws"


def _spelled(action: str) -> str:
    """An action in AWS's own spelling; as it came where the catalog has none."""
    if not action or action.endswith(":"):
        return ""
    found = catalog.matching(action) if "*" not in action and catalog.is_action(action) else ()
    return found[0] if found else action
