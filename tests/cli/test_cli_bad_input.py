"""What people get wrong: one paragraph, the right exit code, no traceback, and nothing half-written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

Run = Callable[..., Any]
Enter = Callable[[str], None]

URIS = {
    "one slash": "s3:/x",
    "another scheme": "https://acme-lake/raw/",
    "upper case": "S3://B",
    "upper-case bucket": "s3://Acme-Lake/raw/",
    "no bucket": "s3://",
    "nothing": "",
    "a star": "s3://acme-lake/*",
    "a star in the bucket": "s3://*/raw/",
    "a question mark": "s3://acme-lake/ra?/",
    "a policy variable": "s3://acme-lake/${aws:username}/",
    "dots": "s3://acme-lake/public/../raw/",
    "an empty component": "s3://acme-lake//raw/",
    "a bucket in another script": "s3://acme-läke/raw/",
    "a key beyond Latin-1": "s3://acme-lake/ünï/☃",
    "a line break": "s3://acme-lake/raw/\nEffect/",
    "a terminal escape": "s3://acme-lake/\x1b[31mraw/",
    "text that turns round": "s3://acme-lake/\u202eraw/",
    "2,000 characters": "s3://acme-lake/" + "x" * 2000,
    "an address": "s3://169.254.169.254/latest/",
    "an ARN": "arn:aws:s3:::acme-lake/raw/*",
}


@pytest.mark.parametrize("uri", URIS.values(), ids=URIS.keys())
@pytest.mark.parametrize(
    "words",
    [("can", "read", "URI"), ("permissions", "URI"), ("request", "URI", "read", "--why", "x")],
    ids=lambda words: words[0],
)
def test_a_place_that_is_none(
    run: Run, enter: Enter, recorded: Callable[[], int], words: tuple[str, ...], uri: str
) -> None:
    enter("notebook")
    found = run(*(uri if word == "URI" else word for word in words))
    assert found.code == 2
    assert found.out == ""
    assert found.err.startswith("! ")
    assert "\x1b" not in found.err
    assert "\u202e" not in found.err
    assert recorded() == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("can", "raed", "s3://acme-lake/raw/"), "list, read, write, delete"),
        (("can", "s3:GetObjct", "s3://acme-lake/raw/"), "Did you mean s3:GetObject"),
        (("can", "s3:", "s3://acme-lake/raw/"), "no action named 's3:'"),
        (("can", "s3:*", "s3://acme-lake/raw/"), "no action named 's3:*'"),
        (("can", "ec2:RunInstances", "s3://acme-lake/raw/"), "not an action on S3"),
        (("can", "<b>x</b>", "s3://acme-lake/raw/"), "is not a level"),
        (("can",), "Missing argument"),
        (("can", "read"), "Missing argument"),
        (("request", "s3://acme-lake/raw/", "read"), "Missing option '--why'"),
        (("request", "s3://acme-lake/raw/", "admin", "--why", "x"), "is not a level"),
        (("request", "s3://acme-lake/raw/", "read", "--why", ""), "The reason is empty"),
        (("request", "s3://acme-lake/raw/", "read", "--why", " \n "), "The reason is empty"),
        (("request", "s3://acme-lake/raw/", "read", "--why", "x" * 1001), "longer than 1,000"),
        (("request", "s3://acme-lake/raw/", "read", "--why", "x\x1b[2J"), "U+001B"),
        (("request", "s3://acme-lake/raw/", "read", "--why", "x\u202ey"), "U+202E"),
        (("request", "s3://acme-lake/raw/", "read", "--why", "x", "--person", ""), "The name of the person"),
        (("request", "s3://acme-lake/raw/", "read", "--why", "x", "--for", "soon"), "not a length of time"),
        (("request", "s3://acme-lake/raw/", "read", "--why", "x", "--for", "0d"), "not a length of time"),
        (("request", "s3://acme-lake/raw/", "read", "--why", "x", "--for", "-7d"), "not a length of time"),
        (("request", "s3://acme-lake/raw/", "read", "--why", "x", "--for", "9999d"), "longer than ten years"),
        (("request", "s3://acme-lake/raw/", "read", "--why", "x", "--for", "1e3d"), "not a length of time"),
        (("show", "r-nobody"), "no access request 'r-nobody'"),
        (("approve", "r-nobody"), "no access request 'r-nobody'"),
        (("reject", "r-nobody", "--why", "x"), "no access request 'r-nobody'"),
        (("withdraw", "' OR 1=1 --"), "no access request"),
        (("revoke", "../../etc/passwd"), "no access request"),
        (("prove", ""), "no access request"),
        (("reject", "r-nobody"), "Missing option '--why'"),
        (("nonsense",), "No such command"),
        (("--nonsense",), "No such option"),
        (("whoami", "--nonsense"), "No such option"),
        (("whoami", "extra"), "unexpected extra argument"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else None,
)
def test_words_that_are_wrong(
    run: Run, enter: Enter, recorded: Callable[[], int], arguments: tuple[str, ...], words: str
) -> None:
    enter("notebook")
    found = run(*arguments)
    assert found.code == 2
    assert words in found.said
    assert found.out == ""
    assert "\x1b" not in found.err
    assert recorded() == 0

    as_json = run(*arguments, "--json")
    assert as_json.code == 2
    assert set(as_json.json) == {"error", "message", "remedy"}
    assert as_json.err == ""


def test_a_bucket_that_does_not_exist_is_neither_yes_nor_no(run: Run, enter: Enter) -> None:
    enter("notebook")
    found = run("can", "read", "s3://acme-nothing/raw/")
    assert found.code == 3
    assert "no bucket named acme-nothing" in found.said
    assert "permissions" in found.said


def test_no_credentials(run: Run, clean_environment: Path) -> None:
    for arguments in (("whoami",), ("can", "read", "s3://acme-lake/"), ("permissions",), ("inbox",)):
        found = run(*arguments)
        assert found.code == 3
        assert "No AWS credentials were found" in found.said
        assert "sm-access sandbox start" in found.said
        assert run(*arguments, "--json").json["error"] == "NoCredentials"


@pytest.fixture
def expired_endpoint() -> Iterator[str]:
    """Answers every call as AWS does when the token is past its end."""

    class Expired(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = (
                b"<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code>"
                b"<Message>The security token included in the request is expired</Message></Error></ErrorResponse>"
            )
            self.send_response(403)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Expired) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_credentials_past_their_end(
    run: Run, enter: Enter, expired_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter("notebook")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", expired_endpoint)
    for arguments in (("whoami",), ("can", "read", "s3://acme-lake/"), ("requests",)):
        found = run(*arguments)
        assert found.code == 3
        assert "have expired" in found.said
        assert "Restart the kernel" in found.said
        assert run(*arguments, "--json").json["error"] == "ExpiredCredentials"


def test_an_extra_that_is_missing_names_itself(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SM_ACCESS_SANDBOX_HOME", str(tmp_path))
    monkeypatch.setattr("sm_access.sandbox.world.find_spec", lambda name: None)
    found = run("sandbox", "start", "--name", "missing")
    assert found.code == 2
    assert "sm-access[sandbox]" in found.said


def test_no_such_profile(run: Run, clean_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    found = run("whoami")
    assert found.code == 2
    assert "nobody" in found.said
    assert "AWS_PROFILE" in found.said


def test_a_stale_key(run: Run, enter: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    enter("notebook")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASTALESTALESTALE1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary/secret/of/a/stale/key")
    found = run("whoami")
    assert found.code == 3
    assert "canary" not in found.said
    assert "AKIASTALE" not in found.said


class TestTheConfigurationFile:
    @pytest.fixture
    def write(self, enter: Enter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], Path]:
        enter("notebook")
        path = tmp_path / "config.toml"
        monkeypatch.setenv("SM_ACCESS_CONFIG", str(path))

        def write(text: bytes) -> Path:
            path.write_bytes(text)
            return path

        return write

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (b"reviewers = [", "is not TOML"),
            (b"\xff\xfe", "is not TOML"),
            (b"ledgr = 'x'", "a key that nothing reads: ledgr"),
            (b"timeout_seconds = 'soon'", "timeout_seconds"),
            (b"timeout_seconds = 0", "timeout_seconds"),
            (b"timeout_seconds = nan", "timeout_seconds"),
            (b"timeout_seconds = true", "timeout_seconds"),
            (b"review = 'everyone'", "review"),
            (b"review = ['arn:aws:iam::111122223333:role/x']", "review"),
            (b"bucket = 1", "bucket"),
            (b"[review]\nreviewer = []", "reviewer is not a rule"),
            (b"[review]\nreviewers = 'arn:aws:iam::111122223333:role/x'", "is not a list"),
            (b"[review]\nreviewers = ['*']", "is not the ARN"),
            (b"[review]\nmax_duration = 7", "not a length of time"),
            (b"[review]\nlevels = ['admin']", "admin"),
            (b"[bucket.'acme-*']\nlevels = ['read']", "acme-*"),
            (b"[review.bucket.acme-lake]\nlevels = ['read']", "bucket"),
        ],
        ids=lambda value: value.decode("latin-1") if isinstance(value, bytes) else None,
    )
    def test_that_cannot_be_used(
        self, run: Run, write: Callable[[bytes], Path], recorded: Callable[[], int], text: bytes, words: str
    ) -> None:
        write(text)
        found = run("request", "s3://acme-lake/raw/", "read", "--why", "x")
        assert found.code == 2
        assert words in found.said
        assert recorded() == 0

    def test_that_is_named_and_missing(
        self, run: Run, enter: Enter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        enter("notebook")
        monkeypatch.delenv("SM_ACCESS_SANDBOX")
        monkeypatch.setenv("SM_ACCESS_CONFIG", str(tmp_path / "nowhere.toml"))
        found = run("whoami")
        assert found.code == 2
        assert "nowhere.toml" in found.said
        assert "SM_ACCESS_CONFIG" in found.said

    def test_that_names_no_reviewer(
        self, run: Run, write: Callable[[bytes], Path], enter: Enter, recorded: Callable[[], int]
    ) -> None:
        """Nobody may decide, and that is said before anyone waits in vain."""
        path = write(b"[review]\nlevels = ['read']\n")
        asked = run("request", "s3://acme-lake/raw/", "read", "--why", "x")
        assert asked.code == 0
        assert "nobody yet" in asked.said
        id = run("requests", "--json").json["requests"][0]["id"]
        enter("approver")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SM_ACCESS_CONFIG", str(path))
            assert run("inbox", "--json").json["inbox"] == []
            refused = run("approve", id)
        assert refused.code == 1
        assert "reviewers" in refused.said
        assert recorded() == 1

    def test_beyond_the_ceiling(
        self, run: Run, write: Callable[[bytes], Path], recorded: Callable[[], int]
    ) -> None:
        write(b"[review]\nlevels = ['read']\nmax_duration = '2d'\n")
        for more in (("write", "--for", "1d"), ("read", "--for", "3d")):
            found = run("request", "s3://acme-lake/raw/", *more, "--why", "x")
            assert found.code == 1
            assert "rules" in found.said
        assert recorded() == 0


class TestTheLedger:
    @pytest.mark.parametrize(
        "url",
        ["ledger.sqlite", "postgres://host/db", "sqlite://", "sqlite:///", "dynamodb://", "dynamodb:///t"],
    )
    def test_of_a_kind_that_is_none(
        self, run: Run, enter: Enter, monkeypatch: pytest.MonkeyPatch, url: str
    ) -> None:
        enter("notebook")
        monkeypatch.setenv("SM_ACCESS_LEDGER", url)
        found = run("requests")
        assert found.code == 2
        assert "SM_ACCESS_LEDGER" in found.said

    def test_in_a_place_that_cannot_be_written(
        self, run: Run, enter: Enter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        enter("notebook")
        (tmp_path / "file").write_text("not a directory")
        monkeypatch.setenv("SM_ACCESS_LEDGER", f"sqlite://{tmp_path / 'file' / 'ledger.sqlite'}")
        found = run("request", "s3://acme-lake/raw/", "read", "--why", "x", "--json")
        assert found.code == 3
        assert found.json["error"] == "LedgerUnavailable"
        assert found.json["remedy"]

    def test_that_is_another_file(
        self, run: Run, enter: Enter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        enter("notebook")
        own = tmp_path / "thesis.txt"
        own.write_text("my thesis " * 500)
        monkeypatch.setenv("SM_ACCESS_LEDGER", f"sqlite://{own}")
        found = run("request", "s3://acme-lake/raw/", "read", "--why", "x")
        assert found.code == 3
        assert own.read_text() == "my thesis " * 500

    def test_that_is_a_directory(
        self, run: Run, enter: Enter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        enter("notebook")
        monkeypatch.setenv("SM_ACCESS_LEDGER", f"sqlite://{tmp_path}")
        assert run("requests").code == 3


class TestDeciding:
    @pytest.fixture
    def id(self, run: Run, enter: Enter) -> str:
        enter("notebook")
        asked = run("request", "s3://acme-lake/raw/", "read", "--for", "1h", "--why", "churn", "--json")
        assert asked.code == 0
        return str(asked.json["id"])

    def test_nobody_approves_or_rejects_their_own(
        self, run: Run, id: str, recorded: Callable[[], int]
    ) -> None:
        for arguments in (("approve", id), ("reject", id, "--why", "x")):
            found = run(*arguments)
            assert found.code == 1
            assert "asked for it, or would gain it" in found.said
            assert run(*arguments, "--json").json["error"] == "SelfReview"
        assert recorded() == 1

    def test_who_is_no_reviewer_may_not(
        self, run: Run, id: str, enter: Enter, recorded: Callable[[], int]
    ) -> None:
        enter("legacy")
        for arguments in (("approve", id), ("reject", id, "--why", "x"), ("revoke", id), ("withdraw", id)):
            assert run(*arguments).code == 1
        assert run("inbox", "--json").json["inbox"] == []
        assert recorded() == 1

    def test_terms_that_are_not_those_on_the_screen(
        self, run: Run, id: str, enter: Enter, recorded: Callable[[], int]
    ) -> None:
        enter("approver")
        found = run("approve", id, "--terms", "0" * 64)
        assert found.code == 1
        assert f"sm-access show {id}" in found.said
        assert recorded() == 1

    def test_twice(self, run: Run, id: str, enter: Enter, recorded: Callable[[], int], sandbox: Any) -> None:
        enter("approver")
        assert run("approve", id).code == 0
        after_first = recorded()
        again = run("approve", id)
        assert again.code == 1
        assert id in again.said
        assert run("reject", id, "--why", "late", "--json").json["error"] == "IllegalTransition"
        assert recorded() == after_first
        assert run("revoke", id).code == 0
        assert run("revoke", id).code == 1
        names = sandbox.root_session.client("iam").list_role_policies(RoleName="acme-ds-notebooks")
        assert names["PolicyNames"] == ["notebook-basics"]

    def test_prove_before_it_is_applied_or_by_somebody_else(
        self, run: Run, id: str, enter: Enter, recorded: Callable[[], int]
    ) -> None:
        assert run("prove", id).code == 1
        enter("approver")
        assert run("prove", id).code == 1
        assert recorded() == 1

    def test_a_user_asks_for_nobody(self, run: Run, enter: Enter, recorded: Callable[[], int]) -> None:
        enter("engineer-1")
        found = run("request", "s3://acme-lake/raw/", "read", "--why", "x")
        assert found.code == 1
        assert "granted to roles" in found.said
        assert recorded() == 0

    def test_a_role_that_may_not_write_iam_leaves_it_approved_and_says_so(
        self, run: Run, id: str, enter: Enter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Any
    ) -> None:
        """The decision stands in the ledger; that the role does not carry it yet is the answer, not a traceback."""
        config = tmp_path / "config.toml"
        own = "arn:aws:iam::111122223333"
        reviewers = f'reviewers = ["{own}:user/engineer-*", "{own}:role/acme-data-owner"]\n'
        config.write_text(f"[review]\n{reviewers}")
        enter("engineer-1")
        monkeypatch.setenv("SM_ACCESS_CONFIG", str(config))
        blind = run("approve", id)
        assert blind.code == 1
        assert (
            "The reviewer needs s3:GetEncryptionConfiguration" in blind.said
            or "not known to belong" in blind.said
        )
        config.write_text(f'[bucket."acme-lake"]\n{reviewers}')
        found = run("approve", id)
        assert found.code == 1
        assert "approved, not on the role yet" in found.said
        assert "sm-access reconcile" in found.said
        enter("approver")
        monkeypatch.setenv("SM_ACCESS_CONFIG", str(config))
        assert run("reconcile").code == 0
        assert run("show", id, "--json").json["inbox"][0]["status"] == "applied"
        assert run("revoke", id).code == 0


HOSTILE = (
    "<script>alert(1)</script>",
    "[bold red]approved[/] [link=http://x]x[/link]",
    "${aws:username} * ? {{7*7}} %s %(x)s {0}",
    '"}]}; DROP TABLE events; --',
    "churn\nterms  sha256 0000000000000000\nApprove: sm-access approve r-other",
)


@pytest.mark.parametrize("why", HOSTILE)
def test_a_hostile_reason_stays_a_reason(run: Run, enter: Enter, sandbox: Any, why: str) -> None:
    enter("notebook")
    asked = run(
        "request", "s3://acme-lake/raw/", "list", "--for", "1h", "--why", why, "--person", why, "--json"
    )
    assert asked.code == 0
    id = asked.json["id"]
    assert asked.json["reason"] == why
    enter("approver")
    shown = run("inbox")
    assert shown.code == 0
    assert not any(
        line.strip().startswith("Approve: sm-access approve r-other") for line in shown.out.splitlines()
    )
    assert run("approve", id).code == 0
    documents = [
        sandbox.root_session.client("iam").get_role_policy(RoleName="acme-ds-notebooks", PolicyName=name)
        for name in sandbox.root_session.client("iam").list_role_policies(RoleName="acme-ds-notebooks")[
            "PolicyNames"
        ]
    ]
    assert why not in json.dumps([document["PolicyDocument"] for document in documents])
    assert not any(
        word in json.dumps(documents, default=str) for word in ("script", "DROP", "bold red", "7*7")
    )
    assert run("revoke", id).code == 0
