"""What a stack can be told: validated values, and the only home of every default."""

from __future__ import annotations

import ipaddress
import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NAME_BYTES = 63  # NAMEDATALEN - 1 (PostgreSQL manual, 4.1.1)
UNITS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000}
LONGEST_TIME = 2**31 - 1  # milliseconds, as PostgreSQL keeps its own times
LOWEST_PORT, HIGHEST_PORT = 1024, 65_535
RESERVED_ROLES = frozenset({"public", "none"})  # manual, CREATE ROLE
RESERVED_DATABASES = frozenset({"postgres", "template0", "template1"})
ROLES = ("owner", "migrator", "app", "readonly")

A_NAME = f"a PostgreSQL name of 1 to {NAME_BYTES} bytes"
A_DATABASE = f"{A_NAME} without a question mark"
A_ROLE = f"{A_NAME} that does not begin with pg_"
A_TIME = "a time such as 500ms, 10s, 5min or 1h, at most 24 days"
A_LIMIT = f"{A_TIME}, and above 0"
A_SIZE = "a size such as 512MB or 2GB"
A_DOCKER_NAME = "a name of letters, digits, '_', '.' and '-', by default platform-postgres-<stack>"


def is_name(text: str) -> bool:
    """Say whether PostgreSQL keeps this name as it is, and people can see all of it."""
    return 1 <= len(text.encode()) <= NAME_BYTES and text.isprintable()


def is_role_name(text: str) -> bool:
    """Say whether a role may have this name."""
    return is_name(text) and not text.startswith("pg_") and text not in RESERVED_ROLES


def _is_database_name(text: str) -> bool:
    return is_name(text) and "?" not in text  # SQLAlchemy's URLs have no way to write one


def _is_text(text: str) -> bool:
    return text != "" and text.isprintable()


def _is_absolute_path(text: str) -> bool:
    return _is_text(text) and PurePath(text).is_absolute()


def _is_env_file(text: str | None) -> bool:
    return text is None or (_is_text(text) and not set("{}") & set(text.replace("{stack}", "")))


def _is_port(number: int) -> bool:
    return number == 0 or LOWEST_PORT <= number <= HIGHEST_PORT


def _is_docker_name(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,99}", text) is not None


def _is_size(text: str) -> bool:
    return re.fullmatch("[1-9][0-9]{0,8}(MB|GB)", text) is not None


def _is_address(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 4  # noqa: PLR2004 (of the Internet Protocol)
    except ValueError:
        return False


def megabytes(size: str) -> int:
    """Turn `512MB` or `2GB` into megabytes."""
    return int(size[:-2]) * (1024 if size.endswith("GB") else 1)


def _if(holds: Callable[[Any], bool]) -> AfterValidator:
    """Take a value only if this holds; what is required instead is the description of the setting."""

    def check(value: object) -> object:
        if not holds(value):
            raise ValueError(value)
        return value

    return AfterValidator(check)


def _seconds(given: object) -> float:
    """Turn `10s`, `500ms`, `5min` or `1h` into seconds, as PostgreSQL's own time settings are written."""
    found = re.fullmatch(r"\s*([0-9]+)\s*(ms|s|min|h)\s*", given) if isinstance(given, str) else None
    milliseconds = int(found[1]) * UNITS[found[2]] if found else LONGEST_TIME + 1
    if milliseconds > LONGEST_TIME:
        raise ValueError(given)
    return milliseconds / 1000


def _server_setting(given: object) -> object:
    """Write a value as postgresql.conf would have it: true is on, numbers are digits."""
    if isinstance(given, bool):
        return "on" if given else "off"
    return str(given) if isinstance(given, (int, float)) else given


def _bare_name(given: object) -> object:
    return {"name": given} if isinstance(given, str) else given


def _false_is_none(given: object) -> object:
    return None if given is False else given


Text = Annotated[str, _if(_is_text)]
AbsolutePath = Annotated[str, _if(_is_absolute_path)]
Identifier = Annotated[str, _if(is_name)]
DatabaseName = Annotated[str, _if(_is_database_name)]
Role = Annotated[str, _if(is_role_name)]
Time = Annotated[float, BeforeValidator(_seconds)]
Limit = Annotated[Time, Field(gt=0)]
Port = Annotated[int, Field(strict=True), _if(_is_port)]
EnvFile = Annotated[str | None, BeforeValidator(_false_is_none), _if(_is_env_file)]
DockerName = Annotated[str, _if(_is_docker_name)]
Size = Annotated[str, _if(_is_size)]
Address = Annotated[str, _if(_is_address)]
ServerSetting = Annotated[str, BeforeValidator(_server_setting)]


class Part(BaseModel):
    """A group of settings: frozen, and without room for a key that nobody reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EmbeddedServer(Part):
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
    retain: bool = Field(default=False, description="true keeps the data when the stack is destroyed, false removes it")
    adopt: bool = Field(default=False, description="true takes over data that an earlier stack kept, false refuses it")


class DockerServer(Part):
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
    docker_host: Text | None = Field(
        default=None,
        description="unix:///path or tcp://host:port, by default what DOCKER_HOST says, or the usual socket",
    )
    settings: dict[str, ServerSetting] = Field(
        default_factory=dict[str, str],
        description="server settings by name, as in postgresql.conf: text, numbers, true or false",
    )
    memory: Size | None = Field(default=None, description=f"the container's limit, {A_SIZE}")
    shm_size: Size = Field(default="256MB", description=f"what parallel queries share, {A_SIZE}")
    restart: Literal["no", "on-failure", "always", "unless-stopped"] = Field(
        default="unless-stopped", description="no, on-failure, always or unless-stopped"
    )
    labels: dict[str, str] = Field(
        default_factory=dict[str, str], description="labels of the container, beside the stack's name and lifecycle"
    )
    initdb_args: str = Field(
        default="--encoding=UTF8 --locale=C.UTF-8",
        description="arguments of initdb, which makes the data once; checksums and scram-sha-256 are added",
    )
    retain: bool = Field(
        default=False, description="true keeps the volume when the stack is destroyed, false removes it"
    )
    adopt: bool = Field(default=False, description="true takes over a volume that is there already, false refuses it")


class ExternalServer(Part):
    """A PostgreSQL that is already there; the stack makes roles and databases on it, and removes no more than those."""

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
    accept: Annotated[str, _if(str.isdigit)] | None = Field(
        default=None,
        description="the system identifier, in quotes, of the one server that may take the place of the first",
    )


SERVERS: Mapping[str, type[Part]] = {
    "embedded": EmbeddedServer,
    "docker": DockerServer,
    "external": ExternalServer,
}


def _kind_or_embedded(given: object) -> object:
    if isinstance(given, dict):
        return {"kind": "embedded", **cast("dict[str, object]", given)}
    return given


Server = Annotated[
    Annotated[EmbeddedServer, Tag("embedded")]
    | Annotated[DockerServer, Tag("docker")]
    | Annotated[ExternalServer, Tag("external")],
    Discriminator("kind"),
]


def _named_after_the_database(role: str) -> Any:  # noqa: ANN401 (a field's definition)
    return Field(default_factory=lambda data: f"{data['name']}_{role}", description=A_ROLE)


class Database(Part):
    """A database and the names of its four roles; a bare name is enough."""

    name: DatabaseName = Field(description=A_DATABASE)
    owner: Role = _named_after_the_database("owner")
    migrator: Role = _named_after_the_database("migrator")
    app: Role = _named_after_the_database("app")
    readonly: Role = _named_after_the_database("readonly")


class Modules(Part):
    """Where the SQL modules are, and how long they may wait and run."""

    directory: Text = Field(default="sql", description="the folder of the SQL modules, seen from Pulumi.yaml")
    lock_timeout: Limit = Field(default=10.0, description=f"{A_LIMIT}: how long a statement waits for a lock")
    statement_timeout: Limit = Field(default=600.0, description=f"{A_LIMIT}: how long one module may run")
    wait: Time = Field(default=60.0, description=f"{A_TIME}: how long a run waits for another one")
    live_check: bool = Field(
        default=True, description="true lets a preview compare the live database, false leaves it alone"
    )
    unmanaged: tuple[Text, ...] = Field(
        default=("table public.alembic_version",),
        description="a list of objects that no module needs to have made, such as table public.tmp_*",
    )


class Settings(Part):
    """Everything that a stack can be told."""

    lifecycle: Literal["ephemeral", "persistent"] = Field(
        default="ephemeral",
        description="ephemeral (may be rebuilt and removed) or persistent (nothing is ever dropped)",
    )
    server: Annotated[Server, BeforeValidator(_kind_or_embedded)] = Field(
        default=EmbeddedServer(), description="a server: its kind and what belongs to that"
    )
    databases: Annotated[tuple[Annotated[Database, BeforeValidator(_bare_name)], ...], _if(bool)] = Field(
        description="a list of at least one database: names, or names with the names of their roles"
    )
    extensions: tuple[Identifier, ...] = Field(
        default=("uuid-ossp", "pgcrypto", "pg_trgm"),
        description="a list of names of extensions that the server offers; every database gets them",
    )
    modules: Modules = Field(default=Modules(), description="directory, lock_timeout, statement_timeout and wait")
    env_file: EnvFile = Field(
        default=".env.{stack}",
        description="the name of a file for the connection settings, {stack} in it for the stack's, or false for none",
    )
    drop_databases: tuple[DatabaseName, ...] = Field(
        default=(), description="a list of databases that a persistent stack may lose"
    )
    password_rotation: int = Field(
        default=0, strict=True, ge=0, description="a whole number from 0; a new one gives every role a new password"
    )


def default_databases(stack: str) -> list[str]:
    """Name the databases of a stack that names none: its own, and one for its tests."""
    name = re.sub(r"[^a-z0-9]+", "_", stack.lower()).strip("_")
    return [f"netra_{name}", f"netra_{name}_test"]
