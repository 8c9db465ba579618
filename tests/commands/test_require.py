"""`require`: all there, or one error with every gap - in a library call, in a shell, in a bare process."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import sm_access
from sm_access import AccessRequired
from sm_access.bootstrap import Services
from sm_access.errors import InvalidInput, InvalidS3Uri
from sm_access.sandbox.world import Sandbox

Of = Callable[[str], Services]
UNCONFIRMED = "s3://partner-exchange/"  # another account's, whose policy this role may not read


def raised(**needed: Any) -> AccessRequired:
    with pytest.raises(AccessRequired) as caught:
        sm_access.require(**needed)
    return caught.value


def test_all_there_is_a_result(services_of: Of) -> None:
    found = sm_access.require(
        read="s3://acme-lake/public/", write=["s3://acme-models/a/", "s3://acme-models/b/"],
        services=services_of("notebook"),
    )  # fmt: skip
    assert found
    assert found.to_text().startswith("✓ acme-ds-notebooks has the 3 permissions that are required.")
    assert [need["answer"] for need in found.to_dict()["required"]] == ["yes"] * 3
    assert found.to_dict()["gaps"] == []


def test_every_gap_is_in_one_error_with_its_reason_and_its_command(services_of: Of) -> None:
    error = raised(
        read=["s3://acme-lake/raw/", "s3://acme-vault/", "s3://acme-models/"],
        write=["s3://acme-hr/"],
        list=UNCONFIRMED,
        services=services_of("notebook"),
    )
    assert [(gap["level"], gap["place"], gap["answer"]) for gap in error.gaps] == [
        ("read", "s3://acme-lake/raw/", "no"),
        ("read", "s3://acme-vault", "no"),
        ("write", "s3://acme-hr", "no"),
        ("list", "s3://partner-exchange", "cannot tell"),
    ]
    assert error.exit_code == 1
    assert error.message.startswith(
        "acme-ds-notebooks lacks 3 of the 5 permissions that are required; 1 more"
    )
    said = str(error)
    assert '\n    sm-access request s3://acme-lake/raw/ read --for 7d --why "..."' in said
    assert "no because of the key" in said
    assert said.count("sm-access request") == 1  # a grant would help with nothing else
    assert "A grant cannot undo a deny" in said


def test_what_only_could_not_be_confirmed_says_so_and_is_no_no(services_of: Of) -> None:
    error = raised(list=UNCONFIRMED, services=services_of("notebook"))
    assert error.exit_code == 3
    assert not error.confirmed
    assert "could not be confirmed" in str(error)
    two = raised(list=[UNCONFIRMED, "s3://acme-models/"], services=services_of("notebook"))
    assert two.message.startswith("Of the 2 permissions that are required, 1 could not be confirmed")


def test_whoever_asks_may_accept_what_could_not_be_confirmed(services_of: Of) -> None:
    notebook = services_of("notebook")
    with pytest.warns(UserWarning, match="could not be confirmed"):
        found = sm_access.require(list=UNCONFIRMED, unknown="warn", services=notebook)
    assert found.to_text().startswith("! ")
    quiet = sm_access.require(list=UNCONFIRMED, unknown="allow", services=notebook)
    assert [gap["answer"] for gap in quiet.to_dict()["gaps"]] == ["cannot tell"]
    for unknown in ("warn", "allow"):  # never what is surely missing
        assert raised(
            read="s3://acme-lake/raw/", list=UNCONFIRMED, unknown=unknown, services=notebook
        ).confirmed


@pytest.mark.parametrize(
    ("needed", "kind", "words"),
    [
        ({"read": ["s3:/x", "http://y", "s3://acme-models/"]}, InvalidS3Uri, "'s3:/x'.*'http://y'"),
        ({"read": "s3://Bad_Name/"}, InvalidS3Uri, "cannot be the name"),
        ({"read": [b"s3://x/"]}, InvalidInput, "not a place"),
        ({}, InvalidInput, "no place was given"),
        ({"read": []}, InvalidInput, "no place was given"),
        ({"read": "s3://acme-models/", "unknown": "perhaps"}, InvalidInput, "perhaps"),
    ],
)
def test_wrong_words_are_told_before_anything_is_asked(
    needed: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        sm_access.require(**needed)


def test_the_same_need_twice_is_one(services_of: Of) -> None:
    found = sm_access.require(
        read=["s3://acme-models/", "s3://acme-models/"], services=services_of("notebook")
    )
    assert len(found.to_dict()["required"]) == 1


def test_a_bucket_is_read_once_for_all_levels(services_of: Of) -> None:
    notebook = services_of("notebook")
    steps: list[tuple[int, int, str]] = []
    notebook.progress = lambda *step: steps.append(step)
    sm_access.require(
        read=["s3://acme-models/a/", "s3://acme-models/b/"], write="s3://acme-models/c/", services=notebook
    )
    told = [words for _, _, words in steps]
    assert told.count("reading the owner of acme-models") == 1
    assert told.count("reading the role acme-ds-notebooks") == 1


def test_threads_may_share_services(services_of: Of) -> None:
    notebook = services_of("notebook")
    with ThreadPoolExecutor(4) as pool:
        done = list(
            pool.map(
                lambda _: bool(sm_access.require(write="s3://acme-models/", services=notebook)), range(4)
            )
        )
    assert done == [True] * 4


def test_an_error_survives_the_way_between_processes(services_of: Of) -> None:
    error = raised(read="s3://acme-lake/raw/", services=services_of("notebook"))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    assert (str(again), again.gaps, again.exit_code) == (str(error), error.gaps, 1)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--read", "s3://acme-lake/public/", "--write", "s3://acme-models/"), 0, "has the 2 permissions"),
        (("--read", "s3://acme-lake/raw/", "--read", "s3://acme-vault/"), 1, "lacks 2 of the 2"),
        (("--list", UNCONFIRMED), 3, "could not be confirmed"),
        (("--list", UNCONFIRMED, "--unknown", "allow"), 0, "could not be confirmed"),
        (
            ("--list", UNCONFIRMED, "--unknown", "warn"),
            0,
            "? The one permission that is required could not be",
        ),
        (("--read", "s3:/x"), 2, "is not an S3 URI"),
        ((), 2, "no place was given"),
    ],
)
def test_the_command_line_has_the_same_answers_as_exit_codes(
    enter: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    from sm_access.cli.main import main

    enter("notebook")
    assert main(["require", *arguments]) == code
    printed = capsys.readouterr()
    assert words in " ".join((printed.out + printed.err).split())


def test_gaps_as_json(enter: Callable[[str], None], capsys: pytest.CaptureFixture[str]) -> None:
    from sm_access.cli.main import main

    enter("notebook")
    assert main(["require", "--read", "s3://acme-lake/raw/", "--json"]) == 1
    view = json.loads(capsys.readouterr().out)
    assert view["error"] == "AccessRequired"
    assert view["gaps"][0]["place"] == "s3://acme-lake/raw/"


def test_in_a_bare_process_without_ipython(sandbox: Sandbox, tmp_path: Path) -> None:
    """What a training container does: no IPython, no rich, no click; and nothing of them is looked for."""
    script = (
        "import sys\n"
        "for name in ('IPython', 'ipywidgets', 'click', 'rich', 'jupyter_server'): sys.modules[name] = None\n"
        "import sm_access\n"
        "sm_access.require(write='s3://acme-models/')\n"
        "try: sm_access.require(read='s3://acme-lake/raw/')\n"
        "except sm_access.AccessRequired as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        env={**sandbox.environment("notebook"), "PYTHONPATH": str(Path(sm_access.__file__).parents[1])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.stdout.startswith("acme-ds-notebooks lacks the one permission that is required.")
