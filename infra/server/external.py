"""The server kind external: an existing server that is reached, checked and recognised, never created or removed.

The driver is imported in the functions that use it: most runs of `pulumi up` open no connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infra.errors import RefusedError, ServerError
from infra.postgres.connection.connect import connect
from infra.postgres.connection.target import MAINTENANCE_DATABASE, Target
from infra.server.dsn import parse_keywords

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

    from infra.postgres.connection.failure import ConnectionFailure

OLDEST_MAJOR = 14
_NOT_OPTIONS = frozenset({"host", "port", "user", "password", "dbname", "application_name", "connect_timeout"})

_SERVER_QUERY = """
SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
    (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier,
    pg_is_in_recovery() AS standby, current_setting('transaction_read_only') = 'on' AS read_only,
    r.rolsuper AS superuser, r.rolcreatedb AND r.rolcreaterole AS creates, pg_backend_pid() AS pid,
    ARRAY(SELECT name::text FROM pg_available_extensions ORDER BY 1) AS extensions,
    ARRAY(
        SELECT v.name::text FROM pg_available_extensions e JOIN pg_available_extension_versions v USING (name)
        WHERE v.version = e.default_version AND v.superuser AND NOT v.trusted ORDER BY 1
    ) AS untrusted,
    (
        SELECT pg_catalog.substr(setting, 6) FROM pg_db_role_setting s, unnest(s.setconfig) AS setting
        WHERE s.setdatabase = 0 AND pg_get_userbyid(s.setrole) = session_user AND setting LIKE 'role=%'
    ) AS set_role, current_user::text AS role
FROM pg_roles r WHERE r.rolname = current_user
"""


@dataclass(frozen=True)
class ReachedServer:
    """A server to which its administrator has connected; `host` and `port` are those of the one that answered.

    `role` is the one as which the administrator acts: a role that is set for the login, else the login itself.
    `hosts` and `ports` are libpq's lists of several servers, for connections that look for the primary; `options` are
    the other libpq keywords (TLS, target_session_attrs, a service), without user and password. `untrusted` are the
    extensions that only a superuser may create, where the provider of a service does not permit more.
    """

    host: str
    port: int
    hosts: str
    ports: str
    user: str
    role: str
    database: str
    version: str
    system_identifier: str
    superuser: bool
    encrypted: bool
    password: str = field(repr=False)
    extensions: tuple[str, ...] = field(repr=False)
    untrusted: tuple[str, ...] = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


class UnreachableServerError(ServerError):
    """A server to which no connection could be opened: the reason, and the server's SQLSTATE if it sent one."""

    def __init__(self, what: str, *, failure: ConnectionFailure, sqlstate: str | None, place: str, remedy: str) -> None:
        super().__init__(what, place=place, remedy=remedy)
        self.failure = failure
        self.sqlstate = sqlstate


def reach_server(dsn: str, password: str = "") -> ReachedServer:
    """Return the server of a connection string after a check whether a stack can use it (0.05 s); change nothing.

    `password` replaces the one in the string; of several servers the one that accepts writes is looked for. Raises
    UnreachableServerError, and ServerError for a server that is too old, not writable, behind a pooler that breaks
    sessions, or whose user may not create roles and databases; none of the messages contains the password.
    """
    from psycopg import Error  # noqa: PLC0415 (see the module's docstring)
    from psycopg.rows import dict_row  # noqa: PLC0415

    keywords = parse_keywords(dsn)
    if "sslpassword" in keywords:
        raise ServerError(
            "has sslpassword, which would be kept in every connection's options",
            place="server.dsn",
            remedy="use a client key without a passphrase, readable by you alone",
        )
    if "," in keywords.get("host", ""):
        keywords.setdefault("target_session_attrs", "read-write")
    keywords["password"] = password or keywords.get("password", "")
    target = Target(
        keywords.get("host", ""),
        0,
        keywords.get("dbname", "" if "service" in keywords else MAINTENANCE_DATABASE),
        keywords.get("user", ""),
        keywords["password"],
        {name: value for name, value in keywords.items() if name in {"host", "port"} or name not in _NOT_OPTIONS},
    )
    try:
        with connect(target, autocommit=True) as connection:
            with connection.cursor(row_factory=dict_row) as cursor:
                row = cursor.execute(_SERVER_QUERY).fetchone() or {}
            return _describe(connection, keywords, row)
    except Error as error:
        raise _unreachable(error, target, keywords) from None


def _describe(
    connection: psycopg.Connection[Any], keywords: Mapping[str, str], row: Mapping[str, Any]
) -> ReachedServer:
    """Return the server, or raise ServerError with the reason why a stack cannot use it."""
    info = connection.info
    place = f"server {info.host}:{info.port}"
    if row["number"] // 10_000 < OLDEST_MAJOR:
        raise ServerError(
            f"runs PostgreSQL {row['version']}; the oldest supported version is {OLDEST_MAJOR}", place=place
        )
    if info.backend_pid != row["pid"]:
        raise ServerError(
            "is behind a connection pooler, which breaks the locks and roles of a session",
            place=place,
            remedy="name the server itself in server.dsn; applications may continue to use the pooler",
        )
    if row["standby"] or row["read_only"]:
        kind = "is a standby" if row["standby"] else "takes no changes: default_transaction_read_only is on"
        raise ServerError(
            kind, place=place, remedy="name the primary, or all servers with target_session_attrs=read-write"
        )
    if not row["superuser"] and not row["creates"]:
        raise ServerError(
            f"user {info.user} may not create roles and databases",
            place=place,
            remedy=f"have an administrator run ALTER ROLE {info.user} CREATEDB CREATEROLE",
        )
    if row["set_role"] not in {None, "none", row["role"]}:
        raise ServerError(
            f"role {row['set_role']}, which is set for user {info.user}, may not create roles and databases",
            place=place,
            remedy=f"have an administrator run ALTER ROLE {info.user} RESET role",
        )
    return ReachedServer(
        host=info.host,
        port=info.port,
        hosts=keywords.get("host", info.host),
        ports=keywords.get("port", str(info.port)),
        user=info.user,
        role=row["role"],
        database=info.dbname,
        version=str(row["version"]).split()[0],
        system_identifier=row["system_identifier"],
        superuser=row["superuser"],
        password=keywords["password"],
        encrypted=bool(connection.pgconn.ssl_in_use),
        extensions=tuple(row["extensions"]),
        untrusted=tuple(row["untrusted"]),
        options={name: value for name, value in keywords.items() if name not in _NOT_OPTIONS},
    )


def refuse_another(reached: ReachedServer, previous: str, accepted: str) -> None:
    """Raise RefusedError when this is not the server on which the stack was created, unless it is the accepted one.

    `previous` and `accepted` are system identifiers, "" for none (PostgreSQL manual, 9.27.11, pg_control_system).
    """
    identifier = reached.system_identifier
    if not previous or identifier in {previous, accepted}:
        return
    raise RefusedError(
        f"is not the server of this stack: its system identifier is {identifier}, and the stack's server had "
        f"{previous}; it was replaced, or restored from a dump",
        place=f"server {reached.host}:{reached.port}",
        remedy=f'correct server.dsn or, to accept this server, set server.accept to "{identifier}"',
    )


def _unreachable(error: psycopg.Error, target: Target, keywords: Mapping[str, str]) -> UnreachableServerError:
    """Return the error with libpq's message, which names every host that was tried, on one line."""
    from infra.postgres.connection.failure import ConnectionFailure, classify_connection_error  # noqa: PLC0415

    remedies = {
        ConnectionFailure.LOGIN_REFUSED: "correct server.dsn, server.password, server.password_variable or "
        "server.password_file",
        ConnectionFailure.TLS_FAILED: "correct sslmode, sslrootcert, sslcert and sslkey in server.dsn",
        ConnectionFailure.NO_PRIMARY: "no server accepts writes at present: wait until the failover has ended",
    }
    failure = classify_connection_error(error, target)
    hosts = keywords.get("host") or keywords.get("service") or "the default"
    return UnreachableServerError(
        f"cannot be reached: {_without_secret(' '.join(str(error).split()), target.password)}",
        failure=failure,
        sqlstate=error.sqlstate,
        place=f"server {hosts}",
        remedy=remedies.get(failure, "check that it runs and that server.dsn is correct"),
    )


def _without_secret(text: str, secret: str) -> str:
    return text.replace(secret, "[secret]") if secret else text
