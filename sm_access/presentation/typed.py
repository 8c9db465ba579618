"""Commands that are shown to be pasted: made of words, here alone.

A word may come from whoever can write to a bucket: the name of a folder, say.

INVARIANT: a shell, or `%sm_access`, reads back exactly these words, and runs nothing of them.
"""

from __future__ import annotations

import shlex

TO_BE_FILLED_IN = "..."


def command(*words: str) -> str:
    """`sm-access` with these words."""
    return typed("sm-access", *words)


def typed(*words: str) -> str:
    return " ".join(f'"{word}"' if word == TO_BE_FILLED_IN else shlex.quote(word) for word in words)


def request(place: str, level: str, duration: str = "7d") -> str:
    """What to type to ask for access; why is left to the person."""
    return command("request", place, level, "--for", duration, "--why", TO_BE_FILLED_IN)
