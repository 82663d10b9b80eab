"""Stop applications of EMR Serverless that a deploy is about to change or delete: AWS does so only while they rest.

A job starts its application, which rests only after a quarter of an hour without one. Terraform runs this before, with
``python -m bootstrap.operations.applications REGION WANTED``; what was deployed is in the environment.
https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/applications.html
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from bootstrap.operations.provisioned import ended
from bootstrap.session import aws
from lakehouse.aws.applications import DEPLOYED
from lakehouse.errors import LakehouseError

# The states are in botocore's model, as ApplicationState and JobRunState.
_RESTS = ("CREATED", "STOPPED", "TERMINATED")
_ON_THE_WAY = ("CREATING", "STARTING", "STOPPING")
_WORKS = ("SUBMITTED", "PENDING", "SCHEDULED", "RUNNING", "CANCELLING", "QUEUED")
WAIT_SECONDS = 600
_PAUSE_SECONDS = 5


def stop(region: str, deployed: Mapping[str, str], wanted: Mapping[str, str]) -> Iterator[str]:
    """Stop those of the deployed applications, by name, that run no job. Yields what was stopped.

    Both mappings have a digest of each application's settings. One that stays as it is may go on with its jobs.
    Raises LakehouseError if another one has jobs, before any is stopped.
    """
    emr = aws.client("emr-serverless", region)
    there = {name: each["id"] for name, each in aws.applications(emr).items() if name in deployed}
    settled = {name: _settled(emr, name, which) for name, which in there.items()}
    started = {name: there[name] for name, state in settled.items() if state == "STARTED"}
    busy = {name: jobs for name, which in started.items() if (jobs := _jobs(emr, which))}
    if refused := {name: jobs for name, jobs in busy.items() if wanted.get(name) != deployed[name]}:
        raise LakehouseError(_refusal(refused, there))
    for name, which in started.items():
        if name not in busy:
            emr.stop_application(applicationId=which)
            if (state := _settled(emr, name, which)) not in _RESTS:
                raise LakehouseError(f"the application {name} of EMR Serverless was stopped and is {state}. Try again")
            yield f"stopped the application {name}, which ran no job"


def _jobs(emr: Any, which: str) -> list[str]:
    pages = emr.get_paginator("list_job_runs").paginate(applicationId=which, states=list(_WORKS))
    return [each["id"] for page in pages for each in page["jobRuns"]]


def _settled(emr: Any, name: str, which: str) -> str:
    """The state of an application once it is no longer on its way to another."""
    ends = time.monotonic() + WAIT_SECONDS
    while (state := emr.get_application(applicationId=which)["application"]["state"]) in _ON_THE_WAY:
        if time.monotonic() > ends:
            raise LakehouseError(f"the application {name} of EMR Serverless is {state} for {WAIT_SECONDS} s. Try again")
        time.sleep(_PAUSE_SECONDS)
    return str(state)


def _refusal(busy: Mapping[str, Sequence[str]], ids: Mapping[str, str]) -> str:
    lines = [
        "EMR Serverless changes and deletes no application that runs a job, so nothing was changed. Wait for these "
        "jobs, or cancel them:"
    ]
    for name, jobs in busy.items():
        cancel = f"aws emr-serverless cancel-job-run --application-id {ids[name]} --job-run-id"
        lines += [f"  {name}: {cancel} {job}" for job in jobs]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> Literal[0, 1]:
    """Run it for Terraform's provisioner. Returns the exit code."""
    region, wanted = arguments
    return ended(
        lambda: stop(region, json.loads(os.environ[DEPLOYED]), json.loads(wanted)),
        "the applications of EMR Serverless cannot be stopped",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
