"""docs/reference.md names every command, option, setting, rule, name and error, as the code has them - and no other."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

import sm_access
from sm_access import config, errors
from sm_access.cli.main import sm_access as root
from sm_access.config import Settings

PACKAGE = Path(sm_access.__file__).parent
REFERENCE = Path(__file__).parents[1] / "docs" / "reference.md"
TEXT = REFERENCE.read_text(encoding="utf-8")
EVERYWHERE = {"--json", "--help", "-h"}


def leaves(group: click.Group, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, (*words, name))
        else:
            yield (*words, name), command


COMMANDS = dict(leaves(root, ("sm-access",)))
SECTIONS = {
    tuple(word for word in title.split() if word.islower() and word.isascii()): body
    for title, body in re.findall(r"^### `([^`]+)`\n(.*?)(?=^##)", TEXT, re.MULTILINE | re.DOTALL)
}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_a_section_with_its_options_and_arguments(words: tuple[str, ...]) -> None:
    assert words in SECTIONS
    for parameter in COMMANDS[words].params:
        if isinstance(parameter, click.Option):
            for option in set(parameter.opts) - EVERYWHERE:
                assert f"`{option}" in SECTIONS[words], f"{' '.join(words)} {option}"
            if isinstance(parameter.default, str) and parameter.default and parameter.show_default:
                assert parameter.default in TEXT


def test_no_section_is_of_a_command_that_is_gone() -> None:
    assert set(SECTIONS) == set(COMMANDS)


def test_no_option_is_of_a_command_that_has_lost_it() -> None:
    for words, body in SECTIONS.items():
        has = {option for parameter in COMMANDS[words].params for option in parameter.opts}
        assert set(re.findall(r"`(--[a-z-]+)", body)) <= has | EVERYWHERE, words


def test_json_is_everywhere_but_where_the_page_says() -> None:
    without = {words for words, command in COMMANDS.items() if not _has(command, "--json")}
    assert without == {("sm-access", "completion"), ("sm-access", "demo"), ("sm-access", "sandbox", "lab")}


def _has(command: click.Command, option: str) -> bool:
    return any(option in parameter.opts for parameter in command.params)


@pytest.mark.parametrize("option", [option for parameter in root.params for option in parameter.opts])
def test_options_of_the_whole_command_line(option: str) -> None:
    assert f"`{option}`" in TEXT


def test_every_setting_has_key_variable_and_default() -> None:
    known = set(config._TOP_LEVEL_KEYS)
    assert {field.name for field in fields(Settings)} - {"rules", "source", "ledger_is_given"} <= known
    for key in known - {"review", "bucket", "role"}:
        assert f"| `{key}` | `SM_ACCESS_{key.upper()}` |" in TEXT
    assert "| `[review]` |" in TEXT
    assert '| `[bucket."NAME"]` |' in TEXT
    assert '| `[role."NAME"]` |' in TEXT
    plain = Settings.load({"SM_ACCESS_CONFIG": ""}, ledger="sqlite:///x")
    assert f"| `{plain.timeout_seconds:g}` |" in TEXT
    assert f"| `{plain.resource_metadata}` |" in TEXT


def test_every_variable_that_the_code_reads_is_named() -> None:
    read = {
        name
        for path in PACKAGE.rglob("*.py")
        for name in re.findall(r'"(SM_ACCESS_[A-Z_]*[A-Z])"', path.read_text(encoding="utf-8"))
    }
    assert len(read) >= 6
    assert {name for name in read if f"`{name}`" not in TEXT} == set()
    assert set(re.findall(r"`(SM_ACCESS_\w+)`", TEXT)) == read


def test_every_rule_has_its_default() -> None:
    from sm_access.access.ceiling import DEFAULT_LEVELS, DEFAULT_MAX_DURATION
    from sm_access.access.duration import format_duration
    from sm_access.access.rules import KEYS, SHORTCUT_KEYS

    for key in KEYS:
        assert f"| `{key}` |" in TEXT
    for key in SHORTCUT_KEYS:
        assert f"`{key}`" in TEXT
    assert f'| `max_duration` | `"{format_duration(DEFAULT_MAX_DURATION)}"` |' in TEXT
    shown = ", ".join(f'"{level.value}"' for level in DEFAULT_LEVELS)
    assert f"| `levels` | `[{shown}]` |" in TEXT


def test_the_example_is_one_that_works(tmp_path: Path) -> None:
    from sm_access.bootstrap import Services

    (example,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    path = tmp_path / "config.toml"
    path.write_text(example, encoding="utf-8")
    rules = Services(Settings.load({"SM_ACCESS_CONFIG": str(path)})).rules
    assert [level.value for level in rules.of("acme-hr").ceiling.levels] == ["read"]
    assert rules.quorum("acme-hr") == 2
    assert rules.auto[0].name == "public data"
    assert rules.of("acme-hr").reviewers != rules.of("acme-lake").reviewers


@pytest.mark.parametrize("name", sm_access.__all__)
def test_every_public_name_stands_there_with_its_signature(name: str) -> None:
    found = getattr(sm_access, name)
    if not (inspect.isfunction(found) or name == "AccessPanel"):
        assert f"`{name}`" in TEXT
        return
    shown = []
    starred = False
    for parameter in inspect.signature(found).parameters.values():
        if parameter.name == "services":
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            shown.append(f"*{parameter.name}")
            starred = True
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            shown.append("*")
            starred = True
        default = (
            "" if parameter.default is parameter.empty else "=" + repr(parameter.default).replace("'", '"')
        )
        shown.append(f"{parameter.name}{default}")
    assert f"`{name}({', '.join(shown)})`" in TEXT


ERRORS = [
    found
    for found in vars(errors).values()
    if isinstance(found, type) and issubclass(found, errors.SmAccessError)
]


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_stands_there_with_its_exit_code(kind: type[errors.SmAccessError]) -> None:
    assert f"| `{kind.__name__}` | {kind.exit_code} |" in TEXT


def test_no_error_stands_there_that_is_gone() -> None:
    listed = set(re.findall(r"^\| `(\w+)` \| \d \|", TEXT, re.MULTILINE))
    assert listed == {kind.__name__ for kind in ERRORS}
