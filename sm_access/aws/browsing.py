"""A short look into a bucket, for completing what a person types."""

from __future__ import annotations

from dataclasses import dataclass

from sm_access.aws.session import Aws, told


@dataclass(frozen=True, slots=True)
class Beneath:
    """What lies directly beneath a prefix: prefixes that end with a slash, and keys. more: there is more than this."""

    names: tuple[str, ...]
    more: bool = False


def list_beneath(aws: Aws, bucket: str, prefix: str, most: int) -> Beneath:
    """One page of a listing. Raises AccessDenied, AwsUnreachable, CannotTell, ..."""
    with told(f"listing {bucket}"):
        page = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="/", MaxKeys=most)
    names = [found["Prefix"] for found in page.get("CommonPrefixes", ())]
    names += [found["Key"] for found in page.get("Contents", ()) if found["Key"] != prefix]
    return Beneath(tuple(names), bool(page.get("IsTruncated")))
