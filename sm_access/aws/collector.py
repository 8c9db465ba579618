"""Everything that one question reads: who asks, what speaks for them, and the buckets it is about.

One deadline for all of it. What this process has read already is not asked again, unless it is told to read anew; who
is calling is asked every time, for what is remembered is remembered of somebody.
"""

from __future__ import annotations

import hashlib
import time
from asyncio import Semaphore, gather
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sm_access.access.caller import Caller
from sm_access.access.evidence import BucketEvidence, PrincipalEvidence, Unread
from sm_access.aws.buckets import Listed, list_buckets, read_bucket
from sm_access.aws.cache import Cache, Claim
from sm_access.aws.identity import collect_caller
from sm_access.aws.principals import read_principal
from sm_access.aws.reading import Progress, Reading
from sm_access.aws.session import AT_ONCE, Aws
from sm_access.errors import AwsUnreachable, CannotTell, ExpiredCredentials, NoCredentials
from sm_access.policy.policy_set import Unreadable

T = TypeVar("T")
Evidence = TypeVar("Evidence", PrincipalEvidence, BucketEvidence)

AHEAD = 50
"""How many of the account's buckets are read before it is known which of them are wanted."""
_BUCKETS_AT_ONCE = AT_ONCE // 2
"""How many buckets are read at once; of each, two things at first."""
PRINCIPAL_SECONDS = 5.0
"""How old what speaks for the principal may be, at most. Grants come and go by others' hands: nobody is to be told of
one that is over for longer than IAM itself takes to show a change."""
_LISTING_SHARE = 0.5
"""The part of the time that the list of buckets may take, so that some is left for those that policies name."""
NO_TIME = (
    "There was no time left to look at it; ask for it alone, or allow more with SM_ACCESS_TIMEOUT_SECONDS."
)


@dataclass(frozen=True, slots=True)
class Overview:
    """Who asks, what speaks for them, and the names of their account's buckets - none where it was not asked for them,
    or could not be told, which `unread` says.
    """

    caller: Caller
    principal: PrincipalEvidence
    listed: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()


class Collector:
    """Reads for one question. keep_seconds: how old an answer of before may be. refresh: it may not be one of before.

    `is_remembered`: not all of what was returned was read just now.
    """

    def __init__(
        self,
        aws: Aws,
        cache: Cache,
        *,
        keep_seconds: float,
        refresh: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self._aws = aws
        self._cache = cache
        self._max_age = keep_seconds
        self._refresh = refresh
        self._progress = progress
        self._since = time.monotonic()
        self._who: tuple[Caller, Hashable] | None = None
        self._listed: dict[str, Listed] = {}
        self._read: dict[str, BucketEvidence | str] = {}
        self.is_remembered = False

    def anew(self) -> Collector:
        """The same question within the same time, and nothing of before."""
        other = Collector(
            self._aws, self._cache, keep_seconds=self._max_age, refresh=True, progress=self._progress
        )
        other._since, other._who = self._since, self._who
        return other

    def question(self, bucket: str) -> tuple[Caller, PrincipalEvidence, BucketEvidence]:
        """What one question about one bucket needs.

        Raises CannotTell where there is no such bucket, or the caller has no policies; NoCredentials,
        ExpiredCredentials; AwsUnreachable where nobody says who is calling.
        """

        async def work(reading: Reading) -> tuple[Caller, PrincipalEvidence, BucketEvidence]:
            caller, _ = await self._caller(reading)
            principal, found = await gather(self._principal(reading), self._bucket(reading, bucket))
            return caller, principal, found

        return self._run(work)

    def overview(self, *, buckets: Sequence[str] | None = None, containing: str = "") -> Overview:
        """The caller's evidence, and meanwhile the buckets that will be asked for.

        buckets: by name; None: those of the caller's account. containing: of these, those whose names have this in
        them are read ahead. Raises as `question`, but of buckets.
        """

        async def work(reading: Reading) -> Overview:
            who = reading.begin(self._caller(reading))
            listing = reading.begin(_listed(reading)) if buckets is None else None
            caller, _ = await who
            principal = reading.begin(self._principal(reading))
            names = tuple(dict.fromkeys(buckets or ()))
            unread: tuple[Unread, ...] = ()
            if listing is not None:
                found, unread = await listing
                self._listed = {bucket.name: bucket for bucket in found}
                names = tuple(name for name in sorted(self._listed) if containing.lower() in name)[:AHEAD]
            ahead = reading.begin(self._buckets(reading, names))
            evidence = await principal
            await ahead
            return Overview(caller, evidence, tuple(self._listed), unread)

        return self._run(work)

    def buckets(self, names: Iterable[str]) -> dict[str, BucketEvidence | str]:
        """What was read of each bucket; in words, why one could not be looked at."""
        wanted = tuple(dict.fromkeys(names))
        lacking = tuple(name for name in wanted if name not in self._read)
        if lacking:
            self._run(lambda reading: self._buckets(reading, lacking))
        return {name: self._read[name] for name in wanted}

    def _run(self, work: Callable[[Reading], Coroutine[Any, Any, T]]) -> T:
        return Reading(self._aws, progress=self._progress, since=self._since).run(work)

    async def _caller(self, reading: Reading) -> tuple[Caller, Hashable]:
        """Who is calling, and what is only theirs: the key to what is remembered of them."""
        if self._who is None:
            asked = reading.begin(reading.call("asking AWS who you are", lambda: collect_caller(self._aws)))
            mark = reading.begin(reading.call("looking at the credentials", lambda: _mark(self._aws)))
            caller = await asked
            self._who = caller, (caller.arn, caller.user_id, await mark)
        return self._who

    async def _principal(self, reading: Reading) -> PrincipalEvidence:
        caller, _ = await self._caller(reading)
        return await self._remembered(
            reading,
            "principal",
            lambda: read_principal(reading, caller.arn, caller.user_id),
            min(self._max_age, PRINCIPAL_SECONDS),
        )

    async def _bucket(self, reading: Reading, name: str, listed: Listed | None = None) -> BucketEvidence:
        caller, _ = await self._caller(reading)
        return await self._remembered(
            reading,
            ("bucket", name, listed),
            lambda: read_bucket(reading, name, caller.account, listed=listed),
            self._max_age,
        )

    async def _buckets(self, reading: Reading, names: Sequence[str]) -> None:
        """Read them in their order, so many at once; those whose turn does not come in time are told so."""
        turn = Semaphore(_BUCKETS_AT_ONCE)

        async def read(name: str) -> None:
            async with turn:
                if reading.is_over:
                    self._read[name] = NO_TIME
                    return
                try:
                    self._read[name] = await self._bucket(reading, name, self._listed.get(name))
                except (NoCredentials, ExpiredCredentials):
                    raise
                except CannotTell as error:
                    self._read[name] = error.message

        await gather(*map(read, names))

    async def _remembered(
        self, reading: Reading, key: Hashable, read: Callable[[], Awaitable[Evidence]], max_age: float
    ) -> Evidence:
        _, whose = await self._caller(reading)
        key = (whose, key)
        if self._refresh:
            self._cache.forget(key)
        claim = self._cache.claim(key, max_age)
        if not claim.is_mine:
            found: Evidence | None = await self._from(reading, claim)
            if found is not None:
                self.is_remembered = True
                return found
            return await read()
        try:
            answer = await read()
        except BaseException:
            self._cache.drop(key, claim)
            raise
        # What had no answer may have one at the next question.
        self._cache.settle(key, claim, answer, keep=not any(item.passing for item in answer.unread))
        return answer

    async def _from(self, reading: Reading, claim: Claim) -> Any:
        """What somebody else has read or is reading; None where they came to nothing, or not in time."""
        if claim.future.done():
            return claim.future.result()
        try:
            return await reading.call(
                "waiting for what is being read already",
                lambda: claim.future.result(self._aws.timeout_seconds),
            )
        except AwsUnreachable:
            return None


async def _listed(reading: Reading) -> tuple[tuple[Listed, ...], tuple[Unread, ...]]:
    unread: list[Unread] = []
    found = await reading.layer(
        "which buckets the account has",
        "s3:ListAllMyBuckets",
        list_buckets(reading, share=_LISTING_SHARE),
        unread,
    )
    return (() if isinstance(found, Unreadable) else found), tuple(unread)


def _mark(aws: Aws) -> Hashable:
    """What tells these credentials and endpoints from others: two sessions of one name can differ in what they may."""
    credentials = aws.session.get_credentials()
    # INVARIANT: no key is kept, only what cannot be turned back into one.
    key = "" if credentials is None else hashlib.sha256(credentials.access_key.encode()).hexdigest()
    return key, aws.endpoints()
