"""Fixtures of all tests."""

from __future__ import annotations

import signal

import pytest
from hypothesis import settings

from tests.ports import free

# So that a failure in a module that tests share shows its values, too.
SHARED = ("behaviour", "containers", "integration", "kinds", "polaris", "synth", "trino", "unit")
pytest.register_assert_rewrite(*(f"tests.{each}" for each in SHARED))

# No test asserts a time: an example may take longer on a busy machine.
settings.register_profile("untimed", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("untimed")

# A shell that runs the tests in the background ignores Ctrl-C for them, and what they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def free_port() -> int:
    """A port of the loopback address that nothing listens on."""
    return free(1)[0]
