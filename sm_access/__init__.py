"""Who am I, what may I do, and how do I get what I lack - for people on an assumed IAM role."""

from __future__ import annotations

__version__ = "0.1.0"
