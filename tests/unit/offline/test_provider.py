"""`make providers`: when the provider is built, and where it is put."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests

from lakehouse.packages import terraform
from lakehouse.runtimes.docker.containers import PROVIDER
from offline import go, provider

HOME = "registry.terraform.io/kreuzwerker/docker"
PLATFORM = provider._platform()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without plugins, and a provider that was built."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_DATA_DIRS", f"{tmp_path / 'one'}:{tmp_path / 'two'}")
    built = tmp_path / "built"
    built.write_bytes(b"program")
    built.chmod(0o755)
    monkeypatch.setattr(go, "build", lambda name: built)
    monkeypatch.setattr(provider, "registry_answers", lambda: False)
    _called(monkeypatch, "Terraform 1.11.4")
    return tmp_path


def _called(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """cdktf calls a program of this product and version."""
    monkeypatch.setattr(terraform, "version", lambda program: version)
    provider._registry.cache_clear()


def _put(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def test_its_version_is_one_that_the_stacks_take_and_no_release() -> None:
    assert f">= {'.'.join(map(str, provider.OLDEST))}, < {'.'.join(map(str, provider.BEYOND))}" == PROVIDER
    numbers = tuple(map(int, provider.version().split(".")))
    assert provider.OLDEST <= numbers < provider.BEYOND
    assert re.fullmatch(r"20\d{6}", str(numbers[-1]))


def test_it_is_put_where_terraform_looks(home: Path) -> None:
    assert provider.main([]) == 0
    folder = home / ".terraform.d/plugins" / HOME / provider.version() / PLATFORM
    (program,) = folder.iterdir()
    assert program.name == f"terraform-provider-docker_v{provider.version()}"
    assert program.samefile(home / "built")  # no second copy
    assert program.stat().st_mode & 0o111
    assert provider.installed() == program
    assert provider.main(["--build"]) == 0
    assert list(folder.iterdir()) == [program]


def test_opentofu_finds_it_under_the_name_of_its_own_registry(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(terraform.VARIABLE, "tofu")
    provider.install()
    _called(monkeypatch, "OpenTofu 1.12.6")
    assert provider.installed() is None
    assert provider.main([]) == 0
    there = provider.installed()
    assert there is not None
    assert there.is_relative_to(home / ".terraform.d/plugins/registry.opentofu.org/kreuzwerker/docker")
    assert there.samefile(home / "built")


def test_another_file_system_gets_a_copy(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    assert provider.install().read_bytes() == b"program"
    assert provider.install().stat().st_mode & 0o111


@pytest.mark.parametrize(
    ("path", "fits"),
    [
        (f".terraform.d/plugins/{HOME}/3.6.2/{PLATFORM}/terraform-provider-docker_v3.6.2", True),
        (f"data/terraform/plugins/{HOME}/4.0.0/{PLATFORM}/terraform-provider-docker", True),
        (f"two/terraform/plugins/{HOME}/terraform-provider-docker_3.9.0_{PLATFORM}.zip", True),
        (f".terraform.d/plugins/{HOME}/3.5.0/{PLATFORM}/terraform-provider-docker_v3.5.0", False),
        (f".terraform.d/plugins/{HOME}/5.0.0/{PLATFORM}/terraform-provider-docker_v5.0.0", False),
        (f".terraform.d/plugins/{HOME}/4.0.0/plan9_mips/terraform-provider-docker_v4.0.0", False),
        (f"two/terraform/plugins/{HOME}/terraform-provider-docker_3.9.0_plan9_mips.zip", False),
        (f".terraform.d/plugins/registry.terraform.io/other/docker/4.0.0/{PLATFORM}/terraform-provider-docker", False),
    ],
)
def test_what_exists_already_counts_if_it_fits(home: Path, path: str, fits: bool) -> None:
    there = _put(home / path)
    assert provider.installed() == (there if fits else None)
    assert provider.main([]) == 0
    assert (home / ".terraform.d/plugins" / HOME / provider.version()).exists() != fits


def test_a_link_that_leads_nowhere_does_not_count(home: Path) -> None:
    link = home / ".terraform.d/plugins" / HOME / f"4.0.0/{PLATFORM}/terraform-provider-docker"
    link.parent.mkdir(parents=True)
    link.symlink_to(home / "gone")
    assert provider.installed() is None


def test_where_a_registry_answers_nothing_is_built_unless_by_word(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "registry_answers", lambda: True)
    assert provider.main([]) == 0
    assert provider.installed() is None
    assert provider.main(["--build"]) == 0
    assert provider.installed() is not None


@pytest.mark.parametrize(("status", "answers"), [(200, True), (403, False), (503, False), (None, False)])
def test_a_registry_answers_or_not(status: int | None, answers: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def get(url: str, timeout: float) -> requests.Response:
        if status is None:
            raise requests.ConnectionError
        response = requests.Response()
        response.status_code = status
        return response

    monkeypatch.setattr(requests, "get", get)
    assert provider.registry_answers() is answers


def test_a_folder_that_cannot_be_written_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / ".terraform.d").touch()
    assert provider.main([]) == 1
    error = capsys.readouterr().err
    assert f"cannot write {home / '.terraform.d/plugins'}" in error
    assert "Make the folder writable" in error
