"""How much lies in a place: what a grant on it would open."""

from __future__ import annotations

from dataclasses import dataclass

from sm_access.access.target import S3Target
from sm_access.aws.session import Aws, told
from sm_access.errors import SmAccessError

PAGES = 3
"""Calls at most; each tells of a thousand objects."""


@dataclass(frozen=True, slots=True)
class Width:
    """`complete`: there are no more than these."""

    objects: int
    size: int
    complete: bool


def collect_width(aws: Aws, target: S3Target) -> Width | None:
    """Objects and bytes of a place, as far as a few calls tell; None where this process may not list it."""
    objects = size = 0
    more: dict[str, str] = {}
    try:
        with told(f"listing {target}"):
            for _ in range(PAGES):
                page = aws.client("s3").list_objects_v2(
                    Bucket=target.bucket, Prefix=target.listing_prefix, **more
                )
                found = page.get("Contents", ())
                objects += len(found)
                size += sum(int(each.get("Size", 0)) for each in found)
                if not page.get("IsTruncated"):
                    return Width(objects, size, True)
                more = {"ContinuationToken": str(page["NextContinuationToken"])}
    except SmAccessError:
        return None
    return Width(objects, size, False)
