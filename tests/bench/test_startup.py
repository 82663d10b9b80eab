"""The cost of a start, as `make bench` prints it. Nothing here asserts a time; ratios are of one run on one machine."""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

import psutil
import pytest

from lakehouse.runtimes import owner, processes
from lakehouse.runtimes.process import steps
from tests.bench import naive
from tests.integration.deployment import BIN, PROJECT, Changes, Deployment

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

ROUNDS = 3


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment.make(tmp_path / "lakehouse")
    yield made
    made.cdktf("destroy", "local", "--auto-approve", code=None)
    steps.supervisor_down(made.local.state)


def seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def first_row(deployment: Deployment) -> None:
    """The first row as a client gets it, with the client's own start."""
    ports = (str(deployment.port("spark-connect")), str(deployment.port("trino")))
    deployment.run(sys.executable, str(Path(__file__).with_name("first_row.py")), *ports)


def resident(deployment: Deployment) -> dict[str, float]:
    """MiB by service: RSS, and PSS, which counts a page that several processes share once in all."""
    found: dict[str, float] = {"rss": 0, "pss": 0, "cpu": 0}
    for process in processes.belonging(deployment.local.state):
        try:
            memory, times = process.memory_full_info(), process.cpu_times()
        except psutil.Error:
            continue
        found["rss"] += memory.rss / 2**20
        found["pss"] += memory.pss / 2**20
        found["cpu"] += times.user + times.system
    return found


def show(capsys: pytest.CaptureFixture[str], title: str, rows: dict[str, list[float]], unit: str = "s") -> None:
    with capsys.disabled():
        print(f"\n{title}")
        for name, values in rows.items():
            print(f"  {name:52} {median(values):8.2f} {unit}  ({', '.join(f'{value:.2f}' for value in values)})")


def test_synth(tmp_path: Path, deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    """`python main.py` and `cdktf synth`, against the bare command line around an app that does nothing new."""
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copytree(deployment.folder, bare, dirs_exist_ok=True)
    deployment.cdktf("synth")
    shutil.copytree(deployment.folder / "cdktf.out", bare / "made")
    config = json.loads((bare / "cdktf.json").read_text())
    (bare / "cdktf.json").write_text(json.dumps(config | {"app": "cp -r made/. cdktf.out/"}))
    only = Deployment(bare)
    main = [sys.executable, str(PROJECT / "main.py")]
    rows: dict[str, list[float]] = {
        "python main.py": [],
        "cdktf synth": [],
        "cdktf synth, bare (the app copies a file)": [],
    }
    for _ in range(ROUNDS):
        rows["python main.py"].append(seconds(lambda: deployment.run(*main)))
        rows["cdktf synth"].append(seconds(lambda: deployment.cdktf("synth")))
        rows["cdktf synth, bare (the app copies a file)"].append(seconds(lambda: only.cdktf("synth")))
    show(capsys, "Synth", rows)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    with capsys.disabled():
        print(f"  largest process of them all: {peak:.0f} MiB")


def test_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From `lakehouse deploy` to the first row, against the naive start; then a deploy with nothing to do."""
    rows: dict[str, list[float]] = {
        "ours: deploy": [],
        "ours: deploy to first row": [],
        "naive: start to first row": [],
    }
    ratios, rest, noop, bare, looks = [], [], [], [], []
    services: dict[str, list[float]] = {}
    sizes: dict[str, list[float]] = {f"{who} {what}": [] for who in ("ours", "naive") for what in ("rss", "pss", "cpu")}
    for number in range(ROUNDS):
        ours = Deployment.make(tmp_path / f"ours {number}")
        began = time.monotonic()
        printed = ours.deploy()
        rows["ours: deploy"].append(time.monotonic() - began)
        for name, took in re.findall(r"(\S+) is ready after ([\d.]+) s", printed):
            services.setdefault(name, []).append(float(took))
        first_row(ours)
        rows["ours: deploy to first row"].append(time.monotonic() - began)
        for what, value in resident(ours).items():
            sizes[f"ours {what}"].append(value)
        if number == 0:
            noop = [seconds(ours.deploy) for _ in range(ROUNDS)]
            look = (sys.executable, "-m", "bootstrap.cli.look", "--file", str(ours.file), "--stack", "local")
            looks = [seconds(partial(ours.run, *look)) for _ in range(ROUNDS)]
            bare = [seconds(partial(ours.cdktf, "diff", "local", "--skip-synth")) for _ in range(ROUNDS)]
            rest = [resident(ours)["rss"]]
        ours.cdktf("destroy", "local", "--auto-approve")

        theirs = Deployment.make(tmp_path / f"naive {number}")
        owner.mark(theirs.local.state, theirs.local.claim)  # as a deploy does before it starts anything
        began = time.monotonic()
        with naive.running(theirs.local):
            subprocess.run(  # the bucket, which ours makes as part of the deploy
                [BIN / "lakehouse", "apply"], cwd=theirs.folder, check=True, capture_output=True
            )
            first_row(theirs)
            rows["naive: start to first row"].append(time.monotonic() - began)
            for what, value in resident(theirs).items():
                sizes[f"naive {what}"].append(value)
        processes.end(processes.belonging(theirs.local.state))
        ratios.append(rows["ours: deploy to first row"][-1] / rows["naive: start to first row"][-1])
    show(capsys, "Start", rows)
    show(capsys, "From its start to ready, each service beside the others", services)
    show(capsys, "Ratio, pair by pair", {"ours / naive": ratios}, "x")
    idle = {"lakehouse deploy": noop, "of it the look at contents": looks, "cdktf diff --skip-synth (bare)": bare}
    show(capsys, "Deploy with nothing to do", idle)
    show(capsys, "Memory and processor after the first row (MiB, s)", sizes, "")
    show(capsys, "Memory at rest, all services", {"rss": rest}, "MiB")


def test_lighter_starts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """To the first row with less than the default has, and with the default, in turn."""
    single: Changes = {("engines", "spark", "cluster"): False}
    rest: Changes = {("stacks", "local", "catalogs"): {"lake": "rest"}}
    usual = "the default"
    lakehouses: dict[str, Changes] = {
        "no cluster": single,
        "no cluster and Iceberg REST": {**single, **rest},
        usual: {},
    }
    rows: dict[str, list[float]] = {}
    sizes: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        for name, changes in lakehouses.items():
            ours = Deployment.make(tmp_path / f"{name} {number}", changes)
            began = time.monotonic()
            ours.deploy()
            rows.setdefault(f"{name}: deploy", []).append(time.monotonic() - began)
            first_row(ours)
            rows.setdefault(f"{name}: deploy to first row", []).append(time.monotonic() - began)
            for what, value in resident(ours).items():
                sizes.setdefault(f"{name}: {what}", []).append(value)
            ours.cdktf("destroy", "local", "--auto-approve")
    show(capsys, "Start", rows)
    show(capsys, "Memory and processor after the first row (MiB, s)", sizes, unit="")
    took = {name: rows[f"{name}: deploy to first row"] for name in lakehouses}
    ratios = {
        f"{name} / {usual}": [mine / other for mine, other in zip(took[name], took[usual], strict=True)]
        for name in lakehouses
        if name != usual
    }
    show(capsys, "Ratio, pair by pair", ratios, unit="x")
