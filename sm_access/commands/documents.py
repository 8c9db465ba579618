"""Files of JSON, JSON lines or YAML, and where in them a JSON path stands.

A file is JSON where its name says so (.json, .jsonl, .ndjson) or its text begins with a bracket, else YAML. Both may
hold several documents. In YAML only text, numbers as JSON writes them, true, false and null mean what they look
like: `2012-10-17` stays text, and so does `yes`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, Protocol

from sm_access.errors import UnreadableFile

LARGEST = 16 * 2**20
LARGEST_YAML = 2**20  # its reader takes ten seconds for that much
MOST_YAML_NODES = 200_000
DEEPEST = 64
STANDARD_INPUT = "-"
_SPACE = re.compile(r"[ \t\n\r]*")


class Place(Protocol):
    """A value where it stands in its file."""

    @property
    def line(self) -> int: ...

    def children(self) -> Iterator[tuple[str | int, Place]]: ...


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file, decoded. `file` is what the person typed, or `<stdin>`."""

    file: str
    value: Any
    place: Place

    def line_of(self, path: str) -> int:
        """The line, from 1, of a JSON path such as `$.policies.identity[0]`; of its nearest ancestor where it leads
        nowhere."""
        return _found(self.place, path[1:]).line

    def unreadable(self, path: str, expected: str) -> UnreadableFile:
        """The error that names file, line and path."""
        return UnreadableFile(
            f"{self.file}:{self.line_of(path)}: at {printable(path)}, {printable(expected)}."
        )


def read_documents(file: str) -> tuple[Document, ...]:
    """All documents of a file, `-` being standard input; raises UnreadableFile."""
    name = "<stdin>" if file == STANDARD_INPUT else printable(file)
    content = _content(file, name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content[: problem.start].count(b"\n") + 1
        raise UnreadableFile(f"{name}:{line}: this is not UTF-8 text.") from problem
    suffix = Path(file).suffix.lower()
    try:
        if suffix in (".yaml", ".yml") or (
            suffix not in (".json", ".jsonl", ".ndjson") and text.lstrip()[:1] not in ("{", "[")
        ):
            return tuple(Document(name, value, place) for value, place in _yaml_documents(text, name))
        return tuple(Document(name, value, place) for value, place in _json_documents(text, name))
    except RecursionError as problem:
        raise UnreadableFile(f"{name}:1: this is nested too deeply to be read.") from problem


def printable(text: str) -> str:
    """The text without what no terminal and no UTF-8 stream can take."""
    return text.encode("utf-8", "backslashreplace").decode()


def _content(file: str, name: str) -> bytes:
    try:
        if file == STANDARD_INPUT:
            content = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with Path(file).open("rb") as stream:
                content = stream.read(LARGEST + 1)
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        raise UnreadableFile(
            f"{name} cannot be read: {reason}.", remedy="Name a file, or - for standard input."
        ) from problem
    if len(content) > LARGEST:
        raise UnreadableFile(
            f"{name} is larger than {LARGEST // 2**20} MiB.", remedy="Divide it into several files."
        )
    return content


def _found(place: Place, path: str) -> Place:
    """Keys may themselves contain dots and brackets: of those that fit, the longest is meant."""
    while path:
        fitting = [
            (len(step), child)
            for key, child in place.children()
            for step in (f"[{key}]" if isinstance(key, int) else f".{key}",)
            if path.startswith(step) and path[len(step) : len(step) + 1] in ("", ".", "[")
        ]
        if not fitting:
            break
        length, place = max(fitting, key=lambda item: item[0])
        path = path[length:]
    return place


# --- JSON ---------------------------------------------------------------------------------------------------------


class _DuplicateKeyError(ValueError):
    pass


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    decoded = dict(pairs)
    if len(decoded) != len(pairs):
        raise _DuplicateKeyError
    return decoded


def _refused(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


_STRICT = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_refused)
_PLAIN = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class _JsonPlace:
    """A value of JSON text that is known to be well formed."""

    text: str
    offset: int

    @property
    def line(self) -> int:
        return self.text.count("\n", 0, self.offset) + 1

    def children(self) -> Iterator[tuple[str | int, Place]]:
        opening = self.text[self.offset]
        if opening not in "{[":
            return
        position = self._past(self.offset + 1)
        number = 0
        while self.text[position] not in "}]":
            key: str | int = number
            if opening == "{":
                key, position = _PLAIN.raw_decode(self.text, position)
                position = self._past(self._past(position) + 1)
            yield key, _JsonPlace(self.text, position)
            position = self._past(_PLAIN.raw_decode(self.text, position)[1])
            if self.text[position] == ",":
                position = self._past(position + 1)
            number += 1

    def _past(self, position: int) -> int:
        return _end_of_space(self.text, position)


def _end_of_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _json_documents(text: str, name: str) -> Iterator[tuple[Any, Place]]:
    position = _end_of_space(text, 0)
    while position < len(text):
        start = position
        try:
            value, position = _STRICT.raw_decode(text, start)
        except json.JSONDecodeError as problem:
            raise UnreadableFile(f"{name}:{problem.lineno}: this is not JSON: {problem.msg}.") from problem
        except _DuplicateKeyError as problem:
            place, path = _duplicate(_JsonPlace(text, start), "$")
            raise UnreadableFile(
                f"{name}:{place.line}: at {printable(path)}, this key stands twice."
            ) from problem
        except ValueError as problem:
            line = _JsonPlace(text, start).line
            raise UnreadableFile(f"{name}:{line}: this is not JSON: {problem}.") from problem
        yield value, _JsonPlace(text, start)
        position = _end_of_space(text, position)


def _duplicate(place: Place, path: str) -> tuple[Place, str]:
    """The second of the first two equal keys."""
    pending = [(place, path)]
    while pending:
        place, path = pending.pop()
        seen: set[str | int] = set()
        inner: list[tuple[Place, str]] = []
        for key, child in place.children():
            below = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}"
            if key in seen:
                return child, below
            seen.add(key)
            inner.append((child, below))
        pending.extend(reversed(inner))
    return place, path


# --- YAML ---------------------------------------------------------------------------------------------------------

_TAG = "tag:yaml.org,2002:"
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,17})(\.\d{1,17})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, slots=True)
class _YamlPlace:
    node: Any

    @property
    def line(self) -> int:
        line: int = self.node.start_mark.line
        return line + 1

    def children(self) -> Iterator[tuple[str | int, Place]]:
        if self.node.id == "mapping":
            yield from ((str(key.value), _YamlPlace(value)) for key, value in self.node.value)
        elif self.node.id == "sequence":
            yield from enumerate(map(_YamlPlace, self.node.value))


@cache
def _loader() -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        """Takes every plain word for text; `_plain` says what else it may be."""

        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way

    return Loader


def _yaml_documents(text: str, name: str) -> Iterator[tuple[Any, Place]]:
    import yaml

    if len(text) > LARGEST_YAML:
        raise UnreadableFile(
            f"{name} is YAML of more than {LARGEST_YAML // 2**20} MiB.",
            remedy="Divide it, or write it as JSON.",
        )
    decode = _YamlDecoder(name).decode
    try:
        nodes: Iterator[Any] = yaml.compose_all(text, Loader=_loader())
        for node in nodes:
            if not (
                node.id == "scalar" and node.value == "" and not node.style
            ):  # nothing, between two markers
                yield decode(node, 0), _YamlPlace(node)
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        raise UnreadableFile(
            f"{name}:{line}: this is not YAML: {printable(str(problem.problem))}."
        ) from problem
    except (yaml.YAMLError, ValueError) as problem:
        raise UnreadableFile(f"{name}:1: this is not YAML: {printable(str(problem))}.") from problem


class _YamlDecoder:
    """Counts what it decodes: an alias within an alias may stand for more than a machine can hold."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._left = MOST_YAML_NODES

    def decode(self, node: Any, depth: int) -> Any:
        self._left -= 1
        if self._left < 0 or depth > DEEPEST:
            self._fail(
                node, "this holds too much, or is nested too deeply; aliases count as what they stand for"
            )
        if node.id == "sequence" and node.tag == f"{_TAG}seq":
            return [self.decode(item, depth + 1) for item in node.value]
        if node.id == "mapping" and node.tag == f"{_TAG}map":
            decoded: dict[str, Any] = {}
            for key, value in node.value:
                if key.id != "scalar":
                    self._fail(key, "expected a plain key")
                if key.value in decoded:
                    self._fail(key, f"the key {key.value!r} stands twice")
                decoded[key.value] = self.decode(value, depth + 1)
            return decoded
        if node.id == "scalar" and node.tag == f"{_TAG}str":
            return node.value if node.style else _plain(node.value)
        return self._fail(node, f"the tag {node.tag.replace(_TAG, '!!')!r} is not understood here")

    def _fail(self, node: Any, words: str) -> NoReturn:
        raise UnreadableFile(f"{self._name}:{node.start_mark.line + 1}: {printable(words)}.")


def _plain(text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if not _NUMBER.fullmatch(text):
        return text
    reads: Callable[[str], Any] = int if text.lstrip("-").isdigit() else float
    return reads(text)
