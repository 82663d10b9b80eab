"""The Java for each service: the system's if one fits, otherwise the one from a package.

A Java fits if it has exactly the feature version, because newer ones are not a superset (Hadoop's login breaks with
24), and all modules that our services load, because distributions cut their JREs differently.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from lakehouse import toolkit
from lakehouse.errors import LakehouseError
from lakehouse.packages import cached, catalogue

# The modules that Spark, Nessie, Trino and S3Proxy load; jdk.attach because Trino measures its objects with an agent.
MODULES = frozenset(
    {
        "java.base",
        "java.compiler",
        "java.desktop",
        "java.instrument",
        "java.logging",
        "java.management",
        "java.naming",
        "java.net.http",
        "java.rmi",
        "java.scripting",
        "java.security.jgss",
        "java.security.sasl",
        "java.sql",
        "java.xml",
        "jdk.attach",
        "jdk.crypto.ec",
        "jdk.httpserver",
        "jdk.management",
        "jdk.net",
        "jdk.security.auth",
        "jdk.unsupported",
        "jdk.zipfs",
    }
)
# Spark gives its executors --add-modules with this one; a Java without it then does not start.
VECTOR = "jdk.incubator.vector"
_SYSTEM = ("/usr/lib/jvm", "/usr/java", "/opt/java", "/Library/Java/JavaVirtualMachines")


def java(feature: int) -> Path:
    """The ``java`` executable of that feature version, e.g. 17.

    The result is kept in the cache, so that a call reads one file and starts no Java.

    Raises LakehouseError if this machine has none that fits and the package was not fetched.
    """
    found = remembered(feature) or packaged(feature)
    if found is None:
        found = find(feature)
        if found is None:
            raise absent(feature)
        remember(feature, found)
    return found


def absent(feature: int) -> LakehouseError:
    """That this machine has no Java of that feature version that fits, with the fix."""
    here = f"Java {feature}: none that fits in JAVA_HOME, on PATH or under {_SYSTEM[0]}"
    if is_package(feature):
        fix = (
            f"the package java-{feature} is not in {cached.root()}. Run `{toolkit.command('setup')}`, which fetches it"
        )
    else:
        fix = f"no package has it. Install it with all its modules, such as Debian's openjdk-{feature}-jre-headless"
    return LakehouseError(f"{here}, and {fix}.")


def is_package(feature: int) -> bool:
    """Whether a package of the catalogue is a Java of that feature version."""
    return any(package.java == feature for package in catalogue.PACKAGES)


def packaged(feature: int) -> Path | None:
    """The Java that comes as a package, if it was fetched."""
    if not is_package(feature):
        return None
    executable = cached.location(f"java-{feature}") / "bin" / "java"
    return executable if executable.is_file() and cached.is_present(f"java-{feature}") else None


def find(feature: int, homes: Iterable[Path] | None = None) -> Path | None:
    """The first Java that fits among the Java homes, by default those that this system has."""
    seen = set()
    for home in _homes() if homes is None else homes:
        executable = Path(os.path.realpath(home / "bin" / "java"))
        if executable in seen or not os.access(executable, os.X_OK):
            continue
        seen.add(executable)
        if _declares_another(executable.parent.parent, feature):
            continue
        version, modules = _describe(executable)
        if version == feature and modules >= MODULES | ({VECTOR} if feature < 24 else set()):
            return executable
    return None


def remember(feature: int, executable: Path) -> None:
    """Record the result in the cache; a record that cannot be written only costs time at the next call."""
    notes = _notes() | {str(feature): (str(executable), executable.stat().st_mtime_ns)}
    path = cached.root() / "java.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(notes))
        draft.replace(path)
    except OSError:
        return


def remembered(feature: int) -> Path | None:
    """The recorded result, if the same executable still exists."""
    path, mtime = _notes().get(str(feature), ("", 0))
    try:
        return Path(path) if path and Path(path).stat().st_mtime_ns == mtime else None
    except OSError:
        return None


def _notes() -> dict[str, tuple[str, int]]:
    """The content of the cache's file; empty if it is missing or not ours."""
    try:
        notes = json.loads((cached.root() / "java.json").read_text())
        return {feature: (str(path), int(mtime)) for feature, (path, mtime) in notes.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _homes() -> Iterator[Path]:
    if os.environ.get("JAVA_HOME"):
        yield Path(os.environ["JAVA_HOME"])
    if on_path := shutil.which("java"):
        yield Path(os.path.realpath(on_path)).parent.parent
    for base in map(Path, _SYSTEM):
        if base.is_dir():
            yield from (home for entry in sorted(base.iterdir()) for home in (entry, entry / "Contents" / "Home"))


def _declares_another(home: Path, feature: int) -> bool:
    """Whether the home's ``release`` file names another version, which makes starting it unnecessary."""
    try:
        declared = re.search(r'^JAVA_VERSION="(\d+)', (home / "release").read_text(), re.MULTILINE)
    except OSError:
        return False
    return declared is not None and int(declared[1]) != feature


def _describe(executable: Path) -> tuple[int, frozenset[str]]:
    """The feature version and the modules of a Java; 0 and an empty set if it does not answer."""
    try:
        done = subprocess.run(
            [executable, "--list-modules"], capture_output=True, text=True, timeout=30, check=True, env={}
        )
    except (OSError, subprocess.SubprocessError):
        return 0, frozenset()
    modules = dict(line.strip().partition("@")[::2] for line in done.stdout.splitlines() if line.strip())
    version = re.match(r"\d+", modules.get("java.base", ""))
    return (int(version[0]) if version else 0), frozenset(modules)
