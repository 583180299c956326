"""What a stack can be told: validated values, and the only home of every default."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

NAME_BYTES = 63  # NAMEDATALEN - 1 (PostgreSQL manual, 4.1.1)
UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
RESERVED_ROLES = frozenset({"public", "none"})
RESERVED_DATABASES = frozenset({"postgres", "template0", "template1"})
ROLES = ("owner", "migrator", "app", "readonly")

A_NAME = f"a PostgreSQL name of 1 to {NAME_BYTES} bytes"
A_ROLE = f"{A_NAME} that does not begin with pg_"
A_TIME = "a time such as 500ms, 10s, 5min or 1h"


def _identifier(name: str) -> str:
    if not 1 <= len(name.encode()) <= NAME_BYTES or not name.isprintable():
        raise ValueError(name)
    return name


def _role(name: str) -> str:
    if name.startswith("pg_") or name in RESERVED_ROLES:  # manual, CREATE ROLE
        raise ValueError(name)
    return _identifier(name)


def _seconds(given: object) -> float:
    """Turn `10s`, `500ms`, `5min` or `1h` into seconds, as PostgreSQL's own time settings are written."""
    found = re.fullmatch(r"\s*([0-9]+)\s*(ms|s|min|h)\s*", given) if isinstance(given, str) else None
    if not found:
        raise ValueError(given)
    return int(found[1]) * UNITS[found[2]]


def _server_setting(given: object) -> object:
    """Write a value as postgresql.conf would have it: true is on, numbers are digits."""
    if isinstance(given, bool):
        return "on" if given else "off"
    return str(given) if isinstance(given, (int, float)) else given


def _bare_name(given: object) -> object:
    return {"name": given} if isinstance(given, str) else given


Identifier = Annotated[str, AfterValidator(_identifier)]
Role = Annotated[str, AfterValidator(_role)]
Seconds = Annotated[float, BeforeValidator(_seconds)]
Port = Annotated[int, Field(strict=True, ge=0, le=65535)]
ServerSetting = Annotated[str, BeforeValidator(_server_setting)]


class Part(BaseModel):
    """A group of settings: frozen, and without room for a key that nobody reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EmbeddedServer(Part):
    """A real PostgreSQL of this machine's own, started and stopped by the stack."""

    kind: Literal["embedded"] = Field(default="embedded", description="embedded")
    port: Port = Field(
        default=0, description="a port of 127.0.0.1 from 1 to 65535, or 0 for a free one that is then kept"
    )
    data_root: str | None = Field(
        default=None, description="an absolute path outside the checkout; the server's own folder is made below it"
    )
    bin_dir: str | None = Field(
        default=None, description="the folder with initdb and postgres of another installation, an absolute path"
    )
    run_as: Identifier = Field(
        default="platform-postgres", description="the name of the system user that runs the server when you are root"
    )
    settings: dict[str, ServerSetting] = Field(
        default_factory=dict[str, str],
        description="server settings by name, as in postgresql.conf: text, numbers, true or false",
    )
    retain: bool = Field(default=False, description="true keeps the data when the stack is destroyed, false removes it")
    adopt: bool = Field(default=False, description="true takes over data that an earlier stack kept, false refuses it")


def _named_after_the_database(role: str) -> Any:  # noqa: ANN401 (a field's definition)
    return Field(default_factory=lambda data: f"{data['name']}_{role}", validate_default=True, description=A_ROLE)


class Database(Part):
    """A database and the names of its four roles; a bare name is enough."""

    name: Identifier = Field(description=A_NAME)
    owner: Role = _named_after_the_database("owner")
    migrator: Role = _named_after_the_database("migrator")
    app: Role = _named_after_the_database("app")
    readonly: Role = _named_after_the_database("readonly")


class Extension(Part):
    """An extension that every database gets; a bare name is enough."""

    name: Identifier = Field(description="the name of an extension")
    optional: bool = Field(
        default=False, description="true goes on where the server does not offer it, false stops there"
    )


class Modules(Part):
    """Where the SQL modules are, and how long they may wait and run."""

    directory: str = Field(default="sql", description="the folder of the SQL modules, seen from Pulumi.yaml")
    lock_timeout: Seconds = Field(default=10.0, description=f"{A_TIME}: how long a statement waits for a lock")
    statement_timeout: Seconds = Field(default=600.0, description=f"{A_TIME}: how long one module may run")
    wait: Seconds = Field(default=60.0, description=f"{A_TIME}: how long a run waits for another one")


class Settings(Part):
    """Everything that a stack can be told."""

    lifecycle: Literal["ephemeral", "persistent"] = Field(
        default="ephemeral",
        description="ephemeral (may be rebuilt and removed) or persistent (nothing is ever dropped)",
    )
    server: EmbeddedServer = Field(default=EmbeddedServer(), description="a server: its kind and what belongs to that")
    databases: tuple[Annotated[Database, BeforeValidator(_bare_name)], ...] = Field(
        min_length=1, description="a list of at least one database: names, or names with the names of their roles"
    )
    extensions: tuple[Annotated[Extension, BeforeValidator(_bare_name)], ...] = Field(
        default=(Extension(name="uuid-ossp"), Extension(name="pgcrypto"), Extension(name="pg_trgm")),
        description="a list of extensions",
    )
    modules: Modules = Field(default=Modules(), description="directory, lock_timeout, statement_timeout and wait")
    env_file: str | Literal[False] = Field(
        default=".env.{stack}", description="the name of a file for the connection settings, or false for none"
    )
    password_rotation: int = Field(
        default=0, strict=True, ge=0, description="a whole number from 0; a new one gives every role a new password"
    )


def default_databases(stack: str) -> list[str]:
    """Name the databases of a stack that names none: its own, and one for its tests."""
    name = re.sub(r"[^a-z0-9]+", "_", stack.lower()).strip("_")
    return [f"netra_{name}", f"netra_{name}_test"]
