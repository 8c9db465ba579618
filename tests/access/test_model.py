from __future__ import annotations

from datetime import timedelta

import pytest
from doubles import ACCOUNT, SCIENTIST, START, STEWARD, WEEK, StoppedClock, desk, submit

from sm_access.access import AccessRequest, Caller, Event, ProofFinding, Status, fold, same_principal
from sm_access.access.events import (
    Applied,
    Approved,
    Collected,
    EndProbed,
    NotProvable,
    Proven,
    Rejected,
    Revoked,
    Submitted,
    Withdrawn,
)
from sm_access.access.identifier import ALPHABET, request_id
from sm_access.access.model import advance
from sm_access.errors import IllegalTransition, InvalidInput
from sm_access.stores import MemoryLedger

END = START + WEEK


def history() -> tuple[Submitted, Approved]:
    ledger = MemoryLedger()
    at = desk(ledger, StoppedClock())
    asked = submit(at)
    at.approve(asked.id, STEWARD)
    first, second = ledger.events(asked.id)
    assert isinstance(first, Submitted)
    assert isinstance(second, Approved)
    return first, second


SUBMITTED, APPROVED = history()
NEXT: dict[str, Event] = {
    "approved": APPROVED,
    "rejected": Rejected(START, STEWARD, "no"),
    "withdrawn": Withdrawn(START, SCIENTIST),
    "applied": Applied(START),
    "proven": Proven(START, ()),
    "not-provable": NotProvable(START, ()),
    "end probed": EndProbed(START, ProofFinding.HELD, ()),
    "end probed late": EndProbed(END, ProofFinding.NOT_HELD, ()),
    "revoked": Revoked(START, STEWARD, "over"),
    "collected": Collected(START),
    "collected late": Collected(END),
    "applied late": Applied(END),
    "revoked late": Revoked(END, STEWARD, "over"),
    "submitted": SUBMITTED,
}
LATE = {"collected late", "end probed late"}
LEGAL = {
    (): {"approved", "rejected", "withdrawn"},
    ("rejected",): set(),
    ("withdrawn",): set(),
    ("approved",): {"applied", "revoked", *LATE},
    ("approved", "applied"): {"proven", "not-provable", "revoked", *LATE},
    ("approved", "applied", "proven"): {"proven", "not-provable", "revoked", *LATE},
    ("approved", "applied", "not-provable"): {"proven", "not-provable", "revoked", *LATE},
    ("approved", "applied", "end probed late"): {"proven", "not-provable", "revoked", *LATE},
    ("approved", "revoked"): {"collected", "end probed", *LATE},
    ("approved", "revoked", "end probed"): {"collected", "end probed", *LATE},
    ("approved", "applied", "revoked", "collected"): {"end probed", "end probed late"},
    ("approved", "applied", "collected late"): {"end probed", "end probed late"},
}


def state(names: tuple[str, ...]) -> AccessRequest:
    return fold((SUBMITTED, *(NEXT[name] for name in names)))


@pytest.mark.parametrize("before", LEGAL)
@pytest.mark.parametrize("name", NEXT)
def test_transitions(before: tuple[str, ...], name: str) -> None:
    request = state(before)
    if name in LEGAL[before]:
        after = advance(request, NEXT[name])
        assert after.version == request.version + 1
        assert after == state((*before, name))
    else:
        with pytest.raises(IllegalTransition) as refused:
            advance(request, NEXT[name])
        assert request.id in refused.value.message
        assert refused.value.remedy


@pytest.mark.parametrize("events", [(), (APPROVED,), (APPROVED, SUBMITTED)])
def test_a_stream_begins_with_a_submission(events: tuple[Event, ...]) -> None:
    with pytest.raises(IllegalTransition, match="submission"):
        fold(events)


def test_the_end_comes_by_itself() -> None:
    request = state(("approved", "applied"))
    assert request.grant is not None
    assert request.grant.ends_at == END
    assert request.grant.approvers == (STEWARD,)
    assert request.status_at(END - timedelta(seconds=1)) is Status.APPLIED
    assert request.status_at(END) is Status.EXPIRED
    assert request.in_force_at(START)
    assert not request.in_force_at(END)
    assert state(("approved", "revoked")).status_at(END) is Status.REVOKED
    assert state(()).status_at(END) is Status.SUBMITTED


def test_callers() -> None:
    assert SCIENTIST.principal == f"arn:aws:iam::{ACCOUNT}:role/notebooks"
    assert SCIENTIST.session_name == "SageMaker"
    user = Caller(f"arn:aws:iam::{ACCOUNT}:user/data/ann", ACCOUNT)
    assert user.principal == user.arn
    assert user.session_name is None


@pytest.mark.parametrize(
    "arn",
    ["", "anonymous", "sagemaker.amazonaws.com", "arn:aws:s3:::lake", f"arn:aws:iam::{ACCOUNT}:role/a b"],
)
def test_what_is_no_caller(arn: str) -> None:
    with pytest.raises(InvalidInput, match="principal"):
        Caller(arn, ACCOUNT)


def test_a_caller_belongs_to_its_account() -> None:
    with pytest.raises(InvalidInput, match="principal"):
        Caller(SCIENTIST.arn, "999988887777")


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/notebooks/another", True),
        (f"arn:aws:iam::{ACCOUNT}:role/notebooks", True),
        (f"arn:aws:iam::{ACCOUNT}:role/science/team/notebooks", True),
        (f"arn:aws:iam::{ACCOUNT}:role/Notebooks", True),
        (f"arn:aws:iam::{ACCOUNT}:role/notebooks/other", False),
        (f"arn:aws:iam::{ACCOUNT}:user/notebooks", False),
        ("arn:aws:iam::999988887777:role/notebooks", False),
    ],
)
def test_sessions_and_paths_do_not_make_another_principal(other: str, same: bool) -> None:
    assert same_principal(SCIENTIST.arn, other) is same
    assert same_principal(other, SCIENTIST.arn) is same


def test_ids_can_be_said_aloud() -> None:
    assert request_id(lambda letters: letters[0]) == "r-aaaaaaaa"
    assert request_id() != request_id()
    assert len(ALPHABET) == 32
    assert not set("ilou") & set(ALPHABET)
