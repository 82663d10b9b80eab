"""Any file is read or refused: quickly, without a traceback, and each message has its line.

The project's own files are changed at random, in their structure and byte by byte. LAKEHOUSE_MUTATIONS says how many
files are tried (300 by default) and LAKEHOUSE_SEED which (`make mutations` tries 4,000).
"""

from __future__ import annotations

import copy
import json
import os
import random
import re
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from ruamel.yaml import YAML

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.locate import locate
from lakehouse.spec import LocalStack, SpecError, load
from lakehouse.spec.load import cautions

ROOT = Path(__file__).parents[2]
TEXTS = [path.read_text() for path in (ROOT / "lakehouse.yaml", *sorted((ROOT / "lakehouses").glob("*.yaml")))]
MANY = int(os.environ.get("LAKEHOUSE_MUTATIONS", "300"))
SEED = int(os.environ.get("LAKEHOUSE_SEED", "16"))
LONGEST = 5.0  # seconds for one file

VALUES: list[Any] = [
    *(None, True, False, 0, -1, 2**31, 10**30, -(10**400), 1e308, float("nan"), float("inf"), 0.1, "", " ", [], {}),
    *("\ud800", "\udfff\ud800", "\x00", "\x1b[2J\x07", "a\nb", "a\tb", "\u202egpj", "\u2028", "é" * 300, "𝄞", "\x85"),
    *('${file("/etc/hostname")}', "%{if true}", "{{secret:x}}", "{{file:/etc/passwd}}", "%(ENV_PATH)s", "'; x", '"'),
    *("a" * 60 + "!", "a-" * 5_000, " " * 20_000, "(" * 20_000, "list<" * 400 + "int" + ">" * 400, "struct<" * 2_000),
    *("bucket(" * 900, "a." * 20_000, "s3://" + "a/" * 5_000, "s3://warehouse/../x", "s3://warehouse/a b", "aux", "."),
    *("x@" + "a." * 9_000, "10.0.0.0/8", "decimal(99999999999999999999, 2)", "decimal(1_0, ²)", "fixed[-1]", "٣", "~"),
    *({"struct": {"a": {"list": {"map": {"key": "int"}}}}}, {"list": {"list": {"list": "int"}}}, [[[[]]]], {"": ""}),
    *([None], [{}], ["a"] * 2_000, {f"k{n}": {} for n in range(2_000)}, {"a": [{"b": [{"c": []}]}]}, {"1": 2}, "<<"),
]
PIECES = [
    *(b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r\n", b"\r", b"\t", b"\x1b[31m", b"\xed\xa0\x80", b"\xc2\x85", b"\x80"),
    *(
        b": ",
        b"- ",
        b"? ",
        b"{",
        b"}",
        b"[",
        b"]",
        b"&a ",
        b"*a",
        b"<<: *a\n",
        b"!!python/object:os.system ",
        b"! ",
        b"#",
    ),
    *(
        b"---\n",
        b"...\n",
        b"%YAML 1.1\n",
        b"|\n",
        b">-\n",
        b"'",
        b'"',
        b"\\",
        b"@",
        b"`",
        b"{{",
        b"[" * 300,
        b"{a: " * 300,
    ),
    *(
        b"- " * 300,
        b"&a [*a, *a]\n",
        b"9" * 5_000,
        b"0x" + b"f" * 5_000,
        b".nan",
        b"-.inf",
        b"1_0",
        b"0o17",
        b"1:30",
        b" ",
    ),
    *(
        b"~",
        b"!!binary AA==",
        b"!!timestamp 2001-01-01",
        b"!!set {a}",
        b"!!omap [a: 1]",
        b"= ",
        b"!<tag:yaml.org,2002:x> ",
    ),
]


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(each, (*at, key))


def restructured(text: str, chance: random.Random) -> bytes:
    """The file with a few of its values or keys replaced, removed, or put elsewhere."""
    content = YAML(typ="safe", pure=True).load(text)
    for _ in range(chance.randint(1, 3)):
        everywhere = [at for at in places(content) if at]
        if not everywhere:
            break
        *outer, key = chance.choice(everywhere)
        place = content
        for step in outer:
            place = place[step]
        match chance.randrange(5):
            case 0:
                del place[key]
            case 1 if isinstance(place, dict):
                place[str(chance.choice([each for each in VALUES if isinstance(each, str)]))] = place.pop(key)
            case 2:
                other = content
                for step in chance.choice(everywhere):
                    other = other[step] if isinstance(other, dict | list) and step in places_of(other) else other
                place[key] = copy.deepcopy(other)
            case _:
                place[key] = copy.deepcopy(chance.choice(VALUES))
    # JSON is YAML, and has an escape for everything that YAML's own writers refuse.
    return json.dumps(content, indent=1, default=str).encode()


def places_of(value: Any) -> Any:
    return value if isinstance(value, dict) else range(len(value))


def rewritten(text: str, chance: random.Random) -> bytes:
    """The file with a few of its bytes changed, removed, repeated or moved."""
    content = text.encode()
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randrange(len(content) + 1), chance.choice((1, 1, 3, 10, 100))
        match chance.randrange(7):
            case 0:
                content = content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]
            case 1:
                content = content[:at] + content[at + length :]
            case 2:
                content = content[:at] + content[at : at + length] * chance.randint(2, 50) + content[at + length :]
            case 3:
                lines = content.splitlines(keepends=True)
                chance.shuffle(lines[(start := chance.randrange(len(lines) + 1)) : start + 5])
                content = b"".join(sorted(lines, key=lambda _: chance.random()) if chance.random() < 0.05 else lines)
            case 4:
                content = chance.choice(
                    (content.replace(b"\n", b"\r\n"), content[:at], content * 2, b"\xef\xbb\xbf" + content)
                )
            case _:
                content = content[:at] + chance.choice(PIECES) + content[at:]
    return content


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Fail if the body takes longer."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"not done after {seconds} s")

    former = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def looked_at(file: Path) -> str:
    """Do what validate and a synth do before they declare a resource. Returns the refusal, if there is one."""
    try:
        lakehouse = load(file)
        cautions(file, lakehouse)
        for name, stack in lakehouse.stacks.items():
            if isinstance(stack, LocalStack):
                locate(lakehouse, name, file)
        lakehouse.model_dump_json()
    except SpecError as error:
        for line in str(error).splitlines():
            assert re.match(rf"{re.escape(str(file))}:\d+: ", line), f"no line: {line[:300]!r}"
            assert line.isprintable(), f"not printable: {line[:300]!r}"
        return str(error)
    except LakehouseError as error:
        return str(error)
    return ""


def test_mutated_files_are_read_or_refused(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    file = tmp_path / "lakehouse.yaml"
    refused, slowest = 0, 0.0
    failures: list[str] = []
    ways: tuple[Callable[[str, random.Random], bytes], ...] = (restructured, rewritten)
    for number in range(MANY):
        file.write_bytes(ways[number % 2](chance.choice(TEXTS), chance))
        began = time.process_time()
        try:
            with at_most(LONGEST * 4):  # of the clock, on a machine that does other things too
                refused += bool(looked_at(file))
        except Exception:  # noqa: BLE001 - whatever it is, it is a failure
            failures.append(f"mutation {number} of seed {SEED}: {traceback.format_exc(limit=-3)[-1_500:]}")
            (tmp_path / f"mutation-{number}.yaml").write_bytes(file.read_bytes())
        slowest = max(slowest, time.process_time() - began)
    print(f"{MANY} files, seed {SEED}: {refused} refused, {len(failures)} failures, the slowest took {slowest:.2f} s")
    assert not failures, f"{len(failures)} of {MANY} (files in {tmp_path}):\n" + "\n".join(failures[:5])
    assert slowest < LONGEST
    assert MANY / 4 < refused < MANY, "some are refused, and some are not"


LINE = "catalogs.lake"
HOSTILE: dict[str, str] = {
    "a branch that backtracks": 'branches: {"' + "a" * 60 + '!": {}}',
    "twenty thousand spaces": "namespaces: {a: {tables: {t: {columns: {a: int}, sort_by: ['a%sb']}}}}" % (" " * 20_000),
    "lists in lists": "namespaces: {a: {tables: {t: {columns: {a: '" + "list<" * 400 + "int" + ">" * 400 + "'}}}}}",
    "half a character": 'properties: {"a": "\\uD800"}',
    "a terminal's escape": 'properties: {"a": "\\x1b[2J"}',
    "a huge number": f"managed: {'9' * 5_000}",
    "a huge number of base sixteen": f"managed: 0x{'f' * 10_000}",
    "not a number": "managed: .nan",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_values_are_refused_at_their_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "lakehouse.yaml"
    file.write_text(
        "name: demo\nbuckets: {warehouse: {}}\ncatalogs:\n  lake:\n    location: s3://warehouse/lake\n    "
        + text
        + "\n"
        "stacks: {local: {runtime: process, store: s3proxy, catalogs: {lake: nessie}}}\n"
    )
    with at_most(LONGEST):
        assert f"{file}:6: catalogs.lake." in looked_at(file)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"name: a\x00b\n", 1),
        (b"name: a\n\nbuckets: \xff\n", 3),
        (b"name: a\nb: [" + b"[" * 5_000, 2),
        (
            b"a: &a [1,1,1,1,1,1,1,1]\n"
            + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 8)) for c in range(98, 108)),
            1,  # where the one stands that is repeated
        ),
        (b"a: &a {b: *a}\n", 1),
        (b"x" * 6_000_000, 1),
        (b"name: a\nname: b\n", 2),
        (b"name: 'a\n", 1),
        (b"\xef\xbb\xbfname: A\r\n", 1),
        (b"- a\n", 1),
        (b"", 1),
        (b"name: a\n---\nname: b\n", 2),
    ],
    ids=range(12),
)
def test_hostile_files_are_refused_at_a_line(tmp_path: Path, content: bytes, line: int) -> None:
    file = tmp_path / "lakehouse.yaml"
    file.write_bytes(content)
    with at_most(LONGEST):
        assert f"{file}:{line}: " in looked_at(file)


def test_many_wrong_tables_are_reported_in_seconds(tmp_path: Path) -> None:
    file = tmp_path / "lakehouse.yaml"
    tables = "".join(f"          t{number}: {{colums: {{a: int}}}}\n" for number in range(20_000))
    file.write_text(
        "name: demo\nbuckets: {warehouse: {}}\ncatalogs:\n  lake:\n    location: s3://warehouse/lake\n"
        f"    namespaces:\n      a:\n        tables:\n{tables}"
        "stacks: {local: {runtime: process, store: s3proxy, catalogs: {lake: nessie}}}\n"
    )
    began = time.process_time()
    with pytest.raises(SpecError, match='Did you mean "columns"') as error:
        load(file)
    assert time.process_time() - began < LONGEST
    assert "there are more problems than these" in str(error.value)
    assert len(error.value.problems) < 1_000
