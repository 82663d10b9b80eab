"""Fixtures of all tests."""

from __future__ import annotations

import signal

import pytest

from tests.ports import free

# A shell that runs the tests in the background ignores Ctrl-C for them, and what they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def free_port() -> int:
    """A port of the loopback address that nothing listens on."""
    return free(1)[0]
