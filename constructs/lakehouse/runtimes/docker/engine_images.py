"""The images of Docker: whether it has them, pulled, and what a command in one says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lakehouse import toolkit
from lakehouse.errors import LakehouseError
from lakehouse.runtimes.docker.connection import DockerConnection


class DockerImages(DockerConnection):
    """The images of a connection."""

    def has_image(self, reference: str) -> bool:
        return self.image(reference) != ""

    def image(self, reference: str) -> str:
        """The id of an image that Docker has; empty if it does not have it."""
        from docker.errors import ImageNotFound

        try:
            return str(self.client.images.get(reference).id)
        except ImageNotFound:
            return ""

    def pull(self, reference: str) -> None:
        """Pull an image. Raises LakehouseError if it cannot be pulled; the message explains how to build it instead."""
        from docker.errors import APIError

        def refused(why: object) -> LakehouseError:
            return LakehouseError(
                f"Image {reference} is missing here and cannot be pulled: {why}. "
                f"`{toolkit.command('images')}` builds it from the packages, without a registry."
            )

        repository, _, tag = reference.rpartition(":")
        try:
            for line in self.client.api.pull(repository, tag, stream=True, decode=True):
                if "error" in line:  # an error after the answer began: a layer that fails, a full disk
                    raise refused(line["error"])
        except APIError as error:
            raise refused(error.explanation or error) from error

    def images(self, references: Iterable[str]) -> dict[str, str]:
        """The ids of the images that Docker has, by their references."""
        ids = {each: self.image(each) for each in references}
        return {reference: found for reference, found in ids.items() if found}

    def output(self, reference: str, command: Sequence[str], labels: Mapping[str, str]) -> str:
        """The output of a command in a container of the image, which is removed."""
        said = self.client.containers.run(
            reference,
            entrypoint=[command[0]],
            command=list(command[1:]),
            network_mode="none",
            stderr=True,
            remove=True,
            labels=dict(labels),
        )
        return bytes(said).decode(errors="replace")
