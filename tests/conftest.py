"""Fixtures of all tests."""

from __future__ import annotations

import signal

import pytest

from tests.ports import free

# So that a failure in a module that tests share shows its values, too.
SHARED = ("behaviour", "containers", "integration", "kinds", "polaris", "synth", "trino", "unit")
pytest.register_assert_rewrite(*(f"tests.{each}" for each in SHARED))

# A shell that runs the tests in the background ignores Ctrl-C for them, and what they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def free_port() -> int:
    """A port of the loopback address that nothing listens on."""
    return free(1)[0]
