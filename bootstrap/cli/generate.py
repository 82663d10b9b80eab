"""``lakehouse generate``."""

from __future__ import annotations

import time
from typing import Annotated, Literal

import typer

from lakehouse.errors import UsageError

app = typer.Typer(rich_markup_mode=None)


@app.command()
def generate(
    context: typer.Context,
    dataset: Annotated[
        Literal["bars", "taxi", "orders", "tpch"],
        typer.Option(help="Minute bars of shares; taxi trips; a shop's nested orders; the eight tables of TPC-H."),
    ] = "bars",
    rows: Annotated[int, typer.Option("-n", "--rows", min=1, help="How many rows; not for tpch.")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed and options make the same rows; not for tpch.")] = 1,
    days: Annotated[
        int, typer.Option(min=1, help="For bars: trading days, from 2026-01-14 on; weekends have none.")
    ] = 2,
    scale: Annotated[float, typer.Option(min=0.001, help="For tpch: its scale factor; 1 has 8.7 million rows.")] = 0.01,
    catalog: Annotated[
        str | None, typer.Option(help="For taxi, orders and tpch [default: the file's first catalog].")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="First delete the rows that are there; for bars: those of these days.")
    ] = False,
) -> None:
    """Make up data to play with; docs/datasets.md says which.

    Each table's rows are written all at once or not at all. A run that was killed is continued by the same command.
    Otherwise the same command appends the same rows again, except for tpch.
    """
    from bootstrap.operations import generate as make

    target = context.obj.target()
    began = time.monotonic()
    if dataset == "bars":
        if catalog is not None:
            raise UsageError("--catalog: bars go to the file's own tables. Omit it.")
        done = make.generate(target, rows=rows, seed=seed, days=days, replace=replace)
        _report(done.bronze, rows, done.bronze_seconds, written=done.written)
        if done.silver_rows is None:
            why = (
                "In AWS a job fills silver (`lakehouse run`)"
                if target.in_aws
                else "This lakehouse has no Spark Connect"
            )
            print(f"{why}: it is left as it is.")
        else:
            merged = f"{done.silver_rows} rows of these days, merged by Spark in {done.silver_seconds:.1f} s."
            print(f"{done.silver}: {merged}")
        return
    chosen = make.first_catalog(target, catalog)
    if dataset == "tpch":
        from bootstrap.operations.tpch import tpch

        for name, count, made in tpch(target, chosen, scale=scale, replace=replace):
            print(f"{chosen}.tpch.{name}: {count} rows{'' if made else ', which were there'}.", flush=True)
        return
    full, written = make.generate_dataset(target, chosen, dataset, rows=rows, seed=seed, replace=replace)
    _report(full, rows, time.monotonic() - began, written=written)


def _report(table: str, rows: int, seconds: float, *, written: bool) -> None:
    if written:
        print(f"{table}: {rows} rows appended in {seconds:.1f} s.")
    else:
        print(f"{table}: {rows} rows, which the run before had written.")
