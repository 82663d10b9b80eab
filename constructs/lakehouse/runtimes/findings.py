"""Checks of a lakehouse and their findings: values that runtimes return and `lakehouse doctor` formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Severity = Literal["ok", "warning", "error", "skipped"]


@dataclass(frozen=True)
class Finding:
    """``found`` is what was seen, ``cause`` the reason, ``fix`` what to do, with commands in backticks."""

    severity: Severity
    found: str
    cause: str = ""
    fix: str = ""


def ok(found: str) -> Finding:
    return Finding("ok", found)


def warning(found: str, cause: str, fix: str) -> Finding:
    return Finding("warning", found, cause, fix)


def error(found: str, cause: str, fix: str) -> Finding:
    return Finding("error", found, cause, fix)


def skipped(check: str) -> Finding:
    """The finding of a check that was skipped, because it would report what ``check`` reported."""
    return Finding("skipped", f"not checked until `{check}` is fixed", check)


@dataclass(frozen=True)
class Check:
    """One check. It is skipped if a check named in ``after`` failed, because it would report the same cause again.

    Unknown names have no effect, so a check need not know which others its stack has.
    """

    name: str
    look: Callable[[], Finding]
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class PortHolder:
    """The process or container that listens on a port that the stack needs."""

    port: str  # its name
    number: int
    sentence: str  # "port 8085 (trino) is taken by python3 (pid 42, user me)"
    pid: int | None = None
    program: str = ""
    lakehouse: str = ""  # the state folder of the lakehouse that the process belongs to
    container: str = ""  # the container for which the port is published


@dataclass(frozen=True)
class CheckContext:
    """What a runtime's own checks need to know about the stack and the shell."""

    stack: str
    folder: Path  # of the file
    environment: Mapping[str, str]
    terraform: str  # the program
    memory: Mapping[str, int]  # MiB that each service may need
