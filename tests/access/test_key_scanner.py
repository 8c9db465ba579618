"""A long-term key is found wherever it stands in a text, and nothing of it is in what is found."""

from __future__ import annotations

import time

import pytest

from sm_access.access.key_scanner import FoundKey, KeySearch, Place, PlaceKind, scan_text, scan_variables

ID = "AKIA" + "CANARYCANARY2345"
TEMPORARY = "ASIA" + "CANARYCANARY2345"
SECRET = "canary/canary+canary0canary1canary2canary"[:40]
CELL = Place(PlaceKind.CELL, "churn.ipynb", 3)


def counts(text: str) -> list[tuple[int | None, int, int]]:
    return [(found.place.line, found.ids, found.secrets) for found in scan_text(text, CELL)]


@pytest.mark.parametrize(
    "text",
    [
        ID,
        f'key = "{ID}"',
        f"aws_access_key_id={ID}\r",
        f"s3n://{ID}:secret@bucket/key",
        f'{{\\"AccessKeyId\\": \\"{ID}\\"}}',
        f"({ID})",
    ],
)
def test_an_id_is_found(text: str) -> None:
    assert counts(text) == [(1, 1, 0)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AKIA",
        ID[:-1],
        ID + "X",
        "x" + ID,
        ID.lower(),
        TEMPORARY,
        "AROA" + ID[4:],
        "AKIAIOSFODNN7EXAMPLE",  # of AWS's documentation
        "AKIAI44QH8DHBEXAMPLE",
    ],
)
def test_what_is_no_long_term_id_is_not(text: str) -> None:
    assert counts(text) == []


@pytest.mark.parametrize(
    "text",
    [
        f"aws_secret_access_key = {SECRET}",
        f'os.environ["AWS_SECRET_ACCESS_KEY"] = "{SECRET}"',
        f"boto3.client('s3', aws_secret_access_key='{SECRET}')",
        f'{{"SecretAccessKey": "{SECRET}"}}',
        f'os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "{SECRET}")',
        f"%env AWS_SECRET_ACCESS_KEY={SECRET}",
        f"AWS_SECRET_KEY => '{SECRET}'",
        f'\\"aws_secret_access_key\\": \\"{SECRET}\\"',
    ],
)
def test_a_secret_is_found_by_its_name(text: str) -> None:
    assert counts(text) == [(1, 0, 1)]


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        f"SECRET_KEY = '{SECRET}'",  # of a web framework
        f"aws_secret_access_key = {SECRET[:-1]}",
        f"aws_secret_access_key = {SECRET}x",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",  # of AWS's documentation
        "aws_secret_access_key = os.environ['AWS_SECRET_ACCESS_KEY']",
    ],
)
def test_what_is_no_secret_is_not(text: str) -> None:
    assert counts(text) == []


def test_lines_are_counted_and_so_are_the_keys_on_them() -> None:
    assert counts(f"import boto3\nold, new = '{ID}', '{ID}'\n\naws_secret_access_key = '{SECRET}'") == [
        (2, 2, 0),
        (4, 0, 1),
    ]


def test_a_secret_beside_a_temporary_key_is_that_keys() -> None:
    assert counts(f"aws_access_key_id = {TEMPORARY}\naws_secret_access_key = {SECRET}") == []
    assert counts(f"a = {TEMPORARY}\nb = {ID}\naws_secret_access_key = {SECRET}") == [(2, 1, 0), (3, 0, 1)]


def test_profiles_are_told_apart_by_their_headings() -> None:
    text = (
        f"aws_access_key_id = {ID}\n"
        f"[default]\naws_access_key_id = {TEMPORARY}\naws_secret_access_key = {SECRET}\n"
        f"[profile old]\naws_access_key_id={ID}\naws_secret_access_key={SECRET}\n[empty]"
    )
    found = scan_text(text, Place(PlaceKind.FILE, "/home/ann/.aws/credentials"), sections=True)
    assert [(each.place.profile, each.place.line, each.ids, each.secrets) for each in found] == [
        (None, 1, 1, 0),
        ("old", 6, 1, 0),
        ("old", 7, 0, 1),
    ]
    assert {each.place.name for each in found} == {"/home/ann/.aws/credentials"}


def test_a_heading_on_the_first_line_begins_the_first_section() -> None:
    found = scan_text(f"[a]\nx = {ID}", Place(PlaceKind.FILE, "f"), sections=True)
    assert [(each.place.profile, each.place.line) for each in found] == [("a", 2)]


def test_variables_are_named_whatever_they_are_called() -> None:
    found = scan_variables(
        [
            ("ZEBRA", f"{{\n'id': '{ID}'}}"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("HOME", "/home/ann"),
            ("EMPTY", ""),
        ]
    )
    assert found == (
        FoundKey(Place(PlaceKind.VARIABLE, "AWS_SECRET_ACCESS_KEY"), 0, 1),
        FoundKey(Place(PlaceKind.VARIABLE, "ZEBRA"), 1, 0),
    )
    assert scan_variables([]) == ()


def test_nothing_of_a_key_is_in_what_is_found() -> None:
    found = scan_text(f"k = {ID}\naws_secret_access_key = '{SECRET}'", CELL)
    shown = repr(KeySearch(found)) + repr(scan_variables([("A", ID), ("AWS_SECRET_KEY", SECRET)]))
    assert found
    assert "canary" not in shown.lower()


def test_hostile_text_is_gone_through_in_time() -> None:
    """Nothing that backtracks: a text twice as long takes about twice as long, not four times."""

    def seconds(times: int) -> float:
        text = "aws_secret_key=,\"'\\ " * times + "AKIA" * times + "[" * times
        began = time.perf_counter()
        scan_text(text, CELL, sections=True)
        return time.perf_counter() - began

    seconds(1000)
    assert min(seconds(40_000) for _ in range(3)) < 12 * min(seconds(10_000) for _ in range(3))
