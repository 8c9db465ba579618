"""`%sm_access` in a real IPython shell, on the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import sm_access
from sm_access.presentation import typed


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, clean_environment: Any) -> Iterator[Any]:
    """IPython without a kernel, its history kept nowhere."""
    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    yield shell
    shell.history_manager.end_session() if shell.history_manager else None
    InteractiveShell.clear_instance()


@pytest.fixture
def say(shell: Any, capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """Run a cell that must not raise; what it printed."""

    def run(cell: str) -> str:
        capsys.readouterr()
        done = shell.run_cell(cell)
        assert done.error_before_exec is None
        assert done.error_in_exec is None
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return printed.out + (repr(done.result) if done.result is not None else "")

    return run


Say = Callable[[str], str]


def test_loading_says_one_line(say: Say, enter: Callable[[str], None]) -> None:
    enter("notebook")
    said = say("%load_ext sm_access")
    assert said.strip().splitlines()[0].startswith("✓ acme-ds-notebooks · assumed role in 111122223333")
    assert len(said.strip().splitlines()) == 1


def test_every_verb_answers(say: Say, enter: Callable[[str], None]) -> None:
    enter("notebook")
    say("%load_ext sm_access")
    assert "assumed role" in say("%sm_access")
    assert "assumed role" in say("%sm_access whoami")
    assert "Yes" in say("%sm_access can read s3://acme-lake/public/")
    assert "No" in say("%sm_access can s3:PutObject s3://acme-lake/public/x.csv")
    assert "acme-models" in say("%sm_access permissions s3://acme-models/")
    assert "Asked" in say('%sm_access request s3://acme-lake/raw/ read --for 1h --why "churn model"')
    assert "waiting" in say("%sm_access requests")
    assert "Nothing waits" in say("%sm_access inbox")
    say("r = %sm_access requests")
    id = say("r.to_dict()['requests'][0]['id']").strip("'\n ").split("'")[-1]
    assert "churn model" in say(f"%sm_access show {id}")
    assert "cannot decide" in say(f"%sm_access approve {id}")
    assert "cannot decide" in say(f"%sm_access reject {id} --why no")
    assert "✕" in say(f"%sm_access prove {id}")
    assert "Withdrawn" in say(f"%sm_access withdraw {id}")
    assert "✕" in say(f"%sm_access revoke {id}")
    assert "reconcile" in say("%sm_access reconcile --help")


def test_an_answer_can_be_assigned(say: Say, shell: Any, enter: Callable[[str], None]) -> None:
    enter("notebook")
    say("%load_ext sm_access")
    say("r = %sm_access can read s3://acme-lake/public/")
    result = shell.user_ns["r"]
    assert isinstance(result, sm_access.Result)
    assert result
    assert result.to_dict()["decision"] == "allow"
    say("r = %sm_access can read s3://acme-lake/raw/")
    assert not shell.user_ns["r"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nonsense", "No such command 'nonsense'"),
        ("can", "Missing argument"),
        ("can read s3:/x", "is not an S3 URI"),
        ("can raed s3://acme-lake/", "is not a level"),
        ('request s3://acme-lake/ read --why "x', "Close the quotation"),
        ("approve r-nobody", "no access request"),
        ("--nonsense", "No such option"),
    ],
)
def test_what_is_wrong_is_a_page_and_not_a_traceback(
    say: Say, enter: Callable[[str], None], line: str, words: str
) -> None:
    enter("notebook")
    say("%load_ext sm_access")
    assert words in " ".join(say(f"%sm_access {line}").split())


def test_without_credentials_loading_still_works(say: Say) -> None:
    assert "No AWS credentials were found" in say("%load_ext sm_access")
    assert "No AWS credentials were found" in say("%sm_access whoami")


def test_help_is_printed(say: Say) -> None:
    say("%load_ext sm_access")
    said = say("%sm_access --help")
    for verb in ("whoami", "can", "permissions", "request", "approve", "reconcile"):
        assert verb in said
    assert "--why" in say("%sm_access request --help")


def test_unloading_takes_the_magic_away_and_loading_again_works(say: Say, shell: Any) -> None:
    say("%load_ext sm_access")
    say("%reload_ext sm_access")
    assert "sm_access" in shell.magics_manager.magics["line"]
    say("%unload_ext sm_access")
    assert "sm_access" not in shell.magics_manager.magics["line"]
    say("%load_ext sm_access")
    assert "sm_access" in shell.magics_manager.magics["line"]


def test_a_result_has_both_forms_for_the_notebook(say: Say, shell: Any, enter: Callable[[str], None]) -> None:
    enter("notebook")
    say("%load_ext sm_access")
    say("r = %sm_access can read s3://acme-lake/raw/")
    data, _ = shell.display_formatter.format(shell.user_ns["r"])
    assert data["text/plain"].startswith("✕ No")
    assert data["text/html"].startswith("<style>")


def test_json_is_printed_for_programs(say: Say, enter: Callable[[str], None]) -> None:
    enter("notebook")
    say("%load_ext sm_access")
    answer = json.loads(say("%sm_access can read s3://acme-lake/raw/ --json"))
    assert answer["decision"] == "implicit_deny"
    assert answer["grant_would_help"] is True


def test_an_error_is_explained_as_it_was_pasted(say: Say, enter: Callable[[str], None]) -> None:
    enter("notebook")
    say("%load_ext sm_access")
    words = (
        "User: arn:aws:sts::111122223333:assumed-role/acme-ds-notebooks/SageMaker is not authorized to perform: "
        's3:GetObject on resource: "arn:aws:s3:::acme-lake/raw/it\'s mine.csv" because no identity-based policy allows '
        "the s3:GetObject action"
    )
    assert "Denied: read s3://acme-lake/raw/it's mine.csv" in say(f"%sm_access explain {words}")
    assert "Denied: read s3://acme-lake/raw/it's mine.csv" in say(f"%%sm_access explain\n{words}\nand so on")
    asked = json.loads(say(f"%sm_access explain --json {words}"))["denials"][0]["request"]
    assert asked["where"] == "s3://acme-lake/raw/"
    assert "No denial was found" in say("%sm_access explain hello 'there")
    assert "Usage" in say("%sm_access explain --help")


@pytest.mark.parametrize(
    "path", ['{open("PWNED","w").write("x")}/', "{open('PWNED','w').write('x')}/", "$name/", "{name}/"]
)
def test_a_line_that_was_shown_runs_nothing_when_it_is_pasted(
    say: Say,
    shell: Any,
    enter: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    path: str,
) -> None:
    enter("notebook")
    monkeypatch.chdir(tmp_path)
    say("%load_ext sm_access")
    shell.user_ns["name"] = "expanded"
    said = say(typed.command("can", "read", f"s3://acme-lake/{path}").replace("sm-access", "%sm_access"))
    assert f"acme-lake/{path}" in " ".join(said.split())
    say(f"%%sm_access explain {typed.typed(path)}\nAccess Denied")
    assert not (tmp_path / "PWNED").exists()


def test_an_error_says_what_to_type_here(say: Say, enter: Callable[[str], None]) -> None:
    enter("analyst-1")
    say("%load_ext sm_access")
    said = " ".join(say("%sm_access request s3://acme-lake/raw/ read --for 1h --why x").split())
    assert "`%sm_access whoami` shows who you are" in said
