"""Nothing is remembered longer than it may be, across a change, or of anybody else."""

from __future__ import annotations

import threading

from sm_access.aws.cache import PROCESS, Cache
from sm_access.aws.role_writer import IamRoleWriter
from sm_access.aws.session import Aws
from sm_access.sandbox.world import Sandbox

NOTHING = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::none"}
ROLE = "arn:aws:iam::111122223333:role/legacy-notebook-role"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def read(cache: Cache, key: str, answer: str, max_age: float = 300, *, keep: bool = True) -> str:
    claim = cache.claim(key, max_age)
    if claim.is_mine:
        cache.settle(key, claim, answer, keep=keep)
    found: str = claim.future.result(1)
    return found


def test_an_answer_is_used_again_until_it_is_too_old() -> None:
    clock = Clock()
    cache = Cache(clock)
    assert read(cache, "a", "first") == "first"
    clock.now += 299
    assert read(cache, "a", "second") == "first"
    clock.now += 1
    assert read(cache, "a", "third") == "third"
    assert read(cache, "b", "another") == "another"


def test_an_answer_is_as_old_as_its_beginning() -> None:
    clock = Clock()
    cache = Cache(clock)
    claim = cache.claim("a", 10)
    clock.now += 9
    cache.settle("a", claim, "slow", keep=True)
    clock.now += 1
    assert cache.claim("a", 10).is_mine


def test_at_zero_nothing_is_remembered() -> None:
    cache = Cache(Clock())
    assert read(cache, "a", "first", 0) == "first"
    assert read(cache, "a", "second", 0) == "second"
    assert read(cache, "a", "third") == "third"


def test_who_comes_while_it_is_read_waits_for_the_one_answer() -> None:
    cache, got = Cache(), []
    claim = cache.claim("a", 300)
    waiters = [threading.Thread(target=lambda: got.append(read(cache, "a", "mine"))) for _ in range(8)]
    for waiter in waiters:
        waiter.start()
    cache.settle("a", claim, "theirs", keep=False)
    for waiter in waiters:
        waiter.join(5)
    # Those that came in time got it; for those after it, it was not kept.
    assert set(got) <= {"theirs", "mine"}
    assert read(cache, "b", "x") == "x"


def test_what_may_be_otherwise_the_next_time_is_not_kept() -> None:
    cache = Cache(Clock())
    assert read(cache, "a", "partial", keep=False) == "partial"
    assert read(cache, "a", "whole") == "whole"


def test_who_waits_for_what_comes_to_nothing_reads_for_themselves() -> None:
    cache = Cache(Clock())
    claim, waiting = cache.claim("a", 300), cache.claim("a", 300)
    assert not waiting.is_mine
    cache.drop("a", claim)
    assert waiting.future.result(1) is None
    assert cache.claim("a", 300).is_mine


def test_after_a_change_nothing_of_before_is_told_nor_kept_for_a_while() -> None:
    clock = Clock()
    cache = Cache(clock)
    read(cache, "a", "before")
    under_way = cache.claim("b", 300)
    cache.clear()
    assert read(cache, "a", "right after") == "right after"
    cache.settle("b", under_way, "begun before", keep=True)
    assert read(cache, "b", "begun after") == "begun after"
    assert read(cache, "a", "not kept yet") == "not kept yet"
    clock.now += 60
    assert read(cache, "a", "kept") == "kept"
    assert read(cache, "a", "x") == "kept"


def test_a_claim_that_was_forgotten_leaves_the_next_one_alone() -> None:
    cache = Cache(Clock())
    first = cache.claim("a", 300)
    cache.forget("a")
    second = cache.claim("a", 300)
    assert second.is_mine
    cache.drop("a", first)
    assert not cache.claim("a", 300).is_mine
    cache.settle("a", second, "x", keep=True)


def test_no_more_is_kept_than_so_much() -> None:
    cache = Cache(Clock())
    for number in range(20_001):
        read(cache, str(number), "x")
    assert cache.claim("0", 300).is_mine
    assert not cache.claim("20000", 300).is_mine


def test_our_own_writes_clear_it_and_reads_do_not(sandbox: Sandbox) -> None:
    writer = IamRoleWriter(Aws(sandbox.root_session))
    PROCESS.clear()
    PROCESS._keeps_from = 0.0
    read(PROCESS, "a", "before")
    writer.read(ROLE)
    assert not PROCESS.claim("a", 300).is_mine
    writer.put(ROLE, "sm-access-test", {"Version": "2012-10-17", "Statement": [NOTHING]})
    assert PROCESS.claim("a", 300).is_mine
    PROCESS._keeps_from = 0.0
    read(PROCESS, "a", "before")
    writer.delete(ROLE, "sm-access-test")
    assert PROCESS.claim("a", 300).is_mine
    PROCESS._keeps_from = 0.0
