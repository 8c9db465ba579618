"""`sm-access lint`: findings with file, line and path."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sm_access.cli.main import main

GOOD = (
    '{"Version": "2012-10-17", "Statement": [\n'
    ' {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}]}'
)
WARNED = GOOD.replace("arn:aws:s3:::a/*", "arn:aws:s3:::a")
WRONG = GOOD.replace('"Allow"', '"allow"')


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["lint", *arguments])
    printed = capsys.readouterr()
    assert "Traceback" not in printed.out + printed.err
    return code, " ".join((printed.out + printed.err).split())


def test_nothing_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "p.json"
    file.write_text(GOOD)
    assert run(capsys, str(file)) == (0, "✓ 0 errors and 0 warnings in 1 policy")
    assert run(capsys, "--json", str(file)) == (0, "")


def test_findings_have_file_line_and_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path("p.json")
    file.write_text(f"[{GOOD},\n{WRONG}]")
    code, out = run(capsys, str(file))
    assert code == 1
    assert "✕ 1 error and 0 warnings in 2 policies" in out
    assert (
        "p.json:4: error at $[1].Statement[0].Effect: The effect is 'Allow' or 'Deny', written so. [effect]"
        in out
    )
    code, out = run(capsys, "--json", str(file))
    assert code == 1
    assert json.loads(out) == {
        "file": str(file),
        "line": 4,
        "path": "$[1].Statement[0].Effect",
        "severity": "error",
        "rule": "effect",
        "message": "The effect is 'Allow' or 'Deny', written so.",
    }


def test_warnings_fail_only_where_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(
        "Version: 2012-10-17\nStatement:\n  Effect: Allow\n  Action: s3:GetObject\n  Resource: arn:aws:s3:::a\n"
    )
    code, out = run(capsys, str(file))
    assert (code, "0 errors and 1 warning in 1 policy" in out) == (0, True)
    assert ":4: warning at $.Statement.Action" in out
    assert run(capsys, "--strict", str(file))[0] == 1


def test_the_kind_can_be_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "p.json"
    file.write_text(GOOD)
    code, out = run(capsys, "--kind", "bucket", str(file))
    assert (code, "[principal-missing]" in out) == (1, True)
    code, out = run(capsys, "--kind", "buckt", str(file))
    assert (code, "Kinds are identity" in out) == (2, True)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "holds no policy"),
        ("[]", "holds no policy"),
        ("[5]", "1: at $[0], expected a policy document"),
        ("{", "not JSON"),
    ],
)
def test_what_is_no_policy(
    content: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "p.json"
    file.write_text(content)
    code, out = run(capsys, str(file))
    assert (code, words in out) == (2, True)
