"""Services as containers, created by Terraform's Docker provider.

https://registry.terraform.io/providers/kreuzwerker/docker/latest/docs/resources/container
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cdktf_cdktf_provider_docker import container, image, provider

from lakehouse import project
from lakehouse.cdk import Construct, TerraformResource, TerraformStack, forgotten, literal, local_exec, on_create
from lakehouse.runtimes.docker import archives, containers, network, supervised
from lakehouse.runtimes.docker.containers import (
    GATEWAY,
    INCARNATION,
    MACHINE,
    PROVIDER,
    RESTART,
    SERVICE,
    STATE,
    Container,
)
from lakehouse.runtimes.docker.incarnation import look
from lakehouse.runtimes.docker.known import former_networks, known_names
from lakehouse.runtimes.docker.runtime import Containers
from lakehouse.runtimes.generations import Planned
from lakehouse.runtimes.incarnation import Because, Incarnation, silent
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.process import incarnation as process
from lakehouse.runtimes.state import terraform_state
from lakehouse.runtimes.terraform import LocalRuntime, planned_for
from lakehouse.services.service import LOOPBACK, Service

_LOGS = {"max-size": "10m", "max-file": "3"}


class DockerRuntime(LocalRuntime):
    """Preflight, a network, images, then the containers in the order of their needs, and a supervisor with the
    services that have no image.

    Each resource is created before the one that it replaces is destroyed, so a preflight that fails stops nothing. If
    it passes, it removes the containers that will be created again, because the new ones use their names and ports.

    Terraform does not manage the volumes, because a ``destroy`` must not delete the data.
    """

    steps = "lakehouse.runtimes.docker"

    def __init__(
        self, scope: Construct, name: str, local: Local, because: Callable[[Planned], Because] = lambda _: silent
    ) -> None:
        assert isinstance(local.runtime, Containers)
        asked = local.runtime.containers
        terraform = terraform_state(Path(local.claim.owner.file), local.claim.owner.stack)
        known = known_names(terraform)
        planned = planned_for(local)
        inside, outside = [[each for each in local.everything if each.outside is apart] for apart in (False, True)]
        found = look(inside, asked, local.state, known, planned, because(planned))
        found |= process.look(outside, local.state, planned, because(planned))
        super().__init__(scope, name, local, found, planned)
        provider.DockerProvider(self, "docker")
        TerraformStack.of(self).add_override("terraform.required_providers.docker.version", PROVIDER)
        self._containers = asked
        self._preflight = local_exec(
            self,
            "preflight",
            trigger=self.everything,
            up=self._step("preflight"),
            made_first=True,
        )
        made = network.look(local.runtime.engine, local.state, asked[0].network)
        self._network = local_exec(
            self,
            network.NETWORK,
            trigger=str(made),
            up=self._step("network-up", "--start", made.start),
            down=self._step("network-down"),
            needs=[self._preflight],
            made_first=True,
        )
        forgotten(TerraformStack.of(self), former_networks(terraform))
        self._images: dict[str, image.Image] = {}
        for service, each in zip(inside, asked, strict=True):
            self.services[service.name] = (self._job if service.is_job else self._container)(service, each)
        # Terraform runs no step for a block that is gone, so a destroy has it for what still runs. A preflight stops
        # that by itself.
        if outside or (project.destroying() and supervised.left(local.state)):
            self._supervisor = self._supervise(process.look_supervisor(local.state))
        for service in outside:
            self.services[service.name] = self._process(service)

    def write(self, folder: Path) -> None:
        super().write(folder)
        containers.write(folder, self._containers)

    def _supervise(self, made: Incarnation) -> TerraformResource:
        return local_exec(
            self,
            "supervisor",
            trigger=str(made),
            up=self._step("supervisor-up", "--start", made.start),
            down=self._step("supervisor-down"),
            needs=[self._preflight],
            made_first=True,
        )

    def _process(self, service: Service) -> TerraformResource:
        return local_exec(
            self,
            service.name,
            trigger=str(self.incarnations[service.name]),
            up=self._step("up", service.name),
            down=self._step("down", service.name),
            needs=[self._supervisor, *(self.services[need] for need in service.needs)],
            made_first=True,
        )

    def _job(self, service: Service, asked: Container) -> TerraformResource:
        """A step that runs a container to its end and removes it. Terraform would create it again at each deploy."""
        return local_exec(
            self,
            service.name,
            trigger=str(self.incarnations[service.name]),
            up=self._step("job", service.name),
            needs=[self._network, *(self.services[need] for need in service.needs)],
            made_first=True,
        )

    def _container(self, service: Service, asked: Container) -> container.Container:
        needs: list[TerraformResource] = [self._network, *(self.services[need] for need in service.needs)]
        made = container.Container(
            self,
            asked.service,
            name=literal(asked.name),
            hostname=asked.service,
            image=self._image(asked.image).image_id,
            entrypoint=None if asked.entrypoint is None else [literal(word) for word in asked.entrypoint],
            command=[literal(word) for word in asked.command[1:]],
            user=asked.user,
            env=[
                *(literal(f"{key}={value}") for key, value in asked.environment),
                # By which it finds its class archive. As the image itself, it is known when that was pulled.
                *((f"{archives.IMAGE}={self._image(asked.image).image_id}",) if archives.name(service) else ()),
            ],
            working_dir=literal(asked.directory),
            mounts=[
                container.ContainerMounts(
                    type="bind" if "/" in each.source else "volume",
                    source=literal(each.source),
                    target=literal(each.target),
                    read_only=each.read_only,
                )
                for each in asked.mounts
            ],
            network_mode="bridge",
            networks_advanced=[
                container.ContainerNetworksAdvanced(name=literal(asked.network), aliases=[asked.service])
            ],
            ports=[
                container.ContainerPorts(internal=internal, external=external, ip=LOOPBACK)
                for internal, external in asked.ports
            ],
            host=[container.ContainerHost(host=MACHINE, ip=GATEWAY)] if asked.calls_outside else None,
            memory=asked.memory_mb,
            memory_swap=asked.memory_mb,  # memory and swap together, so no swap
            restart=RESTART,
            log_driver="json-file",
            log_opts=_LOGS,
            security_opts=["no-new-privileges:true"],
            healthcheck=container.ContainerHealthcheck(
                test=[literal(word) for word in asked.health.test],
                interval=_duration(asked.health.interval),
                timeout=_duration(asked.health.timeout),
                retries=asked.health.retries,
                start_period=_duration(asked.health.start_period),
            ),
            stop_timeout=asked.stop_seconds,
            destroy_grace_seconds=asked.stop_seconds,
            # The provider's own wait does not notice a container that has ended, and shows no log.
            provisioners=[on_create(self._step("ready", asked.service))],
            # A changed label makes a new container; only a changed health check would not (the provider's issue 988).
            labels=[
                container.ContainerLabels(label=label, value=literal(value))
                for label, value in (
                    (STATE, str(self.local.state.root)),
                    (SERVICE, asked.service),
                    (INCARNATION, str(self.incarnations[asked.service])),
                )
            ],
            depends_on=needs,
        )
        made.add_override("lifecycle.create_before_destroy", True)
        return made

    def _image(self, reference: str) -> image.Image:
        """One resource per image. The image stays on the machine if the stack is destroyed."""
        if reference not in self._images:
            repository, _, tag = reference.rpartition("/")[2].partition(":")
            # Services may need two releases of one image: the first has the name that it has in others' states.
            name = f"image-{repository}"
            if self.node.try_find_child(name) is not None:
                name = f"{name}-{tag}"
            self._images[reference] = image.Image(
                self, name, name=reference, keep_locally=True, depends_on=[self._preflight]
            )
        return self._images[reference]


def _duration(seconds: int) -> str:
    """The duration as Docker writes it, because another spelling would count as a change."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
