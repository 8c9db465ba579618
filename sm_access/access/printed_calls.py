"""Calls to AWS that only left words behind: an exception of a library without botocore, or what a command printed.

Pure, total and bounded: any text is accepted, and no more than `LONGEST` characters of it are read. Recognised are

    botocore      An error occurred (CODE) when calling the OPERATION operation: WORDS       boto3, the AWS command line
    Arrow         When DOING key 'K' in bucket 'B': AWS Error CODE during OPERATION operation: WORDS
    object_store  Error performing VERB URL in TIME - ... status code: STATUS ...            polars, delta-rs

What a text does not say stays empty; where a command could have meant several places, none is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qs, unquote, urlsplit

from sm_access.access.call import Call, NoticedBy

LONGEST = 100_000
MOST = 50

# Every repetition is bounded: no text takes long.
_BOTOCORE = re.compile(
    r"An error occurred \(([\w.]{1,80})\) when calling the (\w{1,80}) operation"
    r"(?: \(reached max retries: \d{1,4}\))?:[ ]?([^\r\n]{0,4000})"
)
_ARROW = re.compile(
    r": AWS Error (\w{1,80})(?: \(HTTP status (\d{3})\))? during (\w{1,80}) operation"
    r"[^:\r\n]{0,200}:[ ]?([^\r\n]{0,4000})"
)
_LONGEST_DOING = 4000
_ARROW_KEY = re.compile(r"key '([^\r\n]{0,1100}?)' in bucket '([^']{1,300})'")
_ARROW_BUCKET = re.compile(r"bucket '([^']{1,300})'")
_OBJECT_STORE = re.compile(
    r"Error performing ([A-Z]{3,7}) (https?://\S{1,4000}) in [^\r\n]{1,60}? - "
    r"Server returned non-2xx status code: (\d{3})(.{0,6000})",
    re.DOTALL,
)
_OBJECT_STORE_PATH = re.compile(r"\(path: s3a?://([^/\s)]{1,300})")
_XML = re.compile(r"<(Code|Message)>([^<]{0,4000})</")
_URI = re.compile(r"s3://([a-z0-9.-]{3,63})(?:/([^\s'\"),;|&<>]{0,1100}))?")
_UPLOAD = re.compile(r"to ([a-z0-9.-]{3,63})/([^\r\n]{1,1100}): $")
_AWS = re.compile(r"(?:^|[\s;&|(`!])aws[ \t]+([a-z0-9-]{1,40})[ \t]+([a-z0-9-]{1,60})([^\n;|&]{0,4000})")
_OPTION = re.compile(r"--(bucket|key|prefix|table-name|copy-source|region)[= ][\"']?([^\s\"']{1,1100})")
_PARAMETERS = {"bucket": "Bucket", "key": "Key", "prefix": "Prefix", "copy-source": "CopySource"}
_TO_THE_LAST = ("PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "CopyObject")
_LISTS = ("ListObjects", "ListObjectsV2", "ListObjectVersions")
_ON_BUCKETS = (*_LISTS, "HeadBucket", "GetBucketLocation", "CreateBucket", "DeleteBucket")
_S3 = frozenset(
    {
        *_TO_THE_LAST,
        *_ON_BUCKETS,
        "AbortMultipartUpload",
        "DeleteObject",
        "DeleteObjects",
        "GetObject",
        "GetObjectAttributes",
        "HeadObject",
        "ListBuckets",
        "UploadPartCopy",
    }
)
_VERBS = {"HEAD": "HeadObject", "GET": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
_UNFILLED = frozenset("{}$`")  # a variable whose value the text does not tell
_NO_WORDS = "No response body."

Found = tuple[str, str, dict[str, str], int | None, str, str]
"""Service, operation, parameters, status, code, message."""


def calls_in(text: str, *, noticed_by: NoticedBy, command: str = "") -> tuple[Call, ...]:
    """The calls that a text says failed, each once, in order. command: what printed it, which tells the place."""
    read = text[-LONGEST:]
    found: dict[tuple[object, ...], Call] = {}
    for service, operation, parameters, status, code, message in _found(read, command[:LONGEST]):
        region = parameters.pop("region", None)
        key = (operation, tuple(sorted(parameters.items())), status, code, message)
        call = Call(service, operation, parameters, region, status, code, message, noticed_by=noticed_by)
        found.setdefault(key, call)
        if len(found) == MOST:
            break
    return tuple(found.values())


def _found(text: str, command: str) -> Iterator[Found]:
    yield from _of_arrow(text)
    yield from _of_object_store(text)
    yield from _of_botocore(text, command)


def _of_botocore(text: str, command: str) -> Iterator[Found]:
    for match in _BOTOCORE.finditer(text):
        code, operation, message = match.groups()
        line = text[max(text.rfind("\n", 0, match.start()) + 1, match.start() - 3000) : match.start()]
        service, parameters = _of_command(command, operation)
        service = service or ("s3" if operation in _S3 else "")
        if service == "s3":
            upload = _UPLOAD.search(line)
            if upload:
                parameters = {"Bucket": upload[1], "Key": upload[2]}
            else:
                parameters = _of_uris(_URI.findall(line), operation) or parameters
        yield service, operation, parameters, int(code) if code.isdigit() else None, code, message.strip()


def _of_command(command: str, operation: str) -> tuple[str, dict[str, str]]:
    """The service, and the place if only one can be meant."""
    fitting = [
        (service, _of_options(rest) or _of_uris(_URI.findall(rest), operation))
        for service, verb, rest in _AWS.findall(command)
        if (service == "s3" and operation in _S3) or verb.replace("-", "") == operation.lower()
    ]
    services = {"s3" if service == "s3api" else service for service, _ in fitting}
    places = [
        place for _, place in fitting if place and not any(set(value) & _UNFILLED for value in place.values())
    ]
    one = bool(places) and all(place == places[0] for place in places)
    return services.pop() if len(services) == 1 else "", dict(places[0]) if one else {}


def _of_options(rest: str) -> dict[str, str]:
    return {_PARAMETERS.get(name, _camel(name)): value for name, value in _OPTION.findall(rest)}


def _camel(name: str) -> str:
    return name if name == "region" else "".join(part.capitalize() for part in name.split("-"))


def _of_uris(uris: list[tuple[str, str]], operation: str) -> dict[str, str]:
    """Which of the places on a line an operation was about: writes are about the last, all else is about the first."""
    if not uris:
        return {}
    bucket, path = uris[-1] if operation in _TO_THE_LAST else uris[0]
    if operation in _ON_BUCKETS:
        return {"Bucket": bucket, "Prefix": path} if operation in _LISTS else {"Bucket": bucket}
    source = {"CopySource": "/".join(uris[0])} if operation == "CopyObject" and len(uris) > 1 else {}
    return {"Bucket": bucket, "Key": path, **source}


def _of_arrow(text: str) -> Iterator[Found]:
    for match in _ARROW.finditer(text):
        name, status, operation, message = match.groups()
        doing = text[max(0, match.start() - _LONGEST_DOING) : match.start()].rpartition("\n")[2]
        doing = doing[max(0, doing.find("When ")) :]
        keys = _ARROW_KEY.findall(doing)
        bucket = _ARROW_BUCKET.search(doing)
        parameters: dict[str, str] = {}
        if keys:
            key, name_of_bucket = keys[-1]
            parameters = {"Bucket": name_of_bucket, "Prefix" if operation in _LISTS else "Key": key}
            if operation == "CopyObject" and len(keys) > 1:
                parameters["CopySource"] = f"{keys[0][1]}/{keys[0][0]}"
        elif bucket:
            parameters = {"Bucket": bucket[1]}
        code = "" if name == "UNKNOWN" else "".join(part.capitalize() for part in name.split("_"))
        words = "" if message.startswith(_NO_WORDS) else message.strip()
        known = int(status) if status else 403 if code == "AccessDenied" else None
        yield "s3", operation, parameters, known, code, words


def _of_object_store(text: str) -> Iterator[Found]:
    for match in _OBJECT_STORE.finditer(text):
        verb, url, status, rest = match.groups()
        try:
            parts = urlsplit(url)
            query = parse_qs(parts.query, keep_blank_values=True)
        except ValueError:  # e.g. an unclosed bracket in place of a host
            continue
        rest = rest.partition("Error performing ")[0]
        named = _OBJECT_STORE_PATH.search(rest)
        bucket, key = _of_url(
            parts.hostname or "", unquote(parts.path).removeprefix("/"), named[1] if named else ""
        )
        operation = _VERBS.get(
            verb, "CreateMultipartUpload" if "uploads" in query else "CompleteMultipartUpload"
        )
        parameters = {"Bucket": bucket, "Key": key}
        if "list-type" in query:
            operation, parameters = (
                "ListObjectsV2",
                {"Bucket": bucket, "Prefix": query.get("prefix", [""])[0]},
            )
        elif "partNumber" in query:
            operation = "UploadPart"
        said = dict(_XML.findall(rest))
        yield (
            "s3",
            operation,
            parameters,
            int(status),
            said.get("Code", ""),
            unescape(said.get("Message", "")),
        )


def _of_url(host: str, path: str, named: str) -> tuple[str, str]:
    """Bucket and key of an S3 URL, in both of its styles. named: the bucket, where the library said it."""
    first, _, rest = path.partition("/")
    virtual = re.fullmatch(r"(.+?)\.s3[.-].*amazonaws\.com(\.cn)?", host)
    if virtual:
        return virtual[1], path
    if named and host.startswith(f"{named}."):
        return named, path
    return first, rest
