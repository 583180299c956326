"""PostgreSQL for Pulumi programs: a server, databases with their roles and schema, and numbered SQL modules.

docs/your-own-program.md has an example and says what each part does. The implementation is the package `infra`, which
is installed beside this one; its names may change, those here do not.
"""

from pathlib import Path

import infra

_SOURCE = Path(infra.__file__ or "infra").parent
if _SOURCE.parent != Path(__file__).parent.parent:
    raise ImportError(
        f"{_SOURCE} hides the package `infra` that platform-postgres has installed; rename yours, "
        "because Pulumi's state refers to this one by its name"
    )

# ruff: noqa: E402 (the check comes first, else the error would be about a part of `infra` that is missing)
from platform_postgres.arguments import (
    ConnectionArgs,
    DatabaseArgs,
    DockerServerArgs,
    EmbeddedServerArgs,
    ExternalServerArgs,
    ModulesArgs,
    RoleArgs,
    ServerArgs,
)
from platform_postgres.database import PostgresDatabase
from platform_postgres.server import PostgresServer
from platform_postgres.sql_modules import SqlModules

__all__ = [
    "ConnectionArgs",
    "DatabaseArgs",
    "DockerServerArgs",
    "EmbeddedServerArgs",
    "ExternalServerArgs",
    "ModulesArgs",
    "PostgresDatabase",
    "PostgresServer",
    "RoleArgs",
    "ServerArgs",
    "SqlModules",
]
