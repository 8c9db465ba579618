"""The recorder on real clients of boto3 and s3fs against the sandbox; what it hears, never keeps, and leaves."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import botocore.session
import pytest
from botocore import handlers
from botocore.exceptions import ClientError
from botocore.hooks import HierarchicalEmitter
from botocore.stub import Stubber

from sm_access.access.call import Call
from sm_access.aws.recorder import RECORDER, Recorder
from sm_access.bootstrap import Services
from sm_access.commands.recording import record

Enter = Callable[[str], None]
CANARY = "CANARY0123456789CANARY0123456789"


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """One of its own: heard beside the process's."""
    made = Recorder(most=50)
    yield made
    while made.listening:
        made.stop()


def get(client: Any, key: str, bucket: str = "acme-lake") -> None:
    try:
        client.get_object(Bucket=bucket, Key=key)
    except ClientError:
        return


def keys(recorder: Recorder) -> list[str]:
    return [call.parameters.get("Key", "") for call in recorder.since(0)]


def test_clients_from_before_and_after_and_of_other_sessions_are_heard(
    recorder: Recorder, enter: Enter
) -> None:
    enter("notebook")
    session = boto3.session.Session()
    before, resource = session.client("s3"), session.resource("s3")
    recorder.start()
    get(before, "raw/1")
    get(resource.meta.client, "raw/2")
    get(session.client("s3"), "raw/3")
    get(boto3.session.Session().client("s3"), "raw/4")
    get(botocore.session.get_session().create_client("s3"), "public/countries.csv")
    found = recorder.since(0)
    assert keys(recorder) == ["raw/1", "raw/2", "raw/3", "raw/4", "public/countries.csv"]
    assert [call.status for call in found] == [403, 403, 403, 403, 200]
    assert found[0].code == "AccessDenied"
    assert "not authorized to perform: s3:GetObject" in found[0].message
    assert (found[0].service, found[0].operation, found[0].region) == ("s3", "GetObject", "us-east-1")
    assert found[0].at is not None


def test_s3fs_is_heard_and_a_head_without_a_reason(recorder: Recorder, enter: Enter) -> None:
    import s3fs

    enter("notebook")
    before = s3fs.S3FileSystem(skip_instance_cache=True)
    before.ls("acme-models")
    recorder.start()
    for files in (before, s3fs.S3FileSystem(skip_instance_cache=True)):
        with pytest.raises(PermissionError):
            files.open("acme-lake/raw/customers.csv").read()
    heads = [call for call in recorder.since(0) if call.operation == "HeadObject"]
    assert {(call.parameters["Key"], call.status, call.code) for call in heads} == {
        ("raw/customers.csv", 403, "403")
    }
    assert len(heads) >= 2
    assert all(call.request_id for call in heads)


def test_calls_of_our_own_are_nobodys_evidence(
    recorder: Recorder, services_of: Callable[[str], Services]
) -> None:
    recorder.start()
    services = services_of("notebook")
    services.caller()
    services.identity()
    assert recorder.since(0) == ()


def test_where_it_stops_nothing_of_it_stays(recorder: Recorder, enter: Enter) -> None:
    enter("notebook")
    session = boto3.session.Session()
    clients = [session.client("s3")]
    builtin = list(handlers.BUILTIN_HANDLERS)
    recorder.start()
    recorder.start()
    clients += [session.client("s3"), boto3.session.Session().client("sts")]
    recorder.stop()
    get(clients[0], "raw/1")
    assert keys(recorder) == ["raw/1"]
    recorder.stop()
    recorder.stop()
    assert builtin == handlers.BUILTIN_HANDLERS
    for client in clients[:2]:
        get(client, "raw/2")
    assert keys(recorder) == ["raw/1"]
    emitters = [each for each in gc.get_objects() if type(each) is HierarchicalEmitter]
    mine = [handler for _, handler in recorder._handlers]
    for emitter in emitters:
        for event in ("provide-client-params", "after-call", "after-call-error"):
            assert not [
                each for each in emitter._handlers.prefix_search(f"{event}.s3.GetObject") if each in mine
            ]


def test_no_body_token_or_customers_key_is_kept(recorder: Recorder, enter: Enter) -> None:
    enter("notebook")
    client = boto3.client("s3")
    recorder.start()
    with Stubber(client) as stub:
        stub.add_client_error("put_object", "AccessDenied", "no", 403)
        stub.add_client_error("get_object", "AccessDenied", "no", 403)
        for call in (
            lambda: client.put_object(
                Bucket="b", Key="k", Body=CANARY, SSECustomerKey=CANARY[:32], SSECustomerAlgorithm="AES256",
                Metadata={"a": CANARY}, Tagging=f"a={CANARY}",
            ),
            lambda: client.get_object(Bucket="b", Key="k", SSECustomerKey=CANARY[:32], SSECustomerAlgorithm="AES256"),
        ):  # fmt: skip
            with pytest.raises(ClientError):
                call()
    assert len(recorder.since(0)) == 2
    assert CANARY not in repr(recorder.since(0))


def test_keys_of_the_answer_and_of_a_deletion_of_many(recorder: Recorder, enter: Enter) -> None:
    """Stubbed: the sandbox denies a deletion as a whole, where AWS answers for each key."""
    enter("notebook")
    client = boto3.client("s3")
    recorder.start()
    with Stubber(client) as stub:
        stub.add_response("get_object", {"SSEKMSKeyId": "arn:aws:kms:us-east-1:1:key/k"})
        refused = {"Key": "b/1", "Code": "AccessDenied", "Message": "no"}
        stub.add_response("delete_objects", {"Errors": [refused, {"Key": "c", "Code": "InternalError"}]})
        client.get_object(Bucket="b", Key="k")
        objects = [{"Key": "a/1", "VersionId": "7"}, {"Key": "a/2"}, {"Key": "b/1"}]
        client.delete_objects(Bucket="b", Delete={"Objects": objects})
    read, deleted, denied = recorder.since(0)
    assert read.parameters["EncryptedWith"] == "arn:aws:kms:us-east-1:1:key/k"
    assert (deleted.keys, deleted.code, deleted.parameters["VersionId"]) == (("a/1", "b/1"), "", "7")
    assert (denied.keys, denied.code, denied.status, denied.message) == (("b/1",), "AccessDenied", 403, "no")


def test_where_nobody_answers_the_error_is_the_code(recorder: Recorder, enter: Enter) -> None:
    enter("notebook")
    client = boto3.client("s3", endpoint_url="http://user:hidden@127.0.0.1:9")
    recorder.start()
    with pytest.raises(Exception, match="127"):
        client.get_object(Bucket="acme-lake", Key="k")
    (call,) = recorder.since(0)
    assert (call.code, call.status, call.message) == ("EndpointConnectionError", None, "")
    assert "hidden" not in repr(call)


@pytest.mark.parametrize(
    "params", [None, {"Delete": 3, "Bucket": "b"}, {"Delete": {"Objects": [None]}, "Bucket": "b"}]
)
def test_odd_parameters_are_the_clients_to_refuse(recorder: Recorder, enter: Enter, params: Any) -> None:
    enter("notebook")
    client = boto3.client("s3")
    recorder.start()
    with pytest.raises(Exception, match=r"Parameter validation failed|argument"):
        client._make_api_call("DeleteObjects", params)


def test_a_listener_that_fails_is_not_the_callers_trouble(recorder: Recorder, enter: Enter) -> None:
    enter("notebook")

    def broken(_: Call) -> None:
        raise RuntimeError("not yours")

    with recorder.listening_to(broken):
        assert boto3.client("s3").get_object(Bucket="acme-lake", Key="public/README.txt")["Body"].read()
    assert not recorder.listening


def test_only_the_last_calls_are_kept_and_marks_stay_true(recorder: Recorder) -> None:
    for number in range(120):
        if number == 100:
            mark = recorder.mark()
        recorder.note(Call("s3", "GetObject", {"Key": str(number)}))
    assert len(recorder.since(0)) == 50
    assert [call.parameters["Key"] for call in recorder.since(mark)] == [
        str(number) for number in range(100, 120)
    ]
    assert recorder.since(recorder.mark()) == ()


def test_many_threads_at_once() -> None:
    recorder = Recorder(most=10_000)

    def work(thread: int) -> None:
        for number in range(500):
            recorder.note(Call("s3", "GetObject", {"Key": f"{thread}/{number}"}))
            recorder.since(max(0, recorder.mark() - 3))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert recorder.mark() == 4000
    assert len({call.parameters["Key"] for call in recorder.since(0)}) == 4000


# --- recordings ---------------------------------------------------------------------------------------------------


def note(key: str) -> None:
    RECORDER.note(Call("s3", "GetObject", {"Bucket": "b", "Key": key}))


def heard(recording: Any) -> set[str]:
    return {kind.call.parameters["Key"] for kind in recording.kinds}


def test_recordings_within_each_other() -> None:
    with record() as outer:
        note("1")
        with record() as inner:
            note("2")
        note("3")
    note("4")
    assert (heard(outer), heard(inner)) == ({"1", "2", "3"}, {"2"})
    assert not RECORDER.listening


def test_recordings_beside_each_other_in_threads() -> None:
    both = threading.Barrier(2)

    def work(name: str) -> set[str]:
        with record() as recorded:
            both.wait(10)
            note(name)
            both.wait(10)
        return heard(recorded)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, ["a", "b"])) == [{"a"}, {"b"}]


def test_threads_that_start_within_count_and_so_do_pools_from_before() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(note, "0").result()
        with record() as recorded:
            pool.submit(note, "1").result()
            thread = threading.Thread(target=note, args=("2",))
            thread.start()
            thread.join()
    assert heard(recorded) == {"1", "2"}


def test_tasks_beside_each_other() -> None:
    async def work(name: str) -> set[str]:
        with record() as recorded:
            await asyncio.sleep(0)
            note(name)
            await asyncio.sleep(0)
        return heard(recorded)

    async def all_of_them() -> list[set[str]]:
        return await asyncio.gather(*map(work, "abc"))

    assert asyncio.run(all_of_them()) == [{"a"}, {"b"}, {"c"}]


def test_a_task_that_outlives_its_recording_is_not_counted_any_more() -> None:
    async def work() -> tuple[set[str], set[str]]:
        go = asyncio.Event()

        async def later() -> None:
            await go.wait()
            note("late")

        with record() as over:
            task = asyncio.create_task(later())
            note("in time")
        with record() as other:
            go.set()
            await task
        return heard(over), heard(other)

    assert asyncio.run(work()) == ({"in time"}, {"late"})


def test_a_recording_ends_with_the_error_that_ended_it() -> None:
    recorded = record()

    def work() -> None:
        with recorded:
            note("1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert heard(recorded) == {"1"}
    assert not RECORDER.listening


def test_the_same_recording_cannot_run_twice_at_once() -> None:
    with record() as recorded, pytest.raises(RuntimeError, match="running already"), recorded:
        pass


def test_a_recording_is_an_answer(enter: Enter) -> None:
    enter("notebook")
    client = boto3.client("s3")
    with record() as recorded:
        get(client, "public/countries.csv")
        get(client, "raw/customers.csv")
        client.upload_file(__file__, "acme-models", "tests/x.py")
    assert [kind.call.parameters["Key"] for kind in recorded.denied] == ["raw/customers.csv"]
    assert recorded.policy == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Recorded1",
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": ["arn:aws:s3:::acme-lake/public/*", "arn:aws:s3:::acme-lake/raw/*"],
            },
            {
                "Sid": "Recorded2",
                "Effect": "Allow",
                "Action": "s3:PutObject",
                "Resource": "arn:aws:s3:::acme-models/tests/*",
            },
        ],
    }
    assert recorded.result.exit_code == 1
    said = recorded.to_text()
    assert said.startswith("✕ 3 calls to AWS, 1 denied")
    assert "lower bound" in said
    assert '"s3:PutObject"' in recorded.to_json()
    assert "lower bound" in recorded._repr_mimebundle_()["text/html"]
    assert repr(recorded) == said
    view = recorded.to_dict()
    assert view["policy"] == recorded.policy
    assert [call["denied"] for call in view["calls"]] == [0, 1, 0]


def test_a_recording_of_nothing() -> None:
    with record() as recorded:
        pass
    assert recorded.to_text().startswith("No call to AWS was seen")
    assert (recorded.policy, recorded.to_json(), recorded.result.exit_code) == (None, "", 0)
    assert recorded.to_html()


@pytest.mark.parametrize(
    ("code", "message", "kept"),
    [
        ("InvalidParameterException", f"Value '{CANARY}' at 'authParameters.password' failed", ""),
        ("InvalidParameterException", f"No user {CANARY}", ""),
        ("NotAuthorizedException", "not you", "not you"),
    ],
)
def test_words_that_refuse_nothing_are_not_kept(
    recorder: Recorder, enter: Enter, code: str, message: str, kept: str
) -> None:
    enter("notebook")
    recorder.start()
    client = boto3.client("cognito-idp")
    with Stubber(client) as stub:
        stub.add_client_error("initiate_auth", code, message, 400)
        with pytest.raises(ClientError):
            client.initiate_auth(
                AuthFlow="USER_PASSWORD_AUTH", ClientId="abc", AuthParameters={"PASSWORD": CANARY}
            )
    assert [call.message for call in recorder.since(0)] == [kept]
    assert CANARY not in repr(recorder.since(0))
