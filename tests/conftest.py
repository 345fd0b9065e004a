"""Settings for all tests."""

from __future__ import annotations

import os

from hypothesis import settings

# Timings on shared machines are noise: no deadline. CI runs the same examples each time.
settings.register_profile("default", deadline=None, max_examples=100)
settings.register_profile("ci", deadline=None, max_examples=60, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
