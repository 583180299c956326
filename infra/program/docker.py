"""Declares a PostgreSQL in a container: image, volume, network, container, and the provider for what is inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_docker as docker

from infra.modules.decision import Lifecycle
from infra.postgres.connection.target import ADMIN_USER, MAINTENANCE_DATABASE
from infra.program.docker_tls import Tls, declare_tls
from infra.program.server import DeclaredServer, owned_server
from infra.resources.docker_engine import DockerEngine
from infra.resources.docker_objects import DockerNetwork, DockerVolume
from infra.resources.docker_plan import DockerPlan
from infra.resources.docker_server import DockerServer
from infra.resources.passwords import Passwords
from infra.server.docker.container import DATA, INITDB, OWNER
from infra.settings.values import megabytes

if TYPE_CHECKING:
    from infra.program.scope import Scope
    from infra.settings.model import Settings
    from infra.settings.servers import DockerSettings

PORT = 5432
PASSWORD_FILE = "/run/postgres-initial-password"  # noqa: S105 (a path)
HEALTH = f"pg_isready -q -h 127.0.0.1 -p {PORT} -U {ADMIN_USER} -d {MAINTENANCE_DATABASE}"
"""By TCP: while the image creates the data, it runs a server without TCP for a moment."""
SECONDS_TO_START, SECONDS_TO_STOP = 180, 60
LIFECYCLE_LABEL = "platform-postgres.lifecycle"


@dataclass(frozen=True)
class Names:
    """The names of the stack's container, volume and network."""

    container: str
    volume: str
    network: str

    @classmethod
    def of(cls, server: DockerSettings, label: str) -> Names:
        """Return the names in the settings, or those derived from the stack's name."""
        own = f"platform-postgres-{label}"
        return cls(server.container or own, server.volume or own, server.network or own)


def declare_docker(settings: Settings, server: DockerSettings, scope: Scope) -> DeclaredServer:
    """Declare the server; its volume is protected where the stack is persistent."""
    names = Names.of(server, scope.label)
    engine = DockerEngine(
        scope.name("engine"),
        docker_host=server.docker_host,
        address=server.address,
        opts=scope.options(first=True),
    )
    on_engine = docker.Provider(scope.name("docker"), host=engine.host, opts=scope.options())
    image = docker.RemoteImage(
        scope.name("image"),
        name=server.image,
        keep_locally=True,
        opts=scope.options(provider=on_engine, depends_on=[engine]),
    )
    plan = DockerPlan(
        scope.name("server-plan"),
        server,
        engine=engine.host,
        image_id=image.image_id,
        stack=scope.stack,
        names={"container": names.container, "volume": names.volume},
        extensions=settings.extensions,
        opts=scope.options(),
    )
    volume = DockerVolume(
        scope.name("data"),
        volume=names.volume,
        stack=scope.stack,
        engine=engine.host,
        retain=server.retain,
        opts=scope.options(depends_on=[plan], protect=settings.lifecycle is Lifecycle.PERSISTENT),
    )
    network = DockerNetwork(
        scope.name("network"),
        network=names.network,
        stack=scope.stack,
        engine=engine.host,
        opts=scope.options(depends_on=[plan]),
    )
    labels = {**server.labels, OWNER: scope.stack, LIFECYCLE_LABEL: settings.lifecycle.value}
    reached = [engine.server_host, "localhost", "127.0.0.1", server.alias, names.container]
    tls = declare_tls(scope, names=reached, required=server.tls, after=plan)
    container = _container(
        server,
        names,
        labels,
        scope=scope,
        image=image,
        plan=plan,
        tls=tls,
        opts=scope.options(provider=on_engine, depends_on=[volume, network]),
    )
    passwords = Passwords(
        scope.name("admin-password"),
        roles=[ADMIN_USER],
        rotation=settings.password_rotation,
        opts=scope.options(),
    )
    password = passwords.password(ADMIN_USER)
    ready = DockerServer(
        scope.name("server"),
        engine=engine.host,
        address=server.address,
        names={"container": names.container, "volume": plan.data_volume},
        stack=scope.stack,
        container_id=container.id,
        port=plan.listen_port,
        user=ADMIN_USER,
        password=password,
        options=tls.options,
        opts=scope.options(),
    )
    return owned_server(
        ready,
        scope=scope,
        adopt=server.adopt,
        outputs={
            "container": pulumi.Output.from_input(names.container),
            "network": pulumi.Output.from_input(names.network),
        },
        scratch={},
        tls=tls.options if tls.required else None,
        certificate=tls.certificate,
    )


def _container(
    server: DockerSettings,
    names: Names,
    labels: dict[str, str],
    *,
    scope: Scope,
    image: docker.RemoteImage,
    plan: DockerPlan,
    tls: Tls,
    opts: pulumi.ResourceOptions,
) -> docker.Container:
    """Declare the container, which is replaced when a setting of it changes: the data stay in the volume.

    The password in the file is used when the data are created, and DockerServer changes it at once.
    """
    in_place_fails = pulumi.ResourceOptions(  # above twice the limit with which the container was made
        delete_before_replace=True, replace_on_changes=["memory"]
    )
    initial = Passwords(scope.name("initial-password"), roles=[ADMIN_USER], rotation=0, opts=scope.options())
    command = ["postgres", "-c", "listen_addresses=*", "-c", "password_encryption=scram-sha-256"]
    command += [word for name in sorted(server.settings) for word in ("-c", f"{name}={server.settings[name]}")]
    password = docker.ContainerUploadArgs(file=PASSWORD_FILE, content=initial.password(ADMIN_USER), permissions="0400")
    return docker.Container(
        scope.name("container"),
        name=names.container,
        image=image.image_id,
        command=tls.command(command),
        envs=[
            f"POSTGRES_PASSWORD_FILE={PASSWORD_FILE}",
            f"POSTGRES_INITDB_ARGS={server.initdb_args} {INITDB}",
            f"PGDATA={DATA}",
        ],
        uploads=[password, *tls.uploads],
        volumes=[docker.ContainerVolumeArgs(volume_name=plan.data_volume, container_path=DATA)],
        networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=names.network, aliases=[server.alias])],
        ports=[docker.ContainerPortArgs(internal=PORT, external=plan.listen_port, ip=server.address)],
        healthcheck=docker.ContainerHealthcheckArgs(
            tests=["CMD-SHELL", HEALTH], interval="2s", timeout="5s", retries=5, start_period="30s"
        ),
        wait=True,
        wait_timeout=SECONDS_TO_START,
        must_run=False,  # a stopped one is started by DockerServer
        restart=server.restart,
        memory=megabytes(server.memory) if server.memory else None,
        memory_swap=2 * megabytes(server.memory) if server.memory else None,  # Docker's own default, else seen as drift
        shm_size=megabytes(server.shm_size),
        stop_signal="SIGINT",  # a fast shutdown (PostgreSQL manual, 18.5)
        stop_timeout=SECONDS_TO_STOP,
        destroy_grace_seconds=SECONDS_TO_STOP,
        labels=[docker.ContainerLabelArgs(label=name, value=labels[name]) for name in sorted(labels)],
        opts=pulumi.ResourceOptions.merge(opts, in_place_fails),
    )
