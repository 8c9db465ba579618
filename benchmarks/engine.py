"""How fast the policy engine decides, beside its peers and a floor, in one run.

    python benchmarks/engine.py [--write]    --write puts the results into benchmarks/README.md

Peers are fetched on demand into the user's cache (or $SM_ACCESS_BENCHMARK_CACHE), never into the package's own
environment; one that cannot be fetched is left out and named. Times are those of the fastest round, ours and theirs
alike: what counts is the ratio between two of them, and a busy machine must not flatter either side.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import workload

from sm_access.policy import Bound, Decision, PolicySet, Request, authorize, compile_policies

HERE = Path(__file__).parent
README = HERE / "README.md"
BEGIN, END = "<!-- results -->\n", "<!-- end of results -->"
ROUNDS = 7
PEER_REQUESTS = {"iam-simulate": 10_000, "principalmapper": 1_000, "moto": 1_000}
WORDS = {
    Decision.ALLOW: "Allowed",
    Decision.EXPLICIT_DENY: "ExplicitlyDenied",
    Decision.IMPLICIT_DENY: "ImplicitlyDenied",
    Decision.UNDETERMINED: "Undetermined",
}
TARGETS = {  # at least so many times iam-simulate
    "a decision, asked before": 4_000,
    "a decision and its statement, asked before": 2_500,
    "a decision on a resource never seen": 300,
}


@dataclass(frozen=True, slots=True)
class Peer:
    name: str
    version: str
    rate: float
    decisions: list[str]


@dataclass(slots=True)
class Results:
    """Seconds for one of each; `peers` by name."""

    floor: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    peers: dict[str, Peer] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    differences: dict[str, Counter[str]] = field(default_factory=dict)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--write", action="store_true", help="put the results into benchmarks/README.md")
    parser.add_argument(
        "--first", action="store_true", help="only the first binding of this process, in seconds"
    )
    arguments = parser.parse_args()
    results = Results()
    if arguments.first:
        raw = json.dumps(workload.policies())
        print(best(lambda: from_text(raw), 1))
        return 0
    results.seconds["parse, compile and bind, the first time in a process"] = min(
        first_binding() for _ in range(ROUNDS)
    )
    policies = PolicySet.from_dict(workload.policies())
    requests = workload.requests()
    print(f"{len(requests):,} requests: the compiled engine ...", flush=True)
    measure(results, policies, requests)
    print("the plain engine ...", flush=True)
    compare_with_plain(results, policies, requests)
    for name in PEER_REQUESTS:
        print(f"{name} ...", flush=True)
        ask_peer(results, name, requests)
    text = report(results)
    print(f"\n{text}")
    if arguments.write:
        before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
        README.write_text(f"{before}{BEGIN}{text}{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 1 if any(found for name, found in results.differences.items() if name == "plain engine") else 0


# --- our own --------------------------------------------------------------------------------------------------------


def bind(policies: PolicySet) -> Bound:
    return compile_policies(
        policies, principal=workload.PRINCIPAL, resource_account=workload.ACCOUNT, context=workload.CONTEXT
    )


def best(work: Callable[[], int], rounds: int = ROUNDS) -> float:
    """Seconds for one, in the fastest of some rounds; `work` returns how many it did."""
    found = []
    for _ in range(rounds):
        gc.collect()
        gc.disable()
        start = time.perf_counter()
        count = work()
        found.append((time.perf_counter() - start) / count)
        gc.enable()
    return min(found)


def measure(results: Results, policies: PolicySet, requests: list[tuple[str, str]]) -> None:
    bound = bind(policies)
    decide, deciding = bound.decide, bound.deciding
    results.decisions = [decide(action, resource) for action, resource in requests]
    for action, resource in requests:
        deciding(action, resource)
    actions = {action: hash(action) for action, _ in requests}
    resources = {resource: hash(resource) for _, resource in requests}

    def floor() -> int:
        found = 0
        for action, resource in requests:
            found = actions[action] & resources[resource] & 0xFFFF_FFFF & 0xFFFF_FFF7 & 0xFFFF_FF7F
        return len(requests) + (found & 0)

    def decisions() -> int:
        for action, resource in requests:
            decide(action, resource)
        return len(requests)

    def statements() -> int:
        for action, resource in requests:
            decide(action, resource)
            deciding(action, resource)
        return len(requests)

    results.floor = best(floor)
    seconds = results.seconds
    seconds["a decision, asked before"] = best(decisions)
    seconds["a decision and its statement, asked before"] = best(statements)
    seconds["a decision on a resource never seen"] = min(
        never_seen(bound, number) for number in range(4 * ROUNDS)
    )
    everything(results, policies)
    seconds["all reasons, by the plain engine"] = best(
        lambda: len([bound.authorize(action, resource) for action, resource in requests[::50]]), 3
    )
    raw = json.dumps(workload.policies())
    seconds["parse, compile and bind, again"] = best(lambda: from_text(raw), 15)


def from_text(raw: str) -> int:
    """From the JSON of all policies to the first decision."""
    bind(PolicySet.from_dict(json.loads(raw))).decide("s3:GetObject", f"{workload.BUCKET}/raw/x")
    return 1


def first_binding() -> float:
    """In a process of its own, which has read no pattern yet."""
    done = subprocess.run(
        [sys.executable, __file__, "--first"], check=True, capture_output=True, text=True, timeout=60
    )
    return float(done.stdout)


def never_seen(bound: Bound, number: int) -> float:
    """Keys that no one has asked for, each once, in areas that someone has."""
    new = [f"{workload.BUCKET}/{key}" for key in workload.keys(1_000_000 + 500 * number, 500)]
    gc.collect()
    start = time.perf_counter()
    for resource in new:
        bound.decide("s3:GetObject", resource)
    return (time.perf_counter() - start) / len(new)


def everything(results: Results, policies: PolicySet) -> None:
    """All actions of the catalog on one resource: where its kind is new, where only the resource is, again."""
    new, like, again, first = [], [], [], []
    for number in range(5):
        bound = bind(policies)
        start = time.perf_counter()
        bound.allowed_actions("arn:aws:sns:eu-west-1:111122223333:topic")
        first.append(time.perf_counter() - start)
        for area in workload.AREAS:
            resources = [f"{workload.BUCKET}/{area}/{number}-{name}" for name in ("a", "b")]
            for resource, times in zip((*resources, resources[1]), (new, like, again), strict=True):
                start = time.perf_counter()
                bound.allowed_actions(resource)
                times.append(time.perf_counter() - start)
    for name, times in (
        ("all actions on one resource of a kind never seen", new),
        ("all actions on one resource never seen", like),
        ("all actions on one resource, asked before", again),
        ("the first question for all actions, which sorts them", first),
    ):
        results.seconds[name] = sorted(times)[len(times) // 2]


def compare_with_plain(results: Results, policies: PolicySet, requests: list[tuple[str, str]]) -> None:
    plain = [""] * len(requests)
    seconds = []
    for first in range(ROUNDS):  # as the peers: each round asks of everything a little
        places = range(first, len(requests), ROUNDS)
        start = time.perf_counter()
        for at in places:
            asked = Request(workload.PRINCIPAL, *requests[at], workload.ACCOUNT, workload.CONTEXT)
            plain[at] = WORDS[authorize(policies, asked).decision]
        seconds.append((time.perf_counter() - start) / len(places))
    results.seconds["a decision by the plain engine"] = min(seconds)
    results.differences["plain engine"] = differences(results.decisions, plain, requests)


# --- peers ------------------------------------------------------------------------------------------------------------


def cache() -> Path:
    named = os.environ.get("SM_ACCESS_BENCHMARK_CACHE")
    root = (
        Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "sm-access")
    )
    found = root / "benchmark-peers"
    found.mkdir(parents=True, exist_ok=True)
    return found


def fetched(name: str) -> Path:
    """The folder in which a peer is installed; raises CalledProcessError or OSError where it cannot be."""
    folder = cache() / name
    done = folder / ".done"
    if not done.exists():
        folder.mkdir(exist_ok=True)
        package = "@cloud-copilot/iam-simulate" if name == "iam-simulate" else name
        if name == "iam-simulate":
            command = ["npm", "install", "--silent", "--ignore-scripts", "--prefix", str(folder), package]
        else:
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), package]
        subprocess.run(command, check=True, cwd=folder)
        done.touch()
    return folder


def ask_peer(results: Results, name: str, requests: list[tuple[str, str]]) -> None:
    every = len(requests) // PEER_REQUESTS[name]
    asked = requests[::every]
    data = {
        "principal": workload.PRINCIPAL,
        "role": workload.ROLE,
        "account": workload.ACCOUNT,
        "context": workload.CONTEXT,
        "policies": workload.policies(),
        "requests": asked,
        "rounds": ROUNDS,
    }
    try:
        folder = fetched(name)
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "workload.json"
            path.write_text(json.dumps(data), encoding="utf-8")
            answer = json.loads(run_peer(name, folder, path))
    except (OSError, subprocess.CalledProcessError, json.JSONDecodeError) as problem:
        results.missing[name] = str(problem)
        return
    peer = Peer(name, answer["version"], 1 / answer["seconds"], answer["decisions"])
    results.peers[name] = peer
    yes_or_no = name != "iam-simulate"
    results.differences[name] = differences(results.decisions[::every], peer.decisions, asked, yes_or_no)


def run_peer(name: str, folder: Path, path: Path) -> str:
    if name == "iam-simulate":
        command, environment = ["node", str(HERE / "iam_simulate.mjs"), str(path)], dict(os.environ)
    else:
        command = [sys.executable, str(HERE / "python_peers.py"), name, str(path)]
        environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        command, check=True, cwd=folder, env=environment, capture_output=True, text=True
    ).stdout


def differences(
    ours: list[Decision], theirs: list[str], requests: list[tuple[str, str]], yes_or_no: bool = False
) -> Counter[str]:
    """How often "we say so, they say so", with an example of each."""
    found: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for own, other, (action, resource) in zip(ours, theirs, requests, strict=True):
        word = WORDS[own]
        if yes_or_no and own is not Decision.ALLOW:
            word = "Denied"
        if word != other:
            kind = f"we {word}, they {other[:200]}"
            examples.setdefault(kind, f"{action} on {resource}")
            found[kind] += 1
    return Counter({f"{kind} (as {examples[kind]})": count for kind, count in found.items()})


# --- report ---------------------------------------------------------------------------------------------------------


def shown(seconds: float) -> str:
    if seconds < 1e-6:
        return f"{seconds * 1e9:,.0f} ns"
    return f"{seconds * 1e6:,.1f} us" if seconds < 1e-3 else f"{seconds * 1e3:,.1f} ms"


def report(results: Results) -> str:
    best_peer = results.peers.get("iam-simulate")
    rows = ["| what | time | times iam-simulate | times the floor |", "| --- | ---: | ---: | ---: |"]
    rows.append(f"| two look-ups and four ANDs (the floor) | {shown(results.floor)} | | 1 |")
    for name, seconds in results.seconds.items():
        one = name.startswith("a decision")
        ratio = f"{1 / seconds / best_peer.rate:,.0f}" if best_peer and one else ""
        wanted = f" (target {TARGETS[name]:,})" if name in TARGETS else ""
        rows.append(
            f"| {name} | {shown(seconds)} | {ratio}{wanted} | {f'{seconds / results.floor:,.1f}' if one else ''} |"
        )
    for peer in results.peers.values():
        ratio = f"{peer.rate / best_peer.rate:,.2f}" if best_peer else ""
        rows.append(f"| {peer.name} {peer.version} | {shown(1 / peer.rate)} | {ratio} | |")
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    lines = [
        *rows,
        "",
        f"Python {platform.python_version()} on {platform.machine()}, {os.cpu_count()} cores{load}.",
        "",
    ]
    lines += [f"Not measured: {name}, because {problem}." for name, problem in results.missing.items()]
    decided = Counter(WORDS[found] for found in results.decisions)
    lines.append(
        "Decisions: " + ", ".join(f"{count:,} {word}" for word, count in decided.most_common()) + "."
    )
    for name, found in results.differences.items():
        asked = len(results.peers[name].decisions) if name in results.peers else len(results.decisions)
        lines.append(f"\n{name}: {asked - found.total():,} of {asked:,} decided alike.")
        lines += [f"- {count:,} times {kind}" for kind, count in found.most_common(12)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
