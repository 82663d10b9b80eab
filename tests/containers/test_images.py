"""The images on this machine, official or built from the packages: the same questions and the same answers."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import pytest

from lakehouse.packages.catalogue import package
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.docker.images import IMAGES, Image
from offline.recipes import RECIPES

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

PORTS = {"trino": 8080, "nessie": 19120, "s3proxy": 80, "minio": 9000, "rustfs": 9000, "postgres": 5432}
JAVA = ("trino", "spark", "nessie", "s3proxy", "temurin")  # whose images have one


def _docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0 or not check, done.stderr
    return done


@cache
def _promised() -> frozenset[str]:
    """The images that `make test` provides if Docker answers: all that a set-up can build."""
    return frozenset(key for key, of in RECIPES.items() if not any(package(name).crate for name in of.packages))


@pytest.fixture
def image(engine: DockerEngine, request: pytest.FixtureRequest) -> Image:
    """An image on this machine. In CI, those that `make test` provides must exist."""
    found = IMAGES[request.param]
    if not engine.has_image(found.reference):
        assert not (os.environ.get("CI") and os.geteuid() == 0 and found.key in _promised())
        pytest.skip(f"{found.reference} is not here")
    return found


@dataclass(frozen=True)
class Container:
    """A test's container, started as its image defines."""

    name: str

    def run(self, *command: str) -> str:
        return _docker("exec", self.name, *command).stdout

    def until(self, *command: str, holds: str, patience: float = 120) -> None:
        deadline = time.monotonic() + patience
        while holds not in (last := _docker("exec", self.name, *command, check=False)).stdout:
            assert time.monotonic() < deadline, f"{last.stderr}\n{_docker('logs', self.name).stdout[-3000:]}"
            time.sleep(0.5)


@contextmanager
def started(image: Image, *options: str, command: Sequence[str] = ()) -> Iterator[Container]:
    """A container with the image's own entry point, and its own command if the test has none."""
    name = f"lakehouse-test-{os.getpid()}-{image.key}"
    _docker("run", "--detach", "--name", name, *options, image.reference, *command)
    try:
        yield Container(name)
    finally:
        _docker("rm", "--force", "--volumes", name)


@pytest.mark.parametrize("image", IMAGES, indirect=True)
def test_an_image_is_laid_out_as_the_catalogue_says(image: Image) -> None:
    asked = [f"test -e {path}" for path in image.packages.values()]
    asked += ["java -version"] if image.key.startswith(JAVA) else []  # on PATH, where services look for it
    asked += ["command -v bash" if image.bash else "(command -v curl || command -v nc)"]
    script = " && ".join((*asked, 'echo "$(id -u):$(id -g)"'))
    done = _docker("run", "--rm", "--network", "none", "--entrypoint", "sh", image.reference, "-c", script)
    if not image.key.startswith(("postgres", "temurin", "caddy")):  # these begin as root, and services as another user
        assert done.stdout.splitlines()[-1] == image.user
    exposed = _docker("image", "inspect", "--format", "{{json .Config.ExposedPorts}}", image.reference).stdout
    port = PORTS.get(image.key.partition("-")[0])
    assert port is None or f'"{port}/tcp"' in exposed


@pytest.mark.matrix  # 001's test asks Trino's shell in a container with the command of the toolkit
@pytest.mark.parametrize("image", ["trino-476"], indirect=True)
def test_trino_starts_and_has_its_shell(image: Image) -> None:
    with started(image) as trino:
        trino.until("trino", "--execute", "SELECT count(*) FROM tpch.tiny.nation", holds='"25"')
        trino.run("/usr/lib/trino/bin/health-check")
        assert "iceberg" in trino.run("ls", "/usr/lib/trino/plugin").split()


@pytest.mark.parametrize("image", ["nessie-0.99.0"], indirect=True)
def test_nessie_starts(image: Image) -> None:
    with started(image) as nessie:
        nessie.until("bash", "-c", _get(19120, "/api/v2/config"), holds='"defaultBranch" : "main"')


@pytest.mark.parametrize("image", ["s3proxy-4.1.0"], indirect=True)
def test_s3proxy_starts(image: Image) -> None:
    with started(image, "--env", "S3PROXY_AUTHORIZATION=none") as s3proxy:
        s3proxy.until("bash", "-c", _get(80, "/"), holds="ListAllMyBucketsResult")


@pytest.mark.parametrize("image", ["minio-2025-09-07"], indirect=True)
def test_minio_starts(image: Image) -> None:
    with started(image, command=("server", "/data")) as minio:
        minio.until("bash", "-c", _get(9000, "/minio/health/live"), holds="200 OK")


@pytest.mark.parametrize("image", ["rustfs-1.0.1"], indirect=True)
def test_rustfs_starts(image: Image) -> None:
    with started(image) as rustfs:
        rustfs.until("curl", "-s", "-i", "http://127.0.0.1:9000/health", holds="200 OK")


@pytest.mark.parametrize("image", ["postgres-18.4"], indirect=True)
def test_postgres_starts_with_its_database(image: Image) -> None:
    with started(image, "--env", "POSTGRES_PASSWORD=one", "--env", "POSTGRES_DB=two") as postgres:
        login = "postgresql://postgres:{}@127.0.0.1/two".format("one")
        postgres.until("psql", "--tuples-only", "--command", "SELECT 'a' || 'b'", login, holds="ab")
        assert postgres.run("stat", "-c", "%U", "/proc/1").strip() == "postgres"


@pytest.mark.parametrize(
    "image",
    ["spark-4.1", *(pytest.param(each, marks=pytest.mark.matrix) for each in ("spark-4.0", "spark-3.5"))],
    indirect=True,
)
def test_spark_runs_a_python_job(image: Image) -> None:
    script = (
        "printf 'from pyspark.sql import SparkSession as S\\nprint(S.builder.getOrCreate().range(5).count())' > a.py"
    )
    submit = "/opt/spark/bin/spark-submit --master local[1] --conf spark.ui.enabled=false a.py"
    done = _docker("run", "--rm", image.reference, "bash", "-c", f"cd /tmp && {script} && {submit}")
    assert done.stdout.splitlines()[-1] == "5"


def _get(port: int, path: str) -> str:
    request = f"printf 'GET {path} HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3"
    return f"exec 3<>/dev/tcp/127.0.0.1/{port} && {request} && cat <&3"
