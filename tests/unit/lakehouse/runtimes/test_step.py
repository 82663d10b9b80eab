"""How a step of a deploy ends."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError, UsageError
from lakehouse.runtimes import events
from lakehouse.runtimes.step import ended


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (None, 0, ""),
        (LakehouseError("Port 1 is taken."), 1, "Port 1 is taken."),
        (UsageError("a bad \x1b[31mfile"), 2, "a bad \\x1b[31mfile"),
        (OSError(errno.ENOSPC, "No space left on device", "/srv/data"), 1, "/srv/data: No space left on device"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "/srv/state: No space left on device"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_an_error_is_one_line_an_event_and_an_exit_code(
    error: BaseException | None,
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run() -> None:
        if error is not None:
            raise error

    monkeypatch.setenv(events.VARIABLE, str(tmp_path / "events"))
    (tmp_path / "events").touch()
    assert ended(run, "trino", Path("/srv/state")) == code
    assert capsys.readouterr().err == (f"Error: {said}\n" if said else "")
    with (tmp_path / "events").open() as told:
        found = [(each.kind, each.name, each.text) for each in events.read(told)]
    assert found == ([("failed", "trino", said)] if said else [])


def test_other_errors_are_faults_of_ours() -> None:
    def run() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ended(run, "trino", Path())
