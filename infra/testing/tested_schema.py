"""What a test's database is to be like: its modules, extensions and roles, by a folder or by a stack's settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.check.stack_files import settings_of_stack
from infra.errors import InfraError
from infra.modules.module import DEFAULT_DIRECTORY, Module, load_modules
from infra.modules.restrictions import find_restricted
from infra.postgres.database_roles import DatabaseRoles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_NAME = "test"
_ROLES = DatabaseRoles(_NAME, *(f"{_NAME}_{role}" for role in ("owner", "migrator", "app", "readonly")))


@dataclass(frozen=True)
class TestedSchema:
    """The modules, the database's roles, and the extensions that its administrator creates."""

    modules: Sequence[Module]
    roles: DatabaseRoles
    extensions: tuple[str, ...]


def tested_schema(root: Path, *, modules: str, stack: str, extensions: Sequence[str]) -> TestedSchema:
    """Read the modules of a folder, else of a stack, else of the default folder, all seen from `root`.

    Roles and extensions are a stack's where it is named. Raises InfraError.
    """
    settings = settings_of_stack(root, stack) if stack else None
    if settings and not settings.single_databases:
        raise InfraError(
            "has groups of databases only, and a test's database has the roles of a single one",
            place=f"stack {stack}",
            remedy="set pg_modules, and no pg_stack",
        )
    directory = modules or (settings.modules.directory if settings else DEFAULT_DIRECTORY)
    loaded = load_modules(root / directory, shown_as=directory)
    for module in loaded:
        for restricted in find_restricted(module):
            raise restricted
    roles = _ROLES
    if settings:
        database = settings.single_databases[0]
        further = [name for role, name in settings.roles_of(database).items() if role in settings.roles]
        roles = DatabaseRoles(**database.names, further=further)
    named = tuple(extensions) or (settings.extensions if settings else ())
    return TestedSchema(loaded, roles, named)
