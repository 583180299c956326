"""The server on which scratch databases are created, for the proofs, the documents and all else that borrows one."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from infra.errors import InfraError, ServerError
from infra.postgres.connection import pool
from infra.postgres.connection.target import ADMIN_USER
from infra.server.dsn import connect_dsn, parse_dsn
from infra.server.embedded.distribution import locate
from infra.server.scratch.private_server import private_server

if TYPE_CHECKING:
    from collections.abc import Generator

    from infra.postgres.connection.target import Target

_MAY_CREATE_DATABASES = "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user"


@dataclass(frozen=True)
class ScratchServer:
    """A server for scratch databases: a role that may create them, their owner, and a psql (None: there is none).

    `admin` connects as a superuser or a role with CREATEDB. `major` is the private server's major version, 0 for a
    server that the caller named.
    """

    admin: Target
    owner: str
    psql: Path | None
    major: int = 0


@contextmanager
def scratch_server(dsn: str | None) -> Generator[ScratchServer]:
    """Yield a private server that ends with the block or, with `dsn`, the server of that connection string.

    Raises ServerError where the server cannot be started or reached, or its role may not create databases.
    """
    if dsn is None:
        with private_server() as private, readable_driver_errors():
            try:
                distribution = private.distribution
                yield ScratchServer(private.admin, ADMIN_USER, find_psql(distribution.bin), distribution.major)
            finally:
                pool.close_all()
    else:
        admin = parse_dsn(dsn)
        with connect_dsn(admin) as connection:
            if connection.execute(_MAY_CREATE_DATABASES).fetchone() != (True,):
                raise ServerError(
                    f"role {admin.user} may not create databases",
                    place="--dsn",
                    remedy="name a role with CREATEDB, or leave --dsn out: a private server is started then",
                )
        try:
            bin_dir = locate(None).bin
        except InfraError:
            bin_dir = None
        with readable_driver_errors():
            yield ScratchServer(admin, admin.user, find_psql(bin_dir))


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
