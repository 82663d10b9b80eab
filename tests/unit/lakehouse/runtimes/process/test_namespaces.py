"""Services that do not run as root, on machines that refuse root a user namespace, simulated by another `unshare`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.runtimes.process import namespaces
from lakehouse.services.service import Probe, Service

ORDINARY = Service(name="s3proxy", image="i", packages=(), command=("/java",), probe=Probe("tcp", 1))
POSTGRES = replace(ORDINARY, name="postgres", unprivileged=True)


def unshare(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str, user: int = 0) -> None:
    """The system's `unshare`, and who asks."""
    (folder / "unshare").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "unshare").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("os.geteuid", lambda: user)


def test_a_refused_namespace_names_the_service_and_the_systems_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unshare(tmp_path, monkeypatch, 'echo "unshare: unshare failed: Operation not permitted" >&2; exit 1')
    assert namespaces.refusal([ORDINARY, POSTGRES]) == (
        "postgres: does not run as root, and this machine refuses a user namespace "
        "(unshare: unshare failed: Operation not permitted)"
    )
    assert namespaces.refusal([ORDINARY]) == "", "nobody needs one"


def test_a_machine_without_unshare_refuses_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert "No such file or directory: 'unshare'" in namespaces.refusal([POSTGRES])


def test_whoever_may_make_one_or_needs_none_is_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unshare(tmp_path, monkeypatch, '[ "$*" = "--user --map-user=1 --map-group=1 -- true" ]')
    assert namespaces.refusal([POSTGRES]) == ""
    unshare(tmp_path, monkeypatch, "exit 1", user=1000)
    assert namespaces.refusal([POSTGRES]) == ""
