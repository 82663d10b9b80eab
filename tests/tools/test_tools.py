"""Each tool on each kind of catalog, with what `lakehouse endpoints --for` prints: expected.py, step by step.

LAKEHOUSE_TOOLS=dlt,duckdb and LAKEHOUSE_KINDS=rest,hive choose some.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import pytest

from lakehouse import packages
from tests import moto
from tests.behaviour.servers import GLUE_REGION
from tests.integration.deployment import Deployment, up
from tests.integration.test_tools import SNIPPETS
from tests.polaris.home import home
from tests.tools import environments
from tests.tools.expected import DBT, KINDS, TOOLS

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(1800)]

HERE = Path(__file__).parent
CHOSEN = os.environ.get("LAKEHOUSE_TOOLS", ",".join(TOOLS)).split(",")
SOME = os.environ.get("LAKEHOUSE_KINDS", ",".join(KINDS)).split(",")
LOCATIONS = {each: f"s3://lakehouse/{each}" for each in KINDS} | {"s3tables": "s3://tables"}
_VIEWS = "    staging: {+materialized: view}\n"  # a line of the project as dbt makes it
_TABLES = """\
    +views_enabled: false
snapshots:
  shop: {+views_enabled: false}
"""
_ICEBERG = f"""\
    +file_format: iceberg
{_VIEWS}seeds:
  shop: {{+file_format: iceberg}}
snapshots:
  shop: {{+file_format: iceberg}}
"""


@dataclass(frozen=True)
class Used:
    """A deployment, and how a user of a tool meets it: a folder, and the variables of `--for env`."""

    deployed: Deployment
    folder: Path

    def configuration(self, tool: str, kind: str) -> str:
        return self.deployed.lakehouse("endpoints", "--for", tool, "--catalog", kind)

    def environment(self, kind: str) -> dict[str, str]:
        script = self.configuration("env", kind) + "\nenv -0"
        shown = subprocess.run(["sh", "-c", script], cwd=self.folder, capture_output=True, check=True, text=True).stdout
        found = dict(each.split("=", 1) for each in shown.split("\0") if "=" in each)
        return {key: value for key, value in found.items() if not key.startswith(("AWS_", "PYTHON", "LAKEHOUSE"))}

    def run(self, kind: str, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=self.environment(kind), capture_output=True, text=True, timeout=600,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip

    def steps(self, kind: str, *command: str) -> dict[str, str]:
        """The steps that a script printed, and why each failed."""
        done = self.run(kind, *command)
        lines = [line.split("\t", 1) for line in done.stdout.splitlines() if "\t" in line]
        assert lines, done.stdout + done.stderr
        return {each[0]: each[1] for each in lines}

    def trials(self, kind: str, trials: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
        """Commands as steps, by name."""
        found = {}
        for name, command in trials.items():
            done = self.run(kind, *command)
            found[name] = _said(done.stdout + done.stderr) if done.returncode else ""
        return found


def _said(output: str) -> str:
    """The end of what a program said, without Java's traces, which are longer than what they are about."""
    return "\n".join(each for each in output.splitlines() if not re.match(r"\s*(\\t)?at ", each))[-4000:]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("tools")
    with moto.running() as glue:
        kinds = {each: each for each in SOME} | {
            each: value
            for each, value in {
                "polaris": {"kind": "polaris", "home": str(home(folder))},
                "glue": {"kind": "glue", "region": GLUE_REGION, "endpoint": glue},
            }.items()
            if each in SOME
        }
        spark = {"workers": 1, "cores": 2, "memory": "1g", "driver_memory": "1g"}
        made = Deployment.make(
            folder / "a lakehouse",
            {
                ("buckets",): {"lakehouse": {}, **({"tables": {}} if "s3tables" in SOME else {})},
                ("catalogs",): {each: {"location": LOCATIONS[each]} for each in SOME},
                ("access",): {},
                ("engines", "spark"): spark,
                ("stacks", "local", "store"): "seaweedfs",
                ("stacks", "local", "catalogs"): kinds,
                **({("stacks", "local", "credentials"): "keys.yaml"} if "glue" in SOME else {}),
            },
        )
        keys = made.folder / "keys.yaml"
        keys.write_text("glue: {name: moto-key, value: moto-secret}\n")
        keys.chmod(0o600)
        with up(made):
            yield made


@pytest.mark.parametrize("kind", SOME)
@pytest.mark.parametrize("tool", CHOSEN)
def test_a_tool_does_what_the_table_says(tool: str, kind: str, deployed: Deployment, tmp_path: Path) -> None:
    found = RUNS[tool](Used(deployed, tmp_path), kind)
    expected, says = TOOLS[tool].fails.get(kind, ()), TOOLS[tool].says.get(kind, "")
    print("", *(f"{name}: {why}" for name, why in found.items() if why), sep="\n")  # for `says`, if nothing is wrong
    wrong = [f"{name}: {why}" for name, why in found.items() if why and name not in expected]
    assert not wrong, "\n".join(wrong)
    passed = {name for name, why in found.items() if not why}
    assert passed & set(expected) == set(), "these pass now: write it into expected.py"
    if expected:
        assert re.search(says, found[expected[0]]), found[expected[0]]
    if expected != TOOLS[tool].steps:
        assert tuple(found) == TOOLS[tool].steps


def test_the_snippets_of_the_page_for_these_tools_run(deployed: Deployment, tmp_path: Path) -> None:
    used, kind = Used(deployed, tmp_path), next((each for each in reversed(SOME) if each != "s3tables"), "")
    if not kind:
        pytest.skip("dlt does not work on s3tables")
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "config.toml").write_text(used.configuration("dlt", kind))
    (tmp_path / "trino_.py").write_text(used.configuration("trino", kind))
    (tmp_path / "dlt_.py").write_text(SNIPPETS["dlt"])
    for name, tool in {"dlt_.py": "dlt", "trino_.py": "sqlalchemy"}.items():
        done = used.run(kind, str(environments.scripts(tool) / "python"), "-W", "ignore", name)
        assert done.returncode == 0, done.stderr


def script(name: str, tool: str, *arguments: str) -> Callable[[Used, str], dict[str, str]]:
    """The steps of a script, in the environment of a tool."""

    def run(used: Used, kind: str) -> dict[str, str]:
        path = str(HERE / "scripts" / f"{name}_steps.py")
        return used.steps(kind, str(environments.scripts(tool) / "python"), "-W", "ignore", path, *arguments, kind)

    return run


def dlt(used: Used, kind: str) -> dict[str, str]:
    (used.folder / ".dlt").mkdir()
    (used.folder / ".dlt" / "config.toml").write_text(used.configuration("dlt", kind))
    return script("dlt", "dlt")(used, kind)


def dbt(tool: str, schema: str, lines: str = _VIEWS, target: str = "") -> Callable[[Used, str], dict[str, str]]:
    """dbt's commands on the project, with those lines at its models, in a schema that no other run has."""

    def run(used: Used, kind: str) -> dict[str, str]:
        shutil.copytree(HERE / "dbt", used.folder, dirs_exist_ok=True)
        profiles = used.configuration("dbt", kind).replace("schema: dbt\n", f"schema: {schema}\n")
        (used.folder / "profiles.yml").write_text(profiles)
        views = "" if f"{kind}{target}: Spark has no views there" in profiles else _VIEWS
        project = used.folder / "dbt_project.yml"
        project.write_text(project.read_text().replace(_VIEWS, lines.replace(_VIEWS, views)))
        if target:
            (used.folder / "macros").mkdir()
            (used.folder / "macros" / "snapshots.sql").write_text(_macros(profiles))
        program, end = str(environments.scripts(tool) / "dbt"), ("--profiles-dir", ".", "--target", f"{kind}{target}")
        seeds = used.folder / "seeds" / "raw_orders.csv"
        commands = ("debug", "seed", "run", "test", "snapshot", "seed", "run", "snapshot", "docs generate")
        found: dict[str, str] = {}
        for name, command in zip(DBT, commands, strict=True):
            if name == "seed again":
                text = seeds.read_text().replace("placed", "completed")
                seeds.write_text(f"{text}5,2,1.0,placed,2026-03-05\n")
            found |= used.trials(kind, {name: (program, *command.split(), *end)})
        return found

    return run


def _macros(profiles: str) -> str:
    """What the profile says to write into the project's macros."""
    lines = profiles.partition("In macros/snapshots.sql:\n")[2].splitlines()
    return "\n".join(each[1:] for each in takewhile(lambda each: each.startswith("#   "), lines))


def sqlmesh(used: Used, kind: str) -> dict[str, str]:
    shutil.copytree(HERE / "sqlmesh", used.folder, dirs_exist_ok=True)
    (used.folder / "config.yaml").write_text(used.configuration("sqlmesh", kind))
    program = str(environments.scripts("sqlmesh") / "sqlmesh")
    make = ("--auto-apply", "--no-prompts")
    first = used.trials(kind, {"plan": (program, "plan", *make)})
    if first["plan"]:
        return dict.fromkeys(TOOLS["sqlmesh"].steps, first["plan"])
    return first | used.trials(
        kind,
        {
            "run": (program, "run"),
            "plan of another environment": (program, "plan", "dev", *make, "--include-unmodified"),
            "audit": (program, "audit"),
            "fetchdf": (program, "fetchdf", "SELECT count(*) FROM mesh_shop.orders"),
        },
    )


def connect(used: Used, kind: str) -> dict[str, str]:
    return used.steps(kind, sys.executable, "-W", "ignore", str(HERE / "scripts" / "connect_steps.py"), kind)


def sqlalchemy(used: Used, kind: str) -> dict[str, str]:
    return script("sqlalchemy", "sqlalchemy", f"127.0.0.1:{used.deployed.port('trino')}")(used, kind)


def jdbc(used: Used, kind: str) -> dict[str, str]:
    jars = ("trino-jdbc-476", "beanshell-2.0b6")
    packages.set_up(jars, [25], progress=False)
    classes = ":".join(str(packages.location(each)) for each in jars)
    address = f"jdbc:trino://127.0.0.1:{used.deployed.port('trino')}/"
    java = str(packages.java(25))
    return used.steps(kind, java, "-cp", classes, "bsh.Interpreter", str(HERE / "jdbc.bsh"), address, kind)


def duckdb(used: Used, kind: str) -> dict[str, str]:
    statements = used.configuration("duckdb", kind)
    if f'AS "{kind}"' not in statements:
        return dict.fromkeys(TOOLS["duckdb"].steps, f"not attached: {statements}")
    used.folder.joinpath("lake.sql").write_text(statements)
    return script("duckdb", "duckdb", "lake.sql")(used, kind)


RUNS: dict[str, Callable[[Used, str], dict[str, str]]] = {
    "pyiceberg": script("pyiceberg", "pyiceberg"),
    "dlt": dlt,
    "dbt-trino": dbt("dbt-trino", "by_dbt"),
    "dbt-trino-tables": dbt("dbt-trino", "by_dbt_tables", _TABLES),
    "dbt-spark": dbt("dbt-spark", "by_dbt_spark", _ICEBERG, "_spark"),
    "sqlmesh": sqlmesh,
    "spark": connect,
    "sqlalchemy": sqlalchemy,
    "jdbc": jdbc,
    "duckdb": duckdb,
}
