"""The log of a job on EMR Serverless, from the log group of its application.

https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/logging.html
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError

_LATE = 20.0  # seconds after the end of a job until its last lines are there
_QUIET = 2  # looks without a new line, after which no more is expected
_OUTPUT, _ERRORS = "SPARK_DRIVER/stdout", "SPARK_DRIVER/stderr"


@dataclass
class JobLogs:
    """The lines of a job's driver, each once. An error only ends the reading of the log: the job goes on."""

    group: str  # empty: the application writes to none
    prefix: str
    client: Any
    _next: dict[str, str] = field(
        default_factory=dict
    )  # by stream: the token of the lines after the last that was read
    _ended: bool = False
    _seen: bool = False

    @classmethod
    def of(cls, application: Mapping[str, Any], client: Any, job: str) -> JobLogs:
        """``application`` are its settings, as EMR gives them."""
        asked = application.get("monitoringConfiguration", {}).get("cloudWatchLoggingConfiguration", {})
        group = asked.get("logGroupName", "/aws/emr-serverless") if asked.get("enabled") else ""
        before = asked.get("logStreamNamePrefix", "")
        return cls(group, f"{before}/applications/{application['applicationId']}/jobs/{job}/", client)

    def show(self, out: IO[str], log: IO[str]) -> bool:
        """Print the lines that are new: the job's own to ``out``, Spark's to ``log``. Whether there were any."""
        if not self.group or self._ended:
            return False
        new = False
        try:
            for stream in self._streams():
                sink = out if _OUTPUT in stream else log
                for line in self._lines(stream):
                    print(line, file=sink, flush=True)
                    new = self._seen = True
        except (BotoCoreError, ClientError) as error:
            self._ended = True
            print(f"The log group {self.group} cannot be read: {error}", file=log, flush=True)
        return new

    def rest(self, out: IO[str], log: IO[str], wait: float) -> None:
        """Print the last lines of a job that has ended: they arrive later than its end does."""
        quiet, until = 0, time.monotonic() + _LATE
        while self.group and not self._ended and time.monotonic() < until:
            quiet = 0 if self.show(out, log) else quiet + 1
            if self._seen and quiet >= _QUIET:
                return
            time.sleep(wait)
        if not self._seen:
            where = f"log group {self.group or '(none)'}, streams {self.prefix}"
            print(f"No line of its log has arrived. {where[0].upper()}{where[1:]}", file=log, flush=True)

    def _streams(self) -> Iterator[str]:
        pages = self.client.get_paginator("describe_log_streams")
        for page in pages.paginate(logGroupName=self.group, logStreamNamePrefix=self.prefix):
            for each in page.get("logStreams", ()):
                if _OUTPUT in each["logStreamName"] or _ERRORS in each["logStreamName"]:
                    yield each["logStreamName"]

    def _lines(self, stream: str) -> Iterator[str]:
        while True:
            token = self._next.get(stream)
            after = {"nextToken": token} if token else {}
            found = self.client.get_log_events(
                logGroupName=self.group, logStreamName=stream, startFromHead=True, **after
            )
            for each in found["events"]:
                yield each["message"].rstrip("\n")
            if found["nextForwardToken"] == token:  # the end, for now
                return
            self._next[stream] = found["nextForwardToken"]
