"""What a person can find out: who this process is, and what it may do. The library's calls, and what commands and
magics call.

Each takes plain words, does the work through `Services`, and returns a `Result`. Errors are those of `errors.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from sm_access.access.level import Level, parse_level
from sm_access.access.target import S3Target
from sm_access.access.verdict import Verdict
from sm_access.bootstrap import Services
from sm_access.errors import CannotTell, InvalidInput, UnknownAction
from sm_access.policy import Decision
from sm_access.presentation.identity import identity_page, one_line
from sm_access.presentation.permissions import Permissions, Row, answer_of, matrix_page
from sm_access.presentation.result import Result
from sm_access.presentation.verdict import verdict_page

if TYPE_CHECKING:
    from typing import Any

    from sm_access.access.caller import Caller
    from sm_access.access.evidence import PrincipalEvidence, Unread
    from sm_access.access.fallback import Fallback
    from sm_access.aws.collector import Collector
    from sm_access.presentation.page import Block

_PLACES_AT_ONCE = 8
MOST_PLACES = 200
"""How many places a matrix shows unless all are asked for."""

EXIT_CODES = {
    Decision.ALLOW: 0,
    Decision.EXPLICIT_DENY: 1,
    Decision.IMPLICIT_DENY: 1,
    Decision.UNDETERMINED: 3,
}


def whoami(*, services: Services | None = None) -> Result:
    """Who this process is to AWS: role, account, where the credentials come from and until when.

    Where AWS does not answer, the result (exit code 3) shows what is known without it. Raises NoCredentials,
    InvalidSetting.
    """
    at = services or Services()
    identity = at.identity()
    return Result(identity_page(identity, at.clock.now()), 0 if identity.caller is not None else 3)


def greeting(*, services: Services | None = None) -> Result:
    """The identity in one line: what loading the notebook extension shows."""
    at = services or Services()
    identity = at.identity(thorough=False)
    return Result(one_line(identity, at.clock.now()), 0 if identity.caller is not None else 3)


def can(
    what: str, where: str, *, probe: bool = False, refresh: bool = False, services: Services | None = None
) -> Result:
    """May this process do `what` (a level, or an action such as `s3:PutObject`) at `where` (an S3 URI)?

    probe: where nothing else settles it, see what S3 says to calls that change nothing: a listing without keys, one
    byte of one object. refresh: use nothing that this process read before. A no is never told from memory: it is looked
    at again. The result is true for yes. Raises InvalidS3Uri, UnknownLevel, UnknownAction, and what reading AWS raises.
    """
    at = services or Services()
    asked, target = asked_of(what), S3Target.parse(where)
    collector = at.collector(refresh=refresh)
    caller, principal, bucket = collector.question(target.bucket)
    sources = at.fallback(caller, probe=probe)
    verdict = sources.judge(principal, bucket, target, asked)
    if collector.is_remembered and verdict.decision is not Decision.ALLOW:
        _, principal, bucket = collector.anew().question(target.bucket)
        verdict = sources.judge(principal, bucket, target, asked)
    return Result(verdict_page(verdict, at.clock.now()), EXIT_CODES[verdict.decision])


def permissions(
    *where: str,
    filter: str = "",
    can: str | Sequence[str] = (),
    everything: bool = False,
    service: str | None = None,
    probe: bool = False,
    refresh: bool = False,
    services: Services | None = None,
) -> Permissions:
    """What this process may do: buckets and prefixes x {list, read, write, delete}; without places or a filter also,
    in numbers, what the principal's own policies say of other services.

    where: S3 URIs; without any, the account's buckets and the prefixes that the principal's policies name.
    filter: only places that contain this text. can: only places where the answer is yes for these levels.
    everything: all places, not the first 200. service: instead of places in S3, the actions of one service, e.g.
    "sagemaker". probe: as of `can`. refresh: use nothing that this process read before; of places that are named, a no
    is never told from memory. Raises InvalidS3Uri, UnknownLevel, InvalidInput, and what reading AWS raises.
    """
    if service is not None:
        return _of_service(service, refresh, services or Services())
    at = services or Services()
    named = [S3Target.parse(uri) for uri in where]
    levels = tuple(dict.fromkeys(map(parse_level, [can] if isinstance(can, str) else can)))
    collector = at.collector(refresh=refresh)
    most = None if everything or levels else MOST_PLACES
    table = _table(at, collector, probe, named, filter, most)
    if named and collector.is_remembered and not all(map(_is_yes, table.rows)):
        table = _table(at, collector.anew(), probe, named, filter, most)
    caller, evidence, rows = table.caller, table.principal, table.rows
    chosen = [
        (target, row) for target, row in rows if all(answer_of(row[level]) == "yes" for level in levels)
    ]
    shown = chosen if everything else chosen[:MOST_PLACES]
    more = table.left_out + len(chosen) - len(shown)
    beside, others = ((), None) if where or filter or levels else _beside(evidence, at)
    asked = _filter_words(filter, levels)
    return Permissions(
        matrix_page(
            shown,
            caller.arn,
            at.clock.now(),
            more=more,
            asked=asked,
            beside=beside,
            others=others,
            unlisted=table.unlisted,
        )
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """Places and their verdicts, before they are narrowed down to a level. left_out: how many were not looked at.
    unlisted: which places there are could not be read.
    """

    caller: Caller
    principal: PrincipalEvidence
    rows: list[Row]
    left_out: int
    unlisted: tuple[Unread, ...]


def _table(
    at: Services, collector: Collector, probe: bool, named: Sequence[S3Target], text: str, most: int | None
) -> _Table:
    seen = collector.overview(buckets=[target.bucket for target in named] if named else None, containing=text)
    evidence, sources = seen.principal, at.fallback(seen.caller, probe=probe)
    targets = named or _places(sources.known(evidence), seen.listed)
    targets = [target for target in targets if text.lower() in str(target).lower()]
    read = targets[:most]
    found = verdicts_on(sources, collector, evidence, [(target, level) for target in read for level in Level])
    rows: list[Row] = [(target, {level: found[target, level] for level in Level}) for target in read]
    return _Table(seen.caller, evidence, rows, len(targets) - len(read), seen.unread)


def _is_yes(row: Row) -> bool:
    return all(answer_of(verdict) == "yes" for verdict in row[1].values())


def _beside(principal: PrincipalEvidence, at: Services) -> tuple[tuple[Block, ...], dict[str, Any] | None]:
    """What the principal's own policies say beyond S3."""
    from sm_access.access.extent import allowances
    from sm_access.presentation.services import beside_s3

    try:
        return beside_s3(allowances(principal, at.clock.now()))
    except CannotTell:
        return (), None  # that the policies could not be read stands beneath the matrix


def _of_service(service: str, refresh: bool, at: Services) -> Permissions:
    from sm_access import catalog
    from sm_access.access.extent import allowances
    from sm_access.presentation.services import service_page

    name = service.lower()
    if name == "s3" or not catalog.actions(name):
        near = ", ".join(get_close_matches(name, catalog.services(), 3))
        raise InvalidInput(
            f"{service!r} is not a service of AWS's other than S3, as actions name them.",
            remedy="Places in S3 have a table of their own: leave --service out."
            if name == "s3"
            else f"Did you mean {near}?"
            if near
            else "Give what stands before the colon of an action, such as sagemaker.",
        )
    principal = at.collector(refresh=refresh).overview(buckets=()).principal
    now = at.clock.now()
    return Permissions(service_page(name, allowances(principal, now, name), principal, now))


def verdicts_on(
    sources: Fallback,
    collector: Collector,
    principal: PrincipalEvidence,
    asked: Sequence[tuple[S3Target, Level]],
) -> dict[tuple[S3Target, Level], Verdict | str]:
    """The verdict for each place and level; words instead where the bucket could not be looked at. Each bucket is read
    once, and other sources are asked about several places at a time.
    """
    buckets = collector.buckets(target.bucket for target, _ in asked)
    levels: dict[S3Target, list[Level]] = {}
    for target, level in asked:
        levels.setdefault(target, []).append(level)

    def judged(target: S3Target) -> dict[Level, Verdict | str]:
        bucket = buckets[target.bucket]
        if isinstance(bucket, str):
            return dict.fromkeys(levels[target], bucket)
        return dict(sources.judge_levels(principal, bucket, target, levels[target]))

    with ThreadPoolExecutor(_PLACES_AT_ONCE) as pool:
        found = dict(zip(levels, pool.map(judged, levels), strict=True))
    return {(target, level): found[target][level] for target, level in asked}


def asked_of(what: str) -> Level | str:
    """A level, or an action that AWS knows."""
    if ":" not in what:
        return parse_level(what)
    from sm_access import catalog

    if not catalog.is_action(what):
        near = ", ".join(catalog.closest(what))
        raise UnknownAction(
            f"AWS has no action named {what!r}.",
            remedy=f"Did you mean {near}?"
            if near
            else "Say a level (list, read, write, delete) or e.g. s3:GetObject.",
        )
    if what.partition(":")[0].lower() not in {"s3", "kms"}:
        raise InvalidInput(
            f"{what} is not an action on S3, and the question is about a place in S3.",
            remedy="Ask about a level (list, read, write, delete) or an action such as s3:GetObject.",
        )
    return what


def _filter_words(text: str, levels: Sequence[Level]) -> str:
    """What the matrix was narrowed down to, as the end of a sentence."""
    words = [f"whose name has {text!r} in it"] if text else []
    if levels:
        words.append(f"where it may {' and '.join(level.value for level in levels)}")
    return " and ".join(words)


def _places(principal: PrincipalEvidence, buckets: tuple[str, ...]) -> list[S3Target]:
    """The buckets, and beneath each the prefixes that the principal's own policies name."""
    from sm_access.access.evidence import named_places

    places = named_places(principal)
    targets = []
    for bucket in sorted(set(buckets) | {place.bucket for place in places}):
        targets.append(S3Target(bucket))
        targets += sorted((place for place in places if place.bucket == bucket and place.path), key=str)
    return targets
