"""On which resources a call was, as far as its parameters say: the ARNs that a policy would have to name.

S3's ARNs are put together here; elsewhere the templates of the Service Authorization Reference are filled in with the
parameters of the same name (`TrainingJobName` into `training-job/${TrainingJobName}`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sm_access.access.call import Call
from sm_access.catalog import ResourceType, resource_types

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_ENDINGS = re.compile(r"(withpath|withoutleadingslash|name|identifier|id|arn|url)$")
_VERB = re.compile(r"^[A-Z][a-z]+")
_ACCOUNT = re.compile(r"\d{12}")
_ANY = "*"
_PLACES = {"Partition", "Region", "Account"}
_MOST_PATTERNS = 4


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call was sent; `region` and `account` are empty where not known."""

    partition: str
    region: str
    account: str

    @property
    def domain(self) -> str:
        """The domain in which this partition's endpoints are."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"


def resources(action: str, call: Call, place: Place) -> Iterator[tuple[str, bool]]:
    """The resources of the action in this call, each with whether that is certain; "*" where it takes none."""
    kinds = resource_types(action)
    if not kinds:
        yield _ANY, True
    elif action.startswith(("s3:", "s3-object-lambda:")) and call.service == "s3":
        yield from _of_s3({kind.name for kind in kinds}, call, place)
    else:
        yield from _filled(kinds, call, place)


def _of_s3(kinds: set[str], call: Call, place: Place) -> Iterator[tuple[str, bool]]:
    bucket = call.parameters.get("Bucket", "")
    on_objects = any(kind.endswith("object") for kind in kinds)
    if bucket.startswith("arn:"):
        head, between = bucket, "/object/"  # an access point
    elif bucket.endswith("-s3alias"):
        # An alias cannot stand in a policy (Amazon S3 User Guide, "Using a bucket-style alias for your access point").
        head, between = (
            f"arn:{place.partition}:s3:{place.region or _ANY}:{place.account or _ANY}:accesspoint/*",
            "/object/",
        )
    else:
        head, between = f"arn:{place.partition}:s3:::{bucket or _ANY}", "/"
    certain = bool(bucket) and not bucket.endswith("-s3alias")
    if not on_objects:
        yield head, certain
        return
    keys = call.keys or ((call.parameters["Key"],) if call.parameters.get("Key") else ())
    for key in keys:
        yield f"{head}{between}{key}", certain
    if not keys:
        yield f"{head}{between}*", False


def _filled(kinds: tuple[ResourceType, ...], call: Call, place: Place) -> Iterator[tuple[str, bool]]:
    """The types that the parameters name; if they name none, the types that are required, as patterns."""
    found = {arn: True for kind in kinds for arn in _named(kind.arn, call)}
    always = []
    for kind in kinds:
        filled = _fill(kind.arn, call, place)
        if filled and not set(_PLACEHOLDER.findall(kind.arn)) - _PLACES:
            always.append(filled)
        elif filled and not _covered(kind.arn, found):
            # The path of a role or user is part of its ARN, and no parameter tells it.
            found[filled] = "WithPath" not in kind.arn and "*" not in filled and "?" not in filled
    if found:
        yield from found.items()
        for arn in always:
            yield arn, "*" not in arn
        return
    required = [kind.arn for kind in kinds if kind.required] or [kind.arn for kind in kinds]
    if len(required) > _MOST_PATTERNS:
        yield _ANY, False
        return
    for template in required:
        yield _pattern(template, place), False


def _named(template: str, call: Call) -> Iterator[str]:
    """Parameters that are ARNs of this type already."""
    shape = _shape(template)
    for value in call.parameters.values():
        if value.startswith("arn:") and shape.fullmatch(value):
            yield value


def _shape(template: str) -> re.Pattern[str]:
    pieces = _PLACEHOLDER.split(template)[::2]
    return re.compile(".*".join(map(re.escape, pieces)), re.DOTALL)


def _covered(template: str, found: dict[str, bool]) -> bool:
    shape = _shape(template)
    return any(shape.fullmatch(arn) for arn in found)


def _fill(template: str, call: Call, place: Place) -> str | None:
    """The template with what is known; None where a name is missing."""
    known = {**_names(call), **_known(place)}
    stems = [piece if piece in _PLACES else _stem(piece) for piece in _PLACEHOLDER.findall(template)]
    return (
        _PLACEHOLDER.sub("{}", template).format(*map(known.get, stems)) if set(stems) <= set(known) else None
    )


def _pattern(template: str, place: Place) -> str:
    known = _known(place)
    return _PLACEHOLDER.sub(lambda piece: known.get(piece[1], _ANY), template)


def _known(place: Place) -> dict[str, str]:
    return {"Partition": place.partition, "Region": place.region or _ANY, "Account": place.account or _ANY}


def _names(call: Call) -> dict[str, str]:
    """The parameters by their stems: WorkGroup and WorkGroupName are one; `Name` names what the operation is on."""
    noun = _VERB.sub("", call.operation)
    found: dict[str, str] = {}
    for name, value in call.parameters.items():
        stem = _stem(name) or _stem(noun)
        if value and not value.startswith("arn:") and not (stem == "key" and value.startswith("alias/")):
            found.setdefault(stem, _as_in_arns(stem, value))
    if _ACCOUNT.fullmatch(found.get("catalog", "")):
        del found["catalog"]  # Glue's default catalog is called by the account; its ARN names none
    return found


def _as_in_arns(stem: str, value: str) -> str:
    """How a name reads in an ARN, where differently. A KMS alias never does: policies name the key itself (AWS KMS
    Developer Guide, "Using aliases to control access to KMS keys")."""
    if stem == "queue":
        return value.rpartition("/")[2]
    if stem == "secret":
        return f"{value}-??????"  # AWS Secrets Manager User Guide, "Secret ARN": six random characters
    return value.removeprefix("/") if stem == "parameter" else value


def _stem(name: str) -> str:
    lowered = name.lower()
    while (cut := _ENDINGS.sub("", lowered)) != lowered:
        lowered = cut
    return lowered
