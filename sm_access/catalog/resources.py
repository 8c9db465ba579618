"""Which actions work on a resource, and on what resources an action works.

Source of the templates: AWS Service Authorization Reference. A placeholder stands for one or more characters
of its part of the ARN; an S3 bucket's name has no slash in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from sm_access.catalog.actions import resource_types
from sm_access.catalog.archive import action_details, action_names, mentions, services
from sm_access.policy.arn import Arn
from sm_access.policy.partition import Piece, Run, Shape
from sm_access.policy.pattern import Wildcard

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_WITHOUT_SLASH = ("BucketName",)
_COLONS_IN_NAMES = ("s3", "logs", "cloudwatch", "glue")


def actions_on(arn: str) -> tuple[str, ...]:
    """All actions that take this very resource, sorted; those that take only "*" are not among them.

    Raises InvalidInput for what is no ARN.
    """
    service = Arn.parse(arn).service
    return tuple(sorted(action for prefix in services() for action in _taking(prefix, service, arn)))


def resource_patterns(action: str) -> tuple[str, ...]:
    """The resources that the action works on, each as a pattern with stars, sorted; "*" alone where it takes
    no resource. Raises UnknownAction."""
    found = {_PLACEHOLDER.sub("*", kind.arn) for kind in resource_types(action)}
    return tuple(sorted(found)) or ("*",)


def resource_shapes(
    action: str, *, partition: str = "aws", account: str = "", lenient: bool = False
) -> tuple[Shape, ...]:
    """The same for the engine to reason with: what is in a placeholder, and what is not. Raises UnknownAction.

    `account` fills in the account where it is not empty. `lenient`: a name may hold a colon; otherwise only in the
    few services whose names do - policies match what comes after a colon as well, so that without this every
    name could be a part of every other.
    """
    named = {"Partition": partition, "Account": account}
    found = {kind.arn for kind in resource_types(action)}
    shapes = [Shape(_readable(arn, named), _pieces(arn, named, lenient)) for arn in sorted(found)]
    return tuple(shapes) or (Shape("*", ("*",)),)


def _readable(template: str, named: dict[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: named.get(found[1]) or "*", template)


def _pieces(template: str, named: dict[str, str], lenient: bool) -> tuple[Piece, ...]:
    head, sep, tail = _split(template)
    colons = lenient or head.split(":")[2] in _COLONS_IN_NAMES
    return (*_placed(head, named, ":"), *sep, *_placed(tail, {}, "" if colons else ":"))


def _placed(text: str, named: dict[str, str], without: str) -> Iterator[Piece]:
    position = 0
    for found in _PLACEHOLDER.finditer(text):
        yield from text[position : found.start()]
        if named.get(found[1]):
            yield from named[found[1]]
        elif found[1] in _WITHOUT_SLASH:
            yield Run("/")
        elif without:
            yield Run(without)
        else:
            yield from (Wildcard.ONE, Run())  # no empty names
        position = found.end()
    yield from text[position:]


def _taking(prefix: str, service: str, arn: str) -> Iterator[str]:
    if not mentions(prefix, f":{service}:"):
        return
    _, types, rows = action_details(prefix)
    fitting = {name for name, (template, _) in types.items() if _shape(template).fullmatch(arn)}
    if fitting:
        for name, row in zip(action_names(prefix).values(), rows, strict=True):
            if any(kind in fitting for kind, _, _ in row[1]):
                yield f"{prefix}:{name}"


@lru_cache(maxsize=4096)
def _shape(template: str) -> re.Pattern[str]:
    head, sep, tail = _split(template)
    return re.compile(_filled(head, "[^:]*") + re.escape(sep) + _filled(tail, ".+"), re.DOTALL)


def _split(template: str) -> tuple[str, str, str]:
    """Before and after the fifth colon, which ends the parts that name no resource."""
    parts = template.split(":", 5)
    return ":".join(parts[:5]), ":", parts[5]


def _filled(text: str, anything: str) -> str:
    pieces: list[str] = []
    position = 0
    for found in _PLACEHOLDER.finditer(text):
        pieces.append(re.escape(text[position : found.start()]))
        pieces.append("[^/]+" if found[1] in _WITHOUT_SLASH else anything)
        position = found.end()
    return "".join((*pieces, re.escape(text[position:])))
