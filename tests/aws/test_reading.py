"""Calls in parallel, one deadline, nobody waits for what hangs, and nothing deadlocks."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from typing import Any

import boto3
import pytest

from sm_access.access.evidence import Unread
from sm_access.aws.reading import Reading, in_order, named
from sm_access.aws.session import Aws
from sm_access.aws.workers import Workers
from sm_access.errors import (
    AccessDenied,
    AwsUnreachable,
    CannotTell,
    ExpiredCredentials,
    NoCredentials,
    NotSupportedHere,
    SmAccessError,
)
from sm_access.policy import UNREADABLE


def an_aws(seconds: float = 5) -> Aws:
    return Aws(boto3.session.Session("AKIAX", "x", region_name="us-east-1"), timeout_seconds=seconds)


class TestWorkers:
    def test_are_as_many_as_there_is_work_and_no_more(self) -> None:
        workers = Workers(3)
        gate, names = threading.Event(), set()

        def work() -> None:
            names.add(threading.get_ident())
            gate.wait(5)

        futures = [workers.submit(work) for _ in range(9)]
        time.sleep(0.1)
        assert len(names) == 3
        gate.set()
        for future in futures:
            future.result(5)
        assert len(names) == 3
        workers.close()

    def test_one_that_is_free_is_used_again(self) -> None:
        workers = Workers(8)
        names = set()
        for _ in range(5):
            workers.submit(lambda: names.add(threading.get_ident())).result(5)
            time.sleep(0.02)
        assert len(names) == 1
        workers.close()

    def test_what_is_cancelled_before_it_begins_is_never_begun(self) -> None:
        workers, gate, begun = Workers(1), threading.Event(), []
        first = workers.submit(lambda: gate.wait(5))
        second = workers.submit(lambda: begun.append(1))
        assert second.cancel()
        gate.set()
        first.result(5)
        workers.submit(lambda: None).result(5)
        assert begun == []
        workers.close()

    def test_what_fails_fails_for_who_asked(self) -> None:
        workers = Workers(1)
        with pytest.raises(ZeroDivisionError):
            workers.submit(lambda: 1 // 0).result(5)
        assert workers.submit(lambda: 2).result(5) == 2
        workers.close()


class TestReading:
    def test_what_needs_nothing_of_each_other_is_under_way_at_once(self) -> None:
        together = threading.Barrier(20)

        async def work(reading: Reading) -> list[int]:
            return list(
                await asyncio.gather(*(reading.call("x", lambda: together.wait(5)) for _ in range(20)))
            )

        assert sorted(Reading(an_aws()).run(work)) == list(range(20))

    def test_more_than_there_are_threads_for_is_done_all_the_same(self) -> None:
        async def chain(reading: Reading, number: int) -> int:
            first = await reading.call("x", lambda: number)
            return await reading.call("x", lambda: first + 1)

        async def work(reading: Reading) -> int:
            return sum(await asyncio.gather(*(chain(reading, number) for number in range(1000))))

        assert Reading(an_aws(30)).run(work) == sum(range(1001))

    def test_the_same_thing_is_asked_once(self) -> None:
        asked = []

        async def work(reading: Reading) -> list[str]:
            def ask() -> str:
                asked.append(1)
                return "answer"

            return list(await asyncio.gather(*(reading.once("key", "x", ask) for _ in range(5))))

        assert Reading(an_aws()).run(work) == ["answer"] * 5
        assert asked == [1]

    def test_what_does_not_answer_is_given_up_and_the_rest_stays(self) -> None:
        unread: list[Unread] = []
        hang = threading.Event()

        async def work(reading: Reading) -> list[object]:
            slow = reading.call("slow", lambda: hang.wait(20))
            quick = reading.call("quick", lambda: "here")
            return [
                await reading.layer("the quick one", "x:Quick", quick, unread),
                await reading.layer("the slow one", "x:Slow", slow, unread),
            ]

        began = time.monotonic()
        assert Reading(an_aws(0.3)).run(work) == ["here", UNREADABLE]
        assert time.monotonic() - began < 3
        assert unread == [Unread("the slow one, which did not answer in time", passing=True)]
        hang.set()

    def test_after_the_deadline_nothing_is_begun(self) -> None:
        begun = []

        async def work(reading: Reading) -> None:
            assert not reading.is_over
            await asyncio.sleep(0.15)
            assert reading.is_over
            with pytest.raises(AwsUnreachable, match="in time while reading x"):
                await reading.call("reading x", lambda: begun.append(1))

        Reading(an_aws(0.1)).run(work)
        assert begun == []

    def test_a_share_of_the_time_leaves_the_rest_for_others(self) -> None:
        hang = threading.Event()

        async def work(reading: Reading) -> str:
            with pytest.raises(AwsUnreachable):
                await reading.call("slow", lambda: hang.wait(20), share=0.2)
            return await reading.call("quick", lambda: "in time")

        assert Reading(an_aws(1)).run(work) == "in time"
        hang.set()

    def test_work_that_never_ends_is_left(self) -> None:
        """A loop that does not come back: the asker does."""

        async def work(_: Reading) -> None:
            time.sleep(6)  # noqa: ASYNC251 - this is the point

        began = time.monotonic()
        with pytest.raises(AwsUnreachable):
            Reading(an_aws(0.1)).run(work)
        assert time.monotonic() - began < 5

    def test_in_a_thread_that_runs_a_loop_already(self) -> None:
        """As a notebook's kernel does."""

        async def kernel() -> str:
            async def work(reading: Reading) -> str:
                return await reading.call("x", lambda: "answer")

            return Reading(an_aws()).run(work)

        assert asyncio.run(kernel()) == "answer"

    def test_progress_is_told_where_it_was_asked_for(self) -> None:
        told: list[tuple[int, int, str]] = []
        threads = set()

        def progress(done: int, total: int, words: str) -> None:
            told.append((done, total, words))
            threads.add(threading.get_ident())

        async def work(reading: Reading) -> None:
            await asyncio.gather(*(reading.call(f"reading {n}", lambda: None) for n in range(3)))

        Reading(an_aws(), progress=progress).run(work)
        assert [(done, total) for done, total, _ in told] == [(1, 3), (2, 3), (3, 3)]
        assert {words for _, _, words in told} == {"reading 0", "reading 1", "reading 2"}
        assert threads == {threading.get_ident()}

    def test_an_interrupt_ends_it(self) -> None:
        begun, hang = threading.Event(), threading.Event()

        def interrupt(done: int, total: int, words: str) -> None:
            raise KeyboardInterrupt

        async def work(reading: Reading) -> None:
            await reading.call("quick", lambda: None)
            begun.set()
            await reading.call("slow", lambda: hang.wait(20))

        with pytest.raises(KeyboardInterrupt):
            Reading(an_aws(), progress=interrupt).run(work)
        hang.set()

    @pytest.mark.parametrize("error", [NoCredentials, ExpiredCredentials])
    def test_without_credentials_nothing_can_be_read(self, error: type[SmAccessError]) -> None:
        def fail() -> None:
            raise error("none")

        async def work(reading: Reading) -> None:
            await reading.layer("x", "x:X", reading.call("x", fail), [])

        with pytest.raises(error):
            Reading(an_aws()).run(work)

    def test_half_an_answer_is_none(self) -> None:
        async def work(reading: Reading) -> Any:
            empty: dict[str, Any] = {}
            return await reading.call("reading x", lambda: empty["Policy"])

        with pytest.raises(NotSupportedHere, match="reading x"):
            Reading(an_aws()).run(work)


def coded(code: str) -> CannotTell:
    error = CannotTell("x")
    error.code = code
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (AccessDenied("x"), Unread("it", "x:Get")),
        (AwsUnreachable("x"), Unread("it, which did not answer in time", passing=True)),
        (coded("Throttling"), Unread("it, for which AWS was asked too often", passing=True)),
        (coded("NoSuchEntity"), Unread("it, which is gone", passing=True)),
        (coded("Odd"), Unread("it, for which AWS answered Odd", passing=True)),
        (CannotTell("x"), Unread("it, for which AWS answered nothing that can be read", passing=True)),
        (NotSupportedHere("x"), Unread("it, for which the endpoint has no answer", passing=True)),
    ],
)
def test_what_was_not_read_says_why(error: SmAccessError, expected: Unread) -> None:
    assert named("it", "x:Get", error) == expected


def test_each_is_named_once_in_one_order() -> None:
    one, other = Unread("a", "x:A"), Unread("b", "x:B")
    assert in_order([other, one, other]) == (one, other)


def test_a_call_that_hangs_does_not_hold_up_the_end_of_the_interpreter() -> None:
    script = """
import time
from sm_access.aws.reading import Reading
from sm_access.aws.session import Aws
from sm_access.errors import AwsUnreachable
async def work(reading):
    await reading.call("slow", lambda: time.sleep(60))
try:
    Reading(Aws(timeout_seconds=0.2)).run(work)
except AwsUnreachable:
    print("given up")
"""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=50, check=False
    )
    assert done.stdout == "given up\n"
    assert done.stderr == ""
    assert time.monotonic() - began < 40
