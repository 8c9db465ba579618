"""Asks PMapper or moto the requests of a workload and prints how long it took and what they said, as JSON.

python python_peers.py principalmapper|moto WORKLOAD.json, where the peer can be imported.

PMapper answers yes or no. moto has no call for all layers: it is asked for the identity policies and the boundary
alone, the way its servers do, and so has less to do than the others.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

Ask = Callable[[str, str], str]


def main(peer: str, path: str) -> None:
    workload = json.loads(Path(path).read_text(encoding="utf-8"))
    ask = PEERS[peer](workload)
    for action, resource in workload["requests"][:20]:
        ask(action, resource)
    requests, rounds = workload["requests"], workload["rounds"]
    decisions = [""] * len(requests)
    seconds = float("inf")  # for one request, in the fastest round; each round asks of everything a little
    for first in range(rounds):
        places = range(first, len(requests), rounds)
        start = time.perf_counter()
        for at in places:
            decisions[at] = ask(*requests[at])
        seconds = min(seconds, (time.perf_counter() - start) / len(places))
    found = version({"principalmapper": "principalmapper", "moto": "moto"}[peer])
    print(json.dumps({"name": peer, "version": found, "seconds": seconds, "decisions": decisions}))


def principalmapper(workload: dict[str, Any]) -> Ask:
    import collections
    import collections.abc

    for name in ("Mapping", "MutableMapping"):  # it imports them from where Python 3.10 no longer has them
        setattr(collections, name, getattr(collections.abc, name))
    from principalmapper.common import Node, Policy
    from principalmapper.querying.query_interface import local_check_authorization_full

    def policy(found: dict[str, Any]) -> Any:
        return Policy(
            f"arn:aws:iam::{workload['account']}:policy/{found['name']}", found["name"], found["document"]
        )

    layers = workload["policies"]
    role = Node(
        workload["role"],
        "AROAEXAMPLEEXAMPLE123",
        [policy(found) for found in layers["identity"]],
        [],
        {"Version": "2012-10-17", "Statement": []},
        None,
        0,
        False,
        False,
        policy(layers["permissions_boundary"][0]),
        False,
        {"team": "vision"},
    )
    levels = [[policy(found) for found in level["policies"]] for level in layers["service_control"]]
    bucket, account = layers["resource"][0]["document"], workload["account"]

    def ask(action: str, resource: str) -> str:
        allowed = local_check_authorization_full(
            role, action, resource, dict(workload["context"]), bucket, account, levels
        )
        return "Allowed" if allowed else "Denied"

    return ask


def moto(workload: dict[str, Any]) -> Ask:
    from moto.iam.access_control import IAMPolicy, PermissionResult

    layers = workload["policies"]
    documents = [json.dumps(found["document"]) for found in layers["identity"]]
    boundary = [json.dumps(found["document"]) for found in layers["permissions_boundary"]]

    def outcome(listed: list[str], action: str, resource: str) -> bool:
        results = [
            IAMPolicy(text).is_action_permitted(action, resource, None, workload["context"])
            for text in listed
        ]
        return PermissionResult.DENIED not in results and PermissionResult.PERMITTED in results

    def ask(action: str, resource: str) -> str:
        allowed = outcome(documents, action, resource) and outcome(boundary, action, resource)
        return "Allowed" if allowed else "Denied"

    return ask


PEERS = {"principalmapper": principalmapper, "moto": moto}

if __name__ == "__main__":
    main(*sys.argv[1:])
