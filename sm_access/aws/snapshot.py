"""Where snapshots lie: objects in S3, or files beneath a directory that the notebooks share.

Why S3 and not the parameter store: a role's policies come to tens of kilobytes, where a parameter takes 4 KB (8 KB
in the paid tier), and parts of a text in several parameters cannot be replaced at once. An object is replaced whole.
The parameter store holds one line for the whole account: where the snapshots lie (AWS Systems Manager User Guide,
"Managing parameter tiers"; Amazon S3 User Guide, "Amazon S3 data consistency model").
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sm_access.access.snapshot import LARGEST
from sm_access.aws.session import Aws, error_code, told
from sm_access.errors import AccessDenied, CannotTell, InvalidSetting, SmAccessError, UnusableSnapshot

PARAMETER = "/sm-access/snapshot"
_S3 = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?")
_HOW = "An admin can publish one: `sm-access snapshot publish`."


class SnapshotStore:
    """The port `Snapshots`. place: `s3://BUCKET[/PREFIX]` or a directory; None: as the account's parameter says.

    account: the caller's. INVARIANT: an object counts only from a bucket of that account (`ExpectedBucketOwner`): a
    bucket that is gone can be made again by anybody.
    """

    def __init__(self, aws: Aws, account: str, place: str | None = None) -> None:
        self._aws = aws
        self._account = account
        self._given = place

    def read(self, name: str) -> bytes:
        place = self.place()
        location = _s3(place)
        if location is None:
            return _read_file(Path(place) / name)
        bucket, prefix = location
        try:
            with told("reading the published snapshot"):
                return self._object(bucket, f"{prefix}{name}")
        except AccessDenied:
            raise UnusableSnapshot(
                f"The published snapshot at {place} may not be read.",
                remedy=f"It needs s3:GetObject on {bucket}/{prefix}{name}; if nothing is there, {_lower(_HOW)}",
            ) from None

    def write(self, name: str, content: bytes) -> str:
        place = self.place()
        location = _s3(place)
        if location is None:
            path = Path(place) / name
            _write_file(path, content)
            return str(path)
        bucket, prefix = location
        with told(f"publishing at s3://{bucket}/{prefix}{name}"):
            self._aws.client("s3").put_object(
                Bucket=bucket,
                Key=f"{prefix}{name}",
                Body=content,
                ContentType="application/json",
                ExpectedBucketOwner=self._account,
            )
        return f"s3://{bucket}/{prefix}{name}"

    def announce(self, place: str) -> str:
        """Tell the whole account where snapshots lie. The name of the parameter."""
        with told(f"writing the parameter {PARAMETER}"):
            self._aws.client("ssm").put_parameter(
                Name=PARAMETER,
                Value=place,
                Type="String",
                Overwrite=True,
                Description="Where sm_access's published snapshots of roles lie",
            )
        return PARAMETER

    def place(self) -> str:
        """Where snapshots lie. Raises UnusableSnapshot where neither setting nor parameter says."""
        if self._given:
            _s3(self._given)  # refuses what is neither
            return self._given
        ssm = self._aws.client("ssm")
        try:
            with told(f"reading the parameter {PARAMETER}"):
                place = str(ssm.get_parameter(Name=PARAMETER)["Parameter"]["Value"])
        except AccessDenied:
            raise UnusableSnapshot(
                f"Whether a snapshot was published could not be read from the parameter {PARAMETER}.",
                remedy="It needs ssm:GetParameter, or the setting `snapshot`.",
            ) from None
        except SmAccessError as error:
            if isinstance(error, CannotTell) and "ParameterNotFound" in error.message:
                raise UnusableSnapshot("No snapshot was published in this account.", remedy=_HOW) from None
            raise UnusableSnapshot(
                f"Whether a snapshot was published could not be found out: {error.message}", remedy=_HOW
            ) from None
        if _s3(place) is None:
            # A parameter is for everybody in the account; a path means something else on each machine.
            raise UnusableSnapshot(
                f"The parameter {PARAMETER} does not name a place in S3.", remedy="Write s3://BUCKET/PREFIX."
            )
        return place

    def _object(self, bucket: str, key: str) -> bytes:
        s3: Any = self._aws.client("s3")
        try:
            answer = s3.get_object(Bucket=bucket, Key=key, ExpectedBucketOwner=self._account)
        except ClientError as error:
            if error_code(error) in {"NoSuchKey", "NoSuchBucket", "404"}:
                raise UnusableSnapshot(
                    f"No snapshot of this role was published at s3://{bucket}/{key}.", remedy=_HOW
                ) from None
            raise
        with answer["Body"] as body:
            return bytes(body.read(LARGEST + 1))


def _s3(place: str) -> tuple[str, str] | None:
    """Bucket and prefix, the prefix with its slash; None for a directory. Raises InvalidSetting."""
    if "://" not in place:
        return None
    match = _S3.fullmatch(place)
    if match is None:
        raise InvalidSetting(
            "The setting `snapshot` is neither s3://BUCKET/PREFIX nor a directory.", remedy="Correct it."
        )
    prefix = (match[2] or "").strip("/")
    return match[1], f"{prefix}/" if prefix else ""


def _read_file(path: Path) -> bytes:
    try:
        if not path.is_file():  # a pipe would be waited on for ever
            raise FileNotFoundError
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except FileNotFoundError:
        raise UnusableSnapshot(f"No snapshot of this role was published at {path}.", remedy=_HOW) from None
    except OSError as error:
        raise UnusableSnapshot(
            f"The snapshot {path} cannot be read: {error.strerror}.", remedy="Correct its permissions."
        ) from None


def _write_file(path: Path, content: bytes) -> None:
    """Whole or not at all: a reader never sees half of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
            file.write(content)
        Path(file.name).chmod(0o644)
        Path(file.name).replace(path)
    except OSError as error:
        raise InvalidSetting(
            f"The snapshot {path} cannot be written: {error.strerror}.", remedy="Choose another directory."
        ) from None


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
