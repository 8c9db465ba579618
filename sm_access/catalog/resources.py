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
from sm_access.errors import InvalidInput
from sm_access.policy.arn import Arn

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_WITHOUT_SLASH = ("BucketName",)


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
    if len(parts) < 6:
        raise InvalidInput(f"{template!r} is not the template of an ARN.")
    return ":".join(parts[:5]), ":", parts[5]


def _filled(text: str, anything: str) -> str:
    pieces: list[str] = []
    position = 0
    for found in _PLACEHOLDER.finditer(text):
        pieces.append(re.escape(text[position : found.start()]))
        pieces.append("[^/]+" if found[1] in _WITHOUT_SLASH else anything)
        position = found.end()
    return "".join((*pieces, re.escape(text[position:])))
