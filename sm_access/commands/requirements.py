"""What a script or a training job needs, said at its top: all that is missing at once, before anything is paid for."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from sm_access.access.level import Level
from sm_access.access.target import S3Target
from sm_access.bootstrap import Services
from sm_access.commands.inspecting import verdicts_on
from sm_access.errors import AccessRequired, InvalidInput, InvalidS3Uri
from sm_access.presentation.requirement import gap_words, gaps_of, requirement_page
from sm_access.presentation.result import Result

UNKNOWN = ("raise", "warn", "allow")
Places = str | Iterable[str]


def require(
    *,
    read: Places = (),
    write: Places = (),
    delete: Places = (),
    list: Places = (),
    unknown: str = "raise",
    services: Services | None = None,
) -> Result:
    """All of this must be allowed, each place an S3 URI: the result when it is, else one AccessRequired with every gap.

    unknown: what to do about access that could not be confirmed - a policy could not be read, or it depends on the
    call itself. "raise", as for what is missing, with "could not be confirmed" in its words; "warn" (a UserWarning);
    "allow". What is surely missing always raises.

    Raises AccessRequired; InvalidS3Uri that names all places that are none; InvalidInput; and what reading AWS raises.
    """
    result, unconfirmed = checked(
        read=read, write=write, delete=delete, list=list, unknown=unknown, services=services
    )
    if unconfirmed is not None and unknown == "warn":
        warnings.warn(str(unconfirmed), UserWarning, stacklevel=2)
    return result


def checked(
    *,
    read: Places = (),
    write: Places = (),
    delete: Places = (),
    list: Places = (),
    unknown: str = "raise",
    services: Services | None = None,
) -> tuple[Result, AccessRequired | None]:
    """As `require`, and in place of a warning the error that it would be: each surface has its own way to say it."""
    if unknown not in UNKNOWN:
        raise InvalidInput(
            f"unknown={unknown!r} is not a choice.", remedy=f"Say one of: {', '.join(UNKNOWN)}."
        )
    needed = _needed({Level.LIST: list, Level.READ: read, Level.WRITE: write, Level.DELETE: delete})
    at = services or Services()
    # INVARIANT: what a job is paid for on is never told from memory.
    collector = at.collector(refresh=True)
    seen = collector.overview(buckets=[target.bucket for target, _ in needed])
    caller = seen.caller
    found = verdicts_on(at.fallback(caller, probe=False), collector, seen.principal, needed)
    gaps = gaps_of(found)
    missing = any(gap["answer"] == "no" for gap in gaps)
    error = None
    if gaps:
        error = AccessRequired(gap_words(gaps, len(found), caller.arn), gaps=gaps, confirmed=missing)
        if missing or unknown == "raise":
            raise error
    return Result(requirement_page(found, caller.arn, at.clock.now())), error


def _needed(asked: dict[Level, Places]) -> tuple[tuple[S3Target, Level], ...]:
    """Each place and level once, in the order given; raises one error for all places that are none."""
    needed: dict[tuple[S3Target, Level], None] = {}
    wrong: dict[str, InvalidS3Uri] = {}
    for level, places in asked.items():
        for place in [places] if isinstance(places, str) else places:
            if not isinstance(place, str):
                raise InvalidInput(
                    f"{level.value}={place!r} is not a place in S3.",
                    remedy="Give S3 URIs: a string, or a list.",
                )
            try:
                needed[S3Target.parse(place), level] = None
            except InvalidS3Uri as error:
                wrong.setdefault(error.message, error)
    if len(wrong) == 1:
        raise next(iter(wrong.values()))
    if wrong:
        raise InvalidS3Uri(" ".join(wrong), remedy=next(iter(wrong.values())).remedy)
    if not needed:
        raise InvalidInput(
            "Nothing is required: no place was given.",
            remedy='Say what is needed, e.g. require(read="s3://my-bucket/raw/").',
        )
    return tuple(needed)
