"""``python -m lakehouse.packages.locked CATEGORY``: installs the packages of Pipfile.lock into this venv.

uv does it, because it takes a quarter of pip's processor time, and downloads them side by side. It does not read all of
pip's configuration, so where it fails, pip installs them. Both check each file's SHA-256, which the lock carries.

It runs before any package is installed but pip and uv.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lakehouse import toolkit
from lakehouse.errors import LakehouseError
from lakehouse.packages import pip_config

_EXACTLY = ("--require-hashes", "--no-deps", "--quiet")  # what the lock names, and nothing else
_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")  # variables that pip reads, and uv does not
_PLACES = {  # options of pip, and uv's variables for them, with what separates several values
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
}


def requirements(category: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A category of Pipfile.lock as lines of a requirements file.

    Raises LakehouseError if it has something without a version or a checksum, such as a repository of Git.
    """
    for name, entry in sorted(category.items()):
        if lacking := [key for key in ("version", "hashes") if not entry.get(key)]:
            raise LakehouseError(
                f"Pipfile.lock: {name} has no {' and no '.join(lacking)}. Only releases in an index of packages are "
                "installed, each with its checksum. Name a release of it in Pipfile, then run `pipenv lock`."
            )
        extras = f"[{','.join(entry['extras'])}]" if "extras" in entry else ""
        marker = f" ; {entry['markers']}" if "markers" in entry else ""
        yield " ".join((f"{name}{extras}{entry['version']}{marker}", *(f"--hash={each}" for each in entry["hashes"])))


def install(lock: Path, category: str) -> int:
    """Install a category of the lock. Returns the exit code of uv, or of pip where uv fails."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text("\n".join(requirements(json.loads(lock.read_text())[category])) + "\n")
        what = (*_EXACTLY, "-r", str(file))
        nowhere = ("--no-index",) if _is_set("no-index") else ()
        if (code := _run("uv", "pip", "install", *nowhere, "--python", sys.executable, *what)) > 0:
            print("uv could not install them, pip does", file=sys.stderr, flush=True)
            code = _run("pip", "install", "--no-compile", *what)
        return code


def _places() -> dict[str, str]:
    """Where pip looks, as uv's variables. What is in the environment, such as proxies, both read.

    These are no arguments, which every user of the machine can read: an address may have a password.
    """
    found = {name: pip_config.option(name, "install").split() for name in _PLACES}
    return {_PLACES[name][0]: _PLACES[name][1].join(values) for name, values in found.items() if values}


def _is_set(name: str) -> bool:
    return pip_config.option(name, "install").lower() in ("1", "true", "yes", "on")


def _run(module: str, *words: str) -> int:
    """Run the module of Python with that name. Its exit code is negative if a signal ended it."""
    environment = {**_places(), **os.environ}
    known = (pip_config.option("cert", "install"), *map(os.environ.get, _CERTIFICATES))
    if certificates := next(filter(None, known), None):
        environment.setdefault("SSL_CERT_FILE", certificates)
    return subprocess.run([sys.executable, "-m", module, *words], env=environment, check=False).returncode


def main(arguments: Sequence[str] | None = None) -> int:
    (category,) = sys.argv[1:] if arguments is None else arguments
    try:
        return abs(install(toolkit.root() / "Pipfile.lock", category))
    except LakehouseError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
