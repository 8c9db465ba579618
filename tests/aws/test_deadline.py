"""What does not answer by the deadline is given up, and neither the caller nor the interpreter waits for it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import TimeoutError as NotInTime

import pytest

from sm_access.aws.deadline import Deadline
from sm_access.errors import AwsUnreachable, CannotTell


def test_the_result_and_the_error_of_the_work_are_passed_on() -> None:
    deadline = Deadline(30)
    assert deadline.start(lambda: 5, "counting").result() == 5

    def fail() -> None:
        raise CannotTell("no")

    def time_out() -> None:
        raise NotInTime("of its own")

    with pytest.raises(CannotTell, match="no"):
        deadline.start(fail, "failing").result()
    with pytest.raises(NotInTime, match="of its own"):
        deadline.start(time_out, "timing out").result()


def test_all_work_has_one_deadline_and_is_under_way_at_once() -> None:
    never = threading.Event()
    began = time.monotonic()
    deadline = Deadline(0.3)
    pending = [deadline.start(never.wait, "waiting for nothing") for _ in range(5)]
    for each in pending:
        with pytest.raises(AwsUnreachable, match="no answer in time while waiting for nothing") as caught:
            each.result()
        assert "SM_ACCESS_TIMEOUT_SECONDS" in caught.value.remedy
    assert time.monotonic() - began < 5  # not five times the deadline, however slow the machine
    never.set()


def test_what_is_done_is_had_after_the_deadline_too() -> None:
    pending = Deadline(0).start(lambda: 5, "counting")
    for _ in range(100):
        time.sleep(0.01)
        try:
            assert pending.result() == 5
            return
        except AwsUnreachable:
            continue
    pytest.fail("the work was done and its result not given")


def test_an_interpreter_ends_while_work_hangs() -> None:
    program = (
        "import threading\nfrom sm_access.aws.deadline import Deadline\n"
        "Deadline(0.1).start(threading.Event().wait, 'hanging')\nprint('over')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == "over\n"
