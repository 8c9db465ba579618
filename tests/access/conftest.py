"""Properties of the workflow are about what holds, not about how fast a busy machine says so."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
