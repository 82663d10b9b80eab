"""The order of checks: a cause is found once, and its consequences are not checked."""

from __future__ import annotations

import pytest

from bootstrap.doctor.findings import CheckResult, examine, failed
from lakehouse.runtimes.findings import Check, Finding, error, ok, skipped, warning

FINE, ILL, SO_SO = ok("fine"), error("ill", "why", "how"), warning("so-so", "why", "how")


def test_what_follows_from_an_error_is_not_looked_at_and_names_the_first_cause() -> None:
    looked: list[str] = []

    def look(name: str, finding: Finding) -> Check:
        def at() -> Finding:
            looked.append(name)
            return finding

        return Check(name, at, after={"catalog": ("store",), "tables": ("catalog",), "trino": ("shell",)}.get(name, ()))

    made = [look("shell", FINE), look("store", ILL), look("catalog", FINE), look("tables", FINE), look("trino", FINE)]
    results = {each.check: each.finding for each in examine(made)}
    assert looked == ["shell", "store", "trino"]
    assert {name: each.severity for name, each in results.items()} == {
        "shell": "ok", "store": "error", "catalog": "skipped", "tables": "skipped", "trino": "ok",
    }  # fmt: skip
    assert results["tables"].found == "not checked until `store` is fixed"


def test_a_warning_is_no_hindrance() -> None:
    results = examine([Check("first", lambda: SO_SO), Check("second", lambda: FINE, after=("first",))])
    assert [each.finding for each in results] == [SO_SO, FINE]
    assert not failed(results)


def test_a_check_that_the_stack_lacks_is_no_hindrance() -> None:
    (result,) = examine([Check("ports", lambda: FINE, after=("docker",))])
    assert result.finding == FINE


def test_a_check_may_itself_blame_another() -> None:
    results = examine(
        [
            Check("trino", lambda: skipped("ports")),
            Check("catalog by trino", lambda: FINE, after=("trino",)),
        ]
    )
    assert [(each.finding.severity, each.finding.cause) for each in results] == [("skipped", "ports")] * 2
    assert not failed(results)


@pytest.mark.parametrize("failure", [ValueError("odd"), OSError(5, "I/O error"), KeyError()])
def test_a_check_that_fails_itself_does_not_hide_the_others(failure: Exception) -> None:
    def fall() -> Finding:
        raise failure

    results = examine([Check("falls", fall), Check("stands", lambda: FINE)])
    assert results[0].finding.severity == "error"
    assert (str(failure) or type(failure).__name__) in results[0].finding.found
    assert results[1].finding == FINE
    assert failed(results)


def test_each_check_is_announced_before_it_is_made() -> None:
    announced: list[str] = []
    examine([Check("a", lambda: FINE), Check("b", lambda: ok(",".join(announced)))], announced.append)
    assert announced == ["a", "b"]


def test_a_fix_names_the_stack_that_the_command_named() -> None:
    result = CheckResult("a", error("gone", "why", "`lakehouse deploy`"))
    assert result.for_stack("staging").finding.fix == "`lakehouse --stack staging deploy`"
    assert result.for_stack(None) == result
