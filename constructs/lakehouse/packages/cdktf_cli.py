"""``python -m lakehouse.packages.cdktf_cli``: installs cdktf-cli, as package-lock.json pins it.

Only ``cdktf`` needs it: ``lakehouse deploy`` runs the app and Terraform itself. A checkout has it in ``node_modules``;
an installed toolkit has it in the user's cache folder, because its own folder may belong to another user. npm checks
each package's SHA-512, which the lock carries.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lakehouse import toolkit
from lakehouse.errors import LakehouseError
from lakehouse.packages import cached, uses
from lakehouse.packages.download import disk_error

OLDEST_NODE = 20
_PINS = ("package.json", "package-lock.json", ".npmrc")
_SCRATCH = ".installing-"  # the beginning of a temporary folder's name
_SCRIPT = Path("node_modules", "cdktf-cli", "bundle", "bin", "cdktf.js")


def script() -> Path:
    """The program, which Node runs, whether it exists or not."""
    return _folder() / _SCRIPT


def set_up() -> None:
    """Install it if it is missing.

    Raises LakehouseError if there is no Node that fits, if npm cannot install it, or if the folder cannot be written.
    """
    target = _folder()
    if (target / _SCRIPT).is_file():
        if toolkit.is_installed():  # a checkout's folder is the user's, not one of the cache
            uses.note(target)
        return
    try:
        if toolkit.is_installed():
            _set_up(target)
        else:
            _set_up_checkout(target)
    except OSError as error:
        raise disk_error(error, Path(error.filename or target)) from error


def remove_former() -> list[Path]:
    """Remove from the cache what other pins installed and nobody used for 30 days. Returns the folders."""
    return uses.remove_former(_cache(), "[0-9a-f]*", {_pins()})


def _set_up(target: Path) -> None:
    """Install it into a folder of the cache, which appears whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two simultaneous installations would do the same work twice
        if (target / _SCRIPT).is_file():
            return
        for left in target.parent.glob(f"{_SCRATCH}*"):  # by an installation that was killed
            shutil.rmtree(left, ignore_errors=True)
        print("installing cdktf-cli, once", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=_SCRATCH) as scratch:
            draft = Path(scratch) / target.name
            draft.mkdir()
            for name in _PINS:
                shutil.copy(toolkit.root() / name, draft)
            _install(draft)
            shutil.rmtree(target, ignore_errors=True)
            draft.rename(target)


def _set_up_checkout(target: Path) -> None:
    with (Path(sys.prefix) / "cdktf-cli.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two simultaneous installations would write the same files
        if not (target / _SCRIPT).is_file():
            print("installing cdktf-cli, once", file=sys.stderr, flush=True)
            _install(target)


def _folder() -> Path:
    """The folder of its ``node_modules``. Other pins have another one in the cache."""
    if not toolkit.is_installed():
        return toolkit.root()
    return _cache() / _pins()


def _cache() -> Path:
    return cached.root() / "cdktf-cli"


def _pins() -> str:
    return hashlib.sha256(b"".join((toolkit.root() / name).read_bytes() for name in _PINS)).hexdigest()[:12]


def _install(folder: Path) -> None:
    """Install what the lock in ``folder`` names into its ``node_modules``."""
    node, npm = _node_and_npm()
    command = [str(node), str(npm), "ci", "--prefer-offline", "--loglevel=error", "--no-progress"]
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path}, stdout=2, check=False)
    if done.returncode or not (folder / _SCRIPT).is_file():  # npm may exit with 0 without a network
        raise LakehouseError(
            "npm could not install cdktf-cli. Check the network and npm's configuration, then run this again."
        )


def _node_and_npm() -> tuple[Path, Path]:
    """Node and its npm, both from the locked wheel; without a wheel for this platform both from the system."""
    if wheel := toolkit.node_wheel():
        return wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm or _version(node) < OLDEST_NODE:
        raise LakehouseError(
            f"There is no Node wheel for this platform, and no node {OLDEST_NODE} or newer with npm on PATH. "
            "Install both."
        )
    return Path(node), Path(npm).resolve()


def _version(node: str) -> int:
    done = subprocess.run([node, "-p", "process.versions.node"], capture_output=True, text=True, check=False)
    first = done.stdout.partition(".")[0]
    return int(first) if first.isdigit() else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Of a checkout: install it if it is missing.

    ``again``: in any case, because the pins may have changed; ``commands``: only link Node and the command ``cdktf``
    into the venv.
    """
    words = sys.argv[1:] if arguments is None else arguments
    try:
        if "commands" in words:
            _commands()
        elif "again" in words:
            _install(toolkit.root())
        else:
            set_up()
    except LakehouseError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _commands() -> None:
    commands = Path(sys.prefix) / "bin"
    _link(_node_and_npm()[0], commands / "node")
    for name in ("cdktf.cjs", "cdktf"):
        shutil.copy(toolkit.root() / "bin" / name, commands / name)
    (commands / "cdktf").chmod(0o755)


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    target.symlink_to(source)


if __name__ == "__main__":
    sys.exit(main())
