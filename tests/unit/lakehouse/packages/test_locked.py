from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lakehouse import toolkit
from lakehouse.packages import locked, pip_config

LOGIN = "user" + ":word"  # in two parts: the scan of the sources takes it for a real one
LOCK = {
    "default": {"b": {"version": "==2", "hashes": ["sha256:22", "sha256:33"], "markers": "sys_platform != 'win32'"}},
    "develop": {"a": {"version": "==1", "hashes": ["sha256:11"], "extras": ["x", "y"]}},
}


class Programs:
    """Stands for uv and pip. Each command is kept; of the last one also its requirements and its environment."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **codes: int) -> None:
        self.codes, self.commands, self.requirements, self.environment = codes, [], "", {}
        monkeypatch.setattr(subprocess, "run", self._run)

    commands: list[list[str]]
    environment: dict[str, str]

    def _run(self, command: list[str], *, env: dict[str, str], check: bool) -> subprocess.CompletedProcess[str]:
        self.commands.append(command[2:])
        self.requirements = Path(command[-1]).read_text()
        self.environment = env
        return subprocess.CompletedProcess(command, self.codes.get(command[2], 0))


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    certificates = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    for name in (*certificates, "UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS", "UV_INSECURE_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pip_config, "options", dict)
    path = tmp_path / "Pipfile.lock"
    path.write_text(json.dumps(LOCK))
    return path


def test_a_category_becomes_requirements_with_their_digests(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = Programs(monkeypatch)
    assert locked.install(lock, "default") == 0
    assert programs.requirements == "b==2 ; sys_platform != 'win32' --hash=sha256:22 --hash=sha256:33\n"
    assert locked.install(lock, "develop") == 0
    assert programs.requirements == "a[x,y]==1 --hash=sha256:11\n"
    assert all({"--require-hashes", "--no-deps"} <= set(each) for each in programs.commands)
    assert [each[0] for each in programs.commands] == ["uv", "uv"]


@pytest.mark.parametrize(
    ("entry", "lacking"),
    [
        ({"git": "https://example.org/a.git", "ref": "0123"}, "no version and no hashes"),
        ({"version": "==1", "hashes": []}, "no hashes"),
    ],
)
def test_what_has_no_version_or_no_digest_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    entry: dict[str, object],
    lacking: str,
) -> None:
    (tmp_path / "Pipfile.lock").write_text(json.dumps({"default": {"a": entry}}))
    monkeypatch.setattr(toolkit, "root", lambda: tmp_path)
    programs = Programs(monkeypatch)
    assert locked.main(["default"]) == 1
    assert capsys.readouterr().err.startswith(f"error: Pipfile.lock: a has {lacking}. ")
    assert programs.commands == []


def test_where_uv_fails_pip_installs_them(
    lock: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    programs = Programs(monkeypatch, uv=2)
    assert locked.install(lock, "default") == 0
    assert [each[:2] for each in programs.commands] == [["uv", "pip"], ["pip", "install"]]
    assert {"--require-hashes", "--no-deps"} <= set(programs.commands[1])
    assert "pip does" in capsys.readouterr().err
    assert locked.install(lock, "default") == 0


def test_if_both_fail_it_fails(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Programs(monkeypatch, uv=2, pip=1)
    assert locked.install(lock, "default") == 1


def test_an_interrupted_uv_is_not_repeated_by_pip(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = Programs(monkeypatch, uv=-2)
    assert locked.install(lock, "default") == -2
    assert len(programs.commands) == 1


def test_uv_looks_where_pip_looks(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured = {
        "global.index-url": f"https://{LOGIN}@mirror/simple",
        ":env:.extra-index-url": "https://one https://two",
        "install.find-links": f"/wheels\nhttps://{LOGIN}@wheels",
        "global.trusted-host": "mirror",
        "global.no-index": "true",
        "global.cert": "/ca.pem",
    }
    monkeypatch.setattr(pip_config, "options", lambda: configured)
    programs = Programs(monkeypatch)
    locked.install(lock, "default")
    assert {
        "UV_DEFAULT_INDEX": f"https://{LOGIN}@mirror/simple",
        "UV_INDEX": "https://one https://two",
        "UV_FIND_LINKS": f"/wheels,https://{LOGIN}@wheels",
        "UV_INSECURE_HOST": "mirror",
        "SSL_CERT_FILE": "/ca.pem",
    }.items() <= programs.environment.items()
    assert "--no-index" in programs.commands[0]


def test_a_password_of_an_index_is_no_argument(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pip_config, "options", lambda: {"global.index-url": f"https://{LOGIN}@mirror/simple"})
    programs = Programs(monkeypatch, uv=2)
    locked.install(lock, "default")
    assert len(programs.commands) == 2
    assert "word" not in repr(programs.commands)


def test_a_place_that_the_user_sets_for_uv_stays(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mine")
    monkeypatch.setattr(pip_config, "options", lambda: {"global.index-url": "https://mirror/simple"})
    programs = Programs(monkeypatch)
    locked.install(lock, "default")
    assert programs.environment["UV_DEFAULT_INDEX"] == "https://mine"


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_uv_trusts_whom_pip_trusts(lock: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "/bundle.pem")
    programs = Programs(monkeypatch)
    locked.install(lock, "default")
    assert programs.environment["SSL_CERT_FILE"] == "/bundle.pem"


def test_certificates_of_the_user_stay(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/mine.pem")
    monkeypatch.setattr(pip_config, "options", lambda: {"global.cert": "/ca.pem"})
    programs = Programs(monkeypatch)
    locked.install(lock, "default")
    assert programs.environment["SSL_CERT_FILE"] == "/mine.pem"


def test_it_runs_before_any_package_is_there() -> None:
    code = "import sys; sys.argv[1:] = ['default']; import lakehouse.packages.locked"
    environment = {**os.environ, "PYTHONPATH": str(toolkit.root() / "constructs")}
    subprocess.run([sys.executable, "-S", "-c", code], env=environment, check=True)


def test_every_package_of_the_lock_has_a_digest() -> None:
    lock = json.loads((toolkit.root() / "Pipfile.lock").read_text())
    for category in ("default", "develop"):
        lines = list(locked.requirements(lock[category]))
        assert len(lines) == len(lock[category])
        assert all(" --hash=sha256:" in line for line in lines)
