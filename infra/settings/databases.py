"""The settings of a database, and of a group: many databases with the same modules, such as those of tenants."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from infra.settings.values import (
    A_DATABASE,
    A_GROUP,
    A_ROLE,
    DatabaseName,
    Flag,
    GroupName,
    Role,
    SettingsGroup,
    Text,
)

RESERVED_DATABASES = frozenset({"postgres", "template0", "template1"})
ROLES = ("owner", "migrator", "app", "readonly")

MOST_DATABASES = 10_000
SOURCES = ("names", "count", "from")
"""The settings of which a group has one: its names, their number, or a file with them."""


Seed = Annotated[
    Text | None,
    Field(
        description="a file of SQL, seen from Pulumi.yaml, with the rows that a database gets after its modules; for "
        "ephemeral stacks alone"
    ),
]


def _named_after_the_database(role: str) -> Any:  # noqa: ANN401 (a field's definition)
    return Field(default_factory=lambda data: f"{data['name']}_{role}", description=A_ROLE)


class DatabaseSettings(SettingsGroup):
    """A database and the names of its four roles; a bare name is enough."""

    name: DatabaseName = Field(description=A_DATABASE)
    owner: Role = _named_after_the_database("owner")
    migrator: Role = _named_after_the_database("migrator")
    app: Role = _named_after_the_database("app")
    readonly: Role = _named_after_the_database("readonly")
    adopt: Flag = Field(
        default=False,
        description="true brings a database over that was made elsewhere, if it is of a known kind, false refuses it",
    )
    seed: Seed = None

    @property
    def names(self) -> dict[str, str]:
        """The names of the database and of its roles, by their settings."""
        return {setting: str(getattr(self, setting)) for setting in ("name", *ROLES)}


class RoleSettings(SettingsGroup):
    """A further login role of every database, which has the privileges of another one and those that modules grant."""

    inherits: Literal["app", "readonly"] = Field(
        default="readonly", description="app or readonly: the role whose privileges it has too"
    )


class GroupSettings(SettingsGroup):
    """Many databases with the same modules; the number, the names, or a file with the names says which."""

    group: GroupName = Field(description=A_GROUP)
    names: tuple[DatabaseName, ...] = Field(default=(), description=f"a list of names, each {A_DATABASE}")
    count: Annotated[int, Field(strict=True, ge=1, le=MOST_DATABASES)] | None = Field(
        default=None, description=f"a whole number from 1 to {MOST_DATABASES}: the databases are <group>_001 and so on"
    )
    file: Text | None = Field(
        default=None,
        alias="from",
        description="a text file with a database's name in each line, seen from Pulumi.yaml, with comments after #",
    )
    roles: Literal["own", "shared"] = Field(
        default="own", description="own (each database has its own four roles) or shared (the group has four)"
    )
    clone: Flag | None = Field(
        default=None,
        description="true makes new databases as clones of a template, whatever rows modules insert; false never does; "
        "by default where they insert none, or the same in each database",
    )
    paused: tuple[DatabaseName, ...] = Field(
        default=(), description="a list of databases of the group that are left as they are"
    )
    seed: Seed = None

    @property
    def databases(self) -> tuple[str, ...]:
        """The names of the databases, in their order; of a file, the loader has put its names into `names`."""
        if self.count is not None:
            return tuple(f"{self.group}_{number:03}" for number in range(1, self.count + 1))
        return self.names

    def role(self, database: str, role: str) -> str:
        """Return the name of one of the roles of a database of this group."""
        return f"{database if self.roles == 'own' else self.group}_{role}"


def source_of(group: GroupSettings) -> str:
    """Return which of the three settings says which databases a group has."""
    return "count" if group.count is not None else "from" if group.file else "names"


def names_in_file(file: str) -> list[tuple[int, str]]:
    """Return the names in a group's file with their lines, counted from 1; raises OSError, UnicodeDecodeError."""
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    found = ((number, re.sub(r"(^|\s)#.*", "", line).strip()) for number, line in enumerate(lines, 1))
    return [(number, name) for number, name in found if name]
