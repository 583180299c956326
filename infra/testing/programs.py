"""Which PostgreSQL runs: the wheel's, an installed one by its major version, or that of a folder."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from infra.errors import InfraError, ServerError
from infra.server.embedded.distribution import locate

INSTALLED = (
    "/usr/lib/postgresql/{}/bin",  # Debian, Ubuntu
    "/usr/pgsql-{}/bin",  # the packages of postgresql.org for RPM
    "/opt/homebrew/opt/postgresql@{}/bin",
    "/usr/local/opt/postgresql@{}/bin",
)


def programs_of_version(version: str) -> Path | None:
    """Return the folder of the programs for a major version, or the folder that was named; None for the wheel's.

    Raises ServerError where this machine does not have the version.
    """
    if not version or "/" in version:
        return Path(version) if version else None
    with suppress(InfraError):
        if str(locate(None).major) == version:
            return None
    folders = [Path(pattern.format(version)) for pattern in INSTALLED]
    for folder in folders:
        if (folder / "postgres").is_file():
            return folder
    raise ServerError(
        f"there is no PostgreSQL {version} on this machine",
        place="pg_version",
        remedy=f"install it (as Debian's package postgresql-{version}), or name the folder of its programs",
    )
