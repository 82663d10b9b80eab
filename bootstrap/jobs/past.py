"""Logs of jobs on EMR Serverless that were submitted before, by whomever."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import IO, Any

from bootstrap.jobs.emr import ENDED, EmrApplication
from bootstrap.jobs.emr_logs import JobLogs
from bootstrap.session import aws
from bootstrap.session.interrupts import ending
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError

_WAIT = 3.0


def show(target: Target, job: str | None, out: IO[str], log: IO[str], *, follow: bool, wait: float = _WAIT) -> None:
    """Print the log of a job: the one with that id, else the latest. With ``follow``, until it has ended.

    Only jobs of the caller's principal are looked at, or of all if the caller has the role of none. Raises
    LakehouseError if there is no such job.
    """
    with aws.plainly(f"stacks.{target.stack} is in AWS", "the log", target.region), ending(out):
        application, found = _found(target, job)
        run = found["id"]
        print(f"Job {run} ({found.get('name', '')}) of {application.principal}: {found['state']}.", file=log)
        settings = application.emr.get_application(applicationId=application.id)["application"]
        logs = JobLogs.of(settings, application.client("logs"), run)
        said = logs.show(out, log)
        state = found["state"]
        while follow and state not in ENDED:
            said = False  # its last lines arrive after its end
            time.sleep(wait)
            state = application.emr.get_job_run(applicationId=application.id, jobRunId=run)["jobRun"]["state"]
            logs.show(out, log)
        if state in ENDED and not said:
            logs.rest(out, log, wait)


def _found(target: Target, job: str | None) -> tuple[EmrApplication, Mapping[str, Any]]:
    latest: tuple[EmrApplication, Mapping[str, Any]] | None = None
    for application in EmrApplication.all(target):
        for page in application.emr.get_paginator("list_job_runs").paginate(applicationId=application.id):
            for each in page["jobRuns"]:
                if each["id"] == job:
                    return application, each
                if job is None and (latest is None or each["createdAt"] > latest[1]["createdAt"]):
                    latest = application, each
    if latest is None:
        what = "has run no job yet" if job is None else f"knows no job {job} (of the last 90 days)"
        raise LakehouseError(f"stacks.{target.stack} {what}. `lakehouse --stack {target.stack} run` submits one")
    return latest
