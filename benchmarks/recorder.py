"""What listening costs: a call of boto3 with the recorder and without, by turns, in one process.

    python benchmarks/recorder.py

Two kinds of call, because what listening adds does not depend on the network and the share does: one that never leaves
the process (botocore prepares it, and is handed an answer), which no real call can undercut, and one to a server on
this machine. Time is this process's on the processor, of the fastest round on either side: listening waits for nothing.
"""

from __future__ import annotations

import gc
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from sm_access.aws.recorder import Recorder

ROUNDS = 9
CALLS = 200


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = (
        True  # head and body are two small packets; waiting between them is not what is measured
    )

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: Any) -> None:
        return


def client(endpoint: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="y",  # noqa: S106 - nobody's
        config=Config(retries={"total_max_attempts": 1}),
    )


def seconds(call: Callable[[], Any]) -> float:
    gc.collect()
    began = time.process_time()
    for _ in range(CALLS):
        call()
    return (time.process_time() - began) / CALLS


def compare(name: str, call: Callable[[], Any], recorder: Recorder) -> None:
    without, listening = [], []
    call()
    for _ in range(ROUNDS):
        without.append(seconds(call))
        recorder.start()
        listening.append(seconds(call))
        recorder.stop()
    fast, slow = min(without), min(listening)
    print(
        f"| {name} | {fast * 1e6:.0f} us | {slow * 1e6:.0f} us | {slow / fast:.3f} | {(slow - fast) * 1e6:.1f} us |"
    )


def main() -> None:
    recorder = Recorder()
    get = {"Bucket": "lake", "Key": "raw/x.csv"}
    print("| a call | without | listening | times | added |\n| --- | ---: | ---: | ---: | ---: |")
    offline = client("http://127.0.0.1:9")
    answer = {"ResponseMetadata": {"HTTPStatusCode": 200, "RequestId": "x", "HTTPHeaders": {}}}
    response = AWSResponse("http://127.0.0.1:9", 200, {}, None)
    offline.meta.events.register("before-call", lambda **_: (response, answer))  # nothing is sent
    compare("that never leaves the process", partial(offline.get_object, **get), recorder)
    with serving() as endpoint:
        near = client(endpoint)
        compare("to this machine", partial(read, near, get), recorder)


def read(client: Any, get: dict[str, str]) -> bytes:
    body: bytes = client.get_object(**get)["Body"].read()
    return body


@contextmanager
def serving() -> Iterator[str]:
    """A server in a process of its own: in this one the two would take turns."""
    ports: Any = multiprocessing.SimpleQueue()
    child = multiprocessing.Process(target=_serve, args=(ports,), daemon=True)
    child.start()
    yield f"http://127.0.0.1:{ports.get()}"
    child.terminate()


def _serve(ports: Any) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Answer)
    ports.put(server.server_port)
    server.serve_forever()


if __name__ == "__main__":
    main()
