"""What a person can find out: who this process is, and what it may do. The library's calls, and what commands and
magics call.

Each takes plain words, does the work through `Services`, and returns a `Result`. Errors are those of `errors.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from typing import TYPE_CHECKING

from sm_access.access.evidence import Unread
from sm_access.access.level import Level, parse_level
from sm_access.access.target import S3Target
from sm_access.access.verdict import Verdict
from sm_access.bootstrap import Services
from sm_access.errors import AccessDenied, CannotTell, InvalidInput, UnknownAction
from sm_access.policy import Decision
from sm_access.presentation.identity import identity_page, one_line
from sm_access.presentation.permissions import Permissions, answer_of, matrix_page
from sm_access.presentation.result import Result
from sm_access.presentation.verdict import verdict_page

if TYPE_CHECKING:
    from sm_access.access.evidence import BucketEvidence, PrincipalEvidence
    from sm_access.access.fallback import Fallback

MOST_PLACES = 200
"""How many places a matrix shows unless all are asked for."""

EXIT_CODES = {
    Decision.ALLOW: 0,
    Decision.EXPLICIT_DENY: 1,
    Decision.IMPLICIT_DENY: 1,
    Decision.UNDETERMINED: 3,
}


def whoami(*, services: Services | None = None) -> Result:
    """Who this process is to AWS: role, account, where the credentials come from and until when."""
    at = services or Services()
    return Result(identity_page(at.identity(), at.clock.now()))


def greeting(*, services: Services | None = None) -> Result:
    """The identity in one line: what loading the notebook extension shows."""
    at = services or Services()
    return Result(one_line(at.identity(), at.clock.now()))


def can(what: str, where: str, *, probe: bool = False, services: Services | None = None) -> Result:
    """May this process do `what` (a level, or an action such as `s3:PutObject`) at `where` (an S3 URI)?

    probe: where nothing else settles it, see what S3 says to calls that change nothing: a listing without keys, one
    byte of one object. The result is true for yes. Raises InvalidS3Uri, UnknownLevel, UnknownAction, and what reading
    AWS raises.
    """
    from sm_access.aws.buckets import collect_bucket
    from sm_access.aws.principals import collect_principal

    at = services or Services()
    asked, target = _asked(what), S3Target.parse(where)
    caller = at.caller()
    with ThreadPoolExecutor(2) as pool:
        principal = pool.submit(collect_principal, at.aws, caller.arn)
        bucket = pool.submit(collect_bucket, at.aws, target.bucket, caller.account)
        sources = at.fallback(caller, probe=probe)
        verdict = sources.judge(principal.result(), bucket.result(), target, asked)
    return Result(verdict_page(verdict, at.clock.now()), EXIT_CODES[verdict.decision])


def permissions(
    *where: str,
    filter: str = "",
    can: str | Sequence[str] = (),
    everything: bool = False,
    probe: bool = False,
    services: Services | None = None,
) -> Permissions:
    """What this process may do: buckets and prefixes x {list, read, write, delete}.

    where: S3 URIs; without any, the account's buckets and the prefixes that the principal's policies name.
    filter: only places that contain this text. can: only places where the answer is yes for these levels.
    everything: all places, not the first 200. probe: as of `can`. Raises InvalidS3Uri, UnknownLevel, and what reading
    AWS raises.
    """
    from sm_access.aws.buckets import collect_buckets
    from sm_access.aws.principals import collect_principal

    at = services or Services()
    named = [S3Target.parse(uri) for uri in where]
    levels = tuple(dict.fromkeys(map(parse_level, [can] if isinstance(can, str) else can)))
    caller = at.caller()
    sources = at.fallback(caller, probe=probe)
    with ThreadPoolExecutor(2) as pool:
        principal = pool.submit(collect_principal, at.aws, caller.arn)
        buckets = pool.submit(collect_buckets, at.aws) if not named else None
        evidence = principal.result()
        worth_asking = sources.known(evidence)
        targets = named
        if buckets is not None:
            try:
                targets = _places(worth_asking, buckets.result())
            except AccessDenied:
                targets = _places(worth_asking, ())
                evidence = replace(
                    evidence,
                    unread=(
                        *evidence.unread,
                        Unread("which buckets the account has", "s3:ListAllMyBuckets"),
                    ),
                )
    targets = [target for target in targets if filter.lower() in str(target).lower()]
    read = targets if everything or levels else targets[:MOST_PLACES]
    found = collect_each(at, [target.bucket for target in read], caller.account)
    with ThreadPoolExecutor(8) as pool:
        each = pool.map(lambda target: _row(sources, evidence, found[target.bucket], target), read)
        rows = list(zip(read, each, strict=True))
    chosen = [
        (target, row) for target, row in rows if all(answer_of(row[level]) == "yes" for level in levels)
    ]
    shown = chosen if everything else chosen[:MOST_PLACES]
    more = len(targets) - len(read) + len(chosen) - len(shown)
    page = matrix_page(shown, caller.arn, at.clock.now(), more=more, asked=_filter_words(filter, levels))
    return Permissions(page)


def collect_each(at: Services, buckets: Iterable[str], account: str) -> dict[str, BucketEvidence | str]:
    """What could be read of each bucket, each read once and in parallel; in words why one could not be looked at."""
    from sm_access.aws.buckets import collect_bucket

    names = tuple(dict.fromkeys(buckets))
    found: dict[str, BucketEvidence | str] = {}

    def collect(bucket: str) -> tuple[str, BucketEvidence | str]:
        try:
            return bucket, collect_bucket(at.aws, bucket, account)
        except CannotTell as error:
            return bucket, error.message

    with ThreadPoolExecutor(8) as pool:
        for future in as_completed([pool.submit(collect, bucket) for bucket in names]):
            bucket, evidence = future.result()
            found[bucket] = evidence
            if at.progress is not None:
                at.progress(len(found), len(names), "buckets read")
    return found


def _asked(what: str) -> Level | str:
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


def _row(
    sources: Fallback, principal: PrincipalEvidence, bucket: BucketEvidence | str, target: S3Target
) -> dict[Level, Verdict | str]:
    if isinstance(bucket, str):
        return dict.fromkeys(Level, bucket)
    return dict(sources.judge_levels(principal, bucket, target))


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
