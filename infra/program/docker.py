"""Declares a PostgreSQL in a container: image, volume, network, container, and the provider for what is inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_docker as docker

from infra.program.docker_tls import Tls, declare_tls
from infra.program.server import ADMIN, MAINTENANCE_DATABASE, DeclaredServer, owned_server
from infra.resources.docker_plan import DockerPlan
from infra.resources.docker_server import DockerServer
from infra.resources.passwords import Passwords
from infra.resources.stack_policy import PERSISTENT
from infra.server.docker.container import DATA, INITDB, OWNER, is_ours, reachable_at
from infra.server.docker.engine import engine_of
from infra.settings.values import megabytes

if TYPE_CHECKING:
    from infra.server.docker.engine import Engine
    from infra.settings.model import DockerSettings, Settings

PORT = 5432
PASSWORD_FILE = "/run/postgres-initial-password"  # noqa: S105 (a path)
HEALTH = f"pg_isready -q -h 127.0.0.1 -p {PORT} -U {ADMIN} -d {MAINTENANCE_DATABASE}"
"""By TCP: while the data are made, a server without TCP runs for a moment."""
SECONDS_TO_START, SECONDS_TO_STOP = 180, 60
LIFECYCLE = "platform-postgres.lifecycle"


@dataclass(frozen=True)
class Names:
    """What the stack's things are called on the engine."""

    container: str
    volume: str
    network: str

    @classmethod
    def of(cls, server: DockerSettings, stack: str) -> Names:
        """Give the names in the settings, or those that follow from the stack's."""
        own = f"platform-postgres-{stack}"
        return cls(server.container or own, server.volume or own, server.network or own)


def declare_docker(settings: Settings, server: DockerSettings, policy: pulumi.Resource, stack: str) -> DeclaredServer:
    """Declare the server; its volume is protected where the stack is persistent."""
    engine = engine_of(server.docker_host)
    engine.ping()
    names = Names.of(server, stack)
    on_engine = docker.Provider("docker", host=engine.host)
    inside = pulumi.ResourceOptions(provider=on_engine)
    image = docker.RemoteImage(
        "image",
        name=server.image,
        keep_locally=True,
        opts=pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=[policy])),
    )
    plan = DockerPlan(
        "server-plan",
        server,
        engine=engine.host,
        image_id=image.image_id,
        stack=stack,
        names={"container": names.container, "volume": names.volume},
        extensions=settings.extensions,
    )
    after = pulumi.ResourceOptions(provider=on_engine, depends_on=[plan])
    there = engine.volume(names.volume)
    foreign = there is not None and not is_ours(there, stack)
    keep = pulumi.ResourceOptions(
        protect=settings.lifecycle == PERSISTENT or None,
        retain_on_delete=server.retain or foreign,  # what the stack did not make does not end with it
    )
    volume = _volume(names, stack, pulumi.ResourceOptions.merge(after, keep))
    network = _network(engine, names, stack, after)
    labels = {**server.labels, OWNER: stack, LIFECYCLE: settings.lifecycle}
    on_both = pulumi.ResourceOptions(provider=on_engine, depends_on=[volume, *network])
    tls = Tls()
    if server.tls:
        reached = [reachable_at(engine, server.address), "localhost", "127.0.0.1", server.alias, names.container]
        tls = declare_tls(stack=stack, names=reached, opts=pulumi.ResourceOptions(depends_on=[plan]))
    container = _container(server, names, labels, image=image, plan=plan, tls=tls, opts=on_both)
    passwords = Passwords("admin-password", roles=[ADMIN], rotation=settings.password_rotation)
    password = passwords.password(ADMIN)
    ready = DockerServer(
        "server",
        engine=engine.host,
        address=server.address,
        names={"container": names.container, "volume": plan.data_volume},
        container_id=container.id,
        port=plan.listen_port,
        user=ADMIN,
        password=password,
        options=tls.options or {},
    )
    return owned_server(
        ready,
        password,
        adopted=server.adopt and is_ours(there, stack),
        outputs={
            "container": pulumi.Output.from_input(names.container),
            "network": pulumi.Output.from_input(names.network),
        },
        tls=tls.options,
    )


def _volume(names: Names, stack: str, opts: pulumi.ResourceOptions) -> docker.Volume:
    """Declare the data's volume; nothing in the settings replaces it, because its end is the end of the data."""
    return docker.Volume(
        "data",
        name=names.volume,
        labels=[docker.VolumeLabelArgs(label=OWNER, value=stack)],
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=["labels"])),
    )


def _network(engine: Engine, names: Names, stack: str, opts: pulumi.ResourceOptions) -> list[docker.Network]:
    """Declare the network, unless it is somebody else's: then it is joined, and stays when the stack goes."""
    there = engine.network(names.network)
    if there is not None and not is_ours(there, stack):
        return []
    labels = [docker.NetworkLabelArgs(label=OWNER, value=stack)]
    return [docker.Network("network", name=names.network, driver="bridge", labels=labels, opts=opts)]


def _container(
    server: DockerSettings,
    names: Names,
    labels: dict[str, str],
    *,
    image: docker.RemoteImage,
    plan: DockerPlan,
    tls: Tls,
    opts: pulumi.ResourceOptions,
) -> docker.Container:
    """Declare the container, which is replaced when a setting of it changes: the data stay in the volume.

    The password in its file makes the data and is changed at once by DockerServer: it opens nothing afterwards.
    """
    in_place_fails = pulumi.ResourceOptions(  # above twice the limit with which the container was made
        delete_before_replace=True, replace_on_changes=["memory"]
    )
    initial = Passwords("initial-password", roles=[ADMIN], rotation=0)
    command = ["postgres", "-c", "listen_addresses=*", "-c", "password_encryption=scram-sha-256"]
    command += [word for name in sorted(server.settings) for word in ("-c", f"{name}={server.settings[name]}")]
    password = docker.ContainerUploadArgs(file=PASSWORD_FILE, content=initial.password(ADMIN), permissions="0400")
    return docker.Container(
        "container",
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
