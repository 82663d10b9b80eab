"""`make images`: what is built, what is left alone, and what the build gets. Docker is a double."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import pytest
from docker.errors import APIError, ImageNotFound, NotFound

from lakehouse.errors import LakehouseError
from lakehouse.packages import cached, catalogue
from lakehouse.runtimes.docker import engine
from offline import debian, recipes
from offline import images as build
from offline.images import LABEL, main
from offline.recipes import RECIPES, digest

S3PROXY, JAVA, TRINO = "s3proxy-4.1.0", "java-25", "trino-476"


class Docker:
    """The part of the client that the builder uses: `api`, which is this object too, and `images`."""

    def __init__(self) -> None:
        self.labels: dict[str, dict[str, str] | None] = {}
        self.built: dict[str, dict[str, tarfile.TarInfo]] = {}
        self.arguments: dict[str, Mapping[str, str]] = {}
        self.removed: list[str] = []
        self.other_names: list[str] = []
        self.asked: list[str] = []
        self.registry: dict[str, Exception | None] = {}
        self.answers: list[dict[str, str]] = [{"stream": "Step 1\n"}, {"stream": "Successfully built\n"}]
        self.api = self.images = self

    def ping(self) -> bool:
        return True

    def inspect_image(self, reference: str) -> dict[str, Any]:
        if reference.startswith("sha256:"):
            return {"RepoTags": self.other_names}
        if reference not in self.labels:
            raise ImageNotFound(reference)
        return {"Id": f"sha256:{reference}", "Config": {"Labels": self.labels[reference]}}

    def import_image(self, path: str, repository: str, tag: str, changes: list[str]) -> None:
        key, _, value = changes[0].removeprefix("LABEL ").partition("=")
        self.labels[f"{repository}:{tag}"] = {key: value}

    def build(
        self, fileobj: IO[bytes], tag: str, buildargs: Mapping[str, str], labels: dict[str, str], **_: object
    ) -> Iterator[dict[str, str]]:
        with tarfile.open(fileobj=fileobj, mode="r|") as context:
            self.built[tag] = {entry.name: entry for entry in context}
        self.arguments[tag] = buildargs
        self.labels[tag] = labels
        yield from self.answers

    def remove_image(self, identity: str) -> None:
        self.removed.append(identity)
        raise APIError("a container uses it")

    def pull(self, repository: str, tag: str, **_: object) -> list[dict[str, str]]:
        reference = f"{repository}:{tag}"
        self.asked.append(reference)
        failure = self.registry.get(reference, APIError("no such host"))
        if failure is not None:
            raise failure
        self.labels[reference] = None
        return [{"status": "Downloaded newer image"}]

    def has(self, key: str, label: str | None = None) -> None:
        self.labels[RECIPES[key].reference] = {LABEL: label or digest(key)}


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    """Docker without any image, an existing Debian, a package that is a file and one that is a tree."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("NO_COLOR", "1")
    double = Docker()
    monkeypatch.setattr(engine.DockerEngine, "client", double)
    debian.archive().parent.mkdir(parents=True)
    debian.archive().touch()
    for name in (S3PROXY, JAVA):
        cached.folder(name).mkdir(parents=True)
        (cached.folder(name) / cached.STAMP).write_text(catalogue.package(name).digest)
    with cached.location(S3PROXY).open("wb") as jar:  # with its size it is whole, and nothing is fetched
        jar.truncate(catalogue.package(S3PROXY).artifacts[0].size)
    java = cached.location(JAVA) / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\n")
    java.chmod(0o600)
    return double


def test_an_image_is_built_after_its_base(docker: Docker) -> None:
    assert main([S3PROXY]) == 0
    assert list(docker.built) == ["lakehouse/java:25", RECIPES[S3PROXY].reference]
    assert docker.arguments[RECIPES[S3PROXY].reference] == {"JAVA": "25"}
    assert docker.labels["lakehouse/debian:bookworm"] == {LABEL: debian.digest()}
    assert docker.labels[RECIPES[S3PROXY].reference] == {LABEL: digest(S3PROXY)}


def test_the_build_is_given_the_files_and_the_packages(docker: Docker) -> None:
    main([S3PROXY])
    image, java = docker.built[RECIPES[S3PROXY].reference], docker.built["lakehouse/java:25"]
    assert {"Dockerfile", "run-docker-container.sh", "rootfs/opt/s3proxy/s3proxy"} == set(image)
    assert image["run-docker-container.sh"].mode & 0o111
    assert {"Dockerfile", "rootfs/opt/java/openjdk", "rootfs/opt/java/openjdk/bin/java"} < set(java)
    assert not any(cached.STAMP in name for name in java)
    assert java["rootfs/opt/java/openjdk/bin/java"].mode == 0o755
    assert {(entry.uid, entry.gid, entry.uname) for entry in (*image.values(), *java.values())} == {(0, 0, "")}


def test_what_is_here_is_left_alone(docker: Docker, capsys: pytest.CaptureFixture[str]) -> None:
    docker.has(S3PROXY)
    assert main([S3PROXY]) == 0
    assert not docker.built
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("labels", [None, {}, {"maintainer": "somebody"}])
def test_the_official_image_is_left_alone(docker: Docker, labels: dict[str, str] | None) -> None:
    docker.labels[RECIPES[S3PROXY].reference] = labels
    assert main([S3PROXY]) == 0
    assert not docker.built


@pytest.mark.parametrize("other", [[], ["somebody/kept:it"]])
def test_one_of_another_making_is_built_again_and_its_former_self_removed(docker: Docker, other: list[str]) -> None:
    docker.other_names = other
    docker.has(S3PROXY, "of yesterday")
    docker.has(JAVA)
    assert main([S3PROXY]) == 0
    assert list(docker.built) == [RECIPES[S3PROXY].reference]
    assert docker.removed == ([] if other else [f"sha256:{RECIPES[S3PROXY].reference}"])


def test_a_failed_build_says_what_docker_said(docker: Docker, capsys: pytest.CaptureFixture[str]) -> None:
    docker.has(JAVA)
    docker.answers = [{"stream": "Step 3/9: RUN false\n"}, {"error": "returned a non-zero code: 1"}]
    assert main([S3PROXY]) == 1
    error = capsys.readouterr().err
    assert "andrewgaul/s3proxy:4.1.0 could not be built from" in error
    assert "non-zero code: 1\nStep 3/9: RUN false" in error
    assert "Traceback" not in error


def test_an_unknown_name_is_refused_with_those_that_can_be_built(
    docker: Docker, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["aistor-2026-06-06"]) == 2
    assert "cannot be built. Images that can: trino-476, " in capsys.readouterr().err


def test_what_a_registry_gives_is_not_built(docker: Docker) -> None:
    docker.registry = {RECIPES[S3PROXY].reference: None}
    assert main(["--pull", S3PROXY]) == 0
    assert docker.asked == [RECIPES[S3PROXY].reference]
    assert not docker.built


def test_a_silent_registry_is_asked_once(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_build", lambda recipe, *_: docker.built.update({recipe.key: {}}))
    monkeypatch.setattr(build, "set_up", lambda names, build: None)
    assert main(["--pull", S3PROXY, TRINO, "nessie-0.99.0"]) == 0
    assert [reference.partition("/")[0] for reference in docker.asked] == ["docker.io", "ghcr.io"]
    assert {S3PROXY, TRINO, "nessie-0.99.0"} < set(docker.built)


def test_a_registry_that_lacks_one_image_is_asked_for_the_next(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_build", lambda recipe, *_: docker.built.update({recipe.key: {}}))
    monkeypatch.setattr(build, "set_up", lambda names, build: None)
    docker.registry = {RECIPES[S3PROXY].reference: NotFound("manifest unknown"), RECIPES[TRINO].reference: None}
    assert main(["--pull", S3PROXY, TRINO]) == 0
    assert set(docker.built) == {JAVA, S3PROXY}


def test_a_file_asks_for_the_images_of_its_stacks(
    docker: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(build, "build", lambda keys, engine, pull: seen.extend(keys))
    root = recipes.FOLDER.parent
    file = tmp_path / "lakehouse.yaml"
    text = (root / "lakehouse.yaml").read_text()
    assert "runtime: process, store: s3proxy" in text
    file.write_text(text.replace("runtime: process, store: s3proxy", "runtime: docker, store: rustfs"))
    assert main(["--file", str(root / "lakehouse.yaml"), "--file", str(file)]) == 0
    assert seen == ["s3proxy-4.1.0", "nessie-0.99.0", "spark-4.1", "trino-476"]
    assert "rustfs-1.0.1: left out, its package is built by hand" in capsys.readouterr().err


def test_debian_is_made_only_by_root(
    docker: Docker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _debootstrap(tmp_path, monkeypatch, "exit 0")
    debian.archive().unlink()
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert main([S3PROXY]) == 1
    assert "Run `sudo make images` once" in capsys.readouterr().err


def test_debian_without_debootstrap(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    debian.archive().unlink()
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(LakehouseError, match=r"debootstrap.*apt-get install debootstrap"):
        debian.make()


def test_debian_is_trimmed_and_kept(docker: Docker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    _debootstrap(
        tmp_path,
        monkeypatch,
        f"echo call >> '{calls}'",
        "eval root=\\${$#}",
        'mkdir -p "$root/usr/share/doc/bash" "$root/etc/dpkg/dpkg.cfg.d" "$root/etc/apt/apt.conf.d" "$root/bin"',
        'echo nameserver 10.0.0.1 > "$root/etc/resolv.conf"; echo > "$root/bin/bash"',
    )
    debian.archive().unlink()
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert debian.make() == debian.make() == debian.archive()
    assert calls.read_text() == "call\n"
    with tarfile.open(debian.archive()) as tar:
        names = tar.getnames()
        resolver = tar.extractfile("./etc/resolv.conf")
        assert resolver is not None
        assert resolver.read() == b""
    assert {"./bin/bash", "./var/lib/apt/lists/partial"} < set(names)
    assert not any("usr/share/doc" in name for name in names)
    assert [path.name for path in debian.archive().parent.iterdir()] == [debian.archive().name]


def test_a_failed_debootstrap_says_why(docker: Docker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _debootstrap(tmp_path, monkeypatch, "echo 'E: no mirror'; exit 1")
    debian.archive().unlink()
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(LakehouseError, match=r"debootstrap failed. The end of its output:\nE: no mirror"):
        debian.make()
    assert list(debian.archive().parent.iterdir()) == []


def _debootstrap(folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    program = folder / "bin" / "debootstrap"
    program.parent.mkdir()
    program.write_text("\n".join(("#!/bin/sh", "root=", *lines)) + "\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
