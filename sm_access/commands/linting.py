"""What is wrong with policies in files: `sm-access lint FILE...`. Asks AWS nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sm_access.commands.documents import printable, read_documents
from sm_access.errors import UnreadableFile
from sm_access.presentation.linting import Located, linting_page
from sm_access.presentation.result import Result


def lint(*files: str, kind: str | None = None, strict: bool = False) -> Result:
    """Everything that is wrong with the policy documents of the files, `-` being standard input.

    kind: one of PolicyKind's values; None to guess. The result's exit code: 1 where AWS would refuse one or,
    `strict`, where there is any finding. Raises UnreadableFile and InvalidInput.
    """
    from sm_access import catalog

    located: list[Located] = []
    policies = 0
    for file in files:
        for document in read_documents(file):
            for value, start in _policies(document.value):
                if not isinstance(value, dict):
                    raise document.unreadable(start, "expected a policy document")
                policies += 1
                for found in catalog.lint(value, kind=kind):
                    placed = replace(found, path=printable(start + found.path[1:]))
                    located.append(Located(document.file, document.line_of(placed.path), placed))
    if not policies:
        raise UnreadableFile(f"{files[0]}:1: this holds no policy.")
    page = linting_page(located, policies)
    return Result(page, 1 if page.data["errors"] or (strict and located) else 0)


def _policies(value: object) -> Iterator[tuple[object, str]]:
    if isinstance(value, list):
        yield from ((item, f"$[{place}]") for place, item in enumerate(value))
    else:
        yield value, "$"
