"""The base of the images built here: a minimal Debian system, made with debootstrap. See debootstrap(8)."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.packages import cached

KEY = "debian"
SUITE = "bookworm"
REFERENCE = f"lakehouse/debian:{SUITE}"
# What the official images contain for their health checks, their entry points and their scripts.
_INCLUDED = ("ca-certificates", "curl", "dumb-init", "procps", "tini")
# Documentation of packages, and files that apt can fetch again.
_LEFT_OUT = (
    "usr/share/doc",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/man",
    "var/cache",
    "var/lib/apt/lists",
    "var/log",
)
_KEPT = (
    *("var/cache/apt/archives/partial", "var/lib/apt/lists/partial", "var/log/apt"),
    *("usr/share/man/man1", "usr/share/man/man7"),  # some packages link a manual page when they are installed
)
_NO_DOCUMENTATION = "".join(f"path-exclude=/{folder}/*\n" for folder in _LEFT_OUT if folder.startswith("usr/"))
# apt keeps neither the packages it has installed nor its index, which would be in every image.
_NO_CACHE = 'APT::Keep-Downloaded-Packages "false";\nDir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n'


def digest() -> str:
    """A digest of the parts of the system."""
    parts = (SUITE, *_INCLUDED, *_LEFT_OUT, *_KEPT, _NO_DOCUMENTATION, _NO_CACHE)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def archive() -> Path:
    """The path of the system's tar."""
    return cached.root() / "images" / f"debian-{SUITE}-{digest()[:12]}.tar"


def make() -> Path:
    """Make the system's tar, unless it exists.

    Raises LakehouseError if debootstrap is missing, fails, or is not run by root.
    """
    target = archive()
    if target.is_file():
        return target
    program = shutil.which("debootstrap", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise LakehouseError(
            "images are built on Debian, which debootstrap fetches, but it is not on PATH. Install it "
            "(`apt-get install debootstrap`; Fedora and Arch have it too), and run again."
        )
    if os.geteuid() != 0:
        raise LakehouseError(
            "the base of the images is missing, and only root can make it with debootstrap. Run "
            "`sudo make images` once. Then Docker has it, and root is no longer needed."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".debian-") as scratch:
        root = Path(scratch) / "root"
        command = [program, "--variant=minbase", f"--include={','.join(_INCLUDED)}", SUITE, str(root)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LakehouseError(f"debootstrap failed. The end of its output:\n{(done.stdout + done.stderr)[-2000:]}")
        _trim(root)
        draft = Path(scratch) / target.name
        with tarfile.open(draft, "w") as tar:
            tar.add(root, arcname=".")
        draft.replace(target)
    return target


def _trim(root: Path) -> None:
    for folder in _LEFT_OUT:
        shutil.rmtree(root / folder, ignore_errors=True)
    for folder in _KEPT:
        (root / folder).mkdir(parents=True)
    (root / "etc/dpkg/dpkg.cfg.d/no-documentation").write_text(_NO_DOCUMENTATION)
    (root / "etc/apt/apt.conf.d/no-cache").write_text(_NO_CACHE)
    (root / "etc/resolv.conf").write_text("")  # the machine's, which debootstrap copies; Docker mounts its own
