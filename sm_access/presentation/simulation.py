"""Decisions under test in words: one line for each scenario, what decided beneath it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sm_access.policy import Decision, LayerResult, NearMiss, Request, Response, StatementRef
from sm_access.policy.scenario import Outcome
from sm_access.presentation.page import (
    Block,
    Facts,
    Fold,
    Line,
    Page,
    Paragraph,
    Span,
    Tone,
    code,
    line,
    plain_text,
    quiet,
    strong,
)
from sm_access.presentation.verdict import LAYERS, TONES


def simulation_page(outcomes: Sequence[Outcome]) -> Page:
    """All scenarios in their order; `data` holds them as `scenario_view` does."""
    met = sum(outcome.met for outcome in outcomes)
    data = {"met": met, "scenarios": [scenario_view(outcome) for outcome in outcomes]}
    total = f"{len(outcomes)} scenario{'' if len(outcomes) == 1 else 's'}"
    headline = line(strong(f"{met} of {total} met"))
    blocks: list[Block] = []
    for outcome in outcomes:
        blocks.append(Paragraph(_summary(outcome)))
        if outcome.response.not_modelled:
            beside = "; ".join(outcome.response.not_modelled)
            blocks.append(Paragraph(line(quiet(f"Not modelled, and able to change this: {beside}."))))
        blocks.append(Fold("Every layer", (Facts(_layer_rows(outcome.response)),)))
    return Page(headline, tone(outcomes), tuple(blocks), data)


def tone(outcomes: Sequence[Outcome]) -> Tone:
    """OK where all are met, UNKNOWN where what is not met is open, else NO."""
    missed = [outcome for outcome in outcomes if not outcome.met]
    if not missed:
        return Tone.OK
    return Tone.UNKNOWN if all(outcome.open for outcome in missed) else Tone.NO


def scenario_view(outcome: Outcome) -> dict[str, Any]:
    """One scenario for programs."""
    response = outcome.response
    return {
        "name": outcome.scenario.name,
        "decision": response.decision.name,
        "reason": plain_text(response_reason(response, outcome.scenario.request)),
        "depends_on": list(response.depends_on),
        "met": outcome.met,
    }


def response_reason(response: Response, request: Request) -> Line:
    """What decided, in one sentence."""
    what: list[str | Span] = [code(request.action), " on ", code(request.resource)]
    told = response.deciding
    if response.decision is Decision.UNDETERMINED:
        return line("It cannot be told: ", "; ".join(response.depends_on) or "a part was not understood", ".")
    if response.decision is Decision.EXPLICIT_DENY:
        return line(_statement(told), " denies ", *what, ".")
    if response.decision is Decision.ALLOW:
        return line(
            _statement(told) if told else "Nothing limits the account's root, so it", " allows ", *what, "."
        )
    if response.refusal:
        return line(response.refusal, ".")
    closed = [result for result in response.layers if result.outcome is Decision.IMPLICIT_DENY]
    named = " and ".join(LAYERS[result.layer] for result in closed) or "policies that apply"
    because: list[str | Span] = [f"Nothing in the {named} allows ", *what, "."]
    misses = [miss for result in closed for miss in result.misses[:1]]
    if misses:
        because += [" Nearest: ", *_miss(misses[0]), "."]
    return line(*because)


def _summary(outcome: Outcome) -> Line:
    decision = outcome.response.decision
    sign = (
        Span("met ", Tone.OK)
        if outcome.met
        else Span("open " if outcome.open else "NOT MET ", _missed(outcome))
    )
    expected = outcome.scenario.expect
    rather = "" if outcome.met or expected is None else f", expected {expected.name}"
    return line(
        sign,
        strong(outcome.scenario.name),
        ": ",
        Span(decision.name, TONES[decision]),
        f"{rather}. ",
        *response_reason(outcome.response, outcome.scenario.request),
    )


def _missed(outcome: Outcome) -> Tone:
    return Tone.UNKNOWN if outcome.open else Tone.NO


def _statement(told: StatementRef | None) -> str:
    if told is None:
        return "A policy"
    return f"Statement {told.sid or told.index + 1} of {told.policy} ({told.kind.replace('-', ' ')})"


def _miss(miss: NearMiss) -> list[str | Span]:
    return [
        f"{_statement(miss.statement)}, whose {miss.element} expects ",
        code(miss.expected),
        " and got ",
        code(miss.actual),
    ]


def _layer_rows(response: Response) -> tuple[tuple[str, Line], ...]:
    return tuple((LAYERS[result.layer], _layer(result)) for result in response.layers)


def _layer(result: LayerResult) -> Line:
    words: list[str | Span] = [Span(result.outcome.name, TONES[result.outcome])]
    if result.deciding is not None:
        words.append(f": {_statement(result.deciding)} at {result.deciding.path}")
    elif result.depends_on:
        words += [": ", quiet("; ".join(result.depends_on))]
    else:
        for miss in result.misses:
            words += [". Near: ", *_miss(miss)]
    return line(*words)
