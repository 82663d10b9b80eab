"""``python -m tests.slowest FOLDER``: how long each layer took, and its slowest tests, from pytest's JUnit files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

MOST = 20


def cases(folder: Path) -> Iterator[tuple[str, float, str]]:
    """Each test's layer, seconds (its fixtures' included) and name."""
    for path in sorted(folder.glob("*.xml")):
        for case in ElementTree.parse(path).iter("testcase"):
            yield path.stem, float(case.get("time", "0")), f"{case.get('classname')}::{case.get('name')}"


def report(folder: Path) -> str:
    """One line for each layer, then the slowest tests of all layers."""
    found = list(cases(folder))
    layers = sorted({layer for layer, _, _ in found})
    lines = []
    for layer in layers:
        times = [seconds for of, seconds, _ in found if of == layer]
        lines.append(f"{layer:12} {len(times):5} tests {sum(times):7.0f} s")
    lines += ["", f"The {MOST} slowest tests:"]
    slowest = sorted(found, key=lambda case: case[1], reverse=True)[:MOST]
    lines += [f"{seconds:7.1f} s  {name}" for _, seconds, name in slowest]
    return "\n".join(lines)


if __name__ == "__main__":
    print(report(Path(sys.argv[1])))
