"""Settings: arguments before environment before file before default, and never a silent default for a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from sm_access.bootstrap import Services
from sm_access.config import Settings, default_ledger
from sm_access.errors import InvalidSetting


def config(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return {"SM_ACCESS_CONFIG": str(path)}


def test_the_defaults(clean_environment: Path) -> None:
    plain = Settings.load()
    assert plain.ledger == default_ledger()
    assert plain.ledger_path().name == "ledger.sqlite"
    assert plain.ledger_path().is_relative_to(clean_environment)
    assert plain.timeout_seconds == 10
    assert plain.resource_metadata == Path("/opt/ml/metadata/resource-metadata.json")
    assert plain.rules == {}
    assert plain.source is None


def test_what_comes_before_what(tmp_path: Path) -> None:
    env = config(tmp_path, 'ledger = "sqlite:///file"\ntimeout_seconds = 5\nresource_metadata = "/file"\n')
    assert Settings.load(env).ledger == "sqlite:///file"
    assert Settings.load(env).timeout_seconds == 5
    assert Settings.load(env).resource_metadata == Path("/file")
    more = env | {
        "SM_ACCESS_LEDGER": "sqlite:///variable",
        "SM_ACCESS_TIMEOUT_SECONDS": "2.5",
        "SM_ACCESS_RESOURCE_METADATA": "/variable",
    }
    assert Settings.load(more).ledger == "sqlite:///variable"
    assert Settings.load(more).timeout_seconds == 2.5
    assert Settings.load(more).resource_metadata == Path("/variable")
    assert Settings.load(more, ledger="sqlite:///argument").ledger == "sqlite:///argument"


def test_the_usual_place_is_found(clean_environment: Path) -> None:
    usual = clean_environment / "sm_access" / "config.toml"
    usual.parent.mkdir(parents=True)
    usual.write_text("timeout_seconds = 7\n", encoding="utf-8")
    assert Settings.load().timeout_seconds == 7
    assert Settings.load().source == usual


def test_settings_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Settings.load({"SM_ACCESS_CONFIG": ""}).ledger = "x"  # type: ignore[misc]


@pytest.mark.parametrize("value", ["", "soon", "0", "-1", "nan", "inf", "3600", "1e9"])
def test_a_time_that_is_none(value: str) -> None:
    env = {"SM_ACCESS_TIMEOUT_SECONDS": value}
    if not value:  # unset
        assert Settings.load(env).timeout_seconds == 10
        return
    with pytest.raises(InvalidSetting, match="timeout_seconds"):
        Settings.load(env)


@pytest.mark.parametrize("text", ["ledger = 5", "ledger = ['x']", "resource_metadata = {}", "[ledger]"])
def test_a_value_of_the_wrong_kind(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidSetting, match="is not a text"):
        Settings.load(config(tmp_path, text))


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///a/b.sqlite", "/a/b.sqlite"),
        ("sqlite:////a", "/a"),
        ("sqlite:///a b%20?#", "/a b%20?#"),
    ],
)
def test_the_ledgers_file(url: str, path: str) -> None:
    assert Settings.load({}, ledger=url).ledger_path() == Path(path)


@pytest.mark.parametrize("url", ["ledger", "sqlite:", "sqlite://a", "sqlite:///", "http:///x", "SQLITE:///x"])
def test_another_ledger_is_refused(url: str) -> None:
    with pytest.raises(InvalidSetting, match="SM_ACCESS_LEDGER"):
        Settings.load({}, ledger=url).ledger_path()


@pytest.mark.parametrize(
    ("url", "table"),
    [
        ("dynamodb://sm-access-ledger", ("sm-access-ledger", None)),
        ("dynamodb://a.b_C-1?region=eu-central-1", ("a.b_C-1", "eu-central-1")),
        ("dynamodb://xyz?region=us-gov-west-1", ("xyz", "us-gov-west-1")),
        ("sqlite:///x", None),
    ],
)
def test_the_ledgers_table(url: str, table: tuple[str, str | None] | None) -> None:
    assert Settings.load({}, ledger=url).ledger_table() == table


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "//",
        "//ab",
        "///x",
        "//a b c",
        "//key:hunter2@table",
        "//table?region=hunter2",
        "//table?hunter2",
        '//t"x',
    ],
)
def test_a_table_that_can_be_none(rest: str) -> None:
    with pytest.raises(InvalidSetting, match="name of a table") as refused:
        Services(Settings.load({}, ledger=f"dynamodb:{rest}")).ledger  # noqa: B018
    assert "dynamodb://sm-access-ledger" in refused.value.remedy
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("postgresql://user:hunter2@db/x", "postgresql://..."),
        ("postgresql:///x?password=hunter2", "postgresql://..."),
        ("sqlite://user:hunter2@db/x", "sqlite://..."),
        ("user:hunter2@db/x", "no URL"),
        ("hunter2 ://x", "no URL"),
    ],
)
def test_a_ledger_that_is_refused_keeps_its_password(url: str, kind: str) -> None:
    settings = Settings.load({"SM_ACCESS_LEDGER": url, "SM_ACCESS_CONFIG": ""})
    with pytest.raises(InvalidSetting) as refused:
        settings.ledger_path()
    assert kind in str(refused.value)
    assert "hunter2" not in f"{refused.value} {settings!r}"


def test_nothing_is_read_or_made_before_it_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SM_ACCESS_CONFIG", str(tmp_path / "none.toml"))
    services = Services()
    with pytest.raises(InvalidSetting):
        _ = services.settings
    ledger = tmp_path / "new" / "ledger.sqlite"
    other = Services(Settings.load({"SM_ACCESS_CONFIG": ""}, ledger=f"sqlite://{ledger}"))
    assert other.ledger.requests() == ()
    assert not ledger.parent.exists()


PUBLISHED = 'ledger = "dynamodb://team"\n[review]\nquorum = 2\n'


def test_what_the_account_publishes_counts_where_nothing_nearer_says(tmp_path: Path) -> None:
    plain = Settings.load({"SM_ACCESS_CONFIG": ""})
    found = plain.with_published(PUBLISHED)
    assert (found.ledger_table(), found.rules) == (("team", None), {"review": {"quorum": 2}})
    given = Settings.load({"SM_ACCESS_CONFIG": "", "SM_ACCESS_LEDGER": "sqlite:///here"})
    assert given.with_published(PUBLISHED).ledger == "sqlite:///here"
    path = tmp_path / "config.toml"
    path.write_text("[review]\nquorum = 3\n")
    own = Settings.load({"SM_ACCESS_CONFIG": str(path)}).with_published(PUBLISHED)
    assert (own.rules, own.ledger_table()) == ({"review": {"quorum": 3}}, ("team", None))


@pytest.mark.parametrize(
    "text", ["ledger =", "timeout_seconds = 5", "[review.bucket.x]", "review = 1", "ledger = 1"]
)
def test_what_the_account_publishes_is_checked_like_a_file(text: str) -> None:
    with pytest.raises(InvalidSetting, match="/sm-access/config"):
        Settings.load({"SM_ACCESS_CONFIG": ""}).with_published(text)
