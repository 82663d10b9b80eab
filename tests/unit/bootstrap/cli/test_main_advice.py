"""The command line accepts every command that a message, a page or a comment advises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from bootstrap.cli.main import app

ROOT = Path(__file__).parents[4]
_ADVICE = re.compile(r"`lakehouse ([a-z][^`\n]*)`")
_BLOCK = re.compile(r"^```(?:bash|sh|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
#: A command in a line of such a block: up to its comment, its redirection or the bracket around it.
_LINE = re.compile(r"^(?:\$ )?(?:.*\$\()?lakehouse ([^#<>)\n]+)", re.MULTILINE)
_BEFORE = ("--file", "--stack")  # options before the command, with a value
#: Placeholders in advised commands.
_OPEN = ("...", "{", "[")


def advised() -> dict[str, str]:
    """Each advised command, and a file that advises it."""
    found: dict[str, str] = {}
    sources = [*ROOT.glob("bootstrap/**/*.py"), *ROOT.glob("constructs/**/*.py"), *ROOT.glob("docs/*.md")]
    for path in (*sources, ROOT / "README.md"):
        for text in texts(path):
            found.setdefault(text, str(path.relative_to(ROOT)))
    return found


def texts(path: Path) -> Iterator[str]:
    """The commands in a file: in its text, and if it is a page, in its blocks too."""
    text = path.read_text()
    yield from _ADVICE.findall(text)
    if path.suffix == ".md":
        for block in _BLOCK.findall(text):
            yield from (each.strip() for each in _LINE.findall(block))


def wrong(text: str) -> str:
    command: Any = typer.main.get_command(app)
    words = text.split()
    while words and words[0] in _BEFORE:
        del words[:2]
    while hasattr(command, "commands"):
        if not words:
            return ""  # a group as a whole
        if words[0] not in command.commands:
            return f"there is no command {words[0]}"
        command = command.commands[words.pop(0)]
    known = {each: parameter for parameter in command.params for each in (*parameter.opts, *parameter.secondary_opts)}
    words = words[: words.index("--")] if "--" in words else words  # what follows is another program's
    given = [word.partition("=")[0] for word in words if word.startswith("-") and word != "-"]
    if unknown := [each for each in given if each not in known]:
        return f"it has no option {unknown[0]}"
    left_out = any(word.startswith(_OPEN) for word in words)
    missing = [
        parameter.opts[0]
        for parameter in command.params
        if parameter.required and parameter.param_type_name == "option" and not set(parameter.opts) & set(given)
    ]
    return f"it needs {missing[0]}" if missing and words and not left_out else ""


def test_some_are_found() -> None:
    assert len(advised()) > 30
    assert wrong("ingest venues.csv") == "it needs --into"
    assert wrong("plna") == "there is no command plna"
    assert wrong("plan --outt x") == "it has no option --outt"
    assert wrong("--stack aws plna") == "there is no command plna"
    assert {"init my-lake", "endpoints --for env", "--stack aws plan", "access rotate bi --end-former"} <= set(
        advised()
    )


@pytest.mark.parametrize("text", advised())
def test_it_is_a_command(text: str) -> None:
    assert not wrong(text), f"{advised()[text]} advises `lakehouse {text}`"
