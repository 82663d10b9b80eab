"""A double of EMR Serverless and of its log group in CloudWatch: states and lines that a test writes down.

States: https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/job-states.html. The text of a failure is what
users report of the service.
"""
# ruff: noqa: N803 - arguments have AWS's names

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.aws_double import ACCOUNT

APPLICATION, JOB = "00application1", "00job1"
GROUP = "/employees-aws/engines"
NOW = datetime.datetime(2026, 1, 14, tzinfo=datetime.UTC)
RUNS = ("SUBMITTED", "PENDING", "SCHEDULED", "RUNNING", "RUNNING")
FAILED = (
    "Job failed, please check complete logs in configured logging destination. ExitCode: 7. Last few exceptions: ..."
)


def _arn(application: str, job: str = "") -> str:
    arn = f"arn:aws:emr-serverless:eu-west-1:{ACCOUNT}:/applications/{application}"
    return f"{arn}/jobruns/{job}" if job else arn


@dataclass
class EmrDouble:
    """One application and one job, which has one state after the other, and stays in the last."""

    names: Sequence[str] = ("employees-aws-etl",)
    states: Sequence[str] = (*RUNS, "SUCCESS")
    details: str = "what EMR says of the state"
    group: str = GROUP
    looked: Callable[[int], None] = lambda look: None  # called with the number of each look at the job
    looks: int = 0
    past: Mapping[str, str] = field(default_factory=dict)  # the states of earlier jobs, the oldest first

    def list_applications(self, **_: object) -> Mapping[str, Any]:
        return {"applications": [self._application(name, each) for each, name in enumerate(self.names, 1)]}

    def _application(self, name: str, number: int) -> dict[str, Any]:
        return {
            "id": APPLICATION[:-1] + str(number),
            "name": name,
            "arn": _arn(f"00application{number}"),
            "releaseLabel": "emr-7.10.0",
            "type": "spark",
            "state": "STOPPED",
            "createdAt": NOW,
            "updatedAt": NOW,
        }

    def get_application(self, *, applicationId: str) -> Mapping[str, Any]:
        whole = self._application(self.names[0], 1)
        whole["applicationId"] = whole.pop("id")
        logging = {"enabled": bool(self.group), **({"logGroupName": self.group} if self.group else {})}
        return {"application": {**whole, "monitoringConfiguration": {"cloudWatchLoggingConfiguration": logging}}}

    def start_job_run(self, *, applicationId: str, **_: object) -> Mapping[str, Any]:
        return {"applicationId": applicationId, "jobRunId": JOB, "arn": _arn(applicationId, JOB)}

    def get_job_run(self, *, applicationId: str, jobRunId: str) -> Mapping[str, Any]:
        self.looks += 1
        self.looked(self.looks)
        job = {
            "applicationId": applicationId,
            "jobRunId": jobRunId,
            "arn": _arn(applicationId, jobRunId),
            "createdBy": f"arn:aws:iam::{ACCOUNT}:user/me",
            "createdAt": NOW,
            "updatedAt": NOW,
            "executionRole": f"arn:aws:iam::{ACCOUNT}:role/r",
            "state": self.states[min(self.looks, len(self.states)) - 1],
            "stateDetails": self.details,
            "releaseLabel": "emr-7.10.0",
            "jobDriver": {"sparkSubmit": {"entryPoint": "s3://bucket/job.py"}},
        }
        return {"jobRun": job}

    def list_job_runs(self, *, applicationId: str, **_: object) -> Mapping[str, Any]:
        jobs = [
            {
                "applicationId": applicationId,
                "id": job,
                "name": "daily",
                "arn": _arn(applicationId, job),
                "createdBy": f"arn:aws:iam::{ACCOUNT}:user/me",
                "createdAt": NOW + datetime.timedelta(minutes=nth),
                "updatedAt": NOW,
                "executionRole": f"arn:aws:iam::{ACCOUNT}:role/r",
                "state": state,
                "stateDetails": self.details,
                "releaseLabel": "emr-7.10.0",
            }
            for nth, (job, state) in enumerate(self.past.items())
        ]
        return {"jobRuns": jobs}

    def cancel_job_run(self, *, applicationId: str, jobRunId: str) -> Mapping[str, Any]:
        self.states = ("CANCELLED",)
        return {"applicationId": applicationId, "jobRunId": jobRunId}


@dataclass
class LogsDouble:
    """CloudWatch Logs: streams by name, of which a page has at most two lines. A test may add lines at any time."""

    streams: dict[str, list[str]] = field(default_factory=dict)

    def driver(self, output: Sequence[str] = (), errors: Sequence[str] = ()) -> None:
        """Add lines of the job's driver."""
        for kind, lines in (("stdout", output), ("stderr", errors)):
            if lines:
                name = f"/applications/{APPLICATION}/jobs/{JOB}/SPARK_DRIVER/{kind}"
                self.streams.setdefault(name, []).extend(lines)

    def describe_log_streams(self, *, logGroupName: str, logStreamNamePrefix: str, **_: object) -> Mapping[str, Any]:
        return {
            "logStreams": [{"logStreamName": name} for name in self.streams if name.startswith(logStreamNamePrefix)]
        }

    def get_log_events(
        self,
        *,
        logGroupName: str,
        logStreamName: str,
        startFromHead: bool,
        nextToken: str = "f/0",
    ) -> Mapping[str, Any]:
        assert startFromHead
        begin = int(nextToken.removeprefix("f/"))
        events = self.streams[logStreamName][begin : begin + 2]
        return {
            "events": [{"timestamp": 0, "message": each, "ingestionTime": 0} for each in events],
            "nextForwardToken": f"f/{begin + len(events)}",
            "nextBackwardToken": f"b/{begin}",
        }
