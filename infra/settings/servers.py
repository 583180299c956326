"""The settings of a server of each kind, with every default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, cast

from pydantic import Discriminator, Field, Tag

from infra.settings.values import (
    A_DOCKER_NAME,
    A_SIZE,
    HIGHEST_PORT,
    LOWEST_PORT,
    AbsolutePath,
    Address,
    DockerName,
    Flag,
    Identifier,
    Port,
    ServerSetting,
    SettingsGroup,
    Size,
    Text,
    only_if,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class EmbeddedSettings(SettingsGroup):
    """A real PostgreSQL of this machine's own, started and stopped by the stack."""

    kind: Literal["embedded"] = Field(default="embedded", description="embedded")
    port: Port = Field(
        default=0,
        description=f"a port of 127.0.0.1 from {LOWEST_PORT} to {HIGHEST_PORT}, or 0 for a free one that is then kept",
    )
    data_root: AbsolutePath | None = Field(
        default=None, description="an absolute path outside the checkout; the server's own folder is made below it"
    )
    bin_dir: AbsolutePath | None = Field(
        default=None, description="the folder with initdb and postgres of another installation, an absolute path"
    )
    run_as: Identifier | None = Field(
        default=None,
        description="the name of the system user that runs the server when you are root, by default platform-postgres",
    )
    settings: dict[str, ServerSetting] = Field(
        default_factory=dict[str, str],
        description="server settings by name, as in postgresql.conf: text, numbers, true or false",
    )
    retain: Flag = Field(default=False, description="true keeps the data when the stack is destroyed, false removes it")
    adopt: Flag = Field(
        default=False,
        description="true takes over data that an earlier stack kept, with its roles and databases, false refuses it",
    )


class DockerSettings(SettingsGroup):
    """A PostgreSQL in a container, with its data in a volume."""

    kind: Literal["docker"] = Field(description="docker")
    image: Text = Field(
        default="postgres:17", description="the name of a postgres image, with a tag, a digest (name@sha256:…) or both"
    )
    container: DockerName | None = Field(default=None, description=f"the container's name: {A_DOCKER_NAME}")
    volume: DockerName | None = Field(default=None, description=f"the name of the data's volume: {A_DOCKER_NAME}")
    network: DockerName | None = Field(
        default=None, description=f"the network's name: {A_DOCKER_NAME}; one that somebody else made is joined"
    )
    alias: DockerName = Field(default="postgres", description="the server's name for other containers of the network")
    port: Port = Field(
        default=0,
        description=f"the published port, from {LOWEST_PORT} to {HIGHEST_PORT}, or 0 for a free one that is then kept",
    )
    address: Address = Field(
        default="127.0.0.1", description="the IPv4 address of the Docker host on which the port is published"
    )
    tls: Flag = Field(
        default=False,
        description="true: clients verify the server by an authority of the stack's own, and TLS is required",
    )
    docker_host: Text | None = Field(
        default=None,
        description="unix:///path, tcp://host:port or ssh://user@host, by default what DOCKER_HOST says, "
        "or the usual socket",
    )
    settings: dict[str, ServerSetting] = Field(
        default_factory=dict[str, str],
        description="server settings by name, as in postgresql.conf: text, numbers, true or false",
    )
    memory: Size | None = Field(default=None, description=f"the container's limit, {A_SIZE}")
    shm_size: Size = Field(default="256MB", description=f"what parallel queries share, {A_SIZE}")
    restart: Literal["no", "on-failure", "always", "unless-stopped"] = Field(
        default="unless-stopped", description='"no" (in quotes), on-failure, always or unless-stopped'
    )
    labels: dict[str, str] = Field(
        default_factory=dict[str, str], description="labels of the container, beside the stack's name and lifecycle"
    )
    initdb_args: str = Field(
        default="--encoding=UTF8 --locale=C.UTF-8",
        description="arguments of initdb, which makes the data once; checksums and scram-sha-256 are added",
    )
    upgrade: Literal["refuse", "dump-restore"] = Field(
        default="refuse",
        description="refuse (an image of another major version) or dump-restore (moves the data to a new volume)",
    )
    retain: Flag = Field(
        default=False, description="true keeps the volume when the stack is destroyed, false removes it"
    )
    adopt: Flag = Field(
        default=False,
        description="true takes over a volume that is there already, with its roles and databases, false refuses it",
    )


class ExternalSettings(SettingsGroup):
    """A PostgreSQL that exists already; the stack creates roles and databases on it, and removes no more than those."""

    kind: Literal["external"] = Field(description="external")
    dsn: Text = Field(
        description="how an administrator connects, as libpq takes it: a URI or keywords, several hosts allowed; "
        "a secret when it holds a password"
    )
    password: Text | None = Field(default=None, description="the administrator's password, a secret")
    password_variable: Text | None = Field(
        default=None, description="the name of an environment variable that holds the administrator's password"
    )
    password_file: Text | None = Field(
        default=None, description="a file whose first line is the administrator's password"
    )
    accept: Annotated[str, only_if(str.isdigit)] | None = Field(
        default=None,
        description="the system identifier, in quotes, of the one server that may take the place of the first",
    )
    adopt: tuple[Identifier, ...] = Field(
        default=(),
        description="a list of names of roles and databases that the server has already and the stack takes over; "
        "they stay when it is destroyed",
    )


SERVERS: Mapping[str, type[SettingsGroup]] = {
    "embedded": EmbeddedSettings,
    "docker": DockerSettings,
    "external": ExternalSettings,
}


def embedded_by_default(given: object) -> object:
    """Return a server's settings with the kind that it has where none is named."""
    if isinstance(given, dict):
        return {"kind": "embedded", **cast("dict[str, object]", given)}
    return given


ServerSettings = Annotated[
    Annotated[EmbeddedSettings, Tag("embedded")]
    | Annotated[DockerSettings, Tag("docker")]
    | Annotated[ExternalSettings, Tag("external")],
    Discriminator("kind"),
]
