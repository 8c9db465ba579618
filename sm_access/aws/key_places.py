"""Where long-term access keys are left behind: in this process's environment, the SDK's files, notebooks, folders.

Only reads, only regular files, bounded in size and number; what cannot be read is named and stops nothing.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from sm_access.access.key_scanner import (
    FoundKey,
    KeySearch,
    Place,
    PlaceKind,
    Unsearched,
    scan_text,
    scan_variables,
)

LARGEST = 16 * 1024 * 1024
"""Bytes of a file that is searched; larger ones are named."""

MOST_FILES = 10_000
"""Files of a folder that are looked at."""

#: Neither the id of a long-term key nor the name of a secret is in a file that has none of these: no need to parse it.
_MARKS = (b"AKIA", b"ecret", b"ECRET")

_HISTORY = 5_000  # executed cells that are searched, the latest


def search_process(variables: Mapping[str, str] | None = None) -> KeySearch:
    """This process's variables, the SDKs' files, what this kernel has executed, and its notebook's file."""
    environment = os.environ if variables is None else variables
    searches = [KeySearch(scan_variables(environment.items()))]
    searches += [search_file(path, sections=True) for path in sdk_files(environment)]
    searches.append(KeySearch(tuple(executed_keys())))
    notebook = open_notebook(environment)
    if notebook is not None:
        searches.append(search_file(notebook))
    return _joined(searches)


def search_folder(folder: Path) -> KeySearch:
    """Every regular file beneath a folder, links not followed."""
    problems: list[Unsearched] = []
    files = _files(folder, problems)
    searches = [search_file(path) for path in islice(files, MOST_FILES)]
    if next(files, None) is not None:
        problems.append(Unsearched(str(folder), f"more than {MOST_FILES} files"))
    return _joined([*searches, KeySearch(unsearched=tuple(problems))])


def search_file(path: Path, *, sections: bool = False) -> KeySearch:
    """One file; a notebook (`.ipynb`) cell by cell. sections: it is one of the SDK's, with profiles.

    A file that is not there is no problem; one that cannot be read is.
    """
    try:
        # Opening would wait for a writer if it is a pipe, and may do anything if it is a device.
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            return KeySearch(unsearched=(Unsearched(str(path), "not a regular file"),))
        if found.st_size > LARGEST:
            return KeySearch(unsearched=(Unsearched(str(path), f"larger than {LARGEST // 1024**2} MiB"),))
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        return KeySearch()
    except OSError as error:
        return KeySearch(unsearched=(Unsearched(str(path), error.strerror or type(error).__name__),))
    if not any(mark in data for mark in _MARKS):
        return KeySearch()
    text = data.decode("utf-8", "replace")
    if path.suffix == ".ipynb":
        notebook = _parsed(text)
        if notebook is not None:
            return KeySearch(tuple(_notebook_keys(notebook, str(path))))
    return KeySearch(scan_text(text, Place(PlaceKind.FILE, str(path)), sections=sections))


def sdk_files(variables: Mapping[str, str]) -> tuple[Path, ...]:
    """The files of the AWS SDKs: those that variables name, those in `~/.aws` - copies and backups too - and boto's."""
    home = Path.home()
    named = [
        Path(variables[name]).expanduser()
        for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "BOTO_CONFIG", "AWS_CREDENTIAL_FILE")
        if variables.get(name)
    ]
    usual = [home / ".aws" / "credentials", home / ".aws" / "config"]
    with suppress(OSError):  # no such folder; or it may not be listed, and then the two files above say so
        usual += sorted(path for path in islice((home / ".aws").iterdir(), 100) if path.is_file())
    return tuple(dict.fromkeys([*named, *usual, home / ".boto", Path("/etc/boto.cfg")]))


def executed_keys() -> Iterator[FoundKey]:
    """In what this process's IPython, if it is one, has executed: the list that it keeps as `_ih` in `__main__`."""
    history = getattr(sys.modules.get("__main__"), "_ih", None)
    if not isinstance(history, list):
        return
    cells = list(enumerate(list(history)))[-_HISTORY:]
    for count, cell in cells:
        if isinstance(cell, str) and count:
            yield from scan_text(cell[:LARGEST], Place(PlaceKind.EXECUTED, cell=count))


def open_notebook(variables: Mapping[str, str]) -> Path | None:
    """The file of the notebook that this kernel belongs to, where its front end told the kernel.

    Jupyter Server sets JPY_SESSION_NAME for a kernel and ipykernel repeats it as `__session__`; VS Code sets
    `__vsc_ipynb_file__`.
    """
    main = sys.modules.get("__main__")
    told = (getattr(main, "__vsc_ipynb_file__", None), getattr(main, "__session__", None))
    for name in (*told, variables.get("JPY_SESSION_NAME")):
        if isinstance(name, str) and name.endswith(".ipynb"):
            return Path(name).absolute()
    return None


def _notebook_keys(notebook: Mapping[str, Any], name: str) -> Iterator[FoundKey]:
    """Cells are counted from 1, as a reader counts them; outputs are named with their cell."""
    cells = notebook.get("cells")
    for number, cell in enumerate(cells if isinstance(cells, list) else (), 1):
        if not isinstance(cell, dict):
            continue
        yield from scan_text(_text(cell.get("source")), Place(PlaceKind.CELL, name, number))
        outputs = cell.get("outputs")
        for output in outputs if isinstance(outputs, list) else ():
            for text in _output_texts(output):
                yield from scan_text(text, Place(PlaceKind.OUTPUT, name, number))


def _output_texts(output: Any) -> Iterator[str]:
    """The texts of an output, in every form that it was kept in."""
    if not isinstance(output, dict):
        return
    yield _text(output.get("text"))
    yield _text(output.get("traceback"))
    data = output.get("data")
    if isinstance(data, dict):
        for form in ("text/plain", "text/html", "text/markdown"):
            yield _text(data.get(form))
        yield json.dumps(data.get("application/json"))


def _text(value: Any) -> str:
    """A text of the notebook format: a string, or a list of its lines."""
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _files(folder: Path, problems: list[Unsearched]) -> Iterator[Path]:
    def tell(error: OSError) -> None:
        problems.append(Unsearched(str(error.filename or folder), error.strerror or type(error).__name__))

    for root, folders, names in os.walk(folder, onerror=tell):
        folders.sort()
        for name in sorted(names):
            path = Path(root, name)
            if not path.is_symlink():
                yield path


def _joined(searches: Iterable[KeySearch]) -> KeySearch:
    every = list(searches)
    return KeySearch(
        tuple(found for search in every for found in search.found),
        tuple(unsearched for search in every for unsearched in search.unsearched),
    )
