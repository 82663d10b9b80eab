"""Placeholders are objects: text that looks like one is text."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import bcrypt
import pytest

from lakehouse.errors import LakehouseError, UsageError
from lakehouse.services.service import File
from lakehouse.text.placeholders import (
    Basic,
    Binary,
    Content,
    Hashed,
    Issued,
    Secret,
    Signed,
    filled,
    issued,
    joined,
    read,
    secrets,
    with_contents,
    written,
)
from lakehouse.text.profiles import Profile

LOOKS = "{{secret:word}} {{file:/etc/hostname}}"


def test_text_that_looks_like_a_placeholder_is_text() -> None:
    assert filled(LOOKS, lambda name: "SECRET") == LOOKS
    assert filled((LOOKS, Secret("word")), lambda name: "SECRET") == f"{LOOKS}SECRET"


def test_files_are_filled_in_once(tmp_path: Path) -> None:
    file = tmp_path / "a file"
    file.write_text(LOOKS)
    file.chmod(0o600)
    assert filled(("<", Content(str(file)), ">"), lambda name: "SECRET") == f"<{LOOKS}>"
    with pytest.raises(UsageError, match=r"missing, which lakehouse\.yaml names, does not exist"):
        filled(Content(str(tmp_path / "missing")), lambda name: "")
    file.chmod(0o640)
    with pytest.raises(UsageError, match="has mode 0640, so other users may read it"):
        filled(Content(str(file)), lambda name: "")


@pytest.mark.parametrize("value", ["a\nb", "a b", "a=b", 'a"b', "a\\b", "é"])
def test_a_secret_that_would_be_more_than_a_value_is_refused(value: str) -> None:
    with pytest.raises(LakehouseError, match="secret word has characters") as error:
        filled(Secret("word"), lambda name: value)
    assert value not in str(error.value)


def test_what_is_written_as_json_is_read_again() -> None:
    key = Issued("web", "key", ("a.example", "127.0.0.1"))
    for text in (
        LOOKS,
        Secret("a"),
        Content("/a"),
        ("a", Secret("b"), Content("/c")),
        ("a", Hashed(Secret("b", "password"))),
        ("a", Signed(Secret("b"))),
        Basic(Secret("b"), "ann"),
        key,
        Binary.of(bytes(range(256))),
    ):
        written = json.loads(json.dumps(asdict(File("x", text))))
        assert read(written["text"]) == text


def test_a_hash_is_of_the_secret_and_says_nothing_of_it() -> None:
    text = ("lakehouse:", Hashed(Secret("a")), "\n")
    found = filled(text, lambda name: f"value-of-{name}").removeprefix("lakehouse:").rstrip()
    assert found.startswith("$2y$10$")
    assert bcrypt.checkpw(b"value-of-a", found.encode())
    assert secrets(text) == (Secret("a"),), "so that it is made, and its rotation restarts the service"
    assert filled(text, str) != filled(text, str), "each has a salt of its own"


def test_joined() -> None:
    assert joined(["a", "b"]) == "ab"
    assert joined(["a", ("b", Secret("c")), "d", "e"]) == ("ab", Secret("c"), "de")
    assert secrets(("a", Secret("b"), Content("/c"))) == (Secret("b"),)
    assert secrets("{{secret:b}}") == ()


def test_the_digest_changes_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a file"
    text = ("<", Content(str(file)), ">", Secret("a"))
    without = with_contents(text)
    file.write_text("one")
    first = with_contents(text)
    file.write_text("two")
    assert len({json.dumps(each) for each in (without, first, with_contents(text))}) == 3


def test_bytes_are_written_as_they_are() -> None:
    data = bytes(range(256))
    assert written(Binary.of(data), lambda name: "") == data
    assert written(("a ", Secret("b")), lambda name: "c") == b"a c"
    assert with_contents(Binary.of(data)) == [{"base64": Binary.of(data).base64}]


def test_a_part_of_a_certificate_is_many_lines() -> None:
    key = Issued("web", "key", ("a.example",))
    assert filled(("<", key, ">"), {"certificates/web/key.pem": "one\ntwo\n"}.__getitem__) == "<one\ntwo\n>"
    assert issued(("<", key, Secret("a"))) == (key,)


def test_a_secret_that_the_user_keeps_survives_json() -> None:
    kept = Secret("feed", "name", profile=Profile("/keys", "default", "lakehouse.yaml: sources.feed.credentials"))
    file = File("a", ("id=", kept))
    assert read(json.loads(json.dumps(asdict(file)))["text"]) == file.text
