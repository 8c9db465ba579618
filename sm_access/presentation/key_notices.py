"""Long-term keys in words: where they stand, and how one gets rid of them. Of a key only `AKIA` is ever shown."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from sm_access.access.key_scanner import FoundKey, KeySearch, Place, PlaceKind

_ROTATE = (
    "In IAM, under the user's security credentials, make the key inactive; when nothing breaks, delete it. Do this "
    "first: a key that was in a repository, an output or a shared file is public."
)
_INSTEAD = "Work on the notebook's role instead; on your own machine sign in with `aws configure sso`."


def places_of(found: Iterable[FoundKey]) -> tuple[str, ...]:
    """One phrase for each place, e.g. `the variable AWS_ACCESS_KEY_ID` or `cell 3 of churn.ipynb (line 2, 2 keys)`."""
    return tuple(
        _place(place, sum(each.ids for each in group))
        for place, group in (
            (place, tuple(group)) for place, group in groupby(found, key=lambda each: each.place)
        )
    )


def steps_for(found: Iterable[FoundKey]) -> tuple[str, ...]:
    """What to do, in order: end the key, then take it out of where it stands."""
    kinds = {each.place.kind for each in found}
    steps = [_ROTATE]
    if PlaceKind.VARIABLE in kinds:
        steps.append(
            "Remove the variable from what sets it - shell profile, kernel.json, lifecycle script, .env file - and "
            "start the kernel again; `unset NAME` ends it in one shell only."
        )
    if PlaceKind.FILE in kinds:
        steps.append("Delete the profile's lines from the file, and the file's copies and backups.")
    if kinds & {PlaceKind.CELL, PlaceKind.OUTPUT, PlaceKind.EXECUTED}:
        steps.append(
            "Delete the cell, clear all outputs, save, and start the kernel again. Copies remain in .ipynb_checkpoints "
            "beside the notebook and in IPython's history: delete the one, run `ipython history clear` for the other."
        )
    return (*steps, _INSTEAD)


def key_view(search: KeySearch) -> dict[str, Any]:
    """The search for programs. No part of a key is in it."""
    return {
        "found": [
            {
                "kind": each.place.kind.value,
                "name": each.place.name or None,
                "profile": each.place.profile,
                "cell": each.place.cell,
                "line": each.place.line,
                "key_ids": each.ids,
                "secrets": each.secrets,
            }
            for each in search.found
        ],
        "unsearched": [{"what": each.what, "why": each.why} for each in search.unsearched],
    }


def _place(place: Place, ids: int) -> str:
    words = {
        PlaceKind.VARIABLE: f"the variable {place.name}",
        PlaceKind.FILE: f"profile {place.profile} of {place.name}" if place.profile else place.name,
        PlaceKind.CELL: f"cell {place.cell} of {_file(place)}",
        PlaceKind.OUTPUT: f"the output of cell {place.cell} of {_file(place)}",
        PlaceKind.EXECUTED: f"what this kernel ran as [{place.cell}]",
    }[place.kind]
    detail = [f"line {place.line}"] if place.line else []
    detail += [f"{ids} keys"] if ids > 1 else []
    return f"{words} ({', '.join(detail)})" if detail else words


def _file(place: Place) -> str:
    return place.name.replace("\\", "/").rsplit("/", 1)[-1]
