"""How far a long reading has come, while a person waits for the answer."""

from __future__ import annotations

from sm_access.presentation.page import Page, Tone, line, quiet

AFTER = 0.7
"""Seconds of silence at first: what is quicker needs no telling."""

EVERY = 0.15
"""Seconds between two words of it."""


def progress_page(done: int, total: int, words: str) -> Page:
    """`12 of 40 done: reading the policy of lake`."""
    return Page(line(quiet(f"{done} of {total} done: {words}")), Tone.PLAIN)
