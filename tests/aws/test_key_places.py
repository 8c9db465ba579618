"""Keys are found in real files, links, notebooks and folders; what cannot be read is named and stops nothing."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from sm_access.access.key_scanner import KeySearch, PlaceKind
from sm_access.aws import key_places
from sm_access.aws.key_places import open_notebook, sdk_files, search_file, search_folder, search_process

ID = "AKIA" + "CANARYCANARY2345"
SECRET = "canary/canary+canary0canary1canary2canary"[:40]
CREDENTIALS = f"[default]\naws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n"


def kinds(search: KeySearch) -> list[tuple[PlaceKind, int | None, int | None]]:
    return [(found.place.kind, found.place.cell, found.place.line) for found in search.found]


def notebook(*cells: dict[str, Any]) -> str:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)})


@pytest.fixture
def aws_folder(clean_environment: Path) -> Path:
    folder = clean_environment / ".aws"
    folder.mkdir()
    return folder


class TestThisProcess:
    def test_with_nothing(self, clean_environment: Path) -> None:
        assert search_process({}) == KeySearch()

    def test_variables_and_files_and_their_copies(
        self, aws_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (aws_folder / "credentials").write_text(CREDENTIALS)
        (aws_folder / "credentials.bak").write_text(CREDENTIALS)
        (aws_folder / "config").write_text("[profile x]\nregion = us-east-1\n")
        (aws_folder / "sso").mkdir()
        elsewhere = tmp_path / "elsewhere"
        elsewhere.write_text(CREDENTIALS.replace("[default]", "[profile team]"))
        found = search_process({"TEAM_KEY": ID, "AWS_CONFIG_FILE": str(elsewhere), "HOME": "/"})
        places = [(each.place.name, each.place.profile, each.place.line) for each in found.found if each.ids]
        assert places == [
            ("TEAM_KEY", None, None),
            (str(elsewhere), "team", 2),
            (str(aws_folder / "credentials"), "default", 2),
            (str(aws_folder / "credentials.bak"), "default", 2),
        ]
        assert found.unsearched == ()

    def test_a_file_behind_a_link(self, aws_folder: Path, tmp_path: Path) -> None:
        (tmp_path / "real").write_text(CREDENTIALS)
        (aws_folder / "credentials").symlink_to(tmp_path / "real")
        (aws_folder / "config").symlink_to(tmp_path / "gone")
        found = search_process({})
        assert [each.place.name for each in found.found] == [str(aws_folder / "credentials")] * 2
        assert found.unsearched == ()

    def test_what_this_kernel_executed_and_its_notebook(
        self, clean_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "churn.ipynb"
        path.write_text(notebook({"cell_type": "code", "source": [f"key = '{ID}'\n"], "outputs": []}))
        main = sys.modules["__main__"]
        monkeypatch.setattr(main, "_ih", ["", "import boto3", f"key = '{ID}'", None], raising=False)
        found = search_process({"JPY_SESSION_NAME": str(path)})
        assert kinds(found) == [(PlaceKind.EXECUTED, 2, 1), (PlaceKind.CELL, 1, 1)]
        monkeypatch.setattr(main, "_ih", "no list", raising=False)
        assert kinds(search_process({})) == []


class TestTheOpenNotebook:
    def test_as_the_front_end_names_it(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        assert open_notebook({}) is None
        assert open_notebook({"JPY_SESSION_NAME": "console-1"}) is None
        assert open_notebook({"JPY_SESSION_NAME": "/home/ann/a.ipynb"}) == Path("/home/ann/a.ipynb")
        monkeypatch.chdir(tmp_path)
        assert open_notebook({"JPY_SESSION_NAME": "a.ipynb"}) == tmp_path / "a.ipynb"
        main = sys.modules["__main__"]
        monkeypatch.setattr(main, "__session__", "/home/ann/b.ipynb", raising=False)
        assert open_notebook({"JPY_SESSION_NAME": "/home/ann/a.ipynb"}) == Path("/home/ann/b.ipynb")
        monkeypatch.setattr(main, "__vsc_ipynb_file__", "/home/ann/c.ipynb", raising=False)
        assert open_notebook({}) == Path("/home/ann/c.ipynb")

    def test_cells_and_outputs(self, tmp_path: Path) -> None:
        path = tmp_path / "a.ipynb"
        path.write_text(
            notebook(
                {"cell_type": "markdown", "source": "# Nothing"},
                {
                    "cell_type": "code",
                    "source": f"import os\nos.environ['AWS_SECRET_ACCESS_KEY'] = '{SECRET}'",
                    "outputs": [
                        {"output_type": "stream", "text": ["fine\n", f"{ID}\n"]},
                        {"output_type": "error", "traceback": [f"bad {ID}"]},
                        {"output_type": "display_data", "data": {"text/plain": f"'{ID}'", "image/png": "x"}},
                        {"output_type": "display_data", "data": {"application/json": {"id": ID}}},
                    ],
                },
            )
        )
        out = (PlaceKind.OUTPUT, 2)
        assert kinds(search_file(path)) == [
            (PlaceKind.CELL, 2, 2),
            (*out, 2),
            (*out, 1),
            (*out, 1),
            (*out, 1),
        ]

    @pytest.mark.parametrize(
        "cells",
        [
            "null",
            '"x"',
            "[null, 5]",
            '[{"source": 5, "outputs": 5}]',
            '[{"outputs": [5, {"data": 5, "text": {}}]}]',
        ],
    )
    def test_that_is_none_of_the_format(self, tmp_path: Path, cells: str) -> None:
        path = tmp_path / "a.ipynb"
        path.write_text(f'{{"mark": "AKIA", "cells": {cells}}}')
        assert search_file(path) == KeySearch()

    @pytest.mark.parametrize("text", ["{", "[]", "\x00", "[" * 100_000])
    def test_that_is_no_json_is_searched_as_text(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "a.ipynb"
        path.write_text(f"{ID}\n{text}")
        assert kinds(search_file(path)) == [(PlaceKind.FILE, None, 1)]


class TestFiles:
    def test_too_large_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "large"
        with path.open("wb") as file:
            file.truncate(key_places.LARGEST + 1)
        (unsearched,) = search_file(path).unsearched
        assert (unsearched.what, unsearched.why) == (str(path), "larger than 16 MiB")

    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        (unsearched,) = search_file(tmp_path / "pipe").unsearched
        assert unsearched.why == "not a regular file"

    def test_links_in_a_ring_and_files_without_permission(self, tmp_path: Path) -> None:
        ring = tmp_path / "ring"
        ring.symlink_to(ring)
        (unsearched,) = search_file(ring).unsearched
        assert "symbolic links" in unsearched.why
        if os.geteuid() == 0:
            pytest.skip("root may read everything")
        closed = tmp_path / "closed"
        closed.write_text(ID)
        closed.chmod(0)
        (unsearched,) = search_file(closed).unsearched
        assert unsearched.why == "Permission denied"

    def test_bytes_of_no_encoding_hide_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "data.bin"
        path.write_bytes(b"\xff\x00\xfe " + ID.encode() + b" \xff")
        assert kinds(search_file(path)) == [(PlaceKind.FILE, None, 1)]


class TestAFolder:
    def test_is_searched_to_its_depths_and_links_are_not_followed(self, tmp_path: Path) -> None:
        deep = tmp_path / "project" / "a" / "b"
        deep.mkdir(parents=True)
        (deep / "train.py").write_text(f"KEY = '{ID}'")
        (deep / "clean.py").write_text("KEY = None")
        (tmp_path / "outside.py").write_text(f"KEY = '{ID}'")
        (deep / "link.py").symlink_to(tmp_path / "outside.py")
        (deep / "up").symlink_to(tmp_path)
        (found,) = search_folder(tmp_path / "project").found
        assert found.place.name == str(deep / "train.py")

    def test_with_too_many_files_says_so(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(key_places, "MOST_FILES", 2)
        for name in "abc":
            (tmp_path / name).write_text(ID)
        found = search_folder(tmp_path)
        assert len(found.found) == 2
        assert [each.why for each in found.unsearched] == ["more than 2 files"]

    def test_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        (unsearched,) = search_folder(tmp_path / "gone").unsearched
        assert unsearched.what == str(tmp_path / "gone")


def test_the_sdks_files_are_named_once_and_those_of_variables_first(clean_environment: Path) -> None:
    home = clean_environment
    found = sdk_files({"AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials", "BOTO_CONFIG": "/x/boto"})
    assert found == (
        home / ".aws" / "credentials",
        Path("/x/boto"),
        home / ".aws" / "config",
        home / ".boto",
        Path("/etc/boto.cfg"),
    )
