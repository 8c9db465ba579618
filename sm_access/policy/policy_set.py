"""The policies that have a say in a request, layer by layer.

None: the layer does not apply (no boundary is set, no organization). UNREADABLE: it applies and could not
be read; then it is never treated as empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sm_access.errors import InvalidInput
from sm_access.policy.document import NamedPolicy
from sm_access.policy.parser import parse_policy


class Unreadable(Enum):
    """The type of UNREADABLE."""

    UNREADABLE = "unreadable"


UNREADABLE = Unreadable.UNREADABLE
Policies = tuple[NamedPolicy, ...] | Unreadable
# One level of an organization's tree: the name of the root, unit or account, and what is attached there.
ControlLevel = tuple[str, tuple[NamedPolicy, ...]]
Levels = tuple[ControlLevel, ...] | Unreadable

_KINDS = {
    "identity": "inline",
    "permissions_boundary": "boundary",
    "session": "session",
    "resource": "resource",
    "vpc_endpoint": "vpc-endpoint",
    "service_control": "service-control",
    "resource_control": "resource-control",
}
_LEVELLED = ("service_control", "resource_control")


_FLAGS = {
    "BlockPublicAcls": "block_public_acls",
    "IgnorePublicAcls": "ignore_public_acls",
    "BlockPublicPolicy": "block_public_policy",
    "RestrictPublicBuckets": "restrict_public_buckets",
}
_SETTINGS = ("public_access_block", "object_ownership")


@dataclass(frozen=True, slots=True)
class PublicAccessBlock:
    """The four settings of Amazon S3 Block Public Access, as they hold for a bucket: on where the bucket, its
    access point, its account or its organization has them on."""

    block_public_acls: bool = False
    ignore_public_acls: bool = False
    block_public_policy: bool = False
    restrict_public_buckets: bool = False


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Service and resource control policies come as levels from the root to the account: each level must
    allow.

    What a bucket has beside its policy: `public_access_block` (None: not given, then its effect is named in
    `Response.not_modelled`), and `object_ownership`, as S3 calls it, with which access control lists may have
    a say unless it is "BucketOwnerEnforced" (None: not known).
    """

    identity: Policies = ()
    permissions_boundary: Policies | None = None
    session: Policies | None = None
    resource: Policies | None = None
    service_control: Levels | None = None
    resource_control: Levels | None = None
    vpc_endpoint: Policies | None = None
    public_access_block: PublicAccessBlock | Unreadable | None = None
    object_ownership: str | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PolicySet:
        """Read a set from plain data; raises InvalidInput or PolicySyntaxError.

        Each layer: a list of documents, or of {"name", "document", "kind"}; for control policies a list of
        {"target", "policies"}; "unreadable"; absent or None where it does not apply. Beside the layers:
        "public_access_block" with the four settings by S3's names, and "object_ownership".
        """
        for layer in data:
            if layer not in _KINDS and layer not in _SETTINGS:
                raise InvalidInput(
                    f"{layer!r} is not a layer of policies.", remedy=f"Layers are {', '.join(_KINDS)}."
                )
        layers: dict[str, Any] = {}
        for layer, value in data.items():
            if value is None:
                continue
            if value == UNREADABLE.value or value is UNREADABLE:
                layers[layer] = UNREADABLE
            elif layer == "public_access_block":
                layers[layer] = _public_access_block(value)
            elif layer == "object_ownership":
                layers[layer] = str(value)
            elif layer in _LEVELLED:
                layers[layer] = tuple(
                    _level(layer, number, item) for number, item in enumerate(_items(layer, value))
                )
            else:
                layers[layer] = _policies(layer, value)
        return cls(**layers)


def _public_access_block(value: Any) -> PublicAccessBlock:
    if not isinstance(value, Mapping) or not all(
        name in _FLAGS and isinstance(flag, bool) for name, flag in value.items()
    ):
        raise InvalidInput(
            "The settings in 'public_access_block' cannot be read.",
            remedy=f"Give true or false for {', '.join(_FLAGS)}.",
        )
    return PublicAccessBlock(**{_FLAGS[name]: flag for name, flag in value.items()})


def _items(layer: str, value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [value]
    if isinstance(value, (list, tuple)):
        return list(value)
    raise InvalidInput(
        f"The layer {layer!r} is not a list of policies.", remedy="Give a list, null or 'unreadable'."
    )


def _policies(layer: str, value: Any) -> tuple[NamedPolicy, ...]:
    return tuple(_policy(layer, number, item) for number, item in enumerate(_items(layer, value), start=1))


def _level(layer: str, number: int, item: Any) -> ControlLevel:
    if not isinstance(item, Mapping) or set(item) != {"target", "policies"}:
        raise InvalidInput(
            f"Level {number} of {layer!r} cannot be read.",
            remedy='A level reads {"target": ..., "policies": [...]}.',
        )
    return str(item["target"]), _policies(layer, item["policies"])


def _policy(layer: str, number: int, item: Any) -> NamedPolicy:
    name, kind, document = f"{layer} policy {number}", _KINDS[layer], item
    if isinstance(item, Mapping) and "document" in item:
        odd = set(item) - {"name", "kind", "document"}
        if odd:
            raise InvalidInput(
                f"{sorted(odd)} do not belong to a policy of {layer!r}.", remedy="Give name, kind, document."
            )
        name, kind, document = str(item.get("name", name)), str(item.get("kind", kind)), item["document"]
    return NamedPolicy(name, parse_policy(document, name=name), kind)
