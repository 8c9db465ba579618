"""Ceph's S3 gateway for the tests: an S3 with IAM roles and STS that others wrote, and that runs in production.

One monitor, one store in memory, one gateway; on the loopback alone, in a directory that goes with it. Needs the
binaries (Debian: `apt-get install --no-install-recommends radosgw ceph-mon ceph-osd ceph-common`), root, and 150 MiB.

What it does differently from AWS, `beyond` tells; whoever replays policies here leaves that out. Its own documentation
("Bucket Policies", "Limitations") names the missing variables and context keys; the rest is as its source has it
(`rgw_iam_policy.cc`), seen in version 16.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from sm_access.policy.conditions.registry import find_operator

BINARIES = ("ceph-mon", "ceph-osd", "radosgw", "ceph", "radosgw-admin", "monmaptool", "ceph-authtool")
HOW_TO_GET = (
    "Ceph's gateway is not here. On Debian, as root: "
    "apt-get install --no-install-recommends radosgw ceph-mon ceph-osd ceph-common"
)
REGION = "us-east-1"
STARTS_WITHIN = 60.0
_CONFIGURATION = """
[global]
fsid = {fsid}
keyring = {home}/keyring
mon host = [v2:127.0.0.1:{monitor}]
mon initial members = a
mon data = {home}/mon
mon data avail crit = 0
mon data avail warn = 0
mon warn on pool no redundancy = false
auth allow insecure global id reclaim = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
public network = 127.0.0.0/8
run dir = {home}
log file = {home}/$name.log
pid file = {home}/$name.pid
admin socket =
paxos propose interval = 0.02
paxos min wait = 0.01
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd data = {home}/osd
osd objectstore = memstore
osd class load list = *
osd class default list = *
memstore device bytes = 268435456
[client.rgw]
rgw data = {home}/rgw
rgw frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
rgw s3 auth use sts = true
rgw sts key = {sts_key}
rgw enable usage log = false
"""
_SECRET = "radosgw-secret"
DEFAULT_MAX_KEYS = "1000"  # what a listing carries that asks for no number
_KEYS = ("aws:CurrentTime", "aws:EpochTime", "aws:SourceIp", "s3:prefix", "s3:delimiter", "s3:max-keys")
_ALWAYS_THERE = ("aws:CurrentTime", "aws:EpochTime", "aws:SourceIp")


def beyond(statement: Mapping[str, Any]) -> str:
    """What of a statement in an identity policy the gateway takes otherwise than AWS; empty where nothing is."""
    if "NotAction" in statement:
        return "NotAction covers nothing"
    if "${" in str(statement):
        return "there are no policy variables"
    for operator, keys in statement.get("Condition", {}).items():
        if find_operator(operator) is None:
            return "what is no operator is refused"
        for key in keys:
            if key not in _KEYS:
                return f"{key} is not known: names of keys are case-sensitive, and few"
            if operator == "Null":
                return "Null of an absent key"
            if "Not" in operator and key not in _ALWAYS_THERE:
                return "a negated operator does not hold without its key"
    return ""


def missing() -> str:
    """Why the gateway cannot run here, in words that say what to do; empty where it can."""
    if not all(map(shutil.which, BINARIES)):
        return HOW_TO_GET
    return "" if hasattr(os, "geteuid") and os.geteuid() == 0 else "Ceph's gateway needs root here."


class Radosgw:
    """A gateway that runs inside a `with`; `owner` owns its buckets and may do everything with roles."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._stack = ExitStack()
        self._port = _free_port()
        self.endpoint = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Radosgw:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def owner(self, service: str) -> Any:
        """A client of whoever owns the buckets."""
        return self._client(service, "AKIAOWNER", _SECRET)

    def session(self, role: str, service: str = "s3", **more: Any) -> Any:
        """A client of a new session of `role`, which trusts the owner. `more`: as assume_role takes it."""
        given = self.owner("sts").assume_role(
            RoleArn=f"arn:aws:iam:::role/{role}", RoleSessionName=role, **more
        )["Credentials"]
        return self._client(service, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def _client(self, service: str, key: str, secret: str, token: str | None = None) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
        )

    def _start(self) -> None:
        home, fsid, osd = self._home, str(uuid.uuid4()), str(uuid.uuid4())
        monitor = _free_port()
        values = {"fsid": fsid, "home": home, "monitor": monitor, "port": self._port}
        configuration = _CONFIGURATION.format(**values, sts_key=secrets.token_hex(8))
        home.joinpath("ceph.conf").write_text(configuration)
        for directory in ("mon", "osd", "rgw"):
            home.joinpath(directory).mkdir()
        everything = ("--cap", "mon", "allow *", "--cap", "osd", "allow *")
        for name, caps in (
            ("mon.", everything[:3]),
            ("client.admin", everything),
            ("client.rgw", everything),
            ("osd.0", ("--cap", "mon", "allow profile osd", "--cap", "osd", "allow *")),
        ):
            create = () if name != "mon." else ("-C",)
            self._run("ceph-authtool", *create, "keyring", "--gen-key", "-n", name, *caps)
        address = f"[v2:127.0.0.1:{monitor}]"
        self._run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", address, "monmap")
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", "monmap", "--keyring", "keyring")
        self._daemon("ceph-mon", "-i", "a")
        self._run("ceph", "osd", "new", osd)
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self._daemon("ceph-osd", "-i", "0")
        # Before the gateway: it would have to be told of each change, and answers late while it starts.
        user = ("--uid", "owner", "--display-name", "owner", "--access-key", "AKIAOWNER")
        caps = ("--secret-key", _SECRET, "--caps", "roles=*;user-policy=*")
        self._run("radosgw-admin", "user", "create", *user, *caps)
        self._daemon("radosgw", "-n", "client.rgw")
        _wait(lambda: _listens(self._port), "the gateway")

    def _run(self, program: str, *arguments: str) -> None:
        configured = () if program in ("monmaptool", "ceph-authtool") else ("-c", "ceph.conf")
        done = subprocess.run(
            [program, *configured, *arguments],
            cwd=self._home,
            capture_output=True,
            text=True,
            timeout=STARTS_WITHIN,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} {' '.join(arguments)} failed: {done.stderr[-2000:]}")

    def _daemon(self, program: str, *arguments: str) -> None:
        with self._home.joinpath(f"{program}.out").open("w") as out:
            started = subprocess.Popen(
                [program, "-c", "ceph.conf", *arguments, "-f"],
                cwd=self._home,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._stack.callback(_end, started)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing in it is to be kept, so it need not be asked."""
    process.send_signal(signal.SIGKILL)
    process.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait(until: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while not until():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not start within {STARTS_WITHIN:.0f} seconds")
        time.sleep(0.05)
