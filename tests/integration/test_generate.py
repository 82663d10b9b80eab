"""`lakehouse generate`: data sets, a run that is killed and repeated, tables that do not fit."""

from __future__ import annotations

import subprocess

import psutil
import pytest

from tests.integration.deployment import BIN, Deployment, until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def count(deployed: Deployment, table: str) -> int:
    [[found]] = deployed.trino(f"SELECT count(*) FROM lake.{table}")
    return int(found)


def test_each_data_set_and_a_query_on_it(deployed: Deployment) -> None:
    assert "lake.taxi.trips: 2000 rows appended" in deployed.lakehouse("generate", "--dataset", "taxi", "-n", "2000")
    deployed.lakehouse("generate", "--dataset", "orders", "-n", "200")
    deployed.lakehouse("generate", "--dataset", "orders", "-n", "300", "--replace")
    [[orders, same]] = deployed.trino(
        "SELECT count(*), count_if(total = reduce(items, CAST(0 AS decimal(12, 2)),"
        " (sum, item) -> CAST(sum + item.price * item.quantity AS decimal(12, 2)), sum -> sum)) FROM lake.shop.orders"
    )
    assert (orders, same) == (300, 300)
    made = deployed.lakehouse("generate", "--dataset", "tpch")
    assert "lake.tpch.lineitem: 60175 rows.\n" in made
    deployed.trino("DROP TABLE lake.tpch.nation")
    again = deployed.lakehouse("generate", "--dataset", "tpch")
    assert "lake.tpch.nation: 25 rows.\n" in again
    assert "lake.tpch.lineitem: 60175 rows, which were there.\n" in again
    refused = deployed.lakehouse("generate", "--dataset", "tpch", "--scale", "0.02", code=2)
    assert "lake.tpch.supplier has 100 rows, not 200" in refused
    # Query 1 of the standard, as it is.
    [first, *_] = deployed.trino(
        "SELECT l_returnflag, l_linestatus, sum(l_quantity) FROM lake.tpch.lineitem"
        " WHERE l_shipdate <= DATE '1998-12-01' - INTERVAL '90' DAY GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert first[:2] == ["A", "F"]
    for table in (
        "taxi.trips",
        "shop.orders",
        *(f"tpch.{row[0]}" for row in deployed.trino("SHOW TABLES FROM lake.tpch")),
    ):
        deployed.trino(f"DROP TABLE lake.{table}")
    for schema in ("taxi", "shop", "tpch"):
        deployed.trino(f"DROP SCHEMA lake.{schema}")


@pytest.mark.parametrize(
    "moment", [pytest.param("before bronze", marks=pytest.mark.matrix), "between bronze and silver"]
)
def test_a_killed_run_is_repeated_and_its_rows_are_there_once(deployed: Deployment, moment: str) -> None:
    command = ("generate", "--rows", "30000", "--days", "3")
    deployed.lakehouse(
        "sql", "--engine", "spark", "-e", "DELETE FROM lake.bronze.minute_aggs; DELETE FROM lake.silver.minute_aggs"
    )
    process = subprocess.Popen([str(BIN / "lakehouse"), *command], cwd=deployed.folder, stdout=subprocess.DEVNULL)
    folder = deployed.local.state.root / "tmp"

    def noted() -> bool:
        return any(folder.glob("generate-*.json"))

    connect = psutil.Process(deployed.local.runtime.processes()["spark-connect"].pid)
    spark = [connect, *connect.children(recursive=True)]
    try:
        until(noted, 120)
        if moment == "between bronze and silver":
            for each in spark:  # its session is there; now silver has to wait
                each.suspend()
            until(lambda: count(deployed, "bronze.minute_aggs") > 0, 120)
    finally:
        process.kill()
        process.wait()
        for each in spark:
            each.resume()
    assert count(deployed, "bronze.minute_aggs") in (0, 30_000), "all of a run's rows, or none"
    repeated = deployed.lakehouse(*command)
    assert "rows of these days, merged by Spark" in repeated
    assert count(deployed, "bronze.minute_aggs") == 30_000
    assert not noted()
    [[valid]] = deployed.trino(
        "SELECT count(DISTINCT (ticker, window_start)) FROM lake.bronze.minute_aggs"
        " WHERE close BETWEEN low AND high AND open BETWEEN low AND high AND low > 0"
    )
    assert count(deployed, "silver.minute_aggs") == valid


def test_a_column_that_must_have_a_value_is_found_before_bronze_grows(deployed: Deployment) -> None:
    before = count(deployed, "bronze.minute_aggs")
    spark = ("sql", "--engine", "spark", "-e")
    deployed.lakehouse(*spark, "ALTER TABLE lake.silver.minute_aggs ADD COLUMN note string")
    try:
        deployed.lakehouse("generate", "--rows", "1000")  # it stays empty
        assert count(deployed, "bronze.minute_aggs") == before + 1000
        deployed.lakehouse(*spark, "ALTER TABLE lake.silver.minute_aggs RENAME COLUMN volume TO amount")
        try:
            refused = deployed.lakehouse("generate", "--rows", "1000", code=2)
        finally:
            deployed.lakehouse(*spark, "ALTER TABLE lake.silver.minute_aggs RENAME COLUMN amount TO volume")
        assert 'lake.silver.minute_aggs: the column "volume" is missing' in refused
        assert count(deployed, "bronze.minute_aggs") == before + 1000
    finally:
        deployed.lakehouse(*spark, "ALTER TABLE lake.silver.minute_aggs DROP COLUMN note")
