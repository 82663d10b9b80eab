from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pytest
from rich.table import Table

from bootstrap.output import RedactedStream, Redactor, console, guard, progress, reveal, show

SECRET = "5f2c9f4e1a"  # not a real one


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "store-secret-key").write_text(SECRET)
    return folder


def test_secrets_are_blacked_out(secrets: Path) -> None:
    assert Redactor(secrets)(f"key={SECRET}, again {SECRET}.") == "key=********, again ********."


def test_only_what_was_asked_for_is_revealed_and_in_its_turn(
    secrets: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    value = next(secrets.iterdir()).read_text()
    monkeypatch.setattr("sys.stdout", sys.stdout)
    monkeypatch.setattr("sys.stderr", sys.stderr)
    reveal(f"{value}\n")
    guard(secrets)
    print(value, end=" ")
    reveal(f"{value}\n")
    print(value)
    assert [value in line for line in capsys.readouterr().out.replace(" ", "\n").splitlines()] == [
        True,
        False,
        True,
        False,
    ]


def test_of_two_secrets_that_begin_alike_nothing_is_left(secrets: Path) -> None:
    (secrets / "longer").write_text(f"{SECRET}-and-more")
    assert Redactor(secrets)(f"{SECRET}-and-more") == "********"


def test_an_empty_secret_hides_nothing(secrets: Path) -> None:
    (secrets / "empty").write_text("")
    assert Redactor(secrets)("plain") == "plain"


def test_a_secret_that_is_made_later_is_known_too(secrets: Path) -> None:
    redact = Redactor(secrets)
    redact("first")
    (secrets / "new").write_text("later-secret")
    assert redact("a later-secret") == "a ********"


def test_the_shells_own_keys_are_blacked_out(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "from-the-shell")
    assert Redactor(secrets)("from-the-shell") == "********"


def test_without_a_folder_there_are_no_secrets(tmp_path: Path) -> None:
    assert Redactor(tmp_path / "none")("plain") == "plain"


def test_it_fails_closed(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    shown = Redactor(secrets)(f"key={SECRET}")
    assert SECRET not in shown
    assert "key=" not in shown
    assert "cannot be read (Permission denied)" in shown


@pytest.mark.parametrize("cut", range(1, len(SECRET)))
def test_a_secret_written_in_two_pieces_is_blacked_out(secrets: Path, cut: int) -> None:
    out = io.StringIO()
    stream = RedactedStream(out, Redactor(secrets))
    stream.write(f"key={SECRET[:cut]}")
    stream.write(f"{SECRET[cut:]}\n")
    assert out.getvalue() == "key=********\n"


def test_a_prompt_appears_when_it_is_flushed(secrets: Path) -> None:
    out = io.StringIO()
    stream = RedactedStream(out, Redactor(secrets))
    stream.write("name? ")
    assert out.getvalue() == ""
    stream.flush()
    assert out.getvalue() == "name? "


def test_bytes_have_no_way_past_it(secrets: Path) -> None:
    with (secrets / "out").open("w") as file:
        assert not hasattr(RedactedStream(file, Redactor(secrets)), "buffer")


def test_everything_printed_goes_through_it(
    secrets: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", sys.stdout)
    monkeypatch.setattr("sys.stderr", sys.stderr)
    guard(secrets)
    guard(secrets)  # twice is as good as once
    print(SECRET)
    print(SECRET, file=sys.stderr)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("********\n", "********\n")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("value", "plain"), [("1", True), ("0", True), ("", False), (None, False)])
def test_with_no_color_nothing_has_an_escape_code(
    value: str | None, plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    if value is not None:
        monkeypatch.setenv("NO_COLOR", value)
    table = Table("HEADING")
    table.add_row("[green]healthy[/]")
    console().print(table)
    console().print("[bold]bold[/bold]")
    with progress() as bar:
        bar.update(bar.add_task("Reading tables", total=2), completed=2)
    shown = screen.getvalue()
    assert "healthy" in shown
    assert ("\x1b" not in shown) == plain


def test_no_line_of_a_table_ends_with_blanks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal that is narrower than the longest row, they would make each of the others two lines."""
    for colour in ("", "1"):
        monkeypatch.setenv("FORCE_COLOR", colour)
        table = Table(box=None, pad_edge=False)
        table.add_column("NAME")
        table.add_column("WHAT IT IS")
        table.add_row("a", "short")
        table.add_row("b", "a longer one")
        show(table, width=200)
        said = capsys.readouterr().out
        assert ("\x1b[1m" in said) is bool(colour)
        plain = re.sub(r"\x1b\[[0-9;]*m", "", said)
        assert plain == "NAME  WHAT IT IS\na     short\nb     a longer one\n"
