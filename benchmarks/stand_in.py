"""A stand-in for AWS behind a door that delays, counts and fails: moto, and a proxy before it.

    python benchmarks/stand_in.py --delay 0.05     prints its URL; serves until standard input ends

The door answers `GET /-/requests` with what came through as JSON, and forgets it.
"""

from __future__ import annotations

import argparse
import json
import logging
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ACCOUNT = "123456789012"
_S3_PARTS = {
    "policy": "GetBucketPolicy",
    "encryption": "GetBucketEncryption",
    "ownershipControls": "GetBucketOwnershipControls",
    "publicAccessBlock": "GetPublicAccessBlock",
    "location": "GetBucketLocation",
}

Fault = Callable[["Door"], None]


@dataclass(frozen=True, slots=True)
class Seen:
    """One request. operation: AWS's name; target: the bucket, role or policy where it names one."""

    operation: str
    target: str
    begun: float
    ended: float


class Rounds:
    """Holds every request until none has come for a while, then lets all go: how often it does is the number of round
    trips that wait for each other, however fast or busy the machine is.
    """

    def __init__(self, quiet_seconds: float = 0.4) -> None:
        self.count = 0
        self._quiet = quiet_seconds
        self._changed = threading.Condition()
        self._last = 0.0
        self._number = 0

    def wait(self) -> None:
        with self._changed:
            mine = self._number
            self._last = time.monotonic()
            while mine == self._number:
                left = self._last + self._quiet - time.monotonic()
                if left <= 0:
                    self.count += 1
                    self._number += 1
                    self._changed.notify_all()
                    return
                self._changed.wait(left)


class Door(BaseHTTPRequestHandler):
    """One connection through the door. The server it belongs to is the `StandIn`'s."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _serve(self) -> None:
        stand_in = self.server.stand_in
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/-/requests":
            self.answer(200, json.dumps([vars_of(seen) for seen in stand_in.take()]).encode())
            return
        operation, target = told_operation(self.command, self.path, dict(self.headers.items()), body)
        begun = time.monotonic()
        try:
            stand_in.before()
            fault = stand_in.fault(operation, target)
            if fault is not None:
                fault(self)
                return
            status, headers, content = self._forward(body, stand_in.address)
            self.answer(status, content, headers)
        finally:
            stand_in.seen.append(Seen(operation, target, begun, time.monotonic()))

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _serve  # noqa: N815 - http.server's names

    def _forward(self, body: bytes, address: tuple[str, int]) -> tuple[int, list[tuple[str, str]], bytes]:
        onward = HTTPConnection(*address, timeout=30)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            onward.request(self.command, self.path, body or None, headers)
            answer = onward.getresponse()
            kept = [
                (name, value)
                for name, value in answer.getheaders()
                if name.lower() not in {"connection", "content-length", "transfer-encoding", "server", "date"}
            ]
            return answer.status, kept, answer.read()
        finally:
            onward.close()

    def answer(
        self,
        status: int,
        content: bytes,
        headers: list[tuple[str, str]] | None = None,
        *,
        length: int | None = None,
    ) -> None:
        """Send an answer. length: of the content, as it is claimed to be."""
        self.send_response(status)
        for name, value in headers or []:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def vars_of(seen: Seen) -> dict[str, Any]:
    return {"operation": seen.operation, "target": seen.target, "begun": seen.begun, "ended": seen.ended}


def told_operation(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[str, str]:
    """Which operation a request is, and on what."""
    lowered = {name.lower(): value for name, value in headers.items()}
    if "x-amz-target" in lowered:
        given = json.loads(body or b"{}")
        target = next((str(given[name]) for name in ("KeyId", "PolicyId", "TargetId") if name in given), "")
        return lowered["x-amz-target"].rsplit(".", 1)[-1], target
    form = parse_qs(body.decode("utf-8", "replace")) if method == "POST" else {}
    if "Action" in form:
        names = ("PolicyName", "PolicyArn", "RoleName", "UserName", "GroupName")
        return form["Action"][0], next((form[name][0] for name in names if name in form), "")
    parts = urlsplit(path)
    bucket = parts.path.strip("/").split("/")[0]
    if parts.path.startswith("/v20180820/"):
        return "account's GetPublicAccessBlock", ""
    for part in parse_qs(parts.query, keep_blank_values=True):
        if part in _S3_PARTS and method == "GET":
            return _S3_PARTS[part], bucket
    if method == "HEAD":
        return "HeadBucket", bucket
    return ("ListBuckets", "") if not bucket else (f"{method} object", bucket)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    stand_in: StandIn

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is none of ours."""


class StandIn:
    """moto, and the door before it. delay: seconds added to each request. faults: operation -> what happens instead,
    or `operation target` for one alone. rounds: where set, requests are held and counted in rounds.
    """

    def __init__(self, *, delay: float = 0.0) -> None:
        self.delay = delay
        self.rounds: Rounds | None = None
        self.faults: dict[str, Fault] = {}
        self.seen: list[Seen] = []
        self._door = _Server(("127.0.0.1", 0), Door)
        self._door.stand_in = self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._door.server_address[1]}"

    def __enter__(self) -> StandIn:
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._moto.start()
        self.address: tuple[str, int] = self._moto.get_host_and_port()
        self._forget()
        threading.Thread(target=self._door.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._door.shutdown()
        self._door.server_close()
        self._forget()
        self._moto.stop()

    def _forget(self) -> None:
        """What moto holds, it holds for the whole process."""
        onward = HTTPConnection(*self.address, timeout=30)
        onward.request("POST", "/moto-api/reset")
        onward.getresponse().read()
        onward.close()

    def before(self) -> None:
        if self.rounds is not None:
            self.rounds.wait()
        elif self.delay:
            time.sleep(self.delay)

    def fault(self, operation: str, target: str) -> Fault | None:
        return self.faults.get(f"{operation} {target}") or self.faults.get(operation)

    def take(self) -> list[Seen]:
        """What came through since the last time."""
        taken, self.seen = self.seen, []
        return taken

    @contextmanager
    def failing(self, faults: dict[str, Fault]) -> Iterator[None]:
        """While it lasts, these operations fail."""
        self.faults = faults
        try:
            yield
        finally:
            self.faults = {}

    def session(self, access_key: str = "", secret: str = "", token: str | None = None) -> Any:
        """A boto3 session whose clients know this endpoint alone; without a key, of somebody who may do anything."""
        import boto3

        url = self.url

        class Session(boto3.Session):  # type: ignore[misc]
            def client(self, service: str, *args: Any, **given: Any) -> Any:
                given.setdefault("endpoint_url", url)
                return super().client(service, *args, **given)

        return Session(access_key or "AKIASTANDIN", secret or "any", token, region_name="us-east-1")


# What can go wrong on the way.


def hang(seconds: float = 60) -> Fault:
    """Take the request and say nothing."""
    return lambda _: time.sleep(seconds)


def reset(door: Door) -> None:
    """Break the connection off."""
    door.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    door.close_connection = True
    door.connection.close()


def answers(status: int, content: str, kind: str = "text/xml") -> Fault:
    """Another answer, of S3's or IAM's or nobody's."""
    return lambda door: door.answer(status, content.encode(), [("Content-Type", kind)])


def refuses(code: str, status: int = 400, message: str = "no") -> Fault:
    """An error in AWS's words: those of S3, of IAM and STS, or of the services that speak JSON."""

    def refuse(door: Door) -> None:
        if "X-Amz-Target" in door.headers:
            content, kind = json.dumps({"__type": code, "message": message}), "application/x-amz-json-1.1"
        elif door.command == "POST":
            content, kind = (
                f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>",
                "text/xml",
            )
        else:
            content, kind = (
                f"<Error><Code>{code}</Code><Message>{message}</Message></Error>",
                "application/xml",
            )
        door.answer(status, content.encode(), [("Content-Type", kind)])

    return refuse


def truncated(door: Door) -> None:
    """Half an answer, then the end of the connection."""
    door.answer(200, b'<?xml version="1.0"?><GetRoleResponse><GetRoleRes', length=5000)
    door.wfile.flush()
    door.close_connection = True
    door.connection.shutdown(socket.SHUT_RDWR)


def drip(seconds: float = 30) -> Fault:
    """An answer that comes byte by byte, so that no time-out of a read ever ends it."""

    def drop_by_drop(door: Door) -> None:
        door.send_response(200)
        door.send_header("Content-Length", "100000")
        door.end_headers()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            door.wfile.write(b" ")
            door.wfile.flush()
            time.sleep(0.1)
        door.close_connection = True

    return drop_by_drop


def seed(stand_in: StandIn, *, policies: int = 20, buckets: int = 10) -> Any:
    """A role with so many policies, half of them inline, and a boundary; and buckets, each with a policy and a key,
    half of the keys named by an alias. Returns a session of the role.
    """
    session = stand_in.session()
    iam, s3, kms = (session.client(service) for service in ("iam", "s3", "kms"))
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam.create_role(
        RoleName="notebooks",
        AssumeRolePolicyDocument=json.dumps(trust),
        PermissionsBoundary=iam.create_policy(
            PolicyName="boundary", PolicyDocument=_document(["s3:*", "kms:*", "iam:*"], ["*"])
        )["Policy"]["Arn"],
        Tags=[{"Key": "team", "Value": "vision"}],
    )
    for number in range(policies):
        place = f"arn:aws:s3:::bucket-{number % max(buckets, 1):04}"
        document = _document(
            ["s3:*", "kms:Decrypt", "kms:GenerateDataKey"], [place, f"{place}/*", "arn:aws:kms:*:*:key/*"]
        )
        if number % 2:
            iam.put_role_policy(RoleName="notebooks", PolicyName=f"inline-{number}", PolicyDocument=document)
        else:
            made = iam.create_policy(PolicyName=f"attached-{number}", PolicyDocument=document)["Policy"][
                "Arn"
            ]
            iam.attach_role_policy(RoleName="notebooks", PolicyArn=made)
    for number in range(buckets):
        name = f"bucket-{number:04}"
        key = kms.create_key()["KeyMetadata"]
        if number % 2:
            kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key["KeyId"])
        s3.create_bucket(Bucket=name)
        s3.put_bucket_encryption(
            Bucket=name,
            ServerSideEncryptionConfiguration={
                "Rules": [
                    {
                        "ApplyServerSideEncryptionByDefault": {
                            "SSEAlgorithm": "aws:kms",
                            "KMSMasterKeyID": f"alias/{name}" if number % 2 else key["Arn"],
                        }
                    }
                ]
            },
        )
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{name}/*",
        }
        s3.put_bucket_policy(
            Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        )
    issued = session.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/notebooks", RoleSessionName="SageMaker"
    )["Credentials"]
    return stand_in.session(issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])


def _document(actions: list[str], resources: list[str]) -> str:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--delay", type=float, default=0.05, help="seconds added to each request")
    arguments = parser.parse_args()
    with StandIn() as stand_in:
        issued = seed(stand_in).get_credentials()
        stand_in.take()
        stand_in.delay = arguments.delay
        found = {"url": stand_in.url, "credentials": [issued.access_key, issued.secret_key, issued.token]}
        print(json.dumps(found), flush=True)
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
