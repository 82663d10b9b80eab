"""The entry points of the images built here, run on this machine; they start a script that prints its arguments."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from offline.recipes import FOLDER

SCRIPTS = sorted(path for path in FOLDER.rglob("*") if path.is_file() and path.read_text().startswith("#!"))


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with a `java` and a `minio` that print their arguments, and the file after --properties."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("java", "minio"):
        program = folder / name
        program.write_text(
            "#!/bin/bash\n"
            f'printf "{name}"; printf " <%s>" "$@"; echo\n'
            'for word; do [[ $last != --properties ]] || { stat -c %a "$word"; cat "$word"; }; last=$word; done\n'
        )
        program.chmod(0o755)
    return folder


def _run(
    script: str, *arguments: str, programs: Path, environment: Mapping[str, str] | None = None, code: int = 0
) -> list[str]:
    done = subprocess.run(
        [FOLDER / script, *arguments],
        env={"PATH": f"{programs}:/usr/bin:/bin", **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == code, done.stderr
    return (done.stdout or done.stderr).splitlines()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_script_can_be_run(script: Path) -> None:
    shell = script.read_text().splitlines()[0].removeprefix("#!")
    assert shell in ("/bin/sh", "/bin/bash")
    subprocess.run([shell, "-n", script], check=True, timeout=30)
    assert script.stat().st_mode & 0o111


def test_s3proxy_has_its_properties_from_the_environment(programs: Path, tmp_path: Path) -> None:
    data, secret = tmp_path / "data", tmp_path / "secret"
    secret.write_text("from\\a file\n")
    environment = {
        "LOG_LEVEL": "warn",
        "S3PROXY_ENDPOINT": "http://0.0.0.0:80",
        "S3PROXY_CORS_ALLOW_ALL": "false",
        "S3PROXY_VIRTUALHOST": "a.b",
        "S3PROXY_METRICS_ENABLED": "false",
        "S3PROXY_KEYSTORE_PATH": "",
        "S3PROXY_CREDENTIAL_FILE": str(secret),
        "S3PROXY_JAVA_OPTS": "-Xmx64m -Da=b",
        "JCLOUDS_PROVIDER": "filesystem-nio2",
        "JCLOUDS_FILESYSTEM_BASEDIR": str(data),
    }
    command, mode, *properties = _run("s3proxy/run-docker-container.sh", programs=programs, environment=environment)
    assert " <-Xmx64m> <-Da=b> <-DLOG_LEVEL=warn> <-jar> </opt/s3proxy/s3proxy> <--properties>" in command
    assert "file" not in command
    assert mode == "600"
    assert sorted(properties) == [
        f"jclouds.filesystem.basedir={data}",
        "jclouds.provider=filesystem-nio2",
        "s3proxy.cors-allow-all=false",
        r"s3proxy.credential=from\\a file",
        "s3proxy.endpoint=http://0.0.0.0:80",
        "s3proxy.metrics.enabled=false",
        "s3proxy.virtual-host=a.b",
    ]
    assert data.is_dir()


@pytest.mark.parametrize("arguments", [("server", "/data"), ("minio", "server", "/data")])
def test_minio_may_be_left_out(programs: Path, arguments: tuple[str, ...]) -> None:
    assert _run("minio/docker-entrypoint.sh", *arguments, programs=programs) == ["minio <server> </data>"]


def test_nessie_has_its_options_from_the_environment(programs: Path) -> None:
    options = {"JAVA_OPTS": "-Xmx64m -Xms8m", "JAVA_OPTS_APPEND": "-Da=b", "JAVA_APP_JAR": "/a b.jar"}
    assert _run("nessie/run-java.sh", programs=programs, environment=options) == [
        "java <-Xmx64m> <-Xms8m> <-Da=b> <-jar> </a b.jar>"
    ]


def test_spark_runs_what_it_is_given(programs: Path) -> None:
    assert _run("spark/entrypoint.sh", "echo", "a b", "c", programs=programs) == ["a b c"]


@pytest.mark.parametrize("mode", ["driver", "executor"])
def test_spark_refuses_the_modes_it_has_not(programs: Path, mode: str) -> None:
    (error,) = _run("spark/entrypoint.sh", mode, programs=programs, code=2)
    assert f"no {mode} mode" in error
