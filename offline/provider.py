"""``python -m offline.provider``: Terraform's Docker provider for sites that reach no Terraform registry.

Before Terraform asks a registry, it searches some folders of this machine
(https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories). If neither they nor
the registry have the provider, it is built from its Go module and put into one of the folders. OpenTofu searches the
same folders, under the name of its own registry.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import requests

from lakehouse.errors import LakehouseError
from lakehouse.packages import terraform
from lakehouse.packages.package import this_platform
from lakehouse.packages.programs import MODULES
from offline import go

SOURCE = "kreuzwerker/docker"
OLDEST, BEYOND = (3, 6), (5,)  # the versions that the stacks accept: from the first, below the second

_PROGRAM = "terraform-provider-docker"
# The default hosts of provider addresses, by product.
_REGISTRIES = {"Terraform": "registry.terraform.io", "OpenTofu": "registry.opentofu.org"}
_RELEASE = "4.6"  # the last one before the commit that go.mod pins; the commit's day is used as the patch level
_PATIENCE = 5  # seconds within which a reachable registry answers
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Build and install the provider if it is needed. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m offline.provider", description=__doc__)
    parser.add_argument("--build", action="store_true", help="build it even if a registry or a folder has one")
    options = parser.parse_args(arguments)
    try:
        if options.build or (not installed() and not registry_answers()):
            print(f"{SOURCE} {version()} is in {install()}", file=sys.stderr)
    except LakehouseError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; Go keeps what it has compiled for the next run", file=sys.stderr)
        return 130
    return 0


def version() -> str:
    """The version of the build. Its patch level is one that no release of the provider has."""
    pins = (MODULES / _PROGRAM / "go.mod").read_text()
    found = re.search(r"=> \S+ v[\d.]+-(\d{8})\d{6}-[0-9a-f]{12}$", pins, re.MULTILINE)
    if found is None:
        raise LakehouseError(f"{MODULES / _PROGRAM / 'go.mod'}: no replacement by a commit")
    return f"{_RELEASE}.{found[1]}"


def installed() -> Path | None:
    """The provider in one of Terraform's folders, of a version that the stacks accept."""
    for folder in _mirrors():
        home = folder / _registry() / SOURCE
        unpacked = home.glob(f"*/{_platform()}/{_PROGRAM}*")
        packed = home.glob(f"{_PROGRAM}_*_{_platform()}.zip")
        for path, text in (*((each, each.parts[-3]) for each in unpacked), *((each, each.name) for each in packed)):
            numbers = tuple(int(part) for part in re.findall(r"\d+", text)[:3])
            if OLDEST <= numbers < BEYOND and path.exists():  # a link may be broken
                return path
    return None


def registry_answers() -> bool:
    """Whether Terraform could fetch the provider itself."""
    try:
        answer = requests.get(f"https://{_registry()}/v1/providers/{SOURCE}/versions", timeout=_PATIENCE)
    except requests.RequestException:
        return False
    return answer.ok


def install() -> Path:
    """Build the provider and put it into the user's folder, unless it is there.

    Raises LakehouseError if it cannot be built, or if the folder cannot be written.
    """
    built = go.build(_PROGRAM)
    home = next(_mirrors()) / _registry() / SOURCE
    target = home / version() / _platform() / f"{_PROGRAM}_v{version()}"
    try:
        if target.exists() and target.samefile(built):
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{os.getpid()}")
        try:
            os.link(built, draft)  # it stays if the cache is emptied
        except OSError:  # another file system
            draft.write_bytes(built.read_bytes())
            draft.chmod(0o755)
        draft.replace(target)
    except OSError as error:
        raise LakehouseError(
            f"cannot write {target}: {error.strerror or error}. Make the folder writable, or let Terraform reach "
            f"{_registry()}."
        ) from error
    return target


@cache
def _registry() -> str:
    """The registry of the program that cdktf calls."""
    program = terraform.find(os.environ)
    product = (terraform.version(program) or "").partition(" ")[0] if program else ""
    return _REGISTRIES.get(product, _REGISTRIES["Terraform"])


def _mirrors() -> Iterator[Path]:
    """Terraform's folders, the user's own first."""
    yield Path.home() / ".terraform.d" / "plugins"
    share = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    folders = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    yield from (Path(folder) / "terraform" / "plugins" for folder in (share, *folders.split(":")))


def _platform() -> str:
    """The platform as Terraform spells it, e.g. linux_amd64."""
    system, _, machine = this_platform().partition("-")
    return f"{system}_{_ARCHITECTURES.get(machine, machine)}"


if __name__ == "__main__":
    sys.exit(main())
