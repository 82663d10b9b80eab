"""What a month costs: counted from the stack, by the table, under the given use."""

from __future__ import annotations

import copy
import datetime
import json
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from bootstrap.cost.cli import app
from bootstrap.cost.estimate import FREE, Estimate, Usage, estimate
from bootstrap.cost.prices import AS_OF, ELSEWHERE, HOURS, PRICES, REGIONS
from bootstrap.synthesised import Synthesised
from lakehouse.errors import UsageError
from tests.synth.synthesised import AWS, LOCAL, stacks

IDLE = Usage(0, 0, 0, 0, 0)


def of(stack: str, usage: Usage = IDLE) -> Estimate:
    return estimate(stacks(AWS)[stack], usage)


def changed(stack: str, **more: Any) -> Synthesised:
    document: Any = copy.deepcopy(dict(stacks(AWS)[stack].document))
    document["resource"] |= more
    return Synthesised(stack, document)


@pytest.mark.parametrize("stack", ["aws", "clusters", "tables"])
def test_every_resource_has_a_price_or_is_free(stack: str) -> None:
    assert of(stack).unpriced == ()


@pytest.mark.parametrize("stack", ["aws", "clusters", "tables"])
def test_without_use_only_what_is_fixed_costs(stack: str) -> None:
    made = of(stack)
    assert made.dollars == pytest.approx(made.fixed)
    assert made.fixed > 0


@pytest.mark.parametrize(
    ("stack", "what", "dollars"),
    [
        # Four endpoints in two zones in Ireland; eight in three zones in Frankfurt.
        ("aws", "4 interface endpoints", 4 * 2 * HOURS * 0.01 * 1.1),
        ("clusters", "8 interface endpoints", 8 * 3 * HOURS * 0.01 * 1.19),
        ("aws", "KMS key", 1.1),
        ("clusters", "secrets", 2 * 0.40 * 1.19),
        ("clusters", "instance engines_trino_coordinator", HOURS * 0.1071 * 1.19),
        ("clusters", "engines_spark_workers, 2", 2 * HOURS * 0.1071 * 1.19),
    ],
)
def test_what_stands_all_month(stack: str, what: str, dollars: float) -> None:
    [item] = [each for each in of(stack).items if each.what == what]
    assert item.dollars == pytest.approx(dollars)


@pytest.mark.parametrize(
    ("stack", "usage", "dollars"),
    [
        ("aws", Usage(1000, 0, 0, 0, 0), 1000 * 0.023 * 1.1),
        ("tables", Usage(1000, 0, 0, 0, 0), 1000 * 0.0265 + 8 * 0.025),
        ("aws", Usage(0, 3, 0, 0, 0), 3 * 5 * 1.1),
        ("aws", Usage(0, 0, 10, 0, 0), 10 * (6 * 0.042094 + 15 * 0.004628) * 1.1),
        ("clusters", Usage(0, 3, 10, 0, 0), 0),  # neither Athena nor EMR
    ],
)
def test_what_use_adds(stack: str, usage: Usage, dollars: float) -> None:
    assert of(stack, usage).dollars - of(stack).dollars == pytest.approx(dollars)


def test_scaled_out_it_costs_more() -> None:
    made = of("clusters")
    more = 3 * (HOURS * 0.1071 + 64 * 0.08) * 1.19  # one Trino worker of at most four
    assert made.most - made.dollars == pytest.approx(more)


def test_what_is_not_in_the_table_is_said() -> None:
    assert estimate(changed("aws", aws_nat_gateway={"way_out": {}}), IDLE).unpriced == ("aws_nat_gateway",)


def test_prices_are_dated_and_sourced() -> None:
    assert datetime.date.fromisoformat(AS_OF) >= datetime.date(2026, 11, 21)
    assert all(price.dollars > 0 and price.page.startswith("https://aws.amazon.com/") for price in PRICES.values())
    assert all(1 <= factor <= 2 for factor in (*REGIONS.values(), ELSEWHERE))
    assert "aws_vpc_endpoint" not in FREE


def run(*arguments: str, file: Any = AWS) -> Result:
    program = typer.Typer()

    def options(context: typer.Context) -> None:
        context.obj = SimpleNamespace(file=file, stack=None)

    program.callback()(options)
    program.add_typer(app)
    return CliRunner().invoke(program, ["cost", *arguments])


@pytest.mark.parametrize(("scanned", "warned"), [("2", False), ("40", True)])
def test_above_the_budget_there_is_a_warning(scanned: str, warned: bool) -> None:
    done = run("--stack", "aws", "--scanned-tb", scanned)
    assert done.exit_code == 0, done.output
    assert ("is above the budget of 200 USD (stacks.aws.budget_usd)" in done.stderr) is warned
    assert "Assumed:" in done.stdout
    assert AS_OF in done.stdout


def test_for_programs() -> None:
    told = json.loads(run("--stack", "clusters", "--json").stdout)
    assert told["dollars"] == pytest.approx(sum(each["dollars"] for each in told["items"]))
    assert told["prices_as_of"] == AS_OF
    assert told["usage"]["stored_gb"] == Usage().stored_gb


@pytest.mark.parametrize(("file", "stack", "said"), [(LOCAL, "local", "not in AWS"), (AWS, "nowhere", "it has aws")])
def test_a_stack_that_costs_nothing_here(file: Any, stack: str, said: str) -> None:
    done = run("--stack", stack, file=file)
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)
