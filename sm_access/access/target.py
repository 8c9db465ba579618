"""What a grant is about: a bucket, or a place in it.

    s3://lake            path ""           the whole bucket
    s3://lake/raw/       path "raw/"       everything beneath raw/
    s3://lake/raw/x.csv  path "raw/x.csv"  that key and everything beneath raw/x.csv/, never raw/x.csv-old

A target goes into policy documents, so whatever a policy would read as more than plain text is refused here
rather than escaped there: the IAM wildcards `*` and `?`, the policy variable `${`, and every character that
IAM does not accept in a policy (IAM User Guide, "IAM JSON policy elements: grammar": U+0020 to U+00FF
besides tab, LF, CR). Invisible ones are refused too: a reviewer decides on what can be seen. Refused means
refused: a target is never widened to fit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sm_access.errors import InvalidS3Uri

MAX_KEY_BYTES = 1024
"""Length of an S3 object key in UTF-8 bytes (S3 User Guide, "Naming Amazon S3 objects")."""

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_IP_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_EXAMPLE = "Write it like s3://my-bucket/raw/ for a prefix, or s3://my-bucket for the whole bucket."


@dataclass(frozen=True, slots=True)
class S3Target:
    """A bucket and a path in it. One that policies could misread cannot be constructed.

    Raises InvalidS3Uri, naming the place and what is wrong with it.
    """

    bucket: str
    path: str = ""

    def __post_init__(self) -> None:
        _refuse_bucket(self.bucket)
        _refuse_path(self.bucket, self.path)

    @classmethod
    def parse(cls, text: str) -> S3Target:
        """`s3://bucket`, `s3://bucket/prefix/` or `s3://bucket/key` -> S3Target. Raises InvalidS3Uri."""
        scheme, separator, rest = text.partition("://")
        if not separator or scheme != "s3":
            raise InvalidS3Uri(f"{text!r} is not an S3 URI: it does not begin with s3://.", remedy=_EXAMPLE)
        bucket, _, path = rest.partition("/")
        return cls(bucket, path)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.path}" if self.path else f"s3://{self.bucket}"

    @property
    def is_bucket(self) -> bool:
        """The whole bucket."""
        return not self.path

    @property
    def is_prefix(self) -> bool:
        """Everything beneath a path that ends at a component boundary."""
        return self.path.endswith("/")

    @property
    def stem(self) -> str:
        """The path without its closing slash: what a sibling's name could begin with."""
        return self.path.removesuffix("/")

    @property
    def listing_prefix(self) -> str:
        """The one `prefix` with which this target is listed; it reveals no sibling. Empty for a whole
        bucket."""
        return f"{self.stem}/" if self.path else ""

    def bucket_arn(self, partition: str = "aws") -> str:
        """The ARN that bucket-level actions such as s3:ListBucket are asked on."""
        return f"arn:{partition}:s3:::{self.bucket}"

    def object_arns(self, partition: str = "aws") -> tuple[str, ...]:
        """Resource elements that match the target's objects and no other."""
        bucket = self.bucket_arn(partition)
        if self.is_bucket or self.is_prefix:
            return (f"{bucket}/{self.path}*",)
        return (f"{bucket}/{self.path}", f"{bucket}/{self.path}/*")

    def covers_key(self, key: str) -> bool:
        """True when an object of this key belongs to the target."""
        return key.startswith(self.listing_prefix) or (not self.is_prefix and key == self.path)

    def covers_listing(self, prefix: str) -> bool:
        """True when listing the bucket with this `prefix` shows nothing but the target."""
        return prefix.startswith(self.listing_prefix)

    def covers(self, other: S3Target) -> bool:
        """True when all of `other` lies within this target."""
        if self.bucket != other.bucket:
            return False
        return self.covers_listing(other.listing_prefix) and (other.is_prefix or self.covers_key(other.path))


def _refuse_bucket(bucket: str) -> None:
    """S3 User Guide, "General purpose bucket naming rules"."""
    if not bucket:
        raise InvalidS3Uri("The S3 URI names no bucket.", remedy=_EXAMPLE)
    if not _BUCKET.fullmatch(bucket) or ".." in bucket or _IP_ADDRESS.fullmatch(bucket):
        raise InvalidS3Uri(
            f"{bucket!r} cannot be the name of a bucket: 3 to 63 lower-case letters, digits, hyphens and "
            "single dots, beginning and ending with a letter or a digit.",
            remedy=_EXAMPLE,
        )


def _refuse_path(bucket: str, path: str) -> None:
    fault = _fault(path)
    if fault:
        raise InvalidS3Uri(
            f"{path!r} in bucket {bucket} cannot be asked for: {fault}.",
            remedy="Ask for the nearest prefix above it that has none of this.",
        )


def _fault(path: str) -> str:
    """What is wrong with a path, or nothing."""
    for character in "*?":
        if character in path:
            return f"{character!r} is a wildcard in a policy and would open more than it says"
    if "${" in path:
        return "'${' begins a policy variable"
    for character in path:
        if character > "\u00ff":
            return f"IAM accepts no {character!r} (U+{ord(character):04X}) in a policy, only U+0020 to U+00FF"
        if not character.isprintable():
            return f"it has a character that cannot be seen (U+{ord(character):04X})"
    if len(path.encode("utf-8")) > MAX_KEY_BYTES:
        return f"it is longer than the {MAX_KEY_BYTES} bytes of an S3 key"
    if path:
        for component in path.removesuffix("/").split("/"):
            if component in ("", ".", ".."):
                return f"the path component {component!r} is changed or dropped by clients on the way to S3"
    return ""
