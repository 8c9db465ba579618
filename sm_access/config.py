"""Settings: arguments > environment > file > embedded default, read once and then frozen.

The file is TOML. It is looked for at `SM_ACCESS_CONFIG`, then at `config.toml` in the user's configuration directory.
A file that is named and missing, an unknown key, or a value that cannot be used is an error, never a silent default:
rules about who may approve live here, and a typo must not widen them.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import platformdirs

from sm_access.errors import InvalidSetting

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_TABLE = re.compile(r"dynamodb://([A-Za-z0-9_.-]{3,255})(?:\?region=([a-z]{2,}(?:-[a-z]+)+-\d))?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://")
_TOP_LEVEL_KEYS = frozenset(
    {
        "ledger",
        "timeout_seconds",
        "cache_seconds",
        "resource_metadata",
        "snapshot",
        "snapshot_max_age",
        "denials",
        "notify",
        "review",
        "bucket",
        "role",
    }
)
_RULES = ("review", "bucket", "role")
PUBLISHED = "parameter /sm-access/config of this account"
_SWITCH = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be configured.

    ledger: where access requests are kept, as a URL: `sqlite:///absolute/path`, or `dynamodb://TABLE?region=REGION`
        (setting `ledger`, variable `SM_ACCESS_LEDGER`). It has no repr: a URL can hold a password.
    timeout_seconds: how long everything that one question reads may take; what has not answered by then is named
        (`timeout_seconds`, `SM_ACCESS_TIMEOUT_SECONDS`).
    cache_seconds: how old what this process has read may be to be used again; 0: never (`cache_seconds`,
        `SM_ACCESS_CACHE_SECONDS`).
    resource_metadata: SageMaker's description of the machine (`resource_metadata`, `SM_ACCESS_RESOURCE_METADATA`).
    snapshot: where an admin publishes snapshots of roles: `s3://BUCKET/PREFIX` or a directory (`snapshot`,
        `SM_ACCESS_SNAPSHOT`). None: as the account's parameter says.
    snapshot_max_age: how old a snapshot may be to be relied on (`snapshot_max_age`, `SM_ACCESS_SNAPSHOT_MAX_AGE`).
    denials: whether refusals are explained under the cells of a notebook (`denials`, `SM_ACCESS_DENIALS`).
    rules: the tables `[review]`, `[bucket."NAME"]` and `[role."NAME"]` as they stand in the file; `access.rules`
        checks them.
    notify: who is told what happens to requests: `log`, `arn:...:sns:...`, and addresses of webhooks, which are secret
        and have no repr (`notify`, `SM_ACCESS_NOTIFY` with spaces between).
    source: the file that was read, or None. ledger_is_given: argument, environment or file name the ledger; else it is
        the embedded one, and what the account publishes comes before that.
    """

    ledger: str = field(repr=False)
    timeout_seconds: float
    resource_metadata: Path
    rules: Mapping[str, Any] = field(default_factory=dict)
    source: Path | None = None
    snapshot: str | None = None
    snapshot_max_age: str = "7d"
    denials: bool = True
    cache_seconds: float = 300
    ledger_is_given: bool = True
    notify: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None, *, ledger: str | None = None) -> Settings:
        """Read the environment (default: this process's) and the file it leads to.

        Raises InvalidSetting for a file that cannot be read or understood.
        """
        env = os.environ if environment is None else environment
        source = _config_file(env)
        table = _read(source) if source is not None else {}
        timeout = env.get("SM_ACCESS_TIMEOUT_SECONDS") or table.get("timeout_seconds", 10)
        return cls(
            ledger=ledger or env.get("SM_ACCESS_LEDGER") or str(table.get("ledger") or default_ledger()),
            timeout_seconds=_positive_number("timeout_seconds", timeout),
            resource_metadata=Path(
                env.get("SM_ACCESS_RESOURCE_METADATA")
                or str(table.get("resource_metadata", "/opt/ml/metadata/resource-metadata.json"))
            ),
            rules={key: table[key] for key in _RULES if key in table},
            source=source,
            snapshot=env.get("SM_ACCESS_SNAPSHOT") or table.get("snapshot") or None,
            snapshot_max_age=env.get("SM_ACCESS_SNAPSHOT_MAX_AGE")
            or str(table.get("snapshot_max_age") or "7d"),
            ledger_is_given=bool(ledger or env.get("SM_ACCESS_LEDGER") or table.get("ledger")),
            notify=_channels(env.get("SM_ACCESS_NOTIFY") or table.get("notify", ())),
            denials=_on_or_off("denials", env.get("SM_ACCESS_DENIALS") or table.get("denials", "on")),
            cache_seconds=_number_of_seconds(
                "cache_seconds", env.get("SM_ACCESS_CACHE_SECONDS") or table.get("cache_seconds", 300)
            ),
        )

    def with_published(self, text: str, where: str = PUBLISHED) -> Settings:
        """These settings over those that the account publishes for everybody: ledger and rules, in TOML, each where
        nothing nearer says. where: what an error calls the text. Raises InvalidSetting for what cannot be used."""
        table = _checked(_parsed(text, where), where, frozenset({"ledger", "notify", *_RULES}))
        published = {key: table[key] for key in _RULES if key in table}
        return replace(
            self,
            ledger=self.ledger if self.ledger_is_given else str(table.get("ledger") or self.ledger),
            rules=self.rules or published,
            notify=self.notify or _channels(table.get("notify", ())),
        )

    def ledger_table(self) -> tuple[str, str | None] | None:
        """The DynamoDB table behind `ledger` and its Region, where one is given; None for another kind of URL.

        Raises InvalidSetting for a table that cannot be one.
        """
        if not self.ledger.startswith("dynamodb:"):
            return None
        table = _TABLE.fullmatch(self.ledger)
        if table is None:
            raise InvalidSetting(
                "The ledger is dynamodb:..., and not the name of a table.",
                remedy="Set SM_ACCESS_LEDGER to one like dynamodb://sm-access-ledger, or "
                "dynamodb://sm-access-ledger?region=eu-central-1.",
            )
        return table[1], table[2]

    def ledger_path(self) -> Path:
        """The SQLite file behind `ledger`. Raises InvalidSetting for another kind of URL."""
        scheme, _, path = self.ledger.partition(":///")
        if scheme != "sqlite" or not path:
            # INVARIANT: of the URL only its kind is ever shown; the rest may hold a password.
            kind = _SCHEME.match(self.ledger)
            raise InvalidSetting(
                f"The ledger is {kind[0] + '...' if kind else 'no URL'}, which this version cannot open.",
                remedy="Set SM_ACCESS_LEDGER to sqlite:///ABSOLUTE/PATH or dynamodb://TABLE, or unset it to use the "
                "embedded ledger.",
            )
        return Path("/" + path.lstrip("/"))


def default_ledger() -> str:
    """The embedded ledger's URL: a SQLite file in the user's data directory."""
    return f"sqlite://{platformdirs.user_data_path('sm_access') / 'ledger.sqlite'}"


def _config_file(env: Mapping[str, str]) -> Path | None:
    named = env.get("SM_ACCESS_CONFIG")
    if named:
        return Path(named)
    usual = platformdirs.user_config_path("sm_access") / "config.toml"
    return usual if usual.exists() else None


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidSetting(
            f"The configuration file {path} cannot be read: {error.strerror}.",
            remedy="Correct or unset SM_ACCESS_CONFIG.",
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidSetting(
            f"The configuration file {path} is not TOML: {error}.", remedy="Correct the file."
        ) from error
    where = f"configuration file {path}"
    return _checked(_parsed(text, where), where, _TOP_LEVEL_KEYS)


def _parsed(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidSetting(f"The {where} is not TOML: {error}.", remedy="Correct it.") from error


def _checked(table: dict[str, Any], where: str, keys: frozenset[str]) -> dict[str, Any]:
    unknown = sorted(set(table) - keys)
    if unknown:
        raise InvalidSetting(
            f"The {where} has a key that nothing reads: {unknown[0]}.",
            remedy=f"Known keys are {', '.join(sorted(keys))}.",
        )
    for key in _RULES:
        if not isinstance(table.get(key, {}), dict):
            raise InvalidSetting(
                f"In the {where}, {key} is not a table.",
                remedy='Write [review], [bucket."my-bucket"] or [role."my-role"], and the rules beneath it.',
            )
    for key in ("bucket", "role"):
        if key in table.get("review", {}):
            raise InvalidSetting(
                f"In the {where}, the table {key} stands within [review], where nothing reads it.",
                remedy=f'Write [{key}."my-{key}"] at the top level.',
            )
    for key in ("ledger", "resource_metadata", "snapshot", "snapshot_max_age"):
        if not isinstance(table.get(key, ""), str):
            raise InvalidSetting(f"In the {where}, {key} is not a text.", remedy="Put it in quotation marks.")
    return table


def _channels(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(value.split())
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return tuple(value)
    # INVARIANT: nothing of it is shown: it may hold the address of a webhook.
    raise InvalidSetting(
        "The setting notify is not a list of texts.", remedy='Write it like ["log", "https://..."].'
    )


def _on_or_off(name: str, value: object) -> bool:
    found = _SWITCH.get(str(value).strip().lower())
    if found is None:
        raise InvalidSetting(
            f"The setting {name} is {value!r}, which is neither on nor off.",
            remedy=f"Correct {name} in the file, or the variable SM_ACCESS_{name.upper()}.",
        )
    return found


def _positive_number(name: str, value: object) -> float:
    return _number_of_seconds(name, value, zero=False)


def _number_of_seconds(name: str, value: object, *, zero: bool = True) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if not 0 <= number < 3600 or (number == 0 and not zero):
        raise InvalidSetting(
            f"The setting {name} is {value!r}, which is not a number of seconds between 0 and 3600.",
            remedy=f"Correct {name} in the file, or the variable SM_ACCESS_{name.upper()}.",
        )
    return number
