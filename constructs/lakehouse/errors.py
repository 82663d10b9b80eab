"""Errors that a user sees.

Every message names the thing, where it stands, the value, the rule and the fix; the command line prints it without
a traceback and exits with the error's code.
"""

from __future__ import annotations


class LakehouseError(Exception):
    """A failure at run time: exit code 1."""

    exit_code = 1


class UsageError(LakehouseError):
    """A wrong command or a wrong file, found before anything is touched: exit code 2."""

    exit_code = 2
