"""A server that is already there: reached, looked at and known again. Nothing of it is made or removed here.

The driver is imported where it is used, as everywhere in this package.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infra.errors import RefusedError, ServerError
from infra.postgres.connection.target import APPLICATION_NAME, CONNECT_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

OLDEST_MAJOR = 14
NOT_OPTIONS = frozenset({"host", "port", "user", "password", "dbname", "application_name", "connect_timeout"})
_MAINTENANCE_DATABASE = "postgres"
UNREACHED = "cannot be reached"

LOOK = """
SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
    (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier,
    pg_is_in_recovery() AS standby, current_setting('transaction_read_only') = 'on' AS read_only,
    r.rolsuper AS superuser, r.rolcreatedb AND r.rolcreaterole AS creates, pg_backend_pid() AS pid,
    ARRAY(SELECT name::text FROM pg_available_extensions ORDER BY 1) AS extensions
FROM pg_roles r WHERE r.rolname = current_user
"""


@dataclass(frozen=True)
class Reached:
    """A server that let its administrator in; `host` and `port` are of the one of several that answered.

    `hosts` and `ports` are libpq's lists, for connections that shall find the primary wherever it is; `options` are the
    further libpq keywords of the way in (TLS, target_session_attrs, a service), without user and password.
    """

    host: str
    port: int
    hosts: str
    ports: str
    user: str
    database: str
    version: str
    system_identifier: str
    superuser: bool
    encrypted: bool
    password: str = field(repr=False)
    extensions: tuple[str, ...] = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


DSN_REMEDY = "write postgresql://user@host:port/database, or host=… port=… user=…"


def keywords(dsn: str, *, place: str = "server.dsn") -> dict[str, str]:
    """Take a connection string apart, URI or keywords (PostgreSQL manual, 32.1.1); ServerError says what is wrong."""
    from psycopg import ProgrammingError, conninfo  # noqa: PLC0415 (see the module's docstring)

    try:
        return {name: str(value) for name, value in conninfo.conninfo_to_dict(dsn).items() if value is not None}
    except ProgrammingError:  # whose words quote what it could not read, perhaps the password
        raise ServerError("is no connection string that libpq can read", place=place, remedy=DSN_REMEDY) from None


def format_dsn(given: Mapping[str, str]) -> str:
    """Write a connection string, quoted as libpq reads it."""
    from psycopg import conninfo  # noqa: PLC0415 (see the module's docstring)

    return conninfo.make_conninfo("", **given)


def reach(dsn: str, password: str = "") -> Reached:
    """Connect as the administrator and see whether a stack can live there (0.05 s); nothing is changed.

    Raises ServerError, in one sentence and without the password: unreachable, refused, too old, not writable, behind a
    pooler that breaks sessions, or without the rights to make roles and databases.
    """
    from psycopg import Connection, Error, conninfo  # noqa: PLC0415 (see the module's docstring)
    from psycopg.rows import dict_row  # noqa: PLC0415

    given = keywords(dsn)
    if "sslpassword" in given:
        raise ServerError(
            "has sslpassword, which would be kept in every connection's options",
            place="server.dsn",
            remedy="use a client key without a passphrase, readable by you alone",
        )
    secret = password or given.get("password", "")
    utf8 = {"client_encoding": "UTF8"}  # else a server whose databases are SQL_ASCII answers in bytes
    own = {**utf8, "application_name": APPLICATION_NAME, "connect_timeout": str(CONNECT_TIMEOUT_SECONDS)}
    wanted = {"dbname": _MAINTENANCE_DATABASE, **given, **({"password": secret} if secret else {}), **own}
    try:
        with Connection.connect(conninfo.make_conninfo("", **wanted), autocommit=True) as connection:
            with connection.cursor(row_factory=dict_row) as cursor:
                row = cursor.execute(LOOK).fetchone() or {}
            return _fit(connection, {**given, "password": secret}, row)
    except Error as error:
        raise _refusal(given, secret, error) from None


def _fit(connection: psycopg.Connection[Any], given: Mapping[str, str], row: Mapping[str, Any]) -> Reached:
    """Give what was reached, unless a stack could not live there."""
    info = connection.info
    place = f"server {info.host}:{info.port}"
    if row["number"] // 10_000 < OLDEST_MAJOR:
        raise ServerError(f"runs PostgreSQL {row['version']}, and {OLDEST_MAJOR} is the oldest that works", place=place)
    if info.backend_pid != row["pid"]:
        raise ServerError(
            "is behind a connection pooler, which breaks the locks and roles of a session",
            place=place,
            remedy="name the server itself in server.dsn; applications may go on using the pooler",
        )
    if row["standby"] or row["read_only"]:
        kind = "is a standby" if row["standby"] else "takes no changes: default_transaction_read_only is on"
        raise ServerError(
            kind, place=place, remedy="name the primary, or all servers with target_session_attrs=read-write"
        )
    if not row["superuser"] and not row["creates"]:
        raise ServerError(
            f"{info.user} can make no roles and databases there",
            place=place,
            remedy=f"let an administrator say ALTER ROLE {info.user} CREATEDB CREATEROLE",
        )
    return Reached(
        host=info.host,
        port=info.port,
        hosts=given.get("host", info.host),
        ports=given.get("port", str(info.port)),
        user=info.user,
        database=info.dbname,
        version=str(row["version"]).split()[0],
        system_identifier=row["system_identifier"],
        superuser=row["superuser"],
        password=given["password"],
        encrypted=bool(connection.pgconn.ssl_in_use),
        extensions=tuple(row["extensions"]),
        options={name: value for name, value in given.items() if name not in NOT_OPTIONS},
    )


def refuse_another(reached: Reached, known: str, accepted: str) -> None:
    """Raise RefusedError when this is not the server that the stack was made on, and nobody has said that it may be."""
    here = reached.system_identifier
    if not known or here in {known, accepted}:
        return
    raise RefusedError(
        f"is another server than the one this stack lives on: its system identifier is {here}, and was {known}; "
        "it was swapped, or made anew from a dump",
        place=f"server {reached.host}:{reached.port}",
        remedy=f'correct server.dsn; or, if this one shall be it, set server.accept to "{here}"',
    )


def _refusal(given: Mapping[str, str], secret: str, error: psycopg.Error) -> ServerError:
    """Turn libpq's words, which name every host that was tried, into one sentence."""
    words = _without(" ".join(str(error).split()), secret)
    hosts = given.get("host") or given.get("service") or "the default"
    remedy = "see that it runs and that server.dsn is right"
    if "authentication failed" in words or "no password supplied" in words:
        remedy = "correct server.dsn, server.password, server.password_variable or server.password_file"
    elif "certificate" in words or "SSL" in words or "root.crt" in words:
        remedy = "correct sslmode, sslrootcert, sslcert and sslkey in server.dsn"
    elif "read-only" in words or "hot standby" in words:
        remedy = "no server takes changes at the moment: wait for the failover to end"
    return ServerError(f"{UNREACHED}: {words}", place=f"server {hosts}", remedy=remedy)


def _without(text: str, secret: str) -> str:
    return text.replace(secret, "[secret]") if secret else text
