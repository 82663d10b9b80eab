"""``python -m offline.images``: images from the packages, for sites that reach no registry.

Each has the name of the official image that it replaces. An existing official image is always kept, one of our own if
its label has the digest of its current sources.
"""

from __future__ import annotations

import argparse
import os
import sys
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from lakehouse import project
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.packages import is_present, location, set_up
from lakehouse.packages.cached import STAMP
from lakehouse.packages.catalogue import package
from lakehouse.packages.progress import BytesSeen, ProgressReport, report
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.docker.images import IMAGES
from offline import debian, go
from offline.recipes import RECIPES, Recipe, digest, in_order

LABEL = "lakehouse.digest"  # an image with it was built here; its value is the digest of its sources


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the images that the arguments name. Returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        keys = _asked(options.names) if options.names else _needed(options.file, everything=options.all)
        build(keys, DockerEngine(), pull=options.pull)
    except LakehouseError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; the finished images are kept", file=sys.stderr)
        return 130
    return 0


def build(keys: Iterable[str], engine: DockerEngine, *, pull: bool = False) -> None:
    """Build the missing images and their bases; with ``pull``, only those that cannot be pulled from a registry.

    Raises LakehouseError if Docker does not answer, a package cannot be fetched, or a build fails.
    """
    client = engine.client
    missing = [key for key in dict.fromkeys(keys) if _stale(key, RECIPES[key].reference, client)]
    if pull:
        missing = _not_pulled(missing, engine)
    recipes = [each for each in in_order(missing) if each.key in missing or _stale(each.key, each.reference, client)]
    set_up((name for recipe in recipes for name in recipe.packages), build=go.build)
    with report(quiet=False) as tell:
        if any(each.base == debian.KEY for each in recipes):
            base(engine, tell)
        for recipe in recipes:
            _build(recipe, client, tell)


def base(engine: DockerEngine, tell: ProgressReport) -> None:
    """Give Docker the system that images are built on, if it lacks it.

    Raises LakehouseError if it has to be made and cannot be.
    """
    if _stale(debian.KEY, debian.REFERENCE, engine.client):
        with tell.work(f"{debian.REFERENCE}, by debootstrap, once"):
            _import(debian.make(), engine.client)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m offline.images", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="an image [default: those that the files need]")
    parser.add_argument("--all", action="store_true", help="all images that can be built")
    parser.add_argument("--pull", action="store_true", help="build only those that cannot be pulled")
    parser.add_argument(
        "--file", type=Path, action="append", help="lakehouse.yaml [default: as for every command]; may be repeated"
    )
    return parser


def _asked(names: Iterable[str]) -> list[str]:
    for name in names:
        if name not in RECIPES:
            known = ", ".join(key for key in RECIPES if key in IMAGES)
            raise UsageError(f"image {name!r} cannot be built. Images that can: {known}")
    return list(names)


def _needed(files: Iterable[Path] | None, *, everything: bool) -> list[str]:
    """The images of the files' stacks, without those that cannot be built here, which are printed."""
    from lakehouse.kinds.needed import images
    from lakehouse.spec import load

    if everything:
        keys = [key for key in IMAGES if key in RECIPES]
    else:
        found = [project.file(each) for each in files] if files else [project.file()]
        keys = list(dict.fromkeys(key for file in found for key in images(load(file))))
    return [key for key in keys if _can_be_built(key)]


def _can_be_built(key: str) -> bool:
    if key not in RECIPES:
        print(f"{key}: cannot be built; a registry must have it", file=sys.stderr)
        return False
    for name in RECIPES[key].packages:
        if package(name).crate and not is_present(name):
            print(f"{key}: left out, its package is built by hand and is not in the cache", file=sys.stderr)
            return False
    return True


def _not_pulled(keys: Iterable[str], engine: DockerEngine) -> list[str]:
    from docker.errors import NotFound

    silent: set[str] = set()  # registries that did not answer, so that each is waited for only once
    left = []
    for key in keys:
        reference = RECIPES[key].reference
        host = reference.partition("/")[0]
        try:
            if host not in silent:
                engine.pull(reference)
                continue
        except LakehouseError as error:
            if not isinstance(error.__cause__, NotFound):
                silent.add(host)
        left.append(key)
    return left


def _stale(key: str, reference: str, client: Any) -> bool:
    """Whether the image is missing, or is our own from other sources."""
    from docker.errors import ImageNotFound

    try:
        labels = client.api.inspect_image(reference)["Config"]["Labels"] or {}
    except ImageNotFound:
        return True
    return bool(labels.get(LABEL, digest(key)) != digest(key))


def _import(archive: Path, client: Any) -> None:
    repository, _, tag = debian.REFERENCE.partition(":")
    answer = client.api.import_image(
        str(archive), repository=repository, tag=tag, changes=[f"LABEL {LABEL}={debian.digest()}"]
    )
    if _stale(debian.KEY, debian.REFERENCE, client):  # otherwise the builds would ask a registry for it
        raise LakehouseError(f"{archive} could not be imported as an image: {answer}")


def _build(recipe: Recipe, client: Any, tell: ProgressReport) -> None:
    from docker.errors import DockerException
    from requests import RequestException

    content = sorted(_content(recipe))
    size = sum(source.stat().st_size for _, source in content if source.is_file())
    former = _labelled(recipe.reference, client)
    words: list[str] = []
    failure = ""
    with tell.file(recipe.reference, size) as seen, _streamed(content, seen) as context:
        try:
            for answer in client.api.build(
                fileobj=context,
                custom_context=True,
                tag=recipe.reference,
                buildargs=dict(recipe.arguments),
                labels={LABEL: digest(recipe.key)},
                network_mode="host",  # for apt, because on some machines the bridge does not reach the network
                rm=True,
                forcerm=True,
                decode=True,
            ):
                words.append(str(answer.get("stream", "")))
                failure = str(answer.get("error", failure))
        except (DockerException, RequestException) as error:
            failure = str(error)
    if failure:
        raise LakehouseError(
            f"image {recipe.reference} could not be built from {recipe.files}: {failure}\n{''.join(words)[-2000:]}"
        )
    if former:
        _remove(former, client)


def _labelled(reference: str, client: Any) -> str:
    """The id of our own image that now has the name; empty if there is none."""
    from docker.errors import ImageNotFound

    try:
        found = client.api.inspect_image(reference)
    except ImageNotFound:
        return ""
    return str(found["Id"]) if LABEL in (found["Config"]["Labels"] or {}) else ""


def _remove(identity: str, client: Any) -> None:
    """Remove the former version of a rebuilt image, unless it has another name or is still used."""
    from docker.errors import APIError

    with suppress(APIError):
        if not client.api.inspect_image(identity)["RepoTags"]:
            client.api.remove_image(identity)


def _content(recipe: Recipe) -> Iterator[tuple[str, Path]]:
    """The inputs of the build: names in its context, and the files and folders for them."""
    for path in recipe.files.rglob("*"):
        yield str(path.relative_to(recipe.files)), path
    for name, target in recipe.packages.items():
        source = location(name)
        yield f"rootfs{target}", source
        if source.is_dir():
            for path in source.rglob("*"):
                if path.name != STAMP:
                    yield f"rootfs{target}/{path.relative_to(source)}", path


@contextmanager
def _streamed(content: Sequence[tuple[str, Path]], seen: BytesSeen) -> Iterator[IO[bytes]]:
    """The context as a tar that is written while it is read, so that a package of 500 MB is not copied."""
    read, write = os.pipe()

    def pour() -> None:
        sent = 0
        try:
            with os.fdopen(write, "wb") as pipe, tarfile.open(fileobj=pipe, mode="w|") as tar:
                for name, path in content:
                    tar.add(path, arcname=name, recursive=False, filter=_for_all)
                    sent += path.stat().st_size if path.is_file() else 0
                    seen(sent)
        except BrokenPipeError:
            return  # the build has failed and reports why

    with ThreadPoolExecutor(1) as pool:
        poured = pool.submit(pour)
        with os.fdopen(read, "rb") as context:
            yield context
        poured.result()


def _for_all(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """The entry with root as its owner, and readable by every user. Files in folders of programs are executable."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode |= 0o555 if entry.isdir() or "/bin/" in entry.name else 0o444
    return entry


if __name__ == "__main__":
    sys.exit(main())
