# ruff: noqa: E501 - a cell of a notebook is a line here, so that the table can be read
"""Every library through which people meet a refusal, and what it makes of it: an exception of its own, or nothing.

Each cell runs in IPython against the sandbox, whose refusals are real. pyarrow and polars take no endpoint from
botocore: they are told. sagemaker 2 builds the address of STS by itself, with no way to another one, so what it asks STS
is stood in for.
"""

from __future__ import annotations

from typing import Any

import pytest

Cell = Any
RAW = "s3://acme-lake/raw/customers.csv"
PARQUET = "s3://acme-lake/raw/x.parquet"

BOTO = "import boto3, os\ns3 = boto3.client('s3')\nat = dict(Bucket='acme-lake', Key='raw/customers.csv')\n"
S3FS = "import s3fs\nfiles = s3fs.S3FileSystem(skip_instance_cache=True)\n"
PANDAS = "import pandas as pd\n"
ARROW = """
import boto3, os, pyarrow.fs
held = boto3.Session().get_credentials().get_frozen_credentials()
arrow = pyarrow.fs.S3FileSystem(
    endpoint_override=os.environ["AWS_ENDPOINT_URL_S3"], region="us-east-1", access_key=held.access_key,
    secret_key=held.secret_key, session_token=held.token,
)
"""
POLARS = """
import boto3, os, polars as pl
held = boto3.Session().get_credentials().get_frozen_credentials()
options = dict(
    aws_endpoint_url=os.environ["AWS_ENDPOINT_URL_S3"], aws_allow_http="true", aws_region="us-east-1",
    aws_access_key_id=held.access_key, aws_secret_access_key=held.secret_key, aws_session_token=held.token,
)
"""
WRANGLER = """
import awswrangler as wr, os, pandas as pd
wr.config.s3_endpoint_url, wr.config.sts_endpoint_url = os.environ["AWS_ENDPOINT_URL_S3"], os.environ["AWS_ENDPOINT_URL_STS"]
"""
OPEN = "import smart_open\n"
SAGEMAKER = "import sagemaker\nsession = sagemaker.Session(default_bucket='acme-lake')\nopen('a.csv', 'w').write('1')\n"

#: What the person writes -> the exception, the operation behind it, and what was refused.
CELLS: dict[str, tuple[str, str, str, str]] = {
    "boto3 get": (f"{BOTO}s3.get_object(**at)", "AccessDenied", "GetObject", f"read {RAW}"),
    "boto3 head": (f"{BOTO}s3.head_object(**at)", "ClientError", "HeadObject", f"read {RAW}"),
    "boto3 list": (f"{BOTO}s3.list_objects_v2(Bucket='acme-lake', Prefix='raw/')", "AccessDenied", "ListObjectsV2", "list s3://acme-lake/raw/"),
    "boto3 put": (f"{BOTO}s3.put_object(**at, Body=b'')", "AccessDenied", "PutObject", f"write {RAW}"),
    "boto3 upload": (f"{BOTO}open('a', 'w').write('1')\ns3.upload_file('a', *at.values())", "S3UploadFailedError", "PutObject", f"write {RAW}"),
    "boto3 download": (f"{BOTO}s3.download_file(*at.values(), 'a')", "ClientError", "HeadObject", f"read {RAW}"),
    "boto3 resource": (f"{BOTO}boto3.resource('s3').Object(*at.values()).get()", "AccessDenied", "GetObject", f"read {RAW}"),
    "boto3 another service": (f"{BOTO}boto3.client('dynamodb').get_item(TableName='acme-features', Key={{'id': {{'S': '1'}}}})", "ClientError", "GetItem", "dynamodb:GetItem"),
    "s3fs open": (f"{S3FS}files.open('{RAW}').read()", "PermissionError", "HeadObject", f"read {RAW}"),
    "s3fs ls": (f"{S3FS}files.ls('s3://acme-lake/raw')", "PermissionError", "ListObjectsV2", "list s3://acme-lake/raw/"),
    "s3fs exists": (f"{S3FS}files.exists('{RAW}')", "PermissionError", "HeadObject", f"read {RAW}"),
    "s3fs write": (f"{S3FS}files.pipe('{RAW}', b'x')", "PermissionError", "PutObject", f"write {RAW}"),
    "s3fs rm": (f"{S3FS}files.rm('{RAW}')", "PermissionError", "DeleteObjects", "delete s3://acme-lake"),
    "pandas read_csv": (f"{PANDAS}pd.read_csv('{RAW}')", "PermissionError", "HeadObject", f"read {RAW}"),
    "pandas to_csv": (f"{PANDAS}pd.DataFrame().to_csv('{RAW}')", "PermissionError", "PutObject", f"write {RAW}"),
    "pandas read_parquet": (f"{PANDAS}pd.read_parquet('{PARQUET}')", "OSError", "HeadObject", f"read {PARQUET}"),
    "pyarrow read": (f"{ARROW}arrow.open_input_file('acme-lake/raw/customers.csv')", "OSError", "HeadObject", f"read {RAW}"),
    "pyarrow list": (f"{ARROW}arrow.get_file_info(pyarrow.fs.FileSelector('acme-lake/raw/'))", "OSError", "ListObjectsV2", "list s3://acme-lake/raw/"),
    "pyarrow write": (f"{ARROW}arrow.open_output_stream('acme-lake/raw/customers.csv')", "OSError", "CreateMultipartUpload", f"write {RAW}"),
    "pyarrow copy": (f"{ARROW}arrow.copy_file('acme-lake/raw/customers.csv', 'acme-models/c')", "OSError", "CopyObject", "s3://acme-"),
    "polars read_csv": (f"{POLARS}pl.read_csv('{RAW}', storage_options=options)", "PermissionError", "HeadObject", f"read {RAW}"),
    "polars scan_parquet": (f"{POLARS}pl.scan_parquet('{PARQUET}', storage_options=options).collect()", "PermissionError", "GetObject", f"read {PARQUET}"),
    "polars many files": (f"{POLARS}pl.scan_parquet('s3://acme-lake/raw/*.parquet', storage_options=options).collect()", "OSError", "ListObjectsV2", "list s3://acme-lake/raw/"),
    "polars write": (f"{POLARS}pl.DataFrame({{'a': [1]}}).write_parquet('{PARQUET}', storage_options=options)", "PermissionError", "PutObject", f"write {PARQUET}"),
    "awswrangler read": (f"{WRANGLER}wr.s3.read_csv('{RAW}')", "AccessDenied", "ListObjectsV2", f"list {RAW}"),
    "awswrangler write": (f"{WRANGLER}wr.s3.to_csv(pd.DataFrame({{'a': [1]}}), '{RAW}')", "AccessDenied", "PutObject", f"write {RAW}"),
    "awswrangler exists": (f"{WRANGLER}wr.s3.does_object_exist('{RAW}')", "ClientError", "HeadObject", f"read {RAW}"),
    "smart_open read": (f"{OPEN}smart_open.open('{RAW}').read()", "OSError", "GetObject", f"read {RAW}"),
    "smart_open write": (f"{OPEN}with smart_open.open('{RAW}', 'w') as file: file.write('x')", "ValueError", "CreateMultipartUpload", f"write {RAW}"),
    "sagemaker upload": (f"{SAGEMAKER}session.upload_data('a.csv', 'acme-lake', 'raw')", "S3UploadFailedError", "PutObject", "write s3://acme-lake/raw/a.csv"),
    "sagemaker download": (f"{SAGEMAKER}session.download_data('.', 'acme-lake', 'raw/customers.csv')", "AccessDenied", "ListObjectsV2", f"list {RAW}"),
    "sagemaker list": (f"{SAGEMAKER}session.list_s3_files('acme-lake', 'raw/')", "AccessDenied", "ListObjects", "list s3://acme-lake/raw/"),
}  # fmt: skip


@pytest.mark.parametrize("name", CELLS)
def test_a_denial_is_recognised(cell: Cell, name: str) -> None:
    code, error, operation, what = CELLS[name]
    beneath = cell(code)
    assert type(beneath.error).__name__ == error
    card = beneath.card
    assert card["operation"] == operation
    assert what in card["headline"]
    assert card["headline"].startswith("Denied: ")


WORKING = {
    "boto3": f"{BOTO}s3.get_object(Bucket='acme-lake', Key='public/README.txt')['Body'].read()",
    "s3fs": f"{S3FS}files.cat('s3://acme-lake/public/README.txt')",
    "pandas": f"{PANDAS}pd.read_csv('s3://acme-lake/public/countries.csv')",
    "pandas write": f"{PANDAS}pd.DataFrame({{'a': [1]}}).to_csv('s3://acme-models/tests/a.csv')",
    "pyarrow": f"{ARROW}arrow.open_input_file('acme-lake/public/README.txt').read()",
    "polars": f"{POLARS}pl.read_csv('s3://acme-lake/public/countries.csv', storage_options=options)",
    "awswrangler": f"{WRANGLER}wr.s3.read_csv('s3://acme-lake/public/countries.csv')",
    "smart_open": f"{OPEN}smart_open.open('s3://acme-lake/public/README.txt').read()",
    "sagemaker": f"{SAGEMAKER}session.upload_data('a.csv', 'acme-models', 'tests')",
}


@pytest.mark.parametrize("name", WORKING)
def test_what_works_stays_quiet(cell: Cell, name: str) -> None:
    """Also where the library asks something on the way that is refused, and does without the answer."""
    beneath = cell(WORKING[name])
    assert beneath.error is None
    assert beneath.shown == ()


OTHER = {
    "a missing key": (f"{BOTO}s3.get_object(Bucket='acme-models', Key='nothing')", "NoSuchKey"),
    "a missing file of s3fs": (f"{S3FS}files.open('s3://acme-models/nothing').read()", "FileNotFoundError"),
    "a missing file of pyarrow": (f"{ARROW}arrow.open_input_file('acme-models/nothing')", "FileNotFoundError"),
    "a missing file of polars": (f"{POLARS}pl.read_csv('s3://acme-models/nothing.csv', storage_options=options)", ""),
    "a file that is no parquet": (f"{ARROW}import pyarrow.parquet\npyarrow.parquet.read_table('acme-lake/public/README.txt', filesystem=arrow)", "ArrowInvalid"),
    "a local file that is closed": ("import os\nos.makedirs('shut', exist_ok=True)\nopen('shut')", "IsADirectoryError"),
    # The account's caller is a user: sagemaker asks STS at an address that cannot be changed, so the answer is stood in.
    "not a role": (f"{SAGEMAKER}session.get_caller_identity_arn = lambda: 'arn:aws:iam::111122223333:user/engineer-1'\nsagemaker.get_execution_role(session)", "ValueError"),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER)
def test_what_fails_otherwise_stays_quiet(cell: Cell, name: str) -> None:
    code, error = OTHER[name]
    beneath = cell(code)
    assert beneath.error is not None
    assert error in ("", type(beneath.error).__name__)
    assert beneath.shown == ()


def test_a_denial_that_is_an_answer_and_no_error_is_mentioned(cell: Cell) -> None:
    """s3fs gives the refusal back among the contents; nothing is raised."""
    beneath = cell(f"{S3FS}files.cat(['{RAW}', 's3://acme-models/vision/labels.json'], on_error='return')")
    assert beneath.error is None
    (line,) = beneath.shown
    assert f"1 call to AWS was denied in this cell: HeadObject on {RAW}" in line.to_text()


def test_a_waiter_that_gives_up_after_a_denial(cell: Cell) -> None:
    """Nothing in the error says so: the bucket could not be made, so waiting for it was in vain."""
    code = (
        f"{BOTO}try:\n    s3.create_bucket(Bucket='acme-new')\nexcept Exception:\n    pass\n"
        "s3.get_waiter('bucket_exists').wait(Bucket='acme-new', WaiterConfig={'Delay': 0, 'MaxAttempts': 2})"
    )
    beneath = cell(code)
    assert type(beneath.error).__name__ == "WaiterError"
    (result,) = beneath.shown
    assert "CreateBucket" in str(result.to_dict())


# --- commands -----------------------------------------------------------------------------------------------------

COMMANDS = {
    "!aws s3 cp s3://acme-lake/raw/customers.csv .": ("HeadObject", f"read {RAW}"),
    "!aws s3 ls s3://acme-lake/raw/": ("ListObjectsV2", "list s3://acme-lake/raw/"),
    "!echo 1 > up.csv; aws s3 cp up.csv s3://acme-lake/raw/customers.csv": ("PutObject", f"write {RAW}"),
    "!aws s3 rm s3://acme-lake/raw/customers.csv": ("DeleteObject", f"delete {RAW}"),
    "!aws s3api head-object --bucket acme-lake --key raw/customers.csv": ("HeadObject", f"read {RAW}"),
    "key = 'raw/customers.csv'\n!aws s3api get-object --bucket acme-lake --key {key} out": (
        "GetObject",
        f"read {RAW}",
    ),
    "%%bash\naws s3 cp s3://acme-lake/raw/customers.csv .": ("HeadObject", f"read {RAW}"),
    "%%sh\necho before\naws s3 sync s3://acme-lake/raw/ here": ("ListObjectsV2", "list s3://acme-lake/raw/"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_line(cell: Cell, command: str) -> None:
    operation, what = COMMANDS[command]
    beneath = cell(command)
    assert "An error occurred" in beneath.printed
    card = beneath.card
    assert card["operation"] == operation
    assert what in card["headline"]


@pytest.mark.parametrize(
    "command", ["!aws s3 ls s3://acme-lake/public/", "%%bash\naws s3 ls s3://acme-models/"]
)
def test_a_command_that_works_stays_quiet(cell: Cell, command: str) -> None:
    beneath = cell(command)
    assert "PRE" in beneath.printed or "csv" in beneath.printed
    assert beneath.shown == ()


def test_in_a_kernel_as_in_a_shell(shell: Any) -> None:
    """`!` goes another way there: ipykernel's own, through the kernel's streams. `shell`: for its environment."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel()
    try:
        kinds: set[str] = set()

        def run(code: str) -> str:
            said: list[str] = []

            def hear(message: dict[str, Any]) -> None:
                content = message["content"]
                kinds.update(content.get("data", {}))
                words = (
                    content.get("text") or content.get("evalue") or content.get("data", {}).get("text/plain")
                )
                said.append(f"<{message['msg_type']}> {words}" if words else "")

            client.execute_interactive(code, timeout=60, output_hook=hear)
            return "\n".join(said)

        run("%load_ext sm_access")
        for code, error in (
            ("!aws s3 cp s3://acme-lake/raw/customers.csv .", "fatal error: An error occurred (403)"),
            ("%%bash\naws s3 cp s3://acme-lake/raw/customers.csv .", "fatal error: An error occurred (403)"),
            (f"{BOTO}s3.head_object(**at)", "Forbidden"),
        ):
            said = run(code)
            assert error in said
            assert said.index(error) < said.index(f"<display_data> ✕ Denied: read {RAW}")
            assert "RequestButton" not in said  # it has no words of its own
            assert "application/vnd.jupyter.widget-view+json" in kinds
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
