"""`sm-access simulate`: what people and programs get, and that no file can make it fall over."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sm_access.cli.main import main
from sm_access.commands import documents, simulation
from sm_access.errors import UnreadableFile
from sm_access.notebook.magics import answer
from sm_access.policy import Scenario
from sm_access.presentation.html import to_html
from sm_access.presentation.simulation import simulation_page

LAKE = "arn:aws:s3:::lake/raw/x.csv"
ALLOW = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Lake", "Effect": "Allow", "Action": "s3:*", "Resource": LAKE}],
}
PRINCIPAL = "arn:aws:sts::111122223333:assumed-role/DS/SageMaker"
Run = Callable[..., tuple[int, str, str]]


def scenario(expect: str | None = "ALLOW", resource: str = LAKE, **policies: Any) -> dict[str, Any]:
    return {
        "name": f"{expect} {resource}",
        "request": {"principal": PRINCIPAL, "action": "s3:GetObject", "resource": resource},
        "policies": policies or {"identity": [{"name": "inline", "document": ALLOW}]},
        "expect": expect,
    }


@pytest.fixture
def run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """`run(content, suffix=".json")`: exit code and both streams of `simulate` on a file of that content, in a
    terminal wide enough for the file's path."""
    monkeypatch.setenv("COLUMNS", "200")

    def command(
        content: object, *options: str, suffix: str = ".json", stdin: bool = False
    ) -> tuple[int, str, str]:
        written = content if isinstance(content, (str, bytes)) else json.dumps(content)
        octets = written.encode() if isinstance(written, str) else written
        file = tmp_path / f"s{suffix}"
        file.write_bytes(octets)
        if stdin:
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(octets), encoding="utf-8"))
        capsys.readouterr()
        code = main(["simulate", *options, "-" if stdin else str(file)])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return code, printed.out, " ".join(printed.err.split()).replace(str(tmp_path), "").replace("/s", "s")

    return command


def test_all_as_expected(run: Run) -> None:
    code, out, _ = run([scenario(), scenario("IMPLICIT_DENY", "arn:aws:s3:::other/x")])
    assert code == 0
    assert "2 of 2 scenarios met" in out
    assert "Statement Lake of inline (inline) allows" in " ".join(out.split())


KEY = "arn:aws:kms:eu-west-1:444455556666:key/k"
OPEN = {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}


def of_key(action: str, resource: list[Any]) -> dict[str, Any]:
    request = {"principal": PRINCIPAL, "action": action, "resource": KEY}
    identity = [{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}]
    return {
        "request": request,
        "policies": {"identity": identity, "resource": resource},
        "expect": "IMPLICIT_DENY",
    }


def test_what_is_not_modelled_is_on_every_face(run: Run) -> None:
    asked = of_key("kms:Decrypt", [])
    code, out, _ = run(asked)
    assert code == 0
    assert "Not modelled, and able to change this: grants of the KMS key" in " ".join(out.split())
    page = simulation_page([Scenario.from_dict(asked).run()])
    assert "grants of the KMS key, which may allow it" in to_html(page)
    code, out, _ = run(asked, "--json")
    assert list(json.loads(out)) == ["name", "decision", "reason", "depends_on", "met"]


def test_a_service_that_refuses_by_itself_says_so(run: Run) -> None:
    code, out, _ = run(of_key("kms:ScheduleKeyDeletion", [OPEN]))
    assert code == 0
    assert f"kms:ScheduleKeyDeletion works only for the account that owns {KEY}." in " ".join(out.split())
    _, out, _ = run(of_key("kms:ScheduleKeyDeletion", [OPEN]), "--json")
    assert json.loads(out)["reason"] == f"kms:ScheduleKeyDeletion works only for the account that owns {KEY}."


@pytest.mark.parametrize(
    ("scenarios", "code"),
    [
        ([scenario()], 0),
        ([scenario(None)], 0),
        ([scenario("UNDETERMINED", identity="unreadable")], 0),
        ([scenario("EXPLICIT_DENY")], 1),
        ([scenario(None, identity=[])], 1),
        ([scenario(None, identity="unreadable")], 3),
        ([scenario("ALLOW", identity="unreadable")], 1),
        ([scenario(None, identity="unreadable"), scenario("EXPLICIT_DENY")], 1),
        ([scenario(None, identity="unreadable"), scenario()], 3),
    ],
)
def test_exit_codes(run: Run, scenarios: list[Any], code: int) -> None:
    assert run(scenarios)[0] == code
    assert run(scenarios, "--json")[0] == code


def test_json_is_one_line_each(run: Run) -> None:
    code, out, _ = run(
        [scenario(), scenario(None, identity="unreadable"), scenario("ALLOW", "arn:aws:s3:::b")], "--json"
    )
    first, second, third = map(json.loads, out.splitlines())
    assert code == 1
    assert first == {
        "name": f"ALLOW {LAKE}",
        "decision": "ALLOW",
        "reason": f"Statement Lake of inline (inline) allows s3:GetObject on {LAKE}.",
        "depends_on": [],
        "met": True,
    }
    assert second["decision"] == "UNDETERMINED"
    assert second["depends_on"]
    assert not second["met"]
    assert third["reason"] == (
        "Nothing in the identity policies allows s3:GetObject on arn:aws:s3:::b. "
        f"Nearest: Statement Lake of inline (inline), whose Resource expects {LAKE} and got arn:aws:s3:::b."
    )


def test_every_reason_is_a_sentence(run: Run) -> None:
    deny = {**ALLOW, "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    root = scenario()
    root["request"]["principal"] = "arn:aws:iam::111122223333:root"
    anyone = scenario()
    anyone["request"]["principal"] = "anonymous"
    listed = [scenario(identity=[deny]), root, anyone, scenario(identity=[ALLOW], session=[])]
    reasons = [json.loads(line)["reason"] for line in run(listed, "--json")[1].splitlines()]
    assert reasons == [
        f"Statement 1 of identity policy 1 (inline) denies s3:GetObject on {LAKE}.",
        f"Nothing limits the account's root, so it allows s3:GetObject on {LAKE}.",
        f"Nothing in the resource policy allows s3:GetObject on {LAKE}.",
        f"Nothing in the session policy allows s3:GetObject on {LAKE}.",
    ]


def test_detail_is_there_when_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "s.json"
    file.write_text(
        json.dumps([scenario(), scenario(resource="arn:aws:s3:::b"), scenario(identity="unreadable")])
    )
    assert main(["--explain", "simulate", str(file)]) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "identity policies ALLOW: Statement Lake of inline (inline) at $.Statement[0]" in shown
    assert "IMPLICIT_DENY. Near: Statement Lake" in shown
    assert "identity policies UNDETERMINED: " in shown


YAML = """
# comments are allowed here
name: reads
request:
  principal: arn:aws:sts::111122223333:assumed-role/DS/SageMaker
  action: s3:GetObject
  resource: arn:aws:s3:::lake/raw/x.csv
  context: {aws:SecureTransport: true, aws:CurrentTime: 2026-11-30T23:59:59Z, "s3:max-keys": 5, x:y: 012}
policies:
  identity:
  - Version: 2012-10-17
    Statement: &one
      Effect: Allow
      Action: 's3:*'
      Resource: '*'
      Condition:
        Bool: {"aws:SecureTransport": "true"}
        DateLessThan: {aws:CurrentTime: 2026-12-01T00:00:00Z}
        NumericEquals: {s3:max-keys: 5.0}
        StringEquals: {x:y: "012"}
  permissions_boundary:
  - Statement: *one
  session: ~
expect: ALLOW
---
"""


def test_yaml_means_what_it_looks_like(run: Run) -> None:
    assert run(YAML, suffix=".yaml")[0] == 0
    assert run(YAML + YAML.replace("expect: ALLOW", "expect: EXPLICIT_DENY"), suffix=".yml")[0] == 1
    assert run(YAML, stdin=True)[0] == 0
    assert run(YAML, suffix=".txt")[0] == 0


def test_several_documents_in_one_file_and_several_files(run: Run, tmp_path: Path) -> None:
    lines = json.dumps(scenario()) + "\n\n" + json.dumps([scenario(), scenario()]) + "\n"
    for suffix in (".jsonl", ".ndjson", ""):
        code, out, _ = run(lines, suffix=suffix)
        assert (code, "3 of 3" in out) == (0, True)
    assert run(lines, stdin=True)[0] == 0
    assert run("\ufeff" + lines)[0] == 0
    file = tmp_path / "again.json"
    file.write_text(lines)
    assert len(simulation.simulate(str(file), str(file)).to_dict()["scenarios"]) == 6


WRONG_LINE = json.dumps(scenario()) + "\n" + json.dumps(scenario()).replace('"Allow"', '"Alow"')
INDENTED = json.dumps([scenario(), {**scenario(), "expect": "PERHAPS"}], indent="\t")


@pytest.mark.parametrize(
    ("content", "suffix", "said"),
    [
        (
            WRONG_LINE,
            ".jsonl",
            "s.jsonl:2: at $.policies.identity[0].document.Statement[0].Effect, expected 'Allow' or 'Deny'.",
        ),
        (
            INDENTED,
            ".json",
            f"s.json:{INDENTED[: INDENTED.index('PERHAPS')].count(chr(10)) + 1}: at $[1].expect, expected one of",
        ),
        (YAML.replace("expect: ALLOW", "expect: PERHAPS"), ".yaml", "s.yaml:24: at $.expect"),
        ("- request: 1\n- {}\n", ".yaml", "s.yaml:1: at $[0], 'policies' is missing"),
        ('{"a": 1,\n "b": }', ".json", "s.json:2: this is not JSON"),
        ('{"a": NaN}', ".json", "s.json:1: this is not JSON: NaN"),
        ('[{"request": {"a": 1,\n"a": 2}}]', ".json", "s.json:2: at $[0].request.a, this key stands twice"),
        ('{"n": ' + "9" * 5000 + "}", ".json", "s.json:1: "),
        ('{"a": 1} trailing', ".json", "s.json:1: this is not JSON"),
        ("", ".json", "s.json:1: this holds no scenario"),
        ("", ".yaml", "s.yaml:1: this holds no scenario"),
        ("[]", ".json", "s.json:1: this holds no scenario"),
        ("5", ".json", "s.json:1: at $, expected an object, not a number"),
        ("just words", ".yaml", "s.yaml:1: at $, expected an object, not text"),
        ("a: [1", ".yaml", "s.yaml:1: this is not YAML"),
        ("a: \x00", ".yaml", "s.yaml:1: this is not YAML"),
        ("a: 1\na: 2", ".yaml", "s.yaml:2: the key 'a' stands twice"),
        ("? [a]\n: b", ".yaml", "s.yaml:1: expected a plain key"),
        (
            "a: !!python/name:os.system x",
            ".yaml",
            "s.yaml:1: the tag '!!python/name:os.system' is not understood",
        ),
        ("a: &a [*a]", ".yaml", "s.yaml:1: this holds too much"),
        ("[" * 5000 + "]" * 5000, ".yaml", "s.yaml:1: this is nested too deeply"),
        ("[" * 200_000, ".json", "s.json:1: this is nested too deeply"),
        ('{"a":' * 200_000, ".json", "s.json:1: this is nested too deeply"),
        (b"\xff\xfe", ".json", "s.json:1: this is not UTF-8 text"),
        (json.dumps({"\ud800": 1}), ".json", "s.json:1: at $, '\\ud800' does not belong here"),
        (
            json.dumps(scenario(identity=[{"Statement": [], "\ud800": 1}])),
            ".json",
            "s.json:1: at $.policies.identity[0].\\ud800, only Version, Id and Statement may stand here",
        ),
    ],
)
def test_wrong_input_names_file_line_and_path(run: Run, content: Any, suffix: str, said: str) -> None:
    code, _, err = run(content, suffix=suffix)
    assert code == 2
    assert said in err
    code, out, _ = run(content, "--json", suffix=suffix)
    assert code == 2
    assert json.loads(out)["error"] == "UnreadableFile"


def test_aliases_that_stand_for_more_than_a_machine_holds(run: Run) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    code, _, err = run("\n".join(levels), suffix=".yaml")
    assert code == 2
    assert "this holds too much" in err


def test_size_has_an_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "LARGEST", 4 * 2**20)
    assert "is larger than 4 MiB" in run("[" + " " * (4 * 2**20) + "]")[2]
    assert "is YAML of more than 1 MiB" in run("#" + " " * 2**20, suffix=".yaml")[2]


@pytest.mark.parametrize("file", ["nowhere.json", ".", "a\x00b", "/dev/null/x"])
def test_a_file_that_cannot_be_read(file: str) -> None:
    with pytest.raises(UnreadableFile, match="cannot be read"):
        simulation.simulate(file)


def test_without_a_file_it_says_how_to_call_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate"]) == 2
    assert "FILE..." in capsys.readouterr().err


def test_hostile_names_steer_no_terminal(run: Run) -> None:
    hostile = {**scenario(), "name": "\x1b[2Jx\ny\ud800[bold]"}
    code, out, _ = run(hostile)
    assert code == 0
    assert "\x1b[2J" not in out
    assert "[bold]" in out
    assert json.loads(run(hostile, "--json")[1])["name"] == hostile["name"]


def test_in_a_notebook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from sm_access.bootstrap import Services

    file = tmp_path / "s.json"
    file.write_text(json.dumps(scenario()))
    result = answer(Services(), f"simulate {file}")
    assert result
    assert "1 of 1 scenario met" in result.to_text()
    assert answer(Services(), f"simulate --json {file}") is None
    assert json.loads(capsys.readouterr().out)["met"]


def test_lines_are_found_through_keys_with_dots(tmp_path: Path) -> None:
    file = tmp_path / "d.json"
    file.write_text('{"a.b": {\n"c": [0,\n {"d[0]": 1}]},\n"a": 5}')
    (document,) = documents.read_documents(str(file))
    lines = [
        document.line_of(path) for path in ("$", "$.a.b.c[1].d[0]", "$.a", "$.a.b.c[7]", "$.zzz", "$.a.x")
    ]
    assert lines == [1, 3, 4, 2, 1, 4]
