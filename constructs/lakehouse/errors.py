"""Errors that a user sees.

Every message names the thing, its place, the value, the rule and the fix. The command line prints it without a
traceback and exits with the error's code.
"""

from __future__ import annotations


class LakehouseError(Exception):
    """A failure at run time. Exit code 1."""

    exit_code = 1


class UnansweredError(LakehouseError):
    """Another machine gave no answer, or its program failed: what was asked may well be there."""


class UsageError(LakehouseError):
    """An invalid command or an invalid file, found before anything is changed. Exit code 2."""

    exit_code = 2
