"""What of a cell's end was a refusal of AWS: which calls the cell failed of, and which it got over.

An error counts when AWS's own answer is in its chain, when its words say so (Arrow and object_store have no botocore),
or when a library that talks to AWS raised it and calls were refused meanwhile. A failure that is none of these is left
alone, whatever else was refused on the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from sm_access.access.call import Call, NoticedBy
from sm_access.access.printed_calls import LONGEST, calls_in
from sm_access.access.secrets_in_words import without_secrets
from sm_access.access.trouble import Trouble, trouble_of

MOST_ERRORS = 50
MOST_FRAMES = 500

_SDK = frozenset({"boto3", "botocore", "s3transfer", "aiobotocore"})
_LIBRARIES = _SDK | {
    "s3fs",
    "fsspec",
    "awswrangler",
    "sagemaker",
    "sagemaker_core",
    "smart_open",
    "redshift_connector",
}
_PROBES = ("HeadObject", "HeadBucket")


@dataclass(frozen=True, slots=True)
class Noticed:
    """failed: what the cell failed of, or a command in it. in_passing: refused, and the cell went on."""

    failed: tuple[Call, ...] = ()
    in_passing: tuple[Call, ...] = ()


def notice(error: BaseException | None, calls: Sequence[Call], printed: Sequence[Call] = ()) -> Noticed:
    """error: what the cell raised. calls: those that ended while it ran. printed: what its commands said failed."""
    if isinstance(error, KeyboardInterrupt):
        return Noticed()
    failed = [call for call in printed if trouble_of(call) is not None]
    if error is not None:
        failed += _failed(error, calls)
    told = {_key(call) for call in failed}
    passed = [call for call in _got_over(calls) if _key(call) not in told] if not failed else []
    return Noticed(_distinct(failed), _distinct(passed))


def _failed(error: BaseException, calls: Sequence[Call]) -> Sequence[Call]:
    errors = list(chain(error))
    answers = [call for each in errors for call in _answer(each, calls)]
    if answers:
        return [call for call in answers if trouble_of(call) is not None]
    said = [
        call
        for each in errors
        for call in calls_in(text_of(each), noticed_by=NoticedBy.EXCEPTION)
        if trouble_of(call) is not None
    ]
    if said:
        return said
    if any(_of_the_sdk(each) or _raised_in_a_library(each.__traceback__) for each in errors):
        refused = [call for call in calls if trouble_of(call) is not None]
        alone = [Call("", "", code=type(each).__name__) for each in errors if _of_the_sdk(each)]
        return refused or [call for call in alone if trouble_of(call) is not None]
    return ()


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error, its causes, its contexts, and the members of groups, each once."""
    pending: list[Any] = [error]
    seen: set[int] = set()
    while pending and len(seen) < MOST_ERRORS:
        each = pending.pop(0)
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        members = getattr(each, "exceptions", ())
        pending += [each.__cause__, each.__context__, *(members if isinstance(members, list | tuple) else ())]


def text_of(error: BaseException) -> str:
    """The error's words, as far as it has any that can be had."""
    try:
        return str(error)[-LONGEST:]
    except Exception:  # noqa: BLE001 - another's __str__ may raise whatever it likes
        return ""


def _answer(error: BaseException, calls: Sequence[Call]) -> Iterator[Call]:
    """AWS's answer within a ClientError of botocore, as it was recorded; else as the error tells it."""
    response = getattr(error, "response", None)
    operation = getattr(error, "operation_name", None)
    if not isinstance(response, Mapping) or not isinstance(operation, str):
        return
    about, said = response.get("ResponseMetadata") or {}, response.get("Error") or {}
    request_id = str(about.get("RequestId", ""))
    message = without_secrets(str(said.get("Message", "")))
    recorded = [
        call
        for call in calls
        if (call.operation, call.request_id) == (operation, request_id) and message.startswith(call.message)
    ]
    if recorded:
        yield recorded[-1]
        return
    told = calls_in(text_of(error), noticed_by=NoticedBy.EXCEPTION)
    first = told[0] if told else Call("", operation)
    yield Call(
        first.service,
        operation,
        first.parameters,
        status=about.get("HTTPStatusCode"),
        code=str(said.get("Code", "")),
        message=message,
        request_id=request_id,
        noticed_by=NoticedBy.EXCEPTION,
    )


def _of_the_sdk(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] in _SDK


def _raised_in_a_library(traceback: TracebackType | None) -> bool:
    for _ in range(MOST_FRAMES):
        if traceback is None:
            return False
        if str(traceback.tb_frame.f_globals.get("__name__", "")).partition(".")[0] in _LIBRARIES:
            return True
        traceback = traceback.tb_next
    return False


def _got_over(calls: Sequence[Call]) -> Iterator[Call]:
    """Denials that a person may want to know of: not a HEAD after which the same bucket answered.

    Libraries ask a bucket for its Region, or whether it is there, and do without the answer.
    """
    for place, call in enumerate(calls):
        if trouble_of(call) is not Trouble.DENIED:
            continue
        bucket = call.parameters.get("Bucket")
        after = calls[place + 1 :]
        if call.operation in _PROBES and any(
            not later.code and later.parameters.get("Bucket") == bucket for later in after
        ):
            continue
        yield call


def _distinct(calls: Sequence[Call]) -> tuple[Call, ...]:
    return tuple({_key(call): call for call in calls}.values())


def _key(call: Call) -> tuple[object, ...]:
    return (call.service, call.operation, tuple(sorted(call.parameters.items())), call.keys, call.code)
