"""The server on which scratch databases are created, for the proofs, the documents and all else that borrows one."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from infra.errors import InfraError, ServerError
from infra.postgres.apply.likeness import Likeness, ScratchExtension
from infra.postgres.apply.scratch import scratch_database
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from infra.server.dsn import connect_dsn, parse_dsn
from infra.server.embedded.distribution import locate
from infra.server.scratch.private_server import PrivateServer, private_server

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence
    from contextlib import AbstractContextManager

    from infra.postgres.connection.scratch_target import ScratchTarget
    from infra.postgres.connection.target import Target

MODULE_SECONDS = 300.0
"""How long a module may run on a scratch database."""

_RIGHTS = "SELECT rolsuper OR rolcreatedb AND rolcreaterole FROM pg_catalog.pg_roles WHERE rolname = current_user"
_NOT_FOR_OWNERS = """
SELECT DISTINCT name::text FROM pg_catalog.pg_available_extension_versions
WHERE name = ANY (%s) AND superuser AND NOT trusted
"""


@dataclass(frozen=True)
class ScratchServer:
    """A server for scratch databases: a role that may create them with their logins, and a psql (None: there is none).

    `private` is the server that ends with the block, None for a server that the caller named.
    """

    admin: Target
    psql: Path | None
    private: PrivateServer | None = None
    further_roles: tuple[str, ...] = ()

    def database(self, extensions: Iterable[str] = ()) -> AbstractContextManager[ScratchTarget]:
        """Return an empty database with these extensions, in which modules run as a login without other rights."""
        like = Likeness(extensions=tuple(map(ScratchExtension, extensions)))
        further = (f"{like.database}_{role}" for role in self.further_roles)
        like = replace(like, stack_roles=(*like.stack_roles, *further))
        return scratch_database(self.admin, like, seconds=MODULE_SECONDS)

    def extensions_for_administrators(self, names: Iterable[str]) -> list[str]:
        """Return the extensions of a list that the owner of a database may not create: its administrator has to."""
        with connect(self.admin, autocommit=True) as connection:
            return [str(row[0]) for row in connection.execute(_NOT_FOR_OWNERS, (list(names),))]


@contextmanager
def scratch_server(dsn: str | None, further_roles: Sequence[str] = ()) -> Generator[ScratchServer]:
    """Yield a private server that ends with the block or, with `dsn`, the server of that connection string.

    Its databases have `further_roles`, by the endings of their names, beside the usual ones. Raises ServerError where
    the server cannot be started or reached, or its role may not create databases.
    """
    if dsn is None:
        with private_server() as private, readable_driver_errors():
            try:
                yield ScratchServer(private.admin, find_psql(private.distribution.bin), private, tuple(further_roles))
            finally:
                pool.close_all()
    else:
        admin = parse_dsn(dsn)
        with connect_dsn(admin) as connection:
            if connection.execute(_RIGHTS.encode()).fetchone() != (True,):
                raise ServerError(
                    f"role {admin.user} may not create databases and a login for them, as which modules run",
                    place="--dsn",
                    remedy="name a role with CREATEDB and CREATEROLE, or leave --dsn out: a private server is started "
                    "then",
                )
        try:
            bin_dir = locate(None).bin
        except InfraError:
            bin_dir = None
        with readable_driver_errors():
            yield ScratchServer(admin, find_psql(bin_dir), further_roles=tuple(further_roles))


@contextmanager
def readable_driver_errors() -> Generator[None]:
    """Raise psycopg's errors (a server that ends or refuses) as a ServerError of one sentence."""
    try:
        yield
    except psycopg.Error as error:
        message = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ServerError(f"the connection to the server failed: {message}", remedy="try again") from None


def find_psql(bin_dir: Path | None) -> Path | None:
    """Return the psql in `bin_dir`, else the one on PATH; None where there is neither."""
    if bin_dir and (bin_dir / "psql").is_file():
        return bin_dir / "psql"
    on_path = shutil.which("psql")
    return Path(on_path) if on_path else None
