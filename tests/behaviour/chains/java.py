"""Iceberg's own Java library in one Spark JVM, which answers questions about tables in a folder."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lakehouse import packages
from lakehouse.kinds.engines.spark_rules import LINES
from lakehouse.packages import jvm

SOURCE = Path(__file__).with_name("Checks.scala")
_OPENED = ("java.lang", "java.lang.invoke", "java.net", "java.nio", "java.util", "java.util.concurrent", "sun.nio.ch",
           "sun.util.calendar")  # fmt: skip

_SHORT = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")  # of JVMs that are done before better code would pay


class Java:
    """The process; Checks.scala has its questions."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, questions: Sequence[dict[str, Any]]) -> list[str]:
        """The answer to each question: "", or the failure."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(questions) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("@@ "):
                answers: list[str] = json.loads(line[3:])
                return answers
        raise AssertionError("Java ended")


@contextmanager
def running(folder: Path) -> Iterator[Java]:
    """The process for the tables ``n.NAME`` in ``folder``; its log is java.log there."""
    feature = LINES["4.1"].java[0]
    needed = ["spark-4.1", "iceberg-spark-runtime-4.1"]
    packages.set_up(needed, [feature], progress=False)
    java = str(jvm.java(feature))
    spark, iceberg = map(packages.location, needed)
    jars = [f"{iceberg}", *sorted(map(str, (spark / "jars").glob("*.jar")))]
    classes = folder / "classes"
    classes.mkdir()
    path = ":".join([str(classes), *jars])
    with (folder / "java.log").open("w") as log:
        scala = ["scala.tools.nsc.Main", "-classpath", path, "-d", str(classes), str(SOURCE)]
        compiler = [java, *_SHORT, "-cp", path, *scala]
        subprocess.run(compiler, check=True, stdout=log, stderr=log, timeout=200)
        opened = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in _OPENED]
        memory = ["-Xmx1g", *_SHORT, "-Dfile.encoding=UTF-8", f"-Dwarehouse=file:{folder}"]
        command = [java, *opened, *memory, "-cp", path, "org.apache.iceberg.data.Checks"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8", cwd=folder
        ) as process:
            try:
                yield Java(process)
            finally:
                process.kill()
