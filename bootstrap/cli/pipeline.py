"""``python -m bootstrap.cli.pipeline plan|apply|drift STACK``: what ``make pipeline-plan`` and the workflows run.

Exit codes: 0 success, 1 a failure or a stale plan, 2 drift, wrong usage or an invalid file; with --detailed-exitcode a
plan ends with 2 if there are changes.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from bootstrap import output
from bootstrap.pipeline.looked import Looked
from bootstrap.pipeline.pipeline import SUMMARY, Pipeline
from bootstrap.pipeline.steps import processes
from bootstrap.session.target import find
from lakehouse import project
from lakehouse.errors import LakehouseError
from lakehouse.spec import AwsStack
from lakehouse.text.terminal import shown_lines

_ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bootstrap.cli.pipeline", description=__doc__)
    parser.add_argument("what", choices=("plan", "apply", "drift"))
    parser.add_argument("stack")
    parser.add_argument(
        "--file",
        type=Path,
        help="the lakehouse's file [default: $LAKEHOUSE_FILE, else lakehouse.yaml here or in a folder above]",
    )
    parser.add_argument("--no-checks", action="store_true", help="plan without lint, types, scan and tests")
    parser.add_argument("--approved", metavar="DIGEST", help="apply the plan with this digest [default: the last plan]")
    parser.add_argument("--detailed-exitcode", action="store_true", help="exit with 2 if the plan has changes")
    given = parser.parse_args(arguments)
    try:
        pipeline = _pipeline(given.file, given.stack)
        if given.what == "apply":
            return pipeline.apply(given.approved)
        if given.what == "drift":
            return pipeline.drift()
        looked = pipeline.plan(check=not given.no_checks)
        _tell_github(looked, pipeline.notes / SUMMARY)
        return 2 if looked.anything and given.detailed_exitcode else 0
    except LakehouseError as error:
        print(f"Error: {shown_lines(error)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def _pipeline(file: Path | None, stack: str) -> Pipeline:
    target = find(file, stack)
    secrets = output.Redactor(target.secrets)
    folder = Path.cwd()  # cdktf.json is here
    options = target.lakehouse.stacks.get(stack)
    return Pipeline(
        folder=folder,
        stack=stack,
        contents=target.lakehouse.model_dump(mode="json", include={"buckets", "catalogs", "access"}),
        runner=processes(folder, target.path, secrets, {project.ONLY_STACK: stack} if target.in_aws else {}),
        checks=processes(_ROOT, target.path, secrets),
        allow_destroy=isinstance(options, AwsStack) and options.allow_destroy,
    )


def _tell_github(looked: Looked, summary: Path) -> None:
    """The job's outputs and its summary, if a workflow runs this.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#environment-files
    """
    written = {
        "GITHUB_OUTPUT": f"changes={str(looked.anything).lower()}\ndigest={looked.digest}\n",
        "GITHUB_STEP_SUMMARY": summary.read_text(),
    }
    for variable, text in written.items():
        if path := os.environ.get(variable):
            with Path(path).open("a") as file:
                file.write(text)


if __name__ == "__main__":
    sys.exit(main())
