"""What of an error is a refusal, and which calls it was: errors as libraries raise them, and errors that are none."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from sm_access.access.call import Call, NoticedBy
from sm_access.notebook.noticing import MOST_ERRORS, chain, notice, text_of

LAKE = {"Bucket": "acme-lake", "Key": "raw/x.csv"}


def denied(operation: str = "GetObject", request_id: str = "R1", **parameters: str) -> Call:
    return Call(
        "s3",
        operation,
        parameters or LAKE,
        status=403,
        code="AccessDenied",
        message="no",
        request_id=request_id,
    )


def done(operation: str = "GetObject", **parameters: str) -> Call:
    return Call("s3", operation, parameters or LAKE, status=200)


def client_error(
    code: str = "AccessDenied", request_id: str = "R1", operation: str = "GetObject"
) -> ClientError:
    about = {"RequestId": request_id, "HTTPStatusCode": 403}
    return ClientError({"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": about}, operation)  # type: ignore[typeddict-item]


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    error.__cause__ = cause
    return error


def test_the_answer_in_an_error_is_the_call_that_was_recorded() -> None:
    calls = [denied("ListObjectsV2", "R0"), denied(), done()]
    assert notice(client_error(), calls).failed == (calls[1],)


@pytest.mark.parametrize(
    "error",
    [
        raised(PermissionError("Forbidden"), client_error()),
        raised(RuntimeError("Failed to upload"), raised(ValueError(), client_error())),
        raised(OSError("unable to access bucket"), client_error()),
    ],
)
def test_however_deep_it_is(error: BaseException) -> None:
    assert notice(error, [denied()]).failed == (denied(),)


def test_in_a_context_and_in_a_group() -> None:
    around = KeyError("x")
    around.__context__ = client_error()
    assert notice(around, [denied()]).failed == (denied(),)
    if sys.version_info >= (3, 11):
        import builtins

        inner = builtins.ExceptionGroup("in", [client_error()])
        group = builtins.BaseExceptionGroup("two", [ValueError(), inner])
        assert notice(group, [denied()]).failed == (denied(),)


def test_an_answer_that_was_not_recorded_is_read_from_the_error() -> None:
    """As from another process: joblib and multiprocessing send the exception back."""
    (call,) = notice(client_error(operation="GetObject"), []).failed
    assert (call.service, call.operation, call.code, call.status) == ("s3", "GetObject", "AccessDenied", 403)
    assert call.noticed_by is NoticedBy.EXCEPTION
    (other,) = notice(client_error(operation="CreateTrainingJob"), []).failed
    assert (other.service, other.operation) == ("", "CreateTrainingJob")


def test_words_alone_are_enough_for_libraries_without_botocore() -> None:
    words = "When reading key 'k' in bucket 'b': AWS Error ACCESS_DENIED during HeadObject operation: No."
    (call,) = notice(OSError(words), []).failed
    assert call.parameters == {"Bucket": "b", "Key": "k"}


def test_a_failure_that_is_no_denial_is_left_alone() -> None:
    assert notice(ZeroDivisionError(), [done()]).failed == ()
    assert notice(client_error("NoSuchKey"), [done()]).failed == ()
    assert notice(OSError("disk full"), []).failed == ()


def test_another_failure_of_aws_is_not_blamed_on_what_was_denied_before() -> None:
    found = notice(client_error("NoSuchKey", "R9"), [denied("ListObjectsV2")])
    assert (found.failed, len(found.in_passing)) == ((), 1)


def test_an_error_of_ones_own_after_a_swallowed_denial() -> None:
    found = notice(KeyError("x"), [denied()])
    assert (found.failed, found.in_passing) == ((), (denied(),))


def test_an_error_of_a_library_of_aws_after_a_swallowed_denial() -> None:
    code = compile("raise FileNotFoundError('acme-lake/raw/x.csv')", "core.py", "exec")
    with pytest.raises(FileNotFoundError) as raised_:
        exec(code, {"__name__": "s3fs.core"})  # noqa: S102 - a frame of s3fs, without what else it does
    assert notice(raised_.value, [denied()]).failed == (denied(),)


def test_no_answer_and_no_credentials() -> None:
    lost = Call("s3", "GetObject", LAKE, code="EndpointConnectionError")
    error = EndpointConnectionError(endpoint_url="http://nowhere")
    assert notice(error, [done(), lost]).failed == (lost,)
    (call,) = notice(NoCredentialsError(), []).failed
    assert call.code == "NoCredentialsError"


def test_what_a_command_printed_counts() -> None:
    printed = Call("s3", "HeadObject", LAKE, status=403, code="403", noticed_by=NoticedBy.OUTPUT)
    assert notice(None, [], [printed, done()]).failed == (printed,)


def test_a_person_who_interrupts_knows_why() -> None:
    assert notice(KeyboardInterrupt(), [denied()]) == notice(None, [])


def test_a_cell_that_went_on_is_told_of_denials_and_not_of_probes_that_did_not_matter() -> None:
    probe = denied("HeadBucket", Bucket="acme-lake")
    assert notice(None, [probe, done("PutObject")]).in_passing == ()
    assert notice(None, [probe, done("PutObject", Bucket="acme-models")]).in_passing == (probe,)
    assert notice(None, [denied(), done("PutObject")]).in_passing == (denied(),)
    lost = Call("s3", "GetObject", LAKE, code="EndpointConnectionError")
    assert notice(None, [lost]).in_passing == ()


def test_the_same_call_again_and_again_is_one() -> None:
    assert len(notice(None, [denied()] * 20).in_passing) == 1


# --- hostile ------------------------------------------------------------------------------------------------------


class Hostile(Exception):
    exceptions = 3
    response: Any = "no mapping"
    operation_name = object()

    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_an_error_without_words() -> None:
    assert text_of(Hostile()) == ""
    assert notice(Hostile(), []).failed == ()


def test_a_chain_that_goes_in_circles_or_without_end() -> None:
    one, other = ValueError(), KeyError()
    one.__cause__, other.__cause__ = other, one
    assert list(chain(one)) == [one, other]
    last: BaseException = ValueError()
    for _ in range(500):
        last = raised(ValueError(), last)
    assert len(list(chain(last))) == MOST_ERRORS


def test_a_huge_message() -> None:
    assert notice(OSError("An error occurred (" * 2_000_000), []).failed == ()
