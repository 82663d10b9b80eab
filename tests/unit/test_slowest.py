from __future__ import annotations

from pathlib import Path

from tests.slowest import MOST, report


def test_layers_are_summed_and_the_slowest_tests_are_listed(tmp_path: Path) -> None:
    for layer in ("unit", "integration"):
        tests = "".join(f'<testcase classname="tests.{layer}" name="test_{n}" time="{n}.5"/>' for n in range(MOST))
        (tmp_path / f"{layer}.xml").write_text(f"<testsuites><testsuite>{tests}</testsuite></testsuites>")
    lines = report(tmp_path).splitlines()
    assert lines[0].split() == ["integration", "20", "tests", "200", "s"]
    assert lines[1].split()[0] == "unit"
    assert len(lines) == 2 + 2 + MOST
    assert {line.split("::")[1] for line in lines[4:6]} == {"test_19"}
