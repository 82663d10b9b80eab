"""Access to Docker: containers, images, networks and volumes. Their owners are in their labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.docker.containers import ID, STATE, Container
from lakehouse.runtimes.docker.engine_containers import DockerContainers
from lakehouse.runtimes.docker.engine_images import DockerImages
from lakehouse.runtimes.state import State


class DockerEngine(DockerContainers, DockerImages):
    """The Docker that DOCKER_HOST names, or this machine's. Every call asks Docker; nothing is cached."""

    def owner(self, kind: str, name: str) -> str | None:
        """The state folder of the lakehouse that has a container, volume or network of that name.

        Empty if no lakehouse created it, None if it does not exist.
        """
        from docker.errors import NotFound

        try:
            found: Any = getattr(self.client, f"{kind}s").get(name)
        except NotFound:
            return None
        attributes = found.attrs
        labels = attributes.get("Labels") or attributes.get("Config", {}).get("Labels") or {}
        return str(labels.get(STATE, ""))

    def id_of(self, volume: str) -> str:
        """The id of the lakehouse that created a volume; empty if an earlier version or something else created it."""
        from docker.errors import NotFound

        try:
            labels = self.client.volumes.get(volume).attrs.get("Labels") or {}
        except NotFound:
            return ""
        return str(labels.get(ID, ""))

    def networks(self, state: State) -> frozenset[str]:
        """The names of the stack's networks."""
        return frozenset(
            str(each.name) for each in self.client.networks.list(filters={"label": f"{STATE}={state.root}"})
        )

    def make_network(self, name: str, labels: Mapping[str, str]) -> None:
        """Create a network of this machine. Raises docker's APIError if the name is taken."""
        self.client.networks.create(name, driver="bridge", labels=dict(labels), check_duplicate=True)

    def remove_network(self, name: str) -> None:
        """Remove a network, if it is there. Raises LakehouseError with the names of containers that still use it."""
        from docker.errors import APIError, NotFound

        try:
            found = self.client.networks.get(name)
            found.remove()
        except NotFound:
            return
        except APIError as error:
            users = sorted(str(each["Name"]) for each in found.attrs["Containers"].values())
            if not users:
                raise
            raise LakehouseError(
                f"The network {name} cannot be removed, because it has containers of others: {', '.join(users)}. "
                f"Stop them, or `docker network disconnect {name} NAME`, then repeat the command."
            ) from error

    def make_volumes(self, containers: Sequence[Container], labels: Mapping[str, str]) -> None:
        """Create the missing volumes, and folders in them that belong to the containers' users.

        Raises LakehouseError if the folders cannot be created.
        """
        volumes = {each.volume.source: each for each in containers}
        folders = {f"/volumes/{name}/{folder}": each.user for name, each in volumes.items() for folder in each.folders}
        for name in volumes:
            if self.owner("volume", name) is None:
                self.client.volumes.create(name, labels=dict(labels))
        helper = self.client.containers.create(
            containers[0].image,
            entrypoint=["sh", "-c"],
            command=[" && ".join(f"mkdir -p {path} && chown {user} {path}" for path, user in folders.items())],
            user="0:0",
            network_mode="none",
            volumes={name: {"bind": f"/volumes/{name}", "mode": "rw"} for name in volumes},
        )
        try:
            helper.start()
            if helper.wait()["StatusCode"]:
                raise LakehouseError(f"Folders could not be created in the volumes: {helper.logs().decode()}")
        finally:
            helper.remove(v=True, force=True)  # with its anonymous volumes

    def volumes(self, state: State, owner: str = "") -> list[str]:
        """The names of the stack's volumes: those with the ``owner``'s id, and those of an earlier version."""
        found = {each.name: each for each in self.client.volumes.list(filters={"label": f"{STATE}={state.root}"})}
        if owner:
            found = {name: each for name, each in found.items() if (each.attrs["Labels"] or {}).get(ID, owner) == owner}
            found |= {each.name: each for each in self.client.volumes.list(filters={"label": f"{ID}={owner}"})}
        return sorted(found)

    def remove_below(self, folder: Path) -> None:
        """Remove what belongs to the lakehouses whose state folders are in the folder, with their data."""
        from docker.errors import NotFound

        def ours(each: Any) -> bool:
            labels = each.attrs.get("Labels") or each.attrs.get("Config", {}).get("Labels") or {}
            return Path(labels.get(STATE, "/")).is_relative_to(folder)

        marked: dict[str, str | list[str] | bool] = {"label": STATE}
        found = self.client.containers.list(all=True, filters=marked, ignore_removed=True)
        for container in filter(ours, found):
            with suppress(NotFound):
                container.remove(v=True, force=True)
        for network in filter(ours, self.client.networks.list(filters=marked)):
            with suppress(NotFound):
                network.remove()
        for volume in filter(ours, self.client.volumes.list(filters=marked)):
            with suppress(NotFound):
                volume.remove(force=True)
