"""What a piece of work asked of AWS: recorded while it runs, and told as the calls and the least policy they need."""

from __future__ import annotations

import json
from collections.abc import Mapping
from threading import Lock
from types import TracebackType
from typing import Any

from sm_access.access.call import Call
from sm_access.access.least_policy import LeastPolicy, least_policy
from sm_access.access.recording import CallLog, Kind
from sm_access.presentation.recording import recording_page
from sm_access.presentation.result import Result


class Recording:
    """The calls of a `with` block, and of the threads and tasks that it starts. Readable while it runs and after.

        with sm_access.record() as recorded:
            train()
        recorded.policy

    Recordings may stand within each other, and beside each other in other threads. A call of a thread that no recording
    started - a pool's, from before - is counted by every recording that is open.
    """

    def __init__(self) -> None:
        self._log = CallLog()
        self._lock = Lock()
        self._listening: Any = None

    def __enter__(self) -> Recording:
        from sm_access.aws.recorder import RECORDER

        if self._listening is not None:
            raise RuntimeError("this recording is running already; make another one with sm_access.record()")
        self._listening = RECORDER.listening_to(self._hear)
        self._listening.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        listening, self._listening = self._listening, None
        listening.__exit__(None, None, None)

    def _hear(self, call: Call) -> None:
        with self._lock:
            self._log.add(call)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The calls, those that need the same as one, in the order in which each came first."""
        with self._lock:
            return self._log.kinds

    @property
    def denied(self) -> tuple[Kind, ...]:
        """Those of which AWS refused at least one."""
        return tuple(kind for kind in self.kinds if kind.denied)

    @property
    def least(self) -> LeastPolicy:
        """The least policy, with what could not be put into it."""
        return least_policy(self.kinds)

    @property
    def policy(self) -> Mapping[str, Any] | None:
        """The least identity policy that would do for these calls, as IAM takes it; None where nothing is needed."""
        return self.least.document

    @property
    def result(self) -> Result:
        """All of it as an answer. Its exit code is 1 when something was denied."""
        kinds = self.kinds
        with self._lock:
            left_out = self._log.left_out
        page = recording_page(kinds, least_policy(kinds), left_out)
        return Result(page, 1 if any(kind.denied for kind in kinds) else 0)

    def to_dict(self) -> Mapping[str, Any]:
        return self.result.to_dict()

    def to_text(self) -> str:
        return self.result.to_text()

    def to_html(self) -> str:
        return self.result.to_html()

    def to_json(self) -> str:
        """The policy as JSON, ready for IAM; "" where nothing is needed."""
        return json.dumps(self.policy, indent=2) if self.policy is not None else ""

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Jupyter's display protocol."""
        result = self.result
        return {"text/plain": result.to_text(), "text/html": result.to_html()}


def record() -> Recording:
    """Record the calls to AWS of a `with` block: what they need, what was denied, and the least policy."""
    return Recording()
