"""Refused calls in an exception: AWS's own answer in its chain, else its words.

Pure, and without the SDK: an answer is known by its shape, which botocore's ClientError and aiobotocore's share. What
an exception does not say - mostly the bucket and key - stays empty, unless the words of its chain name one place in S3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sm_access.access.call import Call, NoticedBy
from sm_access.access.pasted_calls import LONGEST, named_place, pasted_calls

MOST_ERRORS = 50


def raised_calls(error: BaseException) -> tuple[Call, ...]:
    """The calls that failed by this exception, those of its causes included."""
    errors = list(_chain(error))
    texts = [_text_of(each) for each in errors]
    answers = [call for each, text in zip(errors, texts, strict=True) for call in _answer(each, text)]
    found: Sequence[Call] = answers or next(filter(None, map(pasted_calls, texts)), ())
    if (
        not found
    ):  # what the SDK raises without an answer says it in its name: NoCredentialsError and the like
        found = [
            Call("", "", code=type(each).__name__, message=text[:300])
            for each, text in zip(errors, texts, strict=True)
        ]
    place = named_place(" ".join(texts))
    of_s3 = [replace(call, parameters=place) if _lacks_place(call) and place else call for call in found]
    return tuple(replace(call, noticed_by=NoticedBy.EXCEPTION) for call in of_s3)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, its causes, its contexts, and the members of groups, each once."""
    pending: list[Any] = [error]
    seen: set[int] = set()
    while pending and len(seen) < MOST_ERRORS:
        each = pending.pop(0)
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            members = getattr(each, "exceptions", ())
            pending += [
                each.__cause__,
                each.__context__,
                *(members if isinstance(members, list | tuple) else ()),
            ]


def _text_of(error: BaseException) -> str:
    try:
        return str(error)[:LONGEST]
    except Exception:  # noqa: BLE001 - another's __str__ may raise whatever it likes
        return ""


def _answer(error: BaseException, text: str) -> Iterator[Call]:
    response, operation = getattr(error, "response", None), getattr(error, "operation_name", None)
    if not isinstance(response, Mapping) or not isinstance(operation, str):
        return
    about, said = _table(response, "ResponseMetadata"), _table(response, "Error")
    read = next(iter(pasted_calls(text)), Call("", operation))
    status = about.get("HTTPStatusCode")
    yield replace(
        read,
        operation=operation,
        status=status if isinstance(status, int) else None,
        code=str(said.get("Code", "")),
        message=str(said.get("Message", "")),
        request_id=str(about.get("RequestId", "")),
    )


def _table(of: Mapping[Any, Any], name: str) -> Mapping[Any, Any]:
    found = of.get(name)
    return found if isinstance(found, Mapping) else {}


def _lacks_place(call: Call) -> bool:
    return call.service in ("", "s3") and "Bucket" not in call.parameters
