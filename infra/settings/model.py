"""The settings of a stack, in groups, with every default: each is written here and nowhere else."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Discriminator, Field, Tag

from infra.modules.decision import Lifecycle
from infra.modules.module import DEFAULT_DIRECTORY
from infra.settings.databases import ROLES, DatabaseSettings, GroupSettings, RoleSettings
from infra.settings.servers import EmbeddedSettings, ServerSettings, embedded_by_default
from infra.settings.values import (
    A_LIMIT,
    A_TIME,
    DatabaseName,
    EnvFileName,
    Flag,
    Identifier,
    Limit,
    Moment,
    SettingsGroup,
    Text,
    Time,
    bare_name,
    only_if,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_DEFAULT_NAME = 63 - len("_test_migrator")
"""Of a database that is named after its project and stack: the names of its roles have to fit too."""
_OWN_NAME = re.compile("[a-z0-9]+(-[a-z0-9]+)*(?<!-test)")
"""The name of a stack of which its databases' names show all: no other such name becomes the same."""


def _database_or_group(given: object) -> str:
    return "group" if isinstance(given, GroupSettings) or (isinstance(given, dict) and "group" in given) else "database"


DATABASES: Mapping[str, type[SettingsGroup]] = {"database": DatabaseSettings, "group": GroupSettings}

DeclaredDatabaseSettings = Annotated[
    Annotated[Annotated[DatabaseSettings, BeforeValidator(bare_name)], Tag("database")]
    | Annotated[GroupSettings, Tag("group")],
    Discriminator(_database_or_group),
]


def _are_endings_of_roles(roles: Mapping[str, RoleSettings]) -> bool:
    """Return whether the names of roles are endings, and none is that of a role which every database has anyway."""
    return all(re.fullmatch("[a-z][a-z0-9]{0,39}", name) and name not in ROLES for name in roles)


class ModuleSettings(SettingsGroup):
    """Where the SQL modules are, and how long they may wait and run."""

    directory: Text = Field(
        default=DEFAULT_DIRECTORY, description="the folder of the SQL modules, seen from Pulumi.yaml"
    )
    migrations: Text = Field(
        default="migrations",
        description="the folder of the revisions that existing databases run, seen from Pulumi.yaml; it may be missing",
    )
    lock_timeout: Limit = Field(default=10.0, description=f"{A_LIMIT}: how long a statement waits for a lock")
    statement_timeout: Limit = Field(default=600.0, description=f"{A_LIMIT}: how long one module may run")
    wait: Time = Field(default=60.0, description=f"{A_TIME}: how long a run waits for another one")
    live_check: Flag = Field(
        default=True, description="true compares the live database in every preview and run, false leaves it alone"
    )
    strict: Flag | None = Field(
        default=None,
        description="true fails a preview where a database of the stack cannot be looked at, false only warns; "
        "without it true where the variable CI is true",
    )
    allow_loss: Flag = Field(
        default=False, description="true lets `make up` drop rows of an ephemeral stack without asking"
    )
    unmanaged: tuple[Text, ...] = Field(
        default=("table public.alembic_version",),
        description="a list of what others make or manage, such as table public.tmp_* or privileges * to reporting",
    )
    private_schemas: tuple[Identifier, ...] = Field(
        default=(), description="a list of schemas that the roles app and readonly may not use"
    )


class BackupSettings(SettingsGroup):
    """The backups that a run makes itself."""

    before_destructive: Flag = Field(
        default=False,
        description="true makes a backup of a database before revisions that drop or delete what has rows, or change "
        "the type of a column so that values may be lost, false makes none",
    )
    directory: Text = Field(default="backups", description="the folder of these backups, seen from Pulumi.yaml")
    keep: int = Field(
        default=0,
        strict=True,
        ge=0,
        description="a whole number from 0: how many of these backups stay for each database, 0 for all",
    )


class Settings(SettingsGroup):
    """All settings of a stack."""

    lifecycle: Lifecycle = Field(
        default=Lifecycle.EPHEMERAL,
        description="ephemeral (may be rebuilt and removed) or persistent (nothing is ever dropped)",
    )
    server: Annotated[ServerSettings, BeforeValidator(embedded_by_default)] = Field(
        default=EmbeddedSettings(), description="a server: its kind and what belongs to that"
    )
    databases: Annotated[tuple[DeclaredDatabaseSettings, ...], only_if(bool)] = Field(
        description="a list of at least one database: names, names with the names of their roles, or groups of them"
    )
    group_connections: int = Field(
        default=8,
        strict=True,
        ge=2,
        description="a whole number from 2: how many connections all groups together open at once, or fewer where "
        "the server has fewer free",
    )
    roles: Annotated[dict[str, RoleSettings], only_if(_are_endings_of_roles)] = Field(
        default_factory=dict[str, RoleSettings],
        description="a map of further login roles that every database gets, by the endings of their names (up to 40 "
        "small letters and digits), such as {reporting: {inherits: readonly}}",
    )
    extensions: tuple[Identifier, ...] = Field(
        default=(),
        description="a list of names of extensions that the server offers; every database gets them",
    )
    modules: ModuleSettings = Field(
        default=ModuleSettings(), description="directory, lock_timeout, statement_timeout and wait"
    )
    backup: BackupSettings = Field(default=BackupSettings(), description="before_destructive, directory and keep")
    env_file: EnvFileName = Field(
        default=".env.{stack}",
        description="the name of a file for the connection settings, {stack} in it for the stack's, or false for none",
    )
    drop_databases: tuple[DatabaseName, ...] = Field(
        default=(),
        description="a list of databases that a persistent stack may lose, and any stack in a run that creates others",
    )
    expires: Moment | None = Field(
        default=None,
        description="a time in UTC such as 2026-12-31T12:00:00Z, after which `make env-sweep` removes the stack; "
        "`make env-up` sets it; not for a persistent stack",
    )
    password_rotation: int = Field(
        default=0, strict=True, ge=0, description="a whole number from 0; a new one gives every role a new password"
    )

    def roles_of(self, database: DatabaseSettings) -> dict[str, str]:
        """Return the names of a single database's roles by what they are for (`app`), further ones at the end."""
        names = {role: str(getattr(database, role)) for role in ROLES}
        return names | {role: f"{database.name}_{role}" for role in self.roles}

    @property
    def inherited(self) -> dict[str, str]:
        """Which role each further role inherits from, as `app` or `readonly`."""
        return {role: settings.inherits for role, settings in self.roles.items()}

    @property
    def single_databases(self) -> list[DatabaseSettings]:
        """The databases that are no part of a group."""
        return [database for database in self.databases if isinstance(database, DatabaseSettings)]

    @property
    def groups(self) -> list[GroupSettings]:
        """The groups of databases."""
        return [database for database in self.databases if isinstance(database, GroupSettings)]

    @property
    def seeds(self) -> dict[str, str]:
        """The files with rows for new databases, by the names of the databases."""
        seeds = {database.name: database.seed for database in self.single_databases}
        seeds |= {name: group.seed for group in self.groups for name in group.databases}
        return {name: seed for name, seed in seeds.items() if seed}

    @property
    def database_names(self) -> list[str]:
        """The names of all databases, those of groups included."""
        names = [database.name for database in self.single_databases]
        return [*names, *(name for group in self.groups for name in group.databases)]


def default_databases(project: str, stack: str) -> list[str]:
    """Return the names of the databases of a stack that names none: one for the application, one for its tests.

    No two stacks of a project have a name in common: what is too long is shortened, and a digest is added to that and
    wherever another stack could have the same name (`pr_1` and `pr-1`; `pr-1-test` and the second database of `pr-1`).
    """
    name = re.sub(r"[^a-z0-9]+", "_", f"{project}_{stack}".lower()).strip("_")
    if len(name) > LONGEST_DEFAULT_NAME or not _OWN_NAME.fullmatch(stack):
        digest = hashlib.sha256(f"{project}_{stack}".encode()).hexdigest()[:8]
        name = f"{name[: LONGEST_DEFAULT_NAME - len(digest) - 1]}_{digest}"
    return [name, f"{name}_test"]
