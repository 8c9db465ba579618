"""Refused calls in a text that somebody pastes: what AWS, an SDK or a log said, in whichever form it came.

Pure, total and bounded. Beside what `printed_calls` reads, in lines that a terminal or a chat has broken anywhere:

    CloudTrail    an event, or a file of them: who, what, on what, and the error
    XML, JSON     the body of AWS's answer
    Java          ... (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: ...)
    Go            operation error S3: GetObject, https response error StatusCode: 403, ... api error AccessDenied: ...
    words         the sentence of a denial by itself; "Access Denied", "security token ... is expired" and the like

Sources: AWS CloudTrail User Guide, "CloudTrail record contents"; Amazon S3 API Reference, "Error responses".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from html import unescape
from typing import Any

from sm_access.access.call import Call, NoticedBy
from sm_access.access.denial_message import parse_denials, unwrapped
from sm_access.access.operation_names import ACTIONS
from sm_access.access.printed_calls import calls_in
from sm_access.catalog import is_action

LONGEST = 100_000
MOST = 50

# Every repetition is bounded: no text takes more than linear time.
_PREFIX = re.compile(
    r"An\s{1,20}error\s{1,20}occurred\s{1,20}\(([\w.]{1,80})\)\s{1,20}when\s{1,20}calling\s{1,20}the\s{1,20}"
    r"(\w{1,80})\s{1,20}operation"
)
_XML_CODE = re.compile(r"<Code>([\w.]{1,80})</Code>")
_XML_ELEMENT = re.compile(r"<(Message|BucketName|Key|RequestId)>([^<]{0,4000})</")
_JAVA = re.compile(
    r"\(Service: ([\w ]{1,60})[;,] Status Code: (\d{3})(?:[;,] Error Code: ([\w.]{1,80}))?"
    r"(?:[;,] Request ID: ([\w-]{1,80}))?"
)
_GO = re.compile(
    r"operation error ([\w ]{1,60}): (\w{1,80}), .{0,300}?StatusCode: (\d{3}), RequestID: ([\w-]{0,80})"
    r".{0,300}?api error ([\w.]{1,80}): (.{0,4000})"
)
_WORDS = (
    (
        re.compile(r"security token included in the request is expired|token has expired", re.IGNORECASE),
        "ExpiredToken",
    ),
    (re.compile(r"Unable to locate credentials", re.IGNORECASE), "NoCredentialsError"),
    (
        re.compile(r"Could not connect to the endpoint URL|Connect timeout on endpoint URL"),
        "EndpointConnectionError",
    ),
    (
        re.compile(r"\b(?:AccessDenied\w{0,20}|Access Denied|403 Forbidden|Forbidden)\b", re.IGNORECASE),
        "AccessDenied",
    ),
)
_URI = re.compile(r"s3a?://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([^\s'\"`<>]{0,1100}))?")
_GIVEN = {"bucketName": "Bucket", "key": "Key", "prefix": "Prefix", "roleArn": "RoleArn", "keyId": "KeyId"}


def pasted_calls(text: str) -> tuple[Call, ...]:
    """The calls that failed by this text, in order, each once; empty where nothing of AWS's is in it."""
    read = text[:LONGEST]
    for reader in (_of_json, _of_sdk, _of_logs, _of_words):
        found: dict[tuple[object, ...], Call] = {}
        for call in reader(read):
            key = (
                call.service,
                call.operation,
                tuple(sorted(call.parameters.items())),
                call.code,
                call.message,
            )
            found.setdefault(key, call)
            if len(found) == MOST:
                break
        if found:
            return tuple(found.values())
    return ()


def _of_json(text: str) -> Iterator[Call]:
    """CloudTrail's events, alone or in a file, and the body of an answer."""
    try:
        found: Any = json.loads(text) if text.lstrip()[:1] in ("{", "[") else None
    except (ValueError, RecursionError):
        return
    if isinstance(found, Mapping):
        found = found.get("Records") or found.get("Events") or [found]
    for record in found if isinstance(found, list) else ():
        if not isinstance(record, Mapping):
            continue
        event = record.get("CloudTrailEvent")
        if isinstance(event, str):  # as `aws cloudtrail lookup-events` prints it
            yield from _of_json(event)
        elif "eventName" in record:
            yield from _of_cloudtrail(record)
        else:
            code = _text(record, "__type", "code", "Code").rpartition("#")[2]
            message = _text(record, "Message", "message", "errorMessage")
            if code or parse_denials(message):
                yield _call(code=code, message=message)


def _of_cloudtrail(record: Mapping[str, Any]) -> Iterator[Call]:
    given = record.get("requestParameters")
    parameters = {
        name: _text(given, key)
        for key, name in _GIVEN.items()
        if isinstance(given, Mapping) and _text(given, key)
    }
    if _text(record, "errorCode"):
        yield Call(
            _text(record, "eventSource").partition(".")[0],
            _text(record, "eventName"),
            parameters,
            _text(record, "awsRegion") or None,
            None,
            _text(record, "errorCode"),
            _text(record, "errorMessage"),
            _text(record, "requestID"),
            _moment(_text(record, "eventTime")),
            NoticedBy.OUTPUT,
        )


def _of_sdk(text: str) -> Iterator[Call]:
    """botocore, the command line, Arrow, object_store: each error in one line, with what stood before it."""
    heads = list(_PREFIX.finditer(text))
    if not heads:
        yield from calls_in(text, noticed_by=NoticedBy.OUTPUT)
        return
    ends = [*(text.rfind("\n", 0, head.start()) for head in heads[1:]), len(text)]
    for head, end in zip(heads, ends, strict=True):
        before = text[max(text.rfind("\n", 0, head.start()) + 1, head.start() - 3000) : head.start()]
        after = unwrapped(text[head.end() : max(end, head.end())])
        line = f"{before}An error occurred ({head[1]}) when calling the {head[2]} operation{after}"
        yield from calls_in(line, noticed_by=NoticedBy.OUTPUT)


def _of_logs(text: str) -> Iterator[Call]:
    """What an SDK of another language says, or a page of XML."""
    plain = unwrapped(text)
    for found in _GO.finditer(plain):
        service, operation, status, request, code, message = found.groups()
        yield _call(service, operation, int(status), code, message, request)
    for found in _JAVA.finditer(plain):
        service, status, code, request = found.groups()
        words = plain[max(0, found.start() - 4000) : found.start()]
        yield _call(service, "", int(status), code or "", words, request or "", named_place(plain))
    for xml in _XML_CODE.finditer(text):
        said = dict(_XML_ELEMENT.findall(text[xml.end() : xml.end() + 6000]))
        names = {"BucketName": "Bucket", "Key": "Key"}
        parameters = {names[name]: unescape(value) for name, value in said.items() if name in names}
        message, request = unescape(said.get("Message", "")), said.get("RequestId", "")
        yield _call("", "", None, xml[1], message, request, parameters)


def _of_words(text: str) -> Iterator[Call]:
    plain = unwrapped(text)
    sentences = parse_denials(plain)
    if sentences:
        # Each sentence by itself: two of them are two denials.
        parts = re.split(r"(?=\bUser: )", plain) if len(sentences) > 1 else [plain]
        yield from (_call(message=part[:8000]) for part in parts if parse_denials(part))
        return
    code = next((code for pattern, code in _WORDS if pattern.search(plain)), "")
    if code:
        place = named_place(plain)
        yield _call("s3" if place else "", code=code, message=plain[:300], parameters=place)


def named_place(plain: str) -> dict[str, str]:
    """Bucket and key, where the text names one place in S3 and no other."""
    found = {match.groups(default="") for match in _URI.finditer(plain[:20_000])}
    if len(found) != 1:
        return {}
    bucket, key = found.pop()
    key = key.rstrip(".,;:)")
    return {"Bucket": bucket, "Key": key} if key else {"Bucket": bucket}


def _call(
    service: str = "",
    operation: str = "",
    status: int | None = None,
    code: str = "",
    message: str = "",
    request_id: str = "",
    parameters: Mapping[str, str] | None = None,
) -> Call:
    name = service.lower().removeprefix("amazon ").removeprefix("aws ").replace(" ", "")
    known = f"{name}:{operation}" in ACTIONS or is_action(f"{name}:{operation}")
    made = name if known or not operation else ""
    return Call(
        made, operation, parameters or {}, None, status, code, message, request_id, None, NoticedBy.OUTPUT
    )


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _text(of: Mapping[str, Any], *names: str) -> str:
    return next((value for name in names if isinstance(value := of.get(name), str)), "")
