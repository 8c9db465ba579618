"""Exceptions as boto3 and the libraries on top of it raise them, without the libraries: only their shape counts."""

from __future__ import annotations

from typing import Any

import pytest
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError, NoCredentialsError
from hypothesis import given
from hypothesis import strategies as st

from sm_access.access.call import Call, NoticedBy
from sm_access.access.denied_call import denied_call
from sm_access.access.raised_calls import MOST_ERRORS, raised_calls
from sm_access.access.trouble import Trouble, trouble_of


def refused(
    code: str = "AccessDenied", operation: str = "GetObject", message: str = "Access Denied"
) -> ClientError:
    about = {"HTTPStatusCode": 403, "RequestId": "R1", "HostId": "", "HTTPHeaders": {}, "RetryAttempts": 0}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": about}, operation)


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    error.__cause__ = cause
    return error


def test_awss_answer_is_found_in_the_chain() -> None:
    found = raised_calls(raised(PermissionError("Forbidden"), refused("403", "HeadObject", "Forbidden")))
    assert found == (
        Call("s3", "HeadObject", {}, None, 403, "403", "Forbidden", "R1", None, NoticedBy.EXCEPTION),
    )
    assert trouble_of(found[0]) is Trouble.DENIED


def test_a_place_that_the_words_name_is_taken() -> None:
    words = PermissionError("cannot read s3://lake/raw/x.csv")
    (found,) = raised_calls(raised(words, refused()))
    assert denied_call(found).place == "s3://lake/raw/x.csv"
    upload = S3UploadFailedError(
        f"Failed to upload x.csv to lake/raw/x.csv: {refused(operation='PutObject')}"
    )
    (of_upload,) = raised_calls(upload)
    assert denied_call(of_upload).place == "s3://lake/raw/x.csv"


def test_words_alone_are_read() -> None:
    about = "key 'raw/x' in bucket 'lake'"
    arrow = OSError(
        f"When getting information for {about}: AWS Error ACCESS_DENIED during HeadObject operation: No"
    )
    (found,) = raised_calls(arrow)
    assert denied_call(found).place == "s3://lake/raw/x"
    assert found.noticed_by is NoticedBy.EXCEPTION


def test_what_the_sdk_raises_without_an_answer_says_it_in_its_name() -> None:
    assert trouble_of(raised_calls(NoCredentialsError())[0]) is Trouble.NO_CREDENTIALS
    assert all(trouble_of(call) is None for call in raised_calls(KeyError("x")))


def test_members_of_a_group_and_long_chains_are_walked_once() -> None:
    class Group(Exception):
        exceptions = (refused(), KeyError("x"))

    assert raised_calls(Group("two"))[0].operation == "GetObject"
    error: BaseException = refused()
    for _ in range(MOST_ERRORS * 2):
        error = raised(ValueError("x"), error)
    assert trouble_of(raised_calls(error)[0]) is None  # too far away to be told as the reason
    loop = ValueError("x")
    loop.__cause__ = KeyError("y")
    loop.__cause__.__context__ = loop
    assert len(raised_calls(loop)) == 2


class Odd(Exception):
    """Whatever another library may hang on its exceptions."""

    def __init__(self, response: Any, operation: Any = "GetObject") -> None:
        super().__init__()
        self.response, self.operation_name = response, operation


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    "error",
    [Odd(None), Odd({}), Odd({"Error": 7, "ResponseMetadata": []}), Odd({"Error": {}}, None),
     Odd({"Error": {"Code": 403}}), Mute()],
    ids=repr,
)  # fmt: skip
def test_no_shape_raises(error: BaseException) -> None:
    raised_calls(error)


@given(st.text())
def test_no_words_raise(text: str) -> None:
    raised_calls(ValueError(text))
