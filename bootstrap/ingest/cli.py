"""``lakehouse ingest``; :data:`app` is mounted into the ``lakehouse`` program."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from bootstrap import output

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def ingest(
    context: typer.Context,
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE...", help="Files and folders: paths, or s3://bucket/key.")
    ],
    into: Annotated[str, typer.Option("--into", metavar="CATALOG.NAMESPACE.TABLE", help="The table that takes them.")],
    form: Annotated[
        Literal["parquet", "csv", "delta"] | None, typer.Option("--format", help="Of the files [default: as named].")
    ] = None,
    infer: Annotated[
        bool, typer.Option("--infer", help="Only print the table's section for lakehouse.yaml, from the files.")
    ] = False,
) -> None:
    """Load Parquet, CSV or Delta into a table, by Spark, in one commit. Files that it was loaded from are left out."""
    from bootstrap.ingest.load import Ingest, TableName

    target = context.obj.target()
    with output.progress() as bar:
        task = bar.add_task("looking at sources", total=None)
        run = Ingest(
            target, TableName.parse(into, target.lakehouse.catalogs), lambda what: bar.update(task, description=what)
        )
        if infer:
            section = run.infer(sources, form)
        else:
            done = run.load(sources, form)
    if infer:
        from ruamel.yaml import YAML

        yaml = YAML()
        yaml.default_flow_style = False
        yaml.dump(section, sys.stdout)
    else:
        known = f"; {done.known} loaded before" if done.known else ""
        print(f"{done.table}: {done.rows} rows of {done.files} files appended{known}.")
