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
    into: Annotated[str, typer.Option("--into", metavar="CATALOG.NAMESPACE.TABLE", help="The table to load into.")],
    form: Annotated[
        Literal["parquet", "csv", "delta"] | None, typer.Option("--format", help="Format [default: by file names].")
    ] = None,
    infer: Annotated[
        bool, typer.Option("--infer", help="Only print the table's section for lakehouse.yaml, from the files.")
    ] = False,
) -> None:
    """Load Parquet, CSV or Delta files into a table with Spark, in one commit. Skip files that were loaded before."""
    from bootstrap.ingest.load import Ingest, Loaded, TableName

    target = context.obj.target()
    with output.progress() as bar:
        task = bar.add_task("checking sources", total=None)
        run = Ingest(
            target, TableName.parse(into, target.lakehouse.catalogs), lambda what: bar.update(task, description=what)
        )
        found = run.infer(sources, form) if infer else run.load(sources, form)
    if isinstance(found, Loaded):
        known = f"; {found.known} loaded before" if found.known else ""
        print(f"{found.table}: {found.rows} rows from {found.files} files appended{known}.")
        return
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(found, sys.stdout)
