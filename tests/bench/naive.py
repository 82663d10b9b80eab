"""The comparison: the same services as a shell script would start them, all at once.

Trino and S3Proxy keep their light JVM flags; the others run with the JVM's defaults. Spark starts by its own scripts
and gets Iceberg by ``spark.jars``. No class archives, no supervisor, no Terraform.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from lakehouse.runtimes.local import Local
from lakehouse.runtimes.probe import ready
from lakehouse.runtimes.state import write_private
from lakehouse.services.service import File, Service
from lakehouse.text.placeholders import filled

_FLAGS = ("-XX:", "-Xmx", "--add-opens", "-Dio.netty", "-Djdk.reflect")


def naive(service: Service, secret: Callable[[str], str]) -> Service:
    """The service as somebody writes it who follows each project's quick start."""
    if service.name in ("trino", "s3proxy"):
        return service
    if not service.name.startswith("spark"):
        return replace(service, command=tuple(word for word in service.command if not word.startswith(_FLAGS)))
    home = dict(service.environment)["SPARK_HOME"]
    at = next(n for n, word in enumerate(service.command) if word.startswith("org.apache.spark"))
    jars = service.command[service.command.index("-cp") + 1].split(":")[:-1]
    files = tuple(replace(file, text=_plain(file, filled(file.text, secret), jars)) for file in service.files)
    return replace(service, command=(f"{home}/bin/spark-class", *service.command[at:]), files=files)


def _plain(file: File, text: str, jars: list[str]) -> str:
    own = ("spark.executor.extra", "spark.driver.extra", "spark.cores.max", "spark.executor.cores")
    lines = [line for line in text.splitlines() if not line.startswith(own)]
    if file.path == "spark-defaults.conf":
        lines.append(f"spark.jars={','.join(jars)}")
    return "\n".join(lines) + "\n"


@contextmanager
def running(local: Local) -> Iterator[None]:
    """Start all of them at once, and wait until each one answers."""
    processes = []
    try:
        for service in (naive(each, local.state.secret) for each in local.services):
            config = local.state.config(service.name)
            for folder in (config, *map(Path, service.data)):
                folder.mkdir(parents=True, exist_ok=True)
            for file in service.files:
                write_private(config / file.path, filled(file.text, local.state.secret))
            log = (config / "log").open("w")
            environment = {key: os.environ[key] for key in ("HOME", "PATH") if key in os.environ}
            environment |= dict(service.environment) | {"LAKEHOUSE_STATE": str(local.state.root)}
            processes.append(
                subprocess.Popen(
                    service.command, cwd=service.directory or config, env=environment, stdout=log, stderr=log,
                    stdin=subprocess.DEVNULL, start_new_session=True,
                )
            )  # fmt: skip
            log.close()
        while not all(ready(service.probe) for service in local.services):
            time.sleep(0.25)
        yield
    finally:
        for process in processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
