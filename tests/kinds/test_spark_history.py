"""Spark's history server, on processes: what ended is shown, without secrets, after a restart too."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.attacks.attacked import assert_known
from tests.integration.deployment import BIN, Deployment, exposed, kill, until, up

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(1200)]

SPARK = {"workers": 1, "cores": 2, "memory": "512m"}
JOB = """
from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("counts").getOrCreate()
print(spark.range(1000).repartition(2).count())
spark.stop()
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    made = Deployment.make(
        tmp_path_factory.mktemp("history") / "a lakehouse",
        {
            ("stacks",): {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "rest"}}},
            ("engines",): {"spark": {**SPARK, "connect": {"token": True}, "history": True}},
        },
    )
    with up(made):
        yield made


def shown(stack: Deployment, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.port('spark-history')}/api/v1/{path}") as answer:
        return json.load(answer)


def ended(stack: Deployment) -> dict[str, str]:
    """The applications that ended: their ids by their names."""
    return {each["name"]: each["id"] for each in shown(stack, "applications") if each["attempts"][0].get("completed")}


def test_a_job_that_ended_is_shown_beside_connect(stack: Deployment) -> None:
    (stack.folder / "job.py").write_text(JOB)
    assert "1000" in stack.run(str(BIN / "lakehouse"), "run", "job.py")
    until(lambda: "counts" in ended(stack), 60)
    stages = shown(stack, f"applications/{ended(stack)['counts']}/stages?status=complete")
    assert sum(each["numCompleteTasks"] for each in stages) > 1
    assert "Spark Connect" in {each["name"] for each in shown(stack, "applications")}


def test_it_shows_no_secret_and_no_file_has_one_that_others_read(stack: Deployment) -> None:
    settings = json.dumps(shown(stack, f"applications/{ended(stack)['counts']}/environment"))
    kept = {path.name: path.read_text() for path in (stack.local.state.root / "secrets").iterdir() if path.is_file()}
    assert kept
    assert [name for name, value in kept.items() if value in settings] == []
    assert exposed(stack) == []
    assert_known(stack)


def test_it_comes_back_with_what_it_knew_and_nothing_is_planned(stack: Deployment) -> None:
    kill(stack, "spark-history")
    until(lambda: _answers(stack), 120)
    until(lambda: "counts" in ended(stack), 60)
    assert "checks passed" in stack.lakehouse("verify")
    assert stack.planned() == set()


def _answers(stack: Deployment) -> bool:
    try:
        return bool(shown(stack, "version")["spark"])
    except OSError:
        return False
